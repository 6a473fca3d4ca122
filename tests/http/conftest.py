"""Houses for races, and houses of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.serving import fresh_db, serving
from tests.support.rig import House


@pytest.fixture(scope="session", params=["sqlite", "postgres", "two servers on one postgres"])
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server on each engine, and two servers on one PostgreSQL."""
    engine: str = request.param
    folder = tmp_path_factory.mktemp("arena")
    db = fresh_db("sqlite" if engine == "sqlite" else "postgres", request, folder)
    yield from serving(House(db, folder, count=2 if engine.startswith("two") else 1))


@pytest.fixture
def own_house(db_url: str, tmp_path: Path) -> Iterator[House]:
    """A house whose server the test itself starts, stops and kills."""
    house = House(db_url, tmp_path)
    yield house
    for server in house.servers:
        if server.runs:
            server.kill()
