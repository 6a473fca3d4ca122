"""Bare PostgreSQL: pgbench, prepared, one statement a refund; no HTTP, no rules, no answer."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench.contenders.contender import Contender, Running, Task
from bench.load.drive import LoadFailed
from bench.load.heads import NONE
from bench.meter import Meter
from bench.results import Sample
from bench.workloads import AMOUNT, FUNDS
from bench.world import World, durability

TABLES: Final = """
create table wallet (player bigint primary key, balance numeric not null check (balance >= 0))
    with (fillfactor = 70);
create table journal (
    id bigint generated always as identity primary key, uuid uuid not null unique, player bigint not null,
    amount numeric not null, balance numeric not null, at timestamptz not null default now()
);
"""
REFUND: Final = """
with paid as (
    update wallet set balance = balance - {amount} where player = :player and balance >= {amount}
    returning player, balance
)
insert into journal (uuid, player, amount, balance)
select gen_random_uuid(), player, -{amount}, balance from paid;
"""
PLAYER: Final = {"hot": "\\set player 0", "spread": "\\set player random(0, {last})"}
_count = re.compile(r"number of transactions actually processed: (\d+)").search
_failures = re.compile(r"number of failed transactions: (\d+)").search


@dataclass
class Clients(Running):
    """pgbench with a number of clients."""

    world: World
    db: str
    clients: int

    def measure(self, task: Task) -> Sample:
        """See `Running.measure`."""
        if task.warm:
            self._run(task.workload, task.warm)
        meter = Meter({"database": [self.world.database.pid]})
        before, syncs = os.times(), self.world.syncs()
        answers = self._run(task.workload, task.seconds)
        after = os.times()
        own = after.children_user + after.children_system - before.children_user - before.children_system
        return Sample(
            contender="pgbench",
            workload=task.workload,
            heads=NONE,
            round=task.round,
            answers=answers,
            seconds=task.seconds,
            cpu={**meter.used(), "generator": own},
            syncs=self.world.syncs() - syncs,
            setup=f"{self.clients} clients",
        )

    def _run(self, workload: str, seconds: float) -> int:
        player = PLAYER["hot" if workload == "hot" else "spread"].format(last=self.world.players - 1)
        script = self.world.folder / "pgbench.sql"
        script.write_text(player + REFUND.format(amount=AMOUNT))
        options = ["-n", "-M", "prepared", "-j", "2", "-c", str(self.clients), "-T", f"{max(seconds, 1):.0f}"]
        done = subprocess.run(
            [self.world.database.bin("pgbench"), *options, "-f", script, self.db],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 60,
        )
        found, failed = _count(done.stdout), _failures(done.stdout)
        if done.returncode or found is None or failed is None or int(failed[1]):
            raise LoadFailed(f"pgbench failed: {done.stdout}{done.stderr}")
        return int(found[1])


class Pgbench(Contender):
    """The measure that the issue sets: what the database alone can do, one transaction a refund."""

    name = "pgbench"
    about = "bare PostgreSQL: pgbench, prepared, one statement a refund; no HTTP, no rules, no answer"
    workloads = ("spread", "hot")
    http = False
    forms = (8, 16, 32)
    form = 32
    """The best in earlier searches; the full benchmark searches again."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.db = ""

    def prepare(self) -> str:
        """The fast form: a primary key, a unique uuid, no foreign key."""
        self.db = self.world.database.create_database()
        self.world.sql(self.db, TABLES)
        self.world.sql(
            self.db,
            f"insert into wallet select n, {FUNDS} from generate_series(0, {self.world.players - 1}) as n",
        )
        self.world.sql(self.db, "vacuum analyze")
        return durability(self.world, self.db)

    @contextmanager
    def running(self) -> Iterator[Clients]:
        """One turn."""
        yield Clients(self.world, self.db, self.form)
