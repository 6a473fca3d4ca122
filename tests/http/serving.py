"""Houses with their servers running, on either engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.postgres import Borrowed, Postgres
from tests.support.rig import House


def fresh_db(engine: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The address of a new database on `sqlite` or `postgres`."""
    if engine == "sqlite":
        return f"sqlite:///{folder}/caisse.db"
    server: Postgres | Borrowed = request.getfixturevalue("postgres")
    return server.create_database()


def copy_of(db: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The address of a copy of a database that nobody uses meanwhile, on the same engine."""
    if db.startswith("sqlite"):
        file = Path(db.removeprefix("sqlite:///"))
        assert not file.with_name(f"{file.name}-wal").exists(), "its newest commits are in its log"
        return f"sqlite:///{shutil.copy(file, folder)}"
    server: Postgres | Borrowed = request.getfixturevalue("postgres")
    return server.copy_database(db)


def serving(house: House) -> Iterator[House]:
    """Its servers run until the end, when its books are audited."""
    with ExitStack() as servers:
        for server in house.servers:
            servers.enter_context(server)
        yield house
    house.audit()
