"""R57: one partner's reading never keeps another's from theirs; every page is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from caisse.core.round_log import LogQuery
from caisse.store import listing
from caisse.store.api import Unavailable
from caisse.store.listing import LISTINGS, LISTINGS_EACH, RoundPages
from caisse.store.opening import sqlite_path
from tests.store.test_round_log import log_of, number_all, play, players, rounds, stakes
from tests.support.postgres import Borrowed, Postgres
from tests.support.stores import opened, run

LOCK = "lock table round_log in access exclusive mode"


@asynccontextmanager
async def pages_of(url: str) -> AsyncIterator[RoundPages]:
    """A log of three rows for each of some partners, and who reads it."""
    async with opened(url) as ledger, log_of(url) as log:
        for partner in ("demo", "other", "third"):
            await play(ledger, [*players("ana", partner=partner), *rounds("ana", 1, 3, partner)])
        await number_all(log)
    pages = RoundPages(url)
    await pages.open()
    try:
        yield pages
    finally:
        await pages.close()


def page(partner: str, start: int = 0, limit: int = 9) -> LogQuery:
    return LogQuery(partner, start, limit)


def test_pages_are_read_and_their_connections_were_opened_before(db_url: str) -> None:
    """After `open` no page opens a file or a connection: under a flood there may be none to be had."""

    async def main() -> None:
        async with pages_of(db_url) as pages:
            before = [reader._log for reader in pages._readers]
            assert None not in before
            wanted = [page(partner, start) for partner in ("demo", "other") for start in range(3)]
            found = await asyncio.gather(*map(pages.read, wanted))
            assert [stakes(rows) for rows in found] == [[1, 2, 3], [2, 3], [3]] * 2
            assert [reader._log for reader in pages._readers] == before

    run(main())


def test_pages_are_read_again_after_the_connections_were_lost(db_url: str) -> None:
    async def main() -> None:
        async with pages_of(db_url) as pages:
            for reader in pages._readers:
                assert reader._log is not None
                await reader._on_thread(reader._log.close)
            for _ in range(4):
                assert stakes(await pages.read(page("demo"))) == [1, 2, 3]

    run(main())


def test_a_partner_whose_pages_hang_keeps_no_other_from_theirs(db_url: str) -> None:
    """One of demo's pages is under way and never ends, seven more wait; the others are read meanwhile."""

    async def main() -> None:
        async with pages_of(db_url) as pages:
            gate = asyncio.Event()
            for reader in pages._readers:
                reader.read = hanging(reader, gate)  # type: ignore[method-assign]
            slow = [asyncio.create_task(pages.read(page("demo"))) for _ in range(LISTINGS_EACH)]
            await asyncio.sleep(0)
            with pytest.raises(Unavailable):
                await pages.read(page("demo"))
            for _ in range(3):
                assert stakes(await pages.read(page("other", 1))) == [2, 3]
                assert stakes(await pages.read(page("third", 2))) == [3]
            assert not any(task.done() for task in slow)
            gate.set()
            assert [stakes(rows) for rows in await asyncio.gather(*slow)] == [[1, 2, 3]] * LISTINGS_EACH
            assert not pages._waiting
            assert not pages._reading

    run(main())


def hanging(reader: listing.Reader, gate: asyncio.Event):
    real = reader.read

    async def read(wanted: LogQuery):
        if wanted.partner == "demo":
            await gate.wait()
        return await real(wanted)

    return read


def test_who_has_none_is_let_in_however_many_wait(tmp_path: Path) -> None:
    """In all at most LISTINGS, beyond that one for each partner."""

    async def main() -> None:
        pages = RoundPages(f"sqlite:///{tmp_path}/none.db")
        for reader in pages._readers:
            reader.read = forever  # type: ignore[method-assign]
        tasks = [
            asyncio.create_task(pages.read(page(f"partner-{n // LISTINGS_EACH}"))) for n in range(LISTINGS)
        ]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(pages.read(page("late"))))
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        for partner in ("late", "partner-0"):
            with pytest.raises(Unavailable):
                await pages.read(page(partner))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for reading in pages._reading.values():
            reading.cancel()
        await pages.close()

    run(main())


async def forever(wanted: LogQuery) -> list:
    await asyncio.Event().wait()
    return []


def test_who_gives_up_is_not_read_for(db_url: str) -> None:
    async def main() -> None:
        async with pages_of(db_url) as pages:
            gate = asyncio.Event()
            for reader in pages._readers:
                reader.read = hanging(reader, gate)  # type: ignore[method-assign]
            first, second = (asyncio.create_task(pages.read(page("demo"))) for _ in range(2))
            await asyncio.sleep(0)
            second.cancel()
            gate.set()
            assert stakes(await first) == [1, 2, 3]
            assert stakes(await pages.read(page("demo"))) == [1, 2, 3]

    run(main())


def test_a_slow_page_ends_in_time(postgres: Postgres | Borrowed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is locked holds a page up for READ_SECONDS twice, and no longer."""
    monkeypatch.setattr(listing, "READ_SECONDS", 0.2)
    url = postgres.create_database()
    assert sqlite_path(url) is None

    async def main() -> None:
        async with pages_of(url) as pages:
            other = await asyncpg.connect(url)
            async with other.transaction():
                await other.execute(LOCK)
                with pytest.raises(TimeoutError):
                    await pages.read(page("demo"))
            await other.close()
            monkeypatch.setattr(listing, "READ_SECONDS", 30.0)
            assert stakes(await pages.read(page("demo"))) == [1, 2, 3]

    run(main())
