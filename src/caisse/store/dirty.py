"""What a batch changed besides appending rows, in the order in which every batch touches it."""

from typing import NamedTuple

from caisse.core.book import Book, Player, Round


class Changed(NamedTuple):
    """Heads to write: each player and round once, however many rows the batch appended to it."""

    created: list[Player]
    moved: list[Player]
    opened: list[Round]
    """Rounds that were not there when the batch was decided, and must not be there now."""
    turned: list[Round]
    """Rounds that were there."""

    @property
    def touched(self) -> int:
        """How many rows must be touched, no more and no fewer."""
        return len(self.created) + len(self.moved) + len(self.opened) + len(self.turned)


def changed(book: Book) -> Changed:
    """What the book took in, folded."""
    players = [player for _, player in sorted(book.players.items()) if player.seq != player.loaded_seq]
    return Changed(
        created=[p for p in players if not p.loaded_seq],
        moved=[p for p in players if p.loaded_seq],
        opened=[book.rounds[key] for key in sorted(book.opened_rounds)],
        turned=[book.rounds[key] for key in sorted(book.touched_rounds - book.opened_rounds)],
    )
