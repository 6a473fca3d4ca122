"""Refusals of the seamless door, edition 4, that no rule's own case asks for; and those without a verdict."""

from __future__ import annotations

import asyncio

import pytest

from tests.http.cases import (
    Case,
    bet,
    end_round,
    expire,
    jackpot,
    of_other,
    play,
    play_case,
    promo,
    unkept,
    wallet,
)
from tests.http.editions import PLAYS, Gambler
from tests.http.house import House, add_connections, connection, new_id, secret
from tests.http.server import PLAY, Game

CASES = {
    "R5 EndRound on another game is 120": Case(
        [(bet(), 0), (end_round(), 0), (end_round(gameId="g2"), unkept(120)), (end_round(), 0)], "290.0"
    ),
    "R5 a jackpot of another amount is 120": Case(
        [(jackpot("7.0"), 0), (jackpot("8.0"), unkept(120)), (jackpot("7.00"), 0)], "307.0"
    ),
    "R5 a promotional win of another amount is 120": Case(
        [(promo("3.0"), 0), (promo("4.0"), unkept(120)), (promo("3.00"), 0)], "303.0"
    ),
    "R5 another player's session cannot be expired": Case(
        [(expire("s2"), 0), (of_other(expire("s2")), unkept(120)), (expire("s2"), 0)], "300.0"
    ),
    "R40 a jackpot for one of two wallets is 2": Case([(wallet("EUR"), 0), (jackpot(), 2)], "300.0"),
    "R47 Check of an expired session is 5": Case(
        [
            (play("Check", sessionId="s1"), unkept(0)),
            (expire("s1"), 0),
            (play("Check", sessionId="s1"), unkept(5)),
            (play("Check", sessionId="s2"), unkept(0)),
        ],
        "300.0",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_other_refusals(house: House, name: str) -> None:
    play_case(house, CASES[name])


def test_under_a_profile_that_the_server_does_not_know_no_verdict_is_given(own_house: House) -> None:
    """503 and `Retry-After`; 130 for EndRound, else 100; edition 3 says TEMPORARY_ERROR. Nothing is kept."""
    key = secret("key")
    asyncio.run(add_connections(own_house.db, connection(own_house.partner.id, key, "gone")))
    own_house.server.start()
    user, game = own_house.player(), Game(f"/{key}")
    before = own_house.counts()
    for method in PLAY:
        answer = own_house.send(game.play(method, user))
        assert (answer.status, answer.code) == (503, 130 if method == "EndRound" else 100)
        assert int(answer.headers["retry-after"]) > 0
    for path in PLAYS:
        uuid = new_id("u")
        answer = own_house.send(Gambler(own_house, user, game).call(path, uuid=uuid))
        assert answer.status == 503
        assert answer.body == {"status": "TEMPORARY_ERROR", "uuid": uuid}
        assert int(answer.headers["retry-after"]) > 0
    assert own_house.counts() == before
    assert own_house.balance(user) == "300.0"
