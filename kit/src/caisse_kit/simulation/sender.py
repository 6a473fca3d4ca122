"""The vendor's sender, and what the network does to it: repeats, lost answers, delays. All chosen by a
seed.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from caisse_client import AsyncClient, Request, Unavailable
from caisse_kit.policy import Policy
from caisse_kit.reply import NO_ANSWER, Reply
from caisse_kit.simulation.book import Book, Message

RETRANSMISSIONS = 3
QUEUE_ATTEMPTS = 12
"""How often the vendor's queue sends again what must arrive, before a person is called."""
LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Faults:
    """How often each happens, from 0 to 1."""

    repeat: float = 0.05
    reorder: float = 0.05
    drop: float = 0.05
    delay: float = 0.05
    crash: float = 0.0


class Crashed(Exception):
    """The provider's process has died."""


@dataclass
class Figures:
    """What a person watches."""

    sent: int = 0
    waits: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    """Requests without an answer that the faults did not cause."""


class Sender:
    """Delivers messages as the vendor does: again on anything but a final code, and then a cancel for a
    bet.
    """

    def __init__(
        self,
        client: AsyncClient,
        base: str,
        url: str,
        book: Book,
        faults: Faults,
        policy: Policy,
        chance: random.Random,
    ) -> None:
        self.figures = Figures()
        self.book = book
        self.chance = chance
        self.faults = faults
        self._client = client
        self._base = base
        self._url = url
        self._final = policy.final

    async def deliver(self, message: Message) -> Message:
        """Until its answer is final; a bet without one is left `new`, for its cancel."""
        attempts = 1 + RETRANSMISSIONS + (0 if message.verb == "Bet" else QUEUE_ATTEMPTS)
        for attempt in range(attempts):
            if self.chance.random() < self.faults.crash:
                self.figures.faults["crash"] += 1
                raise Crashed
            reply = await self._send(message)
            if reply.ok or (reply.status == 200 and reply.code in self._final):
                self.book.settle(message, "done" if reply.ok else "refused", reply.code)
                break
            if attempt > RETRANSMISSIONS:
                await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, 0.05 * 2 ** (attempt - RETRANSMISSIONS)))
        return message

    async def _send(self, message: Message) -> Reply:
        request = Request(f"{self._base}/{message.verb}", message.body.encode())
        if self.chance.random() < self.faults.delay:
            self.figures.faults["delay"] += 1
            await asyncio.sleep(self.chance.uniform(0, 0.2))
        if self.chance.random() < self.faults.drop:
            self.figures.faults["drop"] += 1
            return await self._drop(request)
        if self.chance.random() < self.faults.repeat:
            self.figures.faults["repeat"] += 1
            replies = await asyncio.gather(self._exchange(request), self._exchange(request))
            return replies[self.chance.randrange(2)]
        return await self._exchange(request)

    async def _exchange(self, request: Request) -> Reply:
        begun = time.monotonic()
        self.figures.sent += 1
        try:
            reply = Reply.of(await self._client.exchange(request))
        except Unavailable:
            self.figures.silent += 1
            return NO_ANSWER
        self.figures.waits.append(time.monotonic() - begun)
        return reply

    async def _drop(self, request: Request) -> Reply:
        """Send it, and hang up before the answer."""
        parts = urlsplit(self._url)
        secure = ssl.create_default_context() if parts.scheme == "https" else None
        head = (
            f"POST {parts.path.rstrip('/')}{request.target} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(request.body)}\r\n\r\n"
        )
        self.figures.sent += 1
        try:
            port = parts.port or (443 if secure else 80)
            _, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
        except OSError:
            return NO_ANSWER
        writer.write(head.encode() + request.body)
        await asyncio.sleep(self.chance.uniform(0, 0.02))
        writer.transport.abort()
        return NO_ANSWER
