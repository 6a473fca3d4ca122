"""The life of one HTTP/1 connection: one request at a time to the application, answers out in order, an end.

It may not know paths, verdicts or bodies, and may not log anything a client sent.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from math import inf
from typing import Final, cast

from caisse.web.exchange import App, Exchange, Headers, Limits, Reject, full_answer, plain_answer
from caisse.web.incoming import BROKEN, COMPLETE, FRESH, Incoming

_log = logging.getLogger("caisse.web")

# What the connection waits for.
READING: Final = 0  # bytes of a request
FLIGHT: Final = 1  # the application's answer
CLOSING: Final = 2  # its end; whatever still arrives is thrown away

# After an error answer the client may still be sending, and if we closed at once, its kernel would drop the
# answer. So we close our half and throw away what comes, but no more and no longer than this.
LINGER_BYTES: Final = 1024 * 1024
LINGER_SECONDS: Final = 2.0
# Longer bodies are written as they are, behind their head: whoever asks for a document and does not take it
# costs no copy of it.
SHARED_BYTES: Final = 16 * 1024
# Connections over the limit that may linger at the same time; those beyond get their 503 and a plain close.
LINGER_SPARE: Final = 256


class Shared:
    """What all connections of one server share."""

    def __init__(self, app: App, reject: Reject, limits: Limits) -> None:
        self.app = app
        self.reject = reject
        self.limits = limits
        self.draining = False
        self.open: set[Connection] = set()
        # Answers made in this step of the loop, and whether their connections are kept.
        self.posted: list[tuple[Connection, tuple[bytes, ...], bool]] = []
        self.accepted = 0
        self.refused = 0
        self.requests = 0
        self.rejected: dict[int, int] = {}

    def left(self, connection: Connection) -> None:
        self.open.discard(connection)

    def send(self) -> None:
        """Write what was posted; no client's failure is another's business."""
        posted, self.posted = self.posted, []
        for connection, parts, keep in posted:
            try:
                connection.send(parts, keep)
            except Exception as error:
                _log.error("an answer could not be sent: %s", type(error).__name__)
                connection.abort()

    def rejection(self, status: int, path: str) -> tuple[int, bytes, Headers]:
        """The answer that this server gives by itself."""
        self.rejected[status] = self.rejected.get(status, 0) + 1
        told, body = self.reject(status, path)
        return told, body, (("retry-after", "1"),) if told == 503 else ()


class Connection(asyncio.Protocol):
    """One client. Every moment of it has a deadline, but for the time the application takes."""

    __slots__ = (
        "_blocked", "_eof", "_incoming", "_keep_alive", "_limits", "_loop", "_peer", "_phase", "_rare",
        "_receiving", "_rest", "_rest_at", "_shared", "_to_discard", "_transport", "deadline",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        self._shared = shared
        self._limits = shared.limits
        self._loop = loop
        self._incoming = Incoming(shared.limits)
        self._phase = READING
        self._peer = ""
        self._receiving = False  # some of a request has arrived
        self._blocked = False  # the client does not take its answers
        self._eof = False  # the client will send no more
        self._rest = b""  # what came behind the request in flight; reading is paused while there is any
        self._rest_at = 0
        self._to_discard = LINGER_BYTES
        self.deadline = inf  # in loop time; the server's sweep calls expire() when it has passed

    # -- what the transport calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        shared = self._shared
        self._transport = cast(asyncio.Transport, transport)
        self._peer = (transport.get_extra_info("peername") or ("",))[0]
        self._due_in(self._limits.receive_seconds)
        shared.open.add(self)
        shared.accepted += 1
        excess = len(shared.open) - self._limits.connections
        if excess > 0:
            shared.refused += 1
            self._refuse(503, linger=excess <= LINGER_SPARE)
        elif shared.draining:
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._phase = CLOSING
        self._rest = b""
        self._incoming.forget()
        self._shared.left(self)

    def data_received(self, data: bytes) -> None:
        if self._phase == READING and not self._rest and not self._blocked:
            self._read(data, 0)
        elif self._phase == CLOSING:
            self._discard(len(data))
        else:
            self._hold(self._rest[self._rest_at :] + data, 0)

    def eof_received(self) -> bool:
        """A client may close its half and still wait for its answers."""
        self._eof = True
        if self._phase == CLOSING:
            self._transport.close()
        elif self._phase == READING and not self._rest:
            self._close()
        return True

    def pause_writing(self) -> None:
        """The client does not take its answers: it gets no further ones, and not for ever."""
        self._blocked = True
        if self._phase != CLOSING:
            self._transport.pause_reading()
            self._due_in(self._limits.receive_seconds)

    def resume_writing(self) -> None:
        self._blocked = False
        if self._phase == FLIGHT:
            self.deadline = inf
        elif self._idle():
            self._due_in(self._limits.idle_seconds)
        self._resume()

    # -- what the server calls --

    def expire(self) -> None:
        """The deadline has passed."""
        if self._blocked or self._phase == CLOSING:
            self.abort()
        elif self._idle():
            self._close()
        else:
            self._refuse(408)

    def close_if_idle(self) -> None:
        if self._idle() and not self._rest:
            self._close()

    def abort(self) -> None:
        self._phase = CLOSING
        self._transport.abort()

    # -- reading --

    def _idle(self) -> bool:
        return self._phase == READING and self._incoming.state == FRESH

    def _read(self, data: bytes, at: int) -> None:
        incoming = self._incoming
        at = incoming.read(data, at)
        if incoming.state == COMPLETE:
            if at < len(data):
                self._hold(data, at)
            self._dispatch()
        elif incoming.state == BROKEN:
            self._refuse(incoming.fault)
        else:
            self._await_more()
            if at < len(data):
                self._hold(data, at)
                self._loop.call_soon(self._resume)

    def _await_more(self) -> None:
        if not self._receiving:
            self._receiving = True
            self._due_in(self._limits.receive_seconds)
        if self._incoming.expects:
            self._incoming.expects = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _hold(self, data: bytes, at: int) -> None:
        """Keep for later, and let the kernel keep the rest: a connection costs us one read at most."""
        self._rest = data
        self._rest_at = at
        self._transport.pause_reading()

    def _resume(self) -> None:
        """Take up what was held, then reading, as far as the state allows."""
        if self._rest and self._phase == READING and not self._blocked:
            data, self._rest = self._rest, b""
            self._read(data, self._rest_at)
        if not (self._rest or self._blocked or self._phase == CLOSING):
            self._read_on()

    def _read_on(self) -> None:
        if not self._eof:
            self._transport.resume_reading()
        elif self._phase == READING:
            self._close()

    # -- answering --

    def _dispatch(self) -> None:
        shared, incoming = self._shared, self._incoming
        self._phase = FLIGHT
        self._receiving = False
        self._keep_alive = incoming.keep_alive
        self._rare = incoming.rare
        self.deadline = inf
        exchange = incoming.take(self, self._peer)
        shared.requests += 1
        try:
            shared.app(exchange)
        except Exception as error:
            self._fail(exchange, error)

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        """Answer for a bug of the application. Its text may quote the request, so it is not logged."""
        place = "".join(traceback.format_tb(error.__traceback__))
        _log.error("the application failed: %s\n%s", type(error).__name__, place)
        if not exchange.answered:
            exchange.respond(*self._shared.rejection(503, exchange.path))

    def answer(self, exchange: Exchange, status: int, body: bytes, headers: Headers) -> None:
        """Post the answer: it is written in the loop's next step, with all others of this one.

        The writer's next batch is then made of requests that came before these answers, and who is answered
        now gathers for the one after: more is under way at once. Decision 0038.
        """
        if self._phase != FLIGHT:
            return
        keep = self._keep_alive and not self._shared.draining
        parts: tuple[bytes, ...]
        if len(body) > SHARED_BYTES and exchange.method != "HEAD":
            parts = full_answer(status, body, headers, keep, bodiless=True), body
        elif keep and not headers and not self._rare and exchange.method != "HEAD":
            parts = (plain_answer(status, body),)
        else:
            parts = (full_answer(status, body, headers, keep, exchange.method == "HEAD"),)
        posted = self._shared.posted
        if not posted:
            self._loop.call_soon(self._shared.send)
        posted.append((self, parts, keep))

    def send(self, parts: tuple[bytes, ...], keep: bool) -> None:
        """Write a posted answer, unless the client went away meanwhile."""
        if self._phase != FLIGHT or self._transport.is_closing():
            return
        for part in parts:
            self._transport.write(part)
        if keep and not self._shared.draining:
            self._next()
        else:
            self._close(linger=bool(self._rest))

    def _next(self) -> None:
        self._phase = READING
        if not self._blocked:
            self.deadline = self._loop.time() + self._limits.idle_seconds
        if self._rest or self._eof:
            # In a step of its own: a thousand requests in one read must not keep the loop from the others.
            self._loop.call_soon(self._resume)

    # -- the end --

    def _refuse(self, status: int, linger: bool = True) -> None:
        incoming = self._incoming
        told, body, headers = self._shared.rejection(status, incoming.path)
        self._transport.write(full_answer(told, body, headers, False, incoming.method == "HEAD"))
        self._close(linger)

    def _close(self, linger: bool = False) -> None:
        """Close when what was written is sent; lingering, once the client had the time to read it."""
        self._phase = CLOSING
        self._rest = b""
        if not linger or self._eof:
            self._due_in(self._limits.receive_seconds)
            self._transport.close()
            return
        self._due_in(min(LINGER_SECONDS, self._limits.receive_seconds))
        self._transport.write_eof()
        self._transport.resume_reading()

    def _discard(self, size: int) -> None:
        self._to_discard -= size
        if self._to_discard < 0:
            self.abort()

    def _due_in(self, seconds: float) -> None:
        self.deadline = self._loop.time() + seconds
