"""Servers for the HTTP suite: one for each engine that tests share, each test with players of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.http.house import House
from tests.postgres import Borrowed, Postgres


def _db(engine: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if engine == "sqlite":
        return f"sqlite:///{folder}/caisse.db"
    server: Postgres | Borrowed = request.getfixturevalue("postgres")
    return server.create_database()


def _serving(house: House) -> Iterator[House]:
    with ExitStack() as servers:
        for server in house.servers:
            servers.enter_context(server)
        yield house
    house.audit()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server on each engine in turn; its books are audited at the end."""
    folder = tmp_path_factory.mktemp(request.param)
    yield from _serving(House(_db(request.param, request, folder), folder))


@pytest.fixture(scope="session", params=["sqlite", "postgres", "two servers on one postgres"])
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same for races, and also two servers on one PostgreSQL."""
    engine: str = request.param
    folder = tmp_path_factory.mktemp("arena")
    db = _db("sqlite" if engine == "sqlite" else "postgres", request, folder)
    yield from _serving(House(db, folder, count=2 if engine.startswith("two") else 1))


@pytest.fixture
def own_house(db_url: str, tmp_path: Path) -> Iterator[House]:
    """A house whose server the test itself starts, stops and kills."""
    house = House(db_url, tmp_path)
    yield house
    for server in house.servers:
        if server.runs:
            server.kill()
