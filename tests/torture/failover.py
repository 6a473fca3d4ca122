"""The primary dies under load and its synchronous standby takes over: caisse follows and has lost nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.support.record import Storm
from tests.support.rig import House, add_partner, new_id, secret
from tests.support.server import Partner, until
from tests.torture.pair import Pair
from tests.torture.toolbox import Harness, Run

VERDICTS = (100, 500)
"""After how many verdicts the primary dies: between these."""
GO_ON = 100
"""Verdicts that the same server must give afterwards, from the one that took over."""
HELD_SECONDS = 0.8
"""How long the standby receives nothing before the primary dies."""

ASYNCHRONOUS = "asynchronous"
"""The control: nobody waits for the standby, so what it did not receive is lost, and must be missed."""

TAKES_A_WARNING_FOR_DONE = """
from caisse.store.postgres import postgres

postgres.PostgresLedger._on_notice = lambda *_: None
"""
"""Tells the verdicts of a batch though PostgreSQL warned that the standby does not have it."""


def _killed(run: Run, pair: Pair) -> None:
    """Amid the load, with all its processes."""
    pair.primary.kill_postmaster()
    run.fault("kill -9 of the primary")


def _held_up_and_killed(run: Run, pair: Pair) -> None:
    """Whoever waits for a standby that receives nothing is cancelled; then the primary dies."""
    pair.hold_up()
    deadline = time.monotonic() + HELD_SECONDS
    while time.monotonic() < deadline:
        run.fault("cancelled wait for the standby", pair.cancel_waits())
    pair.primary.kill_postmaster()
    run.fault("kill -9 of the primary while its standby received nothing")


def _frozen(run: Run, pair: Pair) -> None:
    """It hangs, as a machine does: its connections stay open, and new ones are taken and never answered."""
    pair.primary.freeze()
    run.fault("primary frozen for good")


DEATHS: list[Callable[[Run, Pair], None]] = [_held_up_and_killed, _killed, _frozen]
"""In turn. The short form plays the first two: who waits for a frozen primary gives up after a minute."""


def attack(run: Run) -> None:
    """Let the primary die, the standby take over and a new one join; ask again for everything, compare."""
    pair: Pair = run.keep(Pair(synchronous=run.plant != ASYNCHRONOUS))
    house = run.house(db=pair.create_database())
    server = house.server.start()
    storm = Storm(house, run.seed)
    if run.plant != ASYNCHRONOUS:
        server.stop()
        run.infect(house)
        server.start()

    def more(verdicts: int) -> None:
        wanted = storm.record.verdicts + verdicts
        until(lambda: storm.record.verdicts >= wanted, "no verdicts come", 180)

    def change(die: Callable[[Run, Pair], None]) -> None:
        more(run.chance.randint(*VERDICTS))
        die(run, pair)
        pair.take_over()
        run.fault("failover")
        more(GO_ON)

    for number in run.rounds():
        first = len(storm.record.intents)
        die = DEATHS[number % len(DEATHS)]
        storm.beside(lambda die=die: change(die))  # type: ignore[misc]
        _add_a_caller(house)
        pair.bury()
        storm.heal()
        storm.repeat(storm.record.intents[first:])
        run.find(*storm.record.findings(storm.balances()))
    run.saw("requests", len(storm.record.intents))
    run.saw("verdicts", storm.record.verdicts)
    run.saw("times told to send again", storm.record.told_to_retry)
    server.stop()
    run.audit(house.db)


def _add_a_caller(house: House) -> None:
    """Who may call is followed on the new primary, too: a token that is added there works soon."""
    partner = Partner(new_id("late"), secret("token"))
    asyncio.run(add_partner(house.db, partner))
    until(lambda: house.send(partner.create(new_id("p"))).status == 200, "a new token does not work")


HARNESS = Harness(
    claim="a failover to a synchronous standby loses, changes and doubles no acknowledged verdict",
    attack=attack,
    engines=("postgres",),
    plants={
        "an asynchronous standby": ASYNCHRONOUS,
        "takes a cancelled wait for the standby for done": TAKES_A_WARNING_FOR_DONE,
    },
    weight=2.0,
)
