"""Which heads a batch changed, in the order in which every batch touches them."""

from caisse.core.book import Book, Player
from caisse.core.money import show


def changed_players(book: Book) -> list[Player]:
    """Players with new rows, by partner and id."""
    return [player for _, player in sorted(book.players.items()) if player.seq != player.loaded_seq]


def changed_wallets(players: list[Player]) -> list[tuple[str, str, str, str]]:
    """(partner, player, currency, balance) of every wallet the batch wrote, folded to one row each."""
    return [(p.partner, p.id, code, show(p.wallets[code])) for p in players for code in sorted(p.touched)]
