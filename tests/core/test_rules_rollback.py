"""R20–R33: the seamless Refund and Cancel, of a bet and of a round, in every order and under every policy."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from caisse.core.entries import Kind
from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.rules.decide import decide
from caisse.core.verdicts import Verdict
from tests.support.ledger import (
    NOW,
    OTHER,
    PLAYER,
    POLICIES,
    PROVIDER,
    Case,
    again,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    freeze,
    funded,
    open_wallet,
    play,
    result,
    rollback,
    rollback_round,
    withdraw,
)

V = Verdict
ABSORB = Policy(late_bet="absorb")
EXACT = Policy(refund_amount="exact")
RETURN = Policy(settled_bet="return_stake")
CODE = Policy(unknown_bet=120)
ZERO_BET = bet("0")
SMALLEST = "0.000000000000000001"
REFUSED = bet("400.0")
LATE: list[Request] = [rollback(), bet("10.0")]

CASES = {
    "R20 a known bet": Case([bet("10.0")], rollback(), V.OK, "300.0", rule="R20"),
    "R20 as Cancel, with other words": Case(
        [bet("10.0")], rollback(round="r9", game="dice", session="s9"), V.OK, "300.0"
    ),
    "R20 one of two bets": Case([bet("10.0"), bet("20.0", "bet-2")], rollback("bet-2"), V.OK, "290.0"),
    "R20 after the money is gone": Case([bet("10.0"), withdraw("290.0")], rollback(), V.OK, "10.0"),
    "R21 the second is no new rollback": Case([bet("10.0"), rollback()], bet("10.0", "bet-2"), V.OK, "290.0"),
    "R22 an unknown bet": Case([], rollback(), V.TOMBSTONE, "300.0", rule="R22"),
    "R22 an unknown bet, with an amount": Case([], rollback(amount="10.0"), V.TOMBSTONE, "300.0"),
    "R22 with an error code": Case([], rollback(), V.UNKNOWN_BET, "300.0", policy=CODE, rule="R22"),
    "R22 of another provider": Case([bet("10.0")], rollback(provider="second"), V.TOMBSTONE, "290.0"),
    "R22 an unknown player": Case([], rollback(user="nobody"), V.PLAYER_UNKNOWN, "300.0"),
    "R22 an unknown player never gets a known bet": Case(
        [bet("10.0")], rollback(user="nobody"), V.PLAYER_UNKNOWN, "290.0"
    ),
    "R23 a late bet": Case([rollback()], bet("10.0"), V.LATE_BET, "300.0", rule="R23"),
    "R23 a late bet, absorbed": Case(
        [rollback()], bet("10.0"), V.ABSORBED, "300.0", policy=ABSORB, rule="R23"
    ),
    "R23 a late bet after an error code": Case([rollback()], bet("10.0"), V.LATE_BET, "300.0", policy=CODE),
    "R23 a late bet that is not covered": Case([rollback()], REFUSED, V.LATE_BET, "300.0"),
    "R23 a late bet of a frozen player": Case([rollback(), freeze()], bet("10.0"), V.LATE_BET, "300.0"),
    "R23 the next bet of that round is taken": Case([rollback()], bet("10.0", "bet-2"), V.OK, "290.0"),
    "R23 another player's late bet": Case([rollback()], bet("10.0", user=OTHER), V.KEY_CONFLICT, "100.0"),
    "R23 a late bet again, with other content": Case(LATE, bet("11.0"), V.KEY_CONFLICT, "300.0"),
    "R23 an absorbed bet again, with other content": Case(
        LATE, bet("10.0", round="r2"), V.KEY_CONFLICT, "300.0", policy=ABSORB
    ),
    "R23 a late bet does not open its round": Case(LATE, result("5.0"), V.NO_STANDING_BET, "300.0"),
    "R23 an absorbed bet does not open its round": Case(
        LATE, result("5.0"), V.NO_STANDING_BET, "300.0", policy=ABSORB
    ),
    "R25 equal": Case([bet("10.0")], rollback(amount="10.00"), V.OK, "300.0"),
    "R25 smaller": Case([bet("10.0")], rollback(amount="4.0"), V.OK, "294.0", rule="R20"),
    "R25 an atom": Case([bet("10.0")], rollback(amount=SMALLEST), V.OK, "290.000000000000000001"),
    "R25 smaller, exact": Case(
        [bet("10.0")], rollback(amount="4.0"), V.REFUND_AMOUNT, "290.0", policy=EXACT, rule="R25"
    ),
    "R25 equal, exact": Case([bet("10.0")], rollback(amount="10.0"), V.OK, "300.0", policy=EXACT),
    "R25 absent, exact": Case([bet("10.0")], rollback(), V.OK, "300.0", policy=EXACT),
    "R25 greater": Case([bet("10.0")], rollback(amount="10." + SMALLEST[2:]), V.REFUND_AMOUNT, "290.0"),
    "R25 zero of something": Case([bet("10.0")], rollback(amount="0.0"), V.REFUND_AMOUNT, "290.0"),
    "R25 zero of something, exact": Case(
        [bet("10.0")], rollback(amount="0"), V.REFUND_AMOUNT, "290.0", policy=EXACT
    ),
    "R25 something of zero": Case([ZERO_BET], rollback(amount=SMALLEST), V.REFUND_AMOUNT, "300.0"),
    "R25 a refusal does not stand in the way": Case(
        [bet("10.0"), rollback(amount="11.0")], rollback(amount="10.0"), V.OK, "300.0"
    ),
    "R25 of a settled bet the amount is refused first": Case(
        [bet("10.0"), result("5.0")], rollback(amount="11.0"), V.REFUND_AMOUNT, "295.0"
    ),
    "R26 settled by a result": Case(
        [bet("10.0"), result("25.0")], rollback(), V.BET_SETTLED, "315.0", rule="R26"
    ),
    "R26 settled by a result of zero": Case([bet("10.0"), result("0")], rollback(), V.BET_SETTLED, "290.0"),
    "R26 settled by the end": Case([bet("10.0"), end_round()], rollback(), V.BET_SETTLED, "290.0"),
    "R26 settled, returned": Case([bet("10.0"), result("25.0")], rollback(), V.OK, "325.0", policy=RETURN),
    "R26 ended, returned": Case([bet("10.0"), end_round()], rollback(), V.OK, "300.0", policy=RETURN),
    "R26 returned in part": Case(
        [bet("10.0"), result("25.0")], rollback(amount="4.0"), V.OK, "319.0", policy=RETURN
    ),
    "R26 a bet after the result is open": Case(
        [bet("10.0"), result("25.0"), bet("20.0", "bet-2")], rollback("bet-2"), V.OK, "315.0"
    ),
    "R26 a bet before it is settled, a later bet notwithstanding": Case(
        [bet("10.0"), result("25.0"), bet("20.0", "bet-2")], rollback(), V.BET_SETTLED, "295.0"
    ),
    "R26 a result of another round settles nothing": Case(
        [bet("10.0"), bet("1.0", "bet-2", "r2"), result("5.0", round="r2")], rollback(), V.OK, "304.0"
    ),
    "R26 a refused result settles nothing": Case(
        [bet("10.0"), open_wallet("EUR"), result("5.0", currency="EUR")], rollback(), V.OK, "300.0"
    ),
    "R27 a refused bet": Case([REFUSED], rollback(), V.TOMBSTONE, "300.0", rule="R27"),
    "R27 a refused bet, with a code": Case([REFUSED], rollback(), V.UNKNOWN_BET, "300.0", policy=CODE),
    "R27 a refused bet, with its amount": Case([REFUSED], rollback(amount="400.0"), V.TOMBSTONE, "300.0"),
    "R27 a frozen player's bet": Case([freeze(), bet("10.0")], rollback(), V.TOMBSTONE, "300.0"),
    "R28 another player's bet": Case([bet("10.0")], rollback(user=OTHER), V.FOREIGN_BET, "100.0", rule="R28"),
    "R28 another player's undone bet": Case(
        [bet("10.0"), rollback()], rollback(user=OTHER), V.FOREIGN_BET, "100.0"
    ),
    "R28 another player's refused bet": Case([REFUSED], rollback(user=OTHER), V.FOREIGN_BET, "100.0"),
    "R28 another player's tombstone": Case([rollback()], rollback(user=OTHER), V.KEY_CONFLICT, "100.0"),
    "R28 another player's request does not stand in the way": Case(
        [bet("10.0"), rollback(user=OTHER)], rollback(), V.OK, "300.0"
    ),
    "R29 a result is no bet": Case([bet("10.0"), result("5.0")], rollback("res-1"), V.TOMBSTONE, "295.0"),
    "R30 an expired session": Case(
        [bet("10.0", session="s1"), expire_session()], rollback(session="s1"), V.OK, "300.0"
    ),
    "R45 a bet of zero": Case([ZERO_BET], rollback(), V.OK, "300.0", rule="R45"),
    "R45 a bet of zero, spelled out": Case([ZERO_BET], rollback(amount="0"), V.OK, "300.0"),
    "R32 an unknown round": Case([], rollback_round(), V.TOMBSTONE, "300.0", rule="R32"),
    "R32 an unknown round, with a code": Case([], rollback_round(), V.UNKNOWN_BET, "300.0", policy=CODE),
    "R32 one bet": Case([bet("10.0")], rollback_round(), V.OK, "300.0", rows=2, rule="R32"),
    "R32 several": Case(
        [bet("10.0"), bet("20.0", "bet-2"), bet("0", "bet-3")], rollback_round(), V.OK, "300.0", rows=4
    ),
    "R32 only those of the round": Case(
        [bet("10.0"), bet("20.0", "bet-2", "r2")], rollback_round(), V.OK, "280.0", rows=2
    ),
    "R32 those undone are skipped": Case(
        [bet("10.0"), bet("20.0", "bet-2"), rollback()], rollback_round(), V.OK, "300.0", rows=2
    ),
    "R32 those undone in part are skipped": Case(
        [bet("10.0"), bet("20.0", "bet-2"), rollback(amount="4.0")], rollback_round(), V.OK, "294.0", rows=2
    ),
    "R32 all undone": Case([bet("10.0"), rollback()], rollback_round(), V.OK, "300.0", rows=1),
    "R32 those refused are skipped": Case(
        [bet("10.0"), bet("900.0", "bet-2")], rollback_round(), V.OK, "300.0", rows=2
    ),
    "R32 only refused ones": Case([REFUSED], rollback_round(), V.TOMBSTONE, "300.0"),
    "R32 a win was paid": Case(
        [bet("10.0"), result("25.0")], rollback_round(), V.ROUND_WON, "315.0", rule="R32"
    ),
    "R32 a win was paid, and a later bet is open": Case(
        [bet("10.0"), result("25.0"), bet("20.0", "bet-2")], rollback_round(), V.ROUND_WON, "295.0"
    ),
    "R32 a win was paid, under a profile that returns stakes": Case(
        [bet("10.0"), result("25.0")], rollback_round(), V.ROUND_WON, "315.0", policy=RETURN
    ),
    "R32 a jackpot was paid": Case(
        [bet("10.0"), award("jackpot", round="r1")], rollback_round(), V.ROUND_WON, "297.0"
    ),
    "R32 R26 all settled by a result of zero": Case(
        [bet("10.0"), result("0")], rollback_round(), V.BET_SETTLED, "290.0", rule="R26"
    ),
    "R32 R26 settled ones are skipped": Case(
        [bet("10.0"), result("0"), bet("20.0", "bet-2")], rollback_round(), V.OK, "290.0", rows=2
    ),
    "R32 R26 all settled, and return_stake does not apply": Case(
        [bet("10.0"), result("0")], rollback_round(), V.BET_SETTLED, "290.0", policy=RETURN
    ),
    "R32 R26 some settled, and return_stake does not apply": Case(
        [bet("10.0"), result("0"), bet("20.0", "bet-2")],
        rollback_round(),
        V.OK,
        "290.0",
        rows=2,
        policy=RETURN,
    ),
    "R32 R23 a late bet": Case([rollback_round()], bet("10.0"), V.LATE_BET, "300.0", rule="R23"),
    "R32 R23 a late bet, absorbed": Case([rollback_round()], bet("10.0"), V.ABSORBED, "300.0", policy=ABSORB),
    "R32 R23 a late bet after an error code": Case(
        [rollback_round()], bet("10.0"), V.LATE_BET, "300.0", policy=CODE
    ),
    "R32 R23 a later bet of a known round": Case(
        [bet("10.0"), rollback_round()], bet("20.0", "bet-2"), V.LATE_BET, "300.0"
    ),
    "R32 a bet of that round and another provider": Case(
        [rollback_round()], bet("10.0", provider="second"), V.OK, "290.0"
    ),
    "R32 by reference after by round": Case(
        [rollback_round(), bet("10.0")], rollback(), V.TOMBSTONE, "300.0"
    ),
    "R32 R40 another player's round of that id is another round": Case(
        [bet("10.0")], rollback_round(user=OTHER), V.TOMBSTONE, "100.0"
    ),
    "R32 R40 another player's closed round": Case(
        [rollback_round()], rollback_round(user=OTHER), V.TOMBSTONE, "100.0"
    ),
    "R32 R40 another player does not stand in the way": Case(
        [bet("10.0"), rollback_round(user=OTHER)], rollback_round(), V.OK, "300.0", rows=2
    ),
    "R32 R41 no result after it": Case([bet("10.0"), rollback_round()], result(), V.NO_STANDING_BET, "300.0"),
    "R32 R30 frozen": Case([bet("10.0"), freeze()], rollback_round(), V.OK, "300.0", rows=2),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_case(case: Case) -> None:
    play(case)


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_under_every_policy_a_bet_goes_back_once(policy: Policy) -> None:
    """R20, R21, R22, R23, R24, R27 hold whatever the profile says; only the verdicts' names differ."""
    ledger = funded()
    for request in (bet("10.0"), rollback("bet-2"), bet("20.0", "bet-2"), bet("900.0", "bet-3")):
        ledger.ask(request, policy)
    for _ in range(3):
        for undo in (rollback(), rollback("bet-2"), rollback("bet-3"), rollback_round(), rollback()):
            ledger.ask(again(undo), policy)
        for late in (bet("20.0", "bet-2"), bet("5.0", "bet-4"), bet("10.0")):
            ledger.ask(late, policy)
    assert ledger.balance() == "300.0"
    assert [r.reference for r in ledger.rows if r.kind is Kind.ROLLBACK] == ["bet-1"]
    assert len([r for r in ledger.rows if r.kind is Kind.TOMBSTONE]) == 2
    assert ledger.findings() == []


@pytest.mark.parametrize(
    "second",
    [
        rollback(),
        rollback(uuid="new"),
        rollback(amount="3.0"),
        rollback(amount="11.0"),
        rollback(amount="0"),
        rollback(endpoint="/V4/Cancel", session="s", game="g"),
        rollback(round="r7"),
    ],
    ids=["same", "new uuid", "smaller", "greater", "zero", "cancel", "round"],
)
@pytest.mark.parametrize("amount", [None, "10.0", "4.0"])
def test_R21_again_gets_the_first_answer(second: Request, amount: str | None) -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    first = ledger.ask(rollback(amount=amount))
    after, rows = ledger.balance(), list(ledger.rows)
    for policy in (Policy(), EXACT, RETURN, CODE):
        decision = ledger.ask(again(second), policy)
        assert (decision.verdict, decision.row, decision.replay) == (Verdict.OK, first.row, True)
    assert (ledger.balance(), ledger.rows) == (after, rows)
    assert first.row is not None
    assert first.row.amount == (4 if amount == "4.0" else 10) * UNIT


def test_R20_the_row_says_what_was_undone() -> None:
    """R25: the bet's own currency, round and game, never the request's words."""
    ledger = funded()
    taken = ledger.ask(bet("10.0", session="s1")).row
    row = ledger.ask(rollback(round="r9", game="dice", session="s9")).row
    assert row is not None
    assert taken is not None
    assert (row.currency, row.round, row.game, row.reference) == ("USD", "r1", "slot", "bet-1")
    assert (row.key, row.amount, row.id == taken.id) == ("rollback:lucky:bet-1", -taken.amount, False)
    assert ledger.round().standing == 0


def test_R22_R24_the_tombstone_is_one_row_with_an_id_of_its_own() -> None:
    ledger = funded()
    asked = rollback(amount="10.0")
    first = ledger.ask(asked).row
    for again_ in (rollback(), rollback(amount="3.0"), rollback(uuid="u")):
        assert ledger.ask(again_).row == first
    assert first is not None
    assert (first.kind, first.key, first.id, first.amount) == (Kind.TOMBSTONE, "bet:lucky:bet-1", asked.id, 0)
    assert [row.kind for row in ledger.rows].count(Kind.TOMBSTONE) == 1


@pytest.mark.parametrize("policy", [Policy(), ABSORB], ids=lambda p: p.late_bet)
def test_R23_a_late_bet_has_a_row_of_its_own_and_the_tombstone_stands(policy: Policy) -> None:
    ledger = funded()
    tombstone = ledger.ask(rollback(), policy)
    late = ledger.ask(bet("10.0"), policy)
    assert late.row is not None
    assert (late.row.kind, late.row.amount, late.row.asked) == (Kind.BET, 0, 10 * UNIT)
    assert late.row.key == "late:lucky:bet-1"
    repeated = ledger.ask(rollback(), policy)
    assert (repeated.verdict, repeated.row) == (Verdict.TOMBSTONE, tombstone.row)
    assert ledger.ask(bet("10.0")).row == late.row
    assert ledger.balance() == "300.0"
    assert ledger.findings() == []


def test_R27_the_refused_bet_stays_refused_after_its_rollback_and_a_charge() -> None:
    ledger = funded()
    refused = ledger.ask(REFUSED)
    undone = ledger.ask(rollback())
    ledger.ask(charge("500.0"))
    assert ledger.ask(again(REFUSED)).row == refused.row
    repeated = ledger.ask(rollback(uuid="new"))
    assert (repeated.verdict, repeated.row, repeated.replay) == (Verdict.TOMBSTONE, undone.row, True)
    assert ledger.balance() == "800.0"


def test_R28_nothing_of_the_other_player_is_shown() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    decision = ledger.ask(rollback(user=OTHER))
    assert (decision.row, decision.rows, decision.seen) == (None, (), None)
    assert (ledger.balance(), ledger.balance(OTHER)) == ("290.0", "100.0")
    ledger.ask(rollback())
    assert (ledger.balance(), ledger.balance(OTHER)) == ("300.0", "100.0")


def test_R4_R5_two_players_and_one_reference() -> None:
    """The first bet owns the reference; the other player's is refused and can undo nothing."""
    ledger = funded()
    first = ledger.ask(bet("10.0", user=OTHER))
    assert ledger.ask(bet("10.0")).verdict is Verdict.KEY_CONFLICT
    assert ledger.ask(rollback()).verdict is Verdict.FOREIGN_BET
    assert ledger.ask(bet("10.0", user=OTHER)).row == first.row
    assert ledger.ask(rollback(user=OTHER)).verdict is Verdict.OK
    assert (ledger.balance(), ledger.balance(OTHER)) == ("300.0", "100.0")
    assert ledger.findings() == []


def test_R29_a_rollback_of_a_rollback_finds_no_bet() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    undone = ledger.ask(rollback()).row
    assert undone is not None
    for reference in (undone.id, undone.key, undone.uuid):
        assert ledger.ask(rollback(reference)).verdict is Verdict.TOMBSTONE
    assert ledger.balance() == "300.0"


def test_R25_a_partial_rollback_closes_the_bet() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    ledger.ask(rollback(amount="4.0"))
    assert ledger.ask(result("5.0")).verdict is Verdict.NO_STANDING_BET
    head = ledger.round()
    assert (head.standing, head.staked, head.won) == (0, 6 * UNIT, 0)
    assert ledger.balance() == "294.0"
    assert ledger.findings() == []


def test_R26_the_refusal_is_final_and_a_policy_changed_later_does_not_reopen_it() -> None:
    ledger = funded()
    for request in (bet("10.0"), result("0")):
        ledger.ask(request)
    refused = ledger.ask(rollback())
    repeated = ledger.ask(rollback(uuid="new"), RETURN)
    assert (repeated.verdict, repeated.row) == (Verdict.BET_SETTLED, refused.row)
    assert refused.row is not None
    assert (refused.row.asked, refused.row.amount, refused.row.round) == (10 * UNIT, 0, "r1")
    assert ledger.balance() == "290.0"


class TestByRound:
    """R32 beyond the table."""

    def test_all_rows_carry_one_id_and_each_bet_its_own_rollback(self) -> None:
        ledger = funded()
        ledger.ask(bet("10.0"))
        ledger.ask(bet("20.0", "bet-2"))
        asked = rollback_round()
        decision = ledger.ask(asked)
        assert [row.kind for row in decision.rows] == [Kind.ROUND_ROLLBACK, Kind.ROLLBACK, Kind.ROLLBACK]
        assert [row.key for row in decision.rows] == [
            f"unround:{PROVIDER}:6:{PLAYER}:r1",
            f"rollback:{PROVIDER}:bet-1",
            f"rollback:{PROVIDER}:bet-2",
        ]
        assert [(row.id, row.part) for row in decision.rows] == [(asked.id, n) for n in range(3)]
        assert [row.balance for row in decision.rows] == [270 * UNIT, 280 * UNIT, 300 * UNIT]
        head = ledger.round()
        assert (head.state, head.standing, head.staked) == ("refunded", 0, 0)

    def test_by_reference_afterwards_gets_the_rollback_that_was(self) -> None:
        ledger = funded()
        ledger.ask(bet("10.0"))
        by_round = ledger.ask(rollback_round())
        by_reference = ledger.ask(rollback(amount="10.0"))
        assert (by_reference.verdict, by_reference.row) == (Verdict.OK, by_round.rows[1])
        assert by_reference.replay
        assert ledger.balance() == "300.0"

    @pytest.mark.parametrize("bets", [[], [bet("10.0")]], ids=["unknown", "known"])
    def test_a_repeat_gets_the_first_answer_though_bets_came_since(self, bets: list[Request]) -> None:
        ledger = funded()
        for request in bets:
            ledger.ask(request)
        first = ledger.ask(rollback_round())
        ledger.ask(bet("20.0", "bet-2"))
        rows = list(ledger.rows)
        second = ledger.ask(rollback_round(game="dice", details="{}"))
        assert (second.verdict, second.row, second.rows) == (first.verdict, first.row, ())
        assert (ledger.balance(), ledger.rows) == ("300.0", rows)

    @pytest.mark.parametrize("prepared", [False, True], ids=["in one batch", "in two"])
    def test_a_rollback_refused_before_stays_refused_when_the_profile_changes(self, prepared: bool) -> None:
        """R2: the refusal under the bet's key is final, so the round's rollback must pass that bet over."""
        ledger = funded()
        for request in (bet("10.0"), result("0")):
            ledger.ask(request)
        if not prepared:
            ledger.prepare(rollback_round())
        refused = ledger.ask(rollback())
        by_round = rollback_round()
        if prepared:
            ledger.prepare(by_round)
        decision = decide(by_round, ledger.book, RETURN, NOW)
        ledger.book.take(decision)
        keys = [row.key for row in ledger.rows]
        assert len(keys) == len(set(keys))
        assert ledger.ask(rollback(), RETURN).row == refused.row
        assert ledger.balance() == "290.0"
        assert ledger.findings() == []

    def test_a_late_bet_stays_late_and_cannot_be_rolled_back(self) -> None:
        ledger = funded()
        ledger.ask(rollback_round())
        late = ledger.ask(bet("10.0"))
        assert ledger.ask(bet("10.0")).row == late.row
        assert ledger.ask(bet("11.0")).verdict is Verdict.KEY_CONFLICT
        assert ledger.ask(rollback()).verdict is Verdict.TOMBSTONE
        assert ledger.balance() == "300.0"
        assert ledger.findings() == []

    def test_a_settled_bet_left_standing_is_still_paid_for(self) -> None:
        ledger = funded()
        for request in (bet("10.0"), result("0"), bet("20.0", "bet-2"), rollback_round()):
            ledger.ask(request)
        assert ledger.ask(result("3.0", "res-2")).verdict is Verdict.OK
        assert ledger.ask(rollback()).verdict is Verdict.BET_SETTLED
        assert ledger.balance() == "293.0"
        assert (ledger.round().state, ledger.round().standing) == ("refunded", 1)
        assert ledger.findings() == []

    def test_the_end_of_a_refunded_round_leaves_it_refunded(self) -> None:
        ledger = funded()
        for request in (bet("10.0"), rollback_round(), end_round()):
            assert ledger.ask(request).verdict is Verdict.OK
        assert ledger.round().state == "refunded"
        assert ledger.findings() == []

    @pytest.mark.parametrize("policy", [Policy(), RETURN], ids=["refuse", "return_stake"])
    def test_a_round_that_was_ended_is_not_rolled_back_under_any_profile(self, policy: Policy) -> None:
        ledger = funded()
        for request in (bet("10.0"), end_round()):
            ledger.ask(request, policy)
        assert ledger.ask(rollback_round(), policy).verdict is Verdict.BET_SETTLED
        assert ledger.balance() == "290.0"
        assert ledger.findings() == []


RIVALS: dict[str, Any] = {
    "bet": bet("10.0"),
    "refund": rollback(),
    "cancel": rollback(endpoint="/V4/Cancel", uuid="cancel"),
    "result": result("25.0"),
    "end": end_round(),
}


@pytest.mark.parametrize("order", list(itertools.permutations(RIVALS)), ids="-".join)
def test_R31_in_every_order_whichever_comes_second_sees_the_first(order: tuple[str, ...]) -> None:
    """Bet, Refund, Cancel, Result and EndRound of one bet: the balance follows from the verdicts alone."""
    ledger = funded()
    got = {name: ledger.ask(RIVALS[name]) for name in order}
    taken = got["bet"].verdict is Verdict.OK
    undone = got["refund"].verdict is Verdict.OK
    won = got["result"].verdict is Verdict.OK
    assert got["refund"].verdict is got["cancel"].verdict
    assert got["refund"].row == got["cancel"].row
    assert not (undone and not taken)
    assert not (won and not taken)
    assert not (won and undone)
    expected = 300 - 10 * taken + 10 * undone + 25 * won
    assert ledger.balance() == f"{expected}.0"
    first_undo = min(order.index("refund"), order.index("cancel"))
    if order.index("bet") > first_undo:
        assert got["bet"].verdict is Verdict.LATE_BET
    assert ledger.findings() == []


def test_R22_no_player_is_created_by_a_rollback() -> None:
    ledger = funded()
    ledger.ask(rollback(user="nobody"))
    ledger.ask(create(user="nobody"))
    assert ledger.ask(bet("0", user="nobody")).verdict is Verdict.WALLET_UNKNOWN


def test_R26_R32_a_refused_refund_by_reference_does_not_turn_the_rounds_into_success() -> None:
    """Its only bet is settled: told so, whether or not a refund by reference was told so before."""
    ledger = funded()
    for request in (bet("10.0"), result("0"), rollback()):
        ledger.ask(request)
    assert ledger.ask(rollback_round()).verdict is Verdict.BET_SETTLED
    assert ledger.balance() == "290.0"


def test_R32_the_rounds_refund_closes_it_even_when_refused() -> None:
    """Else a later bet of the round could never be given back: the round's key is taken."""
    ledger = funded()
    for request in (bet("10.0"), result("25.0")):
        ledger.ask(request)
    assert ledger.ask(rollback_round()).verdict is Verdict.ROUND_WON
    assert ledger.ask(bet("10.0", "bet-2")).verdict is Verdict.LATE_BET
    assert ledger.ask(result("5.0", "res-2")).verdict is Verdict.OK, "R43: a bet stands"
    assert ledger.balance() == "320.0"
    assert ledger.findings() == []
