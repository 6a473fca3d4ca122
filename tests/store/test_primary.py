"""Which of several servers a writer works on: the primary, never one that was the primary before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from caisse.core.money import UNIT
from caisse.store import opening
from caisse.store import read as reading
from caisse.store.api import FateUnknown, Unavailable, Unsuitable
from caisse.store.migrate import migrate
from caisse.store.postgres import connecting
from caisse.store.postgres.postgres import PostgresLedger
from tests.support.ledger import FUNDING, NOW, PARTNER, PLAYER, charge
from tests.support.postgres import Postgres, Standby, wait_for
from tests.support.postgres import run as execute
from tests.support.running import caisse
from tests.support.server import until
from tests.support.stores import audited, committed, database, decided, run
from tests.torture.pg_proxy import HANG, Point, Proxy, Strike


class Another(Postgres):
    """A server that is no copy of the suite's template: its cluster has an identifier of its own."""

    def _fill(self) -> None:
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        execute([self.bin("initdb"), *options, "-D", self._data], self._account)


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the suite's servers are copies of one, so what is known of one would be believed of the others."""
    monkeypatch.setattr(connecting, "committed_on", {})


@pytest.fixture(scope="module")
def primary() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def standby(primary: Postgres) -> Iterator[Standby]:
    with Standby(primary) as server:
        yield server


@pytest.fixture(scope="module")
def funded(primary: Postgres, standby: Standby) -> str:
    """The name of a database with a player of 100.0 that the standby has, too."""
    url = primary.create_database()
    run(_fund(url))
    name = urlsplit(url).path.strip("/")
    here = primary.sql("select pg_current_wal_lsn()")
    caught_up = f"select pg_last_wal_replay_lsn() >= '{here}'"
    wait_for(lambda: standby.sql(caught_up) == "t", 60, lambda: "the standby does not follow")
    return name


async def _fund(url: str) -> None:
    async with database(url) as db:
        await migrate(db, url, NOW)
    ledger = opening.ledger(url)
    await committed(ledger, [*FUNDING, charge("100.0")])
    await ledger.close()


def several(name: str, *servers: Postgres) -> str:
    return f"postgresql://postgres@{','.join(f'127.0.0.1:{s.port}' for s in servers)}/{name}"


async def written_on(url: str) -> str:
    """The host on which a charge of 1.0 was committed."""
    ledger = opening.ledger(url)
    assert isinstance(ledger, PostgresLedger)
    await ledger.open()
    await committed(ledger, [charge("1.0")])
    assert ledger._session is not None
    await ledger.close()
    return ledger._session.host


async def balance(url: str) -> int:
    db = await opening.database(url, read_only=True)
    player = await reading.player(db, PARTNER, PLAYER)
    await db.close()
    assert player is not None
    return player.wallets["USD"]


def test_a_standby_is_refused_for_writing_and_may_be_read(standby: Standby, funded: str) -> None:
    url = several(funded, standby)
    with pytest.raises(Unsuitable, match="a standby, which takes no writes"):
        run(opening.database(url))
    with pytest.raises(Unsuitable, match="a standby, which takes no writes"):
        run(opening.ledger(url).open())
    for words in (["migrate"], ["serve", "--port", "0"], ["partner", "add", "p"]):
        said = caisse(*words, "--db", url)
        assert (said.code, "a standby, which takes no writes" in said.err) == (3, True)
    assert caisse("audit", "--db", url).code == 0


def test_a_statement_that_reaches_a_standby_is_no_unknown_fate(standby: Standby, funded: str) -> None:
    """A pooler may lead there in the midst of a session. Nothing can have been committed."""

    async def main() -> None:
        session = await connecting.connect(several(funded, standby), {}, writes=False)
        for request in ([charge()], []):
            ledger = PostgresLedger(several(funded, standby))
            ledger._session, ledger._connection = session, session.connection
            book, _ = await decided(ledger, request)
            with pytest.raises(Unavailable, match=r"read-only|during recovery"):
                await ledger.commit(book)
            session = await connecting.connect(several(funded, standby), {}, writes=False)
        await session.connection.close()

    run(main())


def test_the_primary_is_taken_wherever_it_stands_in_the_url(
    primary: Postgres, standby: Standby, funded: str
) -> None:
    for url in (several(funded, standby, primary), several(funded, primary, standby)):
        assert run(written_on(url)) == f"127.0.0.1:{primary.port}"
    with pytest.raises(Unsuitable, match="asks for a server that takes no writes"):
        run(opening.database(several(funded, primary, standby) + "?target_session_attrs=standby"))


@pytest.mark.parametrize(("attributes", "of_primary"), [("standby", False), ("primary", True), ("any", True)])
def test_readers_get_what_they_ask_for(
    primary: Postgres, standby: Standby, funded: str, attributes: str, of_primary: bool
) -> None:
    url = several(funded, primary, standby) + f"?target_session_attrs={attributes}"

    async def main() -> bool:
        db = await opening.database(url, read_only=True)
        (found,) = await db.fetch("select pg_is_in_recovery()")
        await db.close()
        return not found[0]

    assert run(main()) is of_primary


def test_hosts_of_two_clusters_are_refused(primary: Postgres, funded: str) -> None:
    with Another() as other:
        other.sql(f"create database {funded}")
        with pytest.raises(Unsuitable, match="no copies of one another"):
            run(opening.database(several(funded, primary, other)))


def test_after_a_commit_that_hung_another_host_goes_first(
    primary: Postgres, funded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both lead to one server: the first by a proxy that falls silent when the commit is answered."""
    monkeypatch.setattr(connecting, "hanging", hanging := set[str]())
    monkeypatch.setattr("caisse.store.postgres.postgres.hanging", hanging)

    async def main(proxy: Proxy) -> None:
        there = f"127.0.0.1:{urlsplit(proxy.url).port}"
        ledger = opening.ledger(
            f"postgresql://postgres@{there},127.0.0.1:{primary.port}/{funded}?sslmode=disable"
        )
        assert isinstance(ledger, PostgresLedger)
        book, _ = await decided(ledger, [charge("1.0")])
        assert ledger._session is not None
        assert ledger._session.host == there
        proxy.aim(Strike(Point("write", "ReadyForQuery"), HANG))
        commit = asyncio.create_task(ledger.commit(book))
        await asyncio.to_thread(until, lambda: proxy.struck, "the commit was not answered")
        ledger.drop()
        with pytest.raises(FateUnknown):
            await commit
        assert hanging == {there}
        before = await balance(primary.url(funded))
        await decided(ledger, [charge("1.0")])
        assert ledger._session.host == f"127.0.0.1:{primary.port}"
        assert await balance(primary.url(funded)) == before
        await ledger.close()

    with Proxy(primary.url(funded), stall_seconds=0) as proxy:
        run(main(proxy))


def test_who_was_the_primary_before_is_never_written_again(
    primary: Postgres, standby: Standby, funded: str
) -> None:
    """A failover whose old primary nobody stopped: both take writes. Last, for it parts the two for ever."""
    old, new = several(funded, primary), several(funded, standby)

    async def main() -> None:
        before = await opening.database(old)
        lost = await balance(old)
        kept = await balance(new)
        standby.promote()
        for url in (several(funded, primary, standby), several(funded, standby, primary)):
            assert await written_on(url) == f"127.0.0.1:{standby.port}"
        assert (await balance(old), await balance(new)) == (lost, kept + 2 * UNIT)
        for work in (written_on(old), opening.database(old)):
            with pytest.raises(Unavailable, match="it was the primary before"):
                await work
        with pytest.raises(Unavailable, match="not the primary any more"):
            await before.fetch("select 1")
        await before.close()
        assert (await audited(several(funded, primary, standby))).findings == []

    run(main())
