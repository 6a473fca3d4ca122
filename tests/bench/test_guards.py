"""What a refund costs, counted without a clock: round trips, statements, calls; alike on any machine.

The bounds are what today's code needs, with some room. Who must raise one has made every refund dearer, and
says in the commit what was bought for it.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import apsw
import pytest

from bench.desk import BATCH, Desk, answered, refund
from caisse.core.entries import Decision
from caisse.core.requests import Request
from caisse.core.verdicts import Verdict
from caisse.dialects.wire.door import Question
from caisse.writer.writer import Limits
from tests.bench.roundtrips import counted
from tests.support.ledger import again, bet, charge, create, open_wallet, result, rollback, withdraw
from tests.support.postgres import Borrowed, Postgres
from tests.support.stores import committed, opened, run

PLAYERS = 50
FUNDING = [
    step
    for n in range(PLAYERS)
    for step in (create(user=f"p{n}"), open_wallet(user=f"p{n}"), charge("9000.0", user=f"p{n}"))
]


def refunds(amount: str = "1.0") -> list[Request]:
    return [withdraw(amount, user=f"p{n % PLAYERS}") for n in range(BATCH)]


def bets(prefix: str) -> list[Request]:
    return [
        bet("1.0", reference=f"{prefix}{n}", round=f"{prefix}{n}", user=f"p{n % PLAYERS}")
        for n in range(BATCH)
    ]


def results(prefix: str) -> list[Request]:
    return [
        result("1.0", reference=f"w{prefix}{n}", round=f"{prefix}{n}", user=f"p{n % PLAYERS}")
        for n in range(BATCH)
    ]


def rollbacks(prefix: str) -> list[Request]:
    return [rollback(f"{prefix}{n}", user=f"p{n % PLAYERS}") for n in range(BATCH)]


first, warm = refunds(), refunds()
CASES: dict[str, tuple[list[Sequence[Request]], Sequence[Request], int]] = {
    "refunds": ([warm], refunds(), 3),
    "one refund": ([warm], [withdraw("1.0", user="p1")], 3),
    "one player's refunds": ([warm], [withdraw("1.0", user="p1") for _ in range(BATCH)], 3),
    "repeats": ([first], [again(request) for request in first], 3),
    "refusals": ([refunds("9999.0")], refunds("9999.0"), 3),
    "bets": ([bets("a")], bets("b"), 4),
    "results": ([bets("c"), bets("d"), results("c")], results("d"), 4),
    "rollbacks": ([bets("e"), bets("f"), rollbacks("e")], rollbacks("f"), 4),
}


@pytest.mark.parametrize("name", CASES)
def test_a_batch_on_postgresql_takes_few_round_trips(name: str, postgres: Postgres | Borrowed) -> None:
    """Whatever its size. The first batch of a kind also prepares its statements, so the second counts."""
    before, batch, bound = CASES[name]

    async def round_trips() -> int:
        async with counted(postgres.create_database()) as (url, proxy), opened(url) as ledger:
            for earlier in (FUNDING, *before):
                await committed(ledger, earlier)
            so_far = proxy.count
            await committed(ledger, batch)
            return proxy.count - so_far

    assert 0 < run(round_trips()) <= bound


GROWING: dict[str, Callable[[int], Sequence[Request]]] = {
    "refunds": lambda number: refunds(),
    "bets": lambda number: bets(f"g{number}-"),
    "results": lambda number: results(f"g{number}-"),
}


@pytest.mark.parametrize("kind", GROWING)
def test_the_work_does_not_grow_with_the_tables(kind: str, postgres: Postgres | Borrowed) -> None:
    """Even with plans made while the tables were empty: each request reads a few index entries, no more."""
    url = postgres.create_database()

    async def work() -> None:
        async with opened(url) as ledger:
            await committed(ledger, FUNDING)
            for number in range(20):
                await committed(ledger, GROWING[kind](number))

    run(work())
    name = urlsplit(url).path.lstrip("/")
    read = 0
    deadline = time.monotonic() + 10
    while not read and time.monotonic() < deadline:
        read = int(postgres.sql("select sum(idx_tup_read)::bigint from pg_stat_user_indexes", name) or 0)
    assert 0 < read <= 20 * (20 * BATCH + len(FUNDING))


def test_a_batch_on_sqlite_takes_few_statements(tmp_path: Path) -> None:
    """Each refund reads its player, wallets and key, and writes three rows; then one commit for all."""

    async def statements() -> int:
        async with opened(f"sqlite:///{tmp_path}/caisse.db") as ledger:
            await committed(ledger, FUNDING)
            so_far = len(seen)
            await committed(ledger, refunds())
            return len(seen) - so_far

    seen: list[str] = []
    with every_statement(seen):
        assert 0 < run(statements()) <= 6 * BATCH + 6


def test_the_largest_batch_on_sqlite_stays_in_memory_until_its_commit(tmp_path: Path) -> None:
    """On 48,000 journal rows. What does not fit is spilled: written before the commit, and read again."""
    users = [f"p{n}" for n in range(16_000)]
    connections: list[apsw.Connection] = []

    async def spilled() -> int:
        async with opened(f"sqlite:///{tmp_path}/caisse.db") as ledger:
            connections.clear()  # those of the migration are closed
            for some in (users[n : n + 400] for n in range(0, len(users), 400)):
                opening = [step(user=user) for user in some for step in (create, open_wallet, charge)]
                await committed(ledger, opening)
            before = spills()
            paid = await committed(ledger, [withdraw("1.0", user=user) for user in users[::16]])
            assert [decision.verdict for decision in paid] == [Verdict.OK] * Limits().batch
            return spills() - before

    def spills() -> int:
        return sum(c.status(apsw.SQLITE_DBSTATUS_CACHE_SPILL)[0] for c in connections)

    with hooked(connections.append):
        assert run(spilled()) == 0


@contextmanager
def hooked(hook: Callable[[apsw.Connection], None]) -> Iterator[None]:
    """Let the hook see every connection that is opened meanwhile."""
    apsw.connection_hooks.append(hook)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(hook)


@contextmanager
def every_statement(seen: list[str]) -> Iterator[None]:
    """Note every statement of every connection that is opened meanwhile."""

    def trace(cursor: apsw.Cursor, statement: str, bindings: Any) -> bool:
        seen.append(statement)
        return True

    def hook(connection: apsw.Connection) -> None:
        connection.exec_trace = trace

    with hooked(hook):
        yield


def calls(work: Callable[[], Any]) -> float:
    """Calls of functions, ours and built-in ones, for each refund of a batch."""
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count / BATCH


def test_a_refund_takes_few_calls() -> None:
    desk = Desk()
    requests = [refund(n, desk.players) for n in range(2 * BATCH)]
    desk.decided([desk.take(call) for call in requests[BATCH:]], desk.book())
    asks: list[Question] = []
    decisions: list[Decision] = []
    book = desk.book()
    parsing = calls(lambda: asks.extend(map(desk.take, requests[:BATCH])))
    deciding = calls(lambda: decisions.extend(desk.decided(asks, book)))
    answering = calls(lambda: answered(asks, decisions))
    print(f"calls a refund: {parsing:.1f} to parse, {deciding:.1f} to decide, {answering:.1f} to answer")
    assert parsing <= 85
    assert deciding <= 80
    assert answering <= 25


def test_deciding_a_refund_leaves_no_cycles() -> None:
    """So the collector has nothing to do for the hot path."""
    desk = Desk()
    asks = [desk.take(refund(n, desk.players)) for n in range(BATCH)]
    gc.collect()
    gc.disable()
    try:
        answered(asks, desk.decided(asks, desk.book()))
        assert gc.collect() == 0
    finally:
        gc.enable()
