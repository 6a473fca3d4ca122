"""However a stream of requests is cut into reads, the same requests come out of it."""

from __future__ import annotations

from random import Random

import pytest

from caisse.web.server.exchange import Exchange, Headers, Limits
from caisse.web.server.parser import BROKEN, COMPLETE, FRESH, STEP_BYTES, RequestParser
from tests.support.wire import head, post

STREAM = (
    post("/1?a", b"one\r\n\r\n", "X-Forwarded-For: 1.2.3.4")
    + b"\r\n"
    + head("GET /2 HTTP/1.1", "Host: x")
    + head("POST /3 HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
    + b"3;x\r\na\r\n\r\n2\r\nbc\r\n0\r\nVia: x\r\n\r\n"
    + head("POST /4 HTTP/1.1", "Host: x", "Connection: upgrade", "Upgrade: h2c", "Content-Length: 2")
    + b"\r\n"
    + post("/5")
)
EXPECTED = [
    ("/1", b"one\r\n\r\n", True),
    ("/2", b"", False),
    ("/3", b"a\r\nbc", False),
    ("/4", b"\r\n", False),
    ("/5", b"", False),
]


class Nowhere:
    def answer(self, exchange: Exchange, status: int, body: bytes, headers: Headers) -> None: ...
    def hang_up(self, exchange: Exchange) -> None: ...


def read_all(incoming: RequestParser, reads: list[bytes]) -> list[tuple[str, bytes, bool]]:
    """The requests, each taken before the next is read."""
    found = []
    for data in reads:
        at = 0
        while at < len(data) and incoming.state != BROKEN:
            at = incoming.read(data, at)
            if incoming.state == COMPLETE:
                exchange = incoming.take(Nowhere(), "")
                found.append((exchange.path, exchange.body, exchange.forwarded))
    return found


def cuts(stream: bytes) -> list[list[bytes]]:
    whole, single = [stream], [stream[n : n + 1] for n in range(len(stream))]
    in_two = [[stream[:n], stream[n:]] for n in range(1, len(stream))]
    return [whole, single, *in_two, *(in_pieces(stream, Random(n)) for n in range(200))]


def in_pieces(stream: bytes, random: Random) -> list[bytes]:
    at, pieces = 0, []
    while at < len(stream):
        size = random.randrange(1, 60)
        pieces.append(stream[at : at + size])
        at += size
    return pieces


def test_cuts_do_not_matter():
    for reads in cuts(STREAM):
        incoming = RequestParser(Limits())
        assert read_all(incoming, reads) == EXPECTED
        assert incoming.state == FRESH


@pytest.mark.parametrize(
    "bad",
    [
        head("POST /bad HTTP/1.1", "Host: x", "Content-Length: 4", "Transfer-Encoding: chunked"),
        head("POST /bad HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + b"2\r\nabX\r\n0\r\n\r\n",
        head("POST /bad HTTP/1.1", "Host: x", " folded"),
    ],
)
def test_cuts_do_not_matter_to_a_refusal(bad):
    for reads in cuts(post("/1", b"x") + bad + post("/evil") + post("/evil")):
        incoming = RequestParser(Limits())
        assert read_all(incoming, reads) == [("/1", b"x", False)]
        assert incoming.fault == 400


def test_tiny_chunks_are_read_in_steps_between_which_others_are_served():
    body = head("POST /a HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 16_384
    incoming, at = RequestParser(Limits()), 0
    while at < len(body):
        before, at = at, incoming.read(body, at)
        assert at - before < STEP_BYTES + len("1\r\n")
    assert read_all(incoming, [b"0\r\n\r\n"]) == [("/a", b"x" * 16_384, False)]
