"""A server that answers what a test says, and remembers what it was sent. A real socket, no mock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stubborn(ThreadingHTTPServer):
    """Answers each request with the next of `answers`, the last one for ever; an empty body: hangs up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, bytes]] = []
        self.seen: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Stubborn)
        body = self.rfile.read(int(self.headers["content-length"]))
        server.seen.append((self.path, body))
        status, answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        if not answer:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def stubborn(*answers: tuple[int, bytes]) -> Iterator[Stubborn]:
    with Stubborn() as server:
        server.answers = list(answers)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
