"""`caisse migrate`: bring a database to this version."""

import asyncio

import click

from caisse.cli import options, output
from caisse.cli.database import to_migrate
from caisse.store import migrate as migrations
from caisse.writer.writer import clock


@click.command
@options.database
@options.as_json
def migrate(url: str, as_json: bool) -> None:
    """Apply the migrations that the database lacks.

    Forward only, each in one transaction. A new SQLite file is made. Stop the servers on the database first
    if migrations are missing: a server works only with a database of its own version.
    """
    applied, version = asyncio.run(_migrate(url))
    if as_json:
        output.emit({"applied": applied, "version": version})
        return
    for name in applied:
        output.say(f"applied {name}")
    output.say(f"the database is {'now ' if applied else ''}up to date, at version {version}")


async def _migrate(url: str) -> tuple[list[str], int]:
    async with to_migrate(url) as db:
        names = await migrations.migrate(db, url, clock())
        return names, max(await migrations.applied(db))
