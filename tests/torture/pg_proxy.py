"""A proxy between a server and PostgreSQL that tells one message from the next, to strike at any of them.

It runs on a thread of its own. Of caisse it knows only how to tell its statements apart. No TLS.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

FRONTEND: Final = {
    **{"P": "Parse", "D": "Describe", "B": "Bind", "E": "Execute", "S": "Sync", "H": "Flush"},
    **{"Q": "Query", "C": "Close", "X": "Terminate"},
}
BACKEND: Final = {
    **{"1": "ParseComplete", "t": "ParameterDescription", "T": "RowDescription", "n": "NoData"},
    **{"2": "BindComplete", "D": "DataRow", "C": "CommandComplete", "s": "PortalSuspended"},
    **{"Z": "ReadyForQuery", "E": "ErrorResponse", "N": "NoticeResponse", "3": "CloseComplete"},
}
MARKS: Final = {
    "insert into journal": "write",
    "pg_logical_emit_message": "proof",
    "for no key update": "lock",
    "as wanted": "read",
    "insert into attempt": "record",
    "synchronous_commit": "setting",
    "begin": "begin",
    "commit": "commit",
}
"""What a statement contains -> what it is for; the first that fits. Other statements are never struck."""

CUT_BEFORE: Final = "cut before a message"
CUT_WITHIN: Final = "cut within a message"
CUT_AFTER: Final = "cut after a message"
HANG: Final = "silence from a message on"
STALL_BEFORE: Final = "stall before a message"
STALL_AFTER: Final = "stall after a message"
DELAY: Final = "one message delayed"
WAYS: Final = (CUT_BEFORE, CUT_WITHIN, CUT_AFTER, HANG, STALL_BEFORE, STALL_AFTER, DELAY)


class Point(NamedTuple):
    """A place in the conversation."""

    phase: str
    """What the statement is for, and whether it is being prepared."""
    message: str


class Strike(NamedTuple):
    """What is done to the next message at a point."""

    point: Point
    way: str


class Proxy:
    """Listens on a free port of this machine, as long as it is entered."""

    def __init__(self, url: str, stall_seconds: float) -> None:
        self._target = urlsplit(url)
        self._stall_seconds = stall_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._aim: Strike | None = None
        self._links: set[_Link] = set()
        self._port = 0
        self.seen: set[Point] = set()
        """Every place that any conversation has come to."""
        self.silent = False
        """Nothing passes any more, on any connection."""

    @property
    def url(self) -> str:
        """The database's address by way of this proxy."""
        login = self._target.netloc.rpartition("@")[0]
        netloc = f"{login}@127.0.0.1:{self._port}"
        return self._target._replace(netloc=netloc, query="sslmode=disable").geturl()

    def aim(self, strike: Strike | None) -> None:
        """Strike once, at the next such message; None: let all pass."""
        self._aim = strike

    @property
    def struck(self) -> bool:
        """Whether the last strike has happened."""
        return self._aim is None

    def cut_all(self) -> int:
        """End every connection wherever it stands; how many there were."""
        return asyncio.run_coroutine_threadsafe(self._cut_all(), self._loop).result()

    async def _cut_all(self) -> int:
        links = list(self._links)
        for link in links:
            link.cut()
        return len(links)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._accept, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        self._port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_all()
        asyncio.run_coroutine_threadsafe(self._ended(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _ended(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            writer.close()
            return
        link = _Link(self, _Side(reader, writer), _Side(*there), self._stall_seconds)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    def way_at(self, point: Point) -> str:
        """How to strike at this message; empty: not at all."""
        self.seen.add(point)
        if self._aim is None or self._aim.point != point:
            return ""
        way, self._aim = self._aim.way, None
        return way


class _Side(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Link:
    """One client's connection and the one that was made for it."""

    def __init__(self, proxy: Proxy, client: _Side, server: _Side, stall_seconds: float) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._stall_seconds = stall_seconds
        self._phase = ""
        self._statements: dict[bytes, str] = {}
        self._open = asyncio.Event()
        self._open.set()
        self._deaf = False

    async def run(self) -> None:
        """Until either side hangs up."""
        pumps = [asyncio.create_task(self._ask()), asyncio.create_task(self._answer())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._client.writer.close()
            self._server.writer.close()

    def cut(self) -> None:
        """Both ends are gone, and what was under way with them."""
        self._client.writer.transport.abort()
        self._server.writer.transport.abort()

    async def _ask(self) -> None:
        source, sink = self._client.reader, self._server.writer
        length = await source.readexactly(4)  # the greeting has no type
        sink.write(length + await source.readexactly(int.from_bytes(length) - 4))
        while True:
            kind, message = await _message(source)
            name = FRONTEND.get(kind, kind)
            self._note(name, message[5:])
            await self._pass(name, message, sink)

    async def _answer(self) -> None:
        while True:
            kind, message = await _message(self._server.reader)
            await self._pass(BACKEND.get(kind, kind), message, self._client.writer)

    def _note(self, name: str, body: bytes) -> None:
        """Follow what the conversation is about: answers belong to the last question."""
        if name == "Parse":
            statement, text, *_ = body.split(b"\0")
            self._statements[statement] = purpose(text)
            self._phase = purpose(text) and f"preparing a {purpose(text)}"
        elif name == "Bind":
            self._phase = self._statements.get(body.split(b"\0")[1], "")
        elif name in ("Query", "Terminate"):
            self._phase = purpose(body)

    async def _pass(self, name: str, message: bytes, sink: asyncio.StreamWriter) -> None:
        await self._open.wait()
        if self._proxy.silent:
            self._deaf = True
        way = self._proxy.way_at(Point(self._phase, name)) if self._phase else ""
        self._deaf = self._deaf or way == HANG
        if way == CUT_BEFORE:
            self.cut()
            raise _Over
        if way == STALL_BEFORE:
            await self._stall()
        if way == DELAY:
            await asyncio.sleep(DELAY_SECONDS)
        if not self._deaf:
            sink.write(message[: len(message) // 2] if way == CUT_WITHIN else message)
            await sink.drain()
        if way in (CUT_WITHIN, CUT_AFTER):
            raise _Over
        if way == STALL_AFTER:
            await self._stall()

    async def _stall(self) -> None:
        """Neither way does anything pass for a while."""
        self._open.clear()
        await asyncio.sleep(self._stall_seconds)
        self._open.set()


class _Over(Exception):
    """Nothing more passes."""


DELAY_SECONDS: Final = 0.02


async def _message(source: asyncio.StreamReader) -> tuple[str, bytes]:
    head = await source.readexactly(5)
    return chr(head[0]), head + await source.readexactly(int.from_bytes(head[1:]) - 4)


def purpose(text: bytes) -> str:
    """What a statement is for; empty: none of the writer's."""
    found = text.decode(errors="replace").lower()
    return next((purpose for mark, purpose in MARKS.items() if mark in found), "")
