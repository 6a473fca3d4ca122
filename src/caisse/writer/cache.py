"""What a writer remembers of its own batches, so that the next one need not be loaded.

Three facts make it safe, whoever else writes to the same tables:

* A player's head is only ever a guess: a batch's write counts only if the head is still the stored one.
* A journal row never changes: once durable, it may be told for ever.
* A key that a batch appends was not there before: the unique index says so. So the key that a request claims
  need not be looked up, unless the batch appends no row under it.

A guess that is wrong costs a lost race, never money. Measured: 17 instead of 38 microseconds of a batch's
work for each refund on PostgreSQL, since a batch of refunds is then one statement.
"""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from caisse.core.book import Book, EntryKey, Player, PlayerKey, Wants, unround_key, wants, with_rounds_of
from caisse.core.entries import Entry
from caisse.core.requests import CreatePlayer, Request

K = TypeVar("K")
V = TypeVar("V")


class Recall(NamedTuple):
    """What is known before anything is loaded, and what is missing."""

    players: dict[PlayerKey, Player]
    entries: dict[EntryKey, Entry]
    assumed: set[EntryKey]
    """Keys taken for new, until the batch's write or a look proves it."""
    missing: Wants

    def complete(self, book: Book) -> Book:
        """Add what is remembered to what was loaded."""
        book.players.update(self.players)
        book.entries.update(self.entries)
        return book

    def holds(self, book: Book, undecided: Iterable[Request]) -> bool:
        """Whether the batch's write will prove all that was assumed: it appends a row under each such key.

        What was assumed for a request that got no verdict matters to nobody.
        """
        unproven = self.assumed.difference((row.partner, row.key) for row in book.appended)
        if unproven:
            unproven.difference_update((row.partner, row.second_key) for row in book.appended)
        if unproven:
            unproven.difference_update(_claims(undecided)[0])
        return not unproven


class Memory:
    """The newest players and rows of durable batches, as many as there is room for."""

    def __init__(self, players: int, entries: int) -> None:
        self._players: _Recent[PlayerKey, Player] = _Recent(players)
        self._entries: _Recent[EntryKey, Entry] = _Recent(entries)

    def recall(self, requests: Iterable[Request]) -> Recall:
        """What these requests may see. A player is given away: the batch changes it and may yet fail.

        A read proves nothing by writing, so what it asks for is always loaded.
        """
        requests = list(requests)
        wanted = wants(requests)
        claimed, looked_at = _claims(requests)
        players = self._players.take([key for key in wanted.players if key not in looked_at])
        entries = self._entries.get(wanted.entries)
        # The key of a round's refund is always looked up: a repeat must not load the round on a guess (R32).
        assumed = claimed.difference(entries, ((key[0], unround_key(key)) for key in wanted.whole_rounds))
        known = assumed.union(entries)
        return Recall(players, entries, assumed, _without(wanted, players, entries, known))

    def keep(self, book: Book) -> None:
        """Remember a batch that is durable."""
        for player in book.players.values():
            player.settle()
        self._players.put(book.players)
        self._entries.put(book.entries)

    def forget(self) -> None:
        """Everything: somebody else wrote, or nobody knows what was written."""
        self._players.clear()
        self._entries.clear()


def nothing_recalled(requests: Iterable[Request]) -> Recall:
    """Everything is to be loaded."""
    return Recall({}, {}, set(), wants(requests))


def _claims(requests: Iterable[Request]) -> tuple[set[EntryKey], set[PlayerKey]]:
    """The keys that are claimed, and the players who must be loaded: of reads, and of creations."""
    claimed: set[EntryKey] = set()
    looked_at: set[PlayerKey] = set()
    for request in requests:
        keys = request.claims
        # A name is compared under the key that stands now (R59).
        if not keys or type(request) is CreatePlayer:
            looked_at.add((request.partner, request.user))
        for key in keys:
            claimed.add((request.partner, key))
    return claimed, looked_at


def _without(
    wanted: Wants,
    players: dict[PlayerKey, Player],
    entries: dict[EntryKey, Entry],
    known: set[EntryKey],
) -> Wants:
    bets = (entries[key] for key in wanted.rolled_back if key in entries)
    return Wants(
        [key for key in wanted.players if key not in players],
        [key for key in wanted.entries if key not in known],
        with_rounds_of(bets, wanted.rounds),
        [key for key in wanted.rolled_back if key not in entries],
        [key for key in wanted.whole_rounds if (key[0], unround_key(key)) not in entries],
        wanted.newest_transfers,
        wanted.playing,
    )


class _Recent(Generic[K, V]):
    """The newest things, in two generations: a full one becomes the old one, and the old one is dropped.

    So what is used stays; between half of `room` and all of it is held. The old one is dropped bit by bit: to
    free ten thousand rows at once kept everybody waiting for 15 ms.
    """

    def __init__(self, room: int) -> None:
        self._half = room // 2
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._dropped: dict[K, V] = {}

    def get(self, keys: Iterable[K]) -> dict[K, V]:
        """Those of the keys that are remembered."""
        return {
            key: generation[key]
            for generation in (self._old, self._young)
            for key in generation.keys() & keys
        }

    def take(self, keys: Iterable[K]) -> dict[K, V]:
        """The same, and they are remembered no longer."""
        found = {}
        for key in keys:
            older, newer = self._old.pop(key, None), self._young.pop(key, None)
            thing = older if newer is None else newer
            if thing is not None:
                found[key] = thing
        return found

    def put(self, things: dict[K, V]) -> None:
        """Remember these."""
        if not self._half:
            return
        self._young.update(things)
        if len(self._young) > self._half:
            self._dropped = self._old
            self._old, self._young = self._young, {}
        for _ in range(min(2 * len(things), len(self._dropped))):
            self._dropped.popitem()

    def clear(self) -> None:
        """Remember nothing."""
        self._young, self._old, self._dropped = {}, {}, {}
