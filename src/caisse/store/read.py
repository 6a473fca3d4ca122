"""Reading the ledger outside the hot path: a player's trail, and everything for the audit.

The same SQL on every engine; long results come in pages, so that memory stays bounded.
"""

from collections.abc import AsyncIterator
from typing import Final

from caisse.core.book import Player, Round
from caisse.core.entries import Entry
from caisse.store import columns
from caisse.store.api import Database

ROWS_A_PAGE: Final = 5_000
"""Journal rows fetched at once."""


async def player(db: Database, partner: str, user: str) -> Player | None:
    """A player's head with all wallets."""
    sql = f"select {columns.PLAYER_SELECT} from player where partner = $1 and id = $2"
    rows = await db.fetch(sql, partner, user)
    return columns.player_of(rows[0]) if rows else None


async def played_round(db: Database, partner: str, user: str, provider: str, id_: str) -> Round | None:
    """One of a player's rounds."""
    sql = (
        f"select {columns.ROUND_SELECT} from round"
        " where partner = $1 and player = $2 and provider = $3 and id = $4"
    )
    rows = await db.fetch(sql, partner, user, provider, id_)
    return columns.round_of(rows[0]) if rows else None


async def trail(db: Database, partner: str, user: str, after: int = 0) -> AsyncIterator[Entry]:
    """A player's journal rows in order, beginning after sequence number `after`."""
    sql = (
        f"select {columns.JOURNAL_SELECT} from journal where partner = $1 and player = $2 and seq > $3"
        f" order by journal.seq limit {ROWS_A_PAGE}"
    )
    while rows := await db.fetch(sql, partner, user, after):
        for row in rows:
            entry = columns.entry_of(row)
            after = entry.seq
            yield entry
