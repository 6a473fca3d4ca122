"""The application: which door a request belongs to, and the way from there to the writer and back.

Routing and nothing else: what a request means is the doors' business, what it comes to the writer's.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from caisse.core.round_log import LogQuery, Numbered
from caisse.dialects.wire.door import Answer, Context, Door, Question, RoundsQuery, Unauthorized, Unread
from caisse.web.proxies import Proxies
from caisse.web.server.exchange import Exchange
from caisse.web.throttle import HANG_UP, LoginThrottle
from caisse.writer.writer import Tell, Writer

Page = Callable[[Exchange], Answer]
"""Something that is answered at once, by GET: health, metrics, documents."""

ReadRounds = Callable[[LogQuery], Awaitable[list[Numbered]]]
"""Reads a page of a slot log. Raises at once if too many wait."""

LISTING_SECONDS: Final = 12.0
"""How long a caller waits for one. Longer than reading it twice may take, shorter than a drain."""

NO_PROXIES: Final = Proxies()

NOT_FOUND: Final = b'{"error":"not found"}'
NOT_ALLOWED: Final = b'{"error":"method not allowed"}'


log = logging.getLogger("caisse.web")


class App:
    """Called by the HTTP server with each complete request; answers now, or when the writer has decided."""

    def __init__(
        self,
        doors: Sequence[Door],
        writer: Writer,
        world: Context,
        rounds: ReadRounds,
        proxies: Proxies = NO_PROXIES,
    ) -> None:
        self._doors = tuple(doors)
        self._writer = writer
        self._rounds = rounds
        self._proxies = proxies
        self.guesses = LoginThrottle()
        self._listings: set[asyncio.Task[None]] = set()
        self.pages: dict[str, Page] = {}
        self.world = world
        """Replaced whole when partners, connections or profiles change."""

    def __call__(self, exchange: Exchange) -> None:
        if exchange.forwarded:  # and stays so: through no proxy does anybody become this machine itself
            exchange.peer = self._proxies.client(exchange.peer, exchange.forwarded_for)
        for door in self._doors:
            route = door.find(exchange.path)
            if route is not None:
                outcome = door.take(route, exchange, self.world)
                if type(outcome) is Question:
                    self._ask(exchange, outcome)
                elif type(outcome) is RoundsQuery:
                    self._list(exchange, outcome)
                elif type(outcome) is Unread:
                    self._leave_trace(outcome)
                    exchange.respond(*outcome.answer)
                elif type(outcome) is Unauthorized:
                    self._turn_away(exchange, outcome)
                else:
                    exchange.respond(*outcome)
                return
        exchange.respond(*self._page(exchange))

    def _leave_trace(self, unread: Unread) -> None:
        self._writer.note_unread(
            unread.partner,
            unread.provider,
            unread.endpoint,
            player=unread.player,
            uuid=unread.uuid,
            reference=unread.reference,
            round=unread.round,
            fault=unread.fault,
        )

    def _turn_away(self, exchange: Exchange, answer: Unauthorized) -> None:
        """With the door's own answer; later, and as the last of its connection, if this address guesses."""
        seconds = self.guesses.hold(exchange.peer)
        if seconds == HANG_UP:
            exchange.hang_up()
        elif seconds:
            exchange.body = b""
            exchange.last = True
            asyncio.get_running_loop().call_later(seconds, self._release, exchange, answer)
        else:
            exchange.respond(*answer)

    def _release(self, exchange: Exchange, answer: Unauthorized) -> None:
        self.guesses.release(exchange.peer)
        exchange.respond(*answer)

    def _ask(self, exchange: Exchange, ask: Question) -> None:
        tell = _teller(exchange, ask)
        if not self._writer.submit(ask.request, ask.policy, tell):
            tell(None)

    def _list(self, exchange: Exchange, listing: RoundsQuery) -> None:
        task = asyncio.ensure_future(self._listed(exchange, listing))
        self._listings.add(task)
        task.add_done_callback(self._listings.discard)

    async def _listed(self, exchange: Exchange, listing: RoundsQuery) -> None:
        rows: list[Numbered] | None = None
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                rows = await self._rounds(listing.page)
        except Exception as error:
            log.warning("a page of a slot log could not be read: %s", type(error).__name__)
        exchange.respond(*listing.answer(rows))

    def _page(self, exchange: Exchange) -> Answer:
        page = self.pages.get(exchange.path)
        if page is None:
            return self._not_found(exchange.path)
        if exchange.method not in ("GET", "HEAD"):
            return Answer(405, NOT_ALLOWED, (("Allow", "GET, HEAD"),))
        return page(exchange)

    def _not_found(self, path: str) -> Answer:
        for door in self._doors:
            if door.owns(path):
                return Answer(404, door.reject(404))
        return Answer(404, NOT_FOUND)

    def reject(self, status: int, path: str) -> tuple[int, bytes]:
        """What a failure that the HTTP server found is told as by the door it was meant for."""
        for door in self._doors:
            route = door.find(path)
            if route is not None or door.owns(path):
                return door.status(status), door.reject(status, route)
        return status, msgspec.json.encode({"error": f"http status {status}"})


def _teller(exchange: Exchange, ask: Question) -> Tell:
    return lambda decision: exchange.respond(*ask.answer(decision))
