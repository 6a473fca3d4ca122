"""Whatever is asked, in any order, under any policy: the books are sound and the first verdict stands."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caisse.core.book import Book, rounds_to_load, wants
from caisse.core.entries import Decision
from caisse.core.money import show
from caisse.core.policy import Policy
from caisse.core.requests import Bet, Charge, ForgetPlayer, Request, Rollback, SetFrozen, Withdraw
from caisse.core.rules.decide import decide
from caisse.core.verdicts import UNKEPT, Verdict
from tests.support.ledger import (
    NOW,
    POLICIES,
    USERS,
    Ledger,
    again,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    forget,
    freeze,
    look,
    look_transfer,
    open_wallet,
    promo,
    result,
    rollback,
    rollback_round,
    traffic,
    withdraw,
)

Asked = tuple[Request, Policy]

START: list[Request] = [
    *(create(user=user) for user in USERS),
    *(open_wallet(user=user) for user in USERS),
    *(open_wallet("EUR", user=user) for user in USERS[:2]),
    *(charge("20.0", user=user) for user in USERS),
]
# Weighed so that most requests meet: one player who does most, and strangers who come across.
users = st.sampled_from(("ann",) * 8 + ("bob",) * 2 + ("cid", "nobody"))
currencies = st.sampled_from(("USD",) * 5 + ("EUR",))
uuids = st.sampled_from(("u1", "u2", "u3", "u4", "u5"))
transactions = st.sampled_from(("", "", "t1", "t2"))
references = st.sampled_from(("x1", "x2", "x3", "x4"))
rounds = st.sampled_from(("r1", "r1", "r2"))
sessions = st.sampled_from(("", "", "", "s1"))
paid = st.sampled_from(("5.0", "5.0", "5.0", "20.0", "99999999999999.0"))
amounts = st.sampled_from(("5.0",) * 6 + ("1.0", "20.0", "0.0"))
promos = st.none() | st.builds(promo, amounts, references)
flags = st.booleans()

by_name = {"user": users, "uuid": uuids}
transfer = {**by_name, "amount": paid, "currency": currencies, "transaction": transactions}
played = {**by_name, "reference": references, "round": rounds}

transfers = st.builds(charge, **transfer) | st.builds(withdraw, **transfer)
bets = st.builds(
    bet,
    **played,
    amount=amounts,
    currency=currencies,
    session=sessions,
    game_enabled=st.just(True) | flags,
    unsupported=st.sampled_from(("", "", "", "currency", "decimals")),
)
rollbacks = st.builds(
    rollback,
    user=users,
    reference=references,
    amount=st.none() | amounts,
    round=st.just("") | rounds,
    unreadable=st.sampled_from(("", "", "", "amount")),
)
results = st.builds(
    result,
    **played,
    amount=amounts,
    currency=st.just("") | currencies,
    promo=promos,
    free_round=flags,
    closes=flags,
    unreadable=st.sampled_from(("", "", "", "currency")),
)
rare = st.one_of(
    st.builds(create, user=st.sampled_from((*USERS, "dan")), uuid=uuids),
    st.builds(open_wallet, currencies, **by_name),
    st.builds(freeze, flags, user=users),
    st.builds(forget, user=users),
    st.builds(freeze, st.just(False), user=users),
    st.builds(look, st.just("") | currencies, user=users),
    st.builds(look_transfer, transactions, user=users),
    st.builds(rollback_round, user=users, round=rounds, reference=st.just("") | references),
    st.builds(end_round, user=users, round=rounds),
    st.builds(
        award,
        **(played | {"round": st.just("") | rounds}),
        kind=st.sampled_from(("bonus", "jackpot", "promo")),
        amount=amounts,
        currency=st.just("") | currencies,
    ),
    st.builds(expire_session, st.just("s1"), user=users),
)
anything = st.sampled_from((transfers, bets, bets, bets, rollbacks, results, rare)).flatmap(lambda s: s)
sequences = st.lists(st.tuples(anything, st.sampled_from(POLICIES)), min_size=15, max_size=45)

thorough = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def asked(sequence: list[Asked]) -> tuple[Ledger, list[Decision]]:
    ledger = Ledger(START)
    return ledger, [ledger.ask(request, policy) for request, policy in sequence]


@thorough
@given(sequences)
def test_the_audit_finds_nothing_and_no_balance_is_negative(sequence: list[Asked]) -> None:
    """R10, R50–R52."""
    ledger, decisions = asked(sequence)
    assert ledger.findings() == []
    assert all(balance >= 0 for balance in ledger.balances().values())
    assert all(row.balance >= 0 for row in ledger.rows)
    assert sum(len(d.rows) for d in decisions) == len(ledger.rows) - len(START)


@thorough
@given(sequences, st.sampled_from(POLICIES))
def test_whatever_was_decided_is_repeated_word_for_word(sequence: list[Asked], policy: Policy) -> None:
    """R1, R2: under any later policy; nothing is appended."""
    ledger, decisions = asked(sequence)
    rows, balances = list(ledger.rows), ledger.balances()
    for (request, _), first in zip(sequence, decisions, strict=True):
        if first.rows and not isinstance(request, SetFrozen | ForgetPlayer):
            second = ledger.ask(again(request), policy, NOW + 1)
            assert (second.verdict, second.row, second.rows) == (first.verdict, first.row, ())
            assert second.replay
    assert (ledger.rows, ledger.balances()) == (rows, balances)


@thorough
@given(sequences)
def test_every_row_has_a_key_of_its_own(sequence: list[Asked]) -> None:
    """R1, R4: a second row under a key would be refused by every store, for ever, with its whole batch."""
    ledger, _ = asked(sequence)
    keys = Counter((row.partner, name) for row in ledger.rows for name in (row.key, row.second_key) if name)
    assert [key for key, count in keys.items() if count > 1] == []


@thorough
@given(sequences)
def test_a_decision_is_kept_or_leaves_nothing(sequence: list[Asked]) -> None:
    """R8: rows come with verdicts that are kept; a replay appends nothing; refusals move nothing."""
    _, decisions = asked(sequence)
    for decision in decisions:
        if decision.rows:
            assert not decision.replay
            assert decision.verdict not in UNKEPT
            assert decision.row in decision.rows
            assert {row.verdict for row in decision.rows} == {decision.verdict}
        if decision.verdict is not Verdict.OK:
            assert not any(row.amount for row in decision.rows)


def snapshot(book: Book) -> Any:
    players = {key: (msgspec.structs.astuple(p), dict(p.wallets)) for key, p in book.players.items()}
    whole = {key: list(rows) for key, rows in book.round_rows.items()}
    kept = (dict(book.entries), dict(book.rounds), list(book.appended), set(book.touched_rounds))
    return players, whole, kept, dict(book.newest_transfers), set(book.playing)


@thorough
@given(sequences)
def test_deciding_changes_nothing_and_depends_on_nothing_else(sequence: list[Asked]) -> None:
    ledger = Ledger(START)
    for request, policy in sequence:
        ledger.prepare(request)
        before = snapshot(ledger.book)
        first = decide(request, ledger.book, policy, NOW)
        assert decide(request, ledger.book, policy, NOW) == first
        assert snapshot(ledger.book) == before
        ledger.book.take(first)


def narrowed(ledger: Ledger, request: Request) -> Book:
    """A book with what a store would load for this request, and nothing more."""
    full, book, wanted = ledger.book, Book(), wants([request])
    book.players = {key: full.players[key] for key in wanted.players if key in full.players}
    book.entries = {key: full.entries[key] for key in wanted.entries if key in full.entries}
    book.rounds = {k: full.rounds[k] for k in rounds_to_load(wanted, book) if k in full.rounds}
    book.round_rows = {key: full.round_rows[key] for key in wanted.whole_rounds}
    newest = full.newest_transfers
    book.newest_transfers = {key: newest[key] for key in wanted.newest_transfers if key in newest}
    book.playing = full.playing.intersection(wanted.playing)
    return book


@thorough
@given(sequences)
def test_a_request_names_all_that_its_decision_looks_at(sequence: list[Asked]) -> None:
    ledger = Ledger(START)
    for request, policy in sequence:
        ledger.prepare(request)
        assert decide(request, narrowed(ledger, request), policy, NOW) == ledger.ask(request, policy)


def own(request: Request) -> Request:
    """The request with ids that only its player uses, so that players have nothing in common."""
    fields: dict[str, Any] = {
        name: f"{request.user}-{value}"
        for name in ("uuid", "reference", "round", "session", "transaction")
        if (value := getattr(request, name, ""))
    }
    if ride := getattr(request, "promo", None):
        fields["promo"] = msgspec.structs.replace(ride, reference=f"{request.user}-{ride.reference}")
    return msgspec.structs.replace(request, **fields)


@thorough
@given(sequences)
def test_players_who_share_nothing_commute(sequence: list[Asked]) -> None:
    """R14's other side: what one player does is no other player's business."""
    sequence = [(own(request), policy) for request, policy in sequence]
    grouped = sorted(sequence, key=lambda item: item[0].user, reverse=True)
    mixed, apart = asked(sequence), asked(grouped)
    for user in (*USERS, "nobody", "dan"):
        told = [
            [d for (request, _), d in zip(order, decisions, strict=True) if request.user == user]
            for order, decisions in ((sequence, mixed[1]), (grouped, apart[1]))
        ]
        assert told[0] == told[1]
        assert mixed[0].rows_of(user) == apart[0].rows_of(user)
        assert mixed[0].account(user) == apart[0].account(user)


class Naive:
    """Balances and what was seen, as one would jot them down: no rounds, results or policies."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], int] = {}
        self.seen: set[str] = set()
        self.bets: dict[str, tuple[str, str, int | None]] = {}

    def ask(self, r: Any) -> None:
        wallet = (r.user, getattr(r, "currency", ""))
        if r.user not in USERS:
            return
        match r:
            case Charge() | Withdraw() if r.uuid not in self.seen:
                self.seen.add(r.uuid)
                sign = 1 if isinstance(r, Charge) else -1
                after = self.held.get(wallet, -1) + sign * r.amount
                if wallet in self.held and after >= 0 and (sign < 0 or after < 10**32):
                    self.held[wallet] = after
            case Bet() if r.reference not in self.bets:
                covered = self.held.get(wallet, -1) >= r.amount
                self.bets[r.reference] = (*wallet, r.amount if covered else None)
                self.held[wallet] = self.held[wallet] - r.amount if covered else self.held.get(wallet, 0)
            case Rollback() if r.reference not in self.bets:
                self.bets[r.reference] = (r.user, "", None)
            case Rollback():
                user, currency, stake = self.bets[r.reference]
                if user == r.user and stake is not None:
                    self.bets[r.reference] = (user, currency, None)
                    self.held[user, currency] += stake


plain = {
    **by_name,
    "amount": paid,
    "currency": currencies,
}
simple = st.one_of(
    st.builds(charge, **plain),
    st.builds(withdraw, **plain),
    st.builds(bet, user=users, reference=references, amount=amounts, currency=currencies),
    st.builds(rollback, user=users, reference=references),
    st.builds(rollback, user=users, reference=references),
)


@thorough
@given(st.lists(simple, min_size=15, max_size=45))
def test_the_balances_are_those_of_a_naive_model(requests: list[Any]) -> None:
    """R5, R10, R13, R20–R24, R27, R28, R46; each player and currency bets in a round of its own."""
    ledger, naive = Ledger(START), Naive()
    naive.held = {(user, currency): held for (_, user, currency), held in ledger.balances().items()}
    wallets = set(naive.held)
    for request in requests:
        if isinstance(request, Bet):
            request = msgspec.structs.replace(request, round=f"{request.user}-{request.currency}")
        ledger.ask(request)
        naive.ask(request)
        for user, currency in wallets:
            assert ledger.balance(user, currency) == show(naive.held[user, currency])


@thorough
@given(sequences)
def test_a_round_rolled_back_leaves_no_open_bet(sequence: list[Asked]) -> None:
    """R32, R2: all or none, none of a round with a paid win; afterwards only settled bets stand."""
    ledger, _ = asked(sequence)
    for key, head in list(ledger.book.rounds.items()):
        request = rollback_round(head.id, user=head.player, provider=head.provider)
        decision = ledger.ask(request, Policy(settled_bet="return_stake"))
        ledger.prepare(request)
        standing = ledger.book.standing_bets(key)
        assert len(standing) == ledger.book.rounds[key].standing
        if not decision.replay:
            assert all(head.settled(bet) for bet in standing) or decision.verdict is Verdict.ROUND_WON
            assert (decision.verdict is Verdict.ROUND_WON) == bool(head.won or head.jackpot)
    assert ledger.findings() == []


def test_a_long_history_meets_every_verdict_and_its_books_are_sound() -> None:
    """Random traffic in which keys, rounds and players meet; each request under a policy of its own."""
    chance, ledger, met = Random(7), Ledger(), set()
    for request in traffic(chance, 6_000):
        decision = ledger.ask(request, chance.choice(POLICIES))
        met.add(decision.verdict)
        if decision.verdict is not Verdict.OK:
            assert not any(row.amount for row in decision.rows)
    assert met == set(Verdict) - {Verdict.ROUND_FULL}, "which takes a thousand bets in one round"
    assert ledger.findings() == []
    for row in ledger.rows:
        assert row.balance >= 0
