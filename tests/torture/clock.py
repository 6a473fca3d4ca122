"""Clocks that jump forward and back, each server's its own way: they change what is shown, and no verdict."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from caisse.store import opening
from tests.support.crowd import Line
from tests.support.rig import House
from tests.support.server import Answer
from tests.torture.backstage import until_numbered
from tests.torture.life import Life, Step
from tests.torture.toolbox import START, Harness, Run

REQUESTS = 200
"""Of one life."""
SLOT_LOG = "/log/slot"
LEAP = 60_000_000
"""Microseconds between two rows of a player that only a jump explains: a minute."""
JUMPS = """
import random, time

chance, real, hop = random.Random({seed}), time.time_ns, 0
SECONDS = (1, 60, 3600, 86400, 400 * 86400, 25000 * 86400)

def jumping():
    global hop
    if chance.random() < 0.2:
        hop = round(chance.choice(SECONDS) * chance.uniform(-1, 1) * 1e9)
    return real() + hop

time.time_ns = jumping
"""
"""Before caisse is imported: at each fifth look the clock jumps, by up to a second or up to 68 years."""

_shown_time = re.compile(rb'"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"').sub
_transaction = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def attack(run: Run) -> None:
    """One life, request by request, by true and by jumping clocks; then all of it again by true ones.

    The true one is always told by SQLite: the answers of the engines do not differ either.
    """
    for _ in run.rounds():
        seed, count = run.chance.getrandbits(32), 2 if run.engine == "postgres" else 1
        true, wrong = run.house(db=f"sqlite:///{run.new_folder()}/caisse.db"), run.house(count)
        for server in wrong.servers:
            server.program = ["-c", JUMPS.format(seed=run.chance.getrandbits(32)) + run.plant + START]
        lives = [Life(house, seed).steps(REQUESTS) for house in (true, wrong)]
        for server in (*true.servers, *wrong.servers):
            server.start()
        told, told_wrong = asyncio.run(_both(true, lives[0], wrong, lives[1]))
        run.find(*_differences(lives[0], told, told_wrong))
        pairs = asyncio.run(_pairs(wrong.db))
        jumps = sum(not 0 <= b.at - a.at < LEAP for a, b in pairs)
        run.fault("jump of the clock between two rows of a player", jumps)
        if count == 1:  # within one process ids rise, whatever its clock does
            run.find(*(f"{b.id} follows {a.id}" for a, b in pairs if b.id < a.id))
        _heal(run, wrong, lives[1], told_wrong)
        run.saw("requests", 2 * len(told))
        for house in (true, wrong):
            for server in house.servers:
                server.stop()
            run.audit(house.db)


async def _both(
    true: House, life: Sequence[Step], wrong: House, same: Sequence[Step]
) -> tuple[list[Answer], list[Answer]]:
    return await asyncio.gather(_lived(true, life), _lived(wrong, same))


async def _lived(house: House, life: Sequence[Step]) -> list[Answer]:
    """One request after another, by turns to each server; the slot log when it has all of those before."""
    lines = [await Line.open(server.url) for server in house.servers]
    answers = []
    for n, step in enumerate(life):
        if step.call.path.startswith(SLOT_LOG):
            await asyncio.to_thread(until_numbered, house.db)
        answers.append(await lines[n % len(lines)].send(step.call))
    for line in lines:
        line.close()
    return answers


def _differences(life: Sequence[Step], told: Sequence[Answer], told_wrong: Sequence[Answer]) -> Iterator[str]:
    """Where the answers differ by more than times shown and the ids of transactions."""
    names: tuple[dict[bytes, int], dict[bytes, int]] = ({}, {})
    for n, (step, answer, other) in enumerate(zip(life, told, told_wrong, strict=True)):
        if _timeless(answer, names[0]) != _timeless(other, names[1]):
            method = step.call.path.partition("?")[0].rpartition("/")[2]
            yield f"request {n}, {method}: {answer.raw!r}, by a wrong clock {other.raw!r}"


def _timeless(answer: Answer, names: dict[bytes, int]) -> tuple[int, object]:
    """With the number of a transaction in the order of being told; rounds without the order of the log."""
    text = _transaction.sub(lambda found: b"%d" % names.setdefault(found[0], len(names)), answer.raw)
    body = json.loads(_shown_time(b'"time"', text), parse_float=str)
    if "logs" in body:
        body["logs"] = sorted(row[1:] for row in body["logs"])
    return answer.status, body


class Row(NamedTuple):
    """What a row says of its time."""

    player: str
    at: int
    id: str


async def _pairs(db: str) -> list[tuple[Row, Row]]:
    """Each row with the player's next."""
    store = await opening.database(db)
    try:
        found = await store.fetch("select player, at, id from journal order by partner, player, seq")
    finally:
        await store.close()
    rows = [Row(*row) for row in found]
    return [(a, b) for a, b in itertools.pairwise(rows) if a.player == b.player]


def _heal(run: Run, house: House, life: Sequence[Step], told: Sequence[Answer]) -> None:
    """The clocks are right again: what was decided stays so, to the byte, and new requests work."""
    run.cure(house)
    for server in house.servers:
        server.stop()
        server.start()
    kept = [(step, answer) for step, answer in zip(life, told, strict=True) if not step.reads]
    again = asyncio.run(_lived(house, [step for step, _ in kept]))
    for (_, first), answer in zip(kept, again, strict=True):
        if answer.raw != first.raw:
            run.find(f"{first.raw!r} became {answer.raw!r} once the clock was right")
    for server in house.servers:
        answer = server.send(house.partner.charge("anna", "1.0"))
        if (answer.status, answer.code) != (200, 0):
            run.find(f"a new request was not served: {answer}")


PLANT = """
import msgspec
from caisse.core.rules import decide
from caisse.core import requests
from caisse.core.entries import Decision
from caisse.core.verdicts import Verdict

HOUR = 3600 * 1_000_000

def plant(kind, decider):
    def planted(request, book, policy, now):
        decision = decider(request, book, policy, now)
        return wrong(request, book, now, decision) or decision
    decide.DECIDERS[kind] = planted

for kind, decider in decide.DECIDERS.items():
    plant(kind, decider)
"""
KEYS_EXPIRE = """
def wrong(request, book, now, decision):
    if decision.replay and now - decision.row.at > HOUR:
        return Decision(verdict=Verdict.KEY_CONFLICT, rule="R5")
"""
TOO_LATE = """
def wrong(request, book, now, decision):
    if type(request) is requests.Rollback and not decision.replay:
        bet = book.entries.get((request.partner, request.bet_key))
        if bet and now - bet.at > HOUR:
            return Decision(verdict=Verdict.BET_SETTLED, rule="R26")
"""
TOO_EARLY = """
def wrong(request, book, now, decision):
    player = book.players.get((request.partner, request.user))
    if type(request) is requests.Bet and decision.verdict is Verdict.OK and now < player.login_at:
        return Decision(verdict=Verdict.SESSION_EXPIRED, rule="R47")
"""
IDS_OF_THE_CLOCK = """
import os
from caisse import ids

def id_source(clock=jumping):
    def new_id():
        text = f"{max(0, clock()) // 1_000_000:012x}7{os.urandom(10).hex()[:3]}8{os.urandom(10).hex()[:15]}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return new_id

ids.id_source = id_source
"""

HARNESS = Harness(
    claim="clocks that jump, forward, back and apart, change no verdict, no balance and no other answer",
    attack=attack,
    rounds=1,
    plants={
        "forgets keys after an hour": PLANT + KEYS_EXPIRE,
        "gives no bet back after an hour": PLANT + TOO_LATE,
        "takes no bet before the session's time": PLANT + TOO_EARLY,
        "takes its ids from the clock alone": IDS_OF_THE_CLOCK,
    },
)
