"""Reading pages of rounds beside the writer, on a thread and a connection of their own.

A long page would hold up the event loop: SQLite reads on the thread that asks it, and making a thousand rows
takes a while on any engine. One page is read at a time.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from caisse.core.book import Round
from caisse.store import opening, reading
from caisse.store.api import Database

READ_SECONDS: Final = 5.0
"""For one page, connecting included. A page takes milliseconds; who waits longer waits in vain."""
CLOSE_SECONDS: Final = 1.0


class RoundPages:
    """Connects when opened, or first asked, and again when the connection is gone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pages")
        self._runner = asyncio.Runner()
        self._db: Database | None = None

    async def open(self) -> None:
        """Connect now. Unavailable if there is no database to be had."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._runner.run, self._connect())

    async def _connect(self) -> Database:
        self._db = self._db or await opening.database(self._url)
        return self._db

    async def read(self, partner: str, start: int, limit: int) -> list[Round]:
        """A page of `reading.played_rounds`. Raises whatever went wrong twice."""

        def work() -> list[Round]:
            return self._runner.run(self._read(partner, start, limit))

        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _read(self, partner: str, start: int, limit: int) -> list[Round]:
        """Once more on a new connection: the old one may have been lost while nobody used it."""
        try:
            return await self._page(partner, start, limit)
        except Exception:
            await self._discard()
            return await self._page(partner, start, limit)

    async def _page(self, partner: str, start: int, limit: int) -> list[Round]:
        async with asyncio.timeout(READ_SECONDS):
            return await reading.played_rounds(await self._connect(), partner, start, limit)

    async def _discard(self) -> None:
        db, self._db = self._db, None
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                if db is not None:
                    await db.close()

    async def close(self) -> None:
        """Close the connection and its thread, once the page under way is read."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._thread.shutdown()

    def _end(self) -> None:
        self._runner.run(self._discard())
        self._runner.close()
