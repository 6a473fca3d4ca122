"""A ledger in memory, for tests of the pure core: requests with sensible defaults, decided and taken in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from secrets import token_bytes
from typing import Any

import msgspec

from caisse.audit.audit import PlayerAudit, Stored, Totals
from caisse.audit.findings import Finding
from caisse.audit.history import Anchor
from caisse.audit.stored import ROUND, Row, head_of, round_of, row_of
from caisse.core.book import Book, Player, Round
from caisse.core.entries import Decision, Entry, Kind
from caisse.core.money import parse, show
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.requests import (
    Award,
    Bet,
    Charge,
    CreatePlayer,
    EndRound,
    ExpireSession,
    ForgetPlayer,
    Look,
    LookTransfer,
    OpenWallet,
    Promo,
    Request,
    Result,
    Rollback,
    RollbackRound,
    SetFrozen,
    Withdraw,
)
from caisse.core.rules.decide import decide
from caisse.core.verdicts import ACCEPTED, UNKEPT, Verdict
from caisse.store import columns

NOW = 1_700_000_000_000_000
PARTNER, PLAYER, OTHER, PROVIDER = "demo", "tester", "other", "lucky"
Given = Any

_numbers = itertools.count(1)


def fresh() -> str:
    """An id that no other request has."""
    return f"01980000-0000-7000-8000-{next(_numbers):012x}"


def units(text: str) -> int:
    """The amount that a text spells."""
    amount = parse(text)
    assert amount is not None, text
    return amount


def _base(given: dict[str, Given], **defaults: Given) -> dict[str, Given]:
    fields = {"id": fresh(), "partner": PARTNER, "user": PLAYER, "uuid": fresh(), "endpoint": "/test"}
    return fields | defaults | given


def _play(given: dict[str, Given], **defaults: Given) -> dict[str, Given]:
    return _base(given, provider=PROVIDER, **defaults)


def create(**given: Given) -> CreatePlayer:
    return CreatePlayer(**_base(given, name="Tester", name_key=token_bytes(16)))


def open_wallet(currency: str = "USD", **given: Given) -> OpenWallet:
    return OpenWallet(**_base(given, currency=currency))


def charge(amount: str = "100.0", **given: Given) -> Charge:
    return Charge(**_base(given, currency="USD", amount=units(amount)))


def withdraw(amount: str = "100.0", **given: Given) -> Withdraw:
    return Withdraw(**_base(given, currency="USD", amount=units(amount)))


def freeze(frozen: bool = True, **given: Given) -> SetFrozen:
    return SetFrozen(**_base(given, frozen=frozen, reason="asked to", by="a person"))


def forget(**given: Given) -> ForgetPlayer:
    return ForgetPlayer(**_base(given, reason="asked to", by="a person"))


def look(currency: str = "", **given: Given) -> Look:
    return Look(**_base(given, currency=currency))


def look_transfer(transaction: str, **given: Given) -> LookTransfer:
    return LookTransfer(**_base(given, transaction=transaction))


def bet(amount: str = "10.0", reference: str = "bet-1", round: str = "r1", **given: Given) -> Bet:
    fields = {"currency": "USD", "game": "slot", "reference": reference, "round": round}
    return Bet(**_play(given, amount=units(amount), **fields))


def result(amount: str = "25.0", reference: str = "res-1", round: str = "r1", **given: Given) -> Result:
    fields = {"currency": "USD", "game": "slot", "reference": reference, "round": round}
    if given.get("free_round"):
        fields["details"] = '{"bonusCode":"welcome"}'
    return Result(**_play(given, amount=units(amount), **fields))


def promo(amount: str = "5.0", reference: str = "promo-1") -> Promo:
    return Promo(reference, units(amount))


def rollback(reference: str = "bet-1", amount: str | None = None, **given: Given) -> Rollback:
    asked = None if amount is None else units(amount)
    return Rollback(**_play(given, reference=reference, amount=asked))


def rollback_round(round: str = "r1", **given: Given) -> RollbackRound:
    return RollbackRound(**_play(given, round=round))


def end_round(round: str = "r1", **given: Given) -> EndRound:
    return EndRound(**_play(given, round=round, game="slot"))


def award(kind: str = "bonus", amount: str = "7.0", reference: str = "award-1", **given: Given) -> Award:
    fields = {"kind": kind, "reference": reference, "name": "campaign"}
    return Award(**_play(given, amount=units(amount), **fields))


def expire_session(session: str = "s1", **given: Given) -> ExpireSession:
    return ExpireSession(**_play(given, session=session))


def again(request: Request, **changes: Given) -> Any:
    """The request as it comes once more: a new transaction id was drawn; all else is equal but `changes`."""
    return msgspec.structs.replace(request, id=fresh(), **changes)


class Account(msgspec.Struct, frozen=True):
    """What is stored of one player besides journal rows: the head, if there is one, and the rounds."""

    partner: str
    id: str
    player: Player | None
    rounds: list[Round]
    anchor: Anchor | None = None


class Ledger:
    """A book, and nothing else."""

    def __init__(self, requests: Iterable[Request] = ()) -> None:
        self.book = Book()
        for request in requests:
            assert self.ask(request).verdict is Verdict.OK, request

    def ask(self, request: Request, policy: Policy = DEFAULT_POLICY, now: int = NOW) -> Decision:
        """Decide, and take the decision in."""
        self.prepare(request)
        decision = decide(request, self.book, policy, now)
        self.book.take(decision)
        return decision

    def prepare(self, request: Request) -> None:
        """What a store loads besides: all bets and rollbacks of a round that is wanted whole."""
        if isinstance(request, ForgetPlayer):
            self.book.playing = {(PARTNER, p.id) for p in self.book.players.values() if self._plays(p)}
        if isinstance(request, RollbackRound):
            wanted = (request.partner, request.provider, request.user, request.round)
            kinds = (Kind.BET, Kind.ROLLBACK)
            own = [r for r in self.rows_of(request.user, request.partner) if r.kind in kinds]
            self.book.round_rows = {
                wanted: [r for r in own if (r.partner, r.provider, r.player, r.round) == wanted]
            }

    def _plays(self, player: Player) -> bool:
        """Whether the player has an open bet (R26), found by looking at every row there is."""
        rows = [row for row in self.rows_of(player.id, player.partner) if row.verdict is Verdict.OK]
        undone = {row.reference for row in rows if row.kind is Kind.ROLLBACK}
        bets = [row for row in rows if row.kind is Kind.BET and row.reference not in undone]
        rounds = self.book.rounds
        return any(not rounds[b.partner, b.provider, b.player, b.round].settled(b) for b in bets)

    @property
    def rows(self) -> list[Entry]:
        """The whole journal, in order of decision."""
        return self.book.appended

    def rows_of(self, user: str = PLAYER, partner: str = PARTNER) -> list[Entry]:
        """One player's journal."""
        return [row for row in self.rows if (row.partner, row.player) == (partner, user)]

    def balance(self, user: str = PLAYER, currency: str = "USD", partner: str = PARTNER) -> str:
        """A wallet's balance as text; `none` where there is no wallet."""
        amount = self.book.players[partner, user].wallets.get(currency)
        return "none" if amount is None else show(amount)

    def balances(self) -> dict[tuple[str, str, str], int]:
        """Every wallet there is."""
        return {
            (*key, code): held for key, p in self.book.players.items() for code, held in p.wallets.items()
        }

    def round(self, round: str = "r1", provider: str = PROVIDER, user: str = PLAYER) -> Round:
        return self.book.rounds[PARTNER, provider, user, round]

    def account(self, user: str = PLAYER, partner: str = PARTNER) -> Account:
        """What a store keeps of one player besides the rows."""
        rounds = [r for r in self.book.rounds.values() if (r.partner, r.player) == (partner, user)]
        return Account(partner, user, self.book.players.get((partner, user)), rounds)

    def findings(self) -> list[Finding]:
        """What the audit has against these books."""
        found: list[Finding] = []
        totals = Totals()
        for partner, user in self.book.players:
            found += audited(self.rows_of(user, partner), self.account(user, partner), totals)
        return found + list(totals.end())


def stored(row: Entry) -> Row:
    """A row as the audit reads it from a table."""
    return row_of(columns.entry_row(row))


def audited(rows: Iterable[Entry], account: Account, totals: Totals) -> list[Finding]:
    """The findings over one player, who is also added to the totals."""
    checks = PlayerAudit(account.partner, account.id, account.anchor)
    found: list[Finding] = []
    for row in map(stored, rows):
        totals.see(row)
        found += checks.see(row)
    for played in account.rounds:
        found += checks.play(round_of(columns.round_row(played)[: len(ROUND)]))
    player = account.player
    head = head_of(columns.player_row(player)) if player else None
    wallets = head.wallets if head else {}
    totals.hold(account.partner, wallets)
    return [*found, *checks.end(Stored(head, wallets))]


FUNDING: list[Request] = [
    *(create(), open_wallet(), charge("300.0")),
    *(create(user=OTHER), open_wallet(user=OTHER), charge("100.0", user=OTHER)),
]


def funded() -> Ledger:
    """`tester` with 300.0 USD, and another player with 100.0."""
    return Ledger(FUNDING)


@dataclass(frozen=True)
class Case:
    """What was asked before, the request, its verdict, and the balance after; played by `play`."""

    before: list[Request]
    request: Request
    verdict: Verdict
    after: str
    rows: int = -1
    """Rows appended; by default one, or none where the verdict is not kept."""
    policy: Policy = DEFAULT_POLICY
    rule: str = ""


def play(case: Case) -> Ledger:
    """Play a case on funded books; prove its money, that its verdict is final, and a silent audit."""
    ledger = funded()
    for request in case.before:
        ledger.ask(request, case.policy)
    before, written = ledger.balances(), len(ledger.rows)
    decision = ledger.ask(case.request, case.policy)
    assert decision.verdict is case.verdict
    assert decision.rule == case.rule or not case.rule
    assert not decision.replay
    assert ledger.balance(case.request.user if case.request.user == OTHER else PLAYER) == case.after
    wanted = (0 if case.verdict in UNKEPT else 1) if case.rows < 0 else case.rows
    assert tuple(ledger.rows[written:]) == decision.rows
    assert len(decision.rows) == wanted
    _moved_as_told(ledger, before, decision)
    _is_final(ledger, case, decision)
    assert len({row.key for row in ledger.rows}) == len(ledger.rows)
    assert ledger.findings() == []
    return ledger


def _moved_as_told(ledger: Ledger, before: dict[tuple[str, str, str], int], decision: Decision) -> None:
    """Every wallet changed by exactly what the new rows say; a refusal's rows say nothing."""
    sums = dict(before)
    for number, row in enumerate(decision.rows):
        wallet = (row.partner, row.player, row.currency)
        if row.amount or wallet in sums:
            sums[wallet] += row.amount
            assert row.balance == sums[wallet]
        assert (row.part, row.id) == (number, decision.rows[0].id)
    if decision.rows:
        player = ledger.book.players[decision.rows[0].partner, decision.rows[0].player]
        assert (player.seq, player.head) == (decision.rows[-1].seq, decision.rows[-1].hash)
        assert [r.seq for r in ledger.rows_of(player.id, player.partner)] == list(range(1, player.seq + 1))
        assert decision.row in decision.rows
    if decision.verdict not in ACCEPTED:
        assert ledger.balances() == before
    opened = {(r.partner, r.player, r.currency): 0 for r in decision.rows if opens(r)}
    assert ledger.balances() == opened | sums


def opens(row: Entry) -> bool:
    """Whether the row opened a wallet."""
    return row.kind is Kind.OPEN_WALLET and row.verdict is Verdict.OK


def _is_final(ledger: Ledger, case: Case, first: Decision) -> None:
    """R1, R2: asked again, under any policy, the first verdict and row; a refusal not kept is given anew."""
    books = (ledger.balances(), list(ledger.rows), dict(ledger.book.rounds))
    for policy in (case.policy, Policy(unknown_bet=3, late_bet="absorb", settled_bet="return_stake")):
        if case.verdict in UNKEPT and policy != case.policy:
            continue
        second = ledger.ask(again(case.request), policy, NOW + 1)
        assert (second.verdict, second.row, second.rows) == (first.verdict, first.row, ())
        assert second.replay == (first.row is not None)
    assert books == (ledger.balances(), ledger.rows, ledger.book.rounds)


USERS = ("ann", "bob", "cid")


def traffic(chance: Random, count: int) -> list[Request]:
    """Random requests of every kind that often meet: repeats, strangers, late bets, keys used twice."""
    asked: list[Request] = [create(user=user) for user in USERS]
    asked += [
        open_wallet(code, user=user) for user in USERS for code in ("USD", "EUR")[: 1 + (user != "cid")]
    ]
    asked += [charge("50.0", user=user) for user in USERS]
    while len(asked) < count:
        asked.append(
            again(chance.choice(asked[-40:])) if chance.random() < 0.15 else _any(chance, len(asked))
        )
    return asked


def _bet_of(chance: Random, amount: str, session: str, unsupported: str, played: dict[str, Given]) -> Bet:
    enabled = chance.random() < 0.95
    return bet(amount, session=session, game_enabled=enabled, unsupported=unsupported, **played)


def _award_of(
    chance: Random, amount: str, reference: str, unreadable: str, played: dict[str, Given]
) -> Award:
    kind = chance.choice(("bonus", "jackpot"))
    return award(kind, amount, reference, unreadable=unreadable, **played)


def _any(chance: Random, number: int) -> Request:
    user = chance.choice(USERS) if chance.random() < 0.97 else "nobody"
    recent = number // 25 * 4 + chance.randrange(8)
    owner = user if chance.random() < 0.9 else chance.choice(USERS)
    by = {"user": user, "currency": "USD" if chance.random() < 0.93 else "EUR"}
    amount = chance.choice(("0.0", "1.0", "2.0", "2.0", "2.0", "30.0"))
    played = {**by, "reference": f"{owner}-x{recent}", "round": f"{owner}-r{recent // 4}"}
    player: dict[str, Given] = {"user": user}
    in_round: dict[str, Given] = {"user": user, "round": played["round"]}
    session, ride = chance.choice(("", f"s{recent}")), chance.choice((None, promo(amount, f"p{recent}")))
    part = None if chance.random() < 0.6 else amount
    tick: dict[str, Given] = {
        "uuid": f"u{recent}",
        "transaction": chance.choice(("", f"t{recent % 3}-{number // 25}")),
    }
    unsupported = chance.choices(("", "currency", "decimals"), (30, 1, 1))[0]
    unreadable = chance.choices(("", "currency"), (30, 1))[0]
    chances: list[tuple[int, Any]] = [
        (14, lambda: _bet_of(chance, amount, session, unsupported, played)),
        (10, lambda: rollback(played["reference"], part, round=played["round"], **player)),
        (5, lambda: result(amount, promo=ride, closes=number % 9 == 0, **played)),
        (1, lambda: result(amount, free_round=True, **played)),
        (6, lambda: charge(chance.choice(("20.0", "20.0", "99999999999999.0")), **tick, **by)),
        (6, lambda: withdraw(chance.choice(("20.0", "20.0", "99999999999999.0")), **tick, **by)),
        (1, lambda: end_round(**in_round)),
        (2, lambda: rollback_round(**in_round)),
        (2, lambda: _award_of(chance, amount, f"a{recent}", unreadable, in_round)),
        (1, lambda: award("promo", amount, f"p{recent}", **by)),
        (1, lambda: expire_session(f"s{recent}", **player)),
        (1, lambda: freeze(**player)),
        (1, lambda: forget(user=chance.choice((user, f"new{number}")))),
        (3, lambda: freeze(False, **player)),
        (1, lambda: look(**by)),
        (1, lambda: look_transfer(f"t{recent % 3}-{number // 25}", **player)),
        (1, lambda: open_wallet(chance.choice(("USD", "GBP")), **player)),
        (1, lambda: create(**player, uuid=f"c{recent}") if user != "nobody" else look(**player)),
    ]  # fmt: skip
    weights = [weight for weight, _ in chances]
    made: Request = chance.choices([make for _, make in chances], weights)[0]()
    return made


POLICIES = [
    Policy(unknown_bet=unknown, late_bet=late, refund_amount=amount, settled_bet=settled)  # type: ignore[arg-type]
    for unknown, late, amount, settled in itertools.product(
        ("success", 3), ("refuse", "absorb"), ("at_most", "exact"), ("refuse", "return_stake")
    )
]
