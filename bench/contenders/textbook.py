"""The textbook wallet under uvicorn, at its best number of workers and connections to the database."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from bench.contenders.contender import DOORS, Contender, OverHttp, Server
from bench.trial import trial
from bench.workloads import FUNDS, QUICK, Doors
from bench.world import NotReady, World, durability, process, python, until
from tests.support.postgres import free_port


class Form(NamedTuple):
    """How it is run."""

    workers: int
    pool: int
    connections: int

    def __str__(self) -> str:
        return f"{self.workers} workers, {self.pool} database connections each, {self.connections} clients"


TOKEN: Final = DOORS.query.rpartition("token=")[2]
WRONG: Final = """
with moved as (
    select "user", -amount as moved from movement where not refused union all select "user", moved from play
), players as (
    select "user", sum(moved) as moved from moved group by 1
), rounds as (
    select round, sum(case kind when 'result' then 0 else -moved end) as staked,
        sum(case kind when 'result' then moved else 0 end) as paid from play where moved <> 0 group by 1
)
select (select count(*) from wallet left join players using ("user")
        where balance <> {funds} + coalesce(moved, 0))
    + (select count(*) from rounds left join round on round.id = rounds.round
        where (round.staked, round.paid) is distinct from (rounds.staked, rounds.paid))
"""
"""Wallets and rounds that are not what their rows add up to."""


class Textbook(Contender):
    """FastAPI, SQLAlchemy, asyncpg, uvicorn with uvloop and httptools."""

    name = "textbook"
    about = "FastAPI + SQLAlchemy 2 async ORM + asyncpg under uvicorn, over HTTP"
    workloads = (*QUICK, "mix")
    forms = tuple(Form(w, p, c) for c in (64, 256) for w in (1, 2, 3) for p in (4, 10, 20))
    form = Form(2, 4, 64)
    """The best in earlier searches; the full benchmark searches again."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.doors = Doors(DOORS.query, f"/{TOKEN}")
        self.db = ""

    def prepare(self) -> str:
        """Its tables from its own models, its players by one statement: that is not measured."""
        self.db = self.world.database.create_database()
        python("bench.peers.textbook_tables", **self._environment())
        self.world.sql(
            self.db,
            'insert into wallet (partner, "user", currency, balance) '
            f"select 'bench', 'p' || lpad(n::text, 6, '0'), 'USD', {FUNDS} "
            f"from generate_series(0, {self.world.players - 1}) as n",
        )
        self.world.sql(self.db, "vacuum analyze")
        with self.running() as running:
            trial(running.server.port, running.doors)
        return durability(self.world, self.db)

    def books(self) -> str:
        """See `Contender.books`."""
        if wrong := int(self.world.sql(self.db, WRONG.format(funds=FUNDS))):
            raise NotReady(f"{wrong} wallets or rounds are not what their rows add up to")
        return "every wallet and every round is what its rows add up to."

    def _environment(self) -> dict[str, str]:
        return {
            "TEXTBOOK_DB": self.db.replace("postgresql://", "postgresql+asyncpg://"),
            "TEXTBOOK_POOL": str(self.form.pool),
            "TEXTBOOK_TOKEN": TOKEN,
        }

    @contextmanager
    def running(self) -> Iterator[OverHttp]:
        """One turn."""
        log, port = self.world.folder / "textbook.log", free_port()
        options = ["--workers", str(self.form.workers), "--loop", "uvloop", "--http", "httptools"]
        command = [sys.executable, "-m", "uvicorn", "bench.peers.textbook_app:app", "--port", str(port)]
        quiet = ["--no-access-log", "--log-level", "info"]
        with process([*command, *options, *quiet], log, **self._environment()) as child:
            until(lambda: self._listens(log.read_text()), child, log)
            world = self.world
            server = Server(port, child.pid)
            yield OverHttp(self.name, world, server, self.doors, self.form.connections, world.players)

    def _listens(self, said: str) -> bool:
        """Every worker is up and the port is open; with one worker the port comes last."""
        started = said.count("Application startup complete") >= self.form.workers
        return started and "Uvicorn running on" in said

    def start_seconds(self) -> float:
        """From starting the processes to the first answered refund."""
        began = time.perf_counter()
        with self.running() as running:
            return running.first_answer(began)
