"""`python -m bench`: run the benchmark, or write a run's figures into the documentation."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.chart import svg
from bench.docs import refresh
from bench.load.drive import LoadFailed, generator
from bench.load.heads import KINDS
from bench.machine import NotADisk
from bench.plan import FULL, QUICK, Plan
from bench.report import markdown
from bench.results import FOLDER, Run, load


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short rounds, under three minutes")
    parser.add_argument("--only", default="", help="contenders, separated by commas")
    parser.add_argument("--generator", default="", help="wrk or own; without it wrk where it is installed")
    parser.add_argument(
        "--heads", choices=KINDS, help="only this kind of heads; without it both, the varied ones lead"
    )
    parser.add_argument("--rounds", type=int, default=0, help="rounds in turn")
    parser.add_argument("--connections", type=int, default=0, help="HTTP connections; 512 without it")
    parser.add_argument("--rows", default="", help="journal lengths, separated by commas; 0 for none")
    parser.add_argument("--docs", type=Path, help="only write this results file into docs/performance.md")
    return parser.parse_args()


def plan_of(given: argparse.Namespace) -> Plan:
    """The form, with what was changed of it."""
    plan = QUICK if given.quick else FULL
    names = tuple(name for name in given.only.split(",") if name)
    plan = replace(plan, contenders=names, rounds=given.rounds or plan.rounds)
    if given.heads:
        plan = replace(plan, heads=(given.heads,))
    if given.rows:
        plan = replace(plan, rows=tuple(n for n in map(int, given.rows.split(",")) if n))
    return replace(plan, connections=given.connections or plan.connections)


def write(run: Run, folder: Path = FOLDER) -> Path:
    """The results file, the report and the chart, side by side; where the report is."""
    name = f"{datetime.now(UTC):%Y-%m-%d-%H%M}-{run.form}"
    run.save(folder / f"{name}.json")
    (folder / f"{name}.svg").write_text(svg(run), encoding="utf-8")
    report = folder / f"{name}.md"
    report.write_text(markdown(run, f"{name}.svg"), encoding="utf-8")
    return report


def main() -> int:
    """0 if everybody was measured."""
    given = arguments()
    if given.docs:
        refresh(load(given.docs))
        return 0
    from bench.harness import benchmark

    try:
        run, failed = benchmark(plan_of(given), generator(given.generator))
    except (LoadFailed, NotADisk) as error:
        print(error, file=sys.stderr)
        return 1
    report = write(run)
    print(report.read_text(encoding="utf-8"))
    print(f"written: {report}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
