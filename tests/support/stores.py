"""What the tests of the stores and the writer share: a migrated database, batches, and all that is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from caisse.core.book import Book, wants
from caisse.core.entries import Decision
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.requests import Request
from caisse.core.rules.decide import decide
from caisse.store import opening
from caisse.store.api import Database, Ledger
from caisse.store.audit_feed import Report, audit
from caisse.store.migrate import migrate
from tests.support.ledger import NOW

T = TypeVar("T")
TABLES = ("player", "wallet", "journal", "round", "attempt")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@asynccontextmanager
async def database(url: str) -> AsyncIterator[Database]:
    """A connection beside the writer's."""
    db = await opening.database(url)
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ledger]:
    """A writer's connection to a database that has its tables."""
    async with database(url) as db:
        await migrate(db, url, NOW)
    ledger = opening.ledger(url)
    try:
        yield ledger
    finally:
        await ledger.close()


async def decided(
    ledger: Ledger, requests: Sequence[Request], policies: Sequence[Policy] = (), *, lock: bool = False
) -> tuple[Book, list[Decision]]:
    """A batch, loaded and decided but not committed."""
    book = await ledger.load(wants(requests), lock=lock)
    decisions = []
    for number, request in enumerate(requests):
        policy = policies[number] if policies else DEFAULT_POLICY
        decisions.append(decide(request, book, policy, NOW))
        book.take(decisions[-1])
    return book, decisions


async def committed(
    ledger: Ledger, requests: Sequence[Request], policies: Sequence[Policy] = (), *, lock: bool = False
) -> list[Decision]:
    """A batch, loaded, decided and committed."""
    book, decisions = await decided(ledger, requests, policies, lock=lock)
    await ledger.commit(book)
    return decisions


async def contents(url: str) -> dict[str, list[Any]]:
    """Everything in the ledger's tables."""
    async with database(url) as db:
        return {
            t: sorted(map(repr, [tuple(r) for r in await db.fetch(f"select * from {t}")])) for t in TABLES
        }


async def audited(url: str) -> Report:
    async with database(url) as db:
        return await audit(db)


def plain(decision: Decision) -> tuple[Any, ...]:
    """What a caller is told, whichever engine it came from."""
    row = decision.row and msgspec.structs.astuple(decision.row)
    return decision.verdict, decision.rule, row, decision.replay, decision.seen
