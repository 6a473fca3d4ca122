"""What every caller was told, and what must be true of it: the oracle of the simulation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from caisse.audit.audit import Totals
from caisse.core.entries import Decision, Entry
from caisse.core.requests import CreatePlayer, ForgetPlayer, Request, SetFrozen
from caisse.core.verdicts import UNKEPT
from caisse.store import columns
from caisse.writer.writer import WATCH_SECONDS
from tests.simulation.tables import Tables
from tests.support.ledger import Account, audited

Told = Decision | None
Identity = tuple[Any, ...]
"""What makes a request the same as another: its keys and its content."""

A_HAIR: Final = 1e-6


def identity(request: Request) -> Identity:
    """Reads have no key; their type and what they look at tells them apart.

    A creation draws a new key for the hash of its name each time, so names are compared without it.
    """
    keys = (request.key, request.second_key) if request.key else request.lookups
    content = request.content_under(b"") if isinstance(request, CreatePlayer) else request.content
    return (type(request).__name__, request.partner, request.user, *keys, *content)


def poisonous(request: Request) -> bool:
    """No verdict can be given to it."""
    return any("\0" in text for text in (*request.lookups, getattr(request, "details", "")))


class Sent:
    """One request that a process took in."""

    def __init__(self, request: Request, at: float) -> None:
        self.request = request
        self.at = at
        self.told: list[Told] = []
        self.gone = False
        """Its process went down before the answer."""

    @property
    def over(self) -> bool:
        """Whether nothing more is to be heard."""
        return self.gone or bool(self.told)


class Oracle:
    """The record of all callers; `findings` is what does not fit it."""

    def __init__(self, patience: float) -> None:
        self._longest = patience + WATCH_SECONDS + A_HAIR
        self.sent: list[Sent] = []
        self.first: dict[Identity, tuple[Decision, float]] = {}
        """The first final verdict that was told of each request, and when; else the newest."""
        self.findings: list[str] = []
        self.rows: dict[tuple[str, int], Entry] = {}
        """Rows that were told, by id and part."""
        self.verdicts = 0

    def send(self, request: Request, at: float) -> Sent:
        """Written down before it is sent."""
        self.sent.append(Sent(request, at))
        return self.sent[-1]

    def hear(self, sent: Sent, told: Told, at: float) -> None:
        """An answer, which must fit those before it."""
        if sent.told:
            self._find(sent, "a caller was told twice")
        if at - sent.at > self._longest:
            self._find(sent, f"a caller waited {at - sent.at:.2f} seconds")
        sent.told.append(told)
        if told is not None:
            self.verdicts += 1
            self._rows_fit(sent, told)
            self._compare(sent, told, at)

    def _rows_fit(self, sent: Sent, told: Decision) -> None:
        if poisonous(sent.request) and told.row:
            self._find(sent, f"what cannot be stored was told {told.verdict}")
        for row in filter(None, (told.row, *told.rows)):
            if self.rows.setdefault((row.id, row.part), row) != row:
                self._find(sent, f"row {row.id} was told in two ways")

    def _compare(self, sent: Sent, told: Decision, at: float) -> None:
        """R1. A refusal that claims no key (R8) may overtake, but not follow, a verdict that is final."""
        name = identity(sent.request)
        first, since = self.first.get(name, (None, at))
        if first is None or _open(sent.request, first):
            self.first[name] = told, at
        elif (told.verdict, told.row) == (first.verdict, first.row):
            return
        elif sent.at > since or not _open(sent.request, told):
            self._find(sent, f"was told {_words(first)}, and now {_words(told)}")

    def _find(self, sent: Sent, what: str) -> None:
        self.findings.append(f"{identity(sent.request)}: {what}")

    def hold(self, tables: Tables) -> list[str]:
        """At the end: everybody has an answer, and the books say what the callers were told."""
        return [*self.findings, *self._silence(), *self._rows(tables), *audit(tables)]

    def _silence(self) -> Iterator[str]:
        for sent in self.sent:
            if not sent.over:
                yield f"{identity(sent.request)}: nobody was told anything"
            elif identity(sent.request) not in self.first and not may_be_left(sent.request):
                yield f"{identity(sent.request)}: no verdict"

    def _rows(self, tables: Tables) -> Iterator[str]:
        """R9: what was told stands. Nothing else does, each key was asked for until it had a verdict."""
        stored = {(row.id, row.part): row for row in tables.all("key")}
        for name, row in self.rows.items():
            if stored.get(name) != row:
                yield f"{row.player}: row {row.seq} under {row.key} was told and does not stand"
        decisions = {id_ for id_, _ in self.rows}
        unsure = {sent.request.id for sent in self.sent if isinstance(sent.request, SetFrozen | ForgetPlayer)}
        for row in stored.values():
            if row.id not in decisions | unsure:
                yield f"{row.player}: row {row.seq} under {row.key} stands and was never told"


def may_be_left(request: Request) -> bool:
    """A person who got no word looks what came of it, and asks anew."""
    return poisonous(request) or isinstance(request, SetFrozen | ForgetPlayer)


def _open(request: Request, told: Decision) -> bool:
    """Whether another verdict may follow: no key was claimed (R8), or not the uuid but its TransactionId."""
    if told.row is None or told.verdict in UNKEPT:
        return True
    return request.second_key != "" and told.row.key != request.key


def _words(decision: Decision) -> str:
    return f"{decision.verdict} ({decision.row.id if decision.row else 'no row'})"


def audit(tables: Tables) -> Iterator[str]:
    """R52: everything recomputed from the journal; rows without gaps, heads where the rows leave them."""
    totals = Totals()
    seen = 0
    for head in tables.all("player"):
        player = columns.player_of(head)
        key = (player.partner, player.id)
        trail = list(tables.trail(key))
        seen += len(trail)
        rounds = [played for played in tables.all("round") if (played.partner, played.player) == key]
        for finding in audited(trail, Account(*key, player, rounds), totals):
            yield f"audit: {finding}"
    if seen != len(tables.all("key")):
        yield f"audit: {len(tables.all('key'))} rows, {seen} of them in a player's unbroken order"
    for finding in totals.end():
        yield f"audit: {finding}"
