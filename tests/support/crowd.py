"""Many clients at once, each on a connection of its own, with nothing between them and the socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

from tests.support.server import PATIENCE, Answer, Call, Server

CLIENTS = 64


class Lost(Exception):
    """The connection ended before the answer: what became of the request is not known."""


class Line:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str, source: str = "") -> Self:
        """From that address of this machine, if one is given. Lost if nobody listens."""
        target, local = urlsplit(url), (source, 0) if source else None
        try:
            return cls(*await asyncio.open_connection(target.hostname, target.port, local_addr=local))
        except OSError as error:
            raise Lost(str(error)) from error

    async def ask(self, call: Call, headers: str = "", method: str = "POST") -> None:
        """One request; its answer is not waited for."""
        head = f"{method} {call.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}{headers}Content-Length: {len(call.body)}\r\n\r\n".encode() + call.body)
        await self._writer.drain()

    async def send(self, call: Call, headers: str = "", method: str = "POST") -> Answer:
        """One request, one answer. Lost if the connection ends."""
        try:
            await self.ask(call, headers, method)
            return await asyncio.wait_for(self._answer(), PATIENCE)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Lost(str(error)) from error

    async def _answer(self) -> Answer:
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(first.split(" ")[1]), body, headers)

    def close(self) -> None:
        self._writer.close()


async def _all_at_once(urls: Sequence[str], calls: Sequence[Call]) -> list[Answer]:
    lines = [await Line.open(urls[n % len(urls)]) for n in range(len(calls))]
    try:
        return list(await asyncio.gather(*map(Line.send, lines, calls)))
    finally:
        for line in lines:
            line.close()


def crowd(servers: Sequence[Server], calls: Sequence[Call]) -> list[Answer]:
    """Send all at the same moment, each from its own client, spread over the servers; answers in order."""
    return asyncio.run(_all_at_once([server.url for server in servers], calls))


async def _in_order(url: str, calls: Sequence[Call], clients: int) -> list[Answer]:
    left = list(reversed(list(enumerate(calls))))
    answers: dict[int, Answer] = {}

    async def client() -> None:
        line = await Line.open(url)
        while left:
            n, call = left.pop()
            answers[n] = await line.send(call)
        line.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return [answers[n] for n in range(len(calls))]


def sent(server: Server, calls: Sequence[Call], clients: int = CLIENTS) -> list[Answer]:
    """Send any number of calls, as many at a time as there are clients; the answers in order."""
    return asyncio.run(_in_order(server.url, calls, clients))


async def _hang_up(urls: Sequence[str], calls: Sequence[Call]) -> None:
    lines = [await Line.open(urls[n % len(urls)]) for n in range(len(calls))]
    await asyncio.gather(*map(Line.ask, lines, calls))
    for line in lines:
        line.close()


def hang_up(servers: Sequence[Server], calls: Sequence[Call]) -> None:
    """Send all at the same moment, and leave before any answer."""
    asyncio.run(_hang_up([server.url for server in servers], calls))
