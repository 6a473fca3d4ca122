"""What the whole suite shares: the two engines, each with a fresh database for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Borrowed, Postgres, suite_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres | Borrowed]:
    """The suite's server. Who stops or crashes a server starts one of his own: `with Postgres()`."""
    with suite_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh, empty database, on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/caisse.db"
    server: Postgres | Borrowed = request.getfixturevalue("postgres")
    return server.create_database()
