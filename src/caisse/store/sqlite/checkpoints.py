"""Checkpoints of SQLite's log, beside the writer instead of within its commits.

SQLite by itself moves the log into the database file at the end of the commit that makes it a thousand pages
long, and that commit waits for it. Here a connection of its own does that on a thread of its own, for a log
up to four times as long: a page that many refunds changed is moved once. What was committed meanwhile is
little, and the writer moves it itself, so that the log can begin anew. Measured: a fifth more refunds a
second.

While the disk is busy with that, commits wait for it, the longer the longer the log is. So where commits are
small, for the load is, the log is kept short.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

import apsw

log = logging.getLogger("caisse.store.checkpoints")

COMMITS: Final = 40
"""Commits like the last one that the log has room for before it is moved: between `LEAST` and `PAGES`."""
LEAST: Final = 300
"""Pages of the log that are worth moving, 1.2 MiB: some milliseconds of the disk."""
PAGES: Final = 4_000
"""Length of the log at which moving begins at the latest, 16 MiB: longer is faster, with a longer tail."""
MOST: Final = 64_000
"""Length, 256 MiB, at which commits wait for it: a disk that cannot follow must slow the writer down."""
TAIL: Final = 200
"""Pages that the writer may move itself, some milliseconds."""
PASSES: Final = 4
"""How often a look is taken at what came meanwhile."""


class Checkpoints:
    """Moves the log of one file."""

    def __init__(self, opened: Callable[[], apsw.Connection]) -> None:
        self._opened = opened
        self._connection: apsw.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._moving: Future[None] | None = None
        self._pages = 0
        self._kept = 0
        self.unsynced: apsw.Error | None = None
        """A sync that failed. A system may tell that only once, and it may have been meant for the log of the
        commit that is under way: that commit must not be told as durable.
        """

    def open(self) -> None:
        """Open the connection now: later, all files may be taken by clients."""
        if self._connection is None:
            self._connection = self._opened()

    def follow(self, writer: apsw.Connection) -> None:
        """Take over from SQLite for this connection's commits."""
        writer.set_wal_hook(self._after_commit)

    def _after_commit(self, writer: apsw.Connection, _: str, pages: int) -> int:
        """What SQLite calls on the committing thread. An error here must not look like one of the commit."""
        grown = pages - self._pages if pages > self._pages else pages
        self._pages = pages
        if self._moving is None:
            if pages < self._kept:  # the log began anew
                self._kept = 0
            if pages - self._kept >= min(PAGES, max(LEAST, COMMITS * grown)):
                self._moving = self._thread.submit(self._move)
            return apsw.SQLITE_OK
        if pages >= MOST:
            wait([self._moving])
        if self._moving.done():
            self._moving = None
            self._kept = pages if self._moved(writer) else 0
        return apsw.SQLITE_OK

    def _move(self) -> None:
        try:
            self.open()
        except Exception as error:
            log.warning("no connection for checkpoints: %s", error)
            return
        for _ in range(PASSES):
            if self._connection is not None and self._moved(self._connection) < TAIL:
                return

    def _moved(self, connection: apsw.Connection) -> int:
        """Move what can be moved without waiting for anybody; how many pages are left, -1 after an error."""
        try:
            pages, moved = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            log.warning("a checkpoint failed and will be tried again: %s", error)
            if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_FSYNC:
                self.unsynced = error
            return -1
        return pages - moved

    def close(self) -> None:
        """Wait for what is under way."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
