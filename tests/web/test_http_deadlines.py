"""Every state of a connection has its deadline: the table in the head of `connection.py`, line by line.

What a client sends in time is read even if the process stands still over the deadline.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest

from caisse.web.server.exchange import Exchange
from tests.support.wire import LOOPS, Client, Site, answers, head, post, run_on, site, until

pytestmark = pytest.mark.parametrize("loop", LOOPS)

LONG = 1000.0
NEVER: dict[str, Any] = {"receive_seconds": LONG, "idle_seconds": LONG, "answer_seconds": LONG}
SHORT = 0.2


async def nothing(there: Site) -> Client:
    return await there.client()


async def silence_after_an_answer(there: Site) -> Client:
    client = await there.client()
    await client.send(post("/a"))
    await client.answer()
    return client


async def half_a_request(there: Site) -> Client:
    client = await there.client()
    await client.send(post("/a", b"body")[:-1])
    return client


async def unanswered(there: Site) -> Client:
    there.hold = True
    client = await there.client()
    await client.send(post("/held"))
    return client


async def deaf(there: Site) -> Client:
    there.app = lambda exchange: exchange.respond(200, b"x" * 8_000_000)
    client = await there.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(post("/a"))
    return client


async def deaf_at_the_end(there: Site) -> Client:
    there.app = lambda exchange: exchange.respond(200, b"x" * 8_000_000)
    client = await there.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(post("/a", b"", "Connection: close"))
    return client


async def open_after_the_end(there: Site) -> Client:
    client = await there.client()
    await client.send(post("/a", b"", "Connection: close"))
    await client.answer()
    return client


@pytest.mark.parametrize(
    ("state", "limit", "told"),
    [
        (nothing, "receive_seconds", []),
        (silence_after_an_answer, "idle_seconds", []),
        (half_a_request, "receive_seconds", [408]),
        (unanswered, "answer_seconds", [503]),
        (deaf, "receive_seconds", None),
        (deaf_at_the_end, "receive_seconds", None),
        (open_after_the_end, "receive_seconds", []),
    ],
)
def test_no_state_lasts_longer_than_its_limit(loop, state, limit, told):
    """None of the other limits ends it: they are far away."""

    async def test() -> None:
        async with site(**NEVER | {limit: SHORT}) as there:
            client = await state(there)
            await there.until_empty()
            if told is None:
                client.writer.transport.abort()
            else:
                assert [answer.status for answer in answers(await client.rest())] == told

    run_on(loop, test())


def test_an_application_that_never_answers_is_answered_for_and_its_late_answer_goes_nowhere(loop, caplog):
    async def test() -> None:
        async with site(hold=True, answer_seconds=SHORT) as there:
            client = await there.client()
            await client.send(post("/held?token=s3cret") + post("/evil"))
            answer = await client.answer()
            assert (answer.status, answer.headers["connection"]) == (503, "close")
            assert answer.body == b'{"rejected": 503, "path": "/held"}'
            there.echo(there.seen[0])
            assert await client.rest() == b""
            assert there.paths == ["/held"]

    run_on(loop, test())
    assert "the application did not answer" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_HEAD_that_is_never_answered_has_no_body(loop):
    async def test() -> None:
        async with site(hold=True, answer_seconds=SHORT) as there:
            client = await there.client()
            await client.send(head("HEAD /held HTTP/1.1", "Host: x"))
            assert (await client.rest()).endswith(b"\r\n\r\n")

    run_on(loop, test())


def test_the_method_of_an_earlier_request_says_nothing_about_a_later_one(loop):
    """A refusal before the method is known has a body, even behind a HEAD."""

    async def test() -> None:
        for bad in (b"\x16nonsense\r\n\r\n", b"G" * 20_000):
            async with site() as there:
                client = await there.client()
                await client.send(head("HEAD /a HTTP/1.1", "Host: x"))
                await client.reader.readuntil(b"\r\n\r\n")
                await client.send(bad)
                answer = await client.answer()
                assert answer.status in (400, 431)
                assert answer.body == b'{"rejected": %d, "path": ""}' % answer.status

    run_on(loop, test())


def test_a_refused_HEAD_has_no_body_even_if_its_headers_are_the_fault(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            await client.send(head("HEAD /a HTTP/1.1", "Host: x", *["A: b"] * 101))
            got = await client.rest()
            assert got.startswith(b"HTTP/1.1 431 ")
            assert got.endswith(b"\r\n\r\n")

    run_on(loop, test())


# -- what arrived in time --


async def stall(there: Site, client: Client, data: bytes) -> None:
    """The process stands still for two limits while it reads from somebody else, and meanwhile this arrives.

    Deadlines are looked at next, before any socket is read again.
    """

    def stand_still(exchange: Exchange) -> None:
        assert os.write(client.writer.get_extra_info("socket").fileno(), data) == len(data)
        time.sleep(0.6)
        there.app = there.echo
        there.echo(exchange)

    there.app = stand_still
    other = await there.client()
    await other.send(post("/stall"))
    assert (await other.answer()).status == 200
    other.writer.close()


@pytest.mark.parametrize("first", [True, False])
def test_a_request_that_came_while_the_process_stood_still_is_answered(loop, first):
    """Over the limit of silence, and over that of a new connection."""

    async def test() -> None:
        async with site(receive_seconds=0.3, idle_seconds=0.3) as there:
            client = await there.client()
            if not first:
                await client.send(post("/1"))
                await client.answer()
            await until(lambda: there.server.connections == 1)
            for _ in range(3):
                await stall(there, client, post("/2"))
                assert (await client.answer()).status == 200

    run_on(loop, test())


def test_the_rest_of_a_request_that_came_while_the_process_stood_still_is_read(loop):
    async def test() -> None:
        async with site(receive_seconds=0.3) as there:
            client = await there.client()
            await client.send(post("/1", b"body")[:-1])
            await until(lambda: any(connection._incoming.state for connection in there.server.open))
            await stall(there, client, b"y")
            assert (await client.answer()).body == b"POST /1 body"

    run_on(loop, test())


# -- stray line ends --


@pytest.mark.parametrize("stray", [b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\r\n" * 4])
def test_a_few_stray_line_ends_leave_a_connection_idle_and_it_closes_silently(loop, stray):
    async def test() -> None:
        async with site(receive_seconds=0.1, idle_seconds=0.5) as there:
            client = await there.client()
            for _ in range(2):
                await client.send(post("/a", b"body"))
                assert (await client.answer()).status == 200
                await client.send(stray)
                await asyncio.sleep(0.25)  # longer than a request may take
            await client.send(post("/b"))
            assert (await client.answer()).body == b"POST /b "
            await client.send(stray)
            assert await client.gone()
            assert there.server.rejected == {}

    run_on(loop, test())


def test_line_ends_without_end_are_a_request_that_never_begins(loop):
    async def test() -> None:
        async with site(receive_seconds=SHORT) as there:
            client = await there.client()
            await client.send(b"\r\n" * 5)
            assert (await client.answer()).status == 408

    run_on(loop, test())


def test_HTTP_1_0_closes_on_every_connection(loop):
    """The same bytes on two connections: what the first did to the server changes nothing for the second."""

    async def test() -> None:
        async with site() as there:
            for _ in range(2):
                client = await there.client()
                await client.send(head("GET /a HTTP/1.0", "Host: x") + head("GET /evil HTTP/1.0", "Host: x"))
                assert (await client.answer()).headers["connection"] == "close"
                assert await client.rest() == b""
            assert there.paths == ["/a", "/a"]

    run_on(loop, test())
