"""Requests out of bytes, one at a time and within limits: no sockets, no clock, no answers.

llhttp (through httptools) decides what a request is; this module decides how much of it may be read. The
parser is never fed past the end of the message at hand, so nothing behind a request that is refused, or not
yet answered, has been parsed, let alone executed. What was read from one connection is known to that one
alone, and only until the request is taken: nothing is remembered under bytes that somebody sent.

It may not log anything a client sent.
"""

from __future__ import annotations

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from caisse.web.server.exchange import Exchange, Limits, Line, split_target
from caisse.web.server.origin import is_of_browser, is_of_proxy

# Where in a message we are. The order matters: below COMPLETE more bytes are wanted.
FRESH: Final = 0  # nothing read yet
HEAD: Final = 1
BODY: Final = 2  # a body of known length
CHUNKS: Final = 3
COMPLETE: Final = 4  # to be taken
BROKEN: Final = 5  # to be refused with the status `fault`; nothing more can be read

# The headers that mean something here. Of the others only the signs of proxies and browsers are noticed.
_PLAIN: Final = 0
_RARE: Final = 1  # needs a closer look
_PROXY: Final = 2
_BROWSER: Final = 4
_MEANING: Final = {
    b"host": _PLAIN,
    b"content-length": _PLAIN,
    b"content-type": _PLAIN,
    b"authorization": _PLAIN,
    b"connection": _RARE,
    b"transfer-encoding": _RARE,
    b"expect": _RARE,
    b"x-forwarded-for": _PROXY,
}
# Others that clients and proxies often send: their sign is looked up, not worked out.
_OFTEN: Final = (
    b"accept", b"accept-encoding", b"accept-language", b"user-agent", b"cache-control", b"x-request-id",
    b"x-correlation-id", b"traceparent", b"tracestate", b"x-amzn-trace-id", b"x-forwarded-proto",
    b"x-forwarded-host", b"x-forwarded-port", b"x-real-ip", b"forwarded", b"via",
)  # fmt: skip


def _sign(name: bytes) -> int:
    return (_PROXY if is_of_proxy(name) else 0) | (_BROWSER if is_of_browser(name) else 0)


def _as_spelled(marks: dict[bytes, int]) -> dict[bytes, tuple[bytes, int]]:
    """Each name as nearly everybody spells it -> in small letters, with its mark."""
    return {spelling: (name, mark) for name, mark in marks.items() for spelling in (name, name.title())}


_KEPT: Final = _as_spelled(_MEANING)
_NOTICED: Final = {spelling: _sign(name) for name in _OFTEN for spelling in (name, name.title())}

# Line ends between two requests that are skipped: some clients send one behind each body. More than a few
# are a request that never begins.
STRAY_BYTES: Final = 8
_LINE_ENDS: Final = b"\r\n"
# One-byte chunks cost six bytes per byte: whoever sends more than that sends padding.
CHUNK_OVERHEAD: Final = 6
# Chunks are read so many bytes at a time, lest a body of tiny ones keep every other client waiting.
STEP_BYTES: Final = 8 * 1024


class _Refusal(Exception):
    """Stops the parser from within a callback."""


class RequestParser:
    """The message being read."""

    __slots__ = (
        "_fields", "_headers_left", "_left", "_limits", "_marks", "_parser", "_pieces", "_spent", "_stray",
        "_url", "expects", "fault", "keep_alive", "method", "rare", "state",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = HttpRequestParser(self)
        self._fields: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self.fault = 0
        self._reset()

    def _reset(self) -> None:
        """Keep nothing of the message before, not even its method."""
        self.state = FRESH
        self.method = ""
        self.keep_alive = True
        self.rare = False
        self._url = b""
        self._fields.clear()
        self._pieces.clear()
        self._marks = 0
        self._headers_left = self._limits.header_count
        self._stray = 0  # bytes of line ends skipped before it
        self._spent = 0  # bytes of this head, or of these chunks
        self._left = 0  # bytes of the body: yet to come, or of chunks so far
        self.expects = False

    @property
    def path(self) -> str:
        """As far as known."""
        return split_target(self._url)[0]

    def read(self, data: bytes, at: int) -> int:
        """Read from there, to the end of one message or step at most; return where that was."""
        step = at + STEP_BYTES
        if self.state == FRESH and data[at] in _LINE_ENDS:
            at = self._skip_line_ends(data, at)
        while at < len(data) and self.state < COMPLETE:
            end = self._cut(data, at)
            try:
                self._parser.feed_data(data[at:end])
            except HttpParserUpgrade:
                self._decline_upgrade()
            except HttpParserError:
                self._break(self.fault or 400)
            if self.state == HEAD or self.state == CHUNKS:
                self._bound()
            at = end
            if at >= step and self.state == CHUNKS:
                break
        return at

    def take(self, line: Line, peer: str) -> Exchange:
        """Hand out the complete message and begin the next."""
        fields, pieces, marks = self._fields, self._pieces, self._marks
        forwarded = marks & _PROXY != 0
        path, query = split_target(self._url)
        exchange = Exchange(
            line,
            self.method,
            path,
            query,
            fields.get(b"content-type", b"").decode("latin-1"),
            peer,
            pieces[0] if len(pieces) == 1 else b"".join(pieces),
            fields.get(b"host", b""),
            forwarded,
            fields.get(b"x-forwarded-for", b"").decode("latin-1") if forwarded else "",
            # Only a client that takes us for a proxy sends a whole URL as its target.
            not marks & (_PROXY | _BROWSER) and self._url.startswith(b"/"),
            fields.get(b"authorization", b"").decode("latin-1"),
        )
        self._reset()
        return exchange

    def forget(self) -> None:
        """Read nothing ever again. Without the cycle of parser and us, memory is freed at once."""
        self.state = BROKEN
        del self._parser

    # -- feeding --

    def _skip_line_ends(self, data: bytes, at: int) -> int:
        """Past a few stray line ends; nothing has begun by them."""
        end = min(len(data), at + STRAY_BYTES - self._stray)
        begun = at
        while at < end and data[at] in _LINE_ENDS:
            at += 1
        self._stray += at - begun
        return at

    def _cut(self, data: bytes, at: int) -> int:
        """How far the parser can be fed without passing the end of the message."""
        if self.state == BODY:
            end = min(at + self._left, len(data))
            self._left -= end - at
            return end
        if self.state == FRESH:
            self.state = HEAD
            mark = b"\r\n\r\n"
        else:  # a head that came in parts, or chunks: both end with a line, so go line by line
            mark = b"\n"
        found = data.find(mark, at)
        end = found + len(mark) if found >= 0 else len(data)
        self._spent += end - at
        return end

    def _bound(self) -> None:
        """Bound what never reached a callback: half a header, the padding of chunks."""
        limits = self._limits
        if self.state == HEAD and self._spent > limits.head_bytes:
            self._break(431)
        elif self.state == CHUNKS and self._spent > CHUNK_OVERHEAD * limits.body_bytes + limits.head_bytes:
            self._break(413)

    def _break(self, status: int) -> None:
        self.fault = status
        self.state = BROKEN

    def _decline_upgrade(self) -> None:
        """The parser takes what follows for another protocol. Read it as the body it is (RFC 9110, 7.8)."""
        if self.method == "CONNECT":
            self._break(501)
            return
        chunked = b"transfer-encoding" in self._fields
        self.state = CHUNKS if chunked else BODY
        framing = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % self._left
        self._parser = HttpRequestParser(self)
        self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % framing)

    # -- called by the parser --

    def on_url(self, url: bytes) -> None:
        if self.state == HEAD:
            if not self._url:  # known from here on, whatever the headers turn out to be
                self.method = self._parser.get_method().decode()
            self._url += url
        elif self.state == COMPLETE:
            raise self._refusal(400)  # two messages in one cut: only if the parser and _cut disagree

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.state != HEAD:
            return  # a trailer: it may not change what the head said
        self._headers_left -= 1
        if self._headers_left < 0:
            raise self._refusal(431)
        sign = _NOTICED.get(name)
        if sign is not None:
            self._marks |= sign
            return
        kept = _KEPT.get(name) or _KEPT.get(name.lower())
        if kept is None:
            self._marks |= _sign(name.lower())
            return
        name, mark = kept
        if name in self._fields:
            value = self._fields[name] + b", " + value
            mark |= _RARE
        self._fields[name] = value
        self._marks |= mark

    def on_headers_complete(self) -> None:
        if self.state != HEAD:
            return  # the head that _decline_upgrade made up
        if self._spent > self._limits.head_bytes:
            raise self._refusal(431)
        fields = self._fields
        self.keep_alive = self._parser.should_keep_alive()
        self.rare = self._marks & _RARE != 0
        if self.rare or not self.keep_alive or b"host" not in fields:
            self._inspect()
        self._left = int(fields.get(b"content-length", 0))
        if self._left > self._limits.body_bytes:
            raise self._refusal(413)
        self._spent = 0
        chunked = self.rare and b"transfer-encoding" in fields
        self.state = CHUNKS if chunked else BODY
        self.expects = self.rare and b"expect" in fields

    def _inspect(self) -> None:
        """Look at what a plain HTTP/1.1 request that stays connected cannot get wrong."""
        fields, version = self._fields, self._parser.get_http_version()
        if version not in ("1.1", "1.0") or b"," in fields.get(b"host", b""):
            raise self._refusal(400)
        if version == "1.1":
            self._inspect_new()
        elif b"transfer-encoding" in fields:
            raise self._refusal(400)
        else:
            fields.pop(b"expect", None)  # to be ignored in HTTP/1.0

    def _inspect_new(self) -> None:
        fields = self._fields
        if b"host" not in fields:
            raise self._refusal(400)
        if fields.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
            raise self._refusal(501)
        if fields.get(b"expect", b"100-continue").strip().lower() != b"100-continue":
            raise self._refusal(417)

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)
        if self.state == CHUNKS:
            self._left += len(piece)
            if self._left > self._limits.body_bytes:
                raise self._refusal(413)

    def on_message_complete(self) -> None:
        self.state = COMPLETE

    def _refusal(self, status: int) -> _Refusal:
        self.fault = status
        return _Refusal()
