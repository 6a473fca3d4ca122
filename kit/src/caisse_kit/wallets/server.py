"""A small HTTP/1.1 server for the wallets here: a thread for each connection, on this machine only."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from caisse_kit.wallets.door import Answer, Reading

LARGEST_READ = 8 * 1024 * 1024


class Handles(Protocol):
    """A door of a wallet."""

    takes_incomplete: bool
    """Whether it acts on a body that ended before its announced length; a right one never does."""

    reads_chunks: bool

    @property
    def path(self) -> str: ...

    def handle(self, reading: Reading) -> Answer: ...

    def decided(self, reading: Reading, connection: socket.socket) -> None:
        """Called between the verdict and its answer."""


class WalletServer(ThreadingHTTPServer):
    """Serves one door at `url`, which holds its key."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, door: Handles, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.door = door

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{self.door.path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller who hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self) -> None:
        server = self.server
        if not isinstance(server, WalletServer):
            return
        body = self._body(server.door)
        if body is None:
            self.close_connection = True
            return
        reading = Reading(self.command, self.path, self.headers.get("content-type", ""), body)
        answer = server.door.handle(reading)
        server.door.decided(reading, self.connection)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET = do_PUT = do_DELETE = answer

    def _body(self, door: Handles) -> bytes | None:
        """The whole body; None if it is not whole, or too large to read."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return self._chunks() if door.reads_chunks else b""
        text = self.headers.get("content-length", "0")
        length = int(text) if text.isdecimal() else LARGEST_READ + 1
        if length > LARGEST_READ:
            return None
        body = self.rfile.read(length)
        return body if len(body) == length or door.takes_incomplete else None

    def _chunks(self) -> bytes | None:
        body = b""
        while True:
            size = self.rfile.readline(20).partition(b";")[0].strip()
            length = int(size, 16) if size else -1
            if length < 0 or len(body) + length > LARGEST_READ:
                return None
            body += self.rfile.read(length)
            self.rfile.readline(2)
            if length == 0:
                return body

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a request line holds a key."""


def is_gone(connection: socket.socket) -> bool:
    """Whether the other side has hung up."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)


@contextmanager
def served(door: Handles, port: int = 0) -> Iterator[WalletServer]:
    """The door behind its own server, for as long as the block runs."""
    with WalletServer(door, port) as server:
        running = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        running.start()
        try:
            yield server
        finally:
            server.shutdown()
