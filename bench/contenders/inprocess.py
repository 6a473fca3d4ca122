"""The peers from the package index: Django packages, called in process, no HTTP: that favours them."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from bench.contenders.contender import Contender, Running, Task
from bench.load.drive import LoadFailed
from bench.load.heads import NONE
from bench.meter import Meter, rss_bytes
from bench.results import Sample
from bench.workloads import AMOUNT, FUNDS, TOO_MUCH
from bench.world import World, durability, environment, python

WORKER: Final = "bench.peers.django_worker"


@dataclass
class Workers(Running):
    """Processes that book refunds side by side."""

    contender: str
    world: World
    processes: list[subprocess.Popen[str]]

    def measure(self, task: Task) -> Sample:
        """See `Running.measure`."""
        if task.warm:
            self._run(task.workload, task.warm)
        pids = [child.pid for child in self.processes]
        meter = Meter({"server": pids, "database": [self.world.database.pid]})
        syncs = self.world.syncs()
        done = self._run(task.workload, task.seconds)
        return Sample(
            contender=self.contender,
            workload=task.workload,
            heads=NONE,
            round=task.round,
            answers=sum(d["answers"] for d in done),
            seconds=max(d["seconds"] for d in done),
            cpu=meter.used(),
            rss=rss_bytes(pids),
            syncs=self.world.syncs() - syncs,
            setup=f"{len(pids)} processes",
        )

    def _run(self, workload: str, seconds: float) -> list[dict[str, Any]]:
        amount = TOO_MUCH if workload == "refusals" else AMOUNT
        job = {"kind": workload, "seconds": seconds, "players": self.world.players, "amount": amount}
        for child in self.processes:
            assert child.stdin is not None  # noqa: S101
            child.stdin.write(json.dumps({**job, "run": secrets.token_hex(5)}) + "\n")
            child.stdin.flush()
        done = [json.loads(_line(child)) for child in self.processes]
        if wrong := sum(d["wrong"] for d in done):
            raise LoadFailed(f"{wrong} wrong answers of {self.contender}")
        return done


class DjangoPeer(Contender):
    """One package, at its best number of processes."""

    http = False
    forms = (1, 2, 4, 8, 16)
    form = 4
    """The best in earlier searches; the full benchmark searches again."""

    def __init__(self, world: World, package: str, about: str) -> None:
        super().__init__(world)
        self.name = package
        self.about = f"{package}: {about}; in process, no HTTP"
        self.db = ""

    def prepare(self) -> str:
        """Its own migrations, then players with money."""
        self.db = self.world.database.create_database()
        python(WORKER, self.name, self.db, str(self.world.players), "set-up", FUNDS)
        self.world.sql(self.db, "vacuum analyze")
        return durability(self.world, self.db)

    @contextmanager
    def running(self) -> Iterator[Workers]:
        """One turn."""
        with ExitStack() as stack:
            processes = [stack.enter_context(self._worker()) for _ in range(self.form)]
            for child in processes:
                if "fsync=on, synchronous_commit=on" not in _line(child):
                    raise LoadFailed(f"{self.name} does not commit durably")
            yield Workers(self.name, self.world, processes)

    @contextmanager
    def _worker(self) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", WORKER, self.name, self.db, str(self.world.players)]
        with (self.world.folder / f"{self.name}.log").open("a") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment(),
            )
        try:
            yield child
        finally:
            if child.stdin:
                child.stdin.close()
            child.terminate()
            child.wait(20)


def hordak(world: World) -> DjangoPeer:
    """Double entry, with the lock and the check that an application must add."""
    return DjangoPeer(world, "django-hordak", "double entry, lock and balance check added")


def paystack(world: World) -> DjangoPeer:
    """A wallet with its own lock."""
    return DjangoPeer(world, "django-paystack-wallet", "its own debit of a wallet, with its own lock")


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None  # noqa: S101
    line = child.stdout.readline()
    if not line:
        raise LoadFailed("a worker ended; see its log")
    return line
