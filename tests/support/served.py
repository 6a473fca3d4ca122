"""A server with one partner and its two connections, called through what the OpenAPI document says.

Nothing of the document is known here but what OpenAPI itself says: so what is checked is what a reader of the
document would rely on.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jsonschema_rs

from caisse.core.parties import Connection, secret_hash
from caisse.store import directory, migrate, opening
from caisse.writer.writer import clock
from tests.support.server import Server

TOKEN = "demo-token-of-some-length"
KEY = "demo-key-of-some-length"
VALUES = {"partner_id": "demo", "token": TOKEN, "authToken": KEY, "key": KEY}
"""What the parameters of a URL are, by name."""

Json = Mapping[str, Any]


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


def server(db: str, folder: Path) -> Server:
    """One for which everything that the examples take for granted is there, and nothing else."""
    asyncio.run(_furnish(db))
    return Server(db, folder)


async def _furnish(url: str) -> None:
    db = await opening.database(url)
    try:
        await migrate.migrate(db, url, clock())
        await directory.add_partner(db, "demo", clock())
        await directory.add_token(db, "demo", "t1", secret_hash(TOKEN), clock())
        for id_, hash_ in (("c1", secret_hash(KEY)), ("c2", b"")):
            made = Connection(
                id=id_,
                partner="demo",
                provider="luckymonaco",
                key_hash=hash_,
                networks=(),
                profile="lucky-monaco-v4",
            )
            await directory.add_connection(db, made, clock())
    finally:
        await db.close()


def send(
    url: str, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Reply:
    """Any request, to the byte, on a connection of its own."""
    where = urlsplit(url)
    line = http.client.HTTPConnection(where.hostname or "", where.port or 0, timeout=60)
    try:
        line.request(method, target, body, dict(headers or {}))
        got = line.getresponse()
        return Reply(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
    finally:
        line.close()


class Document:
    """An OpenAPI document, resolved and ready to judge answers."""

    def __init__(self, data: Json) -> None:
        self.data = data

    def operations(self) -> list[tuple[str, str, Json]]:
        """(method, path, operation) of everything that can be asked."""
        return [(m, path, said) for path, item in self.data["paths"].items() for m, said in item.items()]

    def resolved(self, schema: Json) -> Json:
        """A schema without references."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/components/schemas/")
            return self.resolved(self.data["components"]["schemas"][name])
        return (
            {**schema, "oneOf": [self.resolved(s) for s in schema["oneOf"]]} if "oneOf" in schema else schema
        )

    def request_schema(self, said: Json) -> dict[str, Any]:
        return dict(self.resolved(said["requestBody"]["content"]["application/json"]["schema"]))

    def target(self, path: str, said: Json, values: Mapping[str, str] = VALUES) -> str:
        """A path with its parameters and credentials filled in."""
        schemes = self.data["components"]["securitySchemes"]
        query = [p["name"] for p in said.get("parameters", ()) if p["in"] == "query"]
        query += [schemes[name]["name"] for needed in said["security"] for name in needed]
        for parameter in said.get("parameters", ()):
            path = path.replace(f"{{{parameter['name']}}}", values[parameter["name"]])
        return path + ("?" + "&".join(f"{name}={values[name]}" for name in query) if query else "")

    def judge(self, said: Json, reply: Reply, method: str = "post") -> None:
        """AssertionError unless the reply is one that the operation documents."""
        what = (reply.status, reply.body[:500])
        assert str(reply.status) in said["responses"], what
        response = said["responses"][str(reply.status)]
        for name, header in response.get("headers", {}).items():
            assert reply.headers.get(name.lower()) == header["schema"]["const"], what
        if method.lower() == "head":
            assert reply.body == b""
            return
        kind = reply.headers["content-type"].partition(";")[0]
        assert kind in response["content"], what
        if kind == "application/json":
            self.fits(response["content"][kind]["schema"], json.loads(reply.body))

    def fits(self, schema: Json, value: Any) -> None:
        """AssertionError unless the value fits, its fields in the documented order."""
        schema = self.resolved(schema)
        kinds = [k for s in schema.get("oneOf", [schema]) for k in s.get("oneOf", [s])]
        fitting = [k for k in kinds if jsonschema_rs.is_valid(k, value)]
        assert len(fitting) == 1, (len(fitting), value)
        if names := fitting[0].get("properties"):
            assert list(value) == [name for name in names if name in value], value
