"""Every look-up of the story's search and of reading goes through an index and reads a bounded number of rows.

The tables are filled after they were analysed while empty, as those of a young installation are: the planner
knows nothing of what is in them. On PostgreSQL the rows that a statement really touched are counted; SQLite
says which columns of which index it goes by.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from caisse.store import finding, postgres, reading, sqlite
from caisse.store.api import Database
from caisse.store.finding import MOST, NEIGHBOURS
from tests.store.stores import database, opened, run

ROWS = 60_000
PLAYERS = 3
MOST_TOUCHED = 2 * NEIGHBOURS + 10 * MOST
"""Rows that one statement may touch, of the many that there are."""
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
SHARED = {
    "who": f"'p' || (n % {PLAYERS})",
    "seq": f"n / {PLAYERS} + 1",
    "round": f"'r' || (n / {2 * PLAYERS})",
    "kind": f"case when n % 1000 = 999 then 'charge' when (n / {PLAYERS}) % 2 = 0 then 'bet' else 'result' end",
    "bets": f"(n / {PLAYERS}) % 2 = 0",
    "last": f"n > {ROWS - PLAYERS}",
}
FILLING = (
    """
insert into journal (partner, player, seq, id, part, kind, verdict, rule, endpoint, currency, amount, balance,
    asked, key, second_key, fingerprint, uuid, provider, reference, round, game, session, name, details, at, hash)
select 'demo', {who}, {seq}, {id}, 0, {kind}, 'ok', 'R40', '/x', 'USD', {one}, {one}, {one},
    {kind} || ':lucky:b' || n, '', {bytes16}, 'u' || n, 'lucky', 'b' || n, {round}, 'g', 's' || (n / 300), '', '',
    n, {bytes32} from {series}""",
    """
insert into round (partner, player, provider, id, currency, game, state, standing, bets, settled_seq, opened_seq,
    opened_at, opened_id, staked, won, jackpot, jackpot_id, logged, logged_staked, logged_won, logged_jackpot)
select 'demo', {who}, 'lucky', {round}, 'USD', 'g', 'open', 1, 1, {seq} + 1, {seq}, n, {id}, {one}, {one},
    {nothing}, '', {no}, {nothing}, {nothing}, {nothing} from {series} where {bets}""",
    """
insert into player (partner, id, name, name_key, created_at, login_at, session, frozen, seq, head, balances)
select 'demo', {who}, '', {bytes16}, 1, 1, 's' || (n / 300), {no}, {seq}, {bytes32}, '{{"USD":"1.0"}}'
from {series} where {last}""",
    "insert into partner (id, created_at) values ('demo', 1)",
    """
insert into connection (partner, id, provider, key_hash, networks, profile, created_at)
values ('demo', 'c', 'lucky', {bytes0}, '[]', 'x', 1)""",
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
async def filled(db_url: str) -> AsyncIterator[tuple[Database, str]]:
    """Tables that were analysed before anything was in them."""
    engine = db_url.partition(":")[0].removesuffix("ql")
    engine = "postgres" if engine.startswith("postgres") else "sqlite"
    async with opened(db_url), database(db_url) as db:
        if engine == "postgres":
            for table in ("journal", "round", "player", "attempt"):
                await db.execute(f"alter table {table} set (autovacuum_enabled = false)")
        await db.execute("analyze")
        for statement in FILLING:
            await db.execute(statement.format(**WORDS[engine], **SHARED))
        yield db, engine


async def touched(db: Database, engine: str, sql: str, args: tuple[Any, ...]) -> list[str]:
    """What is wrong with how a statement is carried out."""
    if engine == "sqlite":
        plan = [row[3] for row in await db.fetch(f"explain query plan {sql}", *args)]
        return [step for step in plan if _walks(step)]
    (plan,) = await db.fetch(f"explain (analyze, format json) {sql}", *args)
    tree = json.loads(plan[0]) if isinstance(plan[0], str) else plan[0]
    return [text for node in _nodes(tree[0]["Plan"]) if (text := _reads_too_much(node))]


def _walks(step: str) -> bool:
    """Whether a step of SQLite's goes through a table, or through all rows of a partner or a player."""
    found = re.match(r"(SCAN|SEARCH) (\w+)(.*)", step)
    if not found or found[2] in OF_A_PARTNER or "VIRTUAL" in step or "CONSTANT" in step:
        return False
    by = re.search(r"\((.*)\)", found[3])
    alone = by is not None and by[1] in ("partner=?",)
    return found[1] == "SCAN" and found[2] in ("journal", "round", "player", "attempt", "bet") or alone


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _reads_too_much(node: dict[str, Any]) -> str:
    if "Scan" not in node["Node Type"] or node.get("Relation Name") in OF_A_PARTNER:
        return ""
    read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    rows = (read + node.get("Rows Removed by Index Recheck", 0)) * node["Actual Loops"]
    return f"{node['Node Type']}: {rows} rows of {node.get('Relation Name')}" if rows > MOST_TOUCHED else ""


async def watched(db_url: str, ask: Callable[[Any], Awaitable[Any]]) -> tuple[dict[str, list[str]], Any]:
    """What is wrong with each statement that something asks, and what it gave."""
    async with filled(db_url) as (db, engine):
        seen = Watched(db)
        answer = await ask(seen)
        assert seen.asked
        wrong = {
            sql: steps for sql, args in seen.asked.items() if (steps := await touched(db, engine, sql, args))
        }
        return wrong, answer


IDS = {
    "transaction": f"01980000-0000-7000-8000-{30_000:012}",
    "uuid": "u30000",
    "reference": "b30000",
    "round": "r5000",
    "session": "s200",
    "an older session": "s100",
    "user": "p1",
    "nothing": "no-such-thing",
}


@pytest.mark.parametrize("id_", IDS.values(), ids=IDS.keys())
def test_a_story_is_found_by_indexes_alone(db_url: str, id_: str) -> None:
    async def ask(db: Any) -> finding.Story:
        return await finding.find(db, id_)

    wrong, story = run(watched(db_url, ask))
    assert wrong == {}
    assert bool(story.rows) == (id_ not in ("no-such-thing", "s100"))


def test_a_players_head_trail_and_open_rounds_are_read_by_indexes_alone(db_url: str) -> None:
    """The trail is every row of the player, page by page; open rounds are looked for among his own."""

    async def ask(db: Any) -> tuple[int, int]:
        assert await reading.player(db, "demo", "p1") is not None
        rows = 0
        async for _ in reading.trail(db, "demo", "p1"):
            rows += 1
            if rows == reading.ROWS_A_PAGE:
                break
        return rows, len(await reading.open_rounds(db, "demo", "p1"))

    wrong, (rows, open_) = run(watched(db_url, ask))
    own = f"{ROWS // PLAYERS // 2} rows"
    assert {
        sql: steps
        for sql, steps in wrong.items()
        if not all(step.startswith("Index") or own in step for step in steps)
    } == {}
    assert (rows, open_) == (reading.ROWS_A_PAGE, 0)


def test_the_newest_transfer_is_read_by_an_index_alone(db_url: str) -> None:
    """getTransferStatus without an id, of a player who has played for long since."""

    async def main() -> list[str]:
        async with filled(db_url) as (db, engine):
            if engine == "sqlite":
                sql = sqlite.LOAD_NEWEST_TRANSFER.replace("?", "$1", 1).replace("?", "$2", 1)
                (step,) = await db.fetch(f"explain query plan {sql}", "demo", "p1")
                return [] if "USING INDEX journal_transfer" in step[3] else [step[3]]
            await db.execute("alter table journal disable trigger user")
            await db.execute("delete from journal where kind = 'charge' and seq > 400")
            return await touched(db, engine, postgres.LOAD_NEWEST_TRANSFERS, (["demo"], ["p1"]))

    assert run(main()) == []
