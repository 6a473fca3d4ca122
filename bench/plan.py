"""How long and how often: the two forms of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

from bench.load.heads import KINDS


@dataclass(frozen=True)
class Plan:
    """One form. Seconds are whole, as wrk wants them."""

    form: str
    rounds: int
    warm: float = 1
    spread: float = 2
    other: float = 1
    wide_rounds: int = 1
    """Rounds in which peers take more than the refunds spread over players; caisse does in all."""
    heads: tuple[str, ...] = KINDS
    """Kinds of heads; all that is measured once is measured with the first."""
    plain_spread_only: bool = False
    """Kinds after the first in one round only, with refunds over all players: it takes little time."""
    players: int = 10_000
    connections: int = 512
    widths: tuple[int, ...] = ()
    """Further numbers of connections to try caisse with."""
    processes: tuple[int, ...] = ()
    """Numbers of caisse servers on one PostgreSQL."""
    rows: tuple[int, ...] = ()
    """Journal lengths."""
    shares: tuple[float, ...] = ()
    """Shares of the peak for the open model."""
    open_seconds: float = 0
    starts: int = 1
    search_seconds: float = 0
    """For each form of a peer that is tried; 0: no search, the known best."""
    mix: bool = False
    audit: bool = False
    contenders: tuple[str, ...] = ()
    """Only these; empty: all."""


QUICK = Plan(form="quick", rounds=2, spread=3, plain_spread_only=True, mix=True)
FULL = Plan(
    form="full",
    rounds=5,
    warm=2,
    spread=8,
    other=5,
    wide_rounds=5,
    widths=(16, 64, 256, 1_000),
    processes=(2,),
    rows=(10_000, 1_000_000, 10_000_000),
    shares=(0.25, 0.5, 0.75),
    open_seconds=30,
    starts=5,
    search_seconds=4,
    mix=True,
    audit=True,
)
