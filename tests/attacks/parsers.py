"""Parser torture: bodies that are nearly right, at every door, on both engines at once.

Each body goes to a server on SQLite and to one on PostgreSQL, which must give the same answer. Whether it
may move money, and how much, is the client's own judgement (`odd_bodies.py`); the balance must follow it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from caisse.dialects.examples import EXAMPLES
from caisse.store import opening
from tests.attacks import odd_bodies
from tests.attacks.odd_bodies import JSON, PLAYER, UNIT, WAYS, Odd, Way
from tests.openapi.test_document import DOC
from tests.support import served
from tests.support.served import Reply
from tests.support.server import Answer, Partner, Server
from tests.torture.backstage import until_numbered
from tests.torture.toolbox import NEITHER, START, Harness, Run

CUTS = 10
SPOILT = 25
"""Of each way and in each round."""
LARGE = 10**12 * UNIT
"""A wallet is emptied before and after such an amount, lest a charge meet the limit of 14 digits."""
PARTNER = Partner("demo", served.TOKEN)

READS_DECIMALS = """
from decimal import Decimal
from caisse.core import money

def parse(text):
    try:
        return int(Decimal(text) * money.UNIT)
    except ArithmeticError:
        return None

money.parse = parse
"""
"""Lets Decimal decide what a number is."""

TAKES_THE_LAST = """
from caisse.dialects.wire import reader

reader._is_plain = lambda body, fields: True
"""
"""Takes the last of two fields of one name, as decoders do when nobody asks them not to."""

_ids = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_times = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def attack(run: Run) -> None:
    """Each round every number and shape at every door, and some bytes by chance."""
    twins = Twins(run)
    counter = itertools.count(1)
    for _ in run.rounds():
        for way in WAYS:
            twins.pay(way, odd(run, way, counter))
            twins.pay(way, odd_bodies.spoilt(way, run.chance, SPOILT), exact=False)
        for path, body in examples(run):
            twins.ask(path, DOC.target(path, DOC.data["paths"][path]["post"]), body)
    twins.end()


def odd(run: Run, way: Way, counter: Iterator[int]) -> Iterator[Odd]:
    """What one way is asked in one round."""
    next_ = counter.__next__
    yield from odd_bodies.amounts(way, next_)
    yield from odd_bodies.shapes(way, next_)
    yield from odd_bodies.one_uuid(way, next_)
    yield from odd_bodies.cut(way, next_, run.chance, CUTS)


def examples(run: Run) -> Iterator[tuple[str, bytes]]:
    """The examples of every endpoint, as they are or with some bytes changed."""
    for example in EXAMPLES:
        body = example.body.replace("<TOKEN>", served.TOKEN).encode()
        yield example.path, run.chance.choice((body, odd_bodies.scrambled(body, run.chance)))


class Twin:
    """One of the two servers, and the transactions it told of: the first, the second …"""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._names: dict[bytes, bytes] = {}

    def told(self, answer: Answer) -> tuple[int, bytes, dict[str, str]]:
        """An answer without what no two servers have in common."""
        raw = _ids.sub(lambda id_: self._names.setdefault(id_[0], b"#%d" % len(self._names)), answer.raw)
        return answer.status, _times.sub(b"<time>", raw), {**answer.headers, "content-length": ""}

    def rows(self) -> int:
        return asyncio.run(_rows(self.server.db))


async def _rows(url: str) -> int:
    db = await opening.database(url)
    try:
        return int((await db.fetch("select count(*) from journal"))[0][0])
    finally:
        await db.close()


class Twins:
    """Both servers, and what the player must have by the client's own record."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._balance = 0
        dbs = (f"sqlite:///{run.new_folder()}/caisse.db", run.postgres.create_database())
        self._twins = [Twin(self._start(db)) for db in dbs]
        for call in (PARTNER.create(PLAYER), PARTNER.wallet(PLAYER)):
            self._send(call.path, call.body, JSON)

    def _start(self, db: str) -> Server:
        server = served.server(db, self._run.new_folder())
        if self._run.plant:
            server.program = ["-c", self._run.plant + START]
        started: Server = self._run.keep(server)
        return started

    def pay(self, way: Way, bodies: Iterator[Odd], exact: bool = True) -> None:
        """Nothing may move but what was properly asked for; if `exact`, no row stands for anything else.

        A body changed by chance may ask for something that is refused by a rule, and such refusals are kept.
        """
        before = [twin.rows() for twin in self._twins]
        kept = 0
        for odd in bodies:
            if self._run.findings:
                return
            kept += self._paid(way, odd)
        rows = {twin.rows() - earlier for twin, earlier in zip(self._twins, before, strict=True)}
        if len(rows) != 1 or (exact and rows != {kept}):
            self._run.find(f"{way.path}: rows on the two engines {rows}, decisions {kept}")

    def _paid(self, way: Way, odd: Odd) -> int:
        """How many rows it and its preparations made."""
        moves = 0 if odd.moves is None else odd.moves
        emptied = self._empty() if moves >= LARGE else 0
        answer = self.ask(way.path, way.target, odd.body, odd.kind)
        took = succeeded(answer)
        if took and not odd.again:
            self._balance += moves
        wrong = took is not (odd.moves is not None) and (took or odd.sure)
        if wrong or (took and not odd.again and balance(answer) != self._balance):
            self._run.find(f"{way.path}, {odd.what}: should move {odd.moves}, was told {answer}")
        self._run.saw("proper bodies" if took else "improper bodies")
        return emptied + (took and not odd.again) + (self._empty() if moves >= LARGE else 0)

    def _empty(self) -> int:
        """Take out all that is there, which may need several requests."""
        count = 0
        while self._balance:
            amount = min(self._balance, 90 * LARGE)
            call = PARTNER.refund(PLAYER, f"{amount // UNIT}.{amount % UNIT:018}")
            answer = self._send(call.path, call.body, JSON)
            self._balance -= amount
            count += 1
            if not succeeded(answer):
                self._run.find(f"{amount} could not be taken out: {answer}")
                break
        return count

    def ask(self, path: str, target: str, body: bytes, kind: str = JSON) -> Answer:
        """The same of both; the answer must be the same, and one that the endpoint documents."""
        answer = self._send(target, body, kind)
        try:
            assert answer.status < 500, answer
            DOC.judge(DOC.data["paths"][path]["post"], Reply(answer.status, answer.headers, answer.raw))
        except AssertionError as error:
            self._run.find(f"{path}: not an answer of this door: {error} to {body[:300]!r}")
        return answer

    def _send(self, target: str, body: bytes, kind: str) -> Answer:
        if "slotlog" in target.lower():
            for twin in self._twins:
                until_numbered(twin.server.db)
        answers = [twin.server.request("POST", target, body, content_type=kind) for twin in self._twins]
        one, other = [twin.told(answer) for twin, answer in zip(self._twins, answers, strict=True)]
        if one != other:
            self._run.find(f"answered in two ways: {one} and {other} to {body[:300]!r} at {target}")
        self._run.saw("bodies sent to both")
        return answers[0]

    def end(self) -> None:
        """What the client reckoned is what the books say, and these fit together."""
        call = PARTNER.balance(PLAYER)
        if balance(answer := self._send(call.path, call.body, JSON)) != self._balance:
            self._run.find(f"{self._balance} by the answers, but {answer}")
        for twin in self._twins:
            twin.server.stop()
            self._run.audit(twin.server.db)


def succeeded(answer: Answer) -> bool:
    said = answer.body
    return answer.status == 200 and (said.get("status") == "OK" or str(said.get("error")) == "0")


def balance(answer: Answer) -> int:
    """The balance that a success tells, under whatever name."""
    said: dict[str, Any] = json.loads(answer.raw, parse_float=str)
    whole, _, rest = str(said.get("balance", said.get("cash"))).partition(".")
    return int(whole + rest.ljust(18, "0"))


HARNESS = Harness(
    claim="every body moves what it properly asks for or nothing, and is answered alike on both engines",
    attack=attack,
    engines=(NEITHER,),
    rounds=1,
    plants={
        "numbers are read by Decimal": READS_DECIMALS,
        "the last of two fields of one name counts": TAKES_THE_LAST,
    },
    faultless=True,
)
