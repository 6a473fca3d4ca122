"""R50–R55: what every row carries, and what the books are."""

from __future__ import annotations

import json
from collections import defaultdict
from hashlib import blake2b
from typing import Any

import msgspec
import pytest

from caisse.audit.audit import Totals
from caisse.core.entries import MOVES, NO_HEAD, Decision, Entry, Kind, accounts, row_hash
from caisse.core.money import UNIT, show
from caisse.core.policy import Policy
from caisse.core.requests import Bet, EndRound, Request, Result, RollbackRound, fingerprint
from caisse.core.verdicts import Verdict
from tests.support.ledger import (
    NOW,
    OTHER,
    Ledger,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    forget,
    freeze,
    funded,
    open_wallet,
    promo,
    result,
    rollback,
    rollback_round,
    stored,
    withdraw,
)

STORY: list[Request] = [
    *(charge("50.0", transaction="t1"), withdraw("20.0"), withdraw("900.0"), open_wallet("EUR")),
    *(bet("10.0", session="s1"), bet("20.0", "bet-2"), rollback("bet-2"), result("25.0", promo=promo())),
    *(rollback("bet-9"), bet("1.0", "bet-9"), end_round(), rollback(), expire_session(), freeze()),
    *(bet("1.0", "bet-3"), freeze(False), bet("6.0", "bet-4", "r2"), bet("0", "bet-5", "r2")),
    *(
        rollback_round("r2"),
        rollback_round("r3"),
        award("bonus", currency="EUR"),
        award("jackpot", round="r1"),
    ),
    *(create(user="leaver"), forget(user="leaver")),
    *(charge("9.0", user=OTHER), bet("9.0", "o-1", "r8", user=OTHER), result("0", "o-2", "r8", user=OTHER)),
]


@pytest.fixture
def ledger() -> Ledger:
    """Books with every kind of row in them."""
    ledger = funded()
    for number, request in enumerate(STORY):
        ledger.ask(request, now=NOW + number)
    return ledger


def test_the_story_has_every_kind_of_row(ledger: Ledger) -> None:
    assert {row.kind for row in ledger.rows} == set(Kind)
    assert ledger.findings() == []


SIGNS = {
    Kind.CHARGE: (+1, "partner:demo:funds"),
    Kind.WITHDRAW: (-1, "partner:demo:funds"),
    Kind.BET: (-1, "provider:lucky:stakes"),
    Kind.ROLLBACK: (+1, "provider:lucky:stakes"),
    Kind.RESULT: (+1, "provider:lucky:wins"),
    Kind.BONUS: (+1, "provider:lucky:awards"),
    Kind.JACKPOT: (+1, "provider:lucky:awards"),
    Kind.PROMO: (+1, "provider:lucky:awards"),
}


def test_R50_the_legal_moves_are_these() -> None:
    named = {kind: (m.sign, m.contra.format(partner="demo", provider="lucky")) for kind, m in MOVES.items()}
    assert named == SIGNS


def test_R50_every_movement_names_who_gives_and_who_takes(ledger: Ledger) -> None:
    for row in ledger.rows:
        if row.amount:
            sign, contra = SIGNS[row.kind]
            player = f"player:{row.player}:{row.currency}"
            assert (row.amount > 0) == (sign > 0)
            assert accounts(row) == ((contra, player) if sign > 0 else (player, contra))


@pytest.mark.parametrize("kind", sorted(set(Kind) - MOVES.keys()))
def test_R50_a_kind_that_moves_nothing_has_no_accounts(ledger: Ledger, kind: Kind) -> None:
    row = next(row for row in ledger.rows if row.kind is kind)
    assert row.amount == 0
    with pytest.raises(ValueError, match="moves nothing"):
        accounts(row)


def test_R50_R54_per_currency_all_accounts_sum_to_zero(ledger: Ledger) -> None:
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in ledger.rows:
        if row.amount:
            giver, taker = accounts(row)
            sums[row.currency][giver] -= abs(row.amount)
            sums[row.currency][taker] += abs(row.amount)
    assert sums.keys() == {"USD", "EUR"}
    for currency, held in sums.items():
        assert sum(held.values()) == 0
        for user in ("tester", OTHER):
            wallet = ledger.book.players["demo", user].wallets.get(currency, 0)
            assert held[f"player:{user}:{currency}"] == wallet


def test_R51_rows_are_numbered_from_one_without_gaps(ledger: Ledger) -> None:
    for user in ("tester", OTHER):
        rows = ledger.rows_of(user)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert ledger.book.players["demo", user].seq == len(rows)


def test_R51_the_balance_after_each_row_is_the_sum_so_far(ledger: Ledger) -> None:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in ledger.rows:
        sums[row.player, row.currency] += row.amount
        assert row.balance == sums[row.player, row.currency] >= 0


def foreign_hash(previous: bytes, row: Entry) -> bytes:
    """The hash as its description has it, written anew."""
    fields = msgspec.structs.asdict(row)
    del fields["hash"]
    for name in ("amount", "balance", "asked"):
        fields[name] = show(fields[name])
    fields["fingerprint"] = fields["fingerprint"].hex()
    text = json.dumps(list(fields.values()), separators=(",", ":"), ensure_ascii=False)
    return blake2b(previous + text.encode(), digest_size=32).digest()


def test_R51_each_row_is_chained_to_the_one_before(ledger: Ledger) -> None:
    for user in ("tester", OTHER):
        head = NO_HEAD
        for row in ledger.rows_of(user):
            assert row.hash == row_hash(head, row) == foreign_hash(head, row)
            head = row.hash
        assert ledger.book.players["demo", user].head == head


@pytest.mark.parametrize("name", [n for n in Entry.__struct_fields__ if n != "hash"])
def test_R51_no_field_can_change_without_the_hash(ledger: Ledger, name: str) -> None:
    row = next(row for row in ledger.rows if row.kind is Kind.WITHDRAW and row.amount)
    old: Any = getattr(row, name)
    new = {int: lambda: old + 1, bytes: lambda: old[::-1]}.get(type(old), lambda: old + "x")()
    new = {"kind": Kind.CHARGE, "verdict": Verdict.INSUFFICIENT}.get(name, new)
    assert row_hash(NO_HEAD, msgspec.structs.replace(row, **{name: new})) != row_hash(NO_HEAD, row)


def test_R51_fields_cannot_be_shifted_into_their_neighbours(ledger: Ledger) -> None:
    row = ledger.rows[-1]
    one = msgspec.structs.replace(row, round="a", game="bc")
    other = msgspec.structs.replace(row, round="ab", game="c")
    assert row_hash(NO_HEAD, one) != row_hash(NO_HEAD, other)
    assert fingerprint(("a", "bc")) != fingerprint(("ab", "c"))


def test_R51_a_row_carries_the_requests_words_key_and_fingerprint() -> None:
    ledger = funded()
    asked = bet("10.0", session="s1", details='{"a":1}', uuid="U-1", endpoint="/V4/Bet")
    row = ledger.ask(asked, now=77).row
    assert row is not None
    assert (row.key, row.fingerprint, row.uuid) == (asked.key, fingerprint(asked.content), "U-1")
    assert (row.id, row.endpoint, row.at, row.asked) == (asked.id, "/V4/Bet", 77, 10 * UNIT)
    assert (row.provider, row.reference, row.round, row.game) == ("lucky", "bet-1", "r1", "slot")
    assert (row.session, row.details, row.part, row.second_key) == ("s1", '{"a":1}', 0, "")


def test_R51_R52_earlier_rows_are_never_touched(ledger: Ledger) -> None:
    before = list(ledger.rows)
    for request in (withdraw("1.0"), rollback("bet-2"), award("promo", currency="USD"), bet("900.0", "b")):
        ledger.ask(request)
    assert ledger.rows[: len(before)] == before


def test_R52_heads_can_be_folded_again_from_the_rows(ledger: Ledger) -> None:
    """A book that is told nothing but the rows comes to the same heads."""
    copy = Ledger()
    for row in ledger.rows:
        copy.book.take(Decision(verdict=row.verdict, rule=row.rule, rows=(row,)))
    assert copy.book.rounds == ledger.book.rounds
    for key, player in ledger.book.players.items():
        copied = copy.book.players[key]
        assert (copied.name, copied.name_key) == ("", b""), "R59: no row holds a name"
        copied.name, copied.name_key = player.name, player.name_key
        assert copied == player


def test_R53_freezing_is_a_row_with_a_reason_and_a_name() -> None:
    ledger = funded()
    row = ledger.ask(freeze(reason="a complaint", by="Anna")).row
    assert row is not None
    assert (row.kind, row.name, row.details, row.amount) == (Kind.FREEZE, "Anna", "a complaint", 0)


@pytest.mark.parametrize("step", [0, -1, 10**9], ids=["stands still", "runs back", "leaps"])
def test_R55_time_decides_nothing_but_the_time_shown(ledger: Ledger, step: int) -> None:
    other = funded()
    for number, request in enumerate(STORY):
        other.ask(request, now=NOW + number * step)
    assert list(map(timeless, other.rows)) == list(map(timeless, ledger.rows))
    assert other.findings() == []


def timeless(row: Entry) -> Entry:
    return msgspec.structs.replace(row, at=0, hash=b"")


def test_R54_totals_keep_partners_and_currencies_apart() -> None:
    """Two wrongs of opposite sign in two currencies, or with two partners, do not make a right."""
    ledger = funded()
    ledger.ask(open_wallet("EUR"))
    ledger.ask(create(partner="second"))
    ledger.ask(open_wallet(partner="second"))
    totals = Totals()
    for row in ledger.rows:
        totals.see(stored(row))
    player = ledger.book.players["demo", "tester"]
    player.wallets = {"USD": 299 * UNIT, "EUR": UNIT}
    for held in ledger.book.players.values():
        totals.hold(held.partner, held.wallets)
    texts = [(finding.check, finding.text) for finding in totals.end()]
    assert texts == [
        ("double entry", "EUR accounts sum to 1.0, not 0.0"),
        ("double entry", "USD accounts sum to -1.0, not 0.0"),
    ]


def test_policies_default_to_the_documented_profile() -> None:
    policy = Policy()
    assert (policy.unknown_bet, policy.late_bet) == ("success", "refuse")
    assert (policy.refund_amount, policy.settled_bet) == ("at_most", "refuse")
    assert (policy.refund_by_round, policy.retransmission) == (False, False)


def test_a_request_names_all_that_a_batch_must_load() -> None:
    """R23, R47, R48: the further keys that deciding looks at."""
    one: Bet = bet(session="s1")
    two: Result = result(promo=promo(), closes=True)
    three: RollbackRound = rollback_round()
    four: EndRound = end_round()
    assert one.lookups == ("bet:lucky:bet-1", "late:lucky:bet-1", "session:lucky:6:tester:s1")
    assert two.lookups == ("result:lucky:res-1", "promo:lucky:promo-1", "end:lucky:6:tester:r1")
    assert three.lookups == ("unround:lucky:6:tester:r1",)
    assert four.rounds == (("lucky", "r1"),)
    assert rollback().rounds == ()
    assert rollback(round="r1").rounds == (("lucky", "r1"),)
    assert rollback().lookups == ("rollback:lucky:bet-1", "bet:lucky:bet-1")
