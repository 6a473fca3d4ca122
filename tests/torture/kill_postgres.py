"""PostgreSQL dies under load, in four ways in turn: caisse stays up, says "send again", and goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial

from tests.support.postgres import Postgres
from tests.support.record import Storm
from tests.support.rig import House, new_id
from tests.torture.toolbox import Harness, Run

VERDICTS = (100, 500)
"""After how many verdicts PostgreSQL dies: between these."""
GO_ON = 100
"""Verdicts that the same server must give afterwards, to the clients that were there before."""

BACKENDS = "select pid from pg_stat_activity where application_name = 'caisse' or backend_type = 'walwriter'"


def _kill_a_backend(run: Run, house: House) -> None:
    """PostgreSQL then ends all others, recovers and takes connections again by itself."""
    pids = [int(pid) for pid in run.postgres.sql(BACKENDS).split()]
    os.kill(run.chance.choice(pids), signal.SIGKILL)


def _until_somebody_asked(end: Callable[[Postgres], None]) -> Callable[[Run, House], None]:
    def die(run: Run, house: House) -> None:
        end(run.postgres)
        answer = house.send(house.partner.create(new_id("p")))
        if answer.status != 503 or "retry-after" not in answer.headers:
            run.find(f"without a database a request is answered with {answer}")
        run.postgres.start()

    return die


DEATHS: dict[str, Callable[[Run, House], None]] = {
    "kill -9 of the postmaster and all its children": _until_somebody_asked(Postgres.kill_postmaster),
    "kill -9 of one backend": _kill_a_backend,
    "kill -9 of the postmaster alone": _until_somebody_asked(Postgres.behead),
    "immediate stop": _until_somebody_asked(lambda server: server.stop("immediate")),
}

WAITS_FOR_NO_DISK = """
import sys
from caisse.store.postgres import connecting

assert "caisse.store.postgres.write" not in sys.modules
connecting.RAISED = "'off'"
"""
"""Commits without waiting for the disk: each write says so itself, before the statements are put together."""

TAKES_LOST_FOR_DONE = """
from caisse.store.postgres import postgres
from caisse.store.api import FateUnknown

real = postgres.PostgresLedger.commit

async def commit(self, book):
    try:
        await real(self, book)
    except FateUnknown:
        pass

postgres.PostgresLedger.commit = commit
"""
"""Tells the verdicts of a batch whose commit was never answered."""


def attack(run: Run) -> None:
    """Let it die amid the load, let the same clients go on, ask again for everything, compare."""
    house = run.house()
    server = house.server.start()
    storm = Storm(house, run.seed)
    server.stop()
    run.infect(house)
    server.start()
    for number in run.rounds():
        death, die = list(DEATHS.items())[number % len(DEATHS)]
        first = len(storm.record.intents)
        storm.rage(partial(die, run, house), run.chance.randint(*VERDICTS), GO_ON)
        run.fault(death)
        storm.heal()
        storm.repeat(storm.record.intents[first:])
        run.find(*storm.record.findings(storm.balances()))
    run.saw("requests", len(storm.record.intents))
    run.saw("verdicts", storm.record.verdicts)
    run.saw("times told to send again", storm.record.told_to_retry)
    if server.stop() != 0:
        run.find("the server did not end in order")
    run.audit(house.db)


HARNESS = Harness(
    claim="PostgreSQL's death loses, changes and doubles no acknowledged verdict, and caisse outlives it",
    attack=attack,
    engines=("postgres",),
    rounds=len(DEATHS),
    plants={
        "commits without waiting for the disk": WAITS_FOR_NO_DISK,
        "takes a commit without an answer for done": TAKES_LOST_FOR_DONE,
    },
)
