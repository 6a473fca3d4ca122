"""A server on a free port and a client that sends bytes as they are, for the tests of the HTTP server."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import uvloop

from caisse.web.server.http import App, Exchange, Limits, Server

PATIENCE = 10.0  # seconds until a test that hangs fails instead

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run_on(loop: str, test: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(asyncio.wait_for(test, 3 * PATIENCE))


def reject(status: int, path: str) -> tuple[int, bytes]:
    return status, json.dumps({"rejected": status, "path": path}).encode()


class Site:
    """A server whose application keeps what it was given, and answers with it, at once or when told."""

    def __init__(self, app: App | None, hold: bool, limits: dict[str, Any]) -> None:
        self.seen: list[Exchange] = []
        self.hold = hold
        self.app = app or self.echo
        self.server = Server(self.take, reject, Limits(**limits))

    def take(self, exchange: Exchange) -> None:
        self.seen.append(exchange)
        if not self.hold:
            self.app(exchange)

    def echo(self, exchange: Exchange) -> None:
        exchange.respond(200, f"{exchange.method} {exchange.path} ".encode() + exchange.body)

    @property
    def paths(self) -> list[str]:
        return [exchange.path for exchange in self.seen]

    async def until_seen(self, count: int) -> None:
        await until(lambda: len(self.seen) >= count)

    async def until_empty(self) -> None:
        await until(lambda: not self.server.connections)

    async def client(self) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.server.port))

    async def ask(self, data: bytes) -> list[Answer]:
        """Send, close our half, and take all the answers."""
        client = await self.client()
        await client.send(data)
        client.writer.write_eof()
        return answers(await client.rest())


@asynccontextmanager
async def site(app: App | None = None, hold: bool = False, **limits: Any) -> AsyncIterator[Site]:
    there = Site(app, hold, limits)
    await there.server.start("127.0.0.1", 0)
    try:
        yield there
    finally:
        await there.server.drain(0, notice=0)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        head = await within(self.reader.readuntil(b"\r\n\r\n"))
        status, headers = parse_head(head)
        return Answer(status, headers, await within(self.reader.readexactly(length(headers))))

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        data = await within(self.reader.read())
        self.writer.close()
        return data

    def reset(self) -> None:
        """Vanish, so that the server's kernel hears of it at once."""
        hard = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
        self.writer.transport.abort()

    async def gone(self) -> bool:
        """Whether the server closes without another byte; a reset is as good."""
        try:
            return await self.rest() == b""
        except ConnectionResetError:
            return True


def length(headers: dict[str, str]) -> int:
    return int(headers.get("content-length", 0))


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    return int(first.split(" ")[1]), dict(line.split(": ", 1) for line in lines)


def answers(data: bytes) -> list[Answer]:
    """Take apart a stream of answers, none of them to HEAD."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status, headers = parse_head(head)
        size = length(headers)
        found.append(Answer(status, headers, data[:size]))
        data = data[size:]
    return found


def post(path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def head(*lines: str) -> bytes:
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


async def within(awaitable: Coroutine[Any, Any, bytes]) -> bytes:
    return await asyncio.wait_for(awaitable, PATIENCE)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - what is awaited is a state of the server, which tells nobody
            await asyncio.sleep(0.005)
