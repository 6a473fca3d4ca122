"""The one statement by which a batch is written on PostgreSQL, and its arguments.

Every table's rows travel as one array for each column (`unnest`), so the text of the statement does not
depend on the size of the batch and is planned once. Two forms: the common one, for batches that touch no
round and create no player, and the full one.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec.structs import astuple

from caisse.core.arrivals import Arrival
from caisse.core.book import Book, Player
from caisse.store import columns
from caisse.store.changed import changed_players, changed_wallets

_BIGINT: Final = frozenset(
    {
        *("seq", "at", "created_at", "login_at", "settled_seq", "opened_seq", "opened_at", "loaded"),
        *("count", "first_at", "last_at"),
    }
)
_BYTES: Final = frozenset({"fingerprint", "hash", "head"})
_AMOUNTS: Final = frozenset({"amount", "balance", "asked", "staked", "won", "jackpot"})
_OTHER: Final = {
    "part": "smallint",
    "standing": "integer",
    "frozen": "boolean",
    "replay": "boolean",
    "opened_id": "uuid",
}
_MOVED: Final = ("partner", "id", "login_at", "session", "frozen", "seq", "head", "loaded")
_WALLET: Final = ("partner", "player", "currency", "balance")


def _type(table: str, column: str) -> str:
    if column in _BIGINT:
        return "bigint"
    if column in _BYTES:
        return "bytea"
    if table == "journal" and column == "id":
        return "uuid"
    return _OTHER.get(column, "text")


class _Statement:
    """Numbers the parameters of a statement as its parts are put together."""

    def __init__(self) -> None:
        self.parameters = 0

    def rows(self, table: str, names: Sequence[str]) -> str:
        """`unnest(...) as given (...)` over one array parameter for each column."""
        arrays = ", ".join(f"${self.parameters + n}::{_type(table, c)}[]" for n, c in enumerate(names, 1))
        self.parameters += len(names)
        return f"unnest({arrays}) as given ({', '.join(names)})"

    def insert(self, table: str, names: Sequence[str]) -> str:
        """Insert all given rows."""
        values = ", ".join(f"{c}::numeric" if c in _AMOUNTS else c for c in names)
        return f"insert into {table} ({', '.join(names)}) select {values} from {self.rows(table, names)}"

    def end(self, parts: dict[str, str]) -> str:
        """All parts as one statement that fails unless they touch as many rows as it is told."""
        ctes = ",\n".join(f"{name} as ({text} returning 1)" for name, text in parts.items())
        touched = " + ".join(f"(select count(*) from {name})" for name in parts)
        return f"with {ctes}\nselect caisse_expect({touched}, ${self.parameters + 1})"


def _common(s: _Statement) -> dict[str, str]:
    return {
        "moved": f"""update player set login_at = given.login_at, session = given.session,
    frozen = given.frozen, seq = given.seq, head = given.head from {s.rows("player", _MOVED)}
    where player.partner = given.partner and player.id = given.id and player.seq = given.loaded""",
        "paid": f"""{s.insert("wallet", _WALLET)}
    on conflict (partner, player, currency) do update set balance = excluded.balance""",
        "appended": s.insert("journal", columns.JOURNAL),
    }


def _full(s: _Statement) -> dict[str, str]:
    changing = [c for c in columns.ROUND if c not in ("partner", "provider", "id", "player")]
    changes = ", ".join(f"{c} = excluded.{c}" for c in changing)
    return _common(s) | {
        "created": s.insert("player", columns.PLAYER),
        "turned": f"""{s.insert("round", columns.ROUND)}
    on conflict (partner, provider, id) do update set {changes} where round.player = excluded.player""",
    }


def _text(parts: Any) -> str:
    s = _Statement()
    return s.end(parts(s))


COMMON: Final = _text(_common)
FULL: Final = _text(_full)
RECORD: Final = _Statement().insert("arrival", columns.ARRIVAL)


def record_arguments(arrivals: Sequence[Arrival]) -> list[Any]:
    """The arguments of `RECORD`."""
    return _arrays(len(columns.ARRIVAL), map(astuple, arrivals))


def statement(book: Book) -> tuple[str, list[Any]]:
    """The statement that writes what the book took in, and its arguments."""
    changed = changed_players(book)
    old = [p for p in changed if p.loaded_seq]
    new = [p for p in changed if not p.loaded_seq]
    wallets = changed_wallets(changed)
    rounds = [book.rounds[key] for key in sorted(book.touched_rounds)]
    args = [
        *_arrays(len(_MOVED), map(_moved_row, old)),
        *_arrays(len(_WALLET), wallets),
        *_arrays(len(columns.JOURNAL), map(columns.entry_row, book.appended)),
    ]
    touched = len(changed) + len(wallets) + len(book.appended) + len(rounds)
    if not new and not rounds:
        return COMMON, [*args, touched]
    args += _arrays(len(columns.PLAYER), map(columns.player_row, new))
    args += _arrays(len(columns.ROUND), map(columns.round_row, rounds))
    return FULL, [*args, touched]


def _moved_row(p: Player) -> tuple[Any, ...]:
    return (p.partner, p.id, p.login_at, p.session, p.frozen, p.seq, p.head, p.loaded_seq)


def _arrays(width: int, rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """Rows turned into one array for each column."""
    return list(zip(*rows, strict=True)) or [()] * width
