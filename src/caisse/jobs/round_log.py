"""Numbering the rows of the slot log that fell due, some hundred milliseconds after their money moved (R57).

Any number of servers do it at once: the store lets one at a time number a partner's rows. A server that is
killed leaves nothing behind but rows that the next one numbers.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeVar

from caisse.store import opening
from caisse.store.api import FateUnknown
from caisse.store.round_log import RoundLog

T = TypeVar("T")

log = logging.getLogger("caisse.jobs.round_log")

PAUSE_SECONDS: Final = 0.5
"""Between two looks at the queue: late enough to number many at once, soon enough for who polls."""
BREATH_SECONDS: Final = 0.02
"""Between two steps while more wait: room for the writer, which on SQLite cannot write meanwhile."""
ROWS_A_STEP: Final = 500
"""Numbered in one transaction: a few milliseconds, for which SQLite's writer may have to wait."""
STEP_SECONDS: Final = 30.0
"""For a step on PostgreSQL; then its connection is dropped. Nothing depends on how it ended."""
CLOSE_SECONDS: Final = 1.0


class Numbering:
    """The job of one process."""

    def __init__(self, url: str, pause: float = PAUSE_SECONDS) -> None:
        self._url = url
        self._pause = pause
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="round-log")
        self._runner = asyncio.Runner()
        self._log: RoundLog | None = None

    async def open(self) -> None:
        """Connect, or Unavailable."""
        await self._on_thread(self._connect)

    async def run(self) -> None:
        """Number for ever. FateUnknown if the process must end, as where SQLite could not sync its file."""
        while True:
            more = await self.step()
            await asyncio.sleep(BREATH_SECONDS if more else self._pause)

    async def step(self) -> bool:
        """Some rows of every partner who has any; whether more wait. What fails is logged and comes again."""
        try:
            return await self._on_thread(self._step)
        except FateUnknown:
            raise
        except Exception as error:
            log.warning("the slot log waits: %s", str(error) or type(error).__name__)
            return False

    async def _on_thread(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: self._runner.run(work()))

    async def _step(self) -> bool:
        try:
            async with asyncio.timeout(STEP_SECONDS):
                return await self._every_partner(await self._connect())
        except BaseException:
            await self._discard()
            raise

    async def _every_partner(self, opened: RoundLog) -> bool:
        more = False
        partner = await opened.next_partner("")
        while partner is not None:
            more |= await opened.number(partner, ROWS_A_STEP) == ROWS_A_STEP
            partner = await opened.next_partner(partner)
        return more

    async def _connect(self) -> RoundLog:
        self._log = self._log or await opening.round_log(self._url)
        return self._log

    async def _discard(self) -> None:
        opened, self._log = self._log, None
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                if opened is not None:
                    await opened.close()

    async def close(self) -> None:
        """Close the connection and its thread, once the step under way is done."""
        await self._on_thread(self._discard)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._runner.close)
        self._thread.shutdown()
