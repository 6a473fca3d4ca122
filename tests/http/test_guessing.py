"""What an address that guesses may keep: few connections, none for long; and nobody else is slowed."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

from caisse.web.throttle import FREE, HELD
from tests.support.rig import House, secret
from tests.support.server import Call, Partner

MORE = 20
_address = iter(f"127.0.9.{n}" for n in range(1, 250))


def _line(house: House, source: str) -> socket.socket:
    place = urlsplit(house.server.url)
    return socket.create_connection((place.hostname, place.port), timeout=30, source_address=(source, 0))


def _spelled(call: Call) -> bytes:
    head = f"POST {call.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(call.body)}\r\n\r\n".encode() + call.body


def _rest(line: socket.socket) -> bytes:
    """Until the server ends it, in whichever way."""
    got = b""
    try:
        while part := line.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    line.close()
    return got


def _guess(house: House, user: str) -> bytes:
    return _spelled(Partner(house.partner.id, secret("guess")).charge(user, "1.0"))


def test_the_first_refusal_that_is_held_back_is_its_connections_last(house: House) -> None:
    """However many guesses were sent behind it; so nobody keeps a connection by guessing."""
    user, source = house.player(""), next(_address)
    line = _line(house, source)
    line.sendall(_guess(house, user) * (FREE + MORE))
    answers = re.findall(rb"HTTP/1.1 401 .*?\r\n\r\n", _rest(line), re.DOTALL)
    assert len(answers) == FREE + 1
    assert b"connection: close" in answers[-1]
    assert house.balance(user) == "0.0"


def test_an_address_that_guesses_keeps_few_connections_and_the_right_one_beside_it_is_served(
    house: House,
) -> None:
    user, source = house.player(""), next(_address)
    first = _line(house, source)
    first.sendall(_guess(house, user) * FREE)
    lines = [_line(house, source) for _ in range(HELD + MORE)]
    refused = 0
    while refused < FREE:
        refused += first.recv(65536).count(b"HTTP/1.1 401 ")
    for line in lines:
        line.sendall(_guess(house, user))
    right = _line(house, source)
    right.sendall(_spelled(house.partner.charge(user, "5.0")))
    assert b'"OK"' in right.recv(65536)
    told = [_rest(line) for line in lines]
    assert sum(b"HTTP/1.1 401 " in answer for answer in told) == HELD
    assert told.count(b"") == MORE
    assert house.balance(user) == "5.0"
