"""An answer told again, long after it was given: from the verdict, the row and who asked, for explaining.

The doors themselves tell it, so it cannot differ from what was sent, but for the letter case of a uuid. What
was answered before any rule was asked left nothing behind and cannot be told.
"""

from typing import Final, NamedTuple

import msgspec

from caisse.core.entries import Decision
from caisse.core.policy import Policy
from caisse.dialects.references import MANUALS
from caisse.dialects.wire.table import Echo


class Told(NamedTuple):
    """An answer, and what people look for in it."""

    status: int
    body: str
    code: str
    """`0` or `OK` for a success."""
    text: str


def told(door: str, policy: Policy, echo: Echo, decision: Decision) -> Told | None:
    """What the endpoint of that path answered; None if no door has it, as for a command."""
    found = _ENDPOINTS.get(door)
    if found is None:
        return None
    manual, endpoint = found
    answer = manual.render(endpoint, policy, echo, decision)
    body = msgspec.json.decode(answer.body)
    code = next(body[name] for name in _CODES if name in body)
    text = next((body[name] for name in _TEXTS if name in body), "")
    return Told(answer.status, answer.body.decode(), str(code), text)


_CODES: Final = ("code", "error", "status")
_TEXTS: Final = ("reason", "description")

_ENDPOINTS: Final = {e.path: (manual, e) for manual in MANUALS for e in manual.endpoints}
