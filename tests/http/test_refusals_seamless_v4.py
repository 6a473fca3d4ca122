"""Refusals of the seamless door, edition 4, that no rule's own case asks for; and those without a verdict."""

from __future__ import annotations

import asyncio
import json

import pytest

from caisse.core.book import MOST_BETS
from tests.support.cases import (
    Case,
    bet,
    end_round,
    expire,
    jackpot,
    of_other,
    play,
    play_case,
    promo,
    result,
    unkept,
    wallet,
)
from tests.support.crowd import sent
from tests.support.editions import PLAYS, Gambler
from tests.support.rig import KYREN, House, add_connections, connection, new_id, secret
from tests.support.server import PLAY, Call, Game, packed

CASES = {
    "R5 a bet behind an end that two games sent is 120, its round's result is paid": Case(
        [
            *[(bet(), 0), (end_round(gameId="g2"), 0), (end_round(), 0)],
            *[(bet("1.0", "b2"), 120), (result(), 0)],
        ],
        "315.0",
    ),
    "R5 a jackpot of another amount is 120": Case(
        [(jackpot("7.0"), 0), (jackpot("8.0"), unkept(120)), (jackpot("7.00"), 0)], "307.0"
    ),
    "R5 a promotional win of another amount is 120": Case(
        [(promo("3.0"), 0), (promo("4.0"), unkept(120)), (promo("3.00"), 0)], "303.0"
    ),
    "R4 a bet in a session is 5 once its own player's has expired, not another's": Case(
        [
            *[(expire("s2"), 0), (bet(sessionId="s2"), 5)],
            *[(of_other(bet("1.0", "b2", sessionId="s2")), 0), (of_other(expire("s2")), 0)],
            (of_other(bet("2.0", "b3", sessionId="s2")), 5),
        ],
        "300.0",
        "99.0",
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


def test_R5_an_end_on_another_game_is_the_first_end(house: House) -> None:
    user, game, round_ = house.player(), house.game(), new_id("r")
    house.told(game.bet(user, "10.0", new_id("b"), round_))
    first = house.told(game.play("EndRound", user, roundId=round_))
    rows = house.counts()["journal"]
    again = house.told(game.play("EndRound", user, roundId=round_, gameId="g2", sessionId=new_id("s")))
    assert again.body["transactionId"] == first.body["transactionId"]
    assert (house.counts()["journal"], house.balance(user)) == (rows, "290.0")


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


def test_R40_a_round_holds_a_thousand_bets_and_no_more(house: House) -> None:
    """Refused on every door, for good, and nothing is taken; a refund makes no room; results are paid.

    Another player's round of the same id is another.
    """
    game, user, other, round_ = house.game(), house.player("1001.0"), house.player("10.0"), new_id("r")
    bets = [game.bet(user, "1.0", f"{round_}-{n}", round_) for n in range(MOST_BETS)]
    assert {answer.code for answer in sent(house.server, bets)} == {0}
    assert house.balance(user) == "1.0"
    house.told(game.refund(user, f"{round_}-0"))
    one_more = game.bet(user, "1.0", new_id("b"), round_)
    refused = house.send(one_more)
    assert (refused.code, refused.body["description"]) == (3, "The round holds as many bets as it may")
    kyren = house.game(KYREN)
    call = kyren.bet(user, "1.0", new_id("b"), round_)
    assert house.send(call._replace(path=f"{kyren.path}/v1/Bet")).code == 53
    three = Gambler(house, user, game).call("/seamless/v3/bet", amount="1.0")
    body = json.loads(three.body)
    body["transaction"]["id"] = round_
    assert house.send(Call(three.path, packed(body))).body["status"] == "BET_NOT_ALLOWED"
    assert house.send(one_more).raw == refused.raw
    assert house.balance(user) == "2.0"
    assert house.told(bets[1]).body["error"] == 0
    house.told(game.bet(other, "1.0", new_id("b"), round_))
    house.told(game.result(user, "5.0", new_id("w"), round_))
    assert (house.balance(user), house.balance(other)) == ("7.0", "9.0")
