"""The short form of every harness, and of every harness against the bugs it must find."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.torture.harnesses import all_harnesses
from tests.torture.toolbox import Limit, Run

HARNESSES = all_harnesses()
CASES = [(name, engine) for name, harness in HARNESSES.items() for engine in harness.engines]
PLANTS = [(name, plant) for name, harness in HARNESSES.items() for plant in harness.plants]


def new_seed() -> int:
    """CAISSE_TORTURE_SEED plays one run again, as far as a race can be."""
    return int(os.environ.get("CAISSE_TORTURE_SEED", secrets.randbits(32)))


@pytest.mark.parametrize(("name", "engine"), CASES)
def test_the_claim_holds(name: str, engine: str, tmp_path: Path) -> None:
    harness = HARNESSES[name]
    with Run(engine, new_seed(), tmp_path, Limit(rounds=harness.rounds)) as run:
        harness.attack(run)
        print(name, run.told())
        assert run.findings == []
        assert harness.faultless or run.faults.total(), "nothing was done to it"


@pytest.mark.parametrize(("name", "plant"), PLANTS)
def test_a_planted_bug_is_found(name: str, plant: str, tmp_path: Path) -> None:
    """On the first of the harness's engines; a few rounds more, since a bug needs its moment."""
    harness = HARNESSES[name]
    limit = Limit(rounds=max(10, 5 * harness.rounds))
    with Run(harness.engines[0], new_seed(), tmp_path, limit, harness.plants[plant]) as run:
        harness.attack(run)
        assert run.findings, f"nobody noticed: {plant}; {run.told()}"
