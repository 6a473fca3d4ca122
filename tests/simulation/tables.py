"""The tables of the simulated store: what may be written to them, and how a write is undone.

They keep the promises of store/postgres/postgres.py: a batch counts only if every player still stands where
it was loaded, every key is new, and exactly the rows it means are touched. Values are held as stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from caisse.core.book import (
    TRANSFERS,
    Book,
    PlayerKey,
    Round,
    RoundKey,
    Wants,
    rounds_to_load,
    whole_rounds_to_load,
)
from caisse.core.entries import Entry, Kind
from caisse.core.verdicts import Verdict
from caisse.store import columns
from caisse.store.api import BadData
from caisse.store.dirty import changed

Cell = tuple[Any, ...]
"""The name of one thing that is stored: a table, and a key within it."""
Undo = list[tuple[Cell, Any]]
"""Cells and what they held before; None: nothing."""

SEQ = columns.PLAYER.index("seq")


class Write(NamedTuple):
    """What a batch wants written, as it was when it was sent."""

    created: list[tuple[Any, ...]]
    moved: list[tuple[int, tuple[Any, ...]]]
    """The number at which each player was loaded, and the new head."""
    opened: list[Round]
    turned: list[Round]
    rows: list[Entry]

    @classmethod
    def of(cls, book: Book) -> Write:
        """BadData for a text that PostgreSQL would refuse."""
        if any("\0" in row.key + row.details for row in book.appended):
            raise BadData("a text holds a nul")
        heads = changed(book)
        moved = [(p.loaded_seq, tuple(columns.player_row(p))) for p in heads.moved]
        created = [tuple(columns.player_row(p)) for p in heads.created]
        return cls(created, moved, heads.opened, heads.turned, list(book.appended))

    def cells(self) -> list[Cell]:
        """What nobody else may write until this write has ended."""
        players = [("player", *row[:2]) for row in [*self.created, *(row for _, row in self.moved)]]
        rounds = [("round", *round_key(r)) for r in (*self.opened, *self.turned)]
        return [*players, *rounds, *self.keys()]

    def keys(self) -> list[Cell]:
        """What must be new."""
        return [cell for row in self.rows for cell in unique(row)]


def round_key(played: Round) -> RoundKey:
    """R40: a round is its player's own."""
    return played.partner, played.provider, played.player, played.id


def unique(row: Entry) -> list[Cell]:
    """A journal row's entries in unique indexes."""
    cells: list[Cell] = [
        ("key", row.partner, row.key),
        ("row", row.partner, row.player, row.seq),
        ("id", row.partner, row.id, row.part),
    ]
    return [*cells, ("second_key", row.partner, row.second_key)] if row.second_key else cells


class Tables:
    """All that is stored, by cell."""

    def __init__(self) -> None:
        self.cells: dict[Cell, Any] = {}

    def has_opened(self, write: Write) -> bool:
        """Whether a round is there that this write would open: nothing can be written."""
        return any(("round", *round_key(played)) in self.cells for played in write.opened)

    def accepts(self, write: Write) -> bool:
        """Whether all of it can be written; nothing is, if not."""
        keys = write.keys()
        return (
            all(self._stands(row, seq) for seq, row in write.moved)
            and all(("round", *round_key(played)) in self.cells for played in write.turned)
            and not any(("player", *row[:2]) in self.cells for row in write.created)
            and len(set(keys)) == len(keys)
            and not any(key in self.cells for key in keys)
        )

    def _stands(self, row: tuple[Any, ...], seq: int) -> bool:
        stored = self.cells.get(("player", *row[:2]))
        return stored is not None and stored[SEQ] == seq

    def apply(self, write: Write) -> Undo:
        """Write it; how to undo it."""
        undo: Undo = []
        for cell, value in self._values(write):
            undo.append((cell, self.cells.get(cell)))
            self.cells[cell] = value
        return undo

    def _values(self, write: Write) -> Iterator[tuple[Cell, Any]]:
        for row in [*write.created, *(row for _, row in write.moved)]:
            yield ("player", *row[:2]), row
        for played in (*write.opened, *write.turned):
            yield ("round", *round_key(played)), played
        for entry in write.rows:
            yield from ((cell, entry) for cell in unique(entry))

    def undo(self, undo: Undo) -> None:
        """As if that write, the newest of all, had never been."""
        for cell, value in reversed(undo):
            if value is None:
                del self.cells[cell]
            else:
                self.cells[cell] = value

    def read_players(self, wanted: Wants, book: Book) -> None:
        """The first of the statements that read."""
        for key in wanted.players:
            if row := self.cells.get(("player", *key)):
                book.players[key] = columns.player_of(row)

    def read_rest(self, wanted: Wants, book: Book) -> None:
        """The others, which may see what came in between."""
        for partner, key in wanted.entries:
            for found in (
                self.cells.get(("key", partner, key)),
                self.cells.get(("second_key", partner, key)),
            ):
                if found:
                    book.know(found)
        for round_ in rounds_to_load(wanted, book):
            if played := self.cells.get(("round", *round_)):
                book.add_round(played)
        for round_ in whole_rounds_to_load(wanted, book):
            undoable = self._open_to_undo(round_[0], round_[2])
            book.round_rows[round_] = [row for row in undoable if (row.provider, row.round) == round_[1::2]]
        for who in wanted.playing:
            rows = list(self._open_to_undo(*who))
            undone = {row.reference for row in rows if row.kind is Kind.ROLLBACK}
            if any(
                self._is_open(row) for row in rows if row.kind is Kind.BET and row.reference not in undone
            ):
                book.playing.add(who)
        for player in wanted.newest_transfers:
            for row in self.trail(player):
                if row.kind in TRANSFERS:
                    book.newest_transfers[player] = row

    def _open_to_undo(self, partner: str, player: str) -> Iterator[Entry]:
        """A player's accepted bets and rollbacks."""
        for row in self.trail((partner, player)):
            if row.verdict is Verdict.OK and row.kind in (Kind.BET, Kind.ROLLBACK):
                yield row

    def _is_open(self, bet: Entry) -> bool:
        played: Round = self.cells["round", bet.partner, bet.provider, bet.player, bet.round]
        return not played.settled(bet)

    def trail(self, player: PlayerKey) -> Iterator[Entry]:
        """A player's rows in order, up to the first that is missing."""
        seq = 1
        while row := self.cells.get(("row", *player, seq)):
            yield row
            seq += 1

    def all(self, table: str) -> list[Any]:
        """Everything of one kind."""
        return [value for cell, value in self.cells.items() if cell[0] == table]
