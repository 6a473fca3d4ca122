"""The document as a server tells it, and a server on each engine."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support import served
from tests.support.postgres import Borrowed, Postgres
from tests.support.served import Document
from tests.support.server import Server


@pytest.fixture(scope="package", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Shared by tests that leave no trace that another would mind."""
    folder = tmp_path_factory.mktemp("openapi")
    db = f"sqlite:///{folder}/caisse.db"
    if request.param == "postgres":
        postgres: Postgres | Borrowed = request.getfixturevalue("postgres")
        db = postgres.create_database()
    with served.server(db, folder) as running:
        yield running


@pytest.fixture(scope="package")
def document(server: Server) -> Document:
    return Document(json.loads(served.send(server.url, "GET", "/openapi.json").body))
