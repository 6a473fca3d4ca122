"""The trace of requests that left no row, on both engines: neither a stop nor an outage loses a line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from caisse.core.attempts import LINES_A_MINUTE, Attempt
from caisse.store.api import BadData, Ledger, Unavailable
from caisse.writer.writer import Limits
from tests.support.ledger import again, rollback, withdraw
from tests.support.postgres import Borrowed, Postgres
from tests.support.stores import audited, database, run
from tests.writer.test_writer import Desk, Faulty, until

NEVER = Limits(record_seconds=3600.0)
SOON = Limits(record_seconds=0.01)


async def lines(url: str, what: str = "uuid, count", where: str = "true") -> list[tuple[Any, ...]]:
    async with database(url) as db:
        return [
            tuple(row) for row in await db.fetch(f"select {what} from attempt where {where} order by uuid")
        ]


async def total(url: str) -> int:
    async with database(url) as db:
        return int((await db.fetch("select cast(coalesce(sum(count), 0) as text) from attempt"))[0][0])


def unread(desk: Desk, uuid: str = "u-1", **ids: str) -> None:
    desk.writer.note_unread("demo", "lucky", "/V4/Result", **{"uuid": uuid, "fault": "amount", **ids})


class Refusing(Faulty):
    """A connection that refuses to record, or a line of it, where it is told to."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.recording: list[Exception] = []
        self.bad = ""

    async def record(self, attempts: Sequence[Attempt]) -> None:
        if self.recording:
            raise self.recording.pop(0)
        if any(attempt.uuid == self.bad for attempt in attempts):
            raise BadData("a value")
        await super().record(attempts)


@pytest.mark.parametrize("lanes", [1, 2])
def test_R58_repeats_waiting_at_a_stop_are_written_down(db_url: str, lanes: int) -> None:
    async def main() -> None:
        lanes_ = 1 if db_url.startswith("sqlite") else lanes
        first = withdraw("1.0")
        async with Desk(db_url, lanes=lanes_, limits=NEVER) as desk:
            await desk.all([first])
            desk.writer.recorder.attempts.take()
            await desk.all([again(first)])
            await desk.all([again(first), again(first)])
            assert await total(db_url) == 0
        assert await lines(db_url) == [(first.uuid, 3)]
        assert (await audited(db_url)).findings == []

    run(main())


@pytest.mark.parametrize("lanes", [1, 2])
def test_R58_what_could_not_be_read_is_written_by_a_stop_too(db_url: str, lanes: int) -> None:
    async def main() -> None:
        async with Desk(db_url, lanes=1 if db_url.startswith("sqlite") else lanes, limits=NEVER) as desk:
            unread(desk)
            unread(desk)
        assert await lines(db_url, "uuid, provider, endpoint, fault, rule, count") == [
            ("u-1", "lucky", "/V4/Result", "amount", "R7", 2)
        ]
        assert (await audited(db_url)).findings == []

    run(main())


def test_R58_what_could_not_be_read_is_written_soon_though_no_request_comes(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url) as desk:
            unread(desk, reference="w-1", round="r-1", player="ann")
            while not await total(db_url):  # noqa: ASYNC110 - a database rings no bell
                await asyncio.sleep(0.05)
            assert await lines(db_url, "player, reference, round, verdict") == [("ann", "w-1", "r-1", "")]

    run(main())


def test_R58_while_the_database_refuses_nothing_is_lost(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, limits=SOON, wrap=Refusing) as desk:
            desk.ledgers[0].recording += [Unavailable("away")] * 3
            first = withdraw("1.0")
            await desk.all([first, again(first)])
            unread(desk)
            await until(lambda: not desk.ledgers[0].recording)
        assert await total(db_url) == 2
        assert desk.writer.recorder.unrecorded == 0

    run(main())


def test_R58_a_line_that_cannot_be_stored_is_left_out_alone(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, limits=NEVER, wrap=Refusing) as desk:
            desk.ledgers[0].bad = "u-3"
            for number in range(5):
                unread(desk, f"u-{number}")
        assert [uuid for uuid, _ in await lines(db_url)] == ["u-0", "u-1", "u-2", "u-4"]
        assert desk.writer.recorder.unrecorded == 1

    run(main())


def test_R58_a_flood_beyond_the_limit_is_one_line_however_often_it_is_written(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, limits=NEVER) as desk:
            lane = desk.writer.lanes[0]
            for number in range(LINES_A_MINUTE + 100):
                unread(desk, f"u-{number}")
                if number > LINES_A_MINUTE and number % 30 == 0:
                    await lane._recorder.write(lane._ledger)
            unread(desk, fault="currency")
        assert await total(db_url) == LINES_A_MINUTE + 101
        beyond = await lines(db_url, "fault, count", "rule = 'R58'")
        assert sorted(beyond) == [("amount", 100), ("currency", 1)]
        assert len(await lines(db_url)) == LINES_A_MINUTE + 2

    run(main())


def test_R58_two_lanes_share_the_limit_and_the_counted_line(postgres: Postgres | Borrowed) -> None:
    async def main() -> None:
        url = postgres.create_database()
        async with Desk(url, lanes=2, limits=NEVER) as desk:
            for number in range(LINES_A_MINUTE + 50):
                unread(desk, f"u-{number}")
            lanes = desk.writer.lanes
            await lanes[0]._recorder.write(lanes[0]._ledger)
            for number in range(50):
                unread(desk, f"v-{number}")
            await lanes[1]._recorder.write(lanes[1]._ledger)
        assert await lines(url, "count", "rule = 'R58'") == [(100,)]
        assert await total(url) == LINES_A_MINUTE + 100

    run(main())


def test_R25_a_repeat_with_another_amount_is_stored_with_it_and_its_flag(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, limits=NEVER) as desk:
            undo = rollback("b-0", "4.0")
            await desk.all([undo])
            await desk.all([again(rollback("b-0", "99999.0"), uuid=undo.uuid)])
        assert await lines(db_url, "reference, flag, content, count") == [
            ("b-0", "R25", '["tester","99999.0"]', 1)
        ]
        assert (await audited(db_url)).findings == []

    run(main())
