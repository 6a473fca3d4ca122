"""Storage that fails: a full disk, errors of writing and syncing, a stuck reader, a second server.

A commit that SQLite could not finish has an unknown fate: the server must end with an error, start again on
what is there, and tell for each request what then stands. Whatever else storage does, the server goes on.
"""

from __future__ import annotations

from tests.support.crowd import CLIENTS
from tests.support.record import Storm
from tests.support.rig import House
from tests.support.server import DidNotStart, Server, until
from tests.torture.healing import balances, heal
from tests.torture.toolbox import START, Harness, Run
from tests.torture.troubles import NO_DATABASE, PostgresTroubles, SqliteTroubles, Trouble

DEAD = 70
"""The exit status of a server that must be started again."""
VERDICTS = 60
"""So many come before a trouble, and again after it."""

GOES_ON = """
import apsw
from caisse.store.api import FateUnknown
from caisse.store.sqlite.sqlite import SqliteLedger

real = SqliteLedger.commit

async def commit(self, book):
    try:
        await real(self, book)
    except FateUnknown as error:
        if not isinstance(error.__cause__, apsw.{error}):
            raise
        if self._connection.in_transaction:
            self._connection.execute("rollback")

SqliteLedger.commit = commit
"""
"""Takes a commit that failed for one that succeeded."""


def attack(run: Run) -> None:
    """One trouble after another, under load; whatever got no verdict is asked again; compare."""
    house = run.house()
    troubles = _troubles(run, house)
    house.server.program = ["-c", troubles.prelude + run.plant + START]
    house.server.start()
    storm = Storm(house, run.seed)
    played = troubles.all()
    for number in run.rounds():
        trouble = played[number % len(played)]
        first = len(storm.record.intents)
        run.saw("requests left unanswered", storm.beside(_Conduct(run, house, storm, trouble)))
        if trouble.fatal:
            start_again(run, house.server, trouble)
        run.fault(trouble.name)
        heal(house, storm, first)
        run.find(*storm.record.findings(balances(house, storm)))
    run.saw("requests", len(storm.record.intents))
    run.saw("verdicts", storm.record.verdicts)
    house.server.stop()
    run.audit(house.db)


def _troubles(run: Run, house: House) -> SqliteTroubles | PostgresTroubles:
    if run.engine == "postgres":
        return PostgresTroubles(run.postgres, house)
    return SqliteTroubles(run.new_folder(), house)


class _Conduct:
    """The course of one trouble, beside the load."""

    def __init__(self, run: Run, house: House, storm: Storm, trouble: Trouble) -> None:
        self._run = run
        self._server = house.server
        self._record = storm.record
        self._trouble = trouble

    def __call__(self) -> None:
        trouble = self._trouble
        self._more(VERDICTS)
        retries = self._record.told_to_retry
        trouble.begin()
        felt = trouble.struck or (lambda: self._record.told_to_retry > retries)
        until(felt, f"{trouble.name}: never felt")
        if trouble.fatal:
            self._see_it_end()
            return
        trouble.end()
        self._more(VERDICTS)

    def _more(self, verdicts: int) -> None:
        wanted = self._record.verdicts + verdicts
        until(lambda: self._record.verdicts >= wanted, "no more verdicts")

    def _see_it_end(self) -> None:
        """Of itself; what was on its way to a client when it happened may still arrive."""
        last = self._record.verdicts + 4 * CLIENTS
        until(lambda: not self._server.runs or self._record.verdicts > last, "it neither ends nor answers")
        if self._server.runs:
            self._run.find(f"{self._trouble.name}: the server goes on")
            self._server.signal(9)


def start_again(run: Run, server: Server, trouble: Trouble) -> None:
    """Once storage works again."""
    status = server.wait()
    if status != DEAD:
        run.find(f"{trouble.name}: exit status {status}")
    if trouble.lasts:
        start_too_early(run, server, trouble)
    trouble.end()
    server.start()


def start_too_early(run: Run, server: Server, trouble: Trouble) -> None:
    """A start on storage that still fails may be refused, but plainly."""
    try:
        server.start().stop()
    except DidNotStart as error:
        run.saw("starts refused")
        if error.status != NO_DATABASE or "Error: the database refuses" not in error.log:
            run.find(f"{trouble.name}: at the start: {error}")


HARNESS = Harness(
    claim="a full, broken or blocked disk loses, changes and doubles no acknowledged verdict",
    attack=attack,
    rounds=4,
    plants={
        "takes a commit that could not be synced for one that was": GOES_ON.format(error="IOError"),
        "takes a full disk for success": GOES_ON.format(error="FullError"),
    },
)
