"""What a hostile client meets: a refusal, a closed connection, nothing executed, and nobody else harmed."""

from __future__ import annotations

import asyncio
import logging
import resource
from contextlib import suppress
from typing import Any

import pytest

from caisse.web.server.connection import LINGER_BYTES
from tests.support.wire import LOOPS, Client, answers, head, post, run_on, site, until

pytestmark = pytest.mark.parametrize("loop", LOOPS)

CHUNKED = head("POST /a HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
QUICK: dict[str, Any] = {"receive_seconds": 0.2}
EVIL = post("/evil")


def with_headers(*lines: str) -> bytes:
    return head("POST /a HTTP/1.1", "Host: x", *lines)


MALFORMED = {
    "length and chunks": with_headers("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks and length": with_headers("Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n",
    "two lengths": with_headers("Content-Length: 0", "Content-Length: 5"),
    "the same length twice": with_headers("Content-Length: 0", "Content-Length: 0"),
    "a list of lengths": with_headers("Content-Length: 0, 0"),
    "signed length": with_headers("Content-Length: +0"),
    "negative length": with_headers("Content-Length: -1"),
    "hexadecimal length": with_headers("Content-Length: 0x0"),
    "underscored length": with_headers("Content-Length: 0_0"),
    "no length": with_headers("Content-Length:"),
    "endless length": with_headers("Content-Length: 99999999999999999999999"),
    "chunks not last": with_headers("Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "chunks hidden by a control character": with_headers("Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "chunks hidden by a space": with_headers("Transfer-Encoding : chunked") + b"0\r\n\r\n",
    "chunks twice": with_headers("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks in 1.0": head("POST /a HTTP/1.0", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunk size signed": CHUNKED + b"-1\r\n\r\n",
    "chunk size prefixed": CHUNKED + b"0x0\r\n\r\n",
    "chunk size endless": CHUNKED + b"fffffffffffffffff\r\n",
    "chunk size after a bare LF": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "chunk longer than said": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "bare LF in an extension": CHUNKED + b"1;a\nb\r\na\r\n0\r\n\r\n",
    "bare LF after trailers": CHUNKED + b"0\r\n\n",
    "bare LFs": b"POST /a HTTP/1.1\nHost: x\n\n",
    "bare LF after a header": b"POST /a HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "bare LF at the end of the head": b"POST /a HTTP/1.1\r\nHost: x\r\n\n",
    "bare CR": with_headers("A: b\rc"),
    "folded header": with_headers("A: b", " c"),
    "folded first header": b"POST /a HTTP/1.1\r\n Host: x\r\n\r\n",
    "NUL": with_headers("A: \x00"),
    "header without a name": with_headers(": b"),
    "header without a colon": with_headers("Content-Length"),
    "no host": head("POST /a HTTP/1.1"),
    "two hosts": with_headers("Host: y"),
    "no version": b"POST /a\r\n\r\n",
    "version 0.9": head("POST /a HTTP/0.9", "Host: x"),
    "version 2": head("POST /a HTTP/2.0", "Host: x"),
    "version 1.10": head("POST /a HTTP/1.10", "Host: x"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "lower-case method": head("post /a HTTP/1.1", "Host: x"),
    "unknown method": head("REFUND /a HTTP/1.1", "Host: x"),
    "8-bit target": head("POST /\xe9 HTTP/1.1", "Host: x"),
    "space in the target": head("POST /a b HTTP/1.1", "Host: x"),
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_not_http_is_refused_and_nothing_of_it_or_behind_it_is_executed(loop, bad):
    async def test() -> None:
        async with site() as there:
            got = await there.ask(post("/good") + bad + EVIL + EVIL)
            assert [a.status for a in got] == [200, 400]
            assert got[1].headers["connection"] == "close"
            assert there.paths == ["/good"]
            assert there.server.rejected == {400: 1}

    run_on(loop, test())


@pytest.mark.parametrize(
    ("status", "bad"),
    [
        (501, head("CONNECT /a:1 HTTP/1.1", "Host: x")),
        (501, head("CONNECT a:1 HTTP/1.1", "Host: x", "Content-Length: 3") + b"abc"),
        (501, with_headers("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n"),
        (501, with_headers("Transfer-Encoding: xchunked") + b"0\r\n\r\n"),
        (417, with_headers("Content-Length: 0", "Expect: the-unexpected")),
        (417, with_headers("Content-Length: 0", "Expect: 100-continue", "Expect: 100-continue")),
    ],
)
def test_what_is_not_served_is_refused_and_nothing_behind_it_executed(loop, status, bad):
    async def test() -> None:
        async with site() as there:
            assert [a.status for a in await there.ask(bad + EVIL)] == [status]
            assert there.seen == []

    run_on(loop, test())


SMALL: dict[str, Any] = {"body_bytes": 100, "head_bytes": 300, "header_count": 10}


def padded(size: int) -> bytes:
    """A request whose head has this size."""
    bare = with_headers("A: ")
    return with_headers("A: " + "x" * (size - len(bare)))


def chunks(*sizes: int) -> bytes:
    return CHUNKED + b"".join(b"%x\r\n%b\r\n" % (n, b"x" * n) for n in (*sizes, 0))


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (200, post("/a", b"x" * 100)),
        (413, post("/a", b"x" * 101)),
        (413, with_headers("Content-Length: 101")),
        (413, with_headers("Content-Length: 101", "Expect: 100-continue")),
        (413, with_headers("Content-Length: 101", "Connection: upgrade", "Upgrade: h2c")),
        (200, chunks(60, 40)),
        (413, chunks(60, 41)),
        (200, chunks(*[1] * 100)),
        (413, CHUNKED + b"1;" + b"x" * 900 + b"\r\n"),
        (413, CHUNKED + b"1;" + b"x" * 900),
        (413, CHUNKED + b"0\r\n" + b"A: b\r\n" * 200),
        (200, padded(300)),
        (431, padded(301)),
        (431, padded(305)[:-4]),
        (431, padded(70_000)),
        (431, head("POST /" + "a" * 300 + " HTTP/1.1", "Host: x")),
        (431, b"POST /" + b"a" * 400),
        (431, b"\r\n" * 200),
        (200, with_headers(*["A: b"] * 9)),
        (431, with_headers(*["A: b"] * 10)),
    ],
)
def test_each_limit_is_exact(loop, status, request_bytes):
    async def test() -> None:
        async with site(**SMALL) as there:
            client = await there.client()
            await client.send(request_bytes)
            assert (await client.answer()).status == status
            assert len(there.seen) == (status == 200)

    run_on(loop, test())


def test_a_body_of_tiny_chunks_arrives_whole_however_many_steps_it_takes(loop):
    async def test() -> None:
        async with site() as there:
            tiny = chunks(*[1] * 16_384)
            got = await there.ask(post("/1") + tiny + post("/2") + tiny)
            assert [len(answer.body) for answer in got] == [8, 16_384 + 8, 8, 16_384 + 8]

    run_on(loop, test())


def test_a_refusal_names_the_path_but_not_the_query(loop):
    async def test() -> None:
        async with site() as there:
            [answer] = await there.ask(post("/user/refund?token=s3cret", b"x" * 20_000))
            assert answer.body == b'{"rejected": 413, "path": "/user/refund"}'

    run_on(loop, test())


def test_nothing_a_client_sent_is_logged(loop, caplog):
    async def test() -> None:
        async with site(**SMALL, **QUICK) as there:
            for bad in (
                post("/?s3cret", b"s3cret" * 20),
                padded(301),
                post("/?s3cret", b"s3cret", "A : s3cret"),
            ):
                await there.ask(bad)
            slow = await there.client()
            await slow.send(b"POST /?s3cret HTTP/1.1\r\n")
            assert (await slow.answer()).status == 408

    with caplog.at_level(logging.DEBUG):
        run_on(loop, test())
    assert "s3cret" not in caplog.text


def test_a_refusal_reaches_a_client_that_sends_on(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            await client.send(post("/a", b"x" * (LINGER_BYTES // 2)))
            assert (await client.answer()).status == 413
            assert await client.rest() == b""
            await there.until_empty()

    run_on(loop, test())


def test_a_refused_client_cannot_send_for_ever(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            assert await sent_until_cut_off(client) < 32 * LINGER_BYTES  # buffers of both kernels included
            await there.until_empty()

    run_on(loop, test())


async def sent_until_cut_off(client: Client) -> int:
    sent = 0
    with suppress(ConnectionError):
        while True:
            await client.send(b"\x00" * LINGER_BYTES)
            sent += LINGER_BYTES
    return sent


def test_a_refused_client_cannot_stay_for_ever(loop):
    async def test() -> None:
        async with site(**QUICK) as there:
            client = await there.client()
            await client.send(b"nonsense")
            assert (await client.answer()).status == 400
            await there.until_empty()

    run_on(loop, test())


@pytest.mark.parametrize(
    "begun",
    [b"P", b"POST /a HTTP/1.1\r\nHo", post("/a", b"body")[:-1], CHUNKED, CHUNKED + b"5\r\nab", b"\r\n" * 5],
)
def test_a_request_that_never_ends_is_timed_out(loop, begun):
    async def test() -> None:
        async with site(**QUICK) as there:
            client = await there.client()
            await client.send(begun)
            assert (await client.answer()).status == 408
            assert await client.rest() == b""
            assert there.seen == []

    run_on(loop, test())


@pytest.mark.parametrize("begun", [b"POST /a HTTP/1.1\r\nA: ", post("/a", b"x" * 5000)[:-5000]])
def test_a_trickle_of_bytes_buys_no_time(loop, begun):
    async def test() -> None:
        async with site(**QUICK) as there:
            client = await there.client()
            await client.send(begun)
            while not there.server.rejected:
                await client.send(b"x")
                await asyncio.sleep(0.02)
            assert (await client.answer()).status == 408

    run_on(loop, test())


def test_the_clock_runs_for_a_request_behind_another(loop):
    async def test() -> None:
        async with site(**QUICK) as there:
            client = await there.client()
            await client.send(post("/1") + post("/2", b"body")[:-1])
            assert (await client.answer()).status == 200
            assert (await client.answer()).status == 408

    run_on(loop, test())


def test_a_new_connection_that_says_nothing_is_closed(loop):
    async def test() -> None:
        async with site(receive_seconds=0.1) as there:
            client = await there.client()
            assert await client.gone()
            assert there.server.rejected == {}

    run_on(loop, test())


def test_a_connection_that_falls_silent_is_closed(loop):
    async def test() -> None:
        async with site(idle_seconds=0.1) as there:
            client = await there.client()
            await client.send(post("/1"))
            await client.answer()
            assert await client.gone()

    run_on(loop, test())


def test_the_application_may_take_longer_than_any_limit(loop):
    async def test() -> None:
        async with site(hold=True, receive_seconds=0.05, idle_seconds=0.05) as there:
            client = await there.client()
            await client.send(post("/1"))
            await asyncio.sleep(0.3)
            there.echo(there.seen[0])
            assert (await client.answer()).status == 200

    run_on(loop, test())


def test_connections_over_the_limit_are_answered_503(loop):
    async def test() -> None:
        async with site(connections=2) as there:
            first, second = await there.client(), await there.client()
            await until(lambda: there.server.connections == 2)
            third = await there.client()
            await third.send(post("/3"))
            answer = await third.answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert await third.rest() == b""
            assert there.server.refused == 1
            assert there.seen == []
            assert await served(first) == 200
            second.writer.close()
            await until(lambda: there.server.connections == 1)
            assert await served(await there.client()) == 200

    run_on(loop, test())


async def served(client: Client) -> int:
    await client.send(post("/a"))
    return (await client.answer()).status


def test_a_client_that_takes_no_answers_gets_no_further_ones_and_is_cut_off(loop):
    async def test() -> None:
        async with site(lambda exchange: exchange.respond(200, b"x" * 4_000_000), **QUICK) as there:
            client = await there.client()
            client.writer.write(post("/a") * 1000)
            await there.until_seen(1)
            await there.until_empty()
            assert len(there.seen) < 10
            client.writer.transport.abort()

    run_on(loop, test())


def test_a_client_that_takes_its_answers_late_gets_them_all(loop):
    async def test() -> None:
        async with site(lambda exchange: exchange.respond(200, b"x" * 1_000_000)) as there:
            client = await there.client()
            await client.send(post("/a") * 30)
            client.writer.write_eof()
            await asyncio.sleep(0.1)
            assert len(there.seen) < 30
            assert [len(a.body) for a in answers(await client.rest())] == [1_000_000] * 30

    run_on(loop, test())


def test_what_is_sent_behind_a_request_in_flight_stays_outside(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            client = await there.client()
            client.writer.write(post("/a", b"x" * 10_000) * 2000)
            await there.until_seen(1)
            await asyncio.sleep(0.2)
            assert len(there.seen) == 1
            [connection] = there.server.open
            assert len(connection._rest) < 600_000  # of 20 million: at most two reads of 256 KiB
            client.writer.transport.abort()

    run_on(loop, test())


def test_a_thousand_idle_and_slow_connections_do_not_hurt_an_honest_one(loop):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))

    async def test() -> None:
        async with site() as there:
            crowd = [await there.client() for _ in range(1000)]
            for slow in crowd[::2]:
                await slow.send(b"POST /slow HTTP/1.1\r\nA: ")
            await until(lambda: there.server.connections == 1000)
            honest = await there.client()
            assert [await served(honest) for _ in range(500)] == [200] * 500
            assert there.server.connections == 1001
            for client in crowd:
                client.writer.transport.abort()
            await until(lambda: there.server.connections == 1)

    try:
        run_on(loop, test())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
