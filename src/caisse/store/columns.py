"""How the core's types lie in the tables: column lists, and the conversions both engines share."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from caisse.core.attempts import Attempt
from caisse.core.book import Book, Player, Round
from caisse.core.entries import Entry, Kind
from caisse.core.money import read_stored, show
from caisse.core.round_log import Due
from caisse.core.verdicts import Verdict
from caisse.store.api import Damaged

JOURNAL: Final = Entry.__struct_fields__
ROUND: Final = Round.__struct_fields__
ROUND_KEY: Final = ("partner", "player", "provider", "id")
ATTEMPT: Final = Attempt.__struct_fields__
DUE: Final = Due.__struct_fields__
ROUND_TURNS: Final = tuple(column for column in ROUND if column not in ROUND_KEY)
"""What may change of a round that is there."""
ATTEMPT_TURNS: Final = """on conflict (partner, provider, endpoint, verdict, replay, fault, flag, first_at)
where rule = 'R58' do update set count = attempt.count + excluded.count, last_at = excluded.last_at"""
"""What an insert into `attempt` does with a line that counts what came beyond the limit, on every engine."""
STANDING: Final = (
    "partner",
    "id",
    "name",
    "name_key",
    "created_at",
    "login_at",
    "session",
    "frozen",
    "seq",
    "head",
)
PLAYER: Final = (*STANDING, "balances")

_encode: Final = msgspec.json.Encoder().encode
_decode_balances: Final = msgspec.json.Decoder(dict[str, str]).decode

_STATES: Final = frozenset({"open", "ended", "refunded"})
TOTALS: Final = ("staked", "won", "jackpot", "logged_staked", "logged_won", "logged_jackpot")
"""Amounts of a round."""
AS_TEXT: Final = frozenset({"amount", "balance", "asked", *TOTALS, "opened_id"})
"""Amounts and ids: text on the way to a store and back, on every engine."""


def selected(columns: Sequence[str], table: str) -> str:
    """The select list that reads `columns` alike on every engine: amounts and ids as text."""
    cast = AS_TEXT | {"id"} if table == "journal" else AS_TEXT
    return ", ".join(f"cast({table}.{c} as text)" if c in cast else f"{table}.{c}" for c in columns)


JOURNAL_SELECT: Final = selected(JOURNAL, "journal")
ROUND_SELECT: Final = selected(ROUND, "round")
PLAYER_SELECT: Final = selected(PLAYER, "player")


OPEN_BETS: Final = """
join round on round.partner = wanted.partner and round.player = wanted.id and round.standing > 0
join journal as bet on bet.partner = round.partner and bet.player = round.player
    and bet.provider = round.provider and bet.round = round.id and bet.seq > round.settled_seq
    and bet.kind = 'bet' and bet.verdict = 'ok'
where 0 = (
    select count(*) from journal as undone where undone.partner = bet.partner and undone.player = bet.player
    and undone.provider = bet.provider and undone.round = bet.round and undone.reference = bet.reference
    and undone.kind in ('bet', 'rollback') and undone.kind = 'rollback' and undone.verdict = 'ok')"""
"""What leads from `wanted` (partner, id) to those players' open bets: not settled, not rolled back (R26)."""


def entry_of(row: Iterable[Any]) -> Entry:
    """A journal row as read by `JOURNAL_SELECT`."""
    fields = dict(zip(JOURNAL, row, strict=True))
    try:
        fields["kind"] = Kind(fields["kind"])
        fields["verdict"] = Verdict(fields["verdict"])
        for name in ("amount", "balance", "asked"):
            fields[name] = read_stored(fields[name])
    except (ValueError, TypeError) as error:
        raise Damaged(f"row {fields['seq']} of player {fields['player']}: {error}") from error
    return Entry(**fields)


def round_of(row: Iterable[Any]) -> Round:
    """A round as read by `ROUND_SELECT`."""
    fields = dict(zip(ROUND, row, strict=True))
    fields["logged"] = bool(fields["logged"])
    try:
        if fields["state"] not in _STATES:
            raise ValueError(f"{fields['state']!r:.64} is no state of a round")
        for name in TOTALS:
            fields[name] = read_stored(fields[name])
    except (ValueError, TypeError) as error:
        raise Damaged(f"round {fields['id']} of player {fields['player']}: {error}") from error
    return Round(**fields)


def player_of(row: Sequence[Any]) -> Player:
    """A player as read by `PLAYER_SELECT`."""
    partner, user, name, name_key, created_at, login_at, session, frozen, seq, head, balances = row
    return Player(
        partner=partner,
        id=user,
        name=name,
        name_key=name_key,
        created_at=created_at,
        login_at=login_at,
        session=session,
        frozen=bool(frozen),
        seq=seq,
        head=head,
        wallets=_wallets(user, balances),
        loaded_seq=seq,
    )


def _wallets(user: str, balances: str) -> dict[str, int]:
    """Damaged for what `balances_of` never wrote: read no more tolerantly than the audit reads.

    JSON allows spaces, escapes and a currency twice; each makes the text longer than its parts are.
    """
    try:
        texts = _decode_balances(balances)
        written = max(2, 1 + sum(len(currency) + len(held) + 6 for currency, held in texts.items()))
        if len(balances) != written:
            raise ValueError("the balances are not spelled as they are written")
        return {currency: read_stored(held) for currency, held in texts.items()}
    except (ValueError, TypeError) as error:
        raise Damaged(f"player {user}: {error}") from error


def add_players(book: Book, rows: Iterable[Any]) -> None:
    """Players as read by `PLAYER_SELECT`."""
    for row in rows:
        book.players[row[0], row[1]] = player_of(row)


def balances_of(player: Player) -> str:
    """A player's wallets as they are stored: a JSON object, currency code to amount."""
    return _encode({currency: show(held) for currency, held in player.wallets.items()}).decode()


_AMOUNT_AT: Final = JOURNAL.index("amount")
_TOTALS_AT: Final = tuple(map(ROUND.index, TOTALS))
_DUE_AT: Final = DUE.index("staked")


def entry_row(entry: Entry) -> list[Any]:
    """An entry as it is stored, in the order of `JOURNAL`."""
    row, at = [*astuple(entry)], _AMOUNT_AT
    row[at], row[at + 1], row[at + 2] = show(entry.amount), show(entry.balance), show(entry.asked)
    return row


def round_row(now: Round) -> list[Any]:
    """A round as it is stored, in the order of `ROUND`."""
    row = [*astuple(now)]
    for at in _TOTALS_AT:
        row[at] = show(row[at])
    return row


def due_row(due: Due) -> list[Any]:
    """A row of the slot log that fell due, in the order of `DUE`."""
    row, at = [*astuple(due)], _DUE_AT
    row[at], row[at + 1], row[at + 3] = show(due.staked), show(due.won), show(due.jackpot)
    return row


def player_row(player: Player) -> list[Any]:
    """A player as it is stored, in the order of `PLAYER`."""
    return [*(getattr(player, name) for name in STANDING), balances_of(player)]
