"""The one statement by which a batch is written on PostgreSQL, and its arguments.

Every table's rows travel as one text: each row a row literal of PostgreSQL's, all joined by a separator,
split and cast to the table's row type there. The text of the statement does not depend on the size of the
batch and is planned once. Why not an array for each column: decision 0036.

Two forms: the common one, for batches that touch no round and create no player, and the full one.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec.structs import astuple, fields

from caisse.core.attempts import Attempt
from caisse.core.book import Book, Player, Round
from caisse.core.entries import Entry
from caisse.core.round_log import Due
from caisse.store import columns
from caisse.store.dirty import changed
from caisse.store.postgres.connecting import durable

SEPARATOR: Final = "\x1f"
"""ASCII's unit separator. A value that holds it is refused: no id may hold control characters."""

_TYPES: Final = {f.name: f.type for kind in (Entry, Player, Round, Attempt, Due) for f in fields(kind)}
_BYTES: Final = frozenset(name for name, of in _TYPES.items() if of is bytes)
_NUMBERS: Final = frozenset(name for name, of in _TYPES.items() if of in (int, bool)) - columns.AS_TEXT


class Rows:
    """A table's rows as one text, of a type of their own: a column added to the table does not touch it."""

    def __init__(self, table: str, names: Sequence[str], row_type: str) -> None:
        self.table = table
        self.names = names
        self.row_type = row_type
        self._bytes = [at for at, name in enumerate(names) if name in _BYTES]
        self._numbers = [at for at, name in enumerate(names) if name in _NUMBERS]

    def text(self, rows: Iterable[list[Any]]) -> str:
        """The rows, each in the order of the type's fields; they are used up.

        ValueError for a value that holds the separator.
        """
        return _joined(map(self._row, rows))

    def _row(self, values: list[Any]) -> str:
        for at in self._numbers:
            values[at] = str(values[at])
        for at in self._bytes:
            values[at] = values[at].hex()
        plain = "".join(values)  # one look at all of them: to count quotes in the literal costs more than it
        if '"' in plain or "\\" in plain:
            values = [*map(_escaped, values)]
        for at in self._bytes:
            values[at] = "\\\\x" + values[at]
        return '("' + '","'.join(values) + '")'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '""')


def _joined(literals: Iterable[str]) -> str:
    rows = list(literals)
    text = SEPARATOR.join(rows)
    if len(text.split(SEPARATOR)) > max(len(rows), 1):
        raise ValueError("a value holds the separator")
    return text


_JOURNAL: Final = Rows("journal", columns.JOURNAL, "journal_row")
_PLAYERS: Final = Rows("player", columns.PLAYER, "player_row")
_ROUNDS: Final = Rows("round", columns.ROUND, "round_row")
_DUE: Final = Rows("round_due", columns.DUE, "round_due")
_ATTEMPTS: Final = Rows("attempt", columns.ATTEMPT, "attempt")


def _move(p: Player) -> str:
    """A row of the type `player_move`. Apart from `Rows`, since a balance's JSON always needs escaping."""
    held = _escaped(columns.balances_of(p))
    return (
        f'("{_escaped(p.partner)}","{_escaped(p.id)}",{p.login_at},"{_escaped(p.session)}",{p.frozen},'
        f'{p.seq},"\\\\x{p.head.hex()}","{held}",{p.loaded_seq},{not p.name_key})'
    )


def _given(row_type: str, parameter: int) -> str:
    """Such a text's rows in a statement."""
    return f"unnest(string_to_array(${parameter}, E'\\x1f')::{row_type}[]) as given"


def _insert(rows: Rows, parameter: int) -> str:
    names = ", ".join(rows.names)
    return f"insert into {rows.table} ({names}) select {names} from {_given(rows.row_type, parameter)}"


_MOVE: Final = f"""update player set login_at = given.login_at, session = given.session,
    frozen = given.frozen, seq = given.seq, head = given.head, balances = given.balances,
    name = case when given.forgotten then '' else player.name end,
    name_key = case when given.forgotten then '' else player.name_key end
    from {_given("player_move", 1)}
    where player.partner = given.partner and player.id = given.id and player.seq = given.loaded"""


_TURN: Final = f"""update round set {", ".join(f"{name} = given.{name}" for name in columns.ROUND_TURNS)}
    from {_given("round_row", 5)}
    where {" and ".join(f"round.{name} = given.{name}" for name in columns.ROUND_KEY)}"""


def _counted(*parts: str) -> str:
    """All parts as one statement that fails unless they touch as many rows as it is told."""
    ctes = ",\n".join(f"part{n} as ({part} returning 1)" for n, part in enumerate(parts))
    touched = " + ".join(f"(select count(*) from part{n})" for n in range(len(parts)))
    return f"with {ctes}\nselect caisse_expect({touched}, ${len(parts) + 1}), {durable(local=True)}"


_COMMON: Final = (_MOVE, _insert(_JOURNAL, 2))
COMMON: Final = _counted(*_COMMON)
FULL: Final = _counted(
    *_COMMON,
    _insert(_PLAYERS, 3),
    _insert(_ROUNDS, 4),
    _TURN,
    _insert(_DUE, 6),
)
RECORD: Final = f"{_insert(_ATTEMPTS, 1)} {columns.ATTEMPT_TURNS}"


def record_arguments(attempts: Sequence[Attempt]) -> list[str]:
    """The arguments of `RECORD`. ValueError for a value that holds the separator."""
    return [_ATTEMPTS.text([*astuple(attempt)] for attempt in attempts)]


def statement(book: Book) -> tuple[str, list[str | int]]:
    """The statement that writes what the book took in, and its arguments. ValueError as above."""
    heads = changed(book)
    touched = heads.touched + len(book.appended) + len(book.due)
    args: list[str | int] = [
        _joined(map(_move, heads.moved)),
        _JOURNAL.text(map(columns.entry_row, book.appended)),
    ]
    if not (heads.created or heads.opened or heads.turned):
        return COMMON, [*args, touched]
    args += [
        _PLAYERS.text(map(columns.player_row, heads.created)),
        _ROUNDS.text(map(columns.round_row, heads.opened)),
        _ROUNDS.text(map(columns.round_row, heads.turned)),
        _DUE.text(map(columns.due_row, book.due)),
    ]
    return FULL, [*args, touched]
