"""How the core's types lie in the tables: column lists, and the conversions both engines share."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec.structs import astuple

from caisse.core.arrivals import Arrival
from caisse.core.book import Book, Player, Round
from caisse.core.entries import Entry, Kind
from caisse.core.money import read_stored, show
from caisse.core.verdicts import Verdict

JOURNAL: Final = Entry.__struct_fields__
ROUND: Final = Round.__struct_fields__
ARRIVAL: Final = Arrival.__struct_fields__
PLAYER: Final = ("partner", "id", "name", "created_at", "login_at", "session", "frozen", "seq", "head")

_TEXT: Final = frozenset({"amount", "balance", "asked", "staked", "won", "jackpot", "opened_id"})


def selected(columns: Sequence[str], table: str) -> str:
    """The select list that reads `columns` alike on every engine: amounts and ids as text."""
    cast = _TEXT | {"id"} if table == "journal" else _TEXT
    return ", ".join(f"cast({table}.{c} as text)" if c in cast else f"{table}.{c}" for c in columns)


JOURNAL_SELECT: Final = selected(JOURNAL, "journal")
ROUND_SELECT: Final = selected(ROUND, "round")
PLAYER_SELECT: Final = selected(PLAYER, "player")


def entry_of(row: Iterable[Any]) -> Entry:
    """A journal row as read by `JOURNAL_SELECT`."""
    fields = dict(zip(JOURNAL, row, strict=True))
    fields["kind"] = Kind(fields["kind"])
    fields["verdict"] = Verdict(fields["verdict"])
    for name in ("amount", "balance", "asked"):
        fields[name] = read_stored(fields[name])
    return Entry(**fields)


def round_of(row: Iterable[Any]) -> Round:
    """A round as read by `ROUND_SELECT`."""
    fields = dict(zip(ROUND, row, strict=True))
    for name in ("staked", "won", "jackpot"):
        fields[name] = read_stored(fields[name])
    return Round(**fields)


def player_of(row: Sequence[Any]) -> Player:
    """A player as read by `PLAYER_SELECT`, its wallets still to be filled in."""
    partner, user, name, created_at, login_at, session, frozen, seq, head = row
    return Player(
        partner=partner,
        id=user,
        name=name,
        created_at=created_at,
        login_at=login_at,
        session=session,
        frozen=bool(frozen),
        seq=seq,
        head=head,
        wallets={},
        loaded_seq=seq,
    )


def add_players(book: Book, rows: Iterable[Any]) -> None:
    """Players with their wallets, as read by `PLAYER_SELECT` and a wallet's currency and balance as text."""
    for row in rows:
        key = (row[0], row[1])
        player = book.players.get(key)
        if player is None:
            player = book.players[key] = player_of(row[:-2])
        if row[-2] is not None:
            player.wallets[row[-2]] = read_stored(row[-1])


_AMOUNT_AT: Final = JOURNAL.index("amount")
_STAKED_AT: Final = ROUND.index("staked")


def entry_row(entry: Entry) -> tuple[Any, ...]:
    """An entry as it is stored, in the order of `JOURNAL`."""
    i = _AMOUNT_AT
    values = astuple(entry)
    return (*values[:i], show(entry.amount), show(entry.balance), show(entry.asked), *values[i + 3 :])


def round_row(now: Round) -> tuple[Any, ...]:
    """A round as it is stored, in the order of `ROUND`."""
    i = _STAKED_AT
    values = astuple(now)
    return (*values[:i], show(now.staked), show(now.won), show(now.jackpot), *values[i + 3 :])


def player_row(player: Player) -> tuple[Any, ...]:
    """A player as it is stored, in the order of `PLAYER`."""
    return tuple(getattr(player, name) for name in PLAYER)
