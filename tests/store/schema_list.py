"""Writes `schema.txt`, what the PostgreSQL migrations make: `python -m tests.store.schema_list`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from caisse.store import opening, schema
from caisse.store.migrate import migrate
from tests.support.postgres import Postgres

FILE = Path(schema.__file__).parent / "migrations" / "schema.txt"
RELATIONS = """
select relname::text from pg_class
where relkind in ('r', 'v', 'c') and relnamespace = 'public'::regnamespace"""
FUNCTIONS = "select proname::text from pg_proc where pronamespace = 'public'::regnamespace"


async def listed(url: str) -> str:
    """What a fresh database has after migrating, as the file has it."""
    db = await opening.database(url)
    try:
        await migrate(db, url, 1)
        relations, functions = [[row[0] for row in await db.fetch(sql)] for sql in (RELATIONS, FUNCTIONS)]
        return schema.written(await schema.objects(db, relations, functions))
    finally:
        await db.close()


if __name__ == "__main__":
    with Postgres() as server:
        FILE.write_text(asyncio.run(listed(server.create_database())))
