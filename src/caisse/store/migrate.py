"""Numbered migrations, forward only: one SQL file for each engine and step, applied in order, once.

The number in the file's name is the schema's version. A database is used only by code of its own version.
"""

from importlib import resources
from typing import Final

from caisse.store.api import Database, Unavailable
from caisse.store.opening import sqlite_path

TABLE: Final = """
create table if not exists migration (
    number      integer not null primary key,
    name        text not null,
    applied_at  bigint not null
)"""


class WrongVersion(Exception):
    """The database's schema is not this code's; the text says what to do."""


def migrations(url: str) -> list[tuple[int, str, str]]:
    """(number, name, SQL) of every migration for the URL's engine, in order."""
    engine = "sqlite" if sqlite_path(url) else "postgres"
    folder = resources.files("caisse.store").joinpath("migrations", engine)
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name[:4]), f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files]


async def applied(db: Database) -> list[int]:
    """The numbers of the migrations that this database has."""
    if "migration" not in await db.tables():
        return []
    return [int(row[0]) for row in await db.fetch("select number from migration order by number")]


async def migrate(db: Database, url: str, now: int) -> list[str]:
    """Apply what is missing; the names of what was applied. WrongVersion if the database is newer."""
    await db.script(TABLE)
    have = await applied(db)
    steps = migrations(url)
    _refuse_newer(have, steps)
    done = []
    for number, name, sql in steps:
        if number not in have and await _apply(db, number, f"({number}, '{name}', {now})", sql):
            done.append(name)
    return done


async def _apply(db: Database, number: int, record: str, sql: str) -> bool:
    """False if another process was faster: recording the number comes first, and only one can."""
    try:
        await db.script(f"insert into migration values {record};\n{sql}")
    except Unavailable:
        if number in await applied(db):
            return False
        raise
    return True


async def check_version(db: Database, url: str) -> None:
    """WrongVersion unless the database is exactly of this code's version."""
    have = await applied(db)
    steps = migrations(url)
    _refuse_newer(have, steps)
    if len(have) < len(steps):
        raise WrongVersion(
            f"the database is at version {max(have, default=0)}, this caisse needs {steps[-1][0]}: "
            "run 'caisse migrate --db …' first"
        )


def _refuse_newer(have: list[int], steps: list[tuple[int, str, str]]) -> None:
    newest = steps[-1][0]
    if have and have[-1] > newest:
        raise WrongVersion(
            f"the database is at version {have[-1]}, this caisse only knows {newest}: install a newer caisse"
        )
