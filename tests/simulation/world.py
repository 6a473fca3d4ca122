"""One simulated history: processes with real writers, a simulated database, callers who trust nobody."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

import msgspec

from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.core.requests import Bet, CreatePlayer, ForgetPlayer, Request, SetFrozen
from caisse.store.api import FateUnknown
from caisse.writer.writer import Limits, Writer
from tests.simulation.loop import VirtualLoop
from tests.simulation.oracle import Oracle, Sent, Told, identity, may_be_left, poisonous
from tests.simulation.store import Server, SimLedger
from tests.simulation.weather import Weather
from tests.support.ledger import POLICIES, bet, charge, rollback, traffic

FUNDING: Final = 11
"""The first requests of `traffic`: players, wallets, money."""
REQUESTS: Final = (10, 40)
"""How many follow: between these."""
PROCESSES: Final = 2
TRIES: Final = 12
"""How often a caller asks again when all is calm before it calls that a finding."""
LONG: Final = 60.0
"""Seconds in which anything that was under way has ended."""


def stable_hash(key: tuple[str, str]) -> int:
    """In place of `hash`, which is another one in every run of Python."""
    return zlib.crc32("/".join(key).encode())


class Process:
    """One run of a server: a real writer. It takes requests until it ends."""

    def __init__(self, world: World, lanes: int) -> None:
        self._world = world
        self.ledgers = [SimLedger(world.server) for _ in range(lanes)]
        self.writer = Writer(self.ledgers, world.limits)
        self._waiting: set[Sent] = set()
        self.alive = True
        self.task = asyncio.get_running_loop().create_task(self.writer.run())
        self.task.add_done_callback(self._ended)

    def submit(self, sent: Sent, policy: Policy) -> None:
        """A full queue is told as what it is: ask again."""

        def tell(told: Told) -> None:
            if self.alive:
                self._waiting.discard(sent)
                self._world.hear(sent, told)

        self._waiting.add(sent)
        if not self.writer.submit(sent.request, policy, tell):
            tell(None)

    @property
    def busy(self) -> bool:
        """Whether it has anything left to do."""
        working = any(lane.queue or lane._batch for lane in self.writer.lanes)
        waiting = any(ledger.waits for ledger in self.ledgers)
        return self.alive and (working or waiting or self.writer._closing)

    def kill(self) -> None:
        """Gone between two steps of any task; what it sent is on its way."""
        self._gone()
        self.task.cancel()

    def _gone(self) -> None:
        self.alive = False
        for ledger in self.ledgers:
            ledger.die()
        for sent in self._waiting:
            sent.gone = True

    def _ended(self, task: asyncio.Task[None]) -> None:
        """In order, with everybody told; or because the disk failed."""
        error = None if task.cancelled() else task.exception()
        if not self.alive:
            return
        if error is None and self._waiting:
            self._world.find(f"a process ended in order and left {len(self._waiting)} callers without a word")
        elif isinstance(error, BaseExceptionGroup) and error.split(FateUnknown)[1] is None:
            self._world.faults["process ended by a failing disk"] += 1
        elif error is not None:
            self._world.find(f"a process ended by {error!r}")
        self._gone()


class World:
    """Plays one seed: a calm beginning, a storm, calm again; then the books are held against the record.

    In the calm, while the last writes of the storm may still land, everything of unknown fate is asked for
    until it has a verdict; when all has landed, everything is asked for once more.
    """

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.chance = Random(seed)
        self.loop = loop
        self.faults: Counter[str] = Counter()
        self.history: list[str] = []
        self.weather = Weather(self.chance, loop)
        self.server = Server(loop, self.weather, self.note)
        self.limits = self._limits()
        self.oracle = Oracle(self.limits.patience_seconds)
        self.requests = list(self._requests())
        self._ids = 0
        self._lanes = self.chance.randint(1, 2)
        self._pace = self.chance.choice((0.05, 0.5, 3.0))
        self.processes: list[Process] = []

    def _limits(self) -> Limits:
        draw = self.chance.choice
        return Limits(
            queue=draw((30, 1000)),
            batch=draw((1, 3, 100)),
            patience_seconds=draw((1.0, 4.0)),
            commit_seconds=draw((2.0, 6.0)),
            tries=draw((2, 12)),
            record_seconds=draw((0.1, 1.0)),
            players=draw((0, 2, 100)),
            entries=draw((0, 4, 100)),
            doubt_seconds=draw((0.0, 0.5)),
        )

    def _requests(self) -> Iterator[Request]:
        """Their own ids are drawn anew, so that they are the same in every run of Python."""
        uuids: dict[str, str] = {}
        for request in traffic(self.chance, FUNDING + self.chance.randint(*REQUESTS)):
            generated = request.uuid.startswith("01980000-")
            uuid = uuids.setdefault(request.uuid, f"uuid-{len(uuids)}") if generated else request.uuid
            yield msgspec.structs.replace(request, uuid=uuid)

    def note(self, what: str) -> None:
        """A line of the history."""
        self.history.append(f"{self.loop.time():.6f} {what}")

    def find(self, what: str) -> None:
        """What breaks the claim."""
        self.oracle.findings.append(what)

    def hear(self, sent: Sent, told: Told) -> None:
        """A caller gets its answer, or is told to ask again."""
        words = f"{told.verdict} {told.row.id if told.row else ''}" if told else "again"
        self.note(f"{sent.request.id} is told {words}")
        self.oracle.hear(sent, told, self.loop.time())
        if told and told.row and self.server.may_lose(told.row):
            self.find(f"{sent.request.id} was told what is not durable (R9)")
        if (
            sent.told == [None]
            and self.weather.even()
            and not isinstance(sent.request, SetFrozen | ForgetPlayer)
        ):
            self.weather.later(self.weather.moment(), self._impatient, sent)

    def send(self, request: Request, process: Process | None = None) -> Sent:
        """Ask a process under what a door draws: a new transaction id, a creation's new key of its name.

        Anyone who is up, by default.
        """
        self._ids += 1
        asked = msgspec.structs.replace(request, id=f"01980000-0000-7000-8000-{self._ids:012x}")
        if isinstance(asked, CreatePlayer):
            asked = msgspec.structs.replace(asked, name_key=self.chance.randbytes(16))
        sent = self.oracle.send(asked, self.loop.time())
        chosen = process or self.chance.choice(self._up())
        self.note(f"{asked.id} to {self.processes.index(chosen)}: {identity(asked)}")
        chosen.submit(sent, self.chance.choice(POLICIES))
        return sent

    def _up(self) -> list[Process]:
        up = [process for process in self.processes if process.alive and not process.writer._closing]
        while len(up) < PROCESSES:
            up.append(self._start())
        return up

    def _start(self) -> Process:
        self.processes.append(Process(self, self._lanes))
        return self.processes[-1]

    async def play(self) -> None:
        """The whole history; afterwards `findings` tells what was wrong."""
        await self._settled(self.requests[:FUNDING], self._start())
        self.weather.calm = False
        await self._storm()
        self.weather.calm = True
        await self._settled(self._unknown())
        await self._quiet()
        await self._settled(self._asked())
        await self._fresh()
        await self._stop()

    def findings(self) -> list[str]:
        """All that is wrong at the end."""
        return self.oracle.hold(self.server.tables)

    async def _storm(self) -> None:
        for request in self.requests[FUNDING:]:
            self._ask(request)
            if isinstance(request, Bet) and self.weather.even():
                self._undo(request)
            while self.chance.random() < 0.3:
                self._ask(self._changed(self.chance.choice(self.oracle.sent).request))
            await asyncio.sleep(self._pause())
            self._disaster()

    def _changed(self, request: Request) -> Request:
        """A repeat, now and then with another amount: that is content (R5), but not of a rollback."""
        amount = getattr(request, "amount", 0)
        if amount != 0 and self.weather.even():
            return msgspec.structs.replace(request, amount=self.chance.choice((1, 2, 3)) * UNIT)
        return request

    def _pause(self) -> float:
        if self.weather.strikes("stall"):
            return 3 * self.chance.random()
        return self.chance.choice((0.0, 0.1, 1.0)) * self.chance.random() * self._pace

    def _undo(self, request: Bet) -> None:
        """A refund and its repeat, on their own ways, with amounts that may differ."""
        for amount in self.chance.choices((None, "1.0", "2.0", "30.0"), k=2):
            undo = rollback(request.reference, amount, user=request.user, uuid="undo")
            self.weather.later(self.weather.soon(), self._ask, undo)

    def _ask(self, request: Request) -> None:
        """Freezing is a person's: by a process of its own, once."""
        if isinstance(request, SetFrozen | ForgetPlayer):
            self._by_a_person(request)
            return
        sent = self.send(self._poisoned(request) if self.chance.random() < 0.02 else request)
        for after in (self.weather.soon(), self.weather.while_()):
            if self.weather.even():
                self.weather.later(after, self._impatient, sent)

    def _impatient(self, sent: Sent) -> None:
        """A caller that got no verdict, or gave up waiting for it, asks again."""
        if not any(sent.told):
            self.send(sent.request)

    def _poisoned(self, request: Request) -> Request:
        if self.chance.random() < 0.5:
            return charge("1.0", user=request.user, uuid=f"poison\0{self._ids}")
        return bet("0.0", f"poison{self._ids}", f"p{self._ids}", user=request.user, uuid="", details="\0")

    def _disaster(self) -> None:
        if self.weather.strikes("crash"):
            self.faults["kill of a process"] += 1
            self.note("a process is killed")
            self.chance.choice(self._up()).kill()
        if self.weather.strikes("stop"):
            self.faults["stop of a process"] += 1
            self.note("a process is stopped")
            self.chance.choice(self._up()).writer.close()
        if self.weather.strikes("restart"):
            self.server.restart()
        if self.weather.strikes("freeze"):
            user = self.chance.choice(self.requests).user
            self._by_a_person(SetFrozen(**_BY | {"user": user, "frozen": self.chance.random() < 0.3}))

    def _by_a_person(self, request: SetFrozen | ForgetPlayer) -> None:
        self.faults["a person decided about a player"] += 1
        process = self._start()
        self.send(request, process)
        process.writer.close()

    def _asked(self) -> list[Request]:
        """All that was ever asked, each once."""
        asked = {identity(sent.request): sent.request for sent in self.oracle.sent}
        return [request for request in asked.values() if not may_be_left(request)]

    def _unknown(self) -> list[Request]:
        """Of these, what got no verdict so far."""
        return [request for request in self._asked() if identity(request) not in self.oracle.first]

    async def _settled(self, requests: list[Request], process: Process | None = None) -> None:
        """Ask until each has a verdict."""
        left = requests
        for _ in range(TRIES):
            asked = [self.send(request, process) for request in left]
            await self._answered(asked)
            left = [sent.request for sent in asked if not any(sent.told)]
            if not left:
                return
            await asyncio.sleep(1.0)
        self.find(f"all is calm, and still no verdict for {[identity(request) for request in left]}")

    async def _answered(self, sent: list[Sent]) -> None:
        """Nobody waits for ever: who does is a finding at the end."""
        await self._until(lambda: all(s.over for s in sent), 0.05)

    async def _quiet(self) -> None:
        """Until the last late write has landed, and nobody waits for an answer that was lost."""
        await self._until(lambda: not self._busy(), 0.5)

    def _busy(self) -> bool:
        return self.server.busy or any(process.busy for process in self.processes)

    async def _until(self, condition: Callable[[], bool], step: float) -> None:
        for _ in range(int(LONG / step)):
            if condition():
                return
            await asyncio.sleep(step)

    async def _fresh(self) -> None:
        """New requests, among them one that cannot be stored: all others work at once."""
        users = ("ann", "bob", "cid")
        for process in self._up():
            poison = self._poisoned(self.requests[0])
            fresh = [charge("1.0", user=user, uuid=f"fresh{self._ids}-{user}") for user in users]
            sent = [self.send(request, process) for request in (fresh[0], poison, *fresh[1:])]
            await self._answered(sent)
            for one in sent:
                if not poisonous(one.request) and not any(one.told):
                    self.find(f"all is well, and no verdict for {identity(one.request)}")

    async def _stop(self) -> None:
        for process in self._up():
            process.writer.close()
        await asyncio.wait([process.task for process in self.processes], timeout=LONG)
        if any(process.alive for process in self.processes):
            self.find("a process does not end")

    def count(self) -> Counter[str]:
        """What really happened, of all that could."""
        drops = [ledger.drops for process in self.processes for ledger in process.ledgers]
        ends = Counter(commit.landed for commit in self.server.commits if commit.write and commit.given_up)
        lanes = [lane.counters for process in self.processes for lane in process.writer.lanes]
        return self.faults + Counter(
            {
                "commit stood and its answer was lost": ends["in time"],
                "commit landed after it was given up": ends["late"],
                "commit lost, its fate unknown": ends[""],
                "crash of the database": self.server.life,
                "commit undone by a crash of the database": self.server.undone,
                "hanging connection dropped": sum(drops),
                "race lost": sum(counters.conflicts for counters in lanes),
            }
        )


_BY: dict[str, Any] = {
    "id": "",
    "partner": "demo",
    "uuid": "",
    "endpoint": "/test",
    "reason": "asked to",
    "by": "a person",
}
