"""R4: composed keys are unambiguous for any ids, and are read back; R1, R25, R32: repeats and flags."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisse.core import keys
from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.verdicts import Verdict
from tests.support.ledger import (
    OTHER,
    again,
    bet,
    charge,
    create,
    funded,
    open_wallet,
    result,
    rollback,
    rollback_round,
    withdraw,
)

V = Verdict
ids = st.text(alphabet=":1a2\N{LATIN SMALL LETTER E WITH ACUTE}\N{GRINNING FACE}", min_size=1, max_size=6)
providers = st.text(alphabet="ab1", min_size=1, max_size=3)
of_player = st.tuples(st.sampled_from((*keys.ROUNDS, keys.SESSION)), providers, ids, ids)
of_reference = st.tuples(st.sampled_from(keys.REFERENCES), providers, st.just(""), ids)


def key_of(named: tuple[Any, ...]) -> str:
    space, provider, player, rest = named
    return (
        keys.of_player(space, provider, player, rest) if player else keys.of_reference(space, provider, rest)
    )


@given(of_player | of_reference, of_player | of_reference)
def test_R4_two_keys_are_equal_only_if_all_that_they_name_is(one: Any, other: Any) -> None:
    assert (key_of(one) == key_of(other)) == (one == other)


@given(of_player | of_reference)
def test_R4_a_key_is_read_back(named: Any) -> None:
    assert keys.parsed(key_of(named)) == named


@pytest.mark.parametrize(
    "text", ["", "t:u", "x:t", "freeze:i", "end:lucky:r1", "end:lucky:9:ab:r", "end:p:x:a:b"]
)
def test_other_texts_are_no_keys_of_the_seamless_door(text: str) -> None:
    assert keys.parsed(text) is None


def test_R4_the_example_that_was_seen() -> None:
    """`unround:x:a:b:c` was both (a, b:c) and (a:b, c)."""
    assert keys.of_player("unround", "x", "a", "b:c") != keys.of_player("unround", "x", "a:b", "c")


# Repeats and flags


@pytest.mark.parametrize(
    ("first", "repeat", "flag"),
    [
        ("4.0", "99999.0", "R25"),
        ("4.0", "10.0", "R25"),
        (None, "4.0", "R25"),
        ("4.0", "4.0", ""),
        ("4.0", None, ""),
        (None, "10.0", ""),
    ],
)
def test_R25_a_repeat_that_asks_for_another_amount_gets_the_first_answer_and_is_flagged(
    first: str | None, repeat: str | None, flag: str
) -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    given_back = ledger.ask(rollback(amount=first))
    balance, rows = ledger.balance(), len(ledger.rows)
    second = ledger.ask(rollback(amount=repeat))
    assert (second.verdict, second.row, second.replay) == (V.OK, given_back.row, True)
    assert second.flag == flag
    assert (ledger.balance(), len(ledger.rows)) == (balance, rows)


def test_R25_an_amount_that_cannot_be_read_does_not_stand_in_a_repeats_way() -> None:
    ledger = funded()
    ledger.ask(bet("10.0"))
    refused = ledger.ask(rollback(unreadable="amount"))
    assert (refused.verdict, refused.flag, ledger.balance()) == (V.FIELD_UNREADABLE, "R56", "290.0")
    assert ledger.ask(rollback()).verdict is V.OK
    assert ledger.ask(rollback(unreadable="amount")).replay
    assert ledger.balance() == "300.0"


def test_R56_an_unreadable_amount_of_an_unknown_bets_refund_leaves_no_tombstone() -> None:
    ledger = funded()
    assert ledger.ask(rollback(unreadable="amount")).verdict is V.FIELD_UNREADABLE
    assert ledger.ask(bet("10.0")).verdict is V.OK
    assert ledger.balance() == "290.0"


BY_ROUND, BY_BET = Policy(refund_by_round=True), Policy()


@pytest.mark.parametrize(
    ("before", "policy", "rule"),
    [
        ([bet("10.0")], BY_BET, "R32"),
        ([bet("10.0"), result("0")], BY_BET, "R32"),
        ([bet("10.0")], Policy(unknown_bet=3), "R32"),
        ([bet("10.0")], BY_ROUND, "R22"),
        ([bet("10.0"), rollback()], BY_BET, "R22"),
        ([bet("10.0", user=OTHER)], BY_BET, "R22"),
        ([bet("10.0", round="r2")], BY_BET, "R22"),
        ([], BY_BET, "R22"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_R32_a_refund_of_an_unknown_bet_in_a_round_with_standing_bets_is_flagged(
    before: list[Request], policy: Policy, rule: str
) -> None:
    """It may have meant the round. Answered as R22 all the same, and nothing moves."""
    ledger = funded()
    for request in before:
        ledger.ask(request)
    books = ledger.balances()
    decision = ledger.ask(rollback("never", round="r1"), policy)
    assert decision.verdict in (V.TOMBSTONE, V.UNKNOWN_BET)
    assert (decision.rule, decision.flag) == (rule, "R32" if rule == "R32" else "")
    assert ledger.balances() == books
    assert ledger.ask(rollback("never", round="r1"), policy).row == decision.row
    assert ledger.findings() == []


def test_R32_a_refund_of_a_round_with_a_paid_win_is_flagged_and_final() -> None:
    ledger = funded()
    for request in (bet("10.0"), result("5.0")):
        ledger.ask(request)
    refused = ledger.ask(rollback_round(reference="own"))
    assert (refused.verdict, refused.flag) == (V.ROUND_WON, "R32")
    assert refused.row is not None
    assert (refused.row.reference, ledger.balance()) == ("own", "295.0")
    assert ledger.ask(rollback_round(reference="another")).row == refused.row


# R1: what stood is told whatever the configuration says now


@pytest.mark.parametrize(
    "first",
    [
        withdraw("1.5", uuid="u"),
        charge("1.5", uuid="u", transaction="t"),
        open_wallet("EUR", uuid="u"),
        bet("1.5"),
    ],
    ids=lambda request: type(request).__name__,
)
@pytest.mark.parametrize("unsupported", ["currency", "decimals"])
def test_R1_a_verdict_stands_though_its_currency_was_switched_off_since(first: Any, unsupported: str) -> None:
    ledger = funded()
    done = ledger.ask(first)
    books = ledger.balances()
    changes: dict[str, Any] = {"unsupported": unsupported} if hasattr(first, "unsupported") else {}
    changes |= {"game_enabled": False} if hasattr(first, "game_enabled") else {}
    repeat = ledger.ask(again(first, **changes))
    assert (repeat.verdict, repeat.row, repeat.replay) == (V.OK, done.row, True)
    assert ledger.balances() == books


@pytest.mark.parametrize("unsupported", ["currency", "decimals"])
@pytest.mark.parametrize(
    "first", [charge("1.5", uuid="u"), bet("1.5")], ids=lambda request: type(request).__name__
)
def test_R1_R2_a_refusal_stands_though_the_currency_was_switched_on_since(
    first: Any, unsupported: str
) -> None:
    ledger = funded()
    refused = ledger.ask(again(first, unsupported=unsupported))
    assert refused.verdict in (V.CURRENCY_UNSUPPORTED, V.TOO_MANY_DECIMALS)
    assert ledger.ask(first).row == refused.row
    assert ledger.balance() == "300.0"


def test_R59_no_row_holds_a_name() -> None:
    ledger = funded()
    ledger.ask(create(user="ann", name="Ann Leaver"))
    assert "Ann Leaver" not in str(ledger.rows)
    assert ledger.book.players["demo", "ann"].name == "Ann Leaver"


def test_R40_the_amounts_of_a_round_are_its_players_own() -> None:
    ledger = funded()
    for request in (bet("10.0"), bet("7.0", "bet-2", user=OTHER), result("3.0")):
        ledger.ask(request)
    own, other = ledger.round(), ledger.round(user=OTHER)
    assert (own.staked, own.won, own.bets) == (10 * UNIT, 3 * UNIT, 1)
    assert (other.staked, other.won, other.bets) == (7 * UNIT, 0, 1)
