"""Every look-up of the story's search and of reading goes through an index and reads a bounded part of it.

Also where the tables were analysed while they were empty, as those of a young installation are. On PostgreSQL
the rows that a statement really touched are counted; SQLite says which columns of which index it goes by.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from caisse.store import read as reading
from caisse.store import search as finding
from caisse.store.api import Database
from caisse.store.postgres import postgres
from caisse.store.search import MOST, NEIGHBOURS
from caisse.store.sqlite import sqlite
from tests.support.stores import database, opened, run

ROWS = 60_000
PLAYERS = 3
MOST_TOUCHED = 2 * NEIGHBOURS + 10 * MOST
"""Rows that one statement may touch, of the many that there are."""
EMPTY = "analysed while empty"
LONG = {"journal", "round", "player", "attempt", "bet", "undone"}
"""Tables that grow with the traffic, and what statements call them."""
OF_A_PARTNER = {"partner", "connection"}
"""Tables that have a few rows for each partner, however long the journal is."""

WORDS = {
    "postgres": {
        "series": f"generate_series(1, {ROWS}) as n",
        "id": "cast('01980000-0000-7000-8000-' || lpad('' || n, 12, '0') as uuid)",
        "one": "cast('1.0' as numeric)",
        "nothing": "cast('0.0' as numeric)",
        "no": "false",
        "bytes0": "cast('' as bytea)",
        "bytes16": "decode(repeat('00', 16), 'hex')",
        "bytes32": "decode(repeat('00', 32), 'hex')",
    },
    "sqlite": {
        "series": (
            f"(with recursive s(n) as (select 1 union all select n + 1 from s where n < {ROWS})"
            " select n from s) as s"
        ),
        "id": "'01980000-0000-7000-8000-' || printf('%012d', n)",
        "one": "'1.0'",
        "nothing": "'0.0'",
        "no": "0",
        "bytes0": "zeroblob(0)",
        "bytes16": "zeroblob(16)",
        "bytes32": "zeroblob(32)",
    },
}
BETS = f"(n / {PLAYERS}) % 2 = 0"
SHARED = {
    "who": f"'p' || (n % {PLAYERS})",
    "seq": f"n / {PLAYERS} + 1",
    "round": f"'r' || (n / {2 * PLAYERS})",
    "kind": f"case when n % 1000 = 999 then 'charge' when {BETS} then 'bet' else 'result' end",
    "bets": BETS,
    "last": f"n > {ROWS - PLAYERS}",
}
FILLING = (
    """
insert into journal (partner, player, seq, id, part, kind, verdict, rule, endpoint, currency, amount, balance,
    asked, key, second_key, fingerprint, uuid, provider, reference, round, game, session, name, details, at,
    hash)
select 'demo', {who}, {seq}, {id}, 0, {kind}, 'ok', 'R40', '/x', 'USD', {one}, {one}, {one},
    {kind} || ':lucky:b' || n, '', {bytes16}, 'u' || n, 'lucky', 'b' || n, {round}, 'g', 's' || (n / 300), '',
    '', n, {bytes32} from {series}""",
    """
insert into round (partner, player, provider, id, currency, game, state, standing, bets, settled_seq,
    opened_seq, opened_at, opened_id, staked, won, jackpot, jackpot_id, logged, logged_staked, logged_won,
    logged_jackpot)
select 'demo', {who}, 'lucky', {round}, 'USD', 'g', 'open', 1, 1, {seq} + 1, {seq}, n, {id}, {one}, {one},
    {nothing}, '', {no}, {nothing}, {nothing}, {nothing} from {series} where {bets}""",
    """
insert into player (partner, id, name, name_key, created_at, login_at, session, frozen, seq, head, balances)
select 'demo', {who}, '', {bytes16}, 1, 1, 's' || (n / 300), {no}, {seq}, {bytes32}, '{{"USD":"1.0"}}'
from {series} where {last}""",
    "insert into partner (id, created_at) values ('demo', 1)",
    """
insert into connection (partner, id, provider, key_hash, networks, also, profile, created_at)
values ('demo', 'c', 'lucky', {bytes0}, '[]', '[]', 'x', 1)""",
)
"""Three players who bet and win in turns in 10,000 rounds each, and now and then charge."""


class Watched:
    """A database that keeps every statement it is asked, with its arguments."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.asked: dict[str, tuple[Any, ...]] = {}
        self.by_index = db.by_index

    async def fetch(self, sql: str, *args: Any) -> Any:
        self.asked[sql] = args
        return await self._db.fetch(sql, *args)


@asynccontextmanager
async def filled(db_url: str, state: str) -> AsyncIterator[tuple[Database, str]]:
    """Tables that were analysed, before or after they were filled; nothing else analyses them."""
    engine = "sqlite" if db_url.startswith("sqlite") else "postgres"
    async with opened(db_url), database(db_url) as db:
        if engine == "postgres":
            for table in ("journal", "round", "player", "attempt"):
                await db.execute(f"alter table {table} set (autovacuum_enabled = false)")
        if state == EMPTY:
            await db.execute("analyze")
        for statement in FILLING:
            await db.execute(statement.format(**WORDS[engine], **SHARED))
        if state != EMPTY:
            await db.execute("analyze")
        yield db, engine


async def wrong(db: Database, engine: str, most: int, sql: str, *args: Any) -> list[str]:
    """What is wrong with how a statement is carried out."""
    if engine == "sqlite":
        return [row[3] for row in await db.fetch(f"explain query plan {sql}", *args) if _walks(row[3])]
    ((plan,),) = await db.fetch(f"explain (analyze, format json) {sql}", *args)
    (tree,) = json.loads(plan)
    return [text for node in _nodes(tree["Plan"]) if (text := _reads_too_much(node, most))]


def _walks(step: str) -> bool:
    """Whether a step of SQLite's goes through a table, or through all rows of a partner."""
    found = re.match(r"(SCAN|SEARCH) (\w+)(.*)", step)
    if found is None or found[2] in OF_A_PARTNER:
        return False
    return (found[1] == "SCAN" and found[2] in LONG) or found[3].endswith("(partner=?)")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _reads_too_much(node: dict[str, Any], most: int) -> str:
    if "Scan" not in node["Node Type"] or node.get("Relation Name") in OF_A_PARTNER:
        return ""
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    rows = (node["Actual Rows"] + left_out) * node["Actual Loops"]
    walks = node["Node Type"] == "Seq Scan" and rows > PLAYERS
    text = f"{node['Node Type']} {node.get('Index Name')}: {rows} rows of {node.get('Relation Name')}"
    return text if walks or rows > most else ""


IDS = {
    "transaction": f"01980000-0000-7000-8000-{30_000:012}",
    "uuid": "u30000",
    "reference": "b30000",
    "round": "r5000",
    "session": "s200",
    "user": "p1",
    "": "no-such-thing",
}


@pytest.mark.parametrize("state", [EMPTY, "analysed"])
def test_a_story_is_found_by_indexes_alone(db_url: str, state: str) -> None:
    """PostgreSQL, knowing nothing of a table, may look through one player's rows for those of a round."""

    async def main() -> None:
        async with filled(db_url, state) as (db, engine):
            most = ROWS // PLAYERS if state == EMPTY else MOST_TOUCHED
            for kind, id_ in IDS.items():
                watched: Any = Watched(db)
                story = await finding.find(watched, id_)
                assert story.found_as == [kind] * bool(kind)
                for sql, args in watched.asked.items():
                    assert await wrong(db, engine, most, sql, *args) == [], sql

    run(main())


@pytest.mark.parametrize("state", [EMPTY, "analysed"])
def test_a_players_own_are_read_by_indexes_alone(db_url: str, state: str) -> None:
    """His head, a page of his trail, a round; and his newest transfer, though he played for long since."""

    async def main() -> None:
        async with filled(db_url, state) as (db, engine):
            watched: Any = Watched(db)
            assert await reading.player(watched, "demo", "p1") is not None
            trail = reading.trail(watched, "demo", "p1")
            assert [(await anext(trail)).seq for _ in range(3)] == [1, 2, 3]
            found = await reading.played_round(watched, "demo", "p1", "lucky", "r5000")
            assert found is not None
            for sql, args in watched.asked.items():
                assert await wrong(db, engine, reading.ROWS_A_PAGE, sql, *args) == [], sql
            if engine == "sqlite":
                sql = sqlite.LOAD_NEWEST_TRANSFER.replace("?", "$1", 1).replace("?", "$2", 1)
                (step,) = await db.fetch(f"explain query plan {sql}", "demo", "p1")
                assert "USING INDEX journal_transfer" in step[3]
                return
            await db.execute("alter table journal disable trigger user")
            await db.execute("delete from journal where kind = 'charge' and seq > 400")
            assert await wrong(db, engine, 1, postgres.LOAD_NEWEST_TRANSFERS, ["demo"], ["p1"]) == []

    run(main())
