"""R40–R48: bets, results, ends, awards. Each case names its rule."""

from __future__ import annotations

from typing import Any

import pytest

from caisse.core.entries import Kind
from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.verdicts import FLAGGED, Verdict
from tests.core.ledger import (
    OTHER,
    PLAYER,
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
    promo,
    result,
    rollback,
    rollback_round,
    withdraw,
)

V = Verdict
EURO: list[Request] = [open_wallet("EUR"), charge("50.0", currency="EUR")]
RETURN = Policy(settled_bet="return_stake")

CASES = {
    "R40 a bet opens its round": Case([], bet("10.0"), V.OK, "290.0", rule="R40"),
    "R40 a bet joins it": Case([bet("10.0")], bet("20.0", "bet-2"), V.OK, "270.0"),
    "R40 another currency": Case(
        [*EURO, bet("10.0")], bet("1.0", "bet-2", currency="EUR"), V.ROUND_CURRENCY, "290.0", rule="R40"
    ),
    "R40 another player": Case(
        [bet("10.0")], bet("1.0", "bet-2", user=OTHER), V.ROUND_FOREIGN, "100.0", rule="R40"
    ),
    "R40 another player and currency": Case(
        [*EURO, bet("1.0", currency="EUR")], bet("1.0", "bet-2", user=OTHER), V.ROUND_FOREIGN, "100.0"
    ),
    "R40 the same round of another provider": Case(
        [bet("10.0", user=OTHER)], bet("10.0", provider="second"), V.OK, "290.0"
    ),
    "R40 a refused bet opens no round": Case([bet("900.0", user=OTHER)], bet("10.0", "bet-2"), V.OK, "290.0"),
    "R40 a round whose bets were undone keeps its player": Case(
        [bet("10.0", user=OTHER), rollback(user=OTHER)], bet("10.0", "bet-2"), V.ROUND_FOREIGN, "300.0"
    ),
    "R40 no such wallet": Case([], bet("10.0", currency="EUR"), V.WALLET_UNKNOWN, "300.0"),
    "R40 a result in another currency": Case(
        [*EURO, bet("10.0")], result("5.0", currency="EUR"), V.ROUND_CURRENCY, "290.0", rule="R40"
    ),
    "R40 a result for another player": Case(
        [bet("10.0")], result("5.0", user=OTHER), V.ROUND_FOREIGN, "100.0", rule="R40"
    ),
    "R40 a free round's result in another's round": Case(
        [bet("10.0")], result("5.0", user=OTHER, free_round=True), V.ROUND_FOREIGN, "100.0"
    ),
    "R40 R28 another player's end": Case(
        [bet("10.0")], end_round(user=OTHER), V.FOREIGN_BET, "100.0", rule="R28"
    ),
    "R40 R28 another player's end again": Case(
        [bet("10.0"), end_round()], end_round(user=OTHER), V.FOREIGN_BET, "100.0"
    ),
    "R40 another player's bonus in it": Case(
        [bet("10.0")], award("bonus", round="r1", user=OTHER), V.ROUND_FOREIGN, "100.0"
    ),
    "R40 another player's jackpot in it": Case(
        [bet("10.0")], award("jackpot", round="r1", user=OTHER), V.ROUND_FOREIGN, "100.0"
    ),
    "R41 a win": Case([bet("10.0")], result("25.0"), V.OK, "315.0", rule="R41"),
    "R41 without a bet": Case([], result("25.0"), V.NO_STANDING_BET, "300.0", rule="R41"),
    "R41 of zero, without a bet": Case([], result("0"), V.NO_STANDING_BET, "300.0"),
    "R41 with a bet in another round": Case(
        [bet("10.0", round="r2")], result("25.0"), V.NO_STANDING_BET, "290.0"
    ),
    "R41 of another provider's round": Case(
        [bet("10.0")], result("25.0", provider="second"), V.NO_STANDING_BET, "290.0"
    ),
    "R41 all bets undone": Case([bet("10.0"), rollback()], result("25.0"), V.NO_STANDING_BET, "300.0"),
    "R41 all bets refused": Case([bet("900.0")], result("25.0"), V.NO_STANDING_BET, "300.0"),
    "R41 one of two undone": Case(
        [bet("10.0"), bet("20.0", "bet-2"), rollback()], result("25.0"), V.OK, "305.0"
    ),
    "R41 a settled bet that was returned": Case(
        [bet("10.0"), result("5.0"), rollback()],
        result("25.0", "res-2"),
        V.NO_STANDING_BET,
        "305.0",
        policy=RETURN,
    ),
    "R41 only ended": Case([end_round()], result("25.0"), V.NO_STANDING_BET, "300.0"),
    "R41 a bonus code needs no bet": Case([], result("25.0", free_round=True), V.OK, "325.0", rule="R41"),
    "R41 a bonus code with all bets undone": Case(
        [bet("10.0"), rollback()], result("25.0", free_round=True), V.OK, "325.0"
    ),
    "R41 a free round in another currency than its wallet": Case(
        [], result("25.0", currency="EUR", free_round=True), V.WALLET_UNKNOWN, "300.0"
    ),
    "R41 after a bonus code's result still needs one": Case(
        [result("25.0", free_round=True)], result("5.0", "res-2"), V.NO_STANDING_BET, "325.0"
    ),
    "R42 a result of zero": Case([bet("10.0")], result("0"), V.OK, "290.0"),
    "R42 a second result adds up": Case([bet("10.0"), result("25.0")], result("5.0", "res-2"), V.OK, "320.0"),
    "R42 a second result after zero": Case([bet("10.0"), result("0")], result("5.0", "res-2"), V.OK, "295.0"),
    "R43 the end": Case([bet("10.0")], end_round(), V.OK, "290.0", rule="R43"),
    "R43 the end of an unknown round": Case([], end_round(), V.OK, "300.0"),
    "R43 the end after a result": Case([bet("10.0"), result("25.0")], end_round(), V.OK, "315.0"),
    "R43 the end of an unknown round of one with two wallets": Case([*EURO], end_round(), V.OK, "300.0"),
    "R43 a result after the end": Case([bet("10.0"), end_round()], result("25.0"), V.OK, "315.0"),
    "R43 a second result after the end": Case(
        [bet("10.0"), result("1.0"), end_round()], result("25.0", "res-2"), V.OK, "316.0"
    ),
    "R43 a result after the end, no bet standing": Case(
        [bet("10.0"), rollback(), end_round()], result("25.0"), V.NO_STANDING_BET, "300.0"
    ),
    "R43 a result that closes": Case([bet("10.0")], result("25.0", closes=True), V.OK, "315.0", rows=2),
    "R43 a closing result of a closed round": Case(
        [bet("10.0"), end_round()], result("25.0", closes=True), V.OK, "315.0", rows=1
    ),
    "R43 a second closing result": Case(
        [bet("10.0"), result("25.0", closes=True)], result("5.0", "res-2", closes=True), V.OK, "320.0", rows=1
    ),
    "R43 R41 a closing result without a bet closes nothing": Case(
        [result("25.0", closes=True)], bet("10.0"), V.OK, "290.0"
    ),
    "R44 bonus": Case([], award("bonus"), V.OK, "307.0", rule="R44"),
    "R44 jackpot": Case([], award("jackpot"), V.OK, "307.0", rule="R44"),
    "R44 promo": Case([], award("promo"), V.OK, "307.0", rule="R44"),
    "R44 of zero": Case([], award("bonus", "0"), V.OK, "300.0"),
    "R44 the same reference in another kind": Case([award("bonus")], award("jackpot"), V.OK, "314.0"),
    "R44 another reference": Case([award("bonus")], award("bonus", reference="award-2"), V.OK, "314.0"),
    "R44 in a round without a bet": Case([], award("bonus", round="r1"), V.OK, "307.0"),
    "R44 in an ended round": Case([bet("10.0"), end_round()], award("jackpot", round="r1"), V.OK, "297.0"),
    "R44 in a refunded round": Case(
        [bet("10.0"), rollback_round()], award("bonus", round="r1"), V.OK, "307.0"
    ),
    "R44 into the wallet of the round": Case([*EURO, bet("10.0")], award(round="r1"), V.OK, "297.0"),
    "R44 into the wallet it names": Case([*EURO], award("promo", currency="USD"), V.OK, "307.0"),
    "R44 two wallets and no word which": Case([*EURO], award("bonus"), V.WALLET_UNKNOWN, "300.0", rule="R44"),
    "R44 a wallet that is not there": Case([], award("promo", currency="EUR"), V.WALLET_UNKNOWN, "300.0"),
    "R45 a bet of zero": Case([], bet("0"), V.OK, "300.0", rule="R45"),
    "R45 a bet of zero with an empty wallet": Case([withdraw("300.0")], bet("0.0"), V.OK, "0.0"),
    "R45 a free spin's win": Case([bet("0")], result("25.0"), V.OK, "325.0"),
    "R45 its rollback": Case([bet("0")], rollback(), V.OK, "300.0", rule="R45"),
    "R45 no win after its rollback": Case([bet("0"), rollback()], result("25.0"), V.NO_STANDING_BET, "300.0"),
    "R46 not covered": Case([], bet("300.000000000000000001"), V.INSUFFICIENT, "300.0", rule="R46"),
    "R46 just covered": Case([], bet("300.0"), V.OK, "0.0"),
    "R46 a smaller bet after it": Case([bet("301.0")], bet("1.0", "bet-2"), V.OK, "299.0"),
    "R47 an ended round": Case([end_round()], bet("10.0"), V.ROUND_ENDED, "300.0", rule="R47"),
    "R47 an ended round with bets": Case(
        [bet("10.0"), end_round()], bet("1.0", "bet-2"), V.ROUND_ENDED, "290.0", rule="R47"
    ),
    "R47 a round closed by its result": Case(
        [bet("10.0"), result("0", closes=True)], bet("1.0", "bet-2"), V.ROUND_ENDED, "290.0"
    ),
    "R47 an ended round, not covered either": Case([end_round()], bet("900.0"), V.ROUND_ENDED, "300.0"),
    "R47 a settled round is not ended": Case([bet("10.0"), result("0")], bet("1.0", "bet-2"), V.OK, "289.0"),
    "R47 an unknown session": Case([], bet("10.0", session="never-seen"), V.OK, "290.0"),
    "R47 an expired session": Case(
        [expire_session()], bet("10.0", session="s1"), V.SESSION_EXPIRED, "300.0", rule="R47"
    ),
    "R47 another session": Case([expire_session()], bet("10.0", session="s2"), V.OK, "290.0"),
    "R47 no session": Case([expire_session()], bet("10.0"), V.OK, "290.0"),
    "R47 the same session id of another provider": Case(
        [expire_session(provider="second")], bet("10.0", session="s1"), V.OK, "290.0"
    ),
    "R47 R30 an expired session's result": Case(
        [bet("10.0", session="s1"), expire_session()], result("25.0", session="s1"), V.OK, "315.0"
    ),
    "R47 a session's end": Case([], expire_session(), V.OK, "300.0", rule="R47"),
    "R30 a disabled game": Case([], bet("10.0", game_enabled=False), V.GAME_DISABLED, "300.0", rule="R30"),
    "R30 a disabled game's free spin": Case([], bet("0", game_enabled=False), V.GAME_DISABLED, "300.0"),
    "R15 R30 frozen before disabled": Case(
        [freeze()], bet("10.0", game_enabled=False), V.PLAYER_FROZEN, "300.0"
    ),
    "R48 a promotional win": Case([bet("10.0")], result("25.0", promo=promo("5.0")), V.OK, "320.0", rows=2),
    "R48 with a result of zero": Case([bet("10.0")], result("0", promo=promo("5.0")), V.OK, "295.0", rows=2),
    "R48 of zero": Case([bet("10.0")], result("25.0", promo=promo("0")), V.OK, "315.0", rows=2),
    "R48 and closing": Case(
        [bet("10.0")], result("25.0", promo=promo("5.0"), closes=True), V.OK, "320.0", rows=3
    ),
    "R48 not twice with two results": Case(
        [bet("10.0"), result("25.0", promo=promo())],
        result("1.0", "res-2", promo=promo()),
        V.OK,
        "321.0",
        rows=1,
    ),
    "R48 not after a PromoWin of that reference": Case(
        [bet("10.0"), award("promo", "5.0", "promo-1", currency="USD")],
        result("25.0", promo=promo("5.0")),
        V.OK,
        "320.0",
        rows=1,
    ),
    "R48 another reference is another win": Case(
        [bet("10.0"), result("1.0", promo=promo())],
        result("1.0", "res-2", promo=promo("5.0", "promo-2")),
        V.OK,
        "302.0",
        rows=2,
    ),
    "R48 R5 another amount under that reference": Case(
        [bet("10.0"), result("25.0", promo=promo("5.0"))],
        result("1.0", "res-2", promo=promo("6.0")),
        V.KEY_CONFLICT,
        "320.0",
    ),
    "R48 R5 another player's reference": Case(
        [award("promo", "5.0", "promo-1", currency="USD", user=OTHER), bet("10.0")],
        result("25.0", promo=promo("5.0")),
        V.KEY_CONFLICT,
        "290.0",
    ),
    "R48 R41 none with a refused result": Case([], result("25.0", promo=promo()), V.NO_STANDING_BET, "300.0"),
    "R48 the refused result leaves the reference free": Case(
        [result("25.0", promo=promo())], award("promo", "5.0", "promo-1", currency="USD"), V.OK, "305.0"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_case(case: Case) -> None:
    play(case)


def test_R41_what_a_person_must_look_at_is_flagged() -> None:
    assert {Verdict.NO_STANDING_BET, Verdict.LATE_BET, Verdict.ABSORBED} == FLAGGED


def test_R40_R42_a_round_adds_up() -> None:
    ledger = funded()
    story: list[Request] = [
        *(bet("10.0"), bet("20.0", "bet-2"), result("25.0"), result("0", "res-2"), result("5.0", "res-3")),
        *(award("jackpot", "100.0", round="r1"), award("bonus", "2.0", round="r1"), end_round()),
    ]
    for request in story:
        assert ledger.ask(request).verdict is Verdict.OK
    head = ledger.round()
    assert (head.player, head.currency, head.game, head.state) == (PLAYER, "USD", "slot", "ended")
    assert (head.staked, head.won, head.jackpot) == (30 * UNIT, 32 * UNIT, 100 * UNIT)
    assert (head.standing, head.jackpot_id) == (2, "campaign")
    assert ledger.balance() == "402.0"
    assert ledger.findings() == []


def test_R43_the_end_again_is_the_same_success() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    first = ledger.ask(end_round())
    ledger.ask(result("25.0"))
    second = ledger.ask(end_round(uuid="new", session="s9"))
    assert (second.verdict, second.row, second.rows) == (Verdict.OK, first.row, ())
    assert ledger.balance() == "315.0"


def test_R43_the_end_of_a_round_that_a_result_closed_is_the_same_success() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    closing = ledger.ask(result("25.0", closes=True))
    ended = ledger.ask(end_round())
    assert (ended.verdict, ended.row, ended.rows) == (Verdict.OK, closing.rows[-1], ())
    assert ledger.balance() == "315.0"


def test_R43_a_strangers_end_does_not_stand_in_the_owners_way() -> None:
    """As R8 wants of R28: the key names the round, so a refusal must not claim it for somebody else."""
    ledger = funded()
    ledger.ask(bet("10.0"))
    assert ledger.ask(end_round(user=OTHER)).verdict is Verdict.FOREIGN_BET
    assert ledger.ask(end_round()).verdict is Verdict.OK
    assert ledger.round().state == "ended"


@pytest.mark.parametrize("kind", ["bonus", "jackpot", "promo"])
def test_R44_once_for_each_reference(kind: str) -> None:
    ledger = funded()
    first = ledger.ask(award(kind))
    ledger.ask(withdraw("200.0"))
    for second in (award(kind), award(kind, uuid="new", session="s"), award(kind, name="another")):
        decision = ledger.ask(second)
        assert (decision.verdict, decision.row, decision.rows) == (Verdict.OK, first.row, ())
    assert ledger.balance() == "107.0"


def test_R48_the_second_movement_is_its_own_row_under_its_own_key() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    decision = ledger.ask(result("25.0", promo=promo("5.0"), closes=True))
    assert [(r.kind, r.key, r.amount, r.part) for r in decision.rows] == [
        (Kind.PROMO, "promo:lucky:promo-1", 5 * UNIT, 0),
        (Kind.RESULT, "result:lucky:res-1", 25 * UNIT, 1),
        (Kind.END_ROUND, "end:lucky:r1", 0, 2),
    ]
    assert [r.balance for r in decision.rows] == [295 * UNIT, 320 * UNIT, 320 * UNIT]
    assert len({r.id for r in decision.rows}) == 1
    assert decision.row == decision.rows[1], "the answer tells the balance after both"


def test_R48_a_promo_win_after_it_gets_the_row_that_was_paid() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    paid = ledger.ask(result("25.0", promo=promo("5.0")))
    replay = ledger.ask(award("promo", "5.0", "promo-1", currency="USD"))
    assert (replay.verdict, replay.row, replay.replay) == (Verdict.OK, paid.rows[0], True)
    assert ledger.balance() == "320.0"


def test_R48_a_result_repeated_pays_neither_again() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    asked = result("25.0", promo=promo("5.0"))
    first = ledger.ask(asked)
    second = ledger.ask(again(asked, promo=promo("5.0", "promo-2")))
    assert (second.row, second.rows) == (first.row, ())
    assert ledger.balance() == "320.0"


@pytest.mark.parametrize("request_", [bet("10.0", "bet-2"), result("5.0"), end_round(), award(round="r1")])
def test_R40_a_refusal_changes_nothing_of_the_round(request_: Any) -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    head = ledger.round()
    assert ledger.ask(again(request_, user=OTHER)).verdict in (Verdict.ROUND_FOREIGN, Verdict.FOREIGN_BET)
    assert ledger.round() == head
    assert (ledger.balance(), ledger.balance(OTHER)) == ("290.0", "100.0")


def test_R44_a_player_without_any_wallet_is_paid_nothing() -> None:
    ledger = funded()
    ledger.ask(create(user="poor"))
    assert ledger.ask(award("bonus", user="poor")).verdict is Verdict.WALLET_UNKNOWN
    assert ledger.book.players["demo", "poor"].wallets == {}
