"""Deterministic simulation: the real writer and core, virtual time, and a store where everything goes wrong.

One seed is one history, always the same; tens of thousands fit into minutes. To see one of them:

    python -m tests.simulation.simulation SEED
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from unittest import mock

from caisse.writer import recorder, writer
from tests.simulation import bugs as sim_bugs
from tests.simulation import loop as sim_loop
from tests.simulation.world import World, stable_hash
from tests.torture.toolbox import NEITHER, Harness, Run

SEEDS = 60
"""Of one round; the last of them is played twice."""


class Played(NamedTuple):
    """One history."""

    findings: list[str]
    faults: Counter[str]
    history: list[str]
    sent: int
    verdicts: int


def attack(run: Run) -> None:
    """Play many seeds; prove that the last of them is the same when played again."""
    with sim_bugs.planted(run.plant):
        for _ in run.rounds():
            for _ in range(SEEDS):
                seed = run.chance.getrandbits(40)
                played = play(seed)
                _count(run, seed, played)
                if run.findings:
                    return
            if play(seed).history != played.history:
                run.find(f"seed {seed} is another history when it is played again")


def _count(run: Run, seed: int, played: Played) -> None:
    for fault, times in played.faults.items():
        run.fault(fault, times)
    run.saw("seeds simulated")
    run.saw("requests", played.sent)
    run.saw("verdicts", played.verdicts)
    run.find(*(f"seed {seed}: {finding}" for finding in played.findings))


def play(seed: int) -> Played:
    """One history from its beginning to its end."""
    loop = sim_loop.VirtualLoop()
    world = World(seed, loop)
    with _silent():
        try:
            sim_loop.run(world.play(), loop)
            findings = world.findings()
        except Exception as error:
            findings = [f"{error!r}", *world.oracle.findings]
    oracle = world.oracle
    return Played(findings, world.count(), world.history, len(oracle.sent), oracle.verdicts)


@contextmanager
def _silent() -> Iterator[None]:
    """The logs would fill the screen with all these faults; and the writer's choice of a lane must repeat."""
    with (
        mock.patch.object(writer, "hash", stable_hash, create=True),
        mock.patch.object(writer.log, "disabled", True),
        mock.patch.object(recorder.log, "disabled", True),
    ):
        yield


HARNESS = Harness(
    claim=(
        "Whatever becomes of commits, connections, processes and the database, in any order: told verdicts"
        " stand, each key has one effect, and nobody waits past patience"
    ),
    attack=attack,
    engines=(NEITHER,),
    weight=6.0,
    rounds=2,
    plants={bug: bug for bug in sim_bugs.BUGS},
)


if __name__ == "__main__":
    logging.disable()
    shown = play(int(sys.argv[1]))
    print("\n".join([*shown.history, *map(str, shown.faults.items()), *shown.findings]))
