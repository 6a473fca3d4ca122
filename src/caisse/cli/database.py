"""Opening a database for a command: it must be there, and be of this code's version."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from caisse.cli.failures import NoDatabase
from caisse.store import migrate, opening
from caisse.store.api import Database
from caisse.writer.writer import clock


@asynccontextmanager
async def to_read(url: str) -> AsyncIterator[Database]:
    """A database that is there already; nothing is changed or made by looking at it. A standby will do."""
    _must_be_there(url)
    db = await opening.database(url, read_only=True)
    try:
        await migrate.check_version(db, url)
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def to_change(url: str) -> AsyncIterator[Database]:
    """A database that is there already, to change what is in it."""
    _must_be_there(url)
    async with to_migrate(url) as db:
        await migrate.check_version(db, url)
        yield db


def _must_be_there(url: str) -> None:
    path = opening.sqlite_path(url)
    if path is not None and not path.exists():
        raise NoDatabase(f"there is no database {path}. Is --db right? 'caisse migrate' makes one")


@asynccontextmanager
async def to_write(url: str) -> AsyncIterator[Database]:
    """A database to administer. A new SQLite file is made whole; PostgreSQL needs `caisse migrate` first."""
    async with to_migrate(url) as db:
        if opening.sqlite_path(url) is not None and not await migrate.applied(db):
            await migrate.migrate(db, url, clock())
        await migrate.check_version(db, url)
        yield db


@asynccontextmanager
async def to_migrate(url: str) -> AsyncIterator[Database]:
    """A database of whatever version."""
    try:
        db = await opening.database(url)
    except OSError as error:
        raise NoDatabase(f"cannot use the database: {error}. Is --db right?") from error
    try:
        yield db
    finally:
        await db.close()
