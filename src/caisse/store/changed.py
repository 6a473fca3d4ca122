"""What a batch changed besides appending rows, in the order in which every batch touches it."""

from typing import NamedTuple

from caisse.core.book import Book, Player, Round
from caisse.core.money import show

WalletRow = tuple[str, str, str, str]
"""(partner, player, currency, balance)"""


class Changed(NamedTuple):
    """Heads to write: each player, wallet and round once, however many rows the batch appended to it."""

    created: list[Player]
    moved: list[Player]
    opened: list[WalletRow]
    paid: list[WalletRow]
    rounds: list[Round]

    @property
    def touched(self) -> int:
        """How many rows must be touched, no more and no fewer."""
        return len(self.created) + len(self.moved) + len(self.opened) + len(self.paid) + len(self.rounds)


def changed(book: Book) -> Changed:
    """What the book took in, folded."""
    players = [player for _, player in sorted(book.players.items()) if player.seq != player.loaded_seq]
    return Changed(
        created=[p for p in players if not p.loaded_seq],
        moved=[p for p in players if p.loaded_seq],
        opened=[_wallet(p, currency) for p in players for currency in sorted(p.opened)],
        paid=[_wallet(p, currency) for p in players for currency in sorted(p.touched)],
        rounds=[book.rounds[key] for key in sorted(book.touched_rounds)],
    )


def _wallet(player: Player, currency: str) -> WalletRow:
    return player.partner, player.id, currency, show(player.wallets[currency])
