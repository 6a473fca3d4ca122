"""What a contender is, and what those have in common that are asked over HTTP."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, NamedTuple

from bench.load.client import Order, Tally
from bench.load.drive import checked, own
from bench.load.heads import PLAIN, VARIED
from bench.meter import Meter, rss_bytes
from bench.results import Sample
from bench.workloads import QUICK, Doors, spec
from bench.world import World


class Task(NamedTuple):
    """What is measured next."""

    workload: str
    round: int
    warm: float
    seconds: float
    heads: str = VARIED


class Running(ABC):
    """A contender that was started and takes workloads."""

    @abstractmethod
    def measure(self, task: Task) -> Sample:
        """Warm up, then measure. An exception unless every answer was right."""


class Contender(ABC):
    """One who is measured."""

    name: str
    about: str
    workloads: Sequence[str] = QUICK
    http: bool = True
    """Whether it is asked over HTTP."""

    def __init__(self, world: World) -> None:
        self.world = world

    @abstractmethod
    def prepare(self) -> str:
        """Databases and players; answers in words how it commits. An exception if that is not durable."""

    def books(self) -> str:
        """After the rounds: in words, that its rows and balances agree. NotReady if they do not."""
        return ""

    @abstractmethod
    def running(self) -> AbstractContextManager[Running]:
        """One turn: started before, stopped after."""


class Server(NamedTuple):
    """A started server over HTTP."""

    port: int
    pid: int
    proxy: int = 0
    """The process id of what stands before it; 0: nothing does."""
    ca: str = ""
    """The certificate under which TLS is spoken; empty: it is not."""


@dataclass
class OverHttp(Running):
    """A server and the load on it."""

    contender: str
    world: World
    server: Server
    doors: Doors
    connections: int
    players: int

    def order(self, task: Task, rate: float = 0.0) -> Order:
        """A run of the generator; `warm` is of the open model."""
        return Order(
            spec=spec(task.workload, self.doors, self.players, task.heads, self.connections),
            port=self.server.port,
            connections=self.connections,
            ca=self.server.ca,
            seconds=task.seconds,
            rate=rate,
            warm=task.warm,
        )

    def measure(self, task: Task) -> Sample:
        """See `Running.measure`."""
        if task.warm:
            self.world.generator.run(self.order(task._replace(seconds=task.warm, warm=0)))
        meter, syncs = self._meter(), self.world.syncs()
        tally = self.world.generator.run(self.order(task._replace(warm=0)))
        return Sample(
            contender=self.contender,
            workload=task.workload,
            heads=task.heads,
            round=task.round,
            answers=tally.answers,
            seconds=tally.seconds,
            cpu={**meter.used(), "generator": tally.cpu},
            rss=rss_bytes([self.server.pid]),
            syncs=self.world.syncs() - syncs,
            setup=f"{self.connections} connections",
        )

    def _meter(self) -> Meter:
        database = self.world.postgres
        groups = {"server": [self.server.pid], "database": [database.pid] if database else []}
        return Meter(groups | ({"proxy": [self.server.proxy]} if self.server.proxy else {}))

    def at_rate(self, rate: float, task: Task) -> Tally:
        """The open model."""
        return checked(own(self.order(task, rate)))

    def first_answer(self, began: float) -> float:
        """Seconds from `began` until a refund was answered."""
        checked(own(self.order(Task("spread", 0, 0, 0.0001, PLAIN))))
        return time.perf_counter() - began


DOORS: Final = Doors("?partner_id=bench&token=bench-token-that-nobody-guesses")
