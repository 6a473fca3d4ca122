"""How much work a request makes: instructions of Python for each byte, counted in a process of its own.

Counted, not timed: twice the body may make twice the work and no more. The long form also times each body,
for what C code does and this cannot count.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from caisse.build import DOORS
from caisse.dialects.wire.door import Route
from caisse.web.server.exchange import Exchange, Limits
from caisse.web.server.parser import COMPLETE, RequestParser
from tests.attacks.odd_bodies import LARGEST_BODY
from tests.support.harness import KEY, TOKEN_QUERY, Said, world
from tests.torture.toolbox import NEITHER, Harness, Run

ROOT = Path(__file__).resolve().parents[2]
SHORT = LARGEST_BODY // 8
"""The larger size of the short form; the long one takes the largest that is let in."""
BY_CHANCE = 10
"""Bodies of each round that are made of a piece that nobody thought of."""
TOLERANCE = 2.3
"""How many times the work may grow when the body doubles, ..."""
SLACK = 3000
"""... besides so many instructions."""
PER_BYTE = 100
"""Instructions for each byte that comes with others."""
PER_LONE_BYTE = 500
"""Instructions for each byte that comes alone, in a packet of its own."""
MILLISECONDS = 20.0
"""The longest that 16 KiB may keep a server from other clients; more is not read at once."""
COMPARES_ALL = """
import json
from caisse.dialects.wire import reader

def unique(pairs):
    for n, (name, _) in enumerate(pairs):
        if any(name == other for other, _ in pairs[:n]):
            raise ValueError("a name appears twice")
    return dict(pairs)

reader._exact_decode = json.JSONDecoder(object_pairs_hook=unique, parse_int=reader._whole).decode
"""
"""Finds names that appear twice by comparing each with all before it."""

PATHS = {
    "/user/charge": TOKEN_QUERY,
    "/charge": "",
    f"/{KEY}/V4/Result": "",
    f"/{KEY}/V4/Cancel": "",
    "/seamless/v3/win": f"authToken={KEY}",
}


Make = Callable[[int], bytes]
"""Bytes of about a size."""


def repeated(piece: str, before: str = "", after: str = "") -> Make:
    """Bodies of about a size, made of one piece again and again; `#` in it is a number that counts up."""

    def make(size: int) -> bytes:
        width = len(piece) + 3 * piece.count("#")
        return (
            before + "".join(piece.replace("#", f"{n:04}") for n in range(size // width)) + after
        ).encode()

    return make


BODIES: Mapping[str, Make] = {
    "a long text": repeated("x", '{"id":"', '"}'),
    "a long name": repeated("x", '{"', '":1}'),
    "escapes": repeated('\\"', '{"id":"', '"}'),
    "unicode escapes": repeated("\\u00e9", '{"id":"', '"}'),
    "colons": repeated(":", '{"id":"', '"}'),
    "names": repeated('"a#":0,', "{", '"id":1}'),
    "names with a text between": repeated('"a#":":",', "{", '"id":1}'),
    "names, one twice": repeated('"a#":0,', '{"a0000":0,', '"id":1}'),
    "spellings of names": repeated('"ROUNDID#":-0,', "{", '"id":1}'),
    "groups": repeated('"b#":{"a":0},', "{", '"id":1}'),
    "a group of names": repeated('"a#":0,', '{"transaction":{', '"id":1}}'),
    "objects": repeated("{},", '{"id":[', "{}]}"),
    "objects with a name twice": repeated('{"a":1,"a":2},', '{"id":[', "{}]}"),
    "open objects": repeated('{"a":'),
    "open arrays": repeated("["),
    "closed arrays": lambda size: b'{"id":' + b"[" * (size // 2) + b"]" * (size // 2) + b"}",
    "a wide tree": repeated("[[],[]],", '{"id":[', "[]]}"),
    "digits": repeated("9", '{"amount":', "}"),
    "digits in a text": repeated("9", '{"amount":"', '"}'),
    "decimals": repeated("9", '{"amount":0.', "}"),
    "zeros before": repeated("0", '{"amount":"', '"}'),
    "minus zeros": repeated("-0,", '{"id":[', "-0]}"),
    "numbers": repeated("1.5,", '{"id":[', "1]}"),
    "exponents": repeated("1e999999,", '{"id":[', "1]}"),
    "a uuid without end": repeated("a-", '{"uuid":"', '"}'),
    "a reference without end": repeated("\\u0000", '{"reference":"', '"}'),
    "white space": repeated(" ", "{", "}"),
    "no end": repeated('"a#":0,', "{"),
}

PIECES = (
    '"a#":',
    '"a":',
    "1",
    "-0",
    "1.5",
    "0e9",
    '"',
    "\\",
    "\\u0030",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    " ",
    "é",
    "null",
)

WIRES: Mapping[str, Make] = {
    "a body in chunks of one byte": lambda size: _head("Transfer-Encoding: chunked") + b"1\r\nx\r\n" * size,
    "an extension of a chunk": lambda size: _head("Transfer-Encoding: chunked") + b"1;" + b"x" * size,
    "trailers": lambda size: _head("Transfer-Encoding: chunked") + b"0\r\n" + b"a: b\r\n" * (size // 6),
    "a long path": lambda size: _target("/" + "a/" * (size // 2)),
    "a long query": lambda size: (
        b"POST /user/charge?" + b"a&" * (size // 2) + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    ),
    "escapes in a query": lambda size: _target("/user/charge?" + "%61=&" * (size // 5)),
    "slashes": lambda size: _target("/" * size),
    "headers": lambda size: _head(*["Host: x"] * (size // 9)),
    "a header": lambda size: _head("Content-Length: " + "0" * size),
}


def _head(*lines: str) -> bytes:
    return "\r\n".join(("POST /user/charge HTTP/1.1", "Host: x", *lines)).encode() + b"\r\n\r\n"


def _target(target: str) -> bytes:
    return f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()


class Nowhere:
    """Where answers go that nobody wants."""

    def answer(self, exchange: Exchange, status: int, body: bytes, headers: Any) -> None:
        """Nothing."""

    def hang_up(self, exchange: Exchange) -> None:
        """Nothing."""


class Job(NamedTuple):
    """What makes bytes of about a size, and what reads them."""

    what: str
    make: Make
    read: Callable[[bytes], object]
    alone: bool = False
    """Whether each byte comes by itself: much more work, but none that keeps others waiting."""


def jobs(chance: random.Random) -> Iterator[Job]:
    """Every door with every body, and the wire."""
    bodies = {**BODIES, **dict(by_chance(chance) for _ in range(BY_CHANCE))}
    for path, query in PATHS.items():
        for what, make in bodies.items():
            yield Job(f"{path.replace(KEY, '<key>')}: {what}", make, taker(path, query))
    for what, make in WIRES.items():
        yield Job(what, make, from_wire)
        yield Job(f"{what}, byte by byte", make, byte_by_byte, alone=True)


def by_chance(chance: random.Random) -> tuple[str, Make]:
    piece = "".join(chance.choices(PIECES, k=chance.randint(1, 6)))
    before, after = chance.choice((("{", "}"), ('{"a":[', "]}"), ('{"amount":"', '"}'), ("", "")))
    return f"{before}{piece}…{after}", repeated(piece, before, after)


def taker(path: str, query: str) -> Callable[[bytes], object]:
    """The whole way of a body through a door, up to the writer."""
    where = world()
    door, route = next((door, route) for door in DOORS if (route := door.find(path)))
    return lambda body: door.take(route, Said(path, body, query), where)


def from_wire(data: bytes) -> None:
    """The way of bytes to a request, and to the door that would take it."""
    _read(data, len(data))


def byte_by_byte(data: bytes) -> None:
    """The same when each byte comes alone."""
    _read(data, 1)


def _read(data: bytes, step: int) -> None:
    incoming = RequestParser(Limits())
    for at in range(0, len(data), step):
        incoming.read(data[at : at + step], 0)
        if incoming.state >= COMPLETE:
            break
    if incoming.state == COMPLETE:
        exchange = incoming.take(Nowhere(), "127.0.0.1")
        found: list[Route | None] = [door.find(exchange.path) for door in DOORS]
        if found[0] is not None:
            DOORS[0].take(found[0], exchange, world())
    incoming.forget()


def instructions(job: Callable[[bytes], object], data: bytes) -> int:
    """How many instructions of Python are run, those of the standard library too."""
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        job(data)
    finally:
        sys.settrace(None)
    return count


def milliseconds(job: Callable[[bytes], object], data: bytes) -> float:
    """The quickest of three, for others use this machine too."""
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        job(data)
        took.append(time.perf_counter() - begun)
    return 1000 * min(took)


def findings(timed: bool, seed: int) -> Iterator[str]:
    """One line for each job: empty unless its work is out of proportion to its size."""
    size = LARGEST_BODY if timed else SHORT
    for job in jobs(random.Random(seed)):
        half, whole = job.make(size // 2), job.make(size)
        instructions(job.read, half)  # what is made once is no part of it; and some Pythons miss a first time
        one, two = instructions(job.read, half), instructions(job.read, whole)
        most = (PER_LONE_BYTE if job.alone else PER_BYTE) * len(whole)
        allowed = MILLISECONDS * max(1, len(whole) / LARGEST_BODY)
        if two > min(TOLERANCE * one, most) + SLACK:
            yield f"{job.what}: {one} instructions for {len(half)} bytes, {two} for {len(whole)}"
        elif timed and not job.alone and (took := milliseconds(job.read, whole)) > allowed:
            yield f"{job.what}: {took:.1f} ms for {len(whole)} bytes"
        else:
            yield ""


def report(timed: bool, seed: int) -> None:
    """What the attack reads."""
    print(json.dumps(list(findings(timed, seed))))


def attack(run: Run) -> None:
    """Each round once, in a process that may have a planted bug."""
    for _ in run.rounds():
        arguments = f"{run.is_long}, {run.chance.getrandbits(32)}"
        program = f"{run.plant}\nfrom tests.attacks import parser_work\nparser_work.report({arguments})"
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
        found = json.loads(done.stdout) if done.returncode == 0 else [done.stderr]
        run.saw("bodies weighed", len(found))
        run.find(*filter(None, found))


HARNESS = Harness(
    claim="whatever a request holds, reading it is work in proportion to its size, and little of it",
    attack=attack,
    engines=(NEITHER,),
    rounds=1,
    plants={"names are compared each with each": COMPARES_ALL},
    faultless=True,
)
