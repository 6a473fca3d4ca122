"""From a database URL to an open store: `sqlite:///path/to/file` or `postgresql://user@host/name`."""

from pathlib import Path

from caisse.store.api import Database, Ledger
from caisse.store.connecting import connect
from caisse.store.postgres import SETTINGS, PostgresDatabase, PostgresLedger
from caisse.store.round_log import RoundLog
from caisse.store.round_log_postgres import PostgresRoundLog
from caisse.store.round_log_sqlite import SqliteRoundLog
from caisse.store.sqlite import SqliteDatabase, SqliteLedger


class BadUrl(ValueError):
    """A database URL that names no engine of ours; the text says what would do."""


def sqlite_path(url: str) -> Path | None:
    """The file that an SQLite URL names, links followed, so that one file has one lock; None for PostgreSQL.

    BadUrl for anything else.
    """
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        if path:
            return Path(path).resolve()
    elif url.startswith(("postgresql://", "postgres://")):
        return None
    raise BadUrl("a database URL is sqlite:///path/to/file or postgresql://user@host/name")


def ledger(url: str) -> Ledger:
    """A connection for a writer; it connects when first used."""
    path = sqlite_path(url)
    return SqliteLedger(path) if path else PostgresLedger(url)


async def database(url: str) -> Database:
    """A connection for administration and reading. Unavailable if there is none to be had."""
    path = sqlite_path(url)
    if path is None:
        return PostgresDatabase(await connect(url, {"application_name": SETTINGS["application_name"]}))
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteDatabase(path)


async def round_log(url: str) -> RoundLog:
    """A connection for the slot log. Unavailable if there is none to be had."""
    path = sqlite_path(url)
    return SqliteRoundLog(path) if path else await PostgresRoundLog.open(url)
