"""An orderly end: no new connections, an answer for every request begun, and an end even so."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from caisse.web.server.http import Exchange
from tests.support.wire import LOOPS, Site, post, run_on, site, until

pytestmark = pytest.mark.parametrize("loop", LOOPS)


def test_open_connections_go_on_when_no_more_are_accepted(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            await client.send(post("/1"))
            await client.answer()
            there.server.stop_accepting()
            with pytest.raises(ConnectionError):
                await there.client()
            await client.send(post("/2"))
            assert (await client.answer()).headers.get("connection") is None

    run_on(loop, test())


def test_idle_connections_are_closed_at_once_and_those_in_flight_answered_first(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            idle, busy = await there.client(), await there.client()
            await busy.send(post("/1") + post("/2"))
            await there.until_seen(1)
            await until(lambda: there.server.connections == 2)
            drained = asyncio.ensure_future(there.server.drain(60, notice=0))
            assert await idle.gone()
            assert not drained.done()
            there.echo(there.seen[0])
            answer = await busy.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert await busy.rest() == b""
            await asyncio.wait_for(drained, 5)
            assert there.paths == ["/1"]
            assert there.server.connections == 0

    run_on(loop, test())


def test_a_request_half_received_may_arrive(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            request = post("/1", b"body")
            await client.send(request[:-1])
            await until(lambda: there.server.connections == 1)
            await asyncio.sleep(0.05)
            drained = asyncio.ensure_future(there.server.drain(60, notice=0))
            await asyncio.sleep(0.05)
            await client.send(request[-1:])
            assert (await client.answer()).headers["connection"] == "close"
            await client.rest()
            await asyncio.wait_for(drained, 5)

    run_on(loop, test())


def test_what_is_left_when_the_time_is_over_is_cut_off(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            client = await there.client()
            await client.send(post("/1"))
            await there.until_seen(1)
            await there.server.drain(0.05, notice=0)
            assert there.server.connections == 0
            assert await client.gone()
            there.echo(there.seen[0])  # too late, and harmless

    run_on(loop, test())


def test_under_load_every_request_that_was_executed_is_answered(loop):
    def app(exchange: Exchange) -> None:
        asyncio.get_running_loop().call_later(0.002, exchange.respond, 200, exchange.path.encode())

    async def test() -> None:
        async with site(app) as there:
            clients = [asyncio.ensure_future(ask_until_closed(there, n)) for n in range(50)]
            await there.until_seen(500)
            await there.server.drain(60, notice=0.1)
            answered = [path for paths in await asyncio.gather(*clients) for path in paths]
            assert sorted(answered) == sorted(there.paths)
            assert len(set(answered)) == len(answered)

    run_on(loop, test())


async def ask_until_closed(there: Site, number: int) -> list[str]:
    """The paths that were answered, one request after the other."""
    client, got = await there.client(), list[str]()
    try:
        while True:
            path = f"/{number}/{len(got)}"
            await client.send(post(path))
            answer = await client.answer()
            assert answer.body == path.encode()
            got.append(path)
    except (ConnectionError, asyncio.IncompleteReadError):
        client.writer.close()
        return got


def test_a_drain_answers_for_a_while_each_answer_the_last_and_then_closes(loop):
    """Who sends in that moment is answered and told to close, who connects too; nobody is reset."""

    async def test() -> None:
        async with site() as there:
            asking, silent = await there.client(), await there.client()
            await asking.send(post("/1"))
            await asking.answer()
            drained = asyncio.ensure_future(there.server.drain(60, notice=2))
            await asyncio.sleep(0.05)
            late = await there.client()
            for client in (asking, late):
                await client.send(post("/2"))
                answer = await client.answer()
                assert (answer.status, answer.headers["connection"]) == (200, "close")
                assert await client.rest() == b""
            await until(lambda: there.server.connections == 1)
            assert not there.server.ending
            assert await silent.gone()
            await asyncio.wait_for(drained, 5)
            with pytest.raises(ConnectionError):
                await there.client()

    run_on(loop, test())


@contextmanager
def interrupted(seconds: int = 5) -> Iterator[None]:
    """A task that never lets the loop go on fails after so many seconds; else nothing would end the test."""

    def fail(*_: object) -> None:
        raise AssertionError("the loop does nothing else any more")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_client_that_comes_when_the_last_has_just_left_does_not_freeze_the_drain(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            await until(lambda: there.server.connections == 1)
            drained = asyncio.ensure_future(there.server.drain(60, notice=60))
            await asyncio.sleep(0.05)
            (connection,) = there.server.open
            there.server.left(connection)  # both before the drain has its next turn
            there.server.open.add(connection)
            await client.send(post("/1"))
            assert (await client.answer()).headers["connection"] == "close"
            client.writer.close()
            await asyncio.wait_for(drained, 5)

    with interrupted():
        run_on(loop, test())


def test_a_request_that_has_arrived_when_idle_connections_are_closed_is_answered(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            await client.send(post("/1"))
            await client.answer()
            [connection] = there.server.open
            client.writer.write(post("/2"))
            there.server.draining = True
            connection.close_if_idle()  # in this step of the loop nothing has been read
            answer = await client.answer()
            assert (answer.body, answer.headers["connection"]) == (b"POST /2 ", "close")

    run_on(loop, test())
