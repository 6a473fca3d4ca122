"""What the whole suite shares: the two engines, each with fresh databases, and one server on each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.serving import fresh_db, serving
from tests.support.postgres import Borrowed, Postgres, suite_postgres
from tests.support.rig import House

# A run starts hundreds of processes: what one has compiled, the next need not, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: more than there are cores, for tests wait for servers, disks and clocks."""
    return (3 * (os.cpu_count() or 1) + 1) // 2


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres | Borrowed]:
    """The suite's server. Who stops or crashes a server starts one of his own: `with Postgres()`."""
    with suite_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh, empty database, on each engine in turn."""
    return fresh_db(request.param, request, tmp_path)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server on each engine in turn, each test with players of its own; its books are audited at the end.

    Its tests lie in several folders: one definition for all, so that a process starts each server once.
    """
    folder = tmp_path_factory.mktemp(request.param)
    yield from serving(House(fresh_db(request.param, request, folder), folder))
