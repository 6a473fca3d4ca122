"""A story: what was asked, decided and written, one event for each request, in order of time.

Made from journal rows and attempts, which are all that is known. Pure, and nothing decides by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

import msgspec

from caisse.core import keys
from caisse.core.attempts import Attempt
from caisse.core.entries import MOVES, Decision, Entry, Kind, flag_of
from caisse.core.money import show
from caisse.core.verdicts import Verdict

AGAIN: Final[Mapping[Kind, str]] = {Kind.ROLLBACK: "R21", Kind.TOMBSTONE: "R24", Kind.END_ROUND: "R43"}
"""The rule under which a repeat gets the first answer, where it has one of its own; else R1."""

ASKED_FOR: Final[Mapping[Kind, Kind]] = {Kind.TOMBSTONE: Kind.ROLLBACK}
"""What was asked for where the row records something else."""

PLAYS: Final[Mapping[str, Kind]] = {
    "bet": Kind.BET,
    "late": Kind.BET,
    "result": Kind.RESULT,
    "rollback": Kind.ROLLBACK,
    "unround": Kind.ROUND_ROLLBACK,
    "end": Kind.END_ROUND,
    "bonus": Kind.BONUS,
    "jackpot": Kind.JACKPOT,
    "promo": Kind.PROMO,
    "session": Kind.SESSION,
}
"""Key space of the seamless door -> what was asked for."""

_content = msgspec.json.Decoder(list[str]).decode


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One request, or several equal ones that changed nothing."""

    at: int
    last_at: int
    count: int
    partner: str
    player: str
    endpoint: str
    uuid: str
    kind: Kind
    """What was asked for."""
    asked: Mapping[str, str]
    """Its details by name: amount, currency, reference, round …; only those that it had."""
    verdict: Verdict
    rule: str
    """The rule that fired."""
    first_rule: str
    """At a repeat the rule of the first verdict."""
    replay: bool
    flag: str = ""
    """The rule because of which a person must look at a request that left no row."""
    row: Entry | None
    """The row that the answer was told from."""
    rows: tuple[Entry, ...] = ()
    """The rows written, in order; one of them may have come along with what was asked for (R48)."""

    @property
    def flagged(self) -> bool:
        """Whether a person should look at it."""
        return bool(self.flag) or any(flag_of(row.kind, row.verdict, row.rule) for row in self.rows)

    @property
    def decision(self) -> Decision:
        """As the writer told it to the door."""
        return Decision(
            verdict=self.verdict, rule=self.first_rule, row=self.row, rows=self.rows, replay=self.replay
        )


def events(rows: Sequence[Entry], attempts: Sequence[Attempt]) -> list[Event]:
    """In order of time. A player's rows keep their own order, whatever the servers' clocks said.

    Attempts without a key are left out: the request could not be read, or was only counted.
    """
    decided = [_decided(list(some)) for _, some in groupby(sorted(rows, key=_in_order), key=_request)]
    arrived = [_arrived(attempt, rows) for attempt in attempts if attempt.key]
    latest: dict[tuple[str, str], int] = {}
    timed: list[tuple[int, int, Event]] = []
    for event in decided:
        player = (event.partner, event.player)
        latest[player] = max(event.at, latest.get(player, 0))
        timed.append((latest[player], 0, event))
    timed += [(event.at, 1, event) for event in arrived]
    return [event for _, _, event in sorted(timed, key=lambda item: item[:2])]


def moved(rows: Iterable[Entry]) -> dict[tuple[str, str, str], int]:
    """What the rows moved in all, for each (partner, player, currency); nothing where nothing moved."""
    sums: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if row.kind in MOVES and row.currency:
            wallet = (row.partner, row.player, row.currency)
            sums[wallet] = sums.get(wallet, 0) + row.amount
    return sums


def _in_order(row: Entry) -> tuple[str, str, int]:
    return row.partner, row.player, row.seq


def _request(row: Entry) -> tuple[str, str, str]:
    return row.partner, row.player, row.id


def _decided(rows: list[Entry]) -> Event:
    """The rows of one decision, in order. The first is the request's own; a result's, wherever it stands."""
    first = next((row for row in rows if row.kind is Kind.RESULT), rows[0])
    return Event(
        at=first.at,
        last_at=first.at,
        count=1,
        partner=first.partner,
        player=first.player,
        endpoint=first.endpoint,
        uuid=first.uuid,
        kind=ASKED_FOR.get(first.kind, first.kind),
        asked=_asked_of_row(first),
        verdict=first.verdict,
        rule=first.rule,
        first_rule=first.rule,
        replay=False,
        row=first,
        rows=tuple(rows),
    )


def _asked_of_row(row: Entry) -> dict[str, str]:
    amount = show(row.asked) if row.asked or row.kind in (Kind.BET, Kind.RESULT) else ""
    by_hand = row.kind in (Kind.FREEZE, Kind.RELEASE, Kind.FORGET)
    return _given(
        amount=amount,
        currency=row.currency if amount or row.kind is Kind.OPEN_WALLET else "",
        reference=row.reference,
        round=row.round,
        game=row.game,
        provider=row.provider,
        session=row.session,
        transaction=row.second_key.removeprefix("x:"),
        name="" if by_hand or row.kind is Kind.CREATE else row.name,
        reason=row.details if by_hand else "",
        by=row.name if by_hand else "",
    )


def _arrived(a: Attempt, rows: Iterable[Entry]) -> Event:
    kind, asked = _asked_of_attempt(a)
    verdict = Verdict(a.verdict)
    row = next((row for row in rows if _is_answer(row, a, kind, verdict)), None) if a.replay else None
    repeats = a.replay and verdict is not Verdict.ALREADY_TRANSFERRED
    return Event(
        at=a.first_at,
        last_at=a.last_at,
        count=a.count,
        partner=a.partner,
        player=a.player,
        endpoint=a.endpoint,
        uuid=a.uuid,
        kind=kind,
        asked=asked,
        verdict=verdict,
        rule=AGAIN.get(row.kind if row else kind, "R1") if repeats else a.rule,
        first_rule=a.rule,
        replay=a.replay,
        flag=a.flag,
        row=row,
    )


def _asked_of_attempt(a: Attempt) -> tuple[Kind, dict[str, str]]:
    """From the key and the content (R5), which say all that counts. ValueError for what nobody wrote."""
    content: list[str] = _content(a.content)
    named = keys.parsed(a.key)
    if named is None:
        return _asked_by_key(a.key, content)
    kind = PLAYS[named.space]
    name = {"session": "session", "end": "round", "unround": "round"}.get(named.space, "reference")
    names = CONTENTS.get(kind, ())
    given = dict(zip(names, content[1:], strict=False))
    return kind, _given(provider=named.provider, **{name: named.named}, **given)


CONTENTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.BET: ("currency", "amount", "round"),
    Kind.RESULT: ("amount", "round", "promo_reference", "promo_amount"),
    Kind.ROLLBACK: ("amount",),
    Kind.BONUS: ("amount", "currency"),
    Kind.JACKPOT: ("amount", "currency"),
    Kind.PROMO: ("amount", "currency"),
    Kind.OPEN_WALLET: ("currency",),
    Kind.CHARGE: ("currency", "amount"),
    Kind.WITHDRAW: ("currency", "amount"),
}
"""What a content holds behind the player (R5). The hash of a name is nothing to show (R59)."""


def _asked_by_key(key: str, content: list[str]) -> tuple[Kind, dict[str, str]]:
    """Of a transfer, whose content begins with its verb, or of a person's decision."""
    if key.startswith(keys.FORGET):
        return Kind.FORGET, {}
    if not content:
        raise ValueError(f"an attempt under {key} without a content")
    kind = Kind(content[0])
    transaction = key.removeprefix(keys.SECOND) if key.startswith(keys.SECOND) else ""
    given = dict(zip(CONTENTS.get(kind, ()), content[2:], strict=False))
    return kind, _given(transaction=transaction, **given)


def _given(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _is_answer(row: Entry, a: Attempt, kind: Kind, verdict: Verdict) -> bool:
    """Whether a repeat was answered from that row."""
    if (row.partner, row.player) != (a.partner, a.player):
        return False
    if not row.provider:
        return a.key in (row.key, row.second_key) or row.key == keys.transfer(a.uuid)
    same = row.key == a.key or (row.reference != "" and row.key.partition(":")[2] == a.key.partition(":")[2])
    return same and ASKED_FOR.get(row.kind, row.kind) is kind and row.verdict is verdict
