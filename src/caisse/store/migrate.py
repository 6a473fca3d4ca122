"""Numbered migrations, forward only: one SQL file for each engine and step, applied in order, once.

The number in the file's name is the schema's version. A database is used only by code of its own version.
"""

from importlib import resources
from typing import Final

from caisse.store.api import Database, Unavailable, Unsuitable
from caisse.store.opening import sqlite_path

TABLE: Final = """
create table if not exists migration (
    number      integer not null primary key,
    name        text not null,
    applied_at  bigint not null
)"""


OURS: Final = frozenset({"connection", "journal", "partner", "player", "round", "token"})
"""Names that another program may have used, too."""
OWN: Final = "Give caisse a database or a schema of its own"


class WrongVersion(Exception):
    """The database's schema is not this code's; the text says what to do."""


def migrations(url: str) -> list[tuple[int, str, str]]:
    """(number, name, SQL) of every migration for the URL's engine, in order."""
    engine = "sqlite" if sqlite_path(url) else "postgres"
    folder = resources.files("caisse.store").joinpath("migrations", engine)
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name[:4]), f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files]


async def applied(db: Database) -> list[int]:
    """The numbers of the migrations that this database has. Unsuitable if its tables are not caisse's."""
    tables = await db.tables()
    if "migration" not in tables:
        if foreign := sorted(tables & OURS):
            raise Unsuitable(f"this database holds tables of another program: {', '.join(foreign)}. {OWN}")
        return []
    try:
        return [
            int(row[0]) for row in await db.fetch("select number from migration order by number, applied_at")
        ]
    except Unavailable as error:
        raise Unsuitable(
            f"the table migration is not caisse's, or may not be read: {error}. {OWN}"
        ) from error


async def migrate(db: Database, url: str, now: int) -> list[str]:
    """Apply what is missing; the names of what was applied. WrongVersion if the database is newer."""
    await applied(db)  # refuses a database of another program before anything is made there
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
