"""Guessing: wrong tokens and keys are slowed down, and the right one beside them never is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from caisse.web.throttle import FREE
from tests.attacks.access import AT_ONCE, heard, told
from tests.attacks.callers import Origin
from tests.support.rig import House, secret
from tests.support.server import Answer, Call, Game, Partner
from tests.torture.toolbox import Harness, Run

GUESSES, RIGHT = FREE + 30, 30
"""Of one address in one round, which is far shorter than the window in which they are counted."""
REFUSED = ((401, "8"), (200, "4"))

_counter = re.compile(r"^caisse_wrong_logins(_held)?_total (\d+)", re.MULTILINE)


def attack(run: Run) -> None:
    """Guess from one address, and call rightly from it at the same time and afterwards."""
    house = run.house()
    run.infect(house)
    house.server.start()
    user, charged = house.player(""), 0
    for _ in run.rounds():
        address = f"127.0.{run.chance.randint(10, 250)}.{run.chance.randint(2, 250)}"
        before = counted(house)
        calls = guesses(house, user) + [house.partner.charge(user, "1.0") for _ in range(RIGHT)]
        run.chance.shuffle(calls)
        late = house.partner.charge(user, "1.0")
        answers = asyncio.run(sent(house, address, calls)) + asyncio.run(sent(house, address, [late]))
        let_in = sum(said == (200, "OK") for said in map(told, answers))
        refused = sum(said in REFUSED for said in map(told, answers))
        charged += RIGHT + 1
        if (let_in, refused) != (RIGHT + 1, GUESSES):
            run.find(
                f"of {RIGHT + 1} right ones {let_in} were let in, of {GUESSES} guesses {refused} refused"
            )
        if (new := differences(before, counted(house))) != (GUESSES, GUESSES - FREE):
            run.find(f"counted and held back: {new}, not {(GUESSES, GUESSES - FREE)}")
        run.fault("guesses", GUESSES)
        run.saw("right ones beside them", RIGHT + 1)
    if house.balance(user) != f"{charged}.0":
        run.find(f"{user} has {house.balance(user)} after {charged} charges of 1.0")
    house.server.stop()
    run.audit(house.db)


def guesses(house: House, user: str) -> list[Call]:
    """Tokens and keys that nobody has, on both doors."""
    tokens = [Partner(house.partner.id, secret("guess")).charge(user) for _ in range(GUESSES // 2)]
    return tokens + [Game("/" + secret("guess")).play("Check", user) for _ in range(GUESSES - len(tokens))]


async def sent(house: House, address: str, calls: Sequence[Call]) -> list[Answer]:
    """As many at once as files may be open, from one address."""
    origin, room = Origin("one address", address), asyncio.Semaphore(AT_ONCE)

    async def one(call: Call) -> Answer:
        async with room:
            return await heard(house.server.url, origin, call)

    return list(await asyncio.gather(*map(one, calls)))


def counted(house: House) -> tuple[int, int]:
    """Wrong ones, and how many of them were held back."""
    found = _counter.findall(house.server.request("GET", "/metrics").raw.decode())
    counts = {held: int(number) for held, number in found}
    return counts[""], counts["_held"]


def differences(before: tuple[int, int], after: tuple[int, int]) -> tuple[int, int]:
    return after[0] - before[0], after[1] - before[1]


LOCKS_OUT = """
from caisse.web import app, throttle as guesses
locked = set()
hold, call = guesses.LoginThrottle.hold, app.App.__call__
def remember(self, peer):
    seconds = hold(self, peer)
    if seconds:
        locked.add(peer)
    return seconds
def refuse(self, exchange):
    if exchange.peer in locked and exchange.path.startswith("/user/"):
        exchange.respond(401, b'{"status":"Failed","uuid":"","code":8,"reason":"Unauthorized"}')
    else:
        call(self, exchange)
guesses.LoginThrottle.hold, app.App.__call__ = remember, refuse
"""
HOLDS_NOBODY = """
from caisse.web import throttle as guesses
guesses.FREE = 10**9
"""
HOLDS_THE_RIGHT = """
from caisse.web.app import App
real = App._ask
def ask(self, exchange, ask):
    self.guesses.hold(exchange.peer)
    real(self, exchange, ask)
App._ask = ask
"""

HARNESS = Harness(
    claim="whoever guesses tokens and keys is slowed down, and locks nobody out who has the right one",
    attack=attack,
    rounds=1,
    plants={
        "locks out the address that guesses": LOCKS_OUT,
        "slows nobody down": HOLDS_NOBODY,
        "counts those who are right": HOLDS_THE_RIGHT,
    },
    weight=0.5,
)
