"""What one client sent serves nobody else: neither its bytes nor what was made of them can be reached.

Bytes before a request line are skipped by the parser, so a memory of heads keyed by "the bytes up to the
first blank line" once took another client's login for the blank line. No such memory may come back.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Iterable
from typing import Any

import pytest

from caisse.core.parties import Parties, Partner, secret_hash
from caisse.dialects.wire.auth import Access
from caisse.web.server.exchange import Exchange
from tests.support.wire import answers, head, post, run_on, site

PREFIXES = {
    "a blank line": b"\r\n\r\n",
    "a bare newline first": b"\n\r\n\r\n",
    "two blank lines": b"\r\n\n\r\n\r\n",
    "two returns": b"\r\r\n\r\n",
    "bare newlines": b"\n\n",
    "one line end": b"\r\n",
    "nothing": b"",
}
LOGIN = "partner_id=acme&token=the-needle-token"
BODY = b'{"id":"ana","currency":"USD","amount":"200.0","uuid":"1"}'


def echo_query(exchange: Exchange) -> None:
    exchange.respond(200, f"{exchange.method} {exchange.path}?{exchange.query}".encode())


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
@pytest.mark.parametrize(
    "honest",
    [
        post(f"/user/refund?{LOGIN}", BODY),
        head("GET /healthz HTTP/1.1", "Host: x"),
        post(f"/user/refund?{LOGIN}", BODY, "Connection: keep-alive"),
    ],
    ids=["a refund", "a health check", "a rare head"],
)
def test_no_head_of_one_connection_serves_another(prefix: bytes, honest: bytes) -> None:
    """The other sends the same prefix and a body, or a request of its own: it is read from its own bytes."""

    async def test() -> None:
        async with site(echo_query) as there:
            client = await there.client()
            for _ in range(3):
                await client.send(prefix + honest)
                assert (await client.answer()).status == 200
            honest_count = len(there.seen)
            bare = await there.ask(prefix + BODY)
            own = await there.ask(prefix + head("GET /own HTTP/1.1", "Host: y"))
            assert [a.status for a in bare] == [400]
            assert [a.body for a in own] == [b"GET /own?"]
            assert all(seen.query == "" for seen in there.seen[honest_count:])

    run_on("uvloop", test())


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_no_head_serves_a_later_request_of_its_own_connection(prefix: bytes) -> None:
    async def test() -> None:
        async with site(echo_query) as there:
            client = await there.client()
            await client.send(prefix + post(f"/user/refund?{LOGIN}", BODY))
            assert (await client.answer()).body.endswith(LOGIN.encode())
            await client.send(prefix + BODY + b"\r\n\r\n")
            client.writer.write_eof()
            assert [a.status for a in answers(await client.rest())] == [400]
            assert len(there.seen) == 1

    run_on("uvloop", test())


def test_after_an_answer_nothing_that_was_sent_can_be_reached_from_the_server() -> None:
    """By construction: whatever the server holds, no text or bytes in it come from a request before."""

    async def test() -> None:
        async with site(lambda exchange: exchange.respond(200, b"{}")) as there:
            client, other = await there.client(), await there.client()
            for request in (
                post(f"/user/refund?{LOGIN}", BODY, "X-Forwarded-For: needle-address"),
                post("/needle-key/V4/Refund", b'{"needle-body":1}'),
                head("GET /needle-page HTTP/1.1", "Host: needle-host"),
                b"\r\n\r\n" + post(f"/a?{LOGIN}", b"needle"),
            ):
                await client.send(request)
                assert (await client.answer()).status == 200
            there.seen.clear()
            await other.send(head("GET /other HTTP/1.1", "Host: y"))
            await other.answer()
            assert len(there.server.open) == 2
            assert _needles([there.server, *there.server.open]) == []

    run_on("uvloop", test())


def test_a_login_leaves_nothing_behind() -> None:
    """A right query is worth no more the second time: nothing made of it can be reached from `Access`."""
    access = Access(Parties((Partner("acme", (secret_hash("the-needle-token"),)),), ()))
    before = _reachable([access])
    assert access.partner(LOGIN) == "acme"
    assert access.partner(LOGIN.replace("needle", "wrong")) is None
    assert access.by_key("needle-key", "10.0.0.1") is None
    assert _needles([access]) == []
    assert {id(thing) for thing in _reachable([access])} == {id(thing) for thing in before}


def _needles(roots: Iterable[object]) -> list[object]:
    return [
        thing
        for thing in _reachable(roots)
        if (isinstance(thing, str) and "needle" in thing) or (isinstance(thing, bytes) and b"needle" in thing)
    ]


_CODE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.CodeType,
    types.FrameType,
    types.BuiltinFunctionType,
)


def _reachable(roots: Iterable[object]) -> list[Any]:
    """All that these hold, directly or not, but for code, the loop, and the test's own site."""
    found: dict[int, object] = {}
    waiting = list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in found or isinstance(thing, _CODE) or "loop" in type(thing).__name__.lower():
            continue
        found[id(thing)] = thing
        waiting.extend(gc.get_referents(thing))
    return list(found.values())
