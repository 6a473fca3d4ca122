"""How a check sends: over the client, over raw sockets that it may drop, many at once. And what it may
expect.
"""

from __future__ import annotations

import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from http.client import HTTPException, HTTPResponse
from typing import TypeVar
from urllib.parse import urlsplit

from caisse_client import Client, Request, Response, Unavailable
from caisse_kit.check import Failed, NotRun
from caisse_kit.reply import NO_ANSWER, Reply
from caisse_kit.tape import Tape
from caisse_kit.target import Target

T = TypeVar("T")

DROP_PAUSE = 0.05
"""Between sending a request and dropping the connection, in seconds: the wallet has read it by then."""


class Stage:
    """Sends for one check and remembers all of it. Ids it makes are new in every run."""

    def __init__(self, target: Target, client: Client, run: str, chance: random.Random) -> None:
        self.target = target
        self.chance = chance
        self.tape = Tape(target.url, target.shown_url, target.secrets)
        self._client = client
        self._run = run
        self._ids = 0
        self._lock = threading.Lock()

    def new(self, kind: str) -> str:
        """An id that no run ever had."""
        with self._lock:
            self._ids += 1
            return f"{kind}-{self._run}-{self._ids}"

    def exchange(self, request: Request, note: str = "") -> Reply:
        """Send one and wait for its answer; no answer is a reply too."""
        begun = time.monotonic()
        try:
            reply = Reply.of(self._client.exchange(request))
        except Unavailable:
            reply = replace(NO_ANSWER, seconds=time.monotonic() - begun)
        self.remember(request, reply, note)
        return reply

    def remember(self, request: Request, reply: Reply, note: str) -> None:
        """Put an exchange on the tape."""
        self.tape.add(
            request.method,
            request.target,
            request.headers,
            request.body,
            reply.status,
            reply.raw,
            reply.seconds,
            note,
        )

    def drop(self, request: Request, *, announce: int | None = None, politely: bool = False) -> None:
        """Send one and hang up before its answer; `politely`: by ending the sending side first.

        `announce` is another Content-Length than the body's.
        """
        length = len(request.body) if announce is None else announce
        with self._socket() as raw:
            raw.sendall(self._head(request, f"Content-Length: {length}") + request.body)
            if politely:
                raw.shutdown(socket.SHUT_WR)
            time.sleep(DROP_PAUSE)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.remember(request, NO_ANSWER, "the kit hung up before the answer")

    def exchange_in_chunks(self, request: Request) -> Reply:
        """Send one with a body in two chunks and no length."""
        begun = time.monotonic()
        middle = len(request.body) // 2
        chunks = [request.body[:middle], request.body[middle:], b""]
        sent = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        head = self._head(request, "Transfer-Encoding: chunked\r\nConnection: close")
        try:
            with self._socket() as raw:
                raw.sendall(head + sent)
                answer = HTTPResponse(raw)
                answer.begin()
                response = Response(answer.status, answer.read(), dict(answer.getheaders()))
            reply = Reply.of(response)
        except (OSError, HTTPException):
            reply = NO_ANSWER
        reply = replace(reply, seconds=time.monotonic() - begun)
        self.remember(request, reply, "the body was sent in chunks")
        return reply

    def _head(self, request: Request, framing: str) -> bytes:
        parts = urlsplit(self.target.url)
        lines = [f"POST {parts.path.rstrip('/')}{request.target} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        return "\r\n".join([*lines, framing, "", ""]).encode()

    def _socket(self) -> socket.socket:
        parts = urlsplit(self.target.url)
        secure = parts.scheme == "https"
        address = (parts.hostname or "", parts.port or (443 if secure else 80))
        try:
            raw = socket.create_connection(address, timeout=self.target.timeout)
        except OSError:
            raise Failed("the wallet does not take connections") from None
        if not secure:
            return raw
        return ssl.create_default_context().wrap_socket(raw, server_hostname=parts.hostname)

    def at_once(self, sends: Sequence[Callable[[], T]]) -> list[T]:
        """All at the same moment, each on a thread of its own."""
        gate = threading.Barrier(len(sends))

        def behind_the_gate(send: Callable[[], T]) -> T:
            gate.wait()
            return send()

        with ThreadPoolExecutor(len(sends)) as pool:
            return list(pool.map(behind_the_gate, sends))

    def restart(self) -> None:
        """Restart the wallet and wait until it takes connections again."""
        if self.target.restart is None:
            raise NotRun("needs --restart-command")
        self.target.restart()
        deadline = time.monotonic() + 60
        while True:
            try:
                self._socket().close()
            except Failed:
                if time.monotonic() > deadline:
                    raise Failed("the wallet did not come back within 60 s of its restart") from None
                time.sleep(0.1)
            else:
                return


def plain(amount: Decimal) -> str:
    """As people read it."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_seconds(seconds: float) -> str:
    """As people read it."""
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def must_succeed(request: object, ok: bool, reply: Reply, why: str) -> None:
    """Failed unless the reply is a success; `why` stands in the message if it is given."""
    if not ok:
        raise Failed(f"{request} must be accepted{_because(why)}, and the answer was: {reply}")


def must_be_refused(request: object, ok: bool, reply: Reply, why: str) -> None:
    """Failed unless the reply is a refusal: neither a success nor the server's own failure."""
    if ok:
        raise Failed(f"{request} must be refused{_because(why)}, and the answer was: {reply}")
    if reply.crashed:
        raise Failed(f"{request} must be refused by an answer{_because(why)}; instead: {reply}")


def _because(why: str) -> str:
    return f" ({why})" if why else ""
