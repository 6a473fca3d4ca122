"""The long form: `make torture`, every harness in turn for its share of the time.

    python -m tests.torture --for 60m                 all of them, an hour
    python -m tests.torture --for 10m --only kill_server --engine postgres
    python -m tests.torture --docs                    the figures of the last runs into docs/reliability.md

The seed is printed before a run begins; `--seed` plays it again, as far as a race can be played again.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.torture.harnesses import all_harnesses
from tests.torture.results import RESULTS, Result, save, write_docs
from tests.torture.toolbox import Harness, Limit, Run

UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """`90s`, `10m`, `2h`."""
    try:
        return float(text[:-1]) * UNITS[text[-1:]]
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(f"{text!r}: write a number and s, m or h, as in 10m") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every claim held."""
    options = _options(arguments)
    if options.docs:
        print(write_docs())
        return 0
    chosen = _chosen(options.only, options.engine)
    if not chosen:
        print(f"no such harness; there are: {', '.join(all_harnesses())}", file=sys.stderr)
        return 2
    whole = sum(harness.weight for _, harness, _ in chosen)
    broken = 0
    for name, harness, engine in chosen:
        seed = secrets.randbits(32) if options.seed is None else options.seed
        limit = Limit(seconds=options.seconds * harness.weight / whole)
        broken += not _one(name, harness, engine, seed, limit)
    print(f"{len(chosen)} runs, {broken} with findings; their figures: {RESULTS}")
    return 1 if broken else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make torture", description="Try to lose, double or corrupt money.")
    add = parser.add_argument
    add("--for", dest="seconds", type=seconds, default=seconds("60m"), help="the whole time, as 10m or 2h")
    add("--only", action="append", default=[], help="a harness by name; may be given several times")
    add("--engine", choices=["sqlite", "postgres"], help="one engine only")
    add("--seed", type=int, help="play a run again")
    add("--docs", action="store_true", help="write the last runs' figures into docs/reliability.md")
    return parser.parse_args(arguments)


def _chosen(only: Sequence[str], engine: str | None) -> list[tuple[str, Harness, str]]:
    return [
        (name, harness, its)
        for name, harness in all_harnesses().items()
        for its in harness.engines
        if (not only or name in only) and (engine is None or its in ("", engine))
    ]


def _one(name: str, harness: Harness, engine: str, seed: int, limit: Limit) -> bool:
    where = f" on {engine}" if engine else ""
    print(f"{name}{where}, seed {seed}: {harness.claim}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Run(engine, seed, Path(folder), limit) as run:
        run.tell = _progress
        try:
            harness.attack(run)
        except Exception:
            run.find(f"the harness itself ended: {traceback.format_exc()}")
        took = time.monotonic() - begun
        print(f"\r\x1b[K  {run.told()}; {took:.0f} s", flush=True)
        for finding in run.findings[:20]:
            print(f"  FOUND {finding}", flush=True)
        save(Result.of(name, harness.claim, run, took))
        return not run.findings


def _progress(run: Run) -> None:
    if sys.stdout.isatty():
        print(f"\r\x1b[K  {run.told()}"[:160], end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
