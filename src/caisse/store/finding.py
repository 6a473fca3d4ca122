"""Finding a story by any id: a transaction, a uuid, a reference, a round or a user.

Every look-up goes through an index. A request's story is all rows and arrivals under the keys that belong to
it: a bet with its rollback, its tombstone and the bet that came too late.
"""

import re
from typing import Any, Final

import msgspec

from caisse.core.arrivals import Arrival
from caisse.core.entries import Entry
from caisse.core.requests import play_key, transfer_alias, transfer_key
from caisse.store import columns
from caisse.store.api import Database

PLAY_KINDS: Final = ("bet", "late", "rollback", "result", "bonus", "jackpot", "promo")
"""The key spaces in which a reference can stand."""
ROUND_KINDS: Final = ("end", "unround")

NEWEST: Final = 100
"""Rows shown of a player or of a busy round."""

is_uuid = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII).fullmatch

EntryKeys = set[tuple[str, str]]


class Story(msgspec.Struct):
    """What was found: journal rows and arrivals, each in order of time."""

    found_as: list[str]
    rows: list[Entry]
    arrivals: list[Arrival]


async def find(db: Database, text: str) -> Story:
    """Everything that belongs to an id; an empty story if nothing does."""
    text = text.strip()
    rows: dict[tuple[str, str, int], Entry] = {}
    found_as: list[str] = []
    for name, search in SEARCHES.items():
        found = await search(db, text)
        if found:
            found_as.append(name)
        rows |= {(row.partner, row.player, row.seq): row for row in found}
    arrivals = await _arrivals(db, text, {(row.partner, row.key) for row in rows.values()})
    if arrivals:
        keys = {(a.partner, key) for a in arrivals for key in related(a.key)}
        rows |= {(row.partner, row.player, row.seq): row for row in await _by_keys(db, keys)}
    ordered = sorted(rows.values(), key=lambda row: (row.at, row.partner, row.player, row.seq))
    return Story(found_as or (["request"] if arrivals else []), ordered, arrivals)


def related(key: str) -> list[str]:
    """The keys whose rows belong to one story: a bet's with its rollback's."""
    kind, _, rest = key.partition(":")
    if kind in ("bet", "late", "rollback"):
        return [f"{other}:{rest}" for other in ("bet", "late", "rollback")]
    return [key]


async def _transaction(db: Database, text: str) -> list[Entry]:
    if not is_uuid(text):
        return []
    rows = await _journal(db, "id = $1", text.lower())
    return await _with_related(db, rows)


async def _uuid(db: Database, text: str) -> list[Entry]:
    rows = await _journal(db, "uuid = $1 and provider <> ''", text)
    keys = {(partner, transfer_key(u)) for partner in await _partners(db) for u in {text, text.lower()}}
    return await _with_related(db, rows) + await _by_keys(db, keys)


async def _partner_transaction(db: Database, text: str) -> list[Entry]:
    found: list[Entry] = []
    for partner in await _partners(db):
        where = "partner = $1 and alias = $2 and alias <> ''"
        found += await _journal(db, where, partner, transfer_alias(text))
    return found


async def _reference(db: Database, text: str) -> list[Entry]:
    keys = {
        (partner, play_key(kind, provider, text))
        for partner, provider in await _providers(db)
        for kind in PLAY_KINDS
    }
    return await _by_keys(db, keys)


async def _round(db: Database, text: str) -> list[Entry]:
    found: list[Entry] = []
    for partner, provider in await _providers(db):
        sql = "select player, opened_seq from round where partner = $1 and provider = $2 and id = $3"
        for player, opened in await db.fetch(sql, partner, provider, text):
            where = "partner = $1 and player = $2 and seq >= $3 and provider = $4 and round = $5"
            found += await _journal(db, where, partner, player, opened, provider, text, limit=NEWEST)
        found += await _by_keys(db, {(partner, play_key(k, provider, text)) for k in ROUND_KINDS})
    return found


async def _user(db: Database, text: str) -> list[Entry]:
    found: list[Entry] = []
    for partner in await _partners(db):
        where = "partner = $1 and player = $2"
        found += await _journal(db, where, partner, text, limit=NEWEST, newest=True)
    return found


SEARCHES: Final = {
    "transaction": _transaction,
    "uuid": _uuid,
    "partner's transaction": _partner_transaction,
    "reference": _reference,
    "round": _round,
    "user": _user,
}


async def _with_related(db: Database, rows: list[Entry]) -> list[Entry]:
    keys = {(row.partner, key) for row in rows for key in related(row.key)}
    return rows + await _by_keys(db, keys)


async def _by_keys(db: Database, keys: EntryKeys) -> list[Entry]:
    found: list[Entry] = []
    for partner, key in sorted(keys):
        found += await _journal(db, "partner = $1 and key = $2", partner, key)
    return found


async def _journal(
    db: Database, where: str, *args: Any, limit: int = NEWEST, newest: bool = False
) -> list[Entry]:
    order = "seq desc" if newest else "seq"
    sql = f"select {columns.JOURNAL_SELECT} from journal where {where} order by {order} limit {limit}"
    return [columns.entry_of(row) for row in await db.fetch(sql, *args)]


async def _arrivals(db: Database, text: str, keys: EntryKeys) -> list[Arrival]:
    names = ", ".join(columns.ARRIVAL)
    found = list(await db.fetch(f"select {names} from arrival where uuid = $1", text))
    wider = {(partner, other) for partner, key in keys for other in related(key)}
    for partner, key in sorted(wider):
        found += await db.fetch(f"select {names} from arrival where partner = $1 and key = $2", partner, key)
    arrivals = {tuple(row): Arrival(*row) for row in found}
    return sorted(arrivals.values(), key=lambda a: a.first_at)


async def _partners(db: Database) -> list[str]:
    return [row[0] for row in await db.fetch("select id from partner order by id")]


async def _providers(db: Database) -> list[tuple[str, str]]:
    rows = await db.fetch("select distinct partner, provider from connection order by partner, provider")
    return [(row[0], row[1]) for row in rows]
