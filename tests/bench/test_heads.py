"""What the generators send: heads as clients and proxies send them, the same from both generators."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

import httptools
import msgspec
import pytest

from bench.__main__ import arguments, plan_of
from bench.load.client import Order
from bench.load.drive import generator
from bench.load.heads import COUNT, KINDS, PLAIN, VARIED, heads
from bench.load.spec import requests
from bench.plan import FULL, QUICK
from bench.workloads import Doors, spec

DOORS = Doors("?partner_id=bench&token=t", "/key")
RUNS = ("0123456789", "00000abcde", "ffffffffff")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}|[0-9a-f]{32}")
TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]")


class Parsed:
    """A request as a real parser of HTTP reads it."""

    def __init__(self, data: bytes) -> None:
        self.lines: list[tuple[str, str]] = []
        self.body = b""
        self.complete = False
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(data)
        self.keeps = parser.should_keep_alive() and parser.get_http_version() == "1.1"
        self.fields = {name.lower(): value for name, value in self.lines}

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines.append((name.decode(), value.decode()))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True

    @property
    def behind_proxy(self) -> bool:
        return "x-forwarded-for" in self.fields


def sent(run: str, count: int, workload: str = "spread") -> list[Parsed]:
    made = spec(workload, DOORS, 50, VARIED)
    made = msgspec.structs.replace(made, run=run, heads=heads(VARIED, run))
    return [Parsed(request) for request in islice(requests(made), count)]


@pytest.mark.parametrize("run", RUNS)
def test_heads_are_whole_and_as_long_as_those_of_partners(run: str) -> None:
    for request in sent(run, 2 * COUNT):
        assert (request.complete, request.keeps) == (True, True)
        assert len(request.fields) == len(request.lines), "a name stands twice"
        assert {"host", "content-type", "content-length"} <= request.fields.keys()
        assert int(request.fields["content-length"]) == len(request.body)
        assert request.fields["content-type"].startswith("application/json")
        least, most = (8, 14) if request.behind_proxy else (4, 7)
        assert least <= len(request.lines) <= most


@pytest.mark.parametrize("run", RUNS)
def test_heads_differ_as_those_of_many_clients_and_proxies_do(run: str) -> None:
    seen = sent(run, 50 * COUNT)
    kinds = Counter(tuple(name for name, _ in request.lines) for request in seen)
    assert len(kinds) > 30
    assert max(kinds.values()) < len(seen) / 10
    spellings = {name for request in seen for name, _ in request.lines if name.lower() == "content-type"}
    assert spellings == {"Content-Type", "content-type"}
    agents = " ".join(request.fields.get("user-agent", "") for request in seen)
    for client in (
        "Go-http-client",
        "Java-http",
        "Apache-HttpClient",
        "okhttp",
        "Guzzle",
        "requests",
        "RestSharp",
    ):
        assert client in agents
    names = {name for request in seen for name in request.fields}
    assert names >= {
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-real-ip",
        "x-request-id",
        "traceparent",
        "via",
    }
    forwarded = Counter(r.fields["x-forwarded-for"].count(",") for r in seen if r.behind_proxy)
    assert set(forwarded) == {0, 1}
    proxied = sum(request.behind_proxy for request in seen) / len(seen)
    assert 0.7 < proxied < 0.8
    assert len({sum(len(n) + len(v) for n, v in request.lines) for request in seen}) > 40


@pytest.mark.parametrize("workload", ["spread", "repeats", "mix"])
def test_each_request_has_ids_of_its_own(workload: str) -> None:
    """A repeat too: it has the uuid of the first request, but was sent by another call."""
    seen = sent(RUNS[0], 20_000, workload)
    for name, form in (("x-request-id", ID), ("traceparent", TRACE)):
        found = [request.fields[name] for request in seen if name in request.fields]
        assert len(found) > 1_000
        assert len(set(found)) == len(found)
        assert all(map(form.fullmatch, found))
    assert len({tuple(request.lines) for request in seen}) > 0.6 * len(seen)


def test_a_run_has_its_own_heads_and_always_the_same() -> None:
    assert heads(VARIED, RUNS[0]) == heads(VARIED, RUNS[0]) != heads(VARIED, RUNS[1])
    assert len(heads(PLAIN, RUNS[0])) == 1
    places = "".join(heads(VARIED, RUNS[0])).replace("@L", "").replace("@N", "")
    assert not set(places) & set("@#|")


@contextmanager
def recorder() -> Iterator[tuple[int, list[bytes]]]:
    """A server that keeps each request as it came, in order; made for one connection at a time."""
    taken: list[bytes] = []
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"status":"OK","error":0}'

    def serve(connection: socket.socket) -> None:
        data = b""
        with connection, suppress(ConnectionError):
            while more := connection.recv(65_536):
                data += more
                head, end, body = data.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
                if end and length and len(body) == int(length[1]):
                    taken.append(data)
                    data = b""
                    connection.sendall(answer)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1], taken


@pytest.mark.parametrize("workload", ["mix", "repeats", "hot", "spread"])
@pytest.mark.parametrize("name", ["own", "wrk"] if shutil.which("wrk") else ["own"])
def test_both_generators_send_the_same_requests_in_the_same_order(name: str, workload: str) -> None:
    """Byte for byte; only the players of refunds over all players are drawn by each for itself."""
    made = spec(workload, DOORS, 50, VARIED)
    with recorder() as (port, taken):
        generator(name).run(Order(spec=made, port=port, connections=1, seconds=1))
    expected = requests(made)
    if name == "wrk":
        next(expected)  # wrk looks at the first request and does not send it
    assert len(taken) > 10
    for got, wanted in zip(taken, expected, strict=False):
        if workload == "spread":
            got, wanted = (re.sub(rb'"p\d{6}"', b'"p"', text) for text in (got, wanted))
        assert got == wanted


def test_one_kind_alone_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for words, kinds in ((["--heads", "plain"], (PLAIN,)), (["--quick"], KINDS), ([], KINDS)):
        monkeypatch.setattr("sys.argv", ["bench", *words])
        assert plan_of(arguments()).heads == kinds
    assert (QUICK.plain_spread_only, FULL.plain_spread_only) == (True, False)
