"""The HTTP server: the listening sockets, the connections under them, their limits, and an orderly end.

Made for one thing: short JSON requests, each answered by a callable. Only this package knows that HTTP is
spoken over sockets; it may not know what the requests mean, nor log anything a client sent.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

from caisse.web.connection import Connection, Shared
from caisse.web.exchange import App, Exchange, Limits, Reject

__all__ = ["App", "Exchange", "Limits", "Reject", "Server"]

# Connections that may wait for our accept(); the kernel caps it (net.core.somaxconn).
BACKLOG: Final = 4096
# What the kernel keeps of bytes that we do not read yet, and so the most that one read brings: without a
# limit some MiB for each client who sends on and on. A system doubles it, and counts its own overhead in.
RECEIVE_BYTES: Final = 32 * 1024
# Deadlines are looked at this often: one walk over all connections instead of a timer per request.
SWEEP_SECONDS: Final = 1.0
DEFAULTS: Final = Limits()


class Server(Shared):
    """Counters are plain integers, read by whoever exports them: accepted, refused, requests, rejected."""

    def __init__(self, app: App, reject: Reject, limits: Limits = DEFAULTS) -> None:
        super().__init__(app, reject, limits)
        self._listener: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        # Short limits need a quicker sweep to mean anything.
        self._interval = min(SWEEP_SECONDS, limits.receive_seconds / 4, limits.idle_seconds / 4)
        self.addresses: tuple[tuple[str, int], ...] = ()

    @property
    def connections(self) -> int:
        return len(self.open)

    @property
    def port(self) -> int:
        return self.addresses[0][1]

    async def start(self, host: str, port: int) -> None:
        """Listen. Never with SO_REUSEPORT: a second server on the same port must fail, not share it."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Connection(self, loop), host, port, backlog=BACKLOG, reuse_address=True, reuse_port=False
        )
        for listening in self._listener.sockets:  # what is accepted from them inherits it
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self.addresses = tuple(s.getsockname()[:2] for s in self._listener.sockets)
        self._sweep(loop)

    def stop_accepting(self) -> None:
        if self._listener is not None:
            self._listener.close()

    async def drain(self, seconds: float) -> None:
        """Let every request that was begun have its answer, for so long; then end what is left."""
        self.draining = True
        self.stop_accepting()
        for connection in tuple(self.open):
            connection.close_if_idle()
        await self._until_empty(seconds)
        for connection in tuple(self.open):
            connection.abort()
        await self._until_empty(SWEEP_SECONDS)
        if self._sweeper is not None:
            self._sweeper.cancel()

    def left(self, connection: Connection) -> None:
        super().left(connection)
        if not self.open:
            self._empty.set()

    async def _until_empty(self, seconds: float) -> None:
        self._empty.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.open:
                    await self._empty.wait()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = loop.call_later(self._interval, self._sweep, loop)
        now = loop.time()
        for connection in [c for c in self.open if c.deadline < now]:
            connection.expire()
