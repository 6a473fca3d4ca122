"""Who may do what: every door, every credential, every address; and who may not leaves no trace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import NamedTuple

from caisse.core.money import parse, show
from caisse.core.parties import secret_hash
from caisse.store import directory, opening
from caisse.writer.writer import clock
from tests.attacks.callers import (
    HOPS,
    INSIDE,
    MOVES,
    TOLD,
    Fate,
    Keys,
    Origin,
    Way,
    furnished_keys,
    origins,
    ways,
)
from tests.support.crowd import Line
from tests.support.rig import PROVIDER, RIVAL, add_connections, add_partner, connection
from tests.support.server import Answer, Call, Partner, Server
from tests.torture.toolbox import Harness, Run

FUNDS = "1000000.0"
AT_ONCE = 200
"""Connections that knock at the same time: below the usual limit of open files."""


class Cell(NamedTuple):
    """One credential from one address."""

    way: Way
    origin: Origin

    @property
    def fate(self) -> Fate:
        return self.way.fate_from(self.origin)

    def __str__(self) -> str:
        return f"{self.way.endpoint}, {self.way.state}, from {self.origin.name}"


def attack(run: Run) -> None:
    """Knock at every door in every way; compare what was told, then what was moved."""
    house = run.house()
    keys = furnished_keys(house)
    asyncio.run(furnish(house.db, keys))
    server = Server(house.db, run.new_folder(), CAISSE_PROXIES=HOPS)
    house.servers[:] = [server]
    run.infect(house)
    run.keep(server)
    user, balance = house.player(FUNDS), _number(FUNDS)
    for _ in run.rounds():
        places = origins(run.chance)
        cells = [Cell(way, place) for place in places for way in ways(house, keys, user)]
        run.chance.shuffle(cells)
        answers = asyncio.run(knocked(server.url, cells))
        run.find(*findings(cells, answers), *asyncio.run(shown_metrics(server.url, places)))
        balance += sum(MOVES[cell.way.endpoint] * _number("1.0") for cell in cells if cell.fate == "in")
        if _number(house.balance(user)) != balance:
            run.find(f"{user} has {house.balance(user)}, and {show(balance)} by those who may move it")
        run.fault("calls of somebody who may not", sum(cell.fate != "in" for cell in cells))
        run.saw("calls of somebody who may", sum(cell.fate == "in" for cell in cells))
    server.stop()
    run.audit(house.db)


async def furnish(url: str, keys: Keys) -> None:
    """Connections within their networks, a keyless one, and what was revoked before anybody called."""
    mine, other = keys.partner.id, keys.other.id
    gone = connection(mine, keys.revoked_key, networks=INSIDE)
    await add_partner(url, Partner(mine, keys.revoked), gone)
    await add_connections(
        url,
        connection(mine, keys.key, networks=INSIDE),
        connection(mine, keys.key_of_rival, networks=INSIDE, provider=RIVAL),
        connection(other, keys.key_of_other, networks=INSIDE, provider=PROVIDER),
        connection(mine, "", provider="local"),
    )
    db = await opening.database(url)
    try:
        assert await directory.revoke_token(db, mine, secret_hash(keys.revoked)[:4].hex(), clock())
        assert await directory.revoke_connection(db, gone.id, clock())
    finally:
        await db.close()


async def knocked(url: str, cells: Sequence[Cell]) -> list[Answer]:
    """Each on a connection of its own, from its own address; answers in order."""
    room = asyncio.Semaphore(AT_ONCE)

    async def knock(cell: Cell) -> Answer:
        async with room:
            return await heard(url, cell.origin, cell.way.call)

    return list(await asyncio.gather(*map(knock, cells)))


async def heard(url: str, origin: Origin, call: Call, method: str = "POST") -> Answer:
    line = await Line.open(url, origin.source)
    try:
        return await line.send(call, origin.headers, method)
    finally:
        line.close()


def findings(cells: Sequence[Cell], answers: Sequence[Answer]) -> list[str]:
    """Who was told something else than the tables say, and refusals that tell why."""
    found, refusals = [], dict[str, set[bytes]]()
    for cell, answer in zip(cells, answers, strict=True):
        wanted, said = TOLD[cell.way.endpoint][cell.fate], told(answer)
        if said != wanted:
            found.append(f"{cell}: {said} instead of {wanted}")
        elif cell.fate == "login":
            refusals.setdefault(cell.way.endpoint, set()).add(without_uuid(cell.way.call, answer))
    return found + [
        f"{door}: its refusals differ: {all_}" for door, all_ in refusals.items() if len(all_) > 1
    ]


def told(answer: Answer) -> tuple[int, str]:
    """The status, and the code or word of the door."""
    said = answer.body
    word = said["code"] if "code" in said else said["error"] if "error" in said else said["status"]
    return answer.status, str(word)


def without_uuid(call: Call, answer: Answer) -> bytes:
    return answer.raw.replace(str(json.loads(call.body)["uuid"]).encode(), b"")


async def shown_metrics(url: str, places: Sequence[Origin]) -> list[str]:
    """They are for this machine only, through no proxy: here each address is this machine's own."""
    found = []
    for place in places:
        status = (await heard(url, place, Call("/metrics", b""), "GET")).status
        if status != (403 if place.forwarded_for else 200):
            found.append(f"/metrics: {status} from {place.name}")
    return found


def _number(text: str) -> int:
    number = parse(text)
    assert number is not None, text
    return number


BELIEVES_EVERYBODY = """
from caisse.web.proxies import Proxies
Proxies._trusted = lambda self, address: address is not None
"""
BELIEVES_THE_FIRST = """
from caisse.web.proxies import Proxies
real = Proxies.client
Proxies.client = lambda self, peer, header: real(self, peer, header.split(",")[0])
"""
BEGINNINGS = """
from caisse.dialects.wire import auth
real = auth.secret_hash
auth.secret_hash = lambda text: real(text[:38])
"""
"""Tokens of this harness have 38 characters."""
ANY_TOKEN = """
from caisse.dialects.wire.auth import Access
real = Access.is_partner
Access.is_partner = lambda self, partner, token: (
    partner in self._tokens and any(real(self, other, token) for other in self._tokens))
"""
ANY_PROVIDER = """
from caisse.dialects.wire import seamless_door
seamless_door._is_own_provider = lambda named, connection: True
"""
METRICS_THROUGH_PROXIES = """
from caisse.web.server.origin import is_loopback
from caisse.web.server.exchange import Exchange
Exchange.local = property(lambda self: is_loopback(self.peer))
"""

HARNESS = Harness(
    claim="only a right token or key from an allowed address moves money, and a refusal does not tell why",
    attack=attack,
    rounds=1,
    plants={
        "believes X-Forwarded-For from everybody": BELIEVES_EVERYBODY,
        "believes the first address of X-Forwarded-For": BELIEVES_THE_FIRST,
        "compares the beginning of a token": BEGINNINGS,
        "takes any partner's token for any partner": ANY_TOKEN,
        "takes any provider's key for any provider": ANY_PROVIDER,
        "tells metrics through proxies": METRICS_THROUGH_PROXIES,
    },
)
