"""What every harness shares: a run, with its seed, its faults counted, and what it found.

A harness is a module of this package with one `HARNESS`: a claim, an attack on it, and planted bugs that the
attack must find. The suite runs each in its short form, a few rounds; `make torture` runs the same code for
as long as it is told.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.postgres import Postgres
from tests.support.rig import House, audited

NEITHER = ""
"""The engine of a harness that needs no database."""
BOTH = ("sqlite", "postgres")


class Limit(NamedTuple):
    """When a run ends: after so many rounds, or after so many seconds, at the end of a round."""

    rounds: int | None = None
    seconds: float | None = None


class Run:
    """One run of one harness on one engine."""

    def __init__(self, engine: str, seed: int, folder: Path, limit: Limit, plant: str = "") -> None:
        self.engine = engine
        self.seed = seed
        self.chance = random.Random(seed)
        self.folder = folder
        self.limit = limit
        self.plant = plant
        """A planted bug, in a form that the harness knows how to apply; empty: caisse as it is."""
        self.faults: Counter[str] = Counter()
        """What was done to caisse, and how often it really happened."""
        self.figures: Counter[str] = Counter()
        """What was seen meanwhile: requests, verdicts, sent again."""
        self.findings: list[str] = []
        self.done = 0
        """Rounds that were played to their end."""
        self.tell: Callable[[Run], None] = lambda run: None
        """Called after each round: progress."""
        self._stack = ExitStack()
        self._postgres: Postgres | None = None

    def rounds(self) -> Iterator[int]:
        """Numbers of rounds, from 0, until the limit is reached or something was found."""
        begun = time.monotonic()
        number = 0
        while not self.findings and self._goes_on(number, time.monotonic() - begun):
            yield number
            number += 1
            self.done = number
            self.tell(self)

    def _goes_on(self, number: int, seconds: float) -> bool:
        if number == 0:
            return True
        if self.limit.rounds is not None and number >= self.limit.rounds:
            return False
        return self.limit.seconds is None or seconds < self.limit.seconds

    @property
    def is_long(self) -> bool:
        """Whether it is the long form; the short one is cut to what proves."""
        return self.limit.seconds is not None

    def fault(self, kind: str, times: int = 1) -> None:
        """Count a fault that really happened."""
        self.faults[kind] += times

    def saw(self, figure: str, times: int = 1) -> None:
        """Count something else worth telling."""
        self.figures[figure] += times

    def find(self, *findings: str) -> None:
        """What breaks the claim."""
        self.findings.extend(findings)

    @property
    def postgres(self) -> Postgres:
        """A server of this run's own, to stop, crash and corrupt; gone at the end of the run."""
        if self._postgres is None:
            self._postgres = self._stack.enter_context(Postgres())
        return self._postgres

    def database(self) -> str:
        """The address of a fresh, empty database on this run's engine."""
        if self.engine == "postgres":
            return self.postgres.create_database()
        return f"sqlite:///{self.new_folder()}/caisse.db"

    def new_folder(self) -> Path:
        """An empty folder of this run."""
        folder = self.folder / f"f{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        return folder

    def house(self, count: int = 1, db: str = "") -> House:
        """A furnished database with servers that are not started yet, gone at the end of the run."""
        house = House(db or self.database(), self.new_folder(), count)
        for server in house.servers:
            self._stack.callback(lambda server=server: server.runs and server.kill())  # type: ignore[misc]
        return house

    def infect(self, house: House) -> None:
        """From their next start on the house's servers have the planted bug, if there is one.

        What is arranged before an attack is best arranged before this.
        """
        for server in house.servers:
            if self.plant:
                server.program = ["-c", self.plant + START]

    def cure(self, house: House) -> None:
        """From their next start on the house's servers are caisse as it is."""
        for server in house.servers:
            server.program = None

    def audit(self, db: str) -> None:
        """R52: everything recomputed from the journal; each finding is one of this run."""
        report = asyncio.run(audited(db))
        self.find(*(f"audit: {finding}" for finding in report.findings))

    def keep(self, resource: Any) -> Any:
        """Enter a context that ends with the run."""
        return self._stack.enter_context(resource)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def told(self) -> str:
        """One line that says it all."""
        parts = [f"seed {self.seed}", f"{self.done} rounds"]
        parts += [f"{n} × {what}" for what, n in sorted(self.faults.items())]
        parts += [f"{n} {what}" for what, n in sorted(self.figures.items())]
        return "; ".join([*parts, f"{len(self.findings)} findings"])


START = """
from caisse.cli.main import cli
cli()
"""
"""What ends the program of a server with a planted bug."""


class Harness(NamedTuple):
    """A claim and the attack on it."""

    claim: str
    """One sentence: what holds, whatever this does."""
    attack: Callable[[Run], None]
    """Plays rounds, `for number in run.rounds()`, and reports through the run."""
    engines: tuple[str, ...] = BOTH
    rounds: int = 2
    """How many rounds the short form plays."""
    plants: Mapping[str, str] = {}
    """Bugs that the attack must find: name -> what `Run.plant` holds, most often Python before a server."""
    faultless: bool = False
    """It does nothing to caisse that could be counted as a fault: it looks, or asks odd questions."""
    weight: float = 1.0
    """Its share of the time in the long form, relative to the others."""
