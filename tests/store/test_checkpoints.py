"""SQLite's log is moved beside the writer: it stays short, loses nothing, and no commit fails for it."""

from __future__ import annotations

import logging
from pathlib import Path

import apsw
import pytest

from caisse.store.api import FateUnknown, Ledger
from caisse.store.sqlite import checkpoints
from caisse.store.sqlite.file import open_file
from caisse.store.sqlite.sqlite import SqliteLedger
from tests.support.ledger import FUNDING, charge
from tests.support.stores import audited, committed, database, opened, run

FRAME = 24 + 4_096
"""A page in the log, with its header, in bytes."""
MOST = 400


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is long after a few commits."""
    monkeypatch.setattr(checkpoints, "PAGES", 50)
    monkeypatch.setattr(checkpoints, "MOST", MOST)
    monkeypatch.setattr(checkpoints, "TAIL", 5)


def pages(file: Path) -> int:
    """Length of the log."""
    return log_of(file).stat().st_size // FRAME


def log_of(file: Path) -> Path:
    return Path(f"{file}-wal")


def copied(file: Path, number: int) -> Path:
    """The files as they lie there. The database last: what is moved meanwhile is in the log's copy."""
    copy = file.with_name(f"copy{number}.db")
    log_of(copy).write_bytes(log_of(file).read_bytes())
    copy.write_bytes(file.read_bytes())
    return copy


async def charged(ledger: Ledger, times: int) -> None:
    for _ in range(times):
        await committed(ledger, [charge("1.0")])


async def holds(file: Path, balance: str) -> None:
    """The money, and the whole journal recomputed."""
    url = f"sqlite:///{file}"
    async with database(url) as db:
        rows = await db.fetch("select balance from wallet where player = 'tester'")
        assert [tuple(row) for row in rows] == [(balance,)]
    assert not (await audited(url)).findings


def test_the_log_begins_anew_again_and_again(file: Path) -> None:
    async def main() -> None:
        async with opened(f"sqlite:///{file}") as ledger:
            await committed(ledger, FUNDING)
            await charged(ledger, 300)
            assert pages(file) <= MOST + 50
        await holds(file, "600.0")

    run(main())


def test_by_itself_sqlite_would_have_let_it_grow(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That 300 commits are many pages, and that nobody but us moves them."""
    monkeypatch.setattr(checkpoints, "PAGES", 10**9)
    monkeypatch.setattr(checkpoints, "LEAST", 10**9)

    async def main() -> None:
        async with opened(f"sqlite:///{file}") as ledger:
            await committed(ledger, FUNDING)
            await charged(ledger, 300)
            assert pages(file) > 2 * MOST

    run(main())


@pytest.mark.parametrize(
    ("commits", "shortest", "longest"), [(5, 0, 250), (10**6, 2 * MOST, 10**6)], ids=["five", "any number"]
)
def test_the_log_has_room_for_so_many_commits_like_the_last(
    file: Path, monkeypatch: pytest.MonkeyPatch, commits: int, shortest: int, longest: int
) -> None:
    """Small commits keep it short, whatever large ones may do."""
    monkeypatch.setattr(checkpoints, "PAGES", 10**9)
    monkeypatch.setattr(checkpoints, "LEAST", 20)
    monkeypatch.setattr(checkpoints, "COMMITS", commits)

    async def main() -> None:
        async with opened(f"sqlite:///{file}") as ledger:
            await committed(ledger, FUNDING)
            await charged(ledger, 300)
            assert shortest < pages(file) < longest
        await holds(file, "600.0")

    run(main())


def test_a_reader_that_holds_the_log_back_stops_no_commit(file: Path) -> None:
    async def main() -> None:
        async with opened(f"sqlite:///{file}") as ledger:
            await committed(ledger, FUNDING)
            reader = open_file(file)
            reader.execute("begin")
            assert reader.execute("select count(*) from journal").fetchall()
            await charged(ledger, 300)
            held = pages(file)
            assert held > 2 * MOST
            reader.close()
            await charged(ledger, 300)
            assert pages(file) <= held + MOST
        await holds(file, "900.0")

    run(main())


def test_a_checkpoint_that_cannot_be_made_fails_no_commit(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a connection that cannot be opened nor one that is broken: the log grows, and that is told."""

    def failing() -> apsw.Connection:
        raise apsw.CantOpenError(f"{file} cannot be opened")

    async def main() -> None:
        async with opened(f"sqlite:///{file}") as ledger:
            assert isinstance(ledger, SqliteLedger)
            await committed(ledger, FUNDING)
            broken = open_file(file)
            ledger._checkpoints._connection = broken
            broken.close()
            await charged(ledger, 100)
            ledger._checkpoints._connection = None
            ledger._checkpoints._opened = failing
            await charged(ledger, 100)
        await holds(file, "500.0")

    caplog.set_level(logging.WARNING)
    run(main())
    told = [record.getMessage() for record in caplog.records]
    assert any("a checkpoint failed" in text for text in told)
    assert any("no connection for checkpoints" in text for text in told)
    assert len(told) < 100  # 200 commits: not one line for each


def test_no_commit_is_told_as_durable_after_a_sync_failed(file: Path) -> None:
    """A kernel may tell that to whoever syncs first, and never again: it may have been the commit's own."""

    async def main() -> None:
        async with opened(f"sqlite:///{file}") as ledger:
            assert isinstance(ledger, SqliteLedger)
            await committed(ledger, FUNDING)
            ledger._checkpoints.unsynced = apsw.IOError("the disk is broken")
            with pytest.raises(FateUnknown, match="the disk is broken") as failed:
                await charged(ledger, 1)
            assert failed.value.fatal

    run(main())


def test_what_is_moved_while_commits_go_on_is_whole(file: Path) -> None:
    """Killed at any time: the copy of the files as they lie there has all that was committed."""

    async def main() -> None:
        async with opened(f"sqlite:///{file}") as ledger:
            await committed(ledger, FUNDING)
            for number in range(40):
                await charged(ledger, 10)
                c = open_file(copied(file, number))
                assert c.execute("pragma integrity_check").fetchall() == [("ok",)]
                assert c.execute("select max(seq) from journal").fetchall()[0][0] == 3 + 10 * (number + 1)
                c.close()

    run(main())
