"""Events in the midst of others: a batch cut by its rows, halving, a stop with work pending, a lost sync."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import apsw
import pytest

from caisse.core.book import Book, Wants
from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.verdicts import Verdict
from caisse.store import opening
from caisse.store.api import BadData, Conflict, FateUnknown
from caisse.store.postgres.postgres import PROVE, PostgresLedger
from caisse.store.sqlite.checkpoints import Checkpoints
from caisse.writer.writer import Limits
from tests.support.ledger import FUNDING, OTHER, again, bet, charge, create, look, rollback_round, withdraw
from tests.support.postgres import Borrowed, Postgres
from tests.support.stores import audited, committed, database, decided, opened, run
from tests.writer.test_writer import Desk, Faulty

BY_ROUND = Policy(refund_by_round=True)


class Torn(Faulty):
    """Its first load looks for the players before another server creates them, and for the rows after."""

    def __init__(self, ledger: Any) -> None:
        super().__init__(ledger)
        self.tear = False

    async def load(self, wanted: Wants, *, lock: bool) -> Book:
        book = await super().load(wanted, lock=lock)
        if self.tear:
            self.tear = False
            book.players.clear()
        return book


def test_R1_a_creation_repeated_while_another_server_creates_gets_the_first_verdict(db_url: str) -> None:
    """The name is compared under the player's key (R59), so a row without its player says nothing."""

    async def main() -> None:
        asked = create(user="racer")
        async with Desk(db_url, wrap=Torn) as desk:
            [first] = await desk.all([asked])
            desk.ledgers[0].loading = [Conflict("a race is lost, so nothing is recalled")]
            desk.ledgers[0].tear = True
            [second] = await desk.all([again(asked, name_key=bytes(range(16)))])
            assert first
            assert second
            assert (second.verdict, second.row, second.replay) == (Verdict.OK, first.row, True)
            assert not desk.ledgers[0].tear
        assert (await audited(db_url)).findings == []

    run(main())


class Watched(Faulty):
    """Remembers how many rows of rounds each load brought, and how many rows each commit wrote."""

    def __init__(self, ledger: Any) -> None:
        super().__init__(ledger)
        self.loaded: list[int] = []
        self.wrote: list[int] = []

    async def load(self, wanted: Wants, *, lock: bool) -> Book:
        book = await super().load(wanted, lock=lock)
        self.loaded.append(sum(map(len, book.round_rows.values())))
        return book

    async def commit(self, book: Book) -> None:
        await super().commit(book)
        self.wrote.append(len(book.appended))


def test_R40_R32_a_batch_is_cut_by_its_rows_and_keeps_its_order(db_url: str) -> None:
    """Ten rounds of ten bets, refunded at once among other requests, 30 rows a batch at most."""
    bets: list[Request] = [bet("1.0", f"b-{n}", f"r{n % 10}") for n in range(100)]
    mixed: list[Request] = []
    for number in range(10):
        mixed += [rollback_round(f"r{number}"), withdraw("1.0"), bet("1.0", f"late-{number}", f"r{number}")]

    async def main() -> None:
        async with Desk(db_url, limits=Limits(rows=30), wrap=Watched) as desk:
            await desk.all(bets)
            (ledger,) = desk.ledgers
            ledger.loaded.clear()
            ledger.wrote.clear()
            told = await desk.all([*mixed, *map(again, mixed[:3])])
            words = [decision.verdict for decision in told if decision]
            assert words == [Verdict.OK, Verdict.OK, Verdict.LATE_BET] * 11
            balances = [
                d.rows[-1].balance // UNIT for d in told if d and not d.replay and d.verdict is Verdict.OK
            ]
            assert balances == [200 + 9 * (n // 2) + 10 - n % 2 for n in range(20)]
            assert max(ledger.loaded) <= 20
            assert max(ledger.wrote) <= 20 + 30
            assert len([n for n in ledger.loaded if n]) >= 5
            assert await desk.balance() == 290 * UNIT
        assert (await audited(db_url)).findings == []

    run(main())


def test_isolating_keeps_the_order_of_requests_that_depend_on_each_other(db_url: str) -> None:
    """One batch, one request bad: withdraw 300, bad, 200, 100 of 300."""

    class Refusing(Faulty):
        async def commit(self, book: Book) -> None:
            if any(row.asked == 7 * UNIT for row in book.appended):
                raise BadData("seven")
            await super().commit(book)

    async def main() -> None:
        async with Desk(db_url, wrap=Refusing) as desk:
            asked: list[Request] = [withdraw("300.0"), charge("7.0"), withdraw("200.0"), withdraw("100.0")]
            told = [decision and decision.verdict for decision in await desk.all(asked)]
            assert told == [Verdict.OK, None, Verdict.INSUFFICIENT, Verdict.INSUFFICIENT]
            assert await desk.balance() == 0
        assert (await audited(db_url)).findings == []

    run(main())


def test_R58_repeats_that_wait_at_a_stop_are_written_down(db_url: str) -> None:
    """One, then two more at once, then the stop: the counts add up to three."""
    asked = charge("1.0", user=OTHER)

    async def main() -> None:
        async with Desk(db_url) as desk:
            await desk.ask(asked)
            await desk.ask(again(asked))
            waiting = [desk.send(again(asked)) for _ in range(2)]
            desk.writer.close()
            assert desk.running is not None
            await desk.running
            assert all(answer.done() for answer in waiting)
        async with database(db_url) as db:
            rows = await db.fetch("select sum(count) from attempt where uuid = $1", asked.uuid)
        assert int(rows[0][0]) == 3
        assert await desk.balance(OTHER) == 101 * UNIT

    run(main())


def test_R9_a_batch_of_reads_proves_by_one_statement_that_what_it_read_is_durable(
    postgres: Postgres | Borrowed,
) -> None:
    url = postgres.create_database()

    async def position() -> str:
        async with database(url) as db:
            return str((await db.fetch("select cast(pg_current_wal_insert_lsn() as text)"))[0][0])

    async def main() -> None:
        async with opened(url) as ledger:
            assert isinstance(ledger, PostgresLedger)
            await committed(ledger, FUNDING)
            book, _ = await decided(ledger, [look("USD"), look(user=OTHER)])
            sent: list[str] = []
            connection = ledger._connection
            assert connection is not None
            before = await position()
            with connection.query_logger(lambda record: sent.append(record.query)):
                await ledger.commit(book)
                await asyncio.sleep(0)
            assert sent == [PROVE]
            assert await position() != before

    run(main())


def test_R9_a_sync_that_fails_during_a_commit_leaves_that_very_commit_untold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint's sync may have been meant for the log of the commit that is under way."""
    url = f"sqlite:///{tmp_path}/caisse.db"

    async def main() -> None:
        async with opened(url) as ledger:
            await committed(ledger, FUNDING)
        followed = Checkpoints._after_commit

        def failing(self: Checkpoints, writer: apsw.Connection, name: str, pages: int) -> int:
            self.unsynced = apsw.IOError("disk I/O error")
            return followed(self, writer, name, pages)

        monkeypatch.setattr(Checkpoints, "_after_commit", failing)
        late = opening.ledger(url)
        book, _ = await decided(late, [withdraw("1.0")])
        with pytest.raises(FateUnknown) as error:
            await late.commit(book)
        assert error.value.fatal
        await late.close()

    run(main())
