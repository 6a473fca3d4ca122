"""R57 on both engines: numbers are dense, given once, after the commit; every page is a look at an index."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import apsw
import asyncpg
import pytest

from caisse.core.book import wants
from caisse.core.policy import DEFAULT_POLICY
from caisse.core.requests import Request
from caisse.core.round_log import LogQuery, Numbered
from caisse.core.rules.decide import decide
from caisse.jobs.round_log import Numbering
from caisse.store import opening, round_log
from caisse.store.api import Database, Ledger, Unavailable
from caisse.store.opening import sqlite_path
from caisse.store.postgres.round_log import NUMBER, PostgresRoundLog
from caisse.store.round_log import RoundLog
from caisse.store.sqlite.round_log import ADD, EMPTY, LAST_PICKED
from tests.support.ledger import NOW, bet, charge, create, open_wallet, result
from tests.support.stores import database, opened, run

HOUR = 3_600_000_000


@asynccontextmanager
async def log_of(url: str) -> AsyncIterator[RoundLog]:
    log = await opening.round_log(url)
    try:
        yield log
    finally:
        await log.close()


async def play(ledger: Ledger, requests: Sequence[Request], now: int = NOW) -> None:
    """One batch, decided at that time."""
    book = await ledger.load(wants(requests), lock=False)
    for request in requests:
        book.take(decide(request, book, DEFAULT_POLICY, now))
    await ledger.commit(book)


def players(*names: str, partner: str = "demo") -> list[Request]:
    return [
        request
        for user in names
        for request in (
            create(user=user, partner=partner),
            open_wallet(user=user, partner=partner),
            charge("9000.0", user=user, partner=partner),
        )
    ]


def rounds(user: str, first: int, count: int, partner: str = "demo") -> list[Request]:
    """Rounds that are over: `count` of them, each with its own stake."""
    made: list[Request] = []
    for n in range(first, first + count):
        who: dict[str, Any] = {"user": user, "partner": partner}
        made.append(bet(f"{n}.0", f"{user}-b{n}", f"{user}-r{n}", **who))
        made.append(result("1.0", f"{user}-w{n}", f"{user}-r{n}", **who))
    return made


async def number_all(log: RoundLog, rows: int = 500) -> int:
    """All that waits; how many steps that took."""
    steps = 0
    while (partner := await log.next_partner("")) is not None:
        assert await log.number(partner, rows) > 0
        steps += 1
    return steps


def stakes(page: list[Numbered]) -> list[int]:
    return [row.staked // 10**18 for row in page]


async def found(url: str) -> list[str]:
    async with database(url) as db:
        await db.begin_snapshot()
        return [f"{f.player}: {f.text}" async for f in round_log.findings(db)]


def test_rows_wait_for_their_numbers_and_keep_them(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger, log_of(db_url) as log:
            await play(ledger, players("ana", "ben"))
            await play(ledger, [*rounds("ben", 1, 2), *rounds("ana", 3, 2)])
            assert await log.page(LogQuery("demo", 0, 9)) == []
            assert await found(db_url) == []
            assert await log.number("demo", 3) == 3
            first = await log.page(LogQuery("demo", 0, 9))
            await play(ledger, rounds("ana", 5, 1), NOW - HOUR)
            assert (await log.number("demo", 9), await log.number("demo", 9)) == (2, 0)
            page = await log.page(LogQuery("demo", 0, 9))
            assert page[:3] == first
            assert [row.index for row in page] == [0, 1, 2, 3, 4]
            assert sorted(stakes(page)) == [1, 2, 3, 4, 5]
            assert [row.index for row in await log.page(LogQuery("demo", 3, 1))] == [3]
            assert await log.page(LogQuery("demo", 5, 9)) == []
            anas = await log.page(LogQuery("demo", 0, 9, "ana"))
            assert [(row.index, row.staked // 10**18) for row in anas] == [(0, 3), (1, 4), (2, 5)]
            assert stakes(await log.page(LogQuery("demo", 1, 1, "ana"))) == [4]
            assert await log.page(LogQuery("demo", 0, 9, "eve")) == []
            assert await log.page(LogQuery("other", 0, 9)) == []
            assert await found(db_url) == []

    run(main())


def test_partners_have_logs_of_their_own(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger, log_of(db_url) as log:
            for partner in ("demo", "other"):
                await play(ledger, [*players("ana", partner=partner), *rounds("ana", 1, 3, partner)])
            assert [await log.next_partner(after) for after in ("", "demo", "other")] == [
                "demo",
                "other",
                None,
            ]
            await number_all(log, 2)
            for partner in ("demo", "other"):
                assert [row.index for row in await log.page(LogQuery(partner, 0, 9))] == [0, 1, 2]
            assert await found(db_url) == []

    run(main())


def test_rows_of_a_step_stand_by_time_but_a_players_by_the_journal(db_url: str) -> None:
    """A clock that was put back moves nobody's rows before his earlier ones."""

    async def main() -> None:
        async with opened(db_url) as ledger, log_of(db_url) as log:
            await play(ledger, players("ana", "ben"))
            await play(ledger, rounds("ben", 1, 1), NOW)
            await play(ledger, rounds("ana", 2, 1), NOW + HOUR)
            await play(ledger, rounds("ana", 3, 1), NOW - HOUR)
            await play(ledger, rounds("ben", 4, 1), NOW + 2 * HOUR)
            await number_all(log)
            assert stakes(await log.page(LogQuery("demo", 0, 9))) == [1, 2, 3, 4]

    run(main())


def test_every_round_is_shown_once_to_who_continues_from_the_last(db_url: str) -> None:
    """Two lanes write (on SQLite one), their clocks jump, three servers number, and one poller reads on."""
    lanes = 1 if sqlite_path(db_url) else 2
    each, users = 60, ["ana", "ben", "cem", "dan"]

    async def write(lane: int, chance: Random) -> None:
        ledger = opening.ledger(db_url)
        mine = users[lane::lanes]
        for n in range(each):
            await play(ledger, rounds(chance.choice(mine), n + 1, 1), NOW + chance.randint(-HOUR, HOUR))
        await ledger.close()

    async def number(done: asyncio.Event) -> None:
        async with log_of(db_url) as log:
            while not done.is_set():
                if (partner := await log.next_partner("")) is not None:
                    await log.number(partner, 7)
                await asyncio.sleep(0)
            await number_rest(log)

    async def number_rest(log: RoundLog) -> None:
        while await log.next_partner("") is not None:
            await log.number("demo", 7)

    async def poll(done: asyncio.Event, seen: list[Numbered]) -> None:
        async with log_of(db_url) as log:
            while True:
                last = done.is_set()
                page = await log.page(LogQuery("demo", len(seen), 5))
                seen += page
                if last and not page:
                    return
                await asyncio.sleep(0)

    async def main() -> None:
        async with opened(db_url) as ledger:
            await play(ledger, players(*users))
        written, numbered, seen = asyncio.Event(), asyncio.Event(), []
        seen = list[Numbered]()
        polling = asyncio.create_task(poll(numbered, seen))
        numberers = [asyncio.create_task(number(written)) for _ in range(1 if sqlite_path(db_url) else 3)]
        await asyncio.gather(*(write(lane, Random(lane)) for lane in range(lanes)))
        written.set()
        await asyncio.gather(*numberers)
        numbered.set()
        await polling
        assert [row.index for row in seen] == list(range(each * lanes))
        assert await found(db_url) == []
        async with log_of(db_url) as log:
            assert await log.page(LogQuery("demo", 0, 1000)) == seen

    run(main())


def test_a_server_that_dies_between_money_and_number_leaves_nothing_out(db_url: str) -> None:
    """What was committed waits in the table; the next process numbers it."""

    async def main() -> None:
        async with opened(db_url) as ledger:
            await play(ledger, [*players("ana"), *rounds("ana", 1, 3)])
        job = Numbering(db_url)
        await job.open()
        assert await job.step() is False
        await job.close()
        async with log_of(db_url) as log:
            assert stakes(await log.page(LogQuery("demo", 0, 9))) == [1, 2, 3]

    run(main())


def test_numbering_goes_on_after_its_connection_was_lost(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            job = Numbering(db_url)
            await job.open()
            assert job._log is not None
            lost = job._log
            await job._on_thread(lost.close)
            await play(ledger, [*players("ana"), *rounds("ana", 1, 1)])
            assert await job.step() is False  # told in the log, and done again
            assert await job.step() is False
            async with log_of(db_url) as log:
                assert stakes(await log.page(LogQuery("demo", 0, 9))) == [1]
            await job.close()

    run(main())


def test_who_finds_the_head_taken_or_moved_numbers_nothing(postgres: Any) -> None:
    """A server that stalls within a step holds nobody up; one that read the head too early does nothing."""
    url = postgres.create_database()

    async def main() -> None:
        async with opened(url) as ledger, log_of(url) as log:
            await play(ledger, [*players("ana"), *rounds("ana", 1, 4)])
            assert await log.number("demo", 1) == 1
            other = await asyncpg.connect(url)
            async with other.transaction():
                await other.execute("select 1 from round_log_head where partner = 'demo' for update")
                assert await log.number("demo", 9) == 0
            assert await log.number("demo", 2) == 2
            assert await other.fetchval(NUMBER, "demo", 1, 9) == 0  # as it stood before
            assert await log.number("demo", 9) == 1
            await other.close()
            assert stakes(await log.page(LogQuery("demo", 0, 9))) == [1, 2, 3, 4]
            assert await found(url) == []

    run(main())


def test_numbers_are_durable_whatever_the_session_says(postgres: Any) -> None:
    """`synchronous_commit` may be anything by then; the step's own transaction waits for the disk."""
    url = postgres.create_database()

    async def main() -> None:
        async with opened(url) as ledger, log_of(url) as log:
            assert isinstance(log, PostgresRoundLog)
            await play(ledger, [*players("ana"), *rounds("ana", 1, 1)])
            await log.number("demo", 1)
            await play(ledger, rounds("ana", 2, 1))
            await log._connection.execute("set synchronous_commit = off")
            assert await log.number("demo", 9) == 1
            unflushed = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn())"
            assert await log._connection.fetchval(unflushed) == 0

    run(main())


def test_a_page_with_new_rows_is_shown_behind_a_commit(postgres: Any) -> None:
    """A row can be seen before it is durable, as after a cancelled wait. Old rows are shown at once."""
    url = postgres.create_database()

    async def main() -> None:
        async with opened(url) as ledger, log_of(url) as log:
            assert isinstance(log, PostgresRoundLog)
            await play(ledger, [*players("ana"), *rounds("ana", 1, 3)])
            await number_all(log)
            flushed = "select pg_current_wal_flush_lsn()"
            log._connection.add_query_logger(queries := Queries())
            await log.page(LogQuery("demo", 0, 2))
            await log.page(LogQuery("demo", 0, 2))
            await log.page(LogQuery("demo", 0, 9, "ana"))
            await log.page(LogQuery("demo", 0, 9))
            assert queries.proofs == 2
            assert await log._connection.fetchval(flushed)
            log._connection.remove_query_logger(queries)
            warn = "do $$ begin raise warning 'canceling wait for synchronous replication'; end $$"
            await log._connection.execute(warn)
            await play(ledger, rounds("ana", 4, 1))
            with pytest.raises(Unavailable):
                await log.number("demo", 9)
            with pytest.raises(Unavailable):
                await log.page(LogQuery("demo", 0, 9))
        async with log_of(url) as log:
            assert stakes(await log.page(LogQuery("demo", 0, 9))) == [1, 2, 3, 4]

    run(main())


class Queries:
    """Counts the proofs among a connection's statements."""

    def __init__(self) -> None:
        self.proofs = 0

    def __call__(self, record: Any) -> None:
        self.proofs += "pg_logical_emit_message" in record.query


# -- plans --

PARTS = {"postgres": "generate_series(0, 199999) as n", "sqlite": "numbers"}
SERIES = "with recursive numbers (n) as (select 0 union all select n + 1 from numbers where n < 199999) "
FILL = """
insert into round_log (partner, number, player, player_number, seq, provider, round, game, currency,
    staked, won, jackpot_id, jackpot, at)
{series}select 'demo', n, 'player-' || (n % 100), n / 100, n, 'lucky', 'r' || n, 'g1', 'USD',
    '1.0'{cast}, '2.0'{cast}, '', '0.0'{cast}, n from {numbers}"""


async def fill(db: Database, engine: str) -> None:
    """200,000 rows, of a hundred players. The statistics are those of the empty table."""
    if engine == "postgres":
        await db.execute("analyze round_log")
        await db.execute(FILL.format(series="", cast="::numeric", numbers=PARTS[engine]))
    else:
        await db.execute(FILL.format(series=SERIES, cast="", numbers=PARTS[engine]))
    await db.execute("insert into round_log_head (partner, next) values ('demo', 200000)")


def test_the_last_page_of_many_costs_what_the_first_does(db_url: str) -> None:
    """Plans and work done, not time: on tables whose statistics say that they are empty."""
    engine = "sqlite" if sqlite_path(db_url) else "postgres"

    async def main() -> None:
        async with opened(db_url), database(db_url) as db, log_of(db_url) as log:
            if isinstance(log, PostgresRoundLog):
                await prepare(log)
            await fill(db, engine)
            for start in (0, 100_000, 199_000):
                page = await log.page(LogQuery("demo", start, 1000))
                assert [row.index for row in page] == list(range(start, start + 1000))
            last = await log.page(LogQuery("demo", 1990, 1000, "player-7"))
            assert [row.index for row in last] == list(range(1990, 2000))
            if isinstance(log, PostgresRoundLog):
                await look_at_postgres(log)
            else:
                await look_at_sqlite(db_url)

    run(main())


async def prepare(log: PostgresRoundLog) -> None:
    """Plan both kinds of pages now, once for all, as a server does on a new database."""
    for name, sql in (("page", round_log.PAGE), ("players_page", round_log.PLAYERS_PAGE)):
        kinds = "text, bigint, bigint" + (", text" if "$4" in sql else "")
        await log._connection.execute(f"prepare {name} ({kinds}) as {sql}")
        await log._connection.execute(f"execute {name} ('demo', 0, 9{', chr(97)' if '$4' in sql else ''})")


async def look_at_postgres(log: PostgresRoundLog) -> None:
    """Pages of the table touched: the same for the first page of the log and the last one."""

    async def touched(call: str) -> int:
        explain = f"explain (analyze, buffers, format json) execute {call}"
        told = await log._connection.fetchval(explain)
        assert "Index" in told
        assert "Sort" not in told
        assert "Seq Scan" not in told
        plan = json.loads(told)[0]["Plan"]
        assert sum(dropped(plan)) == 0
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

    calls = {"page('demo', {}, 100)": 199_000, "players_page('demo', {}, 100, 'player-7')": 1900}
    for call, far in calls.items():
        first, last = await touched(call.format(0)), await touched(call.format(far))
        assert last <= first + 10, (first, last)
    for sql, args in ((round_log.NEXT_PARTNER, ("",)), (NUMBER, ("demo", 200_000, 500))):
        plan = str(await log._connection.fetch(f"explain {bound(sql, args)}"))
        assert "Seq Scan" not in plan, plan


def test_a_step_that_was_planned_while_the_queue_was_empty_looks_at_each_row_once(postgres: Any) -> None:
    """The plan is made once, on a new database; then the queue is full. Rows that a filter drops are work."""
    url = postgres.create_database()
    count = 300

    async def main() -> None:
        async with opened(url) as ledger, log_of(url) as log:
            assert isinstance(log, PostgresRoundLog)
            await log._connection.execute(f"prepare step (text, bigint, bigint) as {NUMBER}")
            await log._connection.execute("insert into round_log_head values ('demo', 0)")
            await log._connection.execute("execute step ('demo', 0, 500)")
            names = [f"p{n}" for n in range(count)]
            await play(ledger, players(*names))
            await play(ledger, [request for name in names for request in rounds(name, 1, 1)])
            explain = f"explain (analyze, format json) execute step ('demo', 0, {count - 1})"
            told = json.loads(await log._connection.fetchval(explain))
            assert sum(dropped(told[0]["Plan"])) <= count
            assert len(await log.page(LogQuery("demo", 0, 1000))) == count - 1
            assert await found(url) == []

    run(main())


def dropped(plan: dict[str, Any]) -> Iterator[float]:
    """Rows that a plan's filters dropped."""
    for name in ("Rows Removed by Filter", "Rows Removed by Join Filter"):
        yield plan.get(name, 0) * plan["Actual Loops"]
    for inner in plan.get("Plans", []):
        yield from dropped(inner)


def bound(sql: str, args: tuple[Any, ...]) -> str:
    for number, arg in enumerate(args, 1):
        sql = sql.replace(f"${number}", f"'{arg}'" if isinstance(arg, str) else str(arg))
    return sql


async def look_at_sqlite(url: str) -> None:
    """Every statement searches by a key; none scans a table or sorts a log."""
    connection = apsw.Connection(str(sqlite_path(url)))

    def plan(sql: str, values: int = 3) -> list[str]:
        return [row[3] for row in connection.execute(f"explain query plan {sql}", ("",) * values)]

    by_key = ["SEARCH round_log USING PRIMARY KEY (partner=? AND number>?)"]
    assert plan(round_log.PAGE) == by_key
    (step,) = plan(round_log.PLAYERS_PAGE, 4)
    assert step.startswith("SEARCH round_log USING INDEX")
    assert "player=? AND player_number>?" in step
    for sql, values in ((round_log.NEXT_PARTNER, 1), (round_log.HEAD, 1), (EMPTY, 3)):
        assert all(step.startswith("SEARCH") for step in plan(sql, values)), plan(sql, values)
    for sql, values in ((ADD, 3), (LAST_PICKED, 2)):
        scans = [step for step in plan(sql, values) if step.startswith("SCAN")]
        assert not [step for step in scans if "round_due" in step or "round_log" in step], scans
    connection.close()


# -- the audit --

SPOILED = {
    "a row of the log deleted": "delete from round_log where number = 1",
    "the last row deleted": "delete from round_log where number = 2",
    "a row of the queue deleted": "delete from round_due where player = 'ana'",
    "a win changed": "update round_log set won = '9.0' where number = 1",
    "a stake changed in the queue": "update round_due set staked = '9.0' where player = 'ana'",
    "a row moved behind": "update round_log set number = 7 where number = 1",
    "a player's number": "update round_log set player_number = 7 where number = 1",
    "another's row": "update round_log set player = 'eve' where number = 1",
    "a round's name": "update round_log set round = 'r' where number = 1",
    "a game": "update round_log set game = 'r' where number = 1",
    "a journal row": "update round_log set seq = 99 where number = 1",
    "the head": "update round_log_head set next = 9",
    "the head deleted": "delete from round_log_head",
    "a round's head": "update round set logged_won = '7.0' where id = 'ana-r1'",
    "whether a round is logged": "update round set logged = (1 = 0) where id = 'ana-r1'",
    "a row back in the queue": (
        "insert into round_due select partner, player, seq, provider, round, game, currency, staked, won,"
        " jackpot_id, jackpot, at from round_log where number = 2"
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_the_audit_finds_whatever_is_done_to_the_log(what: str, db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger, log_of(db_url) as log:
            await play(ledger, [*players("ana"), *rounds("ana", 1, 4)])
            await log.number("demo", 3)
        assert await found(db_url) == []
        async with database(db_url) as db:
            assert await db.execute(SPOILED[what]) > 0
        assert await found(db_url) != []

    run(main())
