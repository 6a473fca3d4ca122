"""A generator of our own, for where wrk is not installed and for the open model, which wrk cannot do.

One thread, one epoll, plain sockets: no event loop, no HTTP library, so a request costs it a few microseconds
more than its two system calls. `python -m bench.load.client` reads an Order on standard input and writes a
Tally on standard output.

Closed: each connection sends its next request when it has its answer. Open: requests are sent at random
times drawn beforehand (a Poisson process), answered or not, and a latency counts from the time at which its
request was *meant* to be sent: a server that stalls cannot keep the stall out of the figures.
"""

from __future__ import annotations

import gc
import random
import select
import socket
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from bench.load.spec import Spec, requests

DRAIN_SECONDS = 15.0
"""How long answers are waited for after the last request: longer than the server's own patience."""
READ_BYTES = 65_536
"""More than a record of TLS holds: nothing is left that epoll does not see."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do. `rate` 0: closed model."""

    spec: Spec
    port: int
    connections: int
    seconds: float
    ca: str = ""
    """A file of certificates: TLS is spoken with a server that they vouch for. Empty: no TLS."""
    rate: float = 0.0
    warm: float = 0.0
    """Open model: seconds at the rate before those that count. A server that is still accepting hundreds of
    connections is in no steady state."""


class Tally(msgspec.Struct, kw_only=True):
    """What came of it; times in seconds."""

    answers: int = 0
    seconds: float = 0.0
    wrong: int = 0
    lost: int = 0
    """Requests without an answer."""
    sample: str = ""
    """The first wrong answer."""
    latencies: list[float] = []
    """Open model: from the intended sending to the answer."""
    late: list[float] = []
    """Open model: from the intended sending to the sending, where a connection was free: our own delay."""
    cpu: float = 0.0


class Line:
    """One connection, and what is under way on it."""

    __slots__ = ("data", "intended", "socket")

    def __init__(self, port: int, tls: ssl.SSLContext | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.socket.setblocking(False)
        self.data = b""
        self.intended = 0.0


def is_whole(data: bytes) -> bool:
    """Whether an answer has come to its end. Every server here tells its length."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    at = head.lower().index(b"content-length:") + 15
    return len(body) >= int(head[at:].partition(b"\r\n")[0])


class Generator:
    """All connections of a run."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.tally = Tally()
        self._requests: Iterator[bytes] = requests(order.spec)
        self._expect = [text.encode() for text in order.spec.expect]
        tls = ssl.create_default_context(cafile=order.ca) if order.ca else None
        lines = [Line(order.port, tls) for _ in range(order.connections)]
        self._lines = {line.socket.fileno(): line for line in lines}
        self._epoll = select.epoll()
        for number in self._lines:
            self._epoll.register(number, select.EPOLLIN)
        self._under_way = 0
        self._idle = deque(self._lines.values())
        self._waiting: deque[float] = deque()
        self._counts_from = 0.0

    def send(self, line: Line) -> bool:
        """The next request; False if there is none."""
        request = next(self._requests, None)
        if request is None:
            return False
        line.socket.send(request)
        self._under_way += 1
        return True

    def answered(self, timeout: float) -> Iterator[Line]:
        """The connections whose answer is complete, each answer counted and looked at."""
        for number, _ in self._epoll.poll(timeout):
            line = self._lines[number]
            try:
                data = line.socket.recv(READ_BYTES)
            except ssl.SSLWantReadError:  # something of TLS's own, or a record that is not whole yet
                continue
            if not data:
                raise ConnectionError("the server closed a connection")
            if line.data:
                data = line.data + data
            if not is_whole(data):
                line.data = data
                continue
            line.data = b""
            self._under_way -= 1
            self._look(data)
            yield line

    def _look(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 200"):
            for text in self._expect:
                if text in data:
                    return
        self.tally.wrong += 1
        self.tally.sample = self.tally.sample or data.decode(errors="replace")

    def closed(self) -> Tally:
        """Until the time or the requests are over."""
        began = time.perf_counter()
        end = began + self.order.seconds
        for line in self._idle:
            self.send(line)
        tally, now = self.tally, began
        while self._under_way and now < end:
            for line in self.answered(0.1):
                tally.answers += 1
                self.send(line)
            now = time.perf_counter()
        tally.seconds = now - began
        self._drain()
        return tally

    def open(self) -> Tally:
        """Send at the drawn times, whatever the server does."""
        order, tally = self.order, self.tally
        gap = random.Random(order.spec.run).expovariate  # noqa: S311
        began = now = time.perf_counter()
        self._counts_from = began + order.warm
        end, due = self._counts_from + order.seconds, began + gap(order.rate)
        while now < end:
            while due <= now:
                self._start(due, now)
                due += gap(order.rate)
            # An epoll is itself a file that select() can wait for: to the microsecond, not the millisecond.
            select.select([self._epoll], [], [], max(0.0, min(due, end) - now))
            for line in self.answered(0):
                self._finish(line)
            now = time.perf_counter()
        tally.seconds = now - self._counts_from
        self._drain(self._finish)
        tally.lost += len(self._waiting)
        return tally

    def _start(self, due: float, now: float) -> None:
        if not self._idle:
            self._waiting.append(due)
            return
        line = self._idle.popleft()  # in turn: a server may close a connection that never says a word
        line.intended = due
        if due >= self._counts_from:
            self.tally.late.append(now - due)
        self.send(line)

    def _finish(self, line: Line) -> None:
        self.tally.answers += 1
        if line.intended >= self._counts_from:
            self.tally.latencies.append(time.perf_counter() - line.intended)
        if self._waiting:
            line.intended = self._waiting.popleft()
            self.send(line)
        else:
            self._idle.append(line)

    def _drain(self, finish: Callable[[Line], None] | None = None) -> None:
        end = time.perf_counter() + DRAIN_SECONDS
        while self._under_way and time.perf_counter() < end:
            for line in self.answered(0.1):
                if finish:
                    finish(line)
        self.tally.lost = self._under_way


def main() -> None:
    """One order, one tally."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    generator = Generator(order)
    gc.disable()
    before = time.process_time()
    tally = generator.open() if order.rate else generator.closed()
    tally.cpu = time.process_time() - before
    sys.stdout.buffer.write(msgspec.json.encode(tally))


if __name__ == "__main__":
    main()
