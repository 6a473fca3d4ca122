"""Attempts: requests that left no row of their own, remembered so that every answer can be explained.

A repeat, and a refusal that claims no key, change nothing; but who asks "what happened to my request?" must
see them. Equal ones are counted together, so that a storm of repeats costs one line.
"""

import msgspec

from caisse.core.entries import Decision
from caisse.core.money import show
from caisse.core.requests import Content, Look, LookTransfer, Request, Rollback
from caisse.core.verdicts import Verdict

_json = msgspec.json.Encoder()

AttemptKey = tuple[str | bool, ...]


class Attempt(msgspec.Struct):
    """Some equal requests: under which key, what was answered, how many there were and when."""

    partner: str
    player: str
    key: str
    """The key that was asked for; of a transfer with a TransactionId, that one (the uuid is told anyway)."""
    verdict: str
    rule: str
    replay: bool
    endpoint: str
    uuid: str
    content: str
    """What was asked (R5), as a JSON array; of a refused rollback its amount too."""
    count: int
    first_at: int
    last_at: int


class Attempts:
    """Those not yet written, folded. Holds at most `room` lines; what does not fit is counted and dropped."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lines: dict[AttemptKey, Attempt] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._lines)

    def note(self, request: Request, decision: Decision, now: int) -> None:
        """Remember a request if nothing else does: it wrote no row, it is no read, and its player exists."""
        if decision.rows or decision.verdict is Verdict.PLAYER_UNKNOWN:
            return
        if isinstance(request, Look | LookTransfer):
            return
        who = (request.partner, request.user, request.uuid, request.endpoint)
        asked: Content = () if decision.replay else (request.second_key, *_asked(request, decision))
        key: AttemptKey = (*who, request.key, decision.verdict.value, decision.replay, *asked)
        line = self._lines.get(key)
        if line is not None:
            line.count += 1
            line.last_at = now
        elif len(self._lines) < self._room:
            self._lines[key] = _line(request, decision, now)
        else:
            self.dropped += 1

    def take(self) -> list[Attempt]:
        """What is to be written now; nothing is left behind."""
        lines, self._lines = list(self._lines.values()), {}
        return lines


def _asked(request: Request, decision: Decision) -> Content:
    """The content, which repeats share; of a refused rollback the amount too, since R25 reads it."""
    if type(request) is Rollback and request.amount is not None and not decision.replay:
        return (*request.content, show(request.amount))
    return request.content


def _line(request: Request, decision: Decision, now: int) -> Attempt:
    return Attempt(
        partner=request.partner,
        player=request.user,
        key=request.second_key or request.key,
        verdict=decision.verdict.value,
        rule=decision.rule,
        replay=decision.replay,
        endpoint=request.endpoint,
        uuid=request.uuid,
        content=_json.encode(_asked(request, decision)).decode(),
        count=1,
        first_at=now,
        last_at=now,
    )
