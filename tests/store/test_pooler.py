"""PostgreSQL behind a real PgBouncer: session mode works, other modes are refused at the start.

R9 holds in whatever server session a write comes to: seen inside the commit, and in the log after it.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from caisse.core.money import UNIT
from caisse.core.requests import Request
from caisse.store import opening
from caisse.store.api import FateUnknown, Unavailable
from caisse.store.migrate import migrate
from caisse.store.postgres import connecting
from caisse.store.postgres.postgres import PostgresLedger
from tests.store.pgbouncer import PgBouncer
from tests.store.test_durability import UNFLUSHED, balance, cancelled, reload
from tests.support.ledger import FUNDING, NOW, charge, look
from tests.support.postgres import Postgres, wait_for
from tests.support.record import Storm
from tests.support.rig import House
from tests.support.running import caisse
from tests.support.server import PATIENCE, DidNotStart, Server
from tests.support.stores import committed, database, decided, run

OFF = "connect_query='set synchronous_commit = off; set client_min_messages = error'"
"""What the server sessions bring."""
REFUSED = "a pooler there does not keep sessions"
HOSTED = (
    "channel_binding={binding}&connect_timeout=10&keepalives=1&keepalives_idle=30&keepalives_interval=10"
    "&keepalives_count=3&tcp_user_timeout=5000&application_name=desk&options=-c%20work_mem%3D5MB&sslmode="
)

INSIDE = """
create schema watch;
create table watch.seen (synchronous_commit text, client_min_messages text);
create function watch.look() returns trigger language plpgsql as $$ begin
    insert into watch.seen
    values (current_setting('synchronous_commit'), current_setting('client_min_messages'));
    return null;
end $$;
create constraint trigger watch after insert on public.journal
    deferrable initially deferred for each row execute function watch.look();"""
"""A look at the settings in the commit itself: a deferred trigger is the last thing that runs before it."""


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    """A server whose log nobody else writes."""
    with Postgres(autovacuum="off") as server:
        yield server
        server.stop("immediate")


@pytest.fixture
def url(own: Postgres) -> str:
    """A migrated database with one player of 300.0, without a pooler."""
    url = own.create_database()

    async def main() -> None:
        async with database(url) as db:
            await migrate(db, url, NOW)
        ledger = opening.ledger(url)
        await committed(ledger, FUNDING)
        await ledger.close()

    run(main())
    return url


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "keeping", set())


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


# Session mode


def serving(house: House, url: str) -> Server:
    """The house's server, through a pooler."""
    house.server.db = url
    return house.server.start()


def test_stock_pgbouncer_serves_and_its_death_under_load_loses_and_doubles_nothing(
    own: Postgres, tmp_path: Path
) -> None:
    """Stock but for the server sessions, which bring settings that would break R9."""
    db = own.create_database()
    house = House(db, tmp_path)
    own.sql(INSIDE, name_of(db))
    with PgBouncer(db, OFF) as pooler:
        server = serving(house, pooler.url(db))
        try:
            storm = Storm(house, secrets.randbits(32))
            for _ in range(2):
                storm.beside(lambda: _die_and_return(storm, pooler))
                _until_verdicts(house)
                storm.heal()
                assert storm.record.findings(storm.balances()) == []
            storm.repeat(storm.record.intents)
            assert storm.record.findings(storm.balances()) == []
        finally:
            server.kill()
    assert storm.record.told_to_retry
    assert own.sql("select distinct seen from watch.seen", name_of(db)) == "(on,notice)"
    assert _count(own, db, "watch.seen") == _count(own, db, "journal") > 0
    house.audit()


def _count(own: Postgres, db: str, table: str) -> int:
    return int(own.sql(f"select count(*) from {table}", name_of(db)))


def _die_and_return(storm: Storm, pooler: PgBouncer) -> None:
    _more(storm, 200)
    pooler.kill()
    time.sleep(0.3)
    pooler.start()
    _more(storm, 200)


def _more(storm: Storm, verdicts: int) -> None:
    wanted = storm.record.verdicts + verdicts
    wait_for(lambda: storm.record.verdicts >= wanted, PATIENCE, lambda: "no verdicts come")


def _until_verdicts(house: House) -> None:
    """Every lane has a connection again, or will have."""
    call = house.partner.info("nobody")
    wait_for(lambda: house.send(call).status == 200, PATIENCE, lambda: "no verdict comes back")


def test_urls_of_hosters_serve_through_it(own: Postgres, tmp_path: Path) -> None:
    db = own.create_database()
    house = House(db, tmp_path)
    with PgBouncer(db) as pooler:
        server = serving(house, pooler.url(db, HOSTED.format(binding="prefer") + "prefer"))
        try:
            player = house.player("300.0")
            house.told(house.game().bet(player, "12.5", "b-1", "r-1"))
            house.told(house.game().refund(player, "b-1"))
            house.told(house.game().bet(player, "0.5", "b-2", "r-2"))
            assert house.balance(player) == "299.5"
            sessions = "select count(*) from pg_stat_activity where application_name = 'desk'"
            assert int(own.sql(sessions)) >= 3
        finally:
            server.kill()
    house.audit()


def test_a_demand_of_channel_binding_is_met_by_the_certificate(url: str, tmp_path: Path) -> None:
    made = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=db -addext subjectAltName=IP:127.0.0.1"
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run([*made.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    pooler = PgBouncer(url, client_tls_sslmode="require")
    pooler._settings |= {
        "client_tls_key_file": str(pooler.file("key", key.read_bytes())),
        "client_tls_cert_file": str(pooler.file("certificate", certificate.read_bytes())),
    }
    demand = HOSTED.format(binding="require") + "require"
    with pooler:
        said = caisse("audit", "--db", pooler.url(url, f"{demand}&sslrootcert={certificate}"))
        assert (said.code, "Traceback" in said.err) == (0, False)
        said = caisse("audit", "--db", pooler.url(url, demand))
        assert said.code == 3
        assert "certificate" in said.error


def test_the_settings_of_the_url_are_made_and_cannot_lower_durability(own: Postgres, url: str) -> None:
    wanted = {
        "-c synchronous_commit=off --client-min-messages=error": ("on", "notice", "4MB"),
        "-csynchronous_commit=remote_apply -c work_mem=5MB": ("remote_apply", "notice", "5MB"),
    }

    async def main(address: str) -> tuple[str, ...]:
        async with database(address) as db:
            names = ("synchronous_commit", "client_min_messages", "work_mem")
            (found,) = await db.fetch("select " + ", ".join(f"current_setting('{n}')" for n in names))
            return tuple(found)

    with PgBouncer(url) as pooler:
        for options, settings in wanted.items():
            query = "options=" + options.replace(" ", "%20").replace("=", "%3D")
            assert run(main(pooler.url(url, query))) == settings
            assert run(main(f"{url}?{query}")) == settings


def test_sessions_that_the_pooler_does_not_clear_are_of_use_to_the_next_process(url: str) -> None:
    """Statements of an earlier process are still prepared there."""
    with PgBouncer(url, server_reset_query="") as pooler:
        for _ in range(3):
            said = caisse("partner", "list", "--db", pooler.url(url))
            assert (said.code, said.err) == (0, "")


def test_a_pool_of_one_session_is_enough_for_a_command(url: str) -> None:
    with PgBouncer(url, default_pool_size="1") as pooler:
        assert caisse("audit", "--db", pooler.url(url)).code == 0


@pytest.mark.parametrize("request_", [charge, look], ids=["a write", "a read"])
def test_a_cancelled_wait_for_the_standby_is_noticed_through_it(
    own: Postgres, url: str, request_: Callable[[], Request]
) -> None:
    async def main(address: str) -> None:
        before = await balance(url)
        ledger = opening.ledger(address)
        book, _ = await decided(ledger, [request_()])
        await reload(own, synchronous_standby_names="nobody")
        work = asyncio.create_task(ledger.commit(book))
        try:
            await cancelled(own, work)
            with pytest.raises(FateUnknown, match="warned"):
                await work
        finally:
            own.sql("alter system reset synchronous_standby_names")
            await reload(own)
            await ledger.close()
        assert await balance(url) - before == (100 * UNIT if request_ is charge else 0)

    with PgBouncer(url, OFF) as pooler:
        run(main(pooler.url(url)))


# Other modes


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pool_mode": "transaction"}, REFUSED),
        ({"pool_mode": "transaction", "default_pool_size": "1"}, REFUSED),
        ({"pool_mode": "transaction", "server_round_robin": "1"}, REFUSED),
        ({"pool_mode": "statement"}, "transaction blocks not allowed"),
    ],
)
def test_what_does_not_keep_sessions_is_refused_at_the_start(
    url: str, tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    with PgBouncer(url, **settings) as pooler:
        for command in ("audit", "migrate"):
            said = caisse(command, "--db", pooler.url(url))
            assert (said.code, words in said.error) == (3, True)
        with pytest.raises(DidNotStart) as caught:
            Server(pooler.url(url), tmp_path).start()
        assert (caught.value.status, words in caught.value.log) == (3, True)
        assert '"ready"' not in caught.value.log


def test_it_is_refused_while_others_use_the_pool(url: str) -> None:
    """They take and give back server sessions, so that a look may come to the same one again."""

    async def busy(address: str) -> None:
        other = await asyncpg.connect(address, statement_cache_size=0)
        try:
            while True:
                async with other.transaction():
                    await other.execute("select 1")
        finally:
            other.terminate()

    async def main(address: str) -> int:
        others = [asyncio.create_task(busy(address)) for _ in range(4)]
        refused = 0
        for _ in range(20):
            try:
                await (await opening.database(address)).close()
            except Unavailable as error:
                refused += REFUSED in str(error)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        return refused

    with PgBouncer(url, pool_mode="transaction") as pooler:
        assert run(main(pooler.url(url))) == 20


# If it happens all the same: a pooler whose mode is changed while caisse serves


HOW: dict[str, tuple[Callable[[], Request], bool]] = {
    "a write": (charge, False),
    "a locked write": (charge, True),
    "a read": (look, False),
}


@pytest.mark.parametrize("how", HOW)
def test_a_write_is_durable_in_whatever_session_it_runs(
    own: Postgres, url: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Each commit comes to a server session that nobody has set: ours is taken by another in between."""
    maker, lock = HOW[how]
    own.sql(INSIDE, name_of(url))

    async def kept(*_: object) -> bool:
        return True

    monkeypatch.setattr(connecting, "_is_kept", kept)

    async def main(address: str) -> list[int]:
        unflushed = []
        async with database(url) as beside:
            for _ in range(6):
                ledger = opening.ledger(address)
                assert isinstance(ledger, PostgresLedger)
                await ledger._ready()
                other = await asyncpg.connect(address)
                await other.execute("begin")
                book, _ = await decided(ledger, [maker()], lock=lock)
                await ledger.commit(book)
                unflushed.append((await beside.fetch(UNFLUSHED))[0][0])
                assert ledger._connection is not None
                with_us = await ledger._connection.fetchval("select current_setting('synchronous_commit')")
                assert with_us == "off", "it was a session that had been set"
                other.terminate()
                await ledger.close()
        return unflushed

    with PgBouncer(url, OFF, pool_mode="transaction") as pooler:
        assert run(main(pooler.url(url))) == [0] * 6
    writes = 0 if maker is look else 6
    assert _count(own, url, "watch.seen") == writes
    if writes:
        assert own.sql("select distinct seen from watch.seen", name_of(url)) == "(on,notice)"
    assert run(balance(url)) == (300 + writes * 100) * UNIT


def test_a_statement_of_the_same_name_of_another_process_is_never_run(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes count their statements alike; a pooler may bring one to what the other prepared."""

    async def kept(*_: object) -> bool:
        return True

    monkeypatch.setattr(connecting, "_is_kept", kept)

    async def first_of_a_process(address: str) -> asyncpg.Connection:
        monkeypatch.setattr(asyncpg.connection, "_uid", 0)
        return (await connecting.connect(address, {})).connection

    async def main(address: str) -> None:
        ours = await first_of_a_process(address)
        assert await ours.fetchval("select 'ours' || $1::text", "") == "ours"
        other = await asyncpg.connect(address)
        await other.execute("begin")  # takes the session in which we prepared
        theirs = await first_of_a_process(address)
        assert await theirs.fetchval("select 'theirs' || $1::text", "") == "theirs"
        with pytest.raises(asyncpg.InvalidSQLStatementNameError):
            assert await ours.fetchval("select 'ours' || $1::text", "") == "no answer"
        for connection in (ours, other, theirs):
            connection.terminate()

    with PgBouncer(url, pool_mode="transaction") as pooler:
        run(main(pooler.url(url)))
