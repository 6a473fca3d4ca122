"""The audit finds every corruption of the tables, names player and row, and finds nothing where nothing is.

A house lives, its tables are stripped of all that protects them, and one corruption after another is done to
them in a transaction that is undone after its audit. The planted bugs are audits without one of their checks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from caisse.audit.audit import CHECKS
from caisse.audit.findings import Folded
from caisse.audit.history import Anchor
from caisse.core.book import Book
from caisse.store import audit_feed as auditing
from caisse.store import columns, opening
from caisse.store.api import Database
from tests.support.rig import House
from tests.torture.corruptions import Corruption, Tables, corruptions
from tests.torture.lived import live
from tests.torture.toolbox import Harness, Run


def attack(run: Run) -> None:
    """Live; audit; then corrupt, audit and undo, each corruption once in a round."""
    db = _lived(run)
    if run.findings:
        return
    with _without(run.plant):
        asyncio.run(_rounds(run, db))


def _lived(run: Run) -> str:
    """An address of lived tables. A planted bug is in the audit, so one life does for all of them."""
    if run.plant:
        folder = run.new_folder()
        (folder / "caisse.db").write_bytes(_lived_once())
        return f"sqlite:///{folder}/caisse.db"
    house = run.house()
    house.server.start()
    storm = live(house, run.seed)
    house.server.start()
    run.find(*storm.record.findings(storm.balances()))
    house.server.stop()
    run.audit(house.db)
    return house.db


@cache
def _lived_once() -> bytes:
    with TemporaryDirectory() as folder:
        house = House(f"sqlite:///{folder}/caisse.db", Path(folder))
        house.server.start()
        live(house, 1)
        return Path(folder, "caisse.db").read_bytes()


async def _rounds(run: Run, url: str) -> None:
    db = await opening.database(url)
    try:
        await _strip(db, run.engine)
        tables = await _tables(db, run.engine)
        run.saw("rows", len(tables.rows))
        anchors: list[Anchor] = []
        run.find(*(f"false alarm: {f}" for f in await _audit(db, stands=anchors.append)))
        for _ in run.rounds():
            for corruption in corruptions(tables, run.chance):
                if run.plant not in ("", corruption.by):
                    continue  # without that check all others still find what they must
                found = await _audit(db, corruption.done, anchors)
                _judge(run, corruption, found)
            run.find(*(f"false alarm: {finding}" for finding in await _audit(db, (), anchors)))
    finally:
        await db.close()


async def _audit(
    db: Database,
    corruption: Sequence[str] = (),
    anchors: Sequence[Anchor] = (),
    stands: Callable[[Anchor], None] = lambda anchor: None,
) -> list[Folded]:
    """The findings on the tables as a corruption leaves them, which is undone."""
    await db.execute("begin")
    try:
        touched = [await db.execute(statement) for statement in corruption]
        assert sum(touched) or not corruption, corruption
        within: Any = _Within(db)
        return (await auditing.audit(within, anchors=anchors, stands=stands)).findings
    finally:
        await db.execute("rollback")


class _Within:
    """The database as the transaction that is under way sees it."""

    def __init__(self, db: Database) -> None:
        self.fetch = db.fetch
        self.stream = db.stream
        self.by_index = db.by_index

    async def begin_snapshot(self) -> None:
        """There is one."""


def _judge(run: Run, corruption: Corruption, found: list[Folded]) -> None:
    run.fault(corruption.kind)
    run.saw("findings about them", len(found))
    if corruption.by == "anchor" and {check for finding in found for check in finding.checks} == {"anchor"}:
        run.saw("forgeries that only the anchor shows")
    if not any(_names(finding, corruption) for finding in found):
        run.find(f"not found: {corruption.name} of {corruption.who}, row {corruption.row}: {found[:3]}")


def _names(finding: Folded, corruption: Corruption) -> bool:
    """Whether the check that must find it did, and it says whose, and which row or the one after it."""
    rows = (corruption.row, corruption.row + 1) if corruption.row else ()
    named = any(re.search(rf"\brow {row}\b", finding.text) for row in rows)
    right = corruption.by in finding.checks and corruption.who in ("", finding.player)
    return right and (named or not rows)


async def _tables(db: Database, engine: str) -> Tables:
    book = Book()
    columns.add_players(book, await db.fetch(f"select {columns.PLAYER_SELECT} from player order by id"))
    rows = await db.fetch(f"select {columns.JOURNAL_SELECT} from journal order by player, seq")
    rounds = await db.fetch(f"select {columns.ROUND_SELECT} from round order by provider, id")
    attempts = await db.fetch("select player, key, replay from attempt order by player, key")
    return Tables(
        engine,
        [columns.entry_of(row) for row in rows],
        {player.id: player for player in book.players.values()},
        [columns.round_of(row) for row in rounds],
        [(player, key, bool(replay)) for player, key, replay in attempts],
    )


async def _strip(db: Database, engine: str) -> None:
    """Take away all that keeps the tables from being corrupted: triggers, constraints, unique indexes."""
    for (statement,) in [tuple(row) for row in await db.fetch(STRIP[engine])]:
        await db.execute(statement)
    if engine == "sqlite":
        await db.execute("pragma ignore_check_constraints = on")


STRIP = {
    "postgres": """
select format('alter table %s disable trigger user', relname) from pg_class where relname = 'journal'
union all
select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint
where contype in ('c', 'p', 'u')
and conrelid in ('journal'::regclass, 'player'::regclass, 'round'::regclass)
union all
select format('drop index %s', indexrelid::regclass) from pg_index
where indrelid = 'journal'::regclass and indisunique and not indisprimary""",
    "sqlite": """
select 'drop ' || type || ' ' || name from sqlite_master
where tbl_name = 'journal' and (type = 'trigger' or sql like 'create unique index%')""",
}


@contextmanager
def _without(check: str) -> Iterator[None]:
    """An audit that lacks one of its checks; empty: the audit as it is."""
    with mock.patch.dict(CHECKS):
        CHECKS.pop(check, None)
        yield


BY_THE_CATALOG = {"schema"}
"""What is not looked for in the tables, which are stripped here of all that it asks for."""

HARNESS = Harness(
    claim="caisse audit finds every corruption of the tables, names player and row, and gives no false alarm",
    attack=attack,
    rounds=1,
    plants={f"an audit that does not check: {name}": name for name in CHECKS if name not in BY_THE_CATALOG},
)
