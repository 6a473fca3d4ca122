"""The pure parts of a refund's way, without sockets and databases: for the stage split and the guards."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from caisse.core.book import Book, Player, wants
from caisse.core.entries import Decision
from caisse.core.money import UNIT
from caisse.core.parties import Parties, Partner, secret_hash
from caisse.core.rules.decide import decide
from caisse.currencies import table as currencies
from caisse.dialects.transfer_v3.door import TransferV3
from caisse.dialects.wire.auth import Access
from caisse.dialects.wire.door import Answer, Context, Question
from caisse.ids import id_source
from caisse.writer.writer import clock

TOKEN = "bench-token-that-nobody-guesses"  # noqa: S105 - opens nothing
BATCH = 100
"""Requests in one book: about what a batch holds under load."""


class Refund(NamedTuple):
    """A refund as the HTTP server hands it over."""

    body: bytes
    method: str = "POST"
    path: str = "/user/refund"
    query: str = f"partner_id=bench&token={TOKEN}"
    content_type: str = "application/json"
    peer: str = "127.0.0.1"
    local: bool = False
    authorization: str = ""


def refund(n: int, players: int) -> Refund:
    """The n-th refund."""
    uuid = f"{n:08x}-0000-4000-8000-000000000000"
    body = f'{{"id":"p{n % players:06d}","currency":"USD","amount":"1.0","uuid":"{uuid}"}}'
    return Refund(body.encode())


class Desk:
    """One door, and players with money."""

    def __init__(self, players: int = BATCH) -> None:
        self.players = players
        self.door = TransferV3()

    @cached_property
    def world(self) -> Context:
        """What the door may look at."""
        partner = Partner("bench", (secret_hash(TOKEN),))
        return Context(
            access=Access(Parties((partner,), ())),
            currencies=currencies.DEFAULT,
            policies={},
            new_id=id_source(),
            loopback=True,
        )

    def take(self, call: Refund) -> Question:
        """Parsing: from the call to the question."""
        route = self.door.find(call.path)
        assert route is not None  # noqa: S101
        asked = self.door.take(route, call, self.world)
        if not isinstance(asked, Question):
            raise TypeError(f"a refund was not understood: {asked}")
        return asked

    def book(self) -> Book:
        """What a store would load for a batch of first refunds."""
        book = Book()
        for n in range(self.players):
            name = f"p{n:06d}"
            book.players["bench", name] = Player(
                partner="bench",
                id=name,
                name=name,
                name_key=bytes(16),
                created_at=0,
                login_at=0,
                seq=3,
                loaded_seq=3,
                wallets={"USD": 1_000_000 * UNIT},
            )
        return book

    def decided(self, asks: list[Question], book: Book) -> list[Decision]:
        """Deciding: what the writer does for a batch between loading and writing."""
        wants(ask.request for ask in asks)
        now, decisions = clock(), []
        for ask in asks:
            decision = decide(ask.request, book, ask.policy, now)
            book.take(decision)
            decisions.append(decision)
        return decisions


def answered(asks: list[Question], decisions: list[Decision]) -> list[Answer]:
    """Answering: from the decisions to bytes."""
    return [ask.answer(decision) for ask, decision in zip(asks, decisions, strict=True)]
