"""Slot logs on both editions of the transfer door, over HTTP on both engines (wire.md 1, 2; R57)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from caisse import build
from caisse.core.money import UNIT
from caisse.core.parties import secret_hash
from caisse.core.round_log import LogQuery, Numbered
from caisse.dialects.transfer_v4.door import TransferV4
from caisse.dialects.wire.door import Answer, RoundsQuery
from caisse.dialects.wire.slot_log import MAX_START
from caisse.settings import Settings
from caisse.store import directory, migrate, opening
from caisse.web.app import App
from caisse.writer.writer import Writer
from tests.support.harness import KEY, TOKEN_QUERY, TRANSFER, UUID, Said, ask, connection, packed, uuid, world
from tests.support.wire import post, site

TRANSFER_V4 = TransferV4()
LOGIN = {"secureLogin": "demo", "token": "demo-token"}
PAGE = {"start": 0, "limit": 10, "uuid": UUID}


ROWS = [
    Numbered(7, "g1", "USD", 10 * UNIT, 25 * UNIT // 2, "", 0),
    Numbered(8, "g2", "BTC", -10 * UNIT, 0, "mega", 7 * UNIT),
]
LOGS = '[[7,"g1","USD","10.0","12.5","none","0.0"],[8,"g2","BTC","-10.0","0.0","mega","7.0"]]'


def asked_v3(**changes: Any) -> Any:
    return ask(TRANSFER, Said("/log/slot", packed({**PAGE, **changes}), TOKEN_QUERY), world())


def asked_v4(**changes: Any) -> Any:
    body = {name: value for name, value in {**LOGIN, **PAGE, **changes}.items() if value is not ...}
    return ask(TRANSFER_V4, Said("/GetSlotLog", packed(body)), world())


def listing(outcome: Any) -> RoundsQuery:
    assert type(outcome) is RoundsQuery, outcome
    return outcome


@pytest.mark.parametrize("asked", [asked_v3, asked_v4])
@pytest.mark.parametrize(
    ("start", "limit", "page"),
    [(0, 1, (0, 1)), ("0", "1000", (0, 1000)), (MAX_START, 1000, (MAX_START, 1000)), ("17", 5, (17, 5))],
)
def test_a_page_is_asked_for_by_its_first_number_and_its_length(
    asked: Any, start: Any, limit: Any, page: tuple[int, int]
) -> None:
    assert listing(asked(start=start, limit=limit)).page == LogQuery("demo", *page)


def test_a_page_byte_for_byte() -> None:
    """Index, game id, currency, bet (below zero if given back later), win, jackpot name and jackpot."""
    v3, v4 = listing(asked_v3(start=7)), listing(asked_v4(start=7))
    assert v3.answer(ROWS) == Answer(200, f'{{"status":"OK","uuid":"{UUID}","logs":{LOGS}}}'.encode())
    assert v4.answer(ROWS) == Answer(200, f'{{"logs":{LOGS},"error":"0","description":"success"}}'.encode())


def test_an_empty_page_is_a_refusal_in_edition_3_only() -> None:
    assert listing(asked_v3()).answer([]) == Answer(
        200,
        f'{{"status":"Failed","uuid":"{UUID}","code":3,"reason":"Have No Additional Record"}}'.encode(),
    )
    assert listing(asked_v4()).answer([]) == Answer(200, b'{"logs":[],"error":"0","description":"success"}')


def test_a_page_that_cannot_be_read_is_503() -> None:
    again = (("Retry-After", "1"),)
    unavailable = f'{{"status":"Failed","uuid":"{UUID}","code":10,"reason":"Temporarily Unavailable"}}'
    assert listing(asked_v3()).answer(None) == Answer(503, unavailable.encode(), again)
    answer = listing(asked_v4()).answer(None)
    assert (answer.status, json.loads(answer.body)["error"], answer.headers) == (503, "1", again)


NO_STARTS: list[Any] = [None, "", -1, "-1", "01", "1.0", 1.0, True, MAX_START + 1, "\uff11", [0]]
NO_LIMITS: list[Any] = [None, "", 0, "0", 1001, "1001", -1, 1.5, True, "1e2", {}]
BAD: list[dict[str, Any]] = [
    *({"start": bad} for bad in NO_STARTS),
    *({"limit": bad} for bad in NO_LIMITS),
]


@pytest.mark.parametrize("changes", BAD)
def test_a_bad_page_is_a_bad_parameter(changes: dict[str, Any]) -> None:
    v3, v4 = asked_v3(**changes), asked_v4(**changes)
    assert json.loads(v3.body) == {"status": "Failed", "uuid": UUID, "code": 1, "reason": "Invalid Parameter"}
    said = {"error": "7", "description": f"Missing or wrong parameter: {next(iter(changes))}"}
    assert json.loads(v4.body) == said


def test_edition_4_lists_one_players_rows_and_needs_no_uuid() -> None:
    for changes, user in (
        *(({"userId": "421"}, "421"), ({"userId": ""}, ""), ({"userId": None}, "")),
        ({"uuid": ...}, ""),
    ):
        assert listing(asked_v4(**changes)).page == LogQuery("demo", 0, 10, user)
    wrong = {"error": "7", "description": "Missing or wrong parameter: userId"}
    for bad in ("a\n", "x" * 65, [7]):
        assert json.loads(asked_v4(userId=bad).body) == wrong


def test_edition_3_has_no_user() -> None:
    assert listing(asked_v3(userId="421")).page == LogQuery("demo", 0, 10)


def test_a_log_is_for_who_may_ask() -> None:
    assert ask(TRANSFER, Said("/log/slot", packed(PAGE)), world()).status == 401  # type: ignore[union-attr]
    assert json.loads(asked_v4(token="wrong").body)["error"] == "4"


# -- over HTTP ---------------------------------------------------------------------------------------------


def test_a_page_that_fails_is_503_and_the_next_is_read() -> None:
    async def story() -> None:
        async def rounds(wanted: LogQuery) -> list[Numbered]:
            if wanted.start:
                raise OSError("gone")
            return ROWS

        app = App(build.DOORS, Writer([]), world(), rounds)
        json_ = "Content-Type: application/json"
        failing = post(f"/log/slot?{TOKEN_QUERY}", packed({**PAGE, "start": 1}), json_)
        async with site(app) as there:
            (failed,) = await there.ask(failing)
            assert (failed.status, json.loads(failed.body)["code"]) == (503, 10)
            (after,) = await there.ask(post(f"/log/slot?{TOKEN_QUERY}", packed(PAGE), json_))
            assert after.status == 200

    asyncio.run(story())


async def furnish(url: str) -> None:
    db = await opening.database(url)
    await migrate.migrate(db, url, 0)
    for partner in ("demo", "other"):
        await directory.add_partner(db, partner, 0)
        await directory.add_token(db, partner, "t", secret_hash(f"{partner}-token"), 0)
    await directory.add_connection(db, connection(), 0)
    await db.close()


@asynccontextmanager
async def served(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A whole server, in this process, stopped as one stops a server."""
    await furnish(url)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(build.serve(Settings(db=url, port=0), ready.set_result))
    both: set[asyncio.Future[Any]] = {serving, ready}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    assert not serving.done(), serving.exception()
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{ready.result()}") as client:
            yield client
    finally:
        if not serving.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await serving


async def told(client: httpx2.AsyncClient, path: str, fields: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=fields)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def listed(client: httpx2.AsyncClient, path: str, fields: dict[str, Any], count: int) -> Any:
    """The rows, once there are so many: they come some time after their money."""
    for _ in range(600):
        rows = (await told(client, path, fields)).get("logs", [])
        if len(rows) >= count:
            return rows
        await asyncio.sleep(0.05)
    raise AssertionError(f"not {count} rows: {rows}")


async def fund(client: httpx2.AsyncClient) -> None:
    for n, (verb, fields) in enumerate(
        [
            ("createuser", {}),
            ("createwallet", {"currency": "USD"}),
            ("charge", {"currency": "USD", "TransactionId": "in", "amount": "300.0"}),
        ]
    ):
        said = await told(client, f"/{verb}", {**LOGIN, "userId": "421", "uuid": f"u-{n}", **fields})
        assert said["error"] == "0"


async def play(client: httpx2.AsyncClient) -> None:
    """Through both editions of the seamless door: a round with two wins and a jackpot, and one undone."""
    sent = {"sid": "s1", "userid": "421", "currency": "USD"}
    game = {"gametype": "slots", "gameid": "g1", "gamename": "Game"}
    v4 = {"userId": "421", "providerId": "luckymonaco", "gameId": "g1", "roundId": "r1", "timestamp": "1"}
    jackpot = {**v4, "uuid": "j", "amount": 7, "reference": "j1", "jackpotId": "mega"}
    for verb, number, transaction in (
        ("bet", "b1", {"id": "r1", "amount": 10}),
        ("win", "w1", {"id": "r1", "amount": "12.25"}),
        ("win", "w2", {"id": "r1", "amount": "0.25", "is_end_round": "ok"}),
        ("bet", "b2", {"id": "r2", "amount": "5.5"}),
        ("cancel", "c2", {"id": "r2"}),
        ("cancel", "c3", {"id": "never came"}),
    ):
        body = {**sent, **game, "uuid": number, "transaction": transaction}
        said = await told(client, f"/seamless/v3/{verb}?authToken={KEY}", body)
        assert (said["status"], said["uuid"]) == ("OK", number), said
    assert (await told(client, f"/{KEY}/V4/JackPotWin", jackpot))["error"] == 0


PLAYED = [
    [0, "g1", "USD", "10.0", "12.25", "none", "0.0"],
    [1, "g1", "USD", "0.0", "0.25", "none", "0.0"],
    [2, "g1", "USD", "0.0", "0.0", "none", "0.0"],
    [3, "g1", "USD", "0.0", "0.0", "mega", "7.0"],
]
NO_RECORD = {"status": "Failed", "uuid": UUID, "code": 3, "reason": "Have No Additional Record"}


def test_both_editions_list_the_rounds_that_were_played(db_url: str) -> None:
    async def story() -> None:
        async with served(db_url) as client:
            v3, v4 = f"/log/slot?{TOKEN_QUERY}", "/IntegrationService/v4/http/CasinoGameAPI/GetSlotLog"
            assert await told(client, v3, PAGE) == NO_RECORD
            await fund(client)
            await play(client)
            assert await listed(client, v3, PAGE, 4) == PLAYED
            assert (await told(client, v3, {**PAGE, "start": "1", "limit": 1}))["logs"] == PLAYED[1:2]
            assert await told(client, v3, {**PAGE, "start": 4}) == NO_RECORD
            said = await told(client, v4, {**LOGIN, "start": 0, "limit": 1})
            assert said == {"logs": PLAYED[:1], "error": "0", "description": "success"}
            assert (await told(client, v4, {**LOGIN, **PAGE, "userId": "421"}))["logs"] == PLAYED
            assert (await told(client, v4, {**LOGIN, **PAGE, "userId": "422"}))["logs"] == []
            other = v3.replace("demo", "other")
            assert await told(client, other, PAGE) == NO_RECORD

    asyncio.run(story())


def test_the_newest_transfer_is_found_behind_what_was_played(db_url: str) -> None:
    """wire.md 2: a status without TransactionId, from the store; a refused transfer is the newest, too."""

    async def story() -> None:
        async with served(db_url) as client:
            shared = {**LOGIN, "userId": "421", "uuid": "s"}
            await fund(client)
            first = await told(client, "/getTransferStatus", shared)
            await play(client)
            assert await told(client, "/getTransferStatus", shared) == first
            assert await told(client, "/getTransferStatus", {**shared, "TransactionId": "in"}) == first
            assert (first["amount"], first["balance"]) == ("300.0", 300.0)
            big = {**shared, "uuid": "big", "currency": "USD", "TransactionId": "out", "amount": "900"}
            refused = await told(client, "/refund", big)
            assert refused["error"] == "22"
            assert await told(client, "/getTransferStatus", shared) == refused
            created = {**LOGIN, "userId": "7", "uuid": uuid(7)}
            assert (await told(client, "/createuser", created))["error"] == "0"
            nothing = await told(client, "/getTransferStatus", created)
            assert nothing == {"error": "7", "description": "Transaction not found"}

    asyncio.run(story())
