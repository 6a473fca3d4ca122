"""Nobody takes money out with another's login: what one connection sent never serves another."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests.support.rig import House
from tests.support.server import Call

PREFIXES = [b"\r\n\r\n", b"\n\r\n\r\n", b"\r\n\n\r\n\r\n", b"\r\r\n\r\n", b"\n\n", b"\r\n", b""]


def _raw(house: House, data: bytes) -> bytes:
    """All that comes back on a connection of its own."""
    place = urlsplit(house.server.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as line:
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


def _spelled(call: Call) -> bytes:
    head = f"POST {call.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(call.body)}\r\n\r\n".encode() + call.body


@pytest.mark.parametrize("prefix", PREFIXES, ids=repr)
def test_a_body_behind_a_known_prefix_takes_no_money(house: House, prefix: bytes) -> None:
    user = house.player("300.0")
    honest = house.partner.refund(user, "10.0")
    for _ in range(3):
        assert b'"balance":"290.0"' in _raw(house, prefix + _spelled(honest))
    theft = house.partner.refund(user, "200.0")
    for data in (theft.body, prefix + theft.body, prefix * 2 + theft.body + b"\r\n\r\n"):
        assert b'"OK"' not in _raw(house, data)
    bare = Call(theft.path.partition("?")[0], theft.body)
    assert b"401" in _raw(house, prefix + _spelled(bare))
    assert house.balance(user) == "290.0"


@pytest.mark.parametrize("prefix", PREFIXES, ids=repr)
def test_an_honest_refund_is_not_answered_by_another_connections_page(house: House, prefix: bytes) -> None:
    user = house.player("300.0")
    for _ in range(3):
        _raw(house, prefix + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b'"balance":"100.0"' in _raw(house, prefix + _spelled(house.partner.refund(user, "200.0")))
    assert house.balance(user) == "100.0"
