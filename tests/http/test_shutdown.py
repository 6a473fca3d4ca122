"""An orderly end, and starts that must not be: what is refused, with a word that says why and what to do."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
from pathlib import Path

import pytest

from caisse.store import migrate, opening
from tests.support.crowd import Line, Lost
from tests.support.postgres import Borrowed, Postgres
from tests.support.record import Storm
from tests.support.rig import House, prepare
from tests.support.server import Call, DidNotStart, Server

NO_DATABASE = 3


async def _sql(db_url: str, statement: str) -> None:
    db = await opening.database(db_url)
    try:
        await migrate.applied(db)
        await db.execute(statement)
    finally:
        await db.close()


def refused(server: Server) -> DidNotStart:
    with pytest.raises(DidNotStart) as caught:
        server.start()
    assert "Traceback" not in caught.value.log
    return caught.value


def test_SIGTERM_under_load_answers_or_says_that_it_did_not(own_house: House) -> None:
    """Every request has a verdict, a 503 or a closed connection; no verdict that was told is lost; exit 0."""
    server = own_house.server.start()
    storm = Storm(own_house, secrets.randbits(32))
    for _ in range(2):
        storm.rage(server.signal, 400)
        assert server.wait() == 0
        assert "Traceback" not in server.log
        server.start()
        storm.heal()
    storm.repeat(storm.record.intents)
    assert storm.record.findings(storm.balances()) == []
    own_house.audit()


def test_SIGINT_ends_it_likewise(own_house: House) -> None:
    server = own_house.server.start()
    storm = Storm(own_house, secrets.randbits(32))
    assert server.send(own_house.partner.info("nobody")).code == 4
    server.signal(signal.SIGINT)
    assert server.wait() == 0
    server.start()
    assert storm.record.findings(storm.balances()) == []


def test_an_idle_connection_does_not_keep_it_from_ending(own_house: House) -> None:
    server = own_house.server.start()
    call = own_house.partner.info("nobody")

    async def idle() -> None:
        line, unused = await Line.open(server.url), await Line.open(server.url)
        assert (await line.send(call)).code == 4
        assert await asyncio.to_thread(server.stop) == 0
        for left in (line, unused):
            with pytest.raises(Lost):
                await left.send(call)

    asyncio.run(idle())


def test_a_server_that_has_ended_takes_no_requests(own_house: House) -> None:
    server = own_house.server.start()
    assert server.stop() == 0

    async def knock() -> None:
        with pytest.raises(Lost):
            await Line.open(server.url)

    asyncio.run(knock())


def test_a_second_server_on_the_same_sqlite_file_is_refused(tmp_path: Path) -> None:
    """Until the first is gone; kill -9 leaves no lock behind."""
    url = f"sqlite:///{tmp_path}/caisse.db"
    with Server(url, tmp_path) as first:
        second = Server(url, tmp_path)
        failure = refused(second)
        assert failure.status == NO_DATABASE
        assert "already served by another process" in failure.log
        assert first.send(Call("/user/info", b"{}")).status == 401
        first.kill()
        second.start()
        assert second.stop() == 0


@pytest.mark.parametrize("link", ["folder", "file"])
def test_the_same_sqlite_file_by_another_name_is_refused_too(tmp_path: Path, link: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    other = tmp_path / "other"
    with Server(f"sqlite:///{place}/caisse.db", tmp_path):
        other.symlink_to(place if link == "folder" else place / "caisse.db")
        second = Server(f"sqlite:///{other}{'/caisse.db' if link == 'folder' else ''}", tmp_path)
        assert "already served by another process" in refused(second).log


def test_a_newer_database_is_refused(db_url: str, tmp_path: Path) -> None:
    asyncio.run(prepare(db_url))
    asyncio.run(_sql(db_url, "insert into migration values (9999, '9999_later', 0)"))
    failure = refused(Server(db_url, tmp_path))
    assert failure.status == NO_DATABASE
    assert "version 9999" in failure.log
    assert "install a newer caisse" in failure.log


def test_an_older_postgres_database_is_refused(postgres: Postgres | Borrowed, tmp_path: Path) -> None:
    failure = refused(Server(postgres.create_database(), tmp_path))
    assert failure.status == NO_DATABASE
    assert "caisse migrate" in failure.log


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        failure = refused(Server(f"sqlite:///{tmp_path}/caisse.db", tmp_path, port=port))
    assert failure.status == 1
    assert str(port) in failure.log
    assert "--port" in failure.log


def test_a_second_server_does_not_share_the_firsts_port(
    postgres: Postgres | Borrowed, tmp_path: Path
) -> None:
    """On PostgreSQL two may serve one database, but never one port."""
    db = postgres.create_database()
    asyncio.run(prepare(db))
    with Server(db, tmp_path) as first:
        port = int(first.url.rpartition(":")[2])
        assert refused(Server(db, tmp_path, port=port)).status == 1


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """Of --until-eof: no server of a killed suite stays behind."""
    server = Server(f"sqlite:///{tmp_path}/caisse.db", tmp_path).start()
    server.close_input()
    assert server.wait() == 0
