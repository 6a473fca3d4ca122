"""Reading pages of slot logs beside the writer, on threads and connections of their own.

A long page would hold up the event loop: SQLite reads on the thread that asks it, and making a thousand rows
takes a while on any engine. Partners take turns: at most one page of each is read at a time, and who has none
under way never waits behind all that another has asked for.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeVar

from caisse.core.round_log import LogQuery, Numbered
from caisse.store import opening
from caisse.store.api import Unavailable
from caisse.store.round_log import RoundLog

T = TypeVar("T")

READERS: Final = 2
"""Connections: one partner's slow page leaves the other one free."""
LISTINGS: Final = 64
"""Pages that may be read or waited for in all. A partner that has none is let in all the same."""
LISTINGS_EACH: Final = 8
"""Of one partner."""
READ_SECONDS: Final = 5.0
"""For one page, connecting included. A page takes milliseconds; who waits longer waits in vain."""
CLOSE_SECONDS: Final = 1.0


class Reader:
    """A thread with one connection. Connects again when that is gone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pages")
        self._runner = asyncio.Runner()
        self._log: RoundLog | None = None

    async def open(self) -> None:
        """Connect, or Unavailable."""
        await self._on_thread(self._connect)

    async def read(self, wanted: LogQuery) -> list[Numbered]:
        """A page. Raises whatever went wrong twice."""
        return await self._on_thread(lambda: self._read(wanted))

    async def _on_thread(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: self._runner.run(work()))

    async def _connect(self) -> RoundLog:
        self._log = self._log or await opening.round_log(self._url)
        return self._log

    async def _read(self, wanted: LogQuery) -> list[Numbered]:
        """Once more on a new connection: the old one may have been lost while nobody used it."""
        try:
            return await self._page(wanted)
        except Exception:
            await self._discard()
            return await self._page(wanted)

    async def _page(self, wanted: LogQuery) -> list[Numbered]:
        async with asyncio.timeout(READ_SECONDS):
            return await (await self._connect()).page(wanted)

    async def _discard(self) -> None:
        log, self._log = self._log, None
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                if log is not None:
                    await log.close()

    async def close(self) -> None:
        """Close the connection and its thread, once the page under way is read."""
        await self._on_thread(self._discard)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._runner.close)
        self._thread.shutdown()


Waiting = tuple[LogQuery, asyncio.Future[list[Numbered]]]


class RoundPages:
    """All readers of a process, and the pages that wait for them."""

    def __init__(self, url: str, readers: int = READERS) -> None:
        self._readers = [Reader(url) for _ in range(readers)]
        self._free = list(self._readers)
        self._waiting: dict[str, deque[Waiting]] = {}
        """By partner, the one whose turn is next first."""
        self._reading: dict[str, asyncio.Task[None]] = {}

    async def open(self) -> None:
        """Connect every reader. Unavailable if the database cannot be reached."""
        for reader in self._readers:
            await reader.open()

    async def read(self, wanted: LogQuery) -> list[Numbered]:
        """A page, in its partner's turn. Unavailable at once if too many wait; else whatever went wrong."""
        partner = wanted.partner
        mine = len(self._waiting.get(partner, ())) + (partner in self._reading)
        if mine >= LISTINGS_EACH or (mine and self._pages >= LISTINGS):
            raise Unavailable("too many pages of slot logs wait")
        found: asyncio.Future[list[Numbered]] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(partner, deque()).append((wanted, found))
        self._take_turns()
        return await found

    @property
    def _pages(self) -> int:
        return len(self._reading) + sum(map(len, self._waiting.values()))

    def _take_turns(self) -> None:
        """Give each free reader the page of the first partner of whom none is being read."""
        while self._free and (partner := self._next()):
            waiting = self._waiting.pop(partner)
            wanted, found = waiting.popleft()
            if waiting:
                self._waiting[partner] = waiting
            if not found.done():  # else its caller has given up
                reader = self._free.pop()
                self._reading[partner] = asyncio.ensure_future(self._read(reader, wanted, found))

    def _next(self) -> str | None:
        return next((partner for partner in self._waiting if partner not in self._reading), None)

    async def _read(self, reader: Reader, wanted: LogQuery, found: asyncio.Future[list[Numbered]]) -> None:
        try:
            rows = await reader.read(wanted)
        except Exception as error:
            if not found.done():
                found.set_exception(error)
        else:
            if not found.done():
                found.set_result(rows)
        finally:
            del self._reading[wanted.partner]
            self._free.append(reader)
            self._take_turns()

    async def close(self) -> None:
        """Close the readers, once the pages under way are read."""
        for reader in self._readers:
            await reader.close()
