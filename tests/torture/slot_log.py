"""R57: a poller reads on from its last row, while servers write, die and come back with other clocks.

What it saw is held against the client's record: each stake that was settled is there once, each round that
was rolled back, and every win. The planted bugs are the ways in which such logs are mostly made.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx2

from caisse.core.money import show
from caisse.store import opening
from tests.support.record import Record, Storm, amount_of
from tests.support.rig import House
from tests.support.server import new_uuid, until
from tests.torture.backstage import unnumbered
from tests.torture.toolbox import START, Harness, Run

VERDICTS = (150, 500)
"""After how many verdicts a server is killed: between these."""
GO_ON = 200
"""Verdicts that the other server gives after that."""
IDLE = 5
"""Empty pages after which the poller has all that there is."""
STEPS = (-7200, 0, 3600)
"""Seconds by which a server's clock is wrong, drawn anew at each start."""

CLOCK = """
import time
real = time.time_ns
time.time_ns = lambda: real() + {} * 10**9
"""

BY_ID = """
from caisse.store import round_log
round_log.PAGE = '''
select $2 + row_number() over (order by opened_id) - 1, game, currency, cast(logged_staked as text),
    cast(logged_won as text), jackpot_id, cast(logged_jackpot as text), 0
from (
    select * from round where partner = $1 and logged order by round.opened_id limit $3 offset $2) as page'''
"""
"""Rounds in the order of their ids, which are drawn before the commit: counted when they are listed."""

BEFORE_COMMIT = """
from caisse.store import columns
from caisse.store.postgres import write as w
real = w.FULL
names = ", ".join((*columns.DUE, "number", "player_number"))
into, given = "insert into round_due", "unnest(string_to_array($6"
head, _, tail = real.partition(into)
tail = tail[tail.index(given):]
w.FULL = f"{head}insert into round_log ({names}) select given.*, nextval('one'), nextval('two') from {tail}"
"""
"""Numbers from a sequence, in the transaction that moves the money."""


class Poller(threading.Thread):
    """Asks for what comes after its last row, of any server, for ever."""

    def __init__(self, house: House, run: Run) -> None:
        super().__init__(daemon=True)
        self._house = house
        self._chance = run.chance
        self._over = threading.Event()
        self.seen: list[list[Any]] = []
        self.problem = ""
        self.idle = 0
        """Empty pages in a row."""

    def run(self) -> None:
        with httpx2.Client(timeout=20, trust_env=False) as client:
            while not self._over.is_set() and not self.problem:
                try:
                    if not self._page(client):
                        time.sleep(0.01)
                except httpx2.TransportError:
                    time.sleep(0.05)

    def _page(self, client: httpx2.Client) -> bool:
        server = self._chance.choice(self._house.servers)
        fields = {"start": len(self.seen), "limit": self._chance.randint(1, 40), "uuid": new_uuid()}
        call = self._house.partner.log(fields)
        answer = client.post(
            server.url + call.path, content=call.body, headers={"content-type": "application/json"}
        )
        rows = answer.json().get("logs", [])
        self.idle = 0 if rows else self.idle + 1
        for row in rows:
            if row[0] != len(self.seen):
                self.problem = f"asked for row {len(self.seen)}, got row {row[0]}"
                return False
            self.seen.append(row)
        return bool(rows)

    def end(self) -> None:
        self._over.set()
        self.join()


def attack(run: Run) -> None:
    """Write, kill, come back with another clock, write on; then all must have been shown, each once."""
    house = run.house(count=2 if run.engine == "postgres" else 1)
    if run.plant == BEFORE_COMMIT:
        asyncio.run(_execute(house.db, "create sequence one minvalue 0", "create sequence two minvalue 0"))
    _start(run, house)
    storm = Storm(house, run.seed)
    poller = Poller(house, run)
    poller.start()
    try:
        for _ in run.rounds():
            storm.rage(house.server.kill, run.chance.randint(*VERDICTS), GO_ON * len(house.servers[1:]))
            run.fault("kill -9 of a server")
            for server in house.servers[1:]:
                server.stop()
            _start(run, house)
            storm.heal()
            _catch_up(house, poller)
            run.find(*_findings(storm.record, poller))
        run.saw("rows of the log shown", len(poller.seen))
    finally:
        poller.end()
    for server in house.servers:
        server.stop()
    run.audit(house.db)


def _start(run: Run, house: House) -> None:
    for server in house.servers:
        step = run.chance.choice(STEPS)
        server.program = ["-c", run.plant + CLOCK.format(step) + START]
        run.fault("start with a wrong clock", step != 0)
        server.start()


def _catch_up(house: House, poller: Poller) -> None:
    """Until everything was numbered, and the poller was told several times that there is no more."""
    until(
        lambda: bool(poller.problem) or asyncio.run(unnumbered(house.db)) == 0, "rows wait for their number"
    )
    poller.idle = 0
    until(lambda: bool(poller.problem) or poller.idle >= IDLE, "the poller does not come to the end")


async def _execute(url: str, *statements: str) -> None:
    db = await opening.database(url)
    for statement in statements:
        await db.execute(statement)
    await db.close()


def _findings(record: Record, poller: Poller) -> Iterator[str]:
    if poller.problem:
        yield poller.problem
        return
    won = {i.bet for i in record.intents if i.kind == "result" and i.took and i.bet}
    undone = {i.bet for i in record.intents if i.kind == "rollback" and i.took and i.bet and i.bet.took}
    due = Counter(show(bet.amount) for bet in won)
    seen = Counter(row[3] for row in poller.seen if row[3] != "0.0")
    if missing := due - seen:
        yield f"{missing.total()} settled rounds of {due.total()} were never shown"
    if more := seen - due:
        yield f"{more.total()} rounds were shown twice, or before they were settled"
    nothing = sum(1 for row in poller.seen if row[3:5] == ["0.0", "0.0"])
    if nothing != len(undone):
        yield f"{len(undone)} rounds were rolled back, {nothing} were shown so"
    paid = sum(i.amount for i in record.intents if i.kind == "result" and i.took)
    shown = sum(amount_of(row[4]) for row in poller.seen)
    if paid != shown:
        yield f"wins of {show(paid)} were paid, {show(shown)} were shown"


HARNESS = Harness(
    claim="a poller of the slot log sees every settled round once, whatever dies and whatever the clocks say",
    attack=attack,
    engines=("postgres", "sqlite"),
    plants={
        "rounds counted in the order of their ids": BY_ID,
        "numbers given before the commit": BEFORE_COMMIT,
    },
)
