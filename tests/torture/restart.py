"""SIGTERM under load, one server after the other: what was taken in is answered, and nothing told is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from functools import partial

from tests.support.crowd import CLIENTS, Line, Lost
from tests.support.record import Intent, Storm
from tests.support.rig import House
from tests.support.server import PATIENCE, Answer, Call, Server, until
from tests.torture.backstage import Intake, decided, held
from tests.torture.toolbox import Harness, Run

VERDICTS = (100, 500)
"""After how many verdicts the next server is stopped: between these."""
HALF_SENT = 8
"""Requests whose body comes only after the signal."""
STOPPING = '"stopping; '
"""What the log says when the signal was heard."""
PAUSE = 0.1
"""Seconds that each client rests between two requests while a server starts, which would take longer else."""
SHORTLY = 0.02
"""Seconds before a client knocks again where nobody served."""


class Travellers(Storm):
    """Clients that go to another server when theirs leaves, and wait where there is none."""

    def __init__(self, house: House, seed: int) -> None:
        super().__init__(house, seed)
        self.cut: set[Intent] = set()
        """Sent, and the connection ended before any answer."""
        self.unserved: set[Intent] = set()
        """Told in clear words to send it again."""
        self._pause = 0.0

    def roll(self, run: Run) -> None:
        """Stop and start every server, while the load goes on."""
        asyncio.run(self._roll(run))

    async def _roll(self, run: Run) -> None:
        self._enough = False
        clients = [asyncio.create_task(self._client("")) for _ in range(CLIENTS)]
        for server in self._house.servers:
            await self._more(run.chance.randint(*VERDICTS), clients)
            server.signal()
            run.find(*ended(await asyncio.to_thread(server.wait)))
            run.fault("SIGTERM under load")
            self._pause = PAUSE
            await asyncio.to_thread(server.start)
            self._pause = 0.0
        await self._more(VERDICTS[0], clients)
        self._enough = True
        await asyncio.gather(*clients)

    async def _client(self, url: str) -> None:
        line = None
        while not self._enough:
            await asyncio.sleep(self._pause)
            line = line or await self._line()
            if line is not None and not await self._one(line):
                line.close()
                line = None
        if line is not None:
            line.close()

    async def _line(self) -> Line | None:
        """To whoever serves, each as often as the others."""
        for server in self._random.sample(self._house.servers, len(self._house.servers)):
            try:
                return await Line.open(server.url)
            except Lost:
                continue
        await asyncio.sleep(SHORTLY)
        return None

    async def _one(self, line: Line) -> bool:
        """One request; whether the connection stays."""
        intent = self._next()
        try:
            answer = await line.send(intent.call)
        except Lost:
            self.cut.add(intent)
            return False
        self.note(intent, answer)
        return answer.headers.get("connection") != "close"

    def note(self, intent: Intent, answer: Answer) -> None:
        """A verdict; or a clear word that there is none."""
        if answer.status == 200:
            intent.answers.append(answer)
        else:
            assert (answer.status, answer.headers.get("retry-after")) == (503, "1"), answer
            self.unserved.add(intent)

    def charges(self, count: int) -> list[Intent]:
        return [self.record.write(self._new("charge")) for _ in range(count)]

    def left_without_a_word(self) -> list[Intent]:
        """Requests of which nobody ever heard."""
        return [i for i in self.record.unknown if i in self.cut and i not in self.unserved]


def attack(run: Run) -> None:
    """Roll the servers under load; then stop one while requests wait in its queue; ask for all again."""
    house = run.house(count=2 if run.engine == "postgres" else 1)
    run.infect(house)
    for server in house.servers:
        server.start()
    storm = Travellers(house, run.seed)
    for _ in run.rounds():
        first = len(storm.record.intents)
        storm.roll(run)
        run.saw("connections that ended before an answer", len(storm.cut))
        server = run.chance.choice(house.servers)
        asyncio.run(_stop_while_they_wait(run, storm, house.db, server))
        server.start()
        left = asyncio.run(decided(house.db, storm.left_without_a_word()))
        run.find(*(f"{i.key}: decided, and its sender was left without an answer" for i in left))
        storm.cut.clear()
        storm.heal()
        storm.repeat(storm.record.intents[first:])
        run.find(*storm.record.findings(storm.balances()))
    run.saw("requests", len(storm.record.intents))
    run.saw("verdicts", storm.record.verdicts)
    run.saw("told to send again", len(storm.unserved))
    for server in house.servers:
        run.find(*ended(server.stop()))
    run.audit(house.db)


async def _stop_while_they_wait(run: Run, storm: Travellers, db: str, server: Server) -> None:
    """SIGTERM while requests that were surely taken in wait for the database, and others are half sent."""
    waiting, half = storm.charges(CLIENTS), storm.charges(HALF_SENT)
    lines = [await Line.open(server.url) for _ in waiting]
    senders = [await HalfSent.open(server.url) for _ in half]
    for sender, intent in zip(senders, half, strict=True):
        await sender.begin(intent.call)
    intake, stopping = Intake(server), server.log.count(STOPPING)
    answers: list[asyncio.Task[Answer]] = []
    async with held(db):
        for part in (slice(1), slice(1, None)):  # the first begins a batch, and the others find it begun
            together = zip(lines[part], waiting[part], strict=True)
            answers += [asyncio.create_task(line.send(intent.call)) for line, intent in together]
            await asyncio.to_thread(until, partial(_taken_in, intake, answers), "they do not come in")
        server.signal()
        await asyncio.to_thread(until, lambda: server.log.count(STOPPING) > stopping, "it does not stop")
    rest = [sender.finish(intent.call) for sender, intent in zip(senders, half, strict=True)]
    told = await asyncio.gather(*answers, *rest, return_exceptions=True)
    run.find(*ended(await asyncio.to_thread(server.wait)))
    run.fault("SIGTERM before the verdict of a request that waits", len(waiting))
    run.fault("SIGTERM before the second half of a request", len(half))
    for intent, answer in zip([*waiting, *half], told, strict=True):
        if isinstance(answer, Answer):
            storm.note(intent, answer)
        else:
            run.find(f"{intent.key}: taken in, and left without an answer: {answer!r}")
    for line in [*lines, *senders]:
        line.close()


def _taken_in(intake: Intake, sent: Sized) -> bool:
    return intake.count() == len(sent)


class HalfSent(Line):
    """A client whose body comes late."""

    async def begin(self, call: Call) -> None:
        """The head alone; returns when the server has read it, and says so."""
        head = f"POST {call.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(call.body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        await self._reader.readuntil(b" 100 Continue\r\n\r\n")

    async def finish(self, call: Call) -> Answer:
        """The body; then the answer."""
        self._writer.write(call.body)
        return await asyncio.wait_for(self._answer(), PATIENCE)


def ended(status: int) -> list[str]:
    """What a stopped server's exit status must be."""
    return [f"exit status {status}"] if status else []


AT_STOP = """
from caisse.web.server import http

real = http.Server.drain

async def drain(self, seconds):
    lanes = self.app._writer.lanes
    await at_stop(self, lanes)

http.Server.drain = drain
"""
DROPS = """
async def at_stop(server, lanes):
    for lane in lanes:
        lane.queue.clear()
    await real(server, 0.5)
"""
LEAVES = """
async def at_stop(server, lanes):
    server.stop_accepting()
    for connection in tuple(server.open):
        connection.abort()
"""
FORGETS = """
async def nothing(book):
    pass

async def at_stop(server, lanes):
    for lane in lanes:
        lane._ledger.commit = nothing
    await real(server, 15)
"""

HARNESS = Harness(
    claim="SIGTERM under load loses no verdict and leaves nobody whom it took in without an answer; exit 0",
    attack=attack,
    rounds=1,
    plants={
        "drops its queue at the stop": AT_STOP + DROPS,
        "closes its connections at the stop": AT_STOP + LEAVES,
        "writes nothing down any more once it stops": AT_STOP + FORGETS,
    },
)
