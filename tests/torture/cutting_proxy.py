"""Cuts, stalls and delays at every message between the server and PostgreSQL around a write.

Two servers write the same players through one proxy, so that races are lost and batches are also written the
long way: begin, lock, read, write, commit. The messages that the conversations consist of are learned from
them; each is struck in each way, those that were struck least come first, those of the write before others.

The servers wait for less long than in production, so that a stall outlasts a caller's patience and a silence
the time a commit may take.
"""

from __future__ import annotations

from collections import Counter
from itertools import product

from tests.support.record import Storm
from tests.support.rig import House
from tests.torture.healing import balances, heal
from tests.torture.pg_proxy import WAYS, Proxy, Strike
from tests.torture.toolbox import START, Harness, Run

STALL_SECONDS = 0.7
HURRIED = """
from functools import partial
from caisse.writer import writer
from caisse.store.postgres import connecting

connecting.CONNECT_SECONDS = 1.0
writer.Limits = partial(writer.Limits, patience_seconds=0.5, commit_seconds=1.0, reconnect_seconds=0.05)
"""
"""Patience shorter than a stall; a commit may take little longer."""

STRIKES = 3
"""So many in a round."""
VERDICTS = 60
"""So many come before a strike is aimed, and again afterwards."""
REFUSES = """
from caisse.core.entries import Decision
from caisse.core.verdicts import Verdict
from caisse.store.api import FateUnknown
from caisse.writer.writer import Lane

real = Lane._decided

async def decided(self, batch):
    try:
        return await real(self, batch)
    except FateUnknown:
        return [Decision(Verdict.INSUFFICIENT, "R10") for _ in batch]

Lane._decided = decided
"""
"""Takes a lost answer for proof that nothing was written, and refuses."""

AGREES = """
from caisse.store.api import FateUnknown
from caisse.store.postgres.postgres import PostgresLedger

real = PostgresLedger.commit

async def commit(self, book):
    try:
        await real(self, book)
    except FateUnknown:
        pass

PostgresLedger.commit = commit
"""
"""Takes a lost answer for success."""


def attack(run: Run) -> None:
    """Strike, go on, ask again for everything without a verdict, compare."""
    db = run.database()
    proxy = run.keep(Proxy(db, STALL_SECONDS))
    house = run.house(2, db)
    house.server.start()
    storm = Storm(house, run.seed)
    house.server.stop()
    for server in house.servers:
        server.db = proxy.url
        server.program = ["-c", HURRIED + run.plant + START]
        server.start()
    storm.rage(lambda: None, VERDICTS, go_on=VERDICTS)
    strikes = Strikes(run, proxy)
    for _ in run.rounds():
        first = len(storm.record.intents)
        for _ in range(STRIKES):
            storm.rage(strikes.aim, VERDICTS, go_on=VERDICTS)
            strikes.conclude()
        heal(house, storm, first)
        run.find(*storm.record.findings(balances(house, storm)))
    run.saw("requests", len(storm.record.intents))
    run.saw("verdicts", storm.record.verdicts)
    run.saw("told to send again", storm.record.told_to_retry)
    run.saw("different strikes", len(strikes.happened))
    stop_in_silence(run, house, proxy)
    run.audit(db)


def stop_in_silence(run: Run, house: House, proxy: Proxy) -> None:
    """Servers end well though the database does not answer any more."""
    proxy.silent = True
    for server in house.servers:
        server.signal()
    for server in house.servers:
        status = server.wait()
        if status:
            run.find(f"stopped while the database was silent: exit status {status}")


class Strikes:
    """What was done where, and what is next."""

    def __init__(self, run: Run, proxy: Proxy) -> None:
        self._run = run
        self._proxy = proxy
        self._tried: Counter[Strike] = Counter()
        self.happened: set[Strike] = set()

    def aim(self) -> None:
        """Statements are prepared on new connections only: those that there are have to go."""
        self._next = self._least_tried()
        self._tried[self._next] += 1
        self._proxy.aim(self._next)
        if self._next.point.phase.startswith("preparing"):
            self._run.fault("connection cut anywhere", self._proxy.cut_all())

    def _least_tried(self) -> Strike:
        """Of all that can be done what was done least; of these what strikes at a write; of these any."""
        strikes = [Strike(point, way) for point, way in product(sorted(self._proxy.seen), WAYS)]
        self._run.chance.shuffle(strikes)
        return min(strikes, key=lambda strike: (self._tried[strike], strike.point.phase != "write"))

    def conclude(self) -> None:
        """Count the strike, if its message came."""
        if self._proxy.struck:
            self.happened.add(self._next)
            self._run.fault(self._next.way)
        else:
            self._run.saw("strikes whose message did not come")
        self._proxy.aim(None)


HARNESS = Harness(
    claim="a connection to PostgreSQL cut, stalled or delayed at any message leaves each request one verdict",
    attack=attack,
    engines=("postgres",),
    rounds=2,
    plants={
        "takes a lost answer to a write for a failed one": REFUSES,
        "takes a lost answer to a write for success": AGREES,
    },
)
