"""R9 on PostgreSQL: an answered commit is on the disk and on the standby, whatever a session's settings.

The settings are those that a role, a reload or a pooler's server session really brought.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from caisse.core.money import UNIT
from caisse.core.requests import Request
from caisse.store import opening
from caisse.store import read as reading
from caisse.store.api import FateUnknown, Unavailable
from caisse.store.migrate import migrate
from caisse.store.postgres.postgres import PostgresLedger
from tests.support.ledger import FUNDING, NOW, PARTNER, PLAYER, charge, look
from tests.support.postgres import Postgres, wait_for
from tests.support.server import PATIENCE
from tests.support.stores import committed, database, decided, run

COMMITS = 12
UNFLUSHED = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn())::bigint"
WAITING = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
CANCEL = "select count(pg_cancel_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep'"


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    """A server whose settings are changed while it serves; nobody else writes its log."""
    with Postgres(autovacuum="off") as server:
        yield server


@pytest.fixture
def url(own: Postgres) -> Iterator[str]:
    yield own.create_database()
    for name in ("synchronous_commit", "synchronous_standby_names", "client_min_messages"):
        own.sql(f"alter system reset {name}")
    own.sql(
        "select pg_reload_conf()"
    )  # first: with a standby that is not there the next one would wait for ever
    wait_for(lambda: own.sql("show synchronous_standby_names") == "", PATIENCE, lambda: "not reloaded")
    own.sql("alter role postgres reset all")


@asynccontextmanager
async def funded(url: str) -> AsyncIterator[PostgresLedger]:
    """A writer's connection to a migrated database with one player."""
    async with database(url) as db:
        await migrate(db, url, NOW)
    ledger = opening.ledger(url)
    assert isinstance(ledger, PostgresLedger)
    await committed(ledger, FUNDING)
    try:
        yield ledger
    finally:
        await ledger.close()


def connection_of(ledger: PostgresLedger) -> asyncpg.Connection:
    assert ledger._connection is not None
    return ledger._connection


async def balance(url: str) -> int:
    async with database(url) as db:
        found = await reading.player(db, PARTNER, PLAYER)
        assert found is not None
        return found.wallets["USD"]


async def reload(own: Postgres, **settings: str) -> None:
    for name, value in settings.items():
        own.sql(f"alter system set {name} = '{value}'")
    own.sql("select pg_reload_conf()")
    await asyncio.sleep(
        0.3
    )  # until the sessions have read it; a test that is too quick proves less, never fails


HOW: dict[str, tuple[list[Callable[[], Request]], bool]] = {
    "a write": ([charge], False),
    "a locked write": ([charge], True),
    "a read": ([look], False),
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("off", ["by a reload while serving", "in the server session of a pooler"])
def test_nothing_is_unflushed_when_a_commit_is_answered(own: Postgres, url: str, how: str, off: str) -> None:
    makers, lock = HOW[how]

    async def main() -> list[Any]:
        seen = []
        async with funded(url) as ledger, database(url) as beside:
            if off == "by a reload while serving":
                await reload(own, synchronous_commit="off")
            for _ in range(COMMITS):
                book, _ = await decided(ledger, [make() for make in makers], lock=lock)
                if off == "in the server session of a pooler":
                    await connection_of(ledger).execute("set synchronous_commit = off")
                await ledger.commit(book)
                seen.append((await beside.fetch(UNFLUSHED))[0][0])
        return seen

    assert run(main()) == [0] * COMMITS


def test_the_settings_last_for_the_write_only_and_never_lower_what_is_there(own: Postgres, url: str) -> None:
    """`remote_apply` waits longer than `on` does."""
    own.sql("alter role postgres set synchronous_commit = 'remote_apply'")

    async def main() -> None:
        async with funded(url) as ledger:
            show = "select current_setting('synchronous_commit'), current_setting('client_min_messages')"
            connection = connection_of(ledger)
            assert [*map(tuple, await connection.fetch(show))] == [("remote_apply", "notice")]
            book, _ = await decided(ledger, [charge()], lock=True)
            await connection.execute("set client_min_messages = 'error'")
            await ledger.commit(book)
            assert [*map(tuple, await connection.fetch(show))] == [("remote_apply", "error")]

    run(main())


@pytest.mark.parametrize("level", ["off", "local", "remote_write", "on"])
def test_a_session_is_raised_to_on_whatever_its_role_says(own: Postgres, url: str, level: str) -> None:
    own.sql(f"alter role postgres set synchronous_commit = '{level}'")

    async def main() -> None:
        async with database(url) as db:
            assert (await db.fetch("select current_setting('synchronous_commit')"))[0][0] == "on"

    run(main())


async def cancelled(own: Postgres, work: asyncio.Task[Any]) -> None:
    """Cancel the wait of a commit for a standby that is not there, as an operator does."""
    async with asyncio.timeout(PATIENCE):
        while own.sql(WAITING) == "0":
            assert not work.done(), "the commit did not wait"
            await asyncio.sleep(0.05)
        own.sql(CANCEL)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("silenced", ["for the role", "in the server session of a pooler"])
def test_a_cancelled_wait_for_the_standby_is_an_unknown_fate(
    own: Postgres, url: str, how: str, silenced: str
) -> None:
    """PostgreSQL tells it by a warning, which a session that wants errors only never gets."""
    makers, lock = HOW[how]
    if silenced == "for the role":
        own.sql("alter role postgres set client_min_messages = 'error'")

    async def main() -> None:
        async with funded(url) as ledger:
            before = await balance(url)
            requests = [make() for make in makers]
            book, _ = await decided(ledger, requests, lock=lock)
            if silenced == "in the server session of a pooler":
                await connection_of(ledger).execute("set client_min_messages = 'error'")
            await reload(own, synchronous_standby_names="nobody")
            work = asyncio.create_task(ledger.commit(book))
            await cancelled(own, work)
            with pytest.raises(FateUnknown, match="warned"):
                await work
            own.sql("alter system reset synchronous_standby_names")
            await reload(own)
            (told,) = await committed(ledger, requests)
            assert told.verdict.name == "OK"
            assert await balance(url) - before == (0 if how == "a read" else 100 * UNIT)

    run(main())


def test_administration_does_not_take_a_cancelled_wait_for_done(own: Postgres, url: str) -> None:
    own.sql("alter role postgres set client_min_messages = 'error'")

    async def main() -> None:
        async with database(url) as db:
            await migrate(db, url, NOW)
            await reload(own, synchronous_standby_names="nobody")
            work = asyncio.create_task(db.execute("insert into partner values ('late', 1)"))
            await cancelled(own, work)
            with pytest.raises(Unavailable, match="warned"):
                await work

    run(main())


def test_a_long_read_is_not_ended_by_the_limits_of_its_role(own: Postgres, url: str) -> None:
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    for name in (*limits, "transaction_timeout"):
        own.sql(f"alter role postgres set {name} = '500ms'")

    async def main() -> None:
        async with database(url) as db:
            await db.begin_snapshot()
            assert [r[0] async for r in db.stream("select pg_sleep(0.4)::text from generate_series(1, 2)")]
            await asyncio.sleep(0.7)
            assert (await db.fetch("select 42"))[0][0] == 42

    run(main())
