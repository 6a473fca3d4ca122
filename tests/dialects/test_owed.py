"""R13, R43: the currency table limits what is taken on, never what is owed already."""

from typing import Any

import pytest

from caisse.core.currencies import DEFAULT, with_overrides
from caisse.dialects.door import Answer, Ask
from tests.dialects.desk import SEAMLESS, TRANSFER, Said, ask, packed, play_body, played, world

JPY: dict[str, Any] = {"currency": "JPY"}
"""The desk's table gives it no decimals."""
MOVE: dict[str, Any] = {"id": "tester", "uuid": "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"}


@pytest.mark.parametrize(
    ("method", "changes", "outcome"),
    [
        ("Bet", {"amount": "1.5"}, Answer),
        ("Result", {"amount": "1.5"}, Ask),
        ("Result", {"amount": 1, "promoWinAmount": "1.5", "promoWinReference": "p"}, Ask),
        ("PromoWin", {"amount": "1.5"}, Ask),
    ],
)
def test_decimals_beyond_the_currencys_are_refused_only_in_bets(
    method: str, changes: dict[str, Any], outcome: type
) -> None:
    assert isinstance(ask(SEAMLESS, played(method, play_body(method, **JPY, **changes)), world()), outcome)


@pytest.mark.parametrize(("verb", "outcome"), [("charge", Answer), ("refund", Ask)])
def test_decimals_beyond_the_currencys_are_refused_only_coming_in(verb: str, outcome: type) -> None:
    call = Said(f"/user/{verb}", packed({**MOVE, **JPY, "amount": "1.5"}), "partner_id=demo&token=demo-token")
    assert isinstance(ask(TRANSFER, call, world()), outcome)


@pytest.mark.parametrize(
    ("verb", "outcome"),
    [("create_wallet", Answer), ("charge", Answer), ("refund", Ask), ("balance", Ask)],
)
def test_a_currency_that_was_removed_can_still_be_withdrawn(verb: str, outcome: type) -> None:
    where = world()
    object.__setattr__(where, "currencies", with_overrides(DEFAULT, [{"code": "USD", "enabled": False}]))
    body = {**MOVE, "currency": "USD", **({"amount": "1.0"} if verb in ("charge", "refund") else {})}
    call = Said(f"/user/{verb}", packed(body), "partner_id=demo&token=demo-token")
    assert isinstance(ask(TRANSFER, call, where), outcome)
