"""The HTTP server: the listening sockets, the connections under them, their limits, and an orderly end.

Made for one thing: short JSON requests, each answered by a callable. Only this package knows that HTTP is
spoken over sockets; it may not know what the requests mean, nor log anything a client sent.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from contextlib import suppress
from typing import Final

import msgspec

from caisse.web.server.connection import LINGER_SPARE, Connection, ServerState
from caisse.web.server.exchange import App, Exchange, Limits, Reject
from caisse.web.server.sockets import bound_buffers

__all__ = ["App", "Exchange", "Limits", "Reject", "Server"]

# Connections that may wait for our accept(); the kernel caps it (net.core.somaxconn).
BACKLOG: Final = 4096
# Files that are not for connections. Half of them are for those over the limit, each until it has its 503;
# half for the rest of the process: the database's connections and files, pages of rounds, the log.
SPARE_FILES: Final = 2 * LINGER_SPARE
# A stop says so in answers for this long before it listens no more and closes idle connections. A client that
# sends in that moment is answered, and told to close, instead of being reset; a load balancer that asks for
# health sees that the server drains.
NOTICE_SECONDS: Final = 1.0
# Deadlines are looked at this often: one walk over all connections instead of a timer per request.
SWEEP_SECONDS: Final = 1.0
DEFAULTS: Final = Limits()

_log = logging.getLogger("caisse.web")


class Server(ServerState):
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
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.limits = affordable(self.limits, files)
        self.lingering = spare(files) // 2
        self._listener = await loop.create_server(
            lambda: Connection(self, loop), host, port, backlog=BACKLOG, reuse_address=True, reuse_port=False
        )
        for listening in self._listener.sockets:
            bound_buffers(listening)
        self.addresses = tuple(s.getsockname()[:2] for s in self._listener.sockets)
        self._sweep(loop)

    def stop_accepting(self) -> None:
        if self._listener is not None:
            self._listener.close()

    async def drain(self, seconds: float, notice: float = NOTICE_SECONDS) -> None:
        """Answer on for the seconds of notice, or until no connection is open: each answer is the last of its
        connection. Then take no more, and let every request that was begun have its answer, for so many
        seconds; then end what is left.
        """
        self.draining = True
        await self._until_empty(notice)
        self.ending = True
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
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.open:  # a client may have come since the last one left
                    self._empty.clear()
                    await self._empty.wait()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = loop.call_later(self._interval, self._sweep, loop)
        now = loop.time()
        for connection in [c for c in self.open if c.deadline < now]:
            connection.expire()


def spare(files: int) -> int:
    """Files of so many that are not for connections; half of very few."""
    return SPARE_FILES if files == resource.RLIM_INFINITY else min(SPARE_FILES, files // 2)


def affordable(limits: Limits, files: int) -> Limits:
    """With no more connections than so many files allow; a warning says so in the log."""
    most = files - spare(files)
    if files == resource.RLIM_INFINITY or most >= limits.connections:
        return limits
    _log.warning(
        "the process may have %d files: the server takes %d connections, not %d; raise the hard limit of open"
        " files to %d (ulimit -Hn, LimitNOFILE)",
        *(files, most, limits.connections, limits.connections + SPARE_FILES),
    )
    return msgspec.structs.replace(limits, connections=most)
