"""Mutants of the core: its tests notice nearly every small change that could be made to the rules.

The short form tries a few mutants of a list that has one or two for most rules. The long form tries all that
there are, in a random order, for as long as there is time; those that nobody noticed are in `ALIVE`, and
`mutants.toml` says of some why they do no harm.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutation import mutants
from tests.mutation.trials import SUITE, Nursery, Outcome
from tests.torture.results import RESULTS
from tests.torture.toolbox import NEITHER, Harness, Run

KNOWN = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())
HARMLESS = {one["mutant"]: one["because"] for one in KNOWN["harmless"]}
ALIVE = RESULTS / "mutants_alive.txt"
ABREAST = 2
"""Mutants tried at the same time."""
WANTED_PERCENT = 95
"""Of the mutants that were tried and are not harmless."""
UNCHANGED = ""
"""The name of the mutant that is none."""


def attack(run: Run) -> None:
    """Change, run the suite, look whether a test fails."""
    names = sorted(KNOWN["noticed"]) if not run.is_long else _all(run)
    run.chance.shuffle(names)
    suite = run.plant.split() or SUITE
    nurseries = [run.keep(Nursery(suite)) for _ in range(ABREAST)]
    alive: list[str] = []
    for number in run.rounds():
        batch = names[number * ABREAST : (number + 1) * ABREAST]
        if not batch:
            break
        alive += [outcome.name for outcome in _tried(nurseries, batch) if not outcome.noticed_by]
        run.fault("changes of the core", len(batch))
        if not run.is_long:
            run.find(*(f"no test notices {name}" for name in alive))
    _tell(run, alive)


def _all(run: Run) -> list[str]:
    """Every mutant there is; first of all the suite must be content with the core as it is."""
    with Nursery() as nursery:
        for outcome in _tried([nursery], [UNCHANGED]):
            if outcome.noticed_by:
                run.find(f"nothing was changed, and {outcome.noticed_by} fails")
    return [name for module in mutants.modules() for name in mutants.names(module)]


def _tried(nurseries: Sequence[Nursery], names: Sequence[str]) -> Iterator[Outcome]:
    for nursery, name in zip(nurseries, names, strict=False):
        nursery.begin(name)
    for nursery, _ in zip(nurseries, names, strict=False):
        yield nursery.outcome()


def _tell(run: Run, alive: Sequence[str]) -> None:
    unnoticed = [name for name in alive if name not in HARMLESS]
    counted = run.faults.total() - len(alive) + len(unnoticed)
    percent = 100 * (counted - len(unnoticed)) // max(counted, 1)
    run.saw("unnoticed and harmless", len(alive) - len(unnoticed))
    run.saw("unnoticed", len(unnoticed))
    run.saw("% of the others noticed", percent)
    if run.is_long:
        RESULTS.mkdir(parents=True, exist_ok=True)
        ALIVE.write_text("".join(f"{name}\n" for name in sorted(unnoticed)))
        if percent < WANTED_PERCENT:
            run.find(f"{percent} % of {counted} mutants were noticed; those that live are in {ALIVE}")


HARNESS = Harness(
    claim="of a hundred small changes to the core its tests notice more than ninety-five",
    attack=attack,
    engines=(NEITHER,),
    weight=3.0,
    plants={"a suite that looks at amounts only": "test_money test_currencies"},
)
