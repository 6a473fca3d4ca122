"""Bugs that the simulation must find: each breaks one promise of the writer or the core, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any
from unittest import mock

from caisse.core.book import Book
from caisse.store.api import Conflict, FateUnknown
from caisse.writer import cache
from caisse.writer.writer import Lane, Pending, tell_all
from tests.simulation.tables import Tables

Patch = Any
"""What replaces something, and puts it back."""


@contextmanager
def planted(name: str) -> Iterator[None]:
    """With that bug; with none, if it has no name."""
    with BUGS[name]() if name else nullcontext():
        yield


def _tells_early() -> Patch:
    decide = Lane._decide

    def early(self: Lane, batch: Sequence[Pending], book: Book) -> Any:
        decisions = decide(self, batch, book)
        tell_all(batch, decisions)
        return decisions

    return mock.patch.object(Lane, "_decide", early)


def _swallows(error: type[Exception]) -> Patch:
    commit = Lane._commit

    async def deaf(self: Lane, *args: Any) -> None:
        with suppress(error):
            await commit(self, *args)

    return mock.patch.object(Lane, "_commit", deaf)


def _tells_the_first_try() -> Patch:
    """What a lost race is decided again to, is written; what it was decided to first, is told."""
    decide = Lane._decide
    first: dict[Pending, Any] = {}

    def stubborn(self: Lane, batch: Sequence[Pending], book: Book) -> Any:
        decisions = decide(self, batch, book)
        return [first.setdefault(p, decision) for p, decision in zip(batch, decisions, strict=True)]

    return mock.patch.object(Lane, "_decide", stubborn)


def _tells_what_may_be_undone() -> Patch:
    """A batch that wrote nothing is told without a proof that what it read is durable."""
    commit = Lane._commit

    async def lazy(self: Lane, lookup: Any, book: Book) -> None:
        if book.appended or self._ledger._locked:  # type: ignore[attr-defined]
            await commit(self, lookup, book)

    return mock.patch.object(Lane, "_commit", lazy)


def _cancels() -> Patch:
    """A commit that takes too long is cancelled, and taken for done."""
    commit = Lane._commit

    async def hasty(self: Lane, *args: Any) -> None:
        try:
            await asyncio.wait_for(commit(self, *args), self._limits.patience_seconds)
        except TimeoutError:
            self._ledger.drop()

    return mock.patch.object(Lane, "_commit", hasty)


def _fails_neighbours() -> Patch:
    async def crude(self: Lane, batch: Sequence[Pending], error: Exception) -> None:
        tell_all(batch, [None] * len(batch))

    return mock.patch.object(Lane, "_isolate", crude)


def _remembers_too_early() -> Patch:
    """What a batch took in is remembered before its commit, and for ever."""
    commit = Lane._commit

    async def eager(self: Lane, lookup: Any, book: Book) -> None:
        self._cache._entries.put(book.entries)
        self._cache.forget = self._cache._players.clear  # type: ignore[method-assign]
        await commit(self, lookup, book)

    return mock.patch.object(Lane, "_commit", eager)


def _assumes_without_proof() -> Patch:
    return mock.patch.object(cache.Lookup, "holds", return_value=True)


def _leaves_callers_waiting() -> Patch:
    def patient(self: Lane, now: float) -> None:
        if self._deadline is not None and now > self._deadline:
            self._ledger.drop()

    return mock.patch.object(Lane, "watch", patient)


def _waits_for_ever() -> Patch:
    """A connection on which nothing comes back is never dropped."""
    watch = Lane.watch

    def trusting(self: Lane, now: float) -> None:
        self._deadline = None
        watch(self, now)

    return mock.patch.object(Lane, "watch", trusting)


def _tells_twice() -> Patch:
    return mock.patch.object(Pending, "answer", lambda self, decision: self.tell(decision))


def _leaves_in_haste() -> Patch:
    close = Lane.close

    def hasty(self: Lane) -> None:
        self.queue.clear()
        close(self)

    return mock.patch.object(Lane, "close", hasty)


def _overwrites() -> Patch:
    """The store takes a write whatever the player has done since it was loaded."""
    return mock.patch.object(Tables, "accepts", return_value=True)


BUGS: dict[str, Callable[[], Patch]] = {
    "verdicts are told before the commit": _tells_early,
    "an unknown fate is told as a success": lambda: _swallows(FateUnknown),
    "a lost race is told as a success": lambda: _swallows(Conflict),
    "a lost race is written anew and told as it was decided first": _tells_the_first_try,
    "what was only read is told before it is durable": _tells_what_may_be_undone,
    "a commit is cancelled after a while and taken for done": _cancels,
    "a poisonous request fails its neighbours": _fails_neighbours,
    "rows of unknown fate are remembered": _remembers_too_early,
    "a key is taken for new without proof": _assumes_without_proof,
    "a round that is there is written over": lambda: mock.patch.object(
        Tables, "has_opened", return_value=False
    ),
    "callers past patience are not told": _leaves_callers_waiting,
    "a hanging connection is never dropped": _waits_for_ever,
    "a caller is told twice": _tells_twice,
    "a stop forgets the queue": _leaves_in_haste,
    "the store does not look whether a player moved": _overwrites,
}
