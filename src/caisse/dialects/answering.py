"""An answer told again, long after it was given: from the verdict, the row and who asked, for explaining.

The doors themselves tell it, so it cannot differ from what was sent, but for the letter case of a uuid. What
was answered before any rule was asked left nothing behind and cannot be told.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

import msgspec

from caisse.core.entries import Decision
from caisse.core.policy import Policy
from caisse.dialects import (
    seamless_v3,
    seamless_v3_table,
    seamless_v4,
    seamless_v4_table,
    transfer_v3,
    transfer_v4,
    transfer_v4_table,
)
from caisse.dialects.door import Answer
from caisse.dialects.table import Endpoint


class Asked(NamedTuple):
    """What an answer repeats of its request."""

    user: str
    uuid: str
    currency: str = ""
    reference: str = ""


class Told(NamedTuple):
    """An answer, and what people look for in it."""

    status: int
    body: str
    code: str
    """`0` or `OK` for a success."""
    text: str


Teller = Callable[[Policy, Asked, Decision], Answer]


def told(door: str, policy: Policy, asked: Asked, decision: Decision) -> Told | None:
    """What the endpoint of that path answered; None if no door has it, as for a command."""
    teller = _TELLERS.get(door)
    if teller is None:
        return None
    answer = teller(policy, asked, decision)
    body = msgspec.json.decode(answer.body)
    code = next(body[name] for name in _CODES if name in body)
    text = next((body[name] for name in _TEXTS if name in body), "")
    return Told(answer.status, answer.body.decode(), str(code), text)


_CODES: Final = ("code", "error", "status")
_TEXTS: Final = ("reason", "description")


def _transfer_v3(endpoint: Endpoint, policy: Policy, asked: Asked, decision: Decision) -> Answer:
    return transfer_v3.answer(endpoint, asked, asked.uuid, decision)


def _transfer_v4(endpoint: Endpoint, policy: Policy, asked: Asked, decision: Decision) -> Answer:
    return transfer_v4.answer(endpoint, asked, decision)


def _seamless_v3(endpoint: Endpoint, policy: Policy, asked: Asked, decision: Decision) -> Answer:
    return seamless_v3.answer(endpoint, asked, decision)


_TELLERS: Final[Mapping[str, Teller]] = {
    **{e.path: partial(_transfer_v3, e) for e in transfer_v3.ENDPOINTS},
    **{e.path: partial(_transfer_v4, e) for e in transfer_v4_table.ENDPOINTS},
    **{e.path: partial(seamless_v4.answer, e) for e in seamless_v4_table.ENDPOINTS},
    **{e.path: partial(_seamless_v3, e) for e in seamless_v3_table.ENDPOINTS},
}
