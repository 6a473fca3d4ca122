"""Counting what goes over the wire to PostgreSQL, whatever the store does: a proxy that reads along."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

SYNC, QUERY = b"S", b"Q"


class Proxy:
    """Hands bytes on, and counts the messages after which a client waits for the server."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()
        self.count = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(*self._server)
        back = asyncio.create_task(self._hand_on(upstream, writer))
        self._tasks.add(back)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._read_along(reader, downstream)
        downstream.close()
        back.cancel()

    async def _read_along(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The first message has no type; all others have one byte, then their length."""
        kind = b""
        while True:
            length = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(length, "big") - 4)
            self.count += kind in (SYNC, QUERY)
            writer.write(kind + length + body)
            kind = await reader.readexactly(1)

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[str, Proxy]]:
    """The address of the same database through a proxy, and the proxy."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 5432)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    netloc = f"{parts.username}@127.0.0.1:{port}"
    yield parts._replace(netloc=netloc, query="sslmode=disable").geturl(), proxy
    server.close()
