"""The pages a machine reads: health for the load balancer, metrics for Prometheus. No secrets, no players."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from caisse.dialects.wire.door import Answer
from caisse.web.server.exchange import Exchange
from caisse.web.server.http import Server
from caisse.web.throttle import LoginThrottle
from caisse.writer.writer import Writer

TEXT = (("content-type", "text/plain; version=0.0.4; charset=utf-8"),)
HTML = (("content-type", "text/html; charset=utf-8"),)

LANES: Final[Mapping[str, str]] = {
    "requests": "Requests that a lane of the writer has taken through",
    "batches": "Batches of requests, each one transaction",
    "conflicts": "Races lost to another server, lane or command, and decided again",
    "poisoned": "Requests that could not be decided or stored, each answered with 503 alone",
    "unknown": "Requests whose commit had an unknown fate, answered with 503",
    "given_up": "Requests answered with 503 since no verdict came in time",
}
"""Counter of a lane -> what it counts."""
UNRECORDED: Final = "Repeats, unkept refusals and unreadable requests that left no trace for explain"

GREETING: Final = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>caisse</title></head>
<body><h1>caisse</h1>
<p>A wallet service for online casinos. This server is running.</p>
<ul><li><a href="/docs">/docs</a>: the API, for people</li>
<li><a href="/openapi.json">/openapi.json</a>: the API, for programs</li>
<li><a href="/healthz">/healthz</a>: whether the server takes requests</li></ul></body></html>
"""
"""For who opens the server's address in a browser. Names no version, partner or provider."""


def greeting(exchange: Exchange) -> Answer:
    """The page at `/`."""
    return Answer(200, GREETING, HTML)


def health(server: Server, writer: Writer) -> Callable[[Exchange], Answer]:
    """200 while requests are taken, 503 once the server drains; `database`: how the last batches fared."""

    def page(exchange: Exchange) -> Answer:
        draining = bool(server.draining)
        body = {
            "status": "draining" if draining else "ok",
            "waiting": writer.waiting,
            "database": "failing" if any(lane.counters.failing for lane in writer.lanes) else "ok",
        }
        return Answer(503 if draining else 200, msgspec.json.encode(body))

    return page


def metrics(server: Server, writer: Writer, guesses: LoginThrottle) -> Callable[[Exchange], Answer]:
    """Prometheus' text format; for this machine only, since volumes are the operator's own business."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(server, writer, guesses))

    def page(exchange: Exchange) -> Answer:
        if not exchange.local:
            return Answer(403, b'{"error":"only programs on this machine get metrics"}')
        return Answer(200, generate_latest(registry), TEXT)

    return page


class _Collector:
    """Reads the counters that the server and the writer keep anyway: counting costs the hot path nothing."""

    def __init__(self, server: Server, writer: Writer, guesses: LoginThrottle) -> None:
        self._server = server
        self._writer = writer
        self._guesses = guesses

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "caisse_queue_requests", "Requests that wait for a verdict now", self._writer.waiting
        )
        yield GaugeMetricFamily("caisse_connections", "Open connections now", self._server.connections)
        yield from self._http()
        yield from self._lanes()

    def _http(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "caisse_http_requests", "Complete HTTP requests, pages included", self._server.requests
        )
        refused = CounterMetricFamily(
            "caisse_http_rejected", "Requests that the HTTP server refused by itself", labels=["status"]
        )
        for status, count in sorted(self._server.rejected.items()):
            refused.add_metric([str(status)], count)
        yield refused
        yield CounterMetricFamily(
            "caisse_wrong_logins",
            "Requests without a right token or key, or not from an allowed network",
            self._guesses.wrong,
        )
        yield CounterMetricFamily(
            "caisse_wrong_logins_held",
            "Wrong tokens and keys whose refusal was held back, since their address guesses",
            self._guesses.held,
        )

    def _lanes(self) -> Iterator[Metric]:
        for name, about in LANES.items():
            family = CounterMetricFamily(f"caisse_writer_{name}", about, labels=["lane"])
            for number, lane in enumerate(self._writer.lanes):
                family.add_metric([str(number)], getattr(lane.counters, name))
            yield family
        lost = self._writer.recorder.unrecorded
        yield CounterMetricFamily("caisse_writer_unrecorded", UNRECORDED, lost)
