"""From a database URL to an open store: `sqlite:///path/to/file` or `postgresql://user@host/name`."""

from pathlib import Path

from caisse.store.api import Database, Ledger
from caisse.store.postgres import conninfo
from caisse.store.postgres.connecting import connect
from caisse.store.postgres.conninfo import BadUrl as BadUrl
from caisse.store.postgres.postgres import NAMED, PostgresDatabase, PostgresLedger
from caisse.store.postgres.round_log import PostgresRoundLog
from caisse.store.round_log import RoundLog
from caisse.store.sqlite.round_log import SqliteRoundLog
from caisse.store.sqlite.sqlite import SqliteDatabase, SqliteLedger


def sqlite_path(url: str) -> Path | None:
    """The file that an SQLite URL names, links followed, so that one file has one lock; None for PostgreSQL.

    BadUrl for anything else.
    """
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        if path:
            return Path(path).resolve()
    elif url.startswith(conninfo.SCHEMES):
        conninfo.parse(url)
        return None
    raise BadUrl("a database URL is sqlite:///path/to/file or postgresql://user@host/name")


def ledger(url: str) -> Ledger:
    """A connection for a writer; it connects when it is opened, or first used."""
    path = sqlite_path(url)
    return SqliteLedger(path) if path else PostgresLedger(url)


async def database(url: str, *, read_only: bool = False) -> Database:
    """A connection for administration, or for reading only.

    Without `read_only` an SQLite file is made if there is none, and a PostgreSQL standby will not do.
    Unavailable if there is none to be had.
    """
    path = sqlite_path(url)
    if path is None:
        return PostgresDatabase(await connect(url, NAMED, writes=not read_only), current=not read_only)
    return SqliteDatabase(path, read_only=read_only)


async def round_log(url: str) -> RoundLog:
    """A connection for the slot log. Unavailable if there is none to be had."""
    path = sqlite_path(url)
    return SqliteRoundLog(path) if path else await PostgresRoundLog.open(url)
