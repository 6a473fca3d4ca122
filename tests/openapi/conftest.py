"""The document as a server tells it, and a server on each engine."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support import served
from tests.support.postgres import Borrowed, Postgres
from tests.support.served import Document
from tests.support.server import Server


@pytest.fixture(scope="package")
def servers(
    postgres: Postgres | Borrowed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Server]]:
    """One on each engine, shared by tests that leave no trace that another would mind."""
    folder = tmp_path_factory.mktemp("openapi")
    with (
        served.server(f"sqlite:///{folder}/caisse.db", folder) as sqlite,
        served.server(postgres.create_database(), folder) as on_postgres,
    ):
        yield {"sqlite": sqlite, "postgres": on_postgres}


@pytest.fixture(scope="package", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    """Each of them in turn."""
    return servers[request.param]


@pytest.fixture(scope="package")
def document(server: Server) -> Document:
    return Document(json.loads(served.send(server.url, "GET", "/openapi.json").body))
