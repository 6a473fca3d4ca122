"""R1, R13, R43: the currency table limits what is taken on, never what is owed, and never a repeat."""

from dataclasses import replace
from typing import Any

import pytest

from caisse.currencies.table import DEFAULT, with_overrides
from caisse.dialects.wire.door import Context
from tests.support.harness import (
    SEAMLESS,
    TOKEN_QUERY,
    TRANSFER,
    Said,
    asked,
    funded,
    packed,
    play_body,
    played,
    uuid,
    world,
)

JPY: dict[str, Any] = {"currency": "JPY"}
"""The desk's table gives it no decimals."""
MOVE: dict[str, Any] = {"id": "tester", "uuid": "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"}


def without_usd() -> Context:
    """A server that was started after the currency was switched off."""
    return replace(world(), currencies=with_overrides(DEFAULT, [{"code": "USD", "enabled": False}]))


@pytest.mark.parametrize(
    ("method", "changes", "said"),
    [
        ("Bet", {"amount": "1.5"}, "decimals"),
        ("Bet", {"amount": "1.0"}, ""),
        ("Result", {"amount": "1.5"}, None),
        ("Result", {"amount": 1, "promoWinAmount": "1.5", "promoWinReference": "p"}, None),
        ("PromoWin", {"amount": "1.5"}, None),
        ("Cancel", {}, None),
    ],
)
def test_decimals_beyond_the_currencys_are_looked_at_only_in_bets(
    method: str, changes: dict[str, Any], said: str | None
) -> None:
    request = asked(SEAMLESS, played(method, play_body(method, **JPY, **changes)))
    assert getattr(request, "unsupported", None) == said


@pytest.mark.parametrize(("verb", "said"), [("charge", "decimals"), ("refund", None)])
def test_decimals_beyond_the_currencys_are_looked_at_only_coming_in(verb: str, said: str | None) -> None:
    call = Said(f"/user/{verb}", packed({**MOVE, **JPY, "amount": "1.5"}), TOKEN_QUERY)
    assert getattr(asked(TRANSFER, call), "unsupported", None) == said


def test_on_the_transfer_door_a_currency_that_was_removed_can_be_withdrawn_and_repeats_stand() -> None:
    """R1: first verdicts stand, done or refused, on and off; what would be new is 1; the rest comes out."""
    desk = funded("tester", amount="300.0")
    on = desk.where
    charge = {"id": "tester", "currency": "USD", "amount": "7.0", "uuid": uuid(1)}
    opened = {"id": "tester", "currency": "USD", "uuid": uuid(1001)}
    done = desk.transfer("charge", charge)
    assert done["balance"] == "307.0"
    desk.where = without_usd()
    assert desk.transfer("charge", charge) == done
    assert desk.transfer("create_wallet", opened)["status"] == "OK"
    desk.where = replace(desk.where, currencies=with_overrides(DEFAULT, [{"code": "USD", "max_decimals": 0}]))
    few = {**charge, "amount": "7.5", "uuid": uuid(2)}
    refused = {"status": "Failed", "uuid": uuid(2), "code": 1, "reason": "Invalid Parameter"}
    assert desk.transfer("charge", charge) == done
    assert desk.transfer("charge", few) == refused
    desk.where = without_usd()
    late = {**charge, "uuid": uuid(3)}
    assert desk.transfer("charge", late)["code"] == 1
    assert desk.transfer("refund", {**charge, "amount": "0.5", "uuid": uuid(4)})["balance"] == "306.5"
    desk.where = on
    assert desk.transfer("charge", few) == refused
    assert desk.transfer("charge", late)["code"] == 1
    assert desk.transfer("balance", {**opened})["balance"] == "306.5"


def test_a_wallet_in_a_currency_that_was_removed_is_refused_for_good() -> None:
    """R1, R2: code 1, kept."""
    desk = funded("tester")
    wallet = {"id": "tester", "currency": "EUR", "uuid": uuid(1)}
    on = desk.where
    desk.where = replace(on, currencies=with_overrides(DEFAULT, [{"code": "EUR", "enabled": False}]))
    assert desk.transfer("create_wallet", wallet)["code"] == 1
    desk.where = on
    assert desk.transfer("create_wallet", wallet)["code"] == 1
    assert desk.transfer("create_wallet", {**wallet, "uuid": uuid(2)})["status"] == "OK"


def test_on_the_seamless_door_what_was_bet_is_settled_in_a_currency_that_was_removed() -> None:
    desk = funded("421", amount="100.0")
    bet = play_body("Bet")
    done = desk.play("Bet", bet)
    desk.where = without_usd()
    assert desk.play("Bet", bet) == done
    assert desk.play("Bet", {**bet, "reference": "b2"})["error"] == 2
    assert desk.play("Result", play_body("Result", amount="25.5"))["cash"] == 115.5
    assert desk.play("BonusWin", play_body("BonusWin", amount="1.0"))["cash"] == 116.5
    assert desk.play("Refund", play_body("Refund", reference="b2"))["error"] == "0"
    assert desk.play("Balance", play_body("Balance"))["cash"] == 116.5
