"""Where a refund's time goes in caisse's own process: measured totals, split by the stages that run alone.

HTTP is what the ceiling's server costs: the same server, the same bytes. Parsing, deciding and answering are
pure, so they run here with the same inputs and nothing else. What is left of the measured total is the store
(the driver, its system calls, SQLite itself), the writer's queue and the loop. Waiting is no CPU at all:
the part of the wall clock in which the server had nothing to do.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import TypeVar

from bench.desk import BATCH, Desk, answered, refund
from bench.results import Run, Sample
from caisse.dialects.wire.door import Question

T = TypeVar("T")

ROUNDS = 60


def pure_stages() -> dict[str, float]:
    """Microseconds of each pure stage for one refund: medians over batches."""
    desk = Desk()
    times: dict[str, list[float]] = {"parsing": [], "deciding": [], "answering": []}
    gc.collect()
    for number in range(ROUNDS):
        calls = [refund(n, desk.players) for n in range(number * BATCH, (number + 1) * BATCH)]
        book = desk.book()
        asks: list[Question] = _timed(times["parsing"], partial(list, map(desk.take, calls)))
        decisions = _timed(times["deciding"], partial(desk.decided, asks, book))
        _timed(times["answering"], partial(answered, asks, decisions))
    return {name: median(found) for name, found in times.items()}


def _timed(times: list[float], work: Callable[[], T]) -> T:
    began = time.perf_counter()
    done = work()
    times.append(1e6 * (time.perf_counter() - began) / BATCH)
    return done


def split(run: Run, contender: str, pure: dict[str, float]) -> dict[str, float] | None:
    """The stages of one contender's refunds; None where they were not measured."""
    samples = run.of(contender, "spread")
    ceiling = run.of("ceiling", "spread")
    if not samples or not ceiling:
        return None
    http = median(s.micros("server") for s in ceiling)
    total = median(s.micros("server") for s in samples)
    known = {"HTTP": http, **pure}
    return {
        **known,
        "store, writer, loop": max(total - sum(known.values()), 0.0),
        "total CPU of the server": total,
        "waiting": max(median(map(_wall, samples)) - total, 0.0),
    }


def _wall(sample: Sample) -> float:
    return 1e6 * sample.seconds / sample.answers
