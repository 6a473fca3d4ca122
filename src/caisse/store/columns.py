"""How the core's types lie in the tables: column lists, and the conversions both engines share."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from caisse.core.attempts import Attempt
from caisse.core.book import Book, Player, Round
from caisse.core.entries import Entry, Kind
from caisse.core.money import read_stored, show
from caisse.core.verdicts import Verdict

JOURNAL: Final = Entry.__struct_fields__
ROUND: Final = Round.__struct_fields__
ATTEMPT: Final = Attempt.__struct_fields__
ROUND_TURNS: Final = f"""on conflict (partner, provider, id) do update set {
    ", ".join(f"{c} = excluded.{c}" for c in ROUND if c not in ("partner", "provider", "id", "player"))
} where round.player = excluded.player"""
"""What an insert into `round` does with one that is there, on every engine: a round keeps its player."""
ATTEMPT_TURNS: Final = """on conflict (partner, provider, endpoint, verdict, replay, fault, flag, first_at)
where rule = 'R58' do update set count = attempt.count + excluded.count, last_at = excluded.last_at"""
"""What an insert into `attempt` does with a line that counts what came beyond the limit, on every engine."""
STANDING: Final = ("partner", "id", "name", "created_at", "login_at", "session", "frozen", "seq", "head")
PLAYER: Final = (*STANDING, "balances")

_encode: Final = msgspec.json.Encoder().encode
_decode_balances: Final = msgspec.json.Decoder(dict[str, str]).decode

AS_TEXT: Final = frozenset({"amount", "balance", "asked", "staked", "won", "jackpot", "opened_id"})
"""Amounts and ids: text on the way to a store and back, on every engine."""


def selected(columns: Sequence[str], table: str) -> str:
    """The select list that reads `columns` alike on every engine: amounts and ids as text."""
    cast = AS_TEXT | {"id"} if table == "journal" else AS_TEXT
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
    """A player as read by `PLAYER_SELECT`."""
    partner, user, name, created_at, login_at, session, frozen, seq, head, balances = row
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
        wallets={currency: read_stored(held) for currency, held in _decode_balances(balances).items()},
        loaded_seq=seq,
    )


def add_players(book: Book, rows: Iterable[Any]) -> None:
    """Players as read by `PLAYER_SELECT`."""
    for row in rows:
        book.players[row[0], row[1]] = player_of(row)


def balances_of(player: Player) -> str:
    """A player's wallets as they are stored: a JSON object, currency code to amount."""
    return _encode({currency: show(held) for currency, held in player.wallets.items()}).decode()


_AMOUNT_AT: Final = JOURNAL.index("amount")
_STAKED_AT: Final = ROUND.index("staked")


def entry_row(entry: Entry) -> list[Any]:
    """An entry as it is stored, in the order of `JOURNAL`."""
    row, at = [*astuple(entry)], _AMOUNT_AT
    row[at], row[at + 1], row[at + 2] = show(entry.amount), show(entry.balance), show(entry.asked)
    return row


def round_row(now: Round) -> list[Any]:
    """A round as it is stored, in the order of `ROUND`."""
    row, at = [*astuple(now)], _STAKED_AT
    row[at], row[at + 1], row[at + 2] = show(now.staked), show(now.won), show(now.jackpot)
    return row


def player_row(player: Player) -> list[Any]:
    """A player as it is stored, in the order of `PLAYER`."""
    return [*(getattr(player, name) for name in STANDING), balances_of(player)]
