"""A head that was understood once is not parsed again: the requests that come out are the same."""

from __future__ import annotations

from random import Random

import pytest

from caisse.web.exchange import Exchange, Limits
from caisse.web.incoming import BROKEN, COMPLETE, FRESH, KNOWN_BYTES, KNOWN_HEADS, Incoming, Known
from tests.web.http_wire import head, post
from tests.web.test_http_incoming import Nowhere, cuts, in_pieces

Seen = tuple[object, ...]

VARIED = [
    post("/1?a=b", b"one"),
    post("/1?a=b", b"two"),
    post("/1?a=c", b"one"),
    post("/2", b""),
    post("/2", b"four"),
    post("/3", b"x", "X-Forwarded-For: 1.2.3.4"),
    head("GET /4 HTTP/1.1", "Host: x"),
    head("HEAD /4 HTTP/1.1", "Host: x"),
    head("POST /5 HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + b"2\r\nab\r\n0\r\n\r\n",
    head("POST /6 HTTP/1.1", "Host: x", "Connection: keep-alive", "Content-Length: 2") + b"ab",
    head("POST /7 HTTP/1.0", "Host: x", "Connection: keep-alive", "Content-Length: 2") + b"ab",
    head("POST /8 HTTP/1.1", "Host: x", "Connection: upgrade", "Upgrade: h2c", "Content-Length: 1") + b"x",
    head("POST /9 HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 1") + b"x",
    post("/10?" + KNOWN_BYTES * "x", b"long"),
    head("POST /11 HTTP/1.1", "Host: x", "Host: y", "Content-Length: 1") + b"x",
    head("POST /12 HTTP/1.1", "Content-Length: 1") + b"x",
]


def seen(exchange: Exchange) -> Seen:
    names = [name for name in Exchange.__slots__ if name != "_line"]
    return tuple(getattr(exchange, name) for name in names)


def read(known: Known | None, reads: list[bytes]) -> list[Seen]:
    incoming, found = Incoming(Limits(), known), []
    for data in reads:
        at = 0
        while at < len(data) and incoming.state != BROKEN:
            at = incoming.read(data, at)
            if incoming.state == COMPLETE:
                after = (incoming.keep_alive, incoming.rare)
                found.append((*seen(incoming.take(Nowhere(), "peer")), *after))
                assert incoming.state == FRESH
                if not after[0]:
                    return found  # as the connection does, which closes
    return [*found, (incoming.state == BROKEN, incoming.fault)]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_known_the_same_requests_come_out(seed: int) -> None:
    """One store of heads over many connections, against connections that know nothing."""
    chance, known = Random(seed), Known()
    for _ in range(60):
        stream = b"".join(chance.choices(VARIED, k=chance.randrange(1, 5)))
        reads = chance.choice([[stream], in_pieces(stream, chance)])
        assert read(known, reads) == read(None, [stream[n : n + 1] for n in range(len(stream))])
    assert known


def test_a_known_head_may_come_in_any_pieces() -> None:
    known: Known = {}
    stream = post("/1", b"body") + post("/1", b"BODY")
    read(known, [stream])
    assert list(known) == [post("/1", b"body")[:-4]]
    for reads in cuts(stream):
        assert [found[-4] for found in read(known, reads)[:-1]] != []
        assert read(known, reads) == read(None, reads)


def test_only_plain_heads_are_remembered() -> None:
    known: Known = {}
    for request in VARIED:
        read(known, [request])
    assert {found.path for found in known.values()} == {"/1", "/2", "/3", "/4"}


def test_no_more_heads_are_remembered_than_there_is_room_for() -> None:
    known: Known = {}
    for n in range(KNOWN_HEADS + 5):
        read(known, [post(f"/{n}", b"x")])
    assert len(known) == 5
