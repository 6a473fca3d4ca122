"""Deleting old attempts, which explain and decide nothing. Nothing else in the database is ever deleted."""

from collections.abc import AsyncIterator
from typing import Final

from caisse.store.api import Database

LINES_AT_ONCE: Final = 10_000
"""Lines deleted in one transaction: about a tenth of a second, so that no server's commit waits for long."""


async def prune(db: Database, before: int) -> AsyncIterator[int]:
    """Delete the attempts whose last request came earlier; gives how many went, step by step.

    Each step is a transaction of its own: to stop between two does no harm.
    """
    newest_of_step = (
        f"select last_at from attempt where last_at < $1 order by last_at limit 1 offset {LINES_AT_ONCE - 1}"
    )
    while step := await db.fetch(newest_of_step, before):
        yield await db.execute("delete from attempt where last_at <= $1", step[0][0])
    yield await db.execute("delete from attempt where last_at < $1", before)
