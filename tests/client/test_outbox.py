"""The durable queue: what must arrive arrives once, whatever dies in between."""

from __future__ import annotations

import asyncio
import random
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from caisse_client import AsyncClient, Client, Outbox, SeamlessV3, SeamlessV4, TransferV3
from tests.client.stubborn import stubborn
from tests.support.rig import PROVIDER, House, new_id
from tests.support.server import until

TOKEN = "token-that-is-secret"
UUID = "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"
DONE = b'{"status":"OK","uuid":"%s","currency":"USD","amount":"200.0","balance":"1.0"}' % UUID.encode()
D = Decimal


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_it_sends_the_same_bytes_until_the_answer_is_final(tmp_path: Path) -> None:
    clock, door = Clock(), TransferV3("acme", TOKEN)
    with (
        stubborn((503, b"{}"), (200, b""), (200, b"<html>"), (401, b"{}"), (200, DONE)) as server,
        Client(server.url) as client,
        Outbox(tmp_path / "out.db", door, clock=clock, chance=random.Random(1)) as outbox,
    ):
        number = outbox.put(door.refund("ana", "USD", D("200"), UUID))
        waits = []
        while outbox.waiting():
            (outcome,) = outbox.deliver(client)
            assert outbox.deliver(client) == [], "not due yet"
            before = clock.now
            while outbox.waiting() and not outbox.due():
                clock.now += 0.125
            waits.append(clock.now - before)
            assert TOKEN not in outcome.answer
        assert outbox.look(number).state == "done"
        assert len(server.seen) == 5
        assert len(set(server.seen)) == 1
        assert all(least <= wait <= 2 * least for least, wait in zip((0.5, 1, 2, 4), waits[:-1], strict=True))


def test_a_refusal_is_final_and_kept(tmp_path: Path) -> None:
    door = TransferV3("acme", TOKEN)
    refusal = b'{"status":"Failed","uuid":"%s","code":3,"reason":"Not Enough Balance"}' % UUID.encode()
    with (
        stubborn((200, refusal)) as server,
        Client(server.url) as client,
        Outbox(tmp_path / "out.db", door) as outbox,
    ):
        number = outbox.put(door.refund("ana", "USD", D("200"), UUID))
        outbox.deliver(client)
        assert outbox.look(number) == (number, "refused", "/user/refund: Not Enough Balance")
        assert outbox.deliver(client) == []
    with pytest.raises(KeyError), Outbox(tmp_path / "out.db", door) as outbox:
        outbox.look(99)


def test_the_file_is_private_and_holds_no_secret(tmp_path: Path) -> None:
    door = TransferV3("acme", TOKEN)
    with Outbox(tmp_path / "out.db", door) as outbox:
        outbox.put(door.refund("ana", "USD", D("200")))
        with pytest.raises(ValueError, match="does not fit"):
            outbox.put(SeamlessV4("lm").refund("ana", "b1"))
    assert stat.S_IMODE((tmp_path / "out.db").stat().st_mode) == 0o600
    assert all(TOKEN.encode() not in path.read_bytes() for path in tmp_path.iterdir())
    with pytest.raises(ValueError, match="belongs to the door transfer-v3"):
        Outbox(tmp_path / "out.db", SeamlessV4("lm"))


def test_nested_and_numeric_fields_keep_their_characters(tmp_path: Path) -> None:
    door = SeamlessV3("key")
    call = door.win("ana", "USD", D("0.10"), "r1", "g1", ends=True)
    with Outbox(tmp_path / "out.db", door) as outbox:
        outbox.put(call)
        (item,) = outbox.due()
    assert item.call.request.body == call.request.body


DIES = """
import os, sys
from decimal import Decimal
from caisse_client import Client, Outbox, TransferV3
path, url, partner, token, user = sys.argv[1:]
door = TransferV3(partner, token)
outbox = Outbox(path, door)
outbox.put(door.refund(user, "USD", Decimal("200")))
(item,) = outbox.due()
Client(url).send(item.call)
os._exit(9)
"""


def test_a_process_that_dies_before_noting_the_answer_pays_once(house: House, tmp_path: Path) -> None:
    """The money left the wallet, the queue does not know it, and another process goes on."""
    partner, user, path = house.partner, house.player("300.0"), tmp_path / "out.db"
    roots = ":".join(p for p in sys.path if p.endswith("client/src"))
    command = [sys.executable, "-c", DIES, str(path), house.server.url, *partner, user]
    assert subprocess.run(command, env={"PYTHONPATH": roots}, check=False).returncode == 9
    assert house.balance(user) == "100.0"
    with Client(house.server.url) as client, Outbox(path, TransferV3(*partner)) as outbox:
        assert outbox.waiting() == 1
        assert [done.state for done in outbox.deliver(client)] == ["done"]
    assert house.balance(user) == "100.0"


def test_results_and_cancels_arrive_from_an_event_loop(house: House, tmp_path: Path) -> None:
    user, door = house.player("100.0"), SeamlessV4(PROVIDER)
    url = house.server.url + house.game().path
    shared = {"sessionId": "s", "gamename": "T", "roundDetails": "x"}
    stake, won = {**shared, "timeStamp": "1"}, {**shared, "timestamp": "1"}

    async def play() -> None:
        async with AsyncClient(url) as client:
            reference = new_id("b")
            await client.send(door.bet(user, "USD", D("10"), reference, "r", "g1", **stake))
            with Outbox(tmp_path / "out.db", door) as outbox:
                outbox.put(door.result(user, "USD", D("25"), new_id("w"), "r", "g1", **won))
                outbox.put(door.cancel(user, new_id("b"), gameId="g1", currency="USD", **won))
                outcomes = await outbox.deliver_async(client)
                assert [outcome.state for outcome in outcomes] == ["done", "done"]

    asyncio.run(play())
    until(lambda: house.balance(user) == "115.0", "the result did not arrive")
