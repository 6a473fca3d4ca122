"""The application: which door a request belongs to, and the way from there to the writer and back.

Routing and nothing else: what a request means is the doors' business, what it comes to the writer's.
"""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from caisse.dialects.door import Answer, Ask, Door, World
from caisse.web.exchange import Exchange
from caisse.writer import Tell, Writer

Page = Callable[[Exchange], Answer]
"""Something that is answered at once, by GET: health, metrics, documents."""

NOT_FOUND: Final = b'{"error":"not found"}'
NOT_ALLOWED: Final = b'{"error":"method not allowed"}'


class App:
    """Called by the HTTP server with each complete request; answers now, or when the writer has decided."""

    def __init__(self, doors: Sequence[Door], writer: Writer, world: World) -> None:
        self._doors = tuple(doors)
        self._writer = writer
        self.pages: dict[str, Page] = {}
        self.world = world
        """Replaced whole when partners, connections or profiles change."""

    def __call__(self, exchange: Exchange) -> None:
        for door in self._doors:
            route = door.find(exchange.path)
            if route is not None:
                outcome = door.take(route, exchange, self.world)
                if type(outcome) is Ask:
                    self._ask(exchange, outcome)
                else:
                    exchange.respond(*outcome)
                return
        exchange.respond(*self._page(exchange))

    def _ask(self, exchange: Exchange, ask: Ask) -> None:
        tell = _teller(exchange, ask)
        if not self._writer.submit(ask.request, ask.policy, tell):
            tell(None)

    def _page(self, exchange: Exchange) -> Answer:
        page = self.pages.get(exchange.path)
        if page is None:
            return Answer(404, NOT_FOUND)
        if exchange.method not in ("GET", "HEAD"):
            return Answer(405, NOT_ALLOWED, (("Allow", "GET, HEAD"),))
        return page(exchange)

    def reject(self, status: int, path: str) -> tuple[int, bytes]:
        """What a failure that the HTTP server found is told as by the door it was meant for."""
        for door in self._doors:
            if door.find(path) is not None:
                return door.status(status), door.reject(status)
        return status, msgspec.json.encode({"error": f"http status {status}"})


def _teller(exchange: Exchange, ask: Ask) -> Tell:
    return lambda decision: exchange.respond(*ask.answer(decision))


def is_local(exchange: Exchange) -> bool:
    """Whether a request comes from this machine itself, through no proxy."""
    return not exchange.forwarded and ipaddress.ip_address(exchange.peer).is_loopback
