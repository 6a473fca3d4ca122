"""What a run leaves: measurements as they were taken, the machine, and where they are kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench.load.heads import NONE, PLAIN, VARIED

FOLDER = Path(__file__).with_name("results")

NO_PROXY, NGINX = "spread, no proxy", "spread, nginx and TLS"
"""Workloads: refunds over all players of one server, asked directly and as a user asks."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One contender under one workload in one round."""

    contender: str
    workload: str
    heads: str = PLAIN
    """Kind of the requests' heads. Files from before there were several say nothing: all were plain."""
    round: int
    answers: int
    seconds: float
    cpu: dict[str, float] = {}
    """CPU seconds of the server, the database, the generator and of a proxy."""
    rss: int = 0
    """Bytes of the server's processes at the end."""
    syncs: int = 0
    """How often the database synced its log meanwhile."""
    setup: str = ""
    """Connections, clients or processes."""

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.answers / self.seconds

    def micros(self, group: str) -> float:
        """CPU microseconds of a group for each answer."""
        return 1e6 * self.cpu.get(group, 0.0) / self.answers


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """The open model at one rate; seconds, from the intended sending."""

    contender: str
    share: float
    """Of the peak."""
    rate: float
    answered: int
    p50: float
    p99: float
    p999: float
    worst: float
    late_p99: float
    """How late the generator itself sent."""


class Run(msgspec.Struct, kw_only=True):
    """Everything that one command measured."""

    form: str
    """quick or full."""
    when: str
    machine: dict[str, str]
    versions: dict[str, str]
    generator: str
    durability: dict[str, str]
    sync_seconds: float
    """Median time of one small write with fdatasync on this disk."""
    players: int
    seconds: float = 0.0
    """How long the whole run took."""
    samples: list[Sample] = []
    latencies: list[Latency] = []
    starts: dict[str, list[float]] = {}
    """Contender -> seconds from start to first answer."""
    row_bytes: dict[str, float] = {}
    """Contender -> bytes on the disk for each journal row, its indexes included."""
    stages: dict[str, dict[str, float]] = {}
    """Contender -> stage -> microseconds of server CPU per refund."""
    searches: list[str] = []
    """What was tried to find a peer's best set-up."""
    notes: list[str] = []
    """Who could not take part and why, and anything else a reader must know."""

    @property
    def lead(self) -> str:
        """The kind of heads that the figures are of, where nothing else is said."""
        return VARIED if any(s.heads == VARIED for s in self.samples) else PLAIN

    def rates(self, contender: str, workload: str, heads: str = "") -> dict[int, float]:
        """Round -> answers a second."""
        return {s.round: s.rate for s in self.of(contender, workload, heads)}

    def rate(self, contender: str, workload: str, heads: str = "") -> float | None:
        """The median over the rounds; None if it was not measured."""
        rates = self.rates(contender, workload, heads).values()
        return median(rates) if rates else None

    def of(self, contender: str, workload: str, heads: str = "") -> list[Sample]:
        """All rounds of one contender under one workload and one kind of heads, else the one that leads."""
        kinds = {heads} if heads else {self.lead, NONE}
        found = (s for s in self.samples if (s.contender, s.workload) == (contender, workload))
        return [s for s in found if s.heads in kinds]

    def save(self, path: Path) -> None:
        """As readable JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")


def load(path: Path) -> Run:
    """A saved run."""
    return msgspec.json.decode(path.read_bytes(), type=Run)


def first_of(values: Iterable[Any], default: Any = None) -> Any:
    """The first, if there is one."""
    return next(iter(values), default)
