"""Attempts: requests that left no row of their own, remembered so that people can find them (R58).

A repeat, a refusal that claims no key, and a request that could not be read change nothing. Equal ones are
counted on one line. A partner's token or a provider's connection gets so many lines a minute; what comes
beyond that is counted on one line for each endpoint and fault.
"""

import re
from typing import Final

import msgspec

from caisse.core.entries import Decision, Kind
from caisse.core.money import show
from caisse.core.requests import (
    Award,
    Content,
    CreatePlayer,
    Look,
    LookTransfer,
    Request,
    Result,
    Rollback,
    RollbackRound,
    SetFrozen,
)
from caisse.core.verdicts import FLAGGED, Verdict

_json = msgspec.json.Encoder()

LINES_A_MINUTE: Final = 600
"""Lines that one token or connection may leave in a minute, on one server."""
MINUTE: Final = 60_000_000
"""In microseconds, as all times here."""
LONGEST_ID: Final = 128
"""Characters kept of an id that came in a request that could not be read."""

COUNTED: Final = "R58"
"""The rule of a line that counts what came beyond the limit."""

_unstorable = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

LineKey = tuple[str | bool | int, ...]


class Attempt(msgspec.Struct):
    """Some equal requests: what they named, what was answered, how many there were and when."""

    partner: str
    player: str
    provider: str
    """Empty on the transfer door."""
    endpoint: str
    uuid: str
    reference: str
    round: str
    key: str
    """The key that was asked for; of a transfer with a TransactionId, that one. Empty if there was none."""
    verdict: str
    """Empty if the request could not be read."""
    rule: str
    fault: str
    """The field that could not be read, else empty; never what stood in it."""
    flag: str
    """The rule because of which a person must look at it, else empty."""
    replay: bool
    content: str
    """What was asked (R5), as a JSON array; of a rollback also an amount that is not the first one's."""
    count: int
    first_at: int
    """When the first came; of a line that counts what came beyond the limit, when its minute began."""
    last_at: int


class _Allowance:
    """How many lines one token or connection has left since a minute began."""

    __slots__ = ("since", "used")

    def __init__(self, since: int) -> None:
        self.since = since
        self.used = 0


class Attempts:
    """Those not yet written, folded. Holds at most `room` lines; what does not fit is counted and dropped."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lines: dict[LineKey, Attempt] = {}
        self._unwritten: list[Attempt] = []
        self._allowances: dict[tuple[str, str], _Allowance] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._lines) + len(self._unwritten)

    def note(self, request: Request, decision: Decision, now: int) -> None:
        """Remember a request if nothing else does: it wrote no row, is no read and no operator's command."""
        if decision.rows or isinstance(request, Look | LookTransfer | SetFrozen):
            return
        asked = _asked(request, decision)
        who = (request.partner, request.user, request.uuid, request.endpoint)
        key: LineKey = (*who, request.key, decision.verdict.value, decision.replay, *asked)
        line = self._lines.get(key)
        if line is not None:
            line.count += 1
            line.last_at = now
        else:
            self._hold(key, _line(request, decision, now))

    def unread(
        self,
        partner: str,
        provider: str,
        endpoint: str,
        *,
        player: str = "",
        uuid: str = "",
        reference: str = "",
        round: str = "",
        fault: str,
        now: int,
    ) -> None:
        """Remember a request that could not be read: the ids that could be, and the name of the bad field."""
        ids = [_unstorable.sub("", text[:LONGEST_ID]) for text in (player, uuid, reference, round, fault)]
        key: LineKey = (partner, provider, endpoint, *ids)
        line = self._lines.get(key)
        if line is not None:
            line.count += 1
            line.last_at = now
            return
        player, uuid, reference, round, fault = ids
        line = Attempt(
            partner=partner,
            player=player,
            provider=provider,
            endpoint=endpoint,
            uuid=uuid,
            reference=reference,
            round=round,
            key="",
            verdict="",
            rule="R7",
            fault=fault,
            flag="",
            replay=False,
            content="[]",
            count=1,
            first_at=now,
            last_at=now,
        )
        self._hold(key, line)

    def take(self) -> list[Attempt]:
        """What is to be written now; nothing is left behind."""
        lines = [*self._unwritten, *self._lines.values()]
        self._lines, self._unwritten = {}, []
        return lines

    def give_back(self, lines: list[Attempt]) -> None:
        """Lines that could not be written just now, for another try."""
        kept = lines[: max(self._room - len(self), 0)]
        self._unwritten += kept
        self.dropped += len(lines) - len(kept)

    def _hold(self, key: LineKey, line: Attempt) -> None:
        """A new line, or one more on the line that counts what came beyond the limit."""
        allowance = self._allowance(line)
        if allowance.used >= LINES_A_MINUTE:
            self._count(line, allowance.since)
        elif len(self) < self._room:
            allowance.used += 1
            self._lines[key] = line
        else:
            self.dropped += 1

    def _allowance(self, line: Attempt) -> _Allowance:
        whose = (line.partner, line.provider)
        allowance = self._allowances.get(whose)
        if allowance is None or not 0 <= line.last_at - allowance.since < MINUTE:
            allowance = self._allowances[whose] = _Allowance(line.last_at)
        return allowance

    def _count(self, line: Attempt, since: int) -> None:
        what = (line.partner, line.provider, line.endpoint, line.verdict, line.replay, line.fault, line.flag)
        key: LineKey = (COUNTED, since, *what)
        counted = self._lines.get(key)
        if counted is not None:
            counted.count += 1
            counted.last_at = line.last_at
        else:
            self._lines[key] = msgspec.structs.replace(
                line,
                player="",
                uuid="",
                reference="",
                round="",
                key="",
                rule=COUNTED,
                content="[]",
                first_at=since,
            )


def _line(request: Request, decision: Decision, now: int) -> Attempt:
    return Attempt(
        partner=request.partner,
        player=request.user,
        provider=getattr(request, "provider", ""),
        endpoint=request.endpoint,
        uuid=request.uuid,
        reference=getattr(request, "reference", ""),
        round=getattr(request, "round", ""),
        key=_key(request, decision),
        verdict=decision.verdict.value,
        rule=decision.rule,
        fault="",
        flag=_flag(request, decision),
        replay=decision.replay,
        content=_json.encode(_content(request, decision)).decode(),
        count=1,
        first_at=now,
        last_at=now,
    )


def _key(request: Request, decision: Decision) -> str:
    """The one asked for; of a Refund answered as another profile meant it, the one of that answer."""
    row = decision.row if decision.replay else None
    if type(request) is RollbackRound and row and row.key != request.key:
        return request.by_bet_keys[0]
    if type(request) is Rollback and row and row.key == request.by_round_key:
        return request.by_round_key
    return request.second_key or request.key


def _asked(request: Request, decision: Decision) -> Content:
    """What tells apart requests under one key and verdict. Repeats share the content, so it is left out."""
    if type(request) is CreatePlayer:  # the key of its name's hash is another each time
        return () if decision.replay else (request.name,)
    if type(request) is Rollback and _other_amount(request, decision):
        return (show(request.amount or 0),)
    return () if decision.replay else (request.second_key, *request.content)


def _content(request: Request, decision: Decision) -> Content:
    if type(request) is Rollback and _other_amount(request, decision):
        return (*request.content, show(request.amount or 0))
    if type(request) is CreatePlayer:
        hashed = decision.row.name if decision.replay and decision.row else request.content[-1]
        return ("create", request.user, hashed)  # R59: a player's name stands in `player` alone
    return request.content


def _other_amount(request: Rollback, decision: Decision) -> bool:
    """R25: whether an amount is asked for that was refused, or is not that of the first answer.

    The row of a tombstone shows no amount if the first request named none.
    """
    if request.amount is None:
        return False
    row = decision.row
    if not decision.replay or row is None:
        return True
    return request.amount != row.asked and (row.asked != 0 or row.kind is Kind.ROLLBACK)


def _flag(request: Request, decision: Decision) -> str:
    """The rule because of which a person must look at a request that left no row; else empty."""
    if decision.replay:
        return "R25" if type(request) is Rollback and _other_amount(request, decision) else ""
    if decision.verdict is Verdict.KEY_CONFLICT:  # a promotional win that the first result did not have (R5)
        return "R5" if type(request) is Result and request.promo else ""
    if decision.verdict in FLAGGED:
        return decision.rule
    owed = isinstance(request, Result | Award) and decision.verdict is not Verdict.PLAYER_UNKNOWN
    return decision.rule if owed else ""
