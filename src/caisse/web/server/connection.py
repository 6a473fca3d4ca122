"""The life of one HTTP/1 connection: one request at a time to the application, answers out in order, an end.

| what the connection waits for | at most | then |
|---|---|---|
| the first byte of a new connection | `receive_seconds` | closed without a word |
| the next request | `idle_seconds` | closed without a word |
| the rest of a request that has begun | `receive_seconds` from its first byte | 408, and its end |
| the application's answer | `answer_seconds` | 503, and its end |
| room to write: the client does not take its answer | `receive_seconds` | reset |
| the client to take its last answer | `receive_seconds` | reset |
| the client to close, after it took its last answer | `LINGER_SECONDS` | closed |

The next request is not read before the last answer left our memory, and the kernel keeps `SEND_BYTES` of it.
What has arrived by its deadline but was not read yet, for the process stood still, is read before judging.

It may not know paths, verdicts or bodies, and may not log anything a client sent.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from math import inf
from typing import Final, cast

from caisse.web.server.exchange import App, Exchange, Headers, Limits, Reject, full_answer, plain_answer
from caisse.web.server.parser import BROKEN, COMPLETE, FRESH, RequestParser
from caisse.web.server.sockets import Socket, acknowledge, throw_away, unread, untaken
from caisse.web.server.unsent import Unsent

_log = logging.getLogger("caisse.web")

# What the connection waits for.
READING: Final = 0  # bytes of a request
FLIGHT: Final = 1  # the application's answer
CLOSING: Final = 2  # its end; whatever still arrives is thrown away

# After its last answer the client may still be sending, and if we closed at once, its kernel would drop the
# answer. So we close our half and throw away what comes, but no more and no longer than this.
LINGER_BYTES: Final = 1024 * 1024
LINGER_SECONDS: Final = 2.0
# Longer bodies are written as they are, behind their head: whoever asks for a document and does not take it
# costs no copy of it.
SHARED_BYTES: Final = 16 * 1024
# Connections over the limit that may linger at the same time; those beyond get their 503 and a plain close.
LINGER_SPARE: Final = 256


class ServerState:
    """What all connections of one server share."""

    def __init__(self, app: App, reject: Reject, limits: Limits) -> None:
        self.app = app
        self.reject = reject
        self.limits = limits
        self.draining = False  # each answer is its connection's last
        self.ending = False  # and no request is waited for any more
        self.lingering = LINGER_SPARE
        self.unsent = Unsent(limits.unsent_bytes)
        self.open: set[Connection] = set()
        # Answers made in this step of the loop, and whether their connections are kept.
        self.posted: list[tuple[Connection, tuple[bytes, ...], bool]] = []
        self.accepted = 0
        self.refused = 0
        self.requests = 0
        self.rejected: dict[int, int] = {}

    def left(self, connection: Connection) -> None:
        self.open.discard(connection)
        self.unsent.forget(connection)

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
    """One client. Every moment of it has a deadline."""

    __slots__ = (
        "_blocked", "_end", "_eof", "_exchange", "_incoming", "_keep_alive", "_limits", "_loop", "_peer",
        "_phase", "_postponed", "_rare", "_receiving", "_rest", "_rest_at", "_shared", "_socket",
        "_to_discard", "_transport", "deadline",
    )  # fmt: skip

    _transport: asyncio.Transport
    _socket: Socket

    def __init__(self, shared: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        self._shared = shared
        self._limits = shared.limits
        self._loop = loop
        self._incoming = RequestParser(shared.limits)
        self._phase = READING
        self._peer = ""
        self._exchange: Exchange | None = None  # the request in flight
        self._receiving = False  # some of a request has arrived
        self._blocked = False  # the client does not take its answers
        self._eof = False  # the client will send no more
        self._postponed = False  # the deadline has passed, but something had arrived before
        self._rest = b""  # what came behind the request in flight; reading is paused while there is any
        self._rest_at = 0
        self._to_discard = LINGER_BYTES
        self._end = inf  # when closing: the last moment to take the last answer, in loop time
        self.deadline = inf  # in loop time; the server's sweep calls expire() when it has passed

    # -- what the transport calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        shared = self._shared
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)  # blocked as soon as anything stays with us
        self._socket = transport.get_extra_info("socket")
        self._peer = (transport.get_extra_info("peername") or ("",))[0]
        self._due_in(self._limits.receive_seconds)
        shared.open.add(self)
        shared.accepted += 1
        excess = len(shared.open) - shared.limits.connections
        if excess > 0:
            shared.refused += 1
            self._refuse(503)
            if excess > shared.lingering:
                self._transport.close()
        elif shared.ending:
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._phase = CLOSING
        self._rest = b""
        self._exchange = None
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
            self._close_if_taken()
        elif self._phase == READING and not self._rest and not self._blocked:
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
        if self._phase != CLOSING:
            if self._idle():
                self._due_in(self._limits.idle_seconds)
            self._resume()

    # -- what the server calls --

    def expire(self) -> None:
        """The deadline has passed."""
        if self._phase == CLOSING:
            self._close_if_taken()
        elif self._blocked:
            self.abort()
        elif self._phase == FLIGHT:
            _log.error("the application did not answer in %g seconds", self._limits.answer_seconds)
            self._refuse(503)
        elif not self._postponed and unread(self._socket):
            self._postponed = True
            self._due_in(0)
        elif self._idle():
            self._close()
        else:
            self._refuse(408)

    def close_if_idle(self) -> None:
        """Unless a request has arrived: it is read next, and answered."""
        if self._idle() and not self._rest and not self._blocked and not unread(self._socket):
            self._close()

    def queued(self) -> int:
        """Bytes that the client has not taken, our own half's end among them."""
        buffered = self._transport.get_write_buffer_size()
        return buffered if self._transport.is_closing() else buffered + untaken(self._socket)

    def abort(self) -> None:
        """End it now. What the client has not taken it never gets."""
        self._phase = CLOSING
        if not self._transport.is_closing() and self.queued():
            throw_away(self._socket)
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
        elif incoming.state != FRESH:
            self._await_more()
            if at < len(data):
                self._hold(data, at)
                self._loop.call_soon(self._resume)

    def _await_more(self) -> None:
        if not self._receiving:
            self._receiving = True
            self._postponed = False
            self._due_in(self._limits.receive_seconds)
            acknowledge(self._socket)
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
        self._postponed = False
        self._due_in(self._limits.answer_seconds)
        self._exchange = exchange = incoming.take(self, self._peer)
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
        if self._exchange is not exchange:
            return
        self._exchange = None
        keep = self._keep_alive and not exchange.last and not self._shared.draining
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

    def hang_up(self, exchange: Exchange) -> None:
        """Answer this one by an end."""
        if self._exchange is exchange:
            self.abort()

    def send(self, parts: tuple[bytes, ...], keep: bool) -> None:
        """Write a posted answer, unless the client went away meanwhile."""
        if self._phase != FLIGHT or self._transport.is_closing():
            return
        self._write(parts)
        if self._phase != FLIGHT:
            return  # too much is unsent, and this client owed most
        if keep and not self._shared.draining:
            self._next()
        else:
            self._close(linger=True)

    def _write(self, parts: tuple[bytes, ...]) -> None:
        self._transport.writelines(parts)
        self._shared.unsent.add(self, sum(map(len, parts)))

    def _next(self) -> None:
        self._phase = READING
        if not self._blocked:
            self.deadline = self._loop.time() + self._limits.idle_seconds
        if self._rest or self._eof:
            # In a step of its own: a thousand requests in one read must not keep the loop from the others.
            self._loop.call_soon(self._resume)

    # -- the end --

    def _refuse(self, status: int) -> None:
        """Give the server's own answer, to the request in flight or to the one that is being read."""
        asked = self._exchange or self._incoming
        self._exchange = None
        told, body, headers = self._shared.rejection(status, asked.path)
        self._phase = CLOSING
        self._write((full_answer(told, body, headers, False, asked.method == "HEAD"),))
        self._close(linger=True)

    def _close(self, linger: bool = False) -> None:
        """Close our half now; the rest once the client took all and, if lingering, closed its own half."""
        self._phase = CLOSING
        self._rest = b""
        if self._transport.is_closing():
            return
        if not self.queued() and (self._eof or not linger):
            self._transport.close()
            return
        self._end = self._loop.time() + self._limits.receive_seconds
        self._due_in(0 if self._eof else min(LINGER_SECONDS, self._limits.receive_seconds))
        self._transport.write_eof()
        self._transport.resume_reading()

    def _close_if_taken(self) -> None:
        """Else the kernel would keep for minutes what the client does not take, and nobody would count it."""
        if not self.queued():
            self._transport.close()
        elif self._loop.time() >= self._end:
            self.abort()
        else:
            self._due_in(0)  # looked at again by the next sweep

    def _discard(self, size: int) -> None:
        self._to_discard -= size
        if self._to_discard < 0:
            self.abort()

    def _due_in(self, seconds: float) -> None:
        self.deadline = self._loop.time() + seconds
