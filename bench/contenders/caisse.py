"""caisse itself, as its users start it: the shipped command, the shipped defaults, over HTTP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.contenders.contender import DOORS, Contender, OverHttp, Server
from bench.load.client import Order
from bench.load.drive import checked, own
from bench.trial import trial
from bench.workloads import QUICK, Doors, funding
from bench.world import NotReady, World, durability, process, python, until
from caisse.store.sqlite.file import open_file

FUNDING_CONNECTIONS: Final = 64
_ready = re.compile(r'"event": "ready".*?"url": "[^"]*:(\d+)"').search


class Caisse(Contender):
    """On either engine."""

    workloads = (*QUICK, "mix")

    def __init__(self, world: World, name: str, engine: str) -> None:
        super().__init__(world)
        self.name = name
        self.about = f"caisse on {engine}, over HTTP, shipped defaults"
        self.doors = DOORS
        self.db = ""

    def prepare(self) -> str:
        """A migrated database, a partner and a connection made by command, players funded over HTTP."""
        self.db = self.new_database()
        command = ["caisse", "migrate", "--db", self.db]
        python(*command)
        token = DOORS.query.rpartition("token=")[2]
        python("caisse", "partner", "add", "bench", "--db", self.db, CAISSE_TOKEN=token)
        said = python("caisse", "connection", "add", "bench", "luckymonaco", "--json", "--db", self.db)
        self.doors = Doors(DOORS.query, json.loads(said)["path"])
        self.fund()
        return self.durable()

    def fund(self) -> None:
        """Players with money, made over HTTP like everybody's; then everything is tried once."""
        with self.serving() as server:
            for wanted in funding(self.doors, self.world.players):
                order = Order(spec=wanted, port=server.port, connections=FUNDING_CONNECTIONS, seconds=600)
                if checked(own(order)).answers != self.world.players:
                    raise NotReady("not every player could be funded")
            trial(server.port, self.doors)

    def new_database(self) -> str:
        """Its URL."""
        raise NotReady("no engine")

    def durable(self) -> str:
        """In words."""
        raise NotReady("no engine")

    def disk_bytes(self) -> int:
        """What the journal and its indexes take."""
        raise NotReady("no engine")

    def again(self, name: str) -> Caisse:
        """Another one on the same engine, not prepared yet."""
        raise NotReady("no engine")

    @contextmanager
    def serving(self, *options: str) -> Iterator[Server]:
        """`caisse serve`, until the end."""
        with self.started(*options) as (child, port):
            yield Server(port, child.pid)

    @contextmanager
    def started(self, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """The process, and the port that its log names once it takes requests."""
        log = self.world.folder / f"{self.name}.log"
        serve = [sys.executable, "-m", "caisse", "serve", "--until-eof", "--db", self.db, "--port", "0"]
        with process([*serve, *options], log) as child:
            until(lambda: _ready(_text(log)) is not None, child, log)
            found = _ready(_text(log))
            assert found is not None  # noqa: S101 - until() saw it
            yield child, int(found[1])

    @contextmanager
    def running(self) -> Iterator[OverHttp]:
        """One turn."""
        with self.serving() as server:
            yield self.over_http(server)

    def over_http(self, server: Server, connections: int = 0) -> OverHttp:
        """The load's view of a started server."""
        world = self.world
        wide = connections or world.connections
        return OverHttp(self.name, world, server, self.doors, wide, world.players)

    def start_seconds(self) -> float:
        """From starting the process to the first answered refund."""
        began = time.perf_counter()
        with self.serving() as server:
            return self.over_http(server, 1).first_answer(began)

    def audit(self) -> Any:
        """`caisse audit` over everything that was booked."""
        return json.loads(python("caisse", "audit", "--json", "--db", self.db))


class OnPostgres(Caisse):
    """A database of the shared server."""

    def __init__(self, world: World, name: str = "caisse-pg") -> None:
        super().__init__(world, name, "PostgreSQL")

    def new_database(self) -> str:
        return self.world.database.create_database()

    def durable(self) -> str:
        return durability(self.world, self.db)

    def disk_bytes(self) -> int:
        return int(self.world.sql(self.db, "select pg_total_relation_size('journal')"))

    def again(self, name: str) -> Caisse:
        return OnPostgres(self.world, name)


class OnSqlite(Caisse):
    """A file on the same disk."""

    def __init__(self, world: World, name: str = "caisse-sqlite") -> None:
        super().__init__(replace(world, postgres=None), name, "SQLite")

    @property
    def path(self) -> Path:
        """The file."""
        return self.world.folder / f"{self.name}.db"

    def new_database(self) -> str:
        return f"sqlite:///{self.path}"

    def disk_bytes(self) -> int:
        return self.path.stat().st_size

    def again(self, name: str) -> Caisse:
        return OnSqlite(self.world, name)

    def durable(self) -> str:
        """Asked of a connection that the server's own opener made: `synchronous` belongs to connections."""
        connection = open_file(self.path)
        found = {name: connection.pragma(name) for name in ("journal_mode", "synchronous")}
        connection.close()
        if found != {"journal_mode": "wal", "synchronous": 2}:
            raise NotReady(f"{self.path} does not commit durably: {found}")
        return "journal_mode=wal, synchronous=2 (full)"


def _text(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""
