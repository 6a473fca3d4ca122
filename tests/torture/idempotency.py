"""One key from many senders at once, on two servers, with other contents under it: one effect, one answer."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from caisse.core.money import parse, show
from tests.support.crowd import CLIENTS, crowd, sent
from tests.support.rig import House
from tests.support.server import Answer, Call
from tests.torture.keys import Content, Key, KeyRing
from tests.torture.toolbox import Harness, Run

PLAYERS = 6
FUNDS = "100.0"
"""Too little for all that is asked of it: refusals must stick, too."""
SETS = 3
"""Keys of each kind in a round."""
SENDS = 24
"""Of each key, each from a sender of its own, all released at once."""
OTHERS = 6
"""How many of them carry another content, if there is one."""

Sending = tuple[Content, Call]


class Books:
    """The players and what the answers so far make of their balances."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.balances = {house.player(FUNDS): parse(FUNDS) or 0 for _ in range(PLAYERS)}

    def note(self, keys: Iterable[Key]) -> None:
        for key in keys:
            user, change = key.change
            self.balances[user] += change

    def findings(self) -> list[str]:
        """Exactly one effect for each key: in every balance."""
        told = {user: self._house.balance(user) for user in self.balances}
        return [
            f"{user}: {told[user]} in the books, {show(balance)} by the answers"
            for user, balance in self.balances.items()
            if told[user] != show(balance)
        ]


def attack(run: Run) -> None:
    """Each key from all senders at once; what got no verdict again; everything once more at every server."""
    house = run.house(count=2 if run.engine == "postgres" else 1)
    run.infect(house)
    for server in house.servers:
        server.start()
    books = Books(house)
    for _ in run.rounds():
        ring = KeyRing(house, run.chance, list(books.balances))
        keys = [key for _ in range(SETS) for key in ring.one_of_each()]
        books.note({key.undoes for key in keys if key.undoes and key.undoes not in keys})
        rows = house.counts()["journal"]
        _storm(run, house, [sending for key in keys for sending in _sendings(key, run.chance)])
        grown = house.counts()["journal"] - rows
        if grown != len(keys):
            run.find(f"{len(keys)} keys have {grown} rows")
        _repeat(run, house, keys)
        books.note(keys)
        run.find(*(finding for key in keys for finding in key.findings()), *books.findings())
        run.saw("keys", len(keys))
        run.saw("keys that moved money", sum(key.change[1] != 0 for key in keys))
        _heal(run, house, books)
    for server in house.servers:
        server.stop()
    run.audit(house.db)


def _sendings(key: Key, chance: random.Random) -> list[Sending]:
    """Mostly the first content, in any of its spellings; others among them."""
    first, *others = key.contents
    other = [chance.choice(others) for _ in range(OTHERS)] if others else []
    chosen = [first] * (SENDS - len(other)) + other
    return [(content, chance.choice(content.calls)) for content in chosen]


def _storm(run: Run, house: House, sendings: list[Sending]) -> None:
    run.chance.shuffle(sendings)
    unheard = _hear(sendings, crowd(house.servers, [call for _, call in sendings]))
    run.fault("request sent at the same moment as others of its key", len(sendings))
    run.saw("told to send again", len(unheard))
    _again(run, house, unheard)


def _repeat(run: Run, house: House, keys: Iterable[Key]) -> None:
    """Everything that could have been sent, at each server: nothing may be decided by now."""
    everything = [(content, call) for key in keys for content in key.contents for call in content.calls]
    for server in house.servers:
        unheard = _hear(everything, sent(server, [call for _, call in everything]))
        run.fault("repeat", len(everything))
        _again(run, house, unheard)


def _again(run: Run, house: House, unheard: Sequence[Sending]) -> None:
    """What was told to come again, without the crowd: now it gets its verdict."""
    still = _hear(unheard, sent(house.server, [call for _, call in unheard], clients=1))
    run.find(*(f"no verdict: {call}" for _, call in still))


def _hear(sendings: Sequence[Sending], answers: Sequence[Answer]) -> list[Sending]:
    """Those that got no verdict."""
    heard = [(sending, answer) for sending, answer in zip(sendings, answers, strict=True)]
    for (content, call), answer in heard:
        if answer.status == 200:
            content.hear(call, answer)
    return [sending for sending, answer in heard if answer.status != 200]


def _heal(run: Run, house: House, books: Books) -> None:
    """New requests work on every server."""
    users = [run.chance.choice(list(books.balances)) for _ in range(CLIENTS)]
    for server in house.servers:
        answers = sent(server, [house.partner.charge(user, "1.0") for user in users])
        run.find(*(f"a new request was not served: {a}" for a in answers if (a.status, a.code) != (200, 0)))
        for user in users:
            books.balances[user] += parse("1.0") or 0
    run.find(*books.findings())


REPEAT = """
import msgspec
from caisse.core.rules import decide
from caisse.core.requests import Charge
from caisse.core.verdicts import Verdict

repeats = 0

def plant(decider):
    def planted(request, book, policy, now):
        global repeats
        decision = decider(request, book, policy, now)
        if decision.replay or decision.verdict is Verdict.KEY_CONFLICT:
            repeats += 1
            if repeats % 10 == 0:
                return other(decider, request, book, policy, now, decision)
        return decision
    return planted

for kind, decider in decide.DECIDERS.items():
    decide.DECIDERS[kind] = plant(decider)
"""
"""At every tenth repeat the server does `other` than it must."""

APPLIES = """
def other(decider, request, book, policy, now, decision):
    if type(request) is not Charge:
        return decision
    renamed = msgspec.structs.replace(request, uuid=f"{request.uuid}-{repeats}")
    return decider(renamed, book, policy, now)
"""
RENAMES = """
def other(decider, request, book, policy, now, decision):
    if not decision.replay:
        return decision
    return msgspec.structs.replace(decision, row=msgspec.structs.replace(decision.row, id=request.id))
"""
CONFUSES = """
def other(decider, request, book, policy, now, decision):
    first = book.entries.get((request.partner, request.key))
    if decision.replay or first is None:
        return decision
    return msgspec.structs.replace(decision, verdict=first.verdict, row=first, replay=True)
"""

HARNESS = Harness(
    claim="one key sent by many at once to two servers, other contents among them, has one effect and answer",
    attack=attack,
    engines=("postgres", "sqlite"),
    plants={
        "applies some repeats": REPEAT + APPLIES,
        "answers some repeats with a transaction id of their own": REPEAT + RENAMES,
        "gives some other contents the first one's verdict": REPEAT + CONFUSES,
    },
)
