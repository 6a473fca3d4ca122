"""The figures to reach: ratios within one run, so that the machine's speed does not count.

A ratio is taken within each round, between turns that were minutes apart at most; the median is shown, or
where the figure says so the worst. All requests over HTTP, caisse's and the peers', have the heads that lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Final, NamedTuple

from bench.results import Run

SYNCS_ALLOWED: Final = 10
EXTRA_SECONDS: Final = 0.005


class Ratio(NamedTuple):
    """One line of the table."""

    figure: str
    target: str
    value: float | None
    """None: not measured in this form."""
    shown: str
    reached: bool | None


def ratios(run: Run) -> list[Ratio]:
    """All lines, in the order of the issue that set them."""
    pg, sqlite = "caisse-pg", "caisse-sqlite"
    lines = [
        _over(
            run,
            "HTTP refunds on PostgreSQL ÷ bare PostgreSQL (pgbench), worst round",
            1.1,
            (pg, "spread"),
            ("pgbench", "spread"),
            min,
        ),
        _over(run, "HTTP refunds on PostgreSQL ÷ textbook", 25, (pg, "spread"), ("textbook", "spread")),
        _over(run, "a game's mix on PostgreSQL ÷ pgbench's mix", 1.2, (pg, "mix"), ("pgbench", "mix")),
        _over(run, "a game's mix on PostgreSQL ÷ textbook's mix", 25, (pg, "mix"), ("textbook", "mix")),
    ]
    for name, engine, mix in ((pg, "PostgreSQL", 0.8), (sqlite, "SQLite", 0.85)):
        lines += [
            _over(run, f"a game's mix ÷ refunds, {engine}", mix, (name, "mix"), (name, "spread")),
            _over(run, f"hot player ÷ spread, {engine}", 0.9, (name, "hot"), (name, "spread")),
            _over(
                run,
                f"10 million journal rows ÷ 10,000 rows, {engine}",
                0.85,
                (name, "10000000 rows"),
                (name, "10000 rows"),
            ),
            _at_half_of_peak(run, name, engine),
            _over(run, f"refusals ÷ successes, {engine}", 0.95, (name, "refusals"), (name, "spread")),
            _over(run, f"replays ÷ successes, {engine}", 0.95, (name, "repeats"), (name, "spread")),
        ]
    return lines


def _over(
    run: Run,
    figure: str,
    target: float,
    above: tuple[str, str],
    below: tuple[str, str],
    of: Callable[[Iterable[float]], float] = median,
) -> Ratio:
    value = over(run.rates(*above), run.rates(*below), of)
    return Ratio(
        figure,
        f"≥ {target:g}",
        value,
        "not measured" if value is None else _shown(value),
        None if value is None else value >= target,
    )


def over(
    above: Mapping[int, float],
    below: Mapping[int, float],
    of: Callable[[Iterable[float]], float] = median,
) -> float | None:
    """The median, or another figure, of the rounds' ratios."""
    both = above.keys() & below.keys()
    return of([above[n] / below[n] for n in both]) if both else None


def _at_half_of_peak(run: Run, name: str, engine: str) -> Ratio:
    allowed = SYNCS_ALLOWED * run.sync_seconds + EXTRA_SECONDS
    target = f"≤ {_ms(allowed)} (10 syncs + 5 ms)"
    found = [x.p99 for x in run.latencies if (x.contender, x.share) == (name, 0.5)]
    p99 = found[0] if found else None
    return Ratio(
        f"p99 at half of peak, {engine}",
        target,
        p99,
        "not measured" if p99 is None else _ms(p99),
        None if p99 is None else p99 <= allowed,
    )


def _shown(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms"
