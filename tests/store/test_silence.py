"""A database that says nothing any more, though nobody hung up: nothing waits for it without an end."""

from __future__ import annotations

import asyncio

import pytest

from caisse.core.book import Wants
from caisse.store import opening
from caisse.store.api import Unavailable
from caisse.store.postgres import connecting
from tests.support.postgres import Borrowed, Postgres
from tests.support.server import PATIENCE
from tests.support.stores import run
from tests.torture.pg_proxy import HANG, Point, Proxy, Strike

NOTHING = Wants([], [], [], [], [])


def test_a_silence_right_after_connecting_is_unavailable_and_the_next_try_works(
    postgres: Postgres | Borrowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is not the lane's yet, so that nobody but the connecting itself can give it up."""
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.5)

    async def main(proxy: Proxy) -> None:
        ledger = opening.ledger(proxy.url)
        with pytest.raises(Unavailable, match="no answer"):
            await asyncio.wait_for(ledger.load(NOTHING, lock=False), PATIENCE)
        assert proxy.struck
        monkeypatch.undo()
        await ledger.load(NOTHING, lock=False)
        await ledger.close()

    with Proxy(postgres.create_database(), stall_seconds=0) as proxy:
        proxy.aim(Strike(Point("preparing a setting", "ParseComplete"), HANG))
        run(main(proxy))


def test_a_connection_that_fell_silent_is_closed_all_the_same(postgres: Postgres | Borrowed) -> None:
    async def main(proxy: Proxy) -> None:
        ledger = opening.ledger(proxy.url)
        await ledger.load(NOTHING, lock=False)
        proxy.silent = True
        await ledger.close()

    with Proxy(postgres.create_database(), stall_seconds=0) as proxy:
        run(main(proxy))
