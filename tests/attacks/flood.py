"""Very many clients who do not wait: each on a connection of its own, as cheap for us as can be.

No oracle here: who sends, who was answered with which status, and when.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tests.support.server import Call

AT_ONCE = 500
"""Connections that are being opened at the same time."""
NO_LINGER = struct.pack("ii", 1, 0)
"""A connection that ends so leaves no port behind that rests for a minute."""


class Sender(asyncio.Protocol):
    """One client with one request."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self._sent_at = 0.0
        self.status = 0
        """0: not answered yet."""
        self.waited = 0.0
        """Seconds from before it was sent until after the answer came."""

    async def connect(self, url: str) -> None:
        host, port = urlsplit(url).netloc.split(":")
        await asyncio.get_running_loop().create_connection(lambda: self, host, int(port))

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)

    def send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.monotonic()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if b"\r\n\r\n" in self._got and not self.status:
            self.waited = time.monotonic() - self._sent_at
            self.status = int(self._got[9:12])

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def flood(url: str, calls: Sequence[Call]) -> list[Sender]:
    """All connect; then all send."""
    senders = [Sender(_spelled(call)) for call in calls]
    for start in range(0, len(senders), AT_ONCE):
        await asyncio.gather(*(sender.connect(url) for sender in senders[start : start + AT_ONCE]))
    for sender in senders:
        sender.send()
    return senders


def _spelled(call: Call) -> bytes:
    head = f"POST {call.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(call.body)}\r\n\r\n".encode() + call.body


def allow_connections() -> None:
    """Each is a file; the soft limit of them is low on most machines."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
