"""One request with its one answer, the limits on both, and the bytes of an answer.

Nothing here may touch a socket or keep time, nor log what a client sent: the query string carries a token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol

import msgspec

from caisse.web.server.origin import is_loopback, is_own_name

_log = logging.getLogger("caisse.web")

Headers = tuple[tuple[str, str], ...]


class Limits(msgspec.Struct, frozen=True):
    """What one client may cost us."""

    # Bytes of one body, chunks put together. The largest documented request is under 2 KiB.
    body_bytes: int = 16 * 1024
    # Bytes of request line and headers together, as sent. Common proxies allow 8 to 32 KiB.
    head_bytes: int = 16 * 1024
    # Header lines of one request. Browsers behind three proxies send about 40.
    header_count: int = 100
    # Seconds for a whole request, first byte to last; for the first byte of a new connection; and for the
    # client to take its answer. Honest clients need well under one.
    receive_seconds: float = 10.0
    # Seconds for the application to answer. It gives up by itself before, after 8 for a verdict and 12 for a
    # page of rounds; who is behind this limit has met a bug, and gets 503.
    answer_seconds: float = 20.0
    # Seconds of silence between two requests. Longer than the usual 60 of proxies, so that they close first
    # and never send a request into a connection that is being closed.
    idle_seconds: float = 75.0
    # Open connections, some 3 KiB each when idle, and each a file: the server takes fewer if the process may
    # not have so many files.
    connections: int = 20_000
    # Bytes of answers that all clients together may leave untaken, in our memory and in the kernel's. All
    # that is answered in some seconds of full load; beyond it who owes most is cut off.
    unsent_bytes: int = 64 * 1024 * 1024


class Line(Protocol):
    """Where an answer goes."""

    def answer(self, exchange: Exchange, status: int, body: bytes, headers: Headers) -> None: ...
    def hang_up(self, exchange: Exchange) -> None: ...


class Exchange:
    """A complete request. Text is latin-1: every byte kept, nothing percent-decoded."""

    __slots__ = (
        "_direct", "_host", "_line", "authorization", "body", "content_type", "forwarded", "forwarded_for",
        "last", "method", "path", "peer", "query",
    )  # fmt: skip

    def __init__(
        self,
        line: Line,
        method: str,
        path: str,
        query: str,
        content_type: str,
        peer: str,
        body: bytes,
        host: bytes,
        forwarded: bool,
        forwarded_for: str,
        direct: bool,
        authorization: str,
    ) -> None:
        self._line: Line | None = line
        self._host = host
        self._direct = direct
        self.method = method
        self.path = path
        self.query = query
        self.content_type = content_type
        self.authorization = authorization
        self.peer = peer
        self.body = body
        self.forwarded = forwarded
        """It shows a proxy: the peer is not who asks."""
        self.forwarded_for = forwarded_for
        self.last = False
        """Set it before the answer, and the connection ends with that."""

    @property
    def local(self) -> bool:
        """Whether a program on this machine asks: from loopback, by a loopback name, and with no sign of a
        proxy or a browser. The one place where this is decided.
        """
        return self._direct and is_own_name(self._host.decode("latin-1")) and is_loopback(self.peer)

    def respond(self, status: int, body: bytes, headers: Headers = ()) -> None:
        """Answer, once, from the loop's own thread. Without effect when the client is gone.

        The status is none of 1xx, 204 and 304, which may not have a body.
        """
        line = self._line
        if line is None:
            # A bug of the caller, but one that must not take the ledger's writer down with it.
            _log.error("an exchange was answered twice")
            return
        line.answer(self, status, body, headers)
        self._line = None

    def hang_up(self) -> None:
        """End the connection without an answer."""
        line, self._line = self._line, None
        if line is not None:
            line.hang_up(self)

    @property
    def answered(self) -> bool:
        return self._line is None


App = Callable[[Exchange], None]
Reject = Callable[[int, str], tuple[int, bytes]]
"""From an error this server found, and the path as far as known, to the status and body it is told under."""


def split_target(target: bytes) -> tuple[str, str]:
    """Path and query of a request target; of an absolute one too, which a proxy may send."""
    path, _, query = target.decode("latin-1").partition("?")
    if not path.startswith("/") and "://" in path:
        rest = path.split("://", 1)[1]
        path = "/" + rest.partition("/")[2]
    return path, query


# No Date and no Server header: nobody caches these answers, and they would cost a clock and bytes in each.
_OURS: Final = frozenset({"connection", "content-length", "transfer-encoding"})
_PHRASES: Final = {status.value: status.phrase.encode() for status in HTTPStatus}
_JSON: Final = (("content-type", "application/json"),)


def _status_line(status: int) -> bytes:
    if status < 200 or status in (204, 304):
        raise ValueError(f"status {status} cannot carry a body")
    return b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b""))


def _plain_head(status: int) -> bytes:
    return _status_line(status) + b"content-type: application/json\r\ncontent-length: "


_PLAIN: Final = {status: _plain_head(status) for status in (200, 400, 401, 403, 404, 503)}


def plain_answer(status: int, body: bytes) -> bytes:
    """The common answer: JSON, nothing said about the connection."""
    return b"%b%d\r\n\r\n%b" % (_PLAIN.get(status) or _plain_head(status), len(body), body)


def full_answer(status: int, body: bytes, headers: Headers, keep: bool, bodiless: bool) -> bytes:
    """Any answer; a bodiless one (to HEAD) still tells the length."""
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = _JSON + headers
    lines = "".join(_header_line(name, value) for name, value in headers)
    fate = b"keep-alive" if keep else b"close"
    tail = b"connection: %b\r\ncontent-length: %d\r\n\r\n" % (fate, len(body))
    return _status_line(status) + lines.encode("latin-1") + tail + (b"" if bodiless else body)


def _header_line(name: str, value: str) -> str:
    line = f"{name}: {value}"
    if name.lower() in _OURS or not line.isprintable():
        raise ValueError(f"header {name!r} may not be set, or not so")
    return line + "\r\n"
