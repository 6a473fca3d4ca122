"""What can become of storage, and how each engine is brought into it.

A trouble begins and ends when told; the rest is `storage`'s.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import apsw

from tests.support.postgres import Postgres, PostgresError, run, unprivileged_account
from tests.support.rig import House
from tests.support.server import DidNotStart, Server
from tests.torture.faulty_vfs import MAIN, WAL, Disk, Failure


class Trouble(NamedTuple):
    """Something that storage does."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]
    struck: Callable[[], bool] | None = None
    """Whether it has been felt since it began; None: it is felt once clients are told to send again."""
    fatal: bool = False
    """The server has to end by itself: what became of a commit cannot be known."""
    lasts: bool = False
    """It is still there when the server starts again."""


FAILURES: Final = {
    "no space (ENOSPC) for the log": Failure(WAL, "write", apsw.SQLITE_FULL),
    "EIO at fsync of the log": Failure(WAL, "sync", apsw.SQLITE_IOERR_FSYNC, once=True),
    "EIO at fsync of the log, pages dropped": Failure(
        WAL, "sync", apsw.SQLITE_IOERR_FSYNC, lost=True, once=True
    ),
    "no space in the midst of a page of the log": Failure(WAL, "write", apsw.SQLITE_FULL, half=True),
    "EIO writing the log": Failure(WAL, "write", apsw.SQLITE_IOERR_WRITE),
    "no space (ENOSPC) for the database": Failure(MAIN, "write", apsw.SQLITE_FULL),
    "EIO writing half a page of the database": Failure(MAIN, "write", apsw.SQLITE_IOERR_WRITE, half=True),
    "EIO at fsync of the database, pages dropped": Failure(
        MAIN, "sync", apsw.SQLITE_IOERR_FSYNC, lost=True, once=True
    ),
}
"""Those of the log are a commit's, and those of any sync may be. The others only put a checkpoint off."""


class SqliteTroubles:
    """A failing disk, a file that may not grow, a reader that never ends, a second server."""

    def __init__(self, folder: Path, house: House) -> None:
        self._disk = Disk(folder)
        self._server = house.server
        self._path = Path(house.db.removeprefix("sqlite:///"))
        self._wal = Path(f"{self._path}{WAL}")
        self._held = ExitStack()
        self._second = Server(house.db, folder)
        self._enough = 0
        self._refused = False
        self.prelude = self._disk.prelude + SHORT_LOG

    def all(self) -> list[Trouble]:
        """In the order in which they are played."""
        failing = [self._failing(name, failure) for name, failure in FAILURES.items()]
        stuck = Trouble("a reader that blocks every checkpoint", self._hold, self._release, self._grew)
        second = Trouble("a second server on the file", self._start_second, lambda: None, self._was_refused)
        limit = Trouble("files that may not grow (EFBIG)", self._limit, lambda: None, self._ended, fatal=True)
        return [*failing[:3], stuck, second, limit, *failing[3:]]

    def _failing(self, name: str, failure: Failure) -> Trouble:
        disk = self._disk
        begin = partial(disk.fail, failure)
        fatal = failure.file == WAL or failure.call == "sync"
        return Trouble(
            name, begin, disk.mend, lambda: disk.struck, fatal=fatal, lasts=fatal and not failure.once
        )

    def _hold(self) -> None:
        """A read transaction that does not end: no checkpoint gets past it, and the log only grows."""
        self._enough = self._size() + GROWTH
        reader = apsw.Connection(str(self._path))
        self._held.callback(reader.close)
        reader.execute("begin")
        reader.execute("select count(*) from journal").fetchall()

    def _release(self) -> None:
        self._held.close()

    def _grew(self) -> bool:
        return self._size() >= self._enough

    def _size(self) -> int:
        return self._wal.stat().st_size if self._wal.exists() else 0

    def _limit(self) -> None:
        """The kernel's own refusal: first no checkpoint succeeds, then the log cannot grow. It ends with the
        process, whose own log still has room.
        """
        most = max(self._path.stat().st_size, len(self._server.log) + GROWTH)
        _, hard = resource.prlimit(self._server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._server.pid, resource.RLIMIT_FSIZE, (most, hard))

    def _ended(self) -> bool:
        return not self._server.runs

    def _start_second(self) -> None:
        self._refused = False
        try:
            self._second.start()
        except DidNotStart as error:
            self._refused = error.status == NO_DATABASE and "already served by another process" in error.log
        else:
            self._second.kill()

    def _was_refused(self) -> bool:
        assert self._refused, "a second server was not refused as it should be"
        return True


SHORT_LOG: Final = """
from caisse.store.sqlite import checkpoints

checkpoints.PAGES = 30
"""
"""So that a storm of some seconds sees many checkpoints."""
NO_DATABASE: Final = 3
"""The exit status of a server that cannot use its database."""
GROWTH: Final = 1 << 18
"""Bytes: twice what the log holds between two checkpoints, and more than the server's own log grows by."""


class PostgresTroubles:
    """A full disk, a broken one, one that may only be read, a log that cannot be written any more."""

    prelude = ""

    def __init__(self, postgres: Postgres, house: House) -> None:
        self._postgres = postgres
        self._name = urlsplit(house.db).path[1:]

    def all(self) -> list[Trouble]:
        """In the order in which they are played."""
        return [
            Trouble("no space (53100) at the write", partial(self._fail, AT_ONCE, FULL), self._succeed),
            Trouble("a log that cannot be written (EFBIG): PANIC", self._limit, lambda: None),
            Trouble("no space (53100) at the commit", partial(self._fail, AT_COMMIT, FULL), self._succeed),
            Trouble("a database that is read only", self._close, self._open),
            Trouble("EIO (58030) at the write", partial(self._fail, AT_ONCE, BROKEN), self._succeed),
            Trouble("EIO (58030) at the commit", partial(self._fail, AT_COMMIT, BROKEN), self._succeed),
        ]

    def _sql(self, *statements: str) -> list[str]:
        return [self._postgres.sql(statement, self._name) for statement in statements]

    def _fail(self, trigger: str, error: str) -> None:
        self._sql(FAIL.format(error=error) + trigger)

    def _succeed(self) -> None:
        self._sql(SUCCEED)

    def _close(self) -> None:
        self._sql("alter system set default_transaction_read_only = on", RELOAD)

    def _open(self) -> None:
        self._sql("alter system reset default_transaction_read_only", RELOAD)

    def _limit(self) -> None:
        """The kernel's own refusal, for the processes that write caisse's commits; one brings all down."""
        for process in self._sql(BACKENDS)[0].split():
            with suppress(PostgresError):
                run(["prlimit", f"--pid={process}", f"--fsize={PAGE}:"], unprivileged_account())


RELOAD: Final = "select pg_reload_conf()"
BACKENDS: Final = "select pid from pg_stat_activity where application_name = 'caisse'"
FAIL: Final = """
create function fail() returns trigger language plpgsql as $$ begin raise exception {error}; end $$;
"""
AT_ONCE: Final = "create trigger fail before insert on journal execute function fail()"
AT_COMMIT: Final = """create constraint trigger fail after insert on journal deferrable initially deferred
for each row execute function fail()"""
SUCCEED: Final = "drop function fail() cascade"
FULL: Final = "using errcode = '53100', message = 'could not extend file: No space left on device'"
BROKEN: Final = "using errcode = '58030', message = 'could not fsync file: Input/output error'"
PAGE: Final = 8192
"""Bytes: all of a log's file but its beginning is out of reach."""
