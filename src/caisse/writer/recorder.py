"""The recorder: takes attempts to their table, about a second after the answer, on a lane's own connection.

All lanes of a process share one, so that a limit of lines is the process's. Nothing waits for it and nothing
decides by it. A line that the database did not take is tried again; only a crash, a value that cannot be
stored and want of room lose lines.
"""

import logging
import time

from caisse.core.attempts import Attempt, Attempts
from caisse.store.api import BadData, Conflict, Ledger, Unavailable

log = logging.getLogger("caisse.recorder")


class Recorder:
    """The attempts of a process. `unrecorded` counts those that are lost."""

    def __init__(self, room: int, seconds: float) -> None:
        self.attempts = Attempts(room)
        self._seconds = seconds
        self._wrote = time.monotonic()
        self._bad = 0

    @property
    def unrecorded(self) -> int:
        """Lines lost since the start: without room, or refused by the database."""
        return self.attempts.dropped + self._bad

    def due(self, now: float) -> bool:
        """Whether there is something to write, and it is time; `now` is monotonic."""
        return len(self.attempts) > 0 and now - self._wrote > self._seconds

    async def write(self, ledger: Ledger) -> None:
        """Write all that waits. FateUnknown if the process must start again; no other failure comes out."""
        self._wrote = time.monotonic()
        if lines := self.attempts.take():
            await self._write(ledger, lines)

    async def _write(self, ledger: Ledger, lines: list[Attempt]) -> None:
        try:
            await ledger.record(lines)
        except (Unavailable, Conflict) as error:
            self.attempts.give_back(lines)
            log.warning("attempts not written down yet: %d, since %s", len(lines), error)
        except BadData as error:
            await self._isolate(ledger, lines, error)

    async def _isolate(self, ledger: Ledger, lines: list[Attempt], error: BadData) -> None:
        """Find by halving the line that cannot be stored, and leave it out."""
        if len(lines) == 1:
            self._bad += 1
            log.error("an attempt cannot be stored: %s", type(error.__cause__).__name__)
            return
        middle = len(lines) // 2
        await self._write(ledger, lines[:middle])
        await self._write(ledger, lines[middle:])
