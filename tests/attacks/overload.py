"""More than can be served: who is refused is told at once and leaves nothing, and it is soon over."""

from __future__ import annotations

import asyncio

import psutil

from caisse.writer.writer import Limits
from tests.attacks.flood import Sender, allow_connections, flood
from tests.support.crowd import CLIENTS, sent
from tests.support.record import FUNDS, Intent, Record, amount_of
from tests.support.rig import House
from tests.support.server import PATIENCE, Server, new_uuid, until
from tests.torture.backstage import WAITING, Intake, decided, held, metric
from tests.torture.toolbox import START, Harness, Run

LIMITS = Limits()
PLAYERS = 8
CROWD = 2_000
"""Clients who hang up and send the same again, over and over."""
SHORT_QUEUE = 2_000
SHORTER = f"""
from caisse.writer import limits

class Limits(limits.Limits, frozen=True):
    queue: int = {SHORT_QUEUE}

limits.Limits = Limits
"""
"""The short form's server: the same, with a queue that is sooner full."""
PATIENT = 500
"""Clients who come when the queue is full, and wait for their answer."""
TOO_MANY = "request that found the queue full"
MEMORY = 96 * 1024 * 1024
"""Bytes by which a server may grow: a full queue at 4 KiB a request, and as much again for the crowd."""


def attack(run: Run) -> None:
    """Nothing can be committed, and an impatient crowd comes; then all is asked again."""
    allow_connections()
    house = run.house()
    run.infect(house)
    server = house.server
    if not run.is_long:
        server.program = ["-c", SHORTER + run.plant + START]
    server.start()
    record = Record({house.player(FUNDS): amount_of(FUNDS) for _ in range(PLAYERS)})
    before = memory(server)
    most = 0
    for _ in run.rounds():
        refused = asyncio.run(_overload(run, house, record))
        most = max(most, memory(server) - before)
        if most > MEMORY:
            run.find(f"memory grew by {most >> 20} MiB")
        _recover(run, house, record, refused)
    run.saw("MiB that the server grew by", most >> 20)
    server.stop()
    run.audit(house.db)


def memory(server: Server) -> int:
    """Bytes that the server's process holds."""
    return int(psutil.Process(server.pid).memory_info().rss)


async def _overload(run: Run, house: House, record: Record) -> list[Intent]:
    """The queue is filled, and then some: each of those must be refused at once. Those who were."""
    server = house.server
    queue = LIMITS.queue if run.is_long else SHORT_QUEUE
    async with held(house.db):
        waiting = await _fill(run, server, _charges(house, record, CROWD), queue)
        if waiting > queue:
            run.find(f"{waiting} requests wait where {queue} may")
            return []
        intents = _charges(house, record, PATIENT)
        senders = await flood(server.url, [intent.call for intent in intents])
        await _answered(server, senders, queue)
        refused = _refused(senders)
        if waiting == metric(server, WAITING) == queue and len(refused) < PATIENT:
            run.find(f"the queue was full, and only {len(refused)} of {PATIENT} were refused")
        run.fault(TOO_MANY, len(refused))
    await asyncio.to_thread(until, lambda: metric(server, WAITING) == 0, "what waits is never decided")
    for sender in senders:
        sender.hang_up()
    refused = _refused(senders)
    return [intent for intent, sender in zip(intents, senders, strict=True) if sender in refused]


async def _fill(run: Run, server: Server, crowd: list[Intent], queue: int) -> int:
    """The same requests again and again, by clients who hang up, until the queue is full; how many wait.

    With twice as many a bounded queue must be full, whatever is taken out of it meanwhile.
    """
    waiting = told = 0
    while waiting < queue and told < 2 * queue:
        intake = Intake(server)
        senders = await flood(server.url, [intent.call for intent in crowd])
        await asyncio.to_thread(until, lambda i=intake: i.count() == CROWD, "not all come in")
        waiting = metric(server, WAITING)
        told += CROWD
        run.fault(TOO_MANY, len(_refused(senders)))
        for sender in senders:
            sender.hang_up()
    run.saw("requests whose sender hung up", told)
    return waiting


async def _answered(server: Server, senders: list[Sender], queue: int) -> None:
    """Return once all have an answer; or the queue is not full any more, for a batch was given up."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not all(sender.status for sender in senders) and metric(server, WAITING) == queue:
        if asyncio.get_running_loop().time() > deadline:
            return
        await asyncio.sleep(0.02)


def _refused(senders: list[Sender]) -> set[Sender]:
    """Told 503 before the writer's patience was over: such a request was never taken in."""
    return {s for s in senders if s.status == 503 and s.waited < LIMITS.patience_seconds}


def _charges(house: House, record: Record, count: int) -> list[Intent]:
    users, made = list(record.players), []
    for n in range(count):
        user, uuid = users[n % PLAYERS], new_uuid()
        call = house.partner.charge(user, "1.0", uuid)
        made.append(record.write(Intent("charge", user, amount_of("1.0"), call, uuid)))
    return made


def _recover(run: Run, house: House, record: Record, refused: list[Intent]) -> None:
    """New requests work at once, and come after all that waited; then all is asked again, and must match."""
    _served(run, house, _charges(house, record, CLIENTS))
    rows = asyncio.run(decided(house.db, refused))
    run.find(*(f"{intent.key}: refused at the door, and decided" for intent in rows))
    if run.findings:
        return
    _served(run, house, record.unknown)
    run.saw("requests decided in the end", len(record.intents))
    run.find(*record.findings({user: amount_of(house.balance(user)) for user in record.players}))
    record.players = record.expected()
    record.intents.clear()


def _served(run: Run, house: House, intents: list[Intent]) -> None:
    for intent, answer in zip(intents, sent(house.server, [i.call for i in intents]), strict=True):
        if answer.status == 200:
            intent.answers.append(answer)
        else:
            run.find(f"{intent.key}: the flood is over, and still {answer.status}")


PLANT = """
from caisse.writer.limits import Limits
from caisse.writer.writer import Pending, Writer

init, submit = Writer.__init__, Writer.submit
"""
UNBOUNDED = """
Writer.__init__ = lambda self, ledgers, *_: init(self, ledgers, Limits(queue=10**9))
"""
DECIDES_LATER = """
import asyncio

def planted(self, request, policy, tell):
    def later():
        if self.waiting > self.limits.queue / 2:
            asyncio.get_running_loop().call_later(0.01, later)
        else:
            self.lanes[0].put(Pending(request, policy, lambda decision: None))
    taken = submit(self, request, policy, tell)
    if not taken:
        later()
    return taken

Writer.submit = planted
"""
STAYS_FULL = """
refused = False

def planted(self, request, policy, tell):
    global refused
    refused = refused or not submit(self, request, policy, tell)
    return not refused

Writer.submit = planted
"""
KEEPS_WHAT_IT_REFUSES = """
kept = []

def planted(self, request, policy, tell):
    taken = submit(self, request, policy, tell)
    if not taken:
        kept.append(b"x" * 2**17)
    return taken

Writer.submit = planted
"""

HARNESS = Harness(
    claim="who finds the queue full is told so at once and leaves nothing behind; soon all are served again",
    attack=attack,
    rounds=1,
    plants={
        "lets its queue grow": PLANT + UNBOUNDED,
        "decides what it has refused": PLANT + DECIDES_LATER,
        "refuses everybody after the first": PLANT + STAYS_FULL,
        "keeps 128 KiB for each that it refused": PLANT + KEEPS_WHAT_IT_REFUSES,
    },
)
