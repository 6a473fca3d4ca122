"""R40–R48: bets, results, ends, awards. Each case names its rule."""

from __future__ import annotations

from typing import Any

import pytest

from caisse.core.entries import Kind
from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.verdicts import FLAGGED, Verdict
from tests.support.ledger import (
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
    "R40 another player has a round of his own": Case(
        [bet("10.0")], bet("1.0", "bet-2", user=OTHER), V.OK, "99.0", rule="R40"
    ),
    "R40 another player and currency": Case(
        [*EURO, bet("1.0", currency="EUR")], bet("1.0", "bet-2", user=OTHER), V.OK, "99.0"
    ),
    "R40 R47 another player's round was ended": Case(
        [bet("10.0"), end_round()], bet("1.0", "bet-2", user=OTHER), V.OK, "99.0"
    ),
    "R40 R23 another player's round was refunded": Case(
        [bet("10.0"), rollback_round()], bet("1.0", "bet-2", user=OTHER), V.OK, "99.0"
    ),
    "R40 the same round of another provider": Case(
        [bet("10.0", user=OTHER)], bet("10.0", provider="second"), V.OK, "290.0"
    ),
    "R40 a refused bet opens no round": Case([bet("900.0", user=OTHER)], bet("10.0", "bet-2"), V.OK, "290.0"),
    "R40 a round whose bets were undone keeps its currency": Case(
        [*EURO, bet("10.0"), rollback()], bet("10.0", "bet-2", currency="EUR"), V.ROUND_CURRENCY, "300.0"
    ),
    "R40 no such wallet": Case([], bet("10.0", currency="EUR"), V.WALLET_UNKNOWN, "300.0"),
    "R8 a result in another currency than its round": Case(
        [*EURO, bet("10.0")], result("5.0", currency="EUR"), V.WALLET_UNCLEAR, "290.0", rule="R8"
    ),
    "R41 a result that names no currency is paid in its round's": Case(
        [*EURO, bet("10.0")], result("5.0", currency=""), V.OK, "295.0"
    ),
    "R40 R41 a result for another player has no bet": Case(
        [bet("10.0")], result("5.0", user=OTHER), V.NO_STANDING_BET, "100.0", rule="R41"
    ),
    "R40 a free round's result in a round that another player has too": Case(
        [bet("10.0")], result("5.0", user=OTHER, free_round=True), V.OK, "105.0"
    ),
    "R40 another player's end": Case([bet("10.0")], end_round(user=OTHER), V.OK, "100.0", rule="R43"),
    "R40 another player's end after it": Case(
        [bet("10.0"), end_round()], end_round(user=OTHER), V.OK, "100.0"
    ),
    "R40 another player's end leaves the round open": Case(
        [bet("10.0"), end_round(user=OTHER)], bet("1.0", "bet-2"), V.OK, "289.0"
    ),
    "R40 another player's bonus in a round of that id": Case(
        [bet("10.0")], award("bonus", round="r1", user=OTHER), V.OK, "107.0"
    ),
    "R40 another player's jackpot in a round of that id": Case(
        [bet("10.0")], award("jackpot", round="r1", user=OTHER), V.OK, "107.0"
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
        [], result("25.0", currency="EUR", free_round=True), V.WALLET_UNCLEAR, "300.0"
    ),
    "R41 a free round that names no currency, one wallet": Case(
        [], result("25.0", currency="", free_round=True), V.OK, "325.0"
    ),
    "R41 R8 a free round that names no currency, two wallets": Case(
        EURO, result("25.0", currency="", free_round=True), V.WALLET_UNCLEAR, "300.0", rule="R8"
    ),
    "R41 R8 a free round in another currency than its round": Case(
        [*EURO, bet("10.0")], result("25.0", currency="EUR", free_round=True), V.WALLET_UNCLEAR, "290.0"
    ),
    "R41 a free round's result after the round's end in another currency": Case(
        [*EURO, bet("10.0"), end_round()], result("25.0", currency="", free_round=True), V.OK, "315.0"
    ),
    "R56 a result whose currency cannot be read": Case(
        [bet("10.0")],
        result("25.0", currency="", unreadable="currency"),
        V.FIELD_UNREADABLE,
        "290.0",
        rule="R56",
    ),
    "R56 a result whose promotional part cannot be read": Case(
        [bet("10.0")], result("25.0", promo_unreadable=True), V.FIELD_UNREADABLE, "290.0"
    ),
    "R56 R5 a paid result repeated with a promotional part that cannot be read": Case(
        [bet("10.0"), result("25.0")], result("25.0", promo_unreadable=True), V.FIELD_UNREADABLE, "315.0"
    ),
    "R56 an award whose currency cannot be read": Case(
        [], award("bonus", unreadable="currency"), V.FIELD_UNREADABLE, "300.0"
    ),
    "R1 a bet in a currency that is not supported": Case(
        [], bet("10.0", unsupported="currency"), V.CURRENCY_UNSUPPORTED, "300.0", rule="R1"
    ),
    "R1 a bet of too many decimals": Case(
        [], bet("10.0", unsupported="decimals"), V.TOO_MANY_DECIMALS, "300.0", rule="R1"
    ),
    "R1 a charge in a currency that is not supported": Case(
        [], charge("1.0", unsupported="currency"), V.CURRENCY_UNSUPPORTED, "300.0", rule="R1"
    ),
    "R1 a charge of too many decimals": Case(
        [], charge("1.0", unsupported="decimals"), V.TOO_MANY_DECIMALS, "300.0", rule="R1"
    ),
    "R1 a wallet in a currency that is not supported": Case(
        [], open_wallet("EUR", unsupported="currency"), V.CURRENCY_UNSUPPORTED, "300.0", rule="R1"
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
    "R44 two wallets and no word which": Case([*EURO], award("bonus"), V.WALLET_UNCLEAR, "300.0", rule="R8"),
    "R44 R8 in another currency than its round": Case(
        [*EURO, bet("10.0")], award("bonus", round="r1", currency="EUR"), V.WALLET_UNCLEAR, "290.0"
    ),
    "R44 a wallet that is not there": Case([], award("promo", currency="EUR"), V.WALLET_UNCLEAR, "300.0"),
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
    refused = {Verdict.NO_STANDING_BET, Verdict.ROUND_WON, Verdict.WALLET_UNCLEAR, Verdict.FIELD_UNREADABLE}
    assert {*refused, Verdict.LATE_BET, Verdict.ABSORBED} == FLAGGED


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


def test_R43_R4_another_players_end_claims_nothing_of_this_ones() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    other = ledger.ask(end_round(user=OTHER))
    assert (other.verdict, ledger.round().state) == (Verdict.OK, "open")
    own = ledger.ask(end_round())
    assert (own.verdict, own.replay, ledger.round().state) == (Verdict.OK, False, "ended")
    assert ledger.round(user=OTHER).state == "ended"


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
        (Kind.END_ROUND, "end:lucky:6:tester:r1", 0, 2),
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
    second = ledger.ask(again(asked))
    assert (second.row, second.rows) == (first.row, ())
    assert ledger.balance() == "320.0"


@pytest.mark.parametrize("first", [None, promo("5.0")], ids=["none before", "another before"])
def test_R5_R48_a_result_repeated_with_a_promotional_win_that_the_first_had_not_is_refused_and_flagged(
    first: Any,
) -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    asked = result("25.0", promo=first)
    ledger.ask(asked)
    before = (ledger.balance(), len(ledger.rows))
    second = ledger.ask(again(asked, promo=promo("7.0", "promo-2")))
    assert (second.verdict, second.rule, second.flag) == (Verdict.KEY_CONFLICT, "R5", "R5")
    assert (ledger.balance(), len(ledger.rows)) == before
    assert ledger.ask(again(asked)).flag == "", "the same again is none of it"
    assert ledger.ask(award("promo", "7.0", "promo-2", currency="USD")).verdict is Verdict.OK
    assert ledger.findings() == []


def test_R5_another_result_under_the_key_without_a_promotional_win_is_not_flagged() -> None:
    ledger = funded()
    for request in (bet("10.0"), result("25.0")):
        ledger.ask(request)
    other = ledger.ask(result("26.0"))
    assert (other.verdict, other.flag) == (Verdict.KEY_CONFLICT, "")


def test_R48_a_promotional_wins_conflict_comes_before_the_other_guards() -> None:
    """Award `promo-1` of 5.0, then a result with that promo of 6.0 in a round without a standing bet."""
    ledger = funded()
    ledger.ask(award("promo", "5.0", "promo-1", currency="USD"))
    rows = len(ledger.rows)
    decision = ledger.ask(result("1.0", promo=promo("6.0", "promo-1")))
    assert (decision.verdict, decision.flag) == (Verdict.KEY_CONFLICT, "R5")
    assert (ledger.balance(), len(ledger.rows)) == ("305.0", rows)


def test_R43_one_end_row_for_each_round() -> None:
    """Ended, rolled back, then closed by a free round's result: that result writes its own row only."""
    ledger = funded()
    for request in (bet("10.0", round="r5"), end_round("r5"), rollback_round("r5")):
        ledger.ask(request)
    closing = ledger.ask(result("5.0", round="r5", free_round=True, closes=True))
    assert [row.kind for row in closing.rows] == [Kind.RESULT]
    assert [row.round for row in ledger.rows if row.kind is Kind.END_ROUND] == ["r5"]
    assert ledger.balance() == "295.0"
    assert ledger.findings() == []


def test_R47_an_ended_round_is_told_before_an_expired_session() -> None:
    ledger = funded()
    for request in (bet("10.0", session="s1"), end_round(), expire_session("s1")):
        ledger.ask(request)
    assert ledger.ask(bet("1.0", "bet-2", session="s1")).verdict is Verdict.ROUND_ENDED
    assert ledger.balance() == "290.0"


def test_R4_another_players_expired_session_claims_nothing_of_this_ones() -> None:
    """A9: the session is the player's own, and so is its end's key."""
    ledger = funded()
    assert ledger.ask(expire_session("s1", user=OTHER)).verdict is Verdict.OK
    assert ledger.ask(bet("10.0", session="s1")).verdict is Verdict.OK
    own = ledger.ask(expire_session("s1"))
    assert (own.verdict, own.replay) == (Verdict.OK, False)
    assert ledger.ask(bet("10.0", "bet-2", session="s1")).verdict is Verdict.SESSION_EXPIRED
    assert ledger.balance() == "290.0"


@pytest.mark.parametrize(
    ("before", "asked", "mend"),
    [
        (EURO, award("bonus"), {"currency": "USD"}),
        ([], award("promo", currency="EUR"), None),
        (EURO, award("jackpot", unreadable="currency"), {"unreadable": ""}),
        ([bet("10.0")], result("5.0", currency="EUR"), {"currency": "USD"}),
        ([bet("10.0")], result("5.0", unreadable="currency"), {"unreadable": ""}),
        ([bet("10.0")], result("5.0", promo_unreadable=True), {"promo_unreadable": False, "promo": promo()}),
    ],
    ids=lambda value: "",
)
def test_R8_what_is_owed_is_refused_without_a_key_flagged_and_paid_once_it_was_mended(
    before: list[Request], asked: Any, mend: dict[str, Any] | None
) -> None:
    ledger = funded()
    for request in before:
        ledger.ask(request)
    books, rows = ledger.balances(), list(ledger.rows)
    for _ in range(2):
        refused = ledger.ask(again(asked))
        assert refused.verdict in (Verdict.WALLET_UNCLEAR, Verdict.FIELD_UNREADABLE)
        assert refused.flag == refused.rule
        assert refused.rule in ("R8", "R56")
        assert (ledger.balances(), ledger.rows) == (books, rows)
    if mend is None:
        ledger.ask(open_wallet("EUR"))
        mend = {}
    if "jackpot" in str(asked):
        mend = {**mend, "currency": "USD"}
    paid = ledger.ask(again(asked, **mend))
    assert (paid.verdict, paid.replay) == (Verdict.OK, False)
    assert sum(row.amount for row in paid.rows) == asked.amount + (5 * UNIT if mend.get("promo") else 0)
    assert ledger.findings() == []


def test_R40_a_round_holds_a_thousand_accepted_bets() -> None:
    """Rolled back ones count: what a refund of the round reads is bounded by them."""
    ledger = funded()
    ledger.ask(bet("0.1", "bet-0"))
    ledger.ask(rollback("bet-0"))
    ledger.ask(bet("900.0", "refused"))
    for number in range(1, 1_000):
        assert ledger.ask(bet("0.1", f"bet-{number}")).verdict is Verdict.OK
    assert ledger.balance() == "200.1"
    full = ledger.ask(bet("0.1", "bet-1000"))
    assert (full.verdict, full.rule) == (Verdict.ROUND_FULL, "R40")
    assert ledger.ask(bet("900.0", "bet-1001")).verdict is Verdict.ROUND_FULL
    assert ledger.ask(bet("0.1", "bet-1002", user=OTHER)).verdict is Verdict.OK
    assert (ledger.round().bets, ledger.round().standing) == (1_000, 999)
    assert ledger.balance() == "200.1"
    undone = ledger.ask(rollback_round())
    assert (undone.verdict, len(undone.rows)) == (Verdict.OK, 1_000)
    assert ledger.balance() == "300.0"


@pytest.mark.parametrize("request_", [bet("10.0", "bet-2"), result("5.0"), end_round(), award(round="r1")])
def test_R40_another_player_changes_nothing_of_the_round(request_: Any) -> None:
    """Live tables, crash games: many players play under one round id."""
    ledger = funded()
    ledger.ask(bet("10.0"))
    head = ledger.round()
    assert ledger.ask(again(request_, user=OTHER)).verdict in (Verdict.OK, Verdict.NO_STANDING_BET)
    assert ledger.round() == head
    assert ledger.balance() == "290.0"


def test_R40_a_live_tables_round_is_each_players_own() -> None:
    ledger = funded()
    story: list[Request] = [
        *(bet("10.0"), bet("20.0", "bet-2", user=OTHER), bet("5.0", "bet-3")),
        *(result("30.0"), rollback_round(user=OTHER), end_round()),
    ]
    for request in story:
        assert ledger.ask(request).verdict is Verdict.OK
    assert (ledger.balance(), ledger.balance(OTHER)) == ("315.0", "100.0")
    assert (ledger.round().state, ledger.round(user=OTHER).state) == ("ended", "refunded")
    assert ledger.findings() == []


def test_R44_a_player_without_any_wallet_is_paid_nothing() -> None:
    ledger = funded()
    ledger.ask(create(user="poor"))
    assert ledger.ask(award("bonus", user="poor")).verdict is Verdict.WALLET_UNCLEAR
    assert ledger.book.players["demo", "poor"].wallets == {}
