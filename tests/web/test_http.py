"""What an honest client meets: requests read right, answers in order, connections kept by the rules."""

from __future__ import annotations

import asyncio
import logging
from random import Random

import pytest

from caisse.web.server.exchange import full_answer
from caisse.web.server.http import Exchange
from tests.support.wire import LOOPS, answers, head, post, run_on, site

pytestmark = pytest.mark.parametrize("loop", LOOPS)


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (
            post("/user/refund?id=1&token=%74", b"{}", "Content-Type: application/json; charset=utf-8"),
            {"method": "POST", "path": "/user/refund", "query": "id=1&token=%74", "body": b"{}",
             "content_type": "application/json; charset=utf-8", "peer": "127.0.0.1",
             "forwarded": False, "forwarded_for": ""},
        ),
        (head("GET /a%2Fb HTTP/1.1", "Host:"), {"path": "/a%2Fb", "query": "", "content_type": ""}),
        (head("GET http://h:1/a?b?c HTTP/1.1", "Host: h"), {"path": "/a", "query": "b?c"}),
        (head("GET http://h?b HTTP/1.1", "Host: h"), {"path": "/", "query": "b"}),
        (head("OPTIONS * HTTP/1.1", "Host: h"), {"method": "OPTIONS", "path": "*"}),
        (b"\r\n" + post("/a", b"x"), {"path": "/a", "body": b"x"}),
        (post("/", b"", "X-FORWARDED-FOR: 1.2.3.4", "x-forwarded-for: 5.6.7.8"),
         {"forwarded": True, "forwarded_for": "1.2.3.4, 5.6.7.8"}),
        (post("/", b"", "AUTHORIZATION: Bearer x"), {"authorization": "Bearer x", "forwarded": False}),
        (post("/"), {"authorization": ""}),
        (post("/", b"", "Forwarded: for=1"), {"forwarded": True, "forwarded_for": ""}),
        (post("/", b"", "X-Forwarded-Host: h"), {"forwarded": True}),
        (post("/", b"", "X-Forwarded-Proto: https"), {"forwarded": True}),
        (post("/", b"", "X-Real-IP: 1.2.3.4"), {"forwarded": True}),
        (post("/", b"", "Via: 1.1 x"), {"forwarded": True}),
        (head("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: Chunked")
         + b"2;a=b\r\nab\r\n1\r\nc\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
         {"body": b"abc", "forwarded": False, "forwarded_for": ""}),
    ],
)  # fmt: skip
def test_a_request_is_handed_over_as_sent(loop, request_bytes, expected):
    async def test() -> None:
        async with site() as there:
            assert [a.status for a in await there.ask(request_bytes)] == [200]
            exchange = there.seen[0]
            assert {name: getattr(exchange, name) for name in expected} == expected

    run_on(loop, test())


def test_the_common_answer_has_these_bytes(loop):
    async def test() -> None:
        async with site(lambda exchange: exchange.respond(200, b'{"a":1}')) as there:
            client = await there.client()
            await client.send(post("/"))
            client.writer.write_eof()
            assert await client.rest() == (
                b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}'
            )

    run_on(loop, test())


def test_headers_of_the_application_are_sent(loop):
    def app(exchange: Exchange) -> None:
        exchange.respond(405, b"no", (("allow", "POST"), ("Content-Type", "text/plain")))

    async def test() -> None:
        async with site(app) as there:
            [answer] = await there.ask(post("/"))
            assert (answer.status, answer.body) == (405, b"no")
            assert answer.headers["allow"] == "POST"
            assert answer.headers["Content-Type"] == "text/plain"
            assert "content-type" not in answer.headers

    run_on(loop, test())


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (100, ()),
        (204, ()),
        (304, ()),
        (200, (("a", "b\r\nc: d"),)),
        (200, (("a\n", "b"),)),
        (200, (("Content-Length", "3"),)),
        (200, (("connection", "close"),)),
    ],
)
def test_an_answer_that_would_break_the_framing_is_refused(loop, status, headers):
    with pytest.raises(ValueError, match=r"status|header"):
        full_answer(status, b"", headers, True, False)


@pytest.mark.parametrize(
    ("version", "header", "said", "stays"),
    [
        ("1.1", "X: y", None, True),
        ("1.1", "Connection: keep-alive", "keep-alive", True),
        ("1.1", "Connection: close", "close", False),
        ("1.1", "Connection: Keep-Alive, CLOSE", "close", False),
        ("1.0", "X: y", "close", False),
        ("1.0", "Connection: Keep-Alive", "keep-alive", True),
        ("1.0", "Connection: close", "close", False),
    ],
)
def test_a_connection_is_kept_or_closed_by_the_rules(loop, version, header, said, stays):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            for path in ("/1", "/2") if stays else ("/1",):
                await client.send(head(f"POST {path} HTTP/{version}", "Host: x", "Content-Length: 0", header))
                answer = await client.answer()
                assert answer.headers.get("connection") == said
                assert answer.body.split()[1] == path.encode()
            if stays:
                client.writer.write_eof()
            assert await client.rest() == b""

    run_on(loop, test())


def test_nothing_behind_a_request_that_closes_is_executed(loop):
    async def test() -> None:
        async with site() as there:
            assert len(await there.ask(post("/1", b"", "Connection: close") + post("/evil"))) == 1
            assert there.paths == ["/1"]

    run_on(loop, test())


def test_http_1_0_needs_no_host(loop):
    async def test() -> None:
        async with site() as there:
            assert [a.status for a in await there.ask(head("GET / HTTP/1.0"))] == [200]

    run_on(loop, test())


def test_pipelined_requests_are_executed_one_by_one_and_answered_in_order(loop):
    waiting: list[Exchange] = []
    most = 0

    def app(exchange: Exchange) -> None:
        nonlocal most
        waiting.append(exchange)
        most = max(most, len(waiting))
        if len(exchange.path) % 2:
            answer(exchange)
        else:
            asyncio.get_running_loop().call_later(0.001, answer, exchange)

    def answer(exchange: Exchange) -> None:
        waiting.remove(exchange)
        exchange.respond(200, exchange.path.encode() + exchange.body)

    async def test() -> None:
        random = Random(1)
        bodies = [b"x" * random.randrange(200) for _ in range(300)]
        async with site(app) as there:
            got = await there.ask(b"".join(post(f"/{n}", body) for n, body in enumerate(bodies)))
            assert [a.body for a in got] == [b"/%d" % n + body for n, body in enumerate(bodies)]
            assert most == 1

    run_on(loop, test())


def test_a_request_that_comes_while_another_is_in_flight_waits(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            client = await there.client()
            for part in (post("/1"), post("/2")[:9], post("/2")[9:], post("/3")):
                await client.send(part)
                await there.until_seen(1)
                await asyncio.sleep(0.02)
            assert there.paths == ["/1"]
            for number in (1, 2, 3):
                await there.until_seen(number)
                there.echo(there.seen[-1])
                assert (await client.answer()).body == b"POST /%d " % number

    run_on(loop, test())


def test_an_old_client_is_never_encouraged(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            await client.send(head("POST / HTTP/1.0", "Content-Length: 1", "Expect: 100-continue"))
            await asyncio.sleep(0.05)
            await client.send(b"x")
            assert (await client.answer()).status == 200

    run_on(loop, test())


def test_a_client_that_waits_to_be_encouraged_is(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            request = post("/a", b"body", "Expect: 100-Continue")
            await client.send(request[:-4])
            assert (await client.answer()).status == 100
            await client.send(b"body")
            assert (await client.answer()).body == b"POST /a body"

    run_on(loop, test())


@pytest.mark.parametrize(
    "request_bytes",
    [
        post("/", b"body", "Expect: 100-continue"),  # the body is here already
        post("/", b"", "Expect: 100-continue"),
        head("POST / HTTP/1.0", "Content-Length: 0", "Expect: 100-continue"),
        head("POST / HTTP/1.0", "Content-Length: 0", "Expect: the-unexpected"),
    ],
)
def test_a_client_that_need_not_wait_is_not_encouraged(loop, request_bytes):
    async def test() -> None:
        async with site() as there:
            assert [a.status for a in await there.ask(request_bytes)] == [200]

    run_on(loop, test())


def test_an_answer_to_head_has_a_length_but_no_body(loop):
    async def test() -> None:
        async with site() as there:
            client = await there.client()
            await client.send(head("HEAD /a HTTP/1.1", "Host: x"))
            raw = await client.reader.readuntil(b"\r\n\r\n")
            assert b"content-length: 8\r\n" in raw
            await client.send(post("/b"))
            assert (await client.answer()).body == b"POST /b "

    run_on(loop, test())


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 5", b"hello"),
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        ("Content-Length: 0", b""),
        ("X: y", b""),
    ],
)
def test_an_offer_to_upgrade_is_declined_and_its_body_read(loop, framing, body):
    offer = head(
        "POST /a HTTP/1.1", "Host: x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", framing
    )

    async def test() -> None:
        async with site() as there:
            got = await there.ask(offer + body + post("/b"))
            assert [a.body for a in got] == [b"POST /a " + (b"hello" if body else b""), b"POST /b "]

    run_on(loop, test())


def test_a_client_that_closed_its_half_gets_its_answers(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            client = await there.client()
            await client.send(post("/1") + post("/2"))
            client.writer.write_eof()
            await there.until_seen(1)
            there.hold = False
            there.echo(there.seen[0])
            assert [a.body for a in answers(await client.rest())] == [b"POST /1 ", b"POST /2 "]

    run_on(loop, test())


def test_a_request_cut_short_is_not_executed(loop):
    async def test() -> None:
        async with site() as there:
            assert await there.ask(post("/", b"body")[:-1]) == []
            assert await there.ask(post("/", b"body")[:20]) == []
            assert there.seen == []

    run_on(loop, test())


def test_a_request_outlives_its_client(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            client = await there.client()
            await client.send(post("/", b"body"))
            await there.until_seen(1)
            client.reset()
            await there.until_empty()
            exchange = there.seen[0]
            assert exchange.body == b"body"
            exchange.respond(200, b"{}")
            assert exchange.answered

    run_on(loop, test())


def test_a_client_that_closed_while_waiting_harms_nobody(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            client = await there.client()
            await client.send(post("/1"))
            await there.until_seen(1)
            client.writer.close()
            await asyncio.sleep(0.02)
            there.echo(there.seen[0])
            await there.until_empty()

    run_on(loop, test())


def test_a_failing_application_is_answered_for_and_its_secrets_are_not_logged(loop, caplog):
    def app(exchange: Exchange) -> None:
        if exchange.path == "/bad":
            raise ValueError(exchange.query + exchange.body.decode())
        exchange.respond(200, b"{}")

    async def test() -> None:
        async with site(app) as there:
            got = await there.ask(post("/bad?token=s3cret", b"s3cret") + post("/good"))
            assert [a.status for a in got] == [503, 200]
            assert got[0].headers["retry-after"] == "1"
            assert got[0].body == b'{"rejected": 503, "path": "/bad"}'
            assert there.server.rejected == {503: 1}

    with caplog.at_level(logging.DEBUG):
        run_on(loop, test())
    assert "the application failed: ValueError" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_second_answer_goes_nowhere(loop, caplog):
    def app(exchange: Exchange) -> None:
        exchange.respond(200, b"first")
        exchange.respond(200, b"second")

    async def test() -> None:
        async with site(app) as there:
            assert [a.body for a in await there.ask(post("/"))] == [b"first"]

    run_on(loop, test())
    assert "answered twice" in caplog.text


def test_what_happens_is_counted(loop):
    async def test() -> None:
        async with site() as there:
            await there.ask(post("/") + post("/"))
            await there.ask(b"nonsense\r\n\r\n")
            server = there.server
            assert (server.accepted, server.requests, server.refused) == (2, 2, 0)
            assert server.rejected == {400: 1}
            await there.until_empty()
            assert server.connections == 0

    run_on(loop, test())
