"""What a client does not have: a server's figures, the rows of its requests, a lock on its database."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from caisse.store import opening
from tests.support.record import Intent
from tests.support.server import Server, until

REQUESTS = "caisse_http_requests_total"
WAITING = "caisse_queue_requests"


@asynccontextmanager
async def held(url: str) -> AsyncIterator[None]:
    """As long as this lasts, no server commits anything, as behind an operator's long transaction.

    The lock is a real one, of a session of its own. Reading goes on.
    """
    sqlite = opening.sqlite_path(url) is not None
    db = await opening.database(url)
    try:
        await db.execute("begin immediate" if sqlite else "begin")
        if not sqlite:
            await db.execute("lock table journal in exclusive mode")
        yield
        await db.execute("rollback")
    finally:
        await db.close()


async def decided(url: str, intents: Iterable[Intent]) -> list[Intent]:
    """Those of the requests that have a row of their own."""
    db = await opening.database(url)
    try:
        look = "select kind from journal where uuid = $1"
        return [intent for intent in intents if await db.fetch(look, json.loads(intent.call.body)["uuid"])]
    finally:
        await db.close()


async def unnumbered(url: str) -> int:
    """Rows of the slot log that have fallen due and wait for their number (R57)."""
    db = await opening.database(url)
    try:
        ((rows,),) = await db.fetch("select count(*) from round_due")
        return int(rows)
    finally:
        await db.close()


def until_numbered(url: str) -> None:
    """Until the slot log shows all that was committed before: it comes some hundred milliseconds later."""
    until(lambda: asyncio.run(unnumbered(url)) == 0, "rows of the slot log wait for their number")


def metric(server: Server, name: str) -> int:
    """A server's own figure, over all its lanes."""
    page = server.request("GET", "/metrics").raw.decode()
    return sum(int(float(value)) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.MULTILINE))


class Intake:
    """How many requests a server has taken in since this was made, while nobody else sends any."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asked = 0
        self._before = metric(server, REQUESTS)

    def count(self) -> int:
        """Asking is a request, too."""
        self._asked += 1
        return metric(self._server, REQUESTS) - self._before - self._asked
