"""R40 over HTTP: how many bets a round may hold, on every seamless door."""

from __future__ import annotations

import json

from caisse.core.book import MOST_BETS
from tests.http.crowd import sent
from tests.http.editions import Gambler
from tests.http.house import KYREN, House, new_id
from tests.http.server import Call, packed


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
