"""The order of a run: set everybody up, search, then rounds in turn, then what only caisse is asked."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw

from bench import machine, searching, special
from bench.contenders.caisse import Caisse, OnPostgres, OnSqlite
from bench.contenders.ceiling import Ceiling
from bench.contenders.contender import Contender, Task
from bench.contenders.inprocess import hordak, paystack
from bench.contenders.pgbench import Pgbench
from bench.contenders.textbook import Textbook
from bench.load.drive import Closed, LoadFailed
from bench.plan import Plan
from bench.results import Run
from bench.seasoned import seasoned
from bench.stages import pure_stages, split
from bench.world import NotReady, World
from tests.support.postgres import PostgresError

# Their order in a round: side by side who is compared, since a machine's speed changes within a minute.
CONTENDERS: dict[str, Callable[[World], Contender]] = {
    "pgbench": Pgbench,
    "caisse-pg": OnPostgres,
    "caisse-sqlite": OnSqlite,
    "ceiling": Ceiling,
    "textbook": Textbook,
    "django-hordak": hordak,
    "django-paystack-wallet": paystack,
}
ONLY_CAISSE = (
    *(special.starts, special.open_model, special.widths, special.processes),
    *(special.through_nginx, special.rows, special.audit),
)
WITHOUT_POSTGRES = {"caisse-sqlite", "ceiling"}
FAILURES = (NotReady, LoadFailed, PostgresError, apsw.Error, OSError, ValueError)


def say(text: str) -> None:
    """Progress, for who watches; the report is a file."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


class Harness:
    """One run, its contenders and its results."""

    def __init__(self, plan: Plan, world: World, contenders: Sequence[Contender]) -> None:
        self.plan = plan
        self.world = world
        self.contenders = list(contenders)
        self.failed: list[str] = []
        self.run = Run(
            form=plan.form,
            when=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            machine=machine.machine(world.folder),
            versions=machine.versions(),
            generator=world.generator.name,
            durability={},
            sync_seconds=machine.sync_seconds(world.folder),
            players=plan.players,
        )

    def go(self) -> Run:
        """Everything."""
        began = time.monotonic()
        self._prepare()
        if self.plan.search_seconds:
            for contender in self.contenders:
                self._try(contender, searching.search, contender, self.plan, self.run)
        for number in range(self.plan.rounds):
            self._round(number)
        for contender in list(self.contenders):
            if said := self._try(contender, contender.books):
                self.run.notes.append(f"{contender.name}: {said}")
        self._only_caisse()
        self.run.seconds = time.monotonic() - began
        return self.run

    def _try(self, contender: Contender, work: Callable[..., Any], *args: Any) -> Any:
        """Who fails is out, and the report says why; the others go on."""
        try:
            return work(*args)
        except FAILURES as error:
            say(f"{contender.name} failed: {error}")
            self.failed.append(contender.name)
            self.run.notes.append(f"{contender.name} failed: {str(error)[:500]}")
            self.contenders = [c for c in self.contenders if c is not contender]
            return None

    def _prepare(self) -> None:
        """Side by side: how long a set-up takes is not measured."""
        say("setting up: " + ", ".join(c.name for c in self.contenders))
        with ThreadPoolExecutor(3) as pool:
            jobs = [(c, pool.submit(c.prepare)) for c in self.contenders]
        for contender, job in jobs:
            said = self._try(contender, job.result)
            if said:
                self.run.durability[contender.name] = said

    def _round(self, number: int) -> None:
        for contender in list(self.contenders):
            say(f"round {number + 1} of {self.plan.rounds}: {contender.name}")
            self._try(contender, self._turn, contender, number)

    def _turn(self, contender: Contender, number: int) -> None:
        plan = self.plan
        os.sync()  # what one contender left for the disk to write is not the next one's burden
        with contender.running() as running:
            for workload in self._workloads(contender, number):
                seconds, warm = (plan.spread, plan.warm) if workload == "spread" else (plan.other, 0)
                for place, heads in enumerate(self._heads(contender, workload, number)):
                    task = Task(workload, number, 0 if place else warm, seconds, heads)
                    sample = running.measure(task)
                    self.run.samples.append(sample)

    def _workloads(self, contender: Contender, number: int) -> list[str]:
        wanted = [w for w in contender.workloads if w != "mix" or self.plan.mix]
        wide = isinstance(contender, Caisse) or number < self.plan.wide_rounds
        return wanted if wide else wanted[:1]

    def _heads(self, contender: Contender, workload: str, number: int) -> tuple[str, ...]:
        """The kinds of heads, each round in the other order: who comes second finds caches warm."""
        plan = self.plan
        once = plan.plain_spread_only and (workload != "spread" or number > 0)
        if once or not contender.http:
            return plan.heads[:1]
        return plan.heads if number % 2 == 0 else plan.heads[::-1]

    def _only_caisse(self) -> None:
        """What the peers are not asked: it would only take time."""
        pure = pure_stages()
        for contender in [c for c in self.contenders if isinstance(c, Caisse)]:
            stages = split(self.run, contender.name, pure)
            if stages:
                self.run.stages[contender.name] = stages
            for part in ONLY_CAISSE:
                say(f"{contender.name}: {part.__name__.replace('_', ' ')}")
                self._try(contender, part, contender, self.plan, self.run)


def benchmark(plan: Plan, generator: Closed) -> tuple[Run, list[str]]:
    """Make the world, run, clean up; the results, and who failed."""
    wanted = plan.contenders or tuple(CONTENDERS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="caisse-bench-")))
        machine.filesystem(folder)
        needs = set(wanted) - WITHOUT_POSTGRES
        postgres = stack.enter_context(seasoned()) if needs else None
        world = World(folder, postgres, generator, plan.players, plan.connections)
        harness = Harness(plan, world, [CONTENDERS[name](world) for name in CONTENDERS if name in wanted])
        if postgres:
            harness.run.versions["postgresql"] = postgres.sql("show server_version")
        return harness.go(), harness.failed
