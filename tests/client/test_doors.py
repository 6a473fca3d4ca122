"""The client's doors against the real server, on both engines: money in, money played, money out, exact."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from caisse_client import (
    AsyncClient,
    Client,
    KyrenV1,
    Refused,
    SeamlessV3,
    SeamlessV4,
    TransferV3,
    TransferV4,
    Unauthorized,
)
from caisse_kit.wallets.door import KyrenDoor
from caisse_kit.wallets.seamless import Style, Wallet
from caisse_kit.wallets.server import served
from tests.support.rig import PROVIDER, House, new_id
from tests.support.server import new_uuid

D = Decimal
MORE = {"sessionId": "s", "gamename": "Tumble", "timestamp": "1", "timeStamp": "1", "roundDetails": "x"}
"""What editions of the provider also send."""
STAKE, WON = {**MORE, "timestamp": ...}, {**MORE, "timeStamp": ...}


def test_transfer_v3_moves_money_in_and_out_exactly(house: House) -> None:
    door, user = TransferV3(*house.partner), new_id("p")
    with Client(house.server.url) as client:
        client.send(door.create_player(user, "Ana"))
        client.send(door.create_wallet(user, "USD"))
        charged = client.send(door.charge(user, "USD", D("300.000000000000000001")))
        assert (charged.amount, charged.balance) == (
            D("300.000000000000000001"),
            D("300.000000000000000001"),
        )
        order = door.refund(user, "USD", D("200"))
        assert client.send(order).balance == D("100.000000000000000001")
        assert client.send(order).balance == D("100.000000000000000001"), "the same call again"
        assert client.send(door.balance(user, "USD")) == D("100.000000000000000001")
        info = client.send(door.info(user))
        assert (info.name, info.wallets) == ("Ana", {"USD": D("100.000000000000000001")})
        with pytest.raises(Refused) as refused:
            client.send(door.refund(user, "USD", D("1000")))
        assert (refused.value.code, refused.value.message) == ("3", "Not Enough Balance")
        assert client.send(door.balance(user, "USD")) == D("100.000000000000000001")


def test_transfer_v4_says_that_a_transaction_was_done_before(house: House) -> None:
    door, user, transaction = TransferV4(*house.partner), new_id("p"), new_id("tx")
    with Client(house.server.url) as client:
        client.send(door.create_player(user, "Ben"))
        client.send(door.create_wallet(user, "EUR"))
        first = client.send(door.charge(user, "EUR", D("12.5"), transaction))
        again = client.send(door.charge(user, "EUR", D("12.50"), transaction))
        assert (first.repeated, again.repeated) == (False, True)
        assert first.transaction == again.transaction
        assert client.send(door.balance(user, "EUR")) == D("12.5")
        out = client.send(door.refund(user, "EUR", D("2.5"), new_id("tx")))
        assert out.balance == D("10")
        told = client.send(door.status(user))
        assert (told.transaction, told.amount, told.balance) == (out.transaction, D("-2.5"), D("10"))
        assert client.send(door.info(user)).wallets == {"EUR": D("10")}


def test_both_slot_logs_are_read_to_their_end(house: House) -> None:
    partner, games = house.spare()
    user = house.player("50.0", partner)
    url = house.server.url + games["lucky-monaco-v4"].path
    game = SeamlessV4(PROVIDER)
    with Client(house.server.url) as client, Client(url) as wallet:
        wallet.send(game.bet(user, "USD", D("7.25"), new_id("b"), "r", "tumble", **STAKE))
        played = game.result(user, "USD", D("3"), new_id("w"), "r", "tumble", **WON)
        wallet.send(played)
        assert (
            len(house.logged(partner.log({"start": 0, "limit": 2, "uuid": new_uuid()}), 1).body["logs"]) == 1
        )
        for door in (TransferV3(*partner), TransferV4(*partner)):
            (row,) = client.send(door.slot_log(0))
            assert (row.index, row.game, row.bet, row.win) == (0, "tumble", D("7.25"), D("3"))
            assert client.send(door.slot_log(1)) == []


def test_seamless_v4_plays_and_gives_back_exactly(house: House) -> None:
    door, user = SeamlessV4(PROVIDER), house.player("100.0")
    with Client(house.server.url + house.game().path) as client:
        client.send(door.check(user, currency="USD", sessionId="s"))
        reference = new_id("b")
        bet = door.bet(user, "USD", D("0.1"), reference, "r1", "g1", **STAKE)
        first = client.send(bet)
        assert (first.cash, first.currency) == (D("99.9"), "USD")
        assert client.send(bet) == first
        back = client.send(door.refund(user, reference))
        assert back.transaction != first.transaction
        assert client.send(door.refund(user, reference)).transaction == back.transaction
        assert client.send(door.balance(user, "USD", sessionId="s")).cash == D("100")
        won = client.send(door.bonus_win(user, D("5"), new_id("a"), "r1", "g1", bonusCode="b", **WON))
        assert (won.cash, won.bonus) == (D("105"), D("0"))
        client.send(door.jackpot_win(user, D("2"), new_id("a"), "r1", "g1", jackpotId="j", **WON))
        campaign = {"timestamp": "1", "campaignType": "T"}
        client.send(door.promo_win(user, "USD", D("3"), new_id("a"), "c", **campaign))
        ended = client.send(door.end_round(user, "r1", gameId="g1", sessionId="s"))
        assert ended.cash == D("110")
        with pytest.raises(Refused) as refused:
            client.send(door.bet(user, "USD", D("1000"), new_id("b"), "r2", "g1", **STAKE))
        assert refused.value.code == "1"
        unknown = client.send(door.cancel(user, new_id("b"), currency="USD", gameId="g1", **WON))
        assert unknown.reference is not None
        assert house.balance(user) == "110.0"
        client.send(door.session_expired(user, new_id("s")))


def test_seamless_v3_plays_and_tells_a_repeat(house: House) -> None:
    door, user, round_ = SeamlessV3(house.game().path[1:]), house.player("100.0"), new_id("r")
    with Client(house.server.url) as client:
        bet = door.bet(user, "USD", D("10"), round_, "g1")
        first, again = client.send(bet), client.send(bet)
        assert (first.balance, again.balance) == (D("90"), D("90"))
        assert (first.retransmission, again.retransmission) == (False, True)
        win = door.win(user, "USD", D("4.5"), round_, "g1", ends=True)
        assert client.send(win).balance == D("94.5")
        assert client.send(door.balance(user, "USD", "s")) == D("94.5")
        other = new_id("r")
        client.send(door.bet(user, "USD", D("4.5"), other, "g1"))
        client.send(door.cancel(user, other, currency="USD"))
        assert house.balance(user) == "94.5"


def test_kyren_v1_plays_and_gives_a_round_back() -> None:
    """Against the kit's own wallet of that edition: amounts go out, and cash comes in, as text."""
    door = KyrenV1()
    kyren = KyrenDoor(Wallet(Style(by_round=True, cash_as_text=True)))
    with served(kyren) as server, Client(server.url) as client:
        client.send(door.check("ana", currency="USD"))
        first = client.send(door.bet("ana", "USD", D("0.1"), "b1", "r1", "g1"))
        client.send(door.bet("ana", "USD", D("0.2"), "b2", "r1", "g1"))
        assert first.cash == D("999.9")
        back = client.send(door.refund("ana", "refund-1", roundId="r1"))
        assert client.send(door.refund("ana", "refund-2", roundId="r1")).transaction == back.transaction
        assert client.send(door.balance("ana", "USD")).cash == D("1000")
        client.send(door.bet("ana", "USD", D("1"), "b3", "r2", "g1"))
        assert client.send(door.result("ana", "USD", D("3"), "w1", "r2", "g1")).cash == D("1002")
        client.send(door.end_round("ana", "r2"))
        with pytest.raises(Refused) as refused:
            client.send(door.bet("ana", "USD", D("5000"), "b4", "r3", "g1"))
        assert refused.value.code == "15"


def test_a_wrong_login_is_a_type_of_its_own_on_every_door(house: House) -> None:
    user = house.player()
    url = house.server.url
    with Client(url) as client, Client(url + "/a-key-that-nobody-has") as wrong:
        for door in (
            TransferV3(house.partner.id, "wrong-token"),
            TransferV4(house.partner.id, "wrong-token"),
        ):
            with pytest.raises(Unauthorized):
                client.send(door.balance(user, "USD"))
        with pytest.raises(Unauthorized):
            wrong.send(SeamlessV4(PROVIDER).balance(user, "USD", sessionId="s"))
        with pytest.raises(Unauthorized):
            client.send(SeamlessV3("wrong-key").balance(user, "USD", "s"))


def test_the_async_client_sends_the_same_calls(house: House) -> None:
    """Sixteen repeats of one withdrawal at once: it happens once."""
    door, user = TransferV3(*house.partner), house.player("300.0")
    order = door.refund(user, "USD", D("200"))

    async def play() -> None:
        async with AsyncClient(house.server.url) as client:
            answers = await asyncio.gather(*(client.send(order) for _ in range(16)))
            assert {answer.balance for answer in answers} == {D("100")}
            with pytest.raises(Refused):
                await client.send(door.refund(user, "USD", D("200")))

    asyncio.run(play())
    assert house.balance(user) == "100.0"
