"""kill -9 of the server under load: no acknowledged verdict is lost or changed, none applied twice."""

from __future__ import annotations

from tests.support.record import Storm
from tests.torture.toolbox import Harness, Run

VERDICTS = (200, 1200)
"""After how many verdicts the server is killed: between these."""

TELLS_EARLY = """
from caisse.store.postgres import postgres
from caisse.store.sqlite import sqlite

commits = 0

async def nothing():
    pass

def plant(ledger):
    real = ledger.commit
    def commit(self, book):
        global commits
        commits += 1
        return nothing() if commits % 20 == 0 else real(self, book)
    ledger.commit = commit

plant(sqlite.SqliteLedger)
plant(postgres.PostgresLedger)
"""
"""Tells the verdicts of every twentieth batch without making them durable."""


def attack(run: Run) -> None:
    """Kill, start again, ask again for everything of unknown fate, compare."""
    house = run.house()
    server = house.server.start()
    storm = Storm(house, run.seed)
    server.stop()
    run.infect(house)
    server.start()
    for _ in run.rounds():
        first = len(storm.record.intents)
        unanswered = storm.rage(server.kill, run.chance.randint(*VERDICTS))
        run.fault("kill -9 of the server")
        run.saw("requests left unanswered", unanswered)
        server.start()
        storm.heal()
        storm.repeat(storm.record.intents[first:])
        run.find(*storm.record.findings(storm.balances()))
    run.saw("requests", len(storm.record.intents))
    run.saw("verdicts", storm.record.verdicts)
    server.stop()
    run.audit(house.db)


HARNESS = Harness(
    claim="kill -9 of the server loses, changes and doubles no acknowledged verdict",
    attack=attack,
    plants={"tells every twentieth batch before it is durable": TELLS_EARLY},
)
