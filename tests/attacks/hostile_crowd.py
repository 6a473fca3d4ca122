"""Very many hostile HTTP clients in a process of their own: what each does, what it was told, how it ended.

They keep coming back until they are told to let go; then each waits for the server to be rid of it. Run as a
program it is told what to do by a line of JSON, and answers with lines of JSON. It judges nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import resource
import socket
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import uvloop

ROOT = Path(__file__).resolve().parents[2]
BEAT_SECONDS = 0.25
"""Between two bytes of those who send slowly, and before those come back who were sent away at once."""
AT_ONCE = 200
"""Connections that are being opened at the same time."""
GATHER_SECONDS = 120.0
"""For all of them to have begun; a server that does not let them has ended."""
QUICK_SHARE = 20
"""Of so many connections one is of a kind that is sent away at once: these come back and make work."""
PATH = "/user/charge"
EVIL = "<evil>"
"""Stands for a proper request, behind something that is none: it may never be carried out."""

RECEIVE, IDLE = "receive", "idle"
"""Which of the server's deadlines ends a connection."""


class Kind(NamedTuple):
    """What one of them does, and what a server may tell it."""

    what: str
    says: str
    told: tuple[str, ...]
    """Statuses in their order, as `2×200 400`; empty: it is closed without a word."""
    then: str = ""
    """Sent behind it again and again."""
    ends: str = ""
    """The deadline that ends it; empty: it is sent away at once."""
    shut: bool = False
    """Says that it will send no more, and waits."""
    deaf: bool = False
    """Takes no answers."""


def _head(*lines: str, target: str = PATH) -> str:
    return "\r\n".join((f"POST {target} HTTP/1.1", "Host: x", *lines, "", ""))


_GET = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
_LAST = "GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
_CHUNKED = "Transfer-Encoding: chunked"
_TRICKLE = ("408", "")
"""Its last bytes may cross the server's goodbye, which is then lost."""

KINDS = (
    Kind("silence", "", ("",), ends=RECEIVE),
    Kind("half a request line", "POST /us", ("408",), ends=RECEIVE),
    Kind("half a head", f"POST {PATH} HTTP/1.1\r\nHost: x\r\nA: ", ("408",), ends=RECEIVE),
    Kind("half a body", _head("Content-Length: 10") + "{", ("408",), ends=RECEIVE),
    Kind("half a chunk", _head(_CHUNKED) + "5\r\n{", ("408",), ends=RECEIVE),
    Kind("a slow request line", "POST /", _TRICKLE, then="a", ends=RECEIVE),
    Kind("a slow head", f"POST {PATH} HTTP/1.1\r\nHost: x\r\nA: ", _TRICKLE, then="a", ends=RECEIVE),
    Kind("a slow body", _head("Content-Length: 9999"), _TRICKLE, then=" ", ends=RECEIVE),
    Kind("a slow chunked body", _head(_CHUNKED), _TRICKLE, then="1\r\n \r\n", ends=RECEIVE),
    Kind("slow empty lines", "\r\n" * 5, _TRICKLE, then="\r\n", ends=RECEIVE),
    Kind("an answer, then half a request", _GET + "POST", ("200 408",), ends=RECEIVE),
    Kind("no ear for answers", _GET.replace("healthz", "openapi.json") * 2000, (), _GET, RECEIVE, deaf=True),
    Kind("ten pages, and no ear", _GET.replace("healthz", "docs") * 10, (), _GET, RECEIVE, deaf=True),
    Kind("a last page, and no ear", _LAST, (), _GET, RECEIVE, deaf=True),
    Kind("silence after an answer", _GET, ("200",), ends=IDLE),
    Kind("a hundred requests at once, then silence", _GET * 100, ("100×200",), ends=IDLE),
    Kind("a hundred requests at once, half-closed", _GET * 100, ("100×200",), shut=True),
    Kind("half-closed from the start", "", ("",), shut=True),
    Kind("half-closed within a head", "POST /us", ("",), shut=True),
    Kind("half-closed within a body", _head("Content-Length: 10") + "{", ("",), shut=True),
    Kind("HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n" + EVIL, ("200",)),
    Kind("HTTP/0.9", "GET /healthz\r\n\r\n" + EVIL, ("400",)),
    Kind("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + EVIL, ("400",)),
    Kind("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + EVIL, ("400",)),
    Kind("length and chunks", _head(_CHUNKED, "Content-Length: 5") + "0\r\n\r\n" + EVIL, ("400",)),
    Kind("chunks and length", _GET + _head("Content-Length: 5", _CHUNKED) + "0\r\n\r\n" + EVIL, ("200 400",)),
    Kind("two lengths", _head("Content-Length: 0", "Content-Length: 9") + EVIL, ("400",)),
    Kind(
        "hidden chunks",
        _head("Content-Length: 5", "Transfer-Encoding : chunked") + "0\r\n\r\n" + EVIL,
        ("400",),
    ),
    Kind("an unknown coding", _head("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n" + EVIL, ("501",)),
    Kind("a bare line end", "POST / HTTP/1.1\nHost: x\n\n" + EVIL, ("400",)),
    Kind("an endless head", _head("A: " + "a" * 17_000) + EVIL, ("431",)),
    Kind("too many headers", _head(*["A: a"] * 101) + EVIL, ("431",)),
    Kind("an endless path", _head(target="/user/" + "a" * 17_000) + EVIL, ("431",)),
    Kind("a body too large", _head("Content-Length: 16385") + EVIL, ("413",)),
    Kind("a body without end", _head("Content-Length: 99999999"), ("413", ""), then="x" * 65_536),
    Kind("chunks without end", _head(_CHUNKED) + "4001\r\n" + "x" * 0x4001 + EVIL, ("413",)),
    Kind("padding without end", _head(_CHUNKED) + "1;" + "x" * 150_000, ("413",)),
    Kind("an expectation", _head("Expect: miracles", "Content-Length: 0") + EVIL, ("417",)),
    Kind("a tunnel", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n" + EVIL, ("501",)),
)


class Wanted(NamedTuple):
    """What the program is told."""

    url: str
    many: int
    evil: str
    kinds: list[str]
    patience: float
    """Seconds to wait, once they let go, until all are gone."""


class Ending(NamedTuple):
    """What became of all connections of one kind."""

    told: dict[str, int]
    """What they were told, and how many of them."""
    open: int
    """Those that the server never got rid of."""
    longest: float
    """Seconds that the longest of them lasted."""


class Crowd:
    """The program, seen by who starts it."""

    def __init__(self, wanted: Wanted) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.hostile_crowd"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._say(wanted._asdict())

    def _say(self, line: Any) -> None:
        assert self._process.stdin is not None
        print(json.dumps(line), file=self._process.stdin, flush=True)

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def gathered(self) -> int:
        """Wait until every one of them has begun; how many they are."""
        return int(self._hear())

    def let_go(self) -> tuple[int, dict[str, Ending]]:
        """None comes back any more: how many were there at this moment, and how each kind ended."""
        self._say("let go")
        there, endings = self._hear()
        return there, {what: Ending(*ending) for what, ending in endings.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class Mob:
    """The program itself."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        target = urlsplit(wanted.url)
        self._address = (target.hostname, target.port)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._begun = 0
        self._all_begun = asyncio.Event()
        self._letting_go = False
        self._open: Counter[str] = Counter()
        self._told: dict[str, Counter[str]] = {kind: Counter() for kind in wanted.kinds}
        self._longest = dict.fromkeys(wanted.kinds, 0.0)

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._place(kind)) for kind in places(self._wanted)]
        await asyncio.wait_for(self._all_begun.wait(), GATHER_SECONDS)
        answer(self._begun)
        await asyncio.to_thread(sys.stdin.readline)
        self._letting_go = True
        there = self._open.total()
        _, open_ = await asyncio.wait(tasks, timeout=self._wanted.patience)
        answer(
            (there, {what: (self._told[what], self._open[what], self._longest[what]) for what in self._told})
        )
        for task in open_:
            task.cancel()

    async def _place(self, kind: Kind) -> None:
        """One after the other, as soon as the last was sent away."""
        for visit in itertools.count():
            if self._letting_go:
                return
            await self._visit(kind, first=visit == 0)
            if not kind.ends:
                await asyncio.sleep(BEAT_SECONDS)

    async def _visit(self, kind: Kind, first: bool) -> None:
        async with self._gate:
            reader, writer = await asyncio.open_connection(sock=await self._connected(kind))
            begun = asyncio.get_running_loop().time()
            self._open[kind.what] += 1
            writer.write(kind.says.replace(EVIL, self._wanted.evil).encode("latin-1"))
            if kind.shut:
                writer.write_eof()
        if first:
            self._begin()
        told = await conversation(kind, reader, writer)
        self._open[kind.what] -= 1
        self._told[kind.what][told] += 1
        lasted = asyncio.get_running_loop().time() - begun
        self._longest[kind.what] = max(self._longest[kind.what], lasted)

    async def _connected(self, kind: Kind) -> socket.socket:
        """Who takes no answers has no room for them either: what they cost is the server's."""
        line = socket.socket()
        line.setblocking(False)
        if kind.deaf:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        await asyncio.get_running_loop().sock_connect(line, self._address)
        return line

    def _begin(self) -> None:
        self._begun += 1
        if self._begun == self._wanted.many:
            self._all_begun.set()


def places(wanted: Wanted) -> list[Kind]:
    """A kind for each connection: most of them of those that stay."""
    kinds = [kind for kind in KINDS if kind.what in wanted.kinds]
    quick = [kind for kind in kinds if not kind.ends]
    stays = [kind for kind in kinds if kind.ends]
    few = max(len(quick), wanted.many // QUICK_SHARE)
    chosen = itertools.islice(itertools.cycle(quick), few)
    return [*chosen, *itertools.islice(itertools.cycle(stays), wanted.many - few)]


async def conversation(kind: Kind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Until the connection ends, however it does: the statuses that came back."""
    sending = asyncio.create_task(_send_on(kind, writer)) if kind.then else None
    told = ""
    try:
        if kind.deaf:
            await writer.wait_closed()
        else:
            told = await _heard(reader)
    except OSError:
        pass
    finally:
        if sending is not None:
            sending.cancel()
        writer.transport.abort()
    return told


async def _send_on(kind: Kind, writer: asyncio.StreamWriter) -> None:
    beat = 0.0 if len(kind.then) > 1024 else BEAT_SECONDS
    with suppress(OSError):
        while True:
            writer.write(kind.then.encode())
            if not kind.deaf:
                await writer.drain()
            await asyncio.sleep(beat)


async def _heard(reader: asyncio.StreamReader) -> str:
    """The statuses of all answers until the end; a reset is an end, too."""
    found: list[str] = []
    rest = b""
    with suppress(OSError):
        while data := await reader.read(65_536):
            *lines, rest = (rest + data).split(b"\r\n")
            found += [m[1].decode() for line in lines if (m := _status_line(line))]
    return " ".join(_counted(status, len(list(same))) for status, same in itertools.groupby(found))


_status_line = re.compile(rb".*HTTP/1\.1 (\d{3}) ", re.DOTALL).match
"""An answer's body has no line end of its own: the next answer's first line stands right behind it."""


def _counted(status: str, times: int) -> str:
    return status if times == 1 else f"{times}×{status}"


def answer(line: Any) -> None:
    print(json.dumps(line), flush=True)


def allow_connections() -> int:
    """As many open files as this machine lets us have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


if __name__ == "__main__":
    allow_connections()
    uvloop.run(Mob(Wanted(**json.loads(sys.stdin.readline()))).run())
