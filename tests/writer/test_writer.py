"""The writer on real databases: one effect for each key, exact sums, and nobody fails for another's fault."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

import pytest

from caisse.core.book import Book, Wants
from caisse.core.entries import Decision
from caisse.core.money import UNIT
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.requests import Charge, Request
from caisse.core.verdicts import ACCEPTED, Verdict
from caisse.store import opening
from caisse.store import read as reading
from caisse.store.api import BadData, Conflict, FateUnknown, Ledger, Unavailable
from caisse.store.migrate import migrate
from caisse.writer.writer import HALVE_ABOVE, Limits, Writer
from tests.support.ledger import (
    FUNDING,
    NOW,
    OTHER,
    POLICIES,
    again,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    look,
    open_wallet,
    result,
    rollback,
    rollback_round,
    traffic,
    withdraw,
)
from tests.support.ledger import Ledger as PureLedger
from tests.support.postgres import Borrowed, Postgres
from tests.support.stores import audited, contents, database, run

SERVED_SECONDS = 60
Told = Decision | None


class Desk:
    """A running writer on a database that has its tables and two players."""

    def __init__(
        self,
        url: str,
        *,
        lanes: int = 1,
        limits: Limits | None = None,
        wrap: Callable[[Ledger], Any] = lambda ledger: ledger,
    ) -> None:
        self.url = url
        self.ledgers = [wrap(opening.ledger(url)) for _ in range(lanes)]
        self.writer = Writer(self.ledgers, limits)
        self.running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Desk:
        async with database(self.url) as db:
            await migrate(db, self.url, NOW)
        self.run()
        for decision in await self.all(FUNDING):
            assert decision is not None
        return self

    def run(self) -> None:
        self.running = asyncio.create_task(self.writer.run())

    async def __aexit__(self, *failed: object) -> None:
        self.writer.close()
        if self.running and not (self.running.done() and any(failed)):
            await asyncio.wait_for(self.running, SERVED_SECONDS)

    def send(self, request: Request, policy: Policy = DEFAULT_POLICY) -> asyncio.Future[Told]:
        """Enqueue; the future gets the verdict."""
        answer: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        assert self.writer.submit(request, policy, answer.set_result)
        return answer

    async def told(self, answers: Sequence[asyncio.Future[Told]]) -> list[Told]:
        """What the callers are told; if the writer dies of it, its own error."""
        assert self.running is not None
        answered: asyncio.Future[list[Told]] = asyncio.gather(*answers)
        both: list[asyncio.Future[Any]] = [answered, self.running]
        await asyncio.wait(both, timeout=SERVED_SECONDS, return_when="FIRST_COMPLETED")
        if not answered.done():
            answered.cancel()
            self.running.result()
        return await answered

    async def ask(self, request: Request, policy: Policy = DEFAULT_POLICY) -> Told:
        return (await self.told([self.send(request, policy)]))[0]

    async def all(self, requests: Sequence[Request]) -> list[Told]:
        """All at once: they wait together before the first is decided."""
        return await self.told([self.send(request) for request in requests])

    def counted(self, name: str) -> int:
        return sum(getattr(lane.counters, name) for lane in self.writer.lanes)

    async def balance(self, user: str = "tester") -> int:
        async with database(self.url) as db:
            player = await reading.player(db, "demo", user)
            assert player is not None
            return player.wallets["USD"]


class Faulty:
    """A real connection of a writer that fails, or waits, where it is told to."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.loading: list[Exception] = []
        self.committing: list[Exception] = []
        self.gate: asyncio.Event | None = None
        self.locks: list[bool] = []
        self.drops = 0

    async def open(self) -> None:
        await self.ledger.open()

    async def load(self, wanted: Wants, *, lock: bool) -> Book:
        self.locks.append(lock)
        if self.loading:
            raise self.loading.pop(0)
        return await self.ledger.load(wanted, lock=lock)

    async def commit(self, book: Book) -> None:
        if self.gate:
            await self.gate.wait()
        if self.committing:
            raise self.committing.pop(0)
        await self.ledger.commit(book)

    async def record(self, attempts: Any) -> None:
        await self.ledger.record(attempts)

    def drop(self) -> None:
        self.drops += 1
        self.ledger.drop()

    async def close(self) -> None:
        await self.ledger.close()


def verdicts(told: Sequence[Told]) -> Counter[Verdict | None]:
    return Counter(None if decision is None else decision.verdict for decision in told)


def firsts(told: Sequence[Told]) -> list[Decision]:
    return [decision for decision in told if decision is not None and not decision.replay]


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(SERVED_SECONDS * 100):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def sound(url: str) -> None:
    assert (await audited(url)).findings == []


# One effect for each key


@pytest.mark.parametrize(
    ("request_", "after"),
    [(withdraw("200.0"), 100), (charge("1.0", transaction="t"), 301), (bet("10.0"), 290)],
    ids=["withdraw", "charge", "bet"],
)
def test_R6_sixty_four_at_once_have_one_effect(db_url: str, request_: Request, after: int) -> None:
    async def main() -> None:
        async with Desk(db_url) as desk:
            told = await desk.all([again(request_) for _ in range(64)])
            assert verdicts(told) == {Verdict.OK: 64}
            assert len(firsts(told)) == 1
            assert {decision.row for decision in told if decision} == {firsts(told)[0].row}
            assert await desk.balance() == after * UNIT
        async with database(db_url) as db:
            assert [tuple(r) for r in await db.fetch("select sum(count), count(*) from attempt")] == [(63, 1)]
        await sound(db_url)

    run(main())


@pytest.mark.parametrize(("lanes", "batches"), [(1, 1), (2, 2)])
def test_only_a_lane_without_others_waits_for_what_comes_two_steps_later(
    postgres: Postgres, lanes: int, batches: int
) -> None:
    async def main() -> None:
        async with Desk(postgres.create_database(), lanes=lanes) as desk:
            before = desk.counted("batches")
            first = desk.send(withdraw("1.0"))
            for _ in range(3):  # the lane wakes in one, the two others are looks
                await asyncio.sleep(0)
            told = await desk.told([first, desk.send(withdraw("1.0"))])
            assert verdicts(told) == {Verdict.OK: 2}
            assert desk.counted("batches") - before == batches
            assert await desk.balance() == 298 * UNIT

    run(main())


@pytest.mark.parametrize(
    ("lanes", "waiting", "batches"), [(2, HALVE_ABOVE, 1), (2, HALVE_ABOVE + 1, 2), (2, 100, 3), (1, 100, 1)]
)
def test_a_lane_that_works_while_others_rest_takes_half_of_what_waits(
    postgres: Postgres, lanes: int, waiting: int, batches: int
) -> None:
    async def main() -> None:
        async with Desk(postgres.create_database(), lanes=lanes) as desk:
            before = desk.counted("batches")
            told = await desk.all([withdraw("1.0") for _ in range(waiting)])
            assert verdicts(told) == {Verdict.OK: waiting}
            assert desk.counted("batches") - before == batches
            assert await desk.balance() == (300 - waiting) * UNIT

    run(main())


def test_lanes_that_work_at_the_same_time_take_all_that_waits(postgres: Postgres) -> None:
    async def main() -> None:
        async with Desk(postgres.create_database(), lanes=2) as desk:
            users = one_user_of_each_lane(desk)
            await desk.all([make(user=user) for user in users for make in (create, open_wallet)])
            before = desk.counted("batches")
            told = await desk.all([charge("1.0", user=user) for user in users for _ in range(100)])
            assert verdicts(told) == {Verdict.OK: 200}
            assert desk.counted("batches") - before == 2
            assert [await desk.balance(user) for user in users] == [100 * UNIT, 100 * UNIT]

    run(main())


def one_user_of_each_lane(desk: Desk) -> list[str]:
    """Which lane a player has is another one in every process."""
    lanes = len(desk.writer.lanes)
    found = {hash(("demo", f"user{n}")) % lanes: f"user{n}" for n in range(100)}
    assert len(found) == lanes
    return list(found.values())


def test_R14_a_drained_wallet_gave_exactly_what_it_held(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, limits=Limits(batch=50)) as desk:
            told = await desk.all([withdraw("1.0") for _ in range(400)])
            assert verdicts(told) == {Verdict.OK: 300, Verdict.INSUFFICIENT: 100}
            assert [decision.row.balance for decision in told[:300] if decision and decision.row] == [
                (299 - n) * UNIT for n in range(300)
            ]
            assert await desk.balance() == 0
            assert desk.counted("largest_batch") == 50
        await sound(db_url)

    run(main())


def test_R31_rivals_of_one_bet_are_decided_in_the_order_they_came(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url) as desk:
            story: list[Request] = [
                bet("10.0"),
                rollback(),
                rollback(uuid="cancel"),
                result("25.0"),
                end_round(),
            ]
            told = await desk.all(story)
            assert [decision.verdict for decision in told if decision] == [
                *(Verdict.OK, Verdict.OK, Verdict.OK, Verdict.NO_STANDING_BET, Verdict.OK)
            ]
            assert await desk.balance() == 300 * UNIT
        await sound(db_url)

    run(main())


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_of_any_size_tell_what_the_pure_core_says(db_url: str, batch: int) -> None:
    chance = Random(batch)
    requests = traffic(chance, 400)
    policies = [chance.choice(POLICIES) for _ in requests]

    async def main() -> None:
        pure = PureLedger(FUNDING)
        wanted = [pure.ask(r, policy) for r, policy in zip(requests, policies, strict=True)]
        async with Desk(db_url, limits=Limits(batch=batch)) as desk:
            answers = [desk.send(r, policy) for r, policy in zip(requests, policies, strict=True)]
            told = await desk.told(answers)
        assert list(map(essence, told)) == list(map(essence, wanted))
        await sound(db_url)

    run(main())


def essence(decision: Told) -> Any:
    assert decision is not None
    row = decision.row
    told = (row.id, row.part, row.seq, row.amount, row.balance) if row else None
    return decision.verdict, decision.rule, decision.replay, told, len(decision.rows)


# Poison


class Strange(Charge, frozen=True, kw_only=True):
    """A request of a kind that nobody decides."""


class Blind(Charge, frozen=True, kw_only=True):
    """A request that breaks when it is asked what must be loaded for it."""

    @property
    def lookups(self) -> tuple[str, ...]:
        raise RuntimeError("no idea")


class Unreadable(Policy, frozen=True, kw_only=True):
    """A policy that breaks when it is read."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("unreadable")


FIELDS: dict[str, Any] = {name: getattr(charge(), name) for name in Charge.__struct_fields__}
POISON: dict[str, tuple[Request, Policy]] = {
    "half a character in a name": (create(user="new", name="\ud800"), DEFAULT_POLICY),
    "half a character in a key": (charge(uuid="\ud800"), DEFAULT_POLICY),
    "half a character in a player": (withdraw(user="\udfff"), DEFAULT_POLICY),
    "half a character in the details": (bet("1.0", "poison", "p", details="\ud800"), DEFAULT_POLICY),
    "an amount that cannot be written": (again(charge(), amount=10**5000), DEFAULT_POLICY),
    "a kind that nobody decides": (Strange(**FIELDS), DEFAULT_POLICY),
    "a request that cannot even be looked up": (Blind(**FIELDS), DEFAULT_POLICY),
    "a policy that breaks": (rollback("unheard-of"), Unreadable()),
}
# No trouble for SQLite, which takes them as text; PostgreSQL refuses them.
LENIENT: dict[str, tuple[Request, Policy]] = {
    "a player that is no text": (charge(user=7), DEFAULT_POLICY),
    "a transaction id that is none": (charge(id="none"), DEFAULT_POLICY),
    "a control character in a name": (create(user="new", name="a\x1fb"), DEFAULT_POLICY),
    "a control character in the details": (bet("1.0", "poison", "p", details="\x1f\x1f"), DEFAULT_POLICY),
    "a nul in a name": (create(user="new", name="a\x00b"), DEFAULT_POLICY),
    "a nul in a key": (charge(uuid="a\x00b"), DEFAULT_POLICY),
    "a nul in a player": (withdraw(user="a\x00b"), DEFAULT_POLICY),
    "a nul in the details": (bet("1.0", "poison", "p", details="\x00"), DEFAULT_POLICY),
}


@pytest.mark.parametrize(("poison", "policy"), [*POISON.values(), *LENIENT.values()], ids=[*POISON, *LENIENT])
def test_a_poisonous_request_does_not_fail_its_neighbours(
    db_url: str, poison: Request, policy: Policy
) -> None:
    async def main() -> None:
        async with Desk(db_url) as desk:
            before = [desk.send(withdraw("1.0")) for _ in range(5)]
            bad = desk.send(poison, policy)
            after = [desk.send(withdraw("1.0")) for _ in range(5)]
            assert verdicts(await desk.told(before + after)) == {Verdict.OK: 10}
            told = (await desk.told([bad]))[0]
            harmless = db_url.startswith("sqlite") and (poison, policy) in LENIENT.values()
            assert (told is not None) is harmless
            assert desk.counted("poisoned") == (not harmless)
            moved = sum(row.amount for row in told.rows if row.player == "tester") if told else 0
            assert await desk.balance() == 290 * UNIT + moved
            assert await desk.ask(withdraw("1.0")) is not None
        if poison.id != "none":  # which SQLite stores, and the audit finds
            await sound(db_url)

    run(main())


def test_a_stored_row_that_cannot_be_read_fails_only_who_needs_it(db_url: str) -> None:
    """A ledger that somebody damaged must go on serving everybody else."""
    bypass = {
        "sqlite": ["drop trigger journal_no_update"],
        "postgresql": ["set session_replication_role = replica"],
    }[db_url.partition(":")[0]]

    async def main() -> None:
        async with Desk(db_url, limits=Limits(players=0, entries=0)) as desk:
            asked = charge(uuid="damaged", user=OTHER)
            await desk.ask(asked)
            async with database(db_url) as db:
                for sql in [*bypass, "update journal set kind = 'gift' where key = 't:damaged'"]:
                    await db.execute(sql)
            good = [desk.send(withdraw("1.0")) for _ in range(4)]
            bad = desk.send(again(asked))
            assert verdicts(await desk.told([*good, bad])) == {Verdict.OK: 4, None: 1}
            assert await desk.ask(withdraw("1.0")) is not None

    run(main())


def test_many_poisonous_requests_among_many_sound_ones(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url) as desk:
            answers = [
                desk.send(charge("1.0", uuid=f"\ud800{n}" if n % 9 == 4 else f"u{n}")) for n in range(99)
            ]
            told = await desk.told(answers)
            assert [n for n, decision in enumerate(told) if decision is None] == list(range(4, 99, 9))
            assert await desk.balance() == (300 + 88) * UNIT
            assert desk.counted("poisoned") == 11
        await sound(db_url)

    run(main())


# Queue and callers


def test_a_full_queue_takes_nothing_more(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url):
            pass
        desk = Desk(db_url, limits=Limits(queue=3))
        told: list[Told] = []
        taken = [desk.writer.submit(withdraw("1.0"), DEFAULT_POLICY, told.append) for _ in range(5)]
        assert (taken, desk.writer.waiting) == ([True, True, True, False, False], 3)
        desk.run()
        await until(lambda: len(told) == 3)
        assert desk.writer.submit(withdraw("1.0"), DEFAULT_POLICY, told.append)
        await desk.__aexit__()
        assert verdicts(told) == {Verdict.OK: 4}
        assert not desk.writer.submit(withdraw("1.0"), DEFAULT_POLICY, told.append)
        assert await desk.balance() == 296 * UNIT

    run(main())


def test_closing_drains_what_waits(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, limits=Limits(batch=9)) as desk:
            answers = [desk.send(withdraw("1.0")) for _ in range(50)]
            desk.writer.close()
            assert not desk.writer.submit(withdraw("1.0"), DEFAULT_POLICY, print)
            assert desk.running is not None
            await desk.running
            assert verdicts([answer.result() for answer in answers]) == {Verdict.OK: 50}
        assert await desk.balance() == 250 * UNIT
        await sound(db_url)

    run(main())


def test_callers_who_went_away_or_fail_do_no_harm(db_url: str) -> None:
    """The verdict of an enqueued request is made, whether or not anyone waits."""

    def fail(_: Told) -> None:
        raise RuntimeError("the caller's own trouble")

    async def main() -> None:
        async with Desk(db_url) as desk:
            gone = [desk.send(withdraw("1.0")) for _ in range(5)]
            for answer in gone:
                answer.cancel()
            for _ in range(5):
                assert desk.writer.submit(withdraw("1.0"), DEFAULT_POLICY, fail)
            assert verdicts(await desk.all([withdraw("1.0") for _ in range(5)])) == {Verdict.OK: 5}
            assert await desk.balance() == 285 * UNIT

    run(main())


def test_who_waits_past_patience_is_told_nothing_and_the_verdict_is_made_all_the_same(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, limits=Limits(patience_seconds=0.05), wrap=Faulty) as desk:
            ledger = desk.ledgers[0]
            ledger.gate = asyncio.Event()
            asked = [withdraw("1.0"), withdraw("2.0")]
            committing = desk.send(asked[0])
            await until(lambda: not desk.writer.waiting)
            queued = desk.send(asked[1])
            assert [await committing, await queued] == [None, None]
            assert (desk.counted("given_up"), ledger.drops) == (2, 0)
            desk.writer.limits = desk.writer.lanes[0]._limits = Limits()
            ledger.gate.set()
            told = await desk.all([again(request) for request in asked])
            assert [decision.replay for decision in told if decision] == [True, True]
            assert await desk.balance() == 297 * UNIT

    run(main())


# Failures of the database


def test_a_lost_race_is_decided_again_with_the_players_locked(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, wrap=Faulty) as desk:
            ledger = desk.ledgers[0]
            ledger.locks.clear()
            ledger.committing = [Conflict("lost"), Conflict("lost")]
            assert verdicts(await desk.all([withdraw("1.0")] * 1)) == {Verdict.OK: 1}
            assert (ledger.locks, desk.counted("conflicts")) == ([True, True], 2)
            assert await desk.balance() == 299 * UNIT

    run(main())


@pytest.mark.parametrize("where", ["loading", "committing"])
def test_a_race_lost_every_time_and_a_lost_database_give_no_verdict(db_url: str, where: str) -> None:
    async def main() -> None:
        limits = Limits(tries=3, reconnect_seconds=0.01, players=0)
        async with Desk(db_url, wrap=Faulty, limits=limits) as desk:
            asked = [withdraw("1.0"), withdraw("2.0")]
            for faults, batch in (([Conflict("lost")] * 3, asked[:1]), ([Unavailable("gone")], asked)):
                setattr(desk.ledgers[0], where, list(faults))
                assert await desk.all(batch) == [None] * len(batch)
            assert len(firsts(await desk.all([again(request) for request in asked]))) == 2
            assert (await desk.balance(), desk.counted("conflicts")) == (297 * UNIT, 3)
        await sound(db_url)

    run(main())


def test_a_request_that_loses_every_race_does_not_fail_its_neighbours(db_url: str) -> None:
    """As one for a player whose stored head was damaged: every write of it counts as overtaken."""

    class Overtaken(Faulty):
        async def commit(self, book: Book) -> None:
            if any(row.asked == 7 * UNIT for row in book.appended):
                raise Conflict("somebody was faster")
            await super().commit(book)

    async def main() -> None:
        async with Desk(db_url, wrap=Overtaken, limits=Limits(tries=2)) as desk:
            told = await desk.all([withdraw("7.0" if n == 3 else "1.0") for n in range(9)])
            assert [n for n, decision in enumerate(told) if decision is None] == [3]
            assert (await desk.balance(), desk.counted("poisoned")) == (292 * UNIT, 0)
        await sound(db_url)

    run(main())


def test_a_commit_of_unknown_fate_gives_no_verdict_and_the_lane_goes_on(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, wrap=Faulty) as desk:
            desk.ledgers[0].committing = [FateUnknown("who knows")]
            asked = withdraw("1.0")
            assert await desk.ask(asked) is None
            assert desk.counted("unknown") == 1
            assert (await desk.ask(again(asked))) is not None
            assert await desk.balance() == 299 * UNIT

    run(main())


def test_a_fate_that_only_a_restart_can_tell_ends_the_writer(db_url: str) -> None:
    async def main() -> None:
        desk = Desk(db_url, lanes=1, wrap=Faulty)
        async with desk:
            pass
        desk = Desk(db_url, wrap=Faulty)
        desk.ledgers[0].committing = [FateUnknown("the disk failed", fatal=True)]
        answer = desk.send(withdraw("1.0"))
        desk.run()
        assert desk.running is not None
        with pytest.raises(ExceptionGroup) as error:
            await asyncio.wait_for(desk.running, SERVED_SECONDS)
        assert error.group_contains(FateUnknown)
        assert await answer is None
        await desk.ledgers[0].close()

    run(main())


def test_bad_data_that_one_request_alone_brings_is_found_wherever_it_stands(db_url: str) -> None:
    """Halving finds it at the first place, the last, and in the middle."""

    class Refusing(Faulty):
        async def commit(self, book: Book) -> None:
            if any(row.asked == 7 * UNIT for row in book.appended):
                raise BadData("seven")
            await super().commit(book)

    async def main() -> None:
        async with Desk(db_url, wrap=Refusing) as desk:
            for at in (0, 1, 3, 6):
                asked = [withdraw("7.0" if n == at else "1.0") for n in range(7)]
                told = await desk.all(asked)
                assert [n for n, decision in enumerate(told) if decision is None] == [at]
            assert await desk.balance() == (300 - 24) * UNIT
        await sound(db_url)

    run(main())


# Several writers on one PostgreSQL


async def together(url: str, work: Callable[[Desk, Desk], Awaitable[None]], *, lanes: int = 2) -> None:
    async with Desk(url, lanes=lanes) as one:
        other = Desk(url, lanes=lanes)
        other.run()
        await work(one, other)
        await other.__aexit__()
    await sound(url)


def test_two_writers_drain_one_wallet_exactly(postgres: Postgres | Borrowed) -> None:
    async def race(one: Desk, other: Desk) -> None:
        halves = (
            one.all([withdraw("1.0") for _ in range(200)]),
            other.all([withdraw("1.0") for _ in range(200)]),
        )
        told = [decision for half in await asyncio.gather(*halves) for decision in half]
        assert verdicts(told) == {Verdict.OK: 300, Verdict.INSUFFICIENT: 100}
        assert await one.balance() == 0

    run(together(postgres.create_database(), race))


def test_two_writers_and_one_request_have_one_effect(postgres: Postgres | Borrowed) -> None:
    async def race(one: Desk, other: Desk) -> None:
        for n in range(20):
            asked = withdraw("1.0", uuid=f"u{n}")
            halves = [desk.all([again(asked) for _ in range(4)]) for desk in (one, other)]
            told = [decision for half in await asyncio.gather(*halves) for decision in half]
            assert verdicts(told) == {Verdict.OK: 8}
            assert len({decision.row.id for decision in told if decision and decision.row}) == 1
            assert len(firsts(told)) == 1
        assert await one.balance() == 280 * UNIT

    run(together(postgres.create_database(), race))


KEYS: dict[str, Callable[[str, str], Request]] = {
    "uuid": lambda user, n: charge("1.0", uuid=n, user=user),
    "TransactionId": lambda user, n: charge("1.0", transaction=n, user=user),
    "reference": lambda user, n: bet("1.0", n, f"{user}-{n}", user=user),
    "tombstone": lambda user, n: rollback(n, user=user),
    "award": lambda user, n: award("jackpot", "1.0", n, user=user),
}
REFUSED = {Verdict.KEY_CONFLICT, Verdict.FOREIGN_BET}


@pytest.mark.parametrize("make", KEYS.values(), ids=KEYS.keys())
def test_two_writers_and_one_key_of_two_players(
    postgres: Postgres | Borrowed, make: Callable[[str, str], Request]
) -> None:
    """R4: the lock on the player orders nothing here; the unique keys do. One of the two gets it."""

    async def race(one: Desk, other: Desk) -> None:
        for n in range(12):
            told = await asyncio.gather(one.ask(make("tester", f"k{n}")), other.ask(make(OTHER, f"k{n}")))
            accepted = [d for d in told if d and d.verdict not in REFUSED]
            assert len(accepted) == 1, verdicts(told)
            assert len([d for d in told if d and d.verdict in REFUSED]) == 1

    run(together(postgres.create_database(), race, lanes=1))


OWN: dict[str, Callable[[str, str], Request]] = {
    "round": lambda user, n: bet("1.0", f"{user}-{n}", n, user=user),
    "round's end": lambda user, n: end_round(n, user=user),
    "unknown round": lambda user, n: rollback_round(n, user=user),
    "session": lambda user, n: expire_session(n, user=user),
}


@pytest.mark.parametrize("make", OWN.values(), ids=OWN.keys())
def test_R40_R4_two_writers_and_what_is_each_players_own(
    postgres: Postgres | Borrowed, make: Callable[[str, str], Request]
) -> None:
    """One round or session id, two players, two servers: both get theirs."""

    async def race(one: Desk, other: Desk) -> None:
        for n in range(12):
            told = await asyncio.gather(one.ask(make("tester", f"k{n}")), other.ask(make(OTHER, f"k{n}")))
            assert all(d and d.verdict in ACCEPTED and not d.replay for d in told), verdicts(told)
        assert one.counted("conflicts") == other.counted("conflicts") == 0

    run(together(postgres.create_database(), race, lanes=1))


def test_two_writers_create_one_player_and_undo_one_bet_once(postgres: Postgres | Borrowed) -> None:
    async def race(one: Desk, other: Desk) -> None:
        for n in range(8):
            told = await asyncio.gather(*(d.ask(create(user=f"new{n}")) for d in (one, other)))
            assert verdicts(told) == {Verdict.OK: 1, Verdict.DUPLICATE_PLAYER: 1}
            await one.ask(bet("1.0", f"b{n}", f"r{n}"))
            undo = [d.ask(rollback(f"b{n}")) for d in (one, other)]
            rivals = [one.ask(rollback_round(f"r{n}")), other.ask(result("0", f"w{n}", f"r{n}"))]
            told = await asyncio.gather(*undo, *rivals)
            assert None not in told
        rows = (await contents(one.url))["journal"]
        assert len(rows) > 8
        balance = await one.balance()
        assert balance <= 300 * UNIT
        async with database(one.url) as db:
            undone = await db.fetch("select count(*) from journal where kind = 'rollback' and verdict = 'ok'")
        assert balance == (300 - 8 + undone[0][0]) * UNIT

    run(together(postgres.create_database(), race))


def test_a_poisonous_request_that_lost_a_race_leaves_no_player_locked(postgres: Postgres | Borrowed) -> None:
    """Its own lane may have nothing to do for hours; another's requests for that player must not wait."""

    async def main() -> None:
        async with Desk(postgres.create_database(), wrap=Faulty) as desk, database(desk.url) as db:
            desk.ledgers[0].committing = [Conflict("lost")]
            assert await desk.ask(charge("1.0", uuid="a\x1fb")) is None
            await db.execute("set lock_timeout = '10s'")
            assert len(await db.fetch("select 1 from player for update")) == 2

    run(main())


# PostgreSQL in trouble


def test_a_warning_during_the_commit_means_that_its_fate_is_unknown(postgres: Postgres | Borrowed) -> None:
    """As when the wait for a standby is given up: the row may have no copy."""

    async def main() -> None:
        async with Desk(postgres.create_database()) as desk, database(desk.url) as db:
            await db.execute(
                "create function warn() returns trigger language plpgsql as"
                " $$ begin raise warning 'no standby has it'; return null; end $$"
            )
            await db.execute(
                "create constraint trigger warn after insert on journal deferrable initially deferred"
                " for each row execute function warn()"
            )
            asked = withdraw("1.0")
            assert await desk.ask(asked) is None
            assert desk.counted("unknown") == 1
            await db.execute("drop trigger warn on journal")
            told = await desk.ask(again(asked))
            assert told is not None
            assert (told.verdict, told.replay) == (Verdict.OK, True)
            assert await desk.balance() == 299 * UNIT

    run(main())


def test_a_commit_that_hangs_is_dropped_and_sent_again_has_one_effect(postgres: Postgres | Borrowed) -> None:
    async def main() -> None:
        limits = Limits(commit_seconds=0.1, reconnect_seconds=0.01)
        async with Desk(postgres.create_database(), limits=limits) as desk, database(desk.url) as db:
            await db.execute("begin")
            await db.execute("lock table journal in exclusive mode")
            asked = withdraw("1.0")
            assert await desk.ask(asked) is None
            assert desk.counted("unknown") == 1
            waiting = "select count(*) from pg_locks where not granted"
            assert (await db.fetch(waiting))[0][0] == 1, "the dropped commit is still under way in the server"
            await db.execute("commit")
            told = await desk.ask(again(asked))
            assert told is not None
            assert told.verdict is Verdict.OK
            assert await desk.balance() == 299 * UNIT
        await sound(desk.url)

    run(main())


def test_connections_cut_by_the_server_are_replaced(postgres: Postgres | Borrowed) -> None:
    """As at every failover; whether the cut is noticed before, while or after asking is chance."""

    async def main() -> None:
        async with Desk(postgres.create_database(), limits=Limits(reconnect_seconds=0.01)) as desk:
            for turn in range(30):
                asked = withdraw("1.0")
                async with database(desk.url) as db:
                    await db.fetch(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where datname = current_database() and pid <> pg_backend_pid()"
                    )
                for _ in range(turn % 4):
                    await asyncio.sleep(0)
                told = [await desk.ask(again(asked)) for _ in range(3)]
                assert verdicts(told[1:]) == {Verdict.OK: 2}
            assert await desk.balance() == 270 * UNIT
        await sound(desk.url)

    run(main())


def test_postgres_killed_under_load_loses_and_doubles_nothing() -> None:
    """R9: what was told stands after the crash; what was not told is sent again and has one effect."""

    async def main(server: Postgres) -> None:
        url = server.create_database()
        async with Desk(url, lanes=2, limits=Limits(reconnect_seconds=0.02)) as desk:
            asked: list[Request] = []
            answers: list[asyncio.Future[Told]] = []
            killing: asyncio.Future[None] | None = None
            while killing is None or not killing.done():
                asked += [
                    withdraw("0.01"),
                    withdraw("0.01", user=OTHER),
                    bet("0.0", f"b{len(asked)}"),
                    look(),
                ]
                answers += [desk.send(request) for request in asked[-4:]]
                if len(asked) == 200:
                    killing = asyncio.ensure_future(asyncio.to_thread(server.kill_postmaster))
                await asyncio.sleep(0.001)
            answers += [desk.send(withdraw("0.01", uuid=f"late{n}")) for n in range(3)]
            asked += [withdraw("0.01", uuid=f"late{n}") for n in range(3)]
            told = await desk.told(answers)
            assert told.count(None) >= 3, "the fault did not happen"
            assert len(told) - told.count(None) >= 4, "nothing was answered before the fault"
            await asyncio.to_thread(server.start)
            again_ = await resent(desk, asked)
            for request, first, second in zip(asked, told, again_, strict=True):
                if first is not None and first.row is not None:
                    assert (second.verdict, second.row, second.replay) == (first.verdict, first.row, True), (
                        request
                    )
            money = [r for r in asked if getattr(r, "amount", 0) == UNIT // 100]
            assert verdicts(again_)[Verdict.OK] == len(asked)
            assert await desk.balance() + await desk.balance(OTHER) == 400 * UNIT - len(money) * UNIT // 100
        await sound(url)

    with Postgres() as server:
        run(main(server))


async def resent(desk: Desk, asked: Sequence[Request]) -> list[Decision]:
    """Everything once more, and what got no verdict again, until all is told."""
    told: list[Told] = [None] * len(asked)
    async with asyncio.timeout(SERVED_SECONDS):
        while open_ := [n for n, decision in enumerate(told) if decision is None]:
            for n, decision in zip(open_, await desk.all([again(asked[n]) for n in open_]), strict=True):
                told[n] = decision
    return [decision for decision in told if decision is not None]
