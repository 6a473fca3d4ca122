"""The pages a machine reads: health for the load balancer, metrics for Prometheus. No secrets, no players."""

from collections.abc import Callable, Iterator

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from caisse.dialects.door import Answer
from caisse.web.exchange import Exchange
from caisse.web.guesses import Guesses
from caisse.web.http import Server
from caisse.writer import Writer

TEXT = (("content-type", "text/plain; version=0.0.4; charset=utf-8"),)


def health(server: Server, writer: Writer) -> Callable[[Exchange], Answer]:
    """200 while requests are taken, 503 once the server drains."""

    def page(exchange: Exchange) -> Answer:
        draining = bool(server.draining)
        body = {"status": "draining" if draining else "ok", "waiting": writer.waiting}
        return Answer(503 if draining else 200, msgspec.json.encode(body))

    return page


def metrics(server: Server, writer: Writer, guesses: Guesses) -> Callable[[Exchange], Answer]:
    """Prometheus' text format; for this machine only, since volumes are the operator's own business."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(server, writer, guesses))

    def page(exchange: Exchange) -> Answer:
        if not exchange.local:
            return Answer(403, b'{"error":"metrics are told to this machine only"}')
        return Answer(200, generate_latest(registry), TEXT)

    return page


class _Collector:
    """Reads the counters that the server and the writer keep anyway: counting costs the hot path nothing."""

    def __init__(self, server: Server, writer: Writer, guesses: Guesses) -> None:
        self._server = server
        self._writer = writer
        self._guesses = guesses

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("caisse_queue_requests", "Requests that wait", self._writer.waiting)
        yield GaugeMetricFamily("caisse_connections", "Open connections", self._server.connections)
        yield from self._http()
        yield from self._lanes()

    def _http(self) -> Iterator[Metric]:
        yield CounterMetricFamily("caisse_http_requests", "Complete requests", self._server.requests)
        refused = CounterMetricFamily("caisse_http_rejected", "Requests rejected", labels=["status"])
        for status, count in sorted(self._server.rejected.items()):
            refused.add_metric([str(status)], count)
        yield refused
        yield CounterMetricFamily("caisse_wrong_logins", "Wrong tokens and keys", self._guesses.wrong)
        yield CounterMetricFamily("caisse_wrong_logins_held", "Refused slowly", self._guesses.held)

    def _lanes(self) -> Iterator[Metric]:
        for name in ("requests", "batches", "conflicts", "poisoned", "unknown", "given_up", "unrecorded"):
            family = CounterMetricFamily(f"caisse_writer_{name}", f"Writer: {name}", labels=["lane"])
            for number, lane in enumerate(self._writer.lanes):
                family.add_metric([str(number)], getattr(lane.counters, name))
            yield family
