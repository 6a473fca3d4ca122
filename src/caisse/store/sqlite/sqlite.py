"""The ledger on SQLite, through apsw, which carries its own current SQLite.

One read-write connection for the server; the file is locked for the server's life. Short
administrative commands write beside it, in transactions of their own: a batch's write therefore counts
only if every player's sequence number is still the one that was read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw
import msgspec
from msgspec.structs import astuple

from caisse.core.attempts import Attempt
from caisse.core.book import Book, Player, Round, Wants, rounds_to_load, whole_rounds_to_load
from caisse.store import columns
from caisse.store.api import BadData, Conflict, FateUnknown, Unavailable, Unsuitable, WrongGuess
from caisse.store.dirty import changed
from caisse.store.sqlite.checkpoints import Checkpoints
from caisse.store.sqlite.file import open_file, open_to_read
from caisse.store.trial import LOOKED_FOR, trial

T = TypeVar("T")

_json = msgspec.json.Encoder()

LOAD_PLAYERS: Final = f"""
select {columns.PLAYER_SELECT} from json_each(?) as wanted
cross join player on player.partner = wanted.value ->> 0 and player.id = wanted.value ->> 1"""
LOAD_ENTRIES: Final = f"""
select {columns.JOURNAL_SELECT} from json_each(?) as wanted
cross join journal on journal.partner = wanted.value ->> 0 and journal.key = wanted.value ->> 1"""
LOAD_SECOND_KEYS: Final = f"""
select {columns.JOURNAL_SELECT} from json_each(?) as wanted
cross join journal on journal.partner = wanted.value ->> 0 and journal.second_key = wanted.value ->> 1
    and journal.second_key <> ''"""
LOAD_ROUNDS: Final = f"""
select {columns.ROUND_SELECT} from json_each(?) as wanted
cross join round on round.partner = wanted.value ->> 0 and round.provider = wanted.value ->> 1
    and round.player = wanted.value ->> 2 and round.id = wanted.value ->> 3"""
LOAD_ROUND_ROWS: Final = f"""
select {columns.JOURNAL_SELECT} from journal indexed by journal_round
where partner = ? and provider = ? and player = ? and round = ?
    and kind in ('bet', 'rollback') and verdict = 'ok' order by seq"""
LOAD_PLAYING: Final = f"""
select 1 from (select ? as partner, ? as id) as wanted {columns.OPEN_BETS} limit 1"""
LOAD_NEWEST_TRANSFER: Final = f"""
select {columns.JOURNAL_SELECT} from journal
where partner = ? and player = ? and kind in ('charge', 'withdraw') order by seq desc limit 1"""


def _insert(table: str, names: Sequence[str]) -> str:
    return f"insert into {table} ({', '.join(names)}) values ({', '.join('?' * len(names))})"


CREATE_PLAYER: Final = _insert("player", columns.PLAYER)
MOVE_PLAYER: Final = """
update player set name = ?, name_key = ?, login_at = ?, session = ?, frozen = ?, seq = ?, head = ?,
    balances = ?
where partner = ? and id = ? and seq = ?"""
APPEND: Final = _insert("journal", columns.JOURNAL)
RECORD: Final = f"{_insert('attempt', columns.ATTEMPT)} {columns.ATTEMPT_TURNS}"
FALL_DUE: Final = _insert("round_due", columns.DUE)
OPEN_ROUND: Final = _insert("round", columns.ROUND)
TURN_ROUND: Final = f"""update round set {", ".join(f"{name} = ?" for name in columns.ROUND_TURNS)}
where {" and ".join(f"{name} = ?" for name in columns.ROUND_KEY)}"""


class SqliteLedger:
    """The server's connection, used by one caller at a time.

    What may wait (the lock, the disk) runs on a thread; what only computes runs where it is called. Rows read
    or written on a thread beside a busy event loop would hand the interpreter's lock back and forth for each
    row: measured, about 100 instead of 80 microseconds for each refund.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._connection: apsw.Connection | None = None
        self._checkpoints = Checkpoints(lambda: open_file(path))

    async def open(self) -> None:
        """See `Ledger.open`: the file, that of the checkpoints, and a write that is rolled back."""
        self._ready()
        self._checkpoints.open()
        _load(self._ready(), LOOKED_FOR)
        await self._run(_try)

    async def load(self, wanted: Wants, *, lock: bool) -> Book:
        """See `Ledger.load`. `lock` changes nothing: the only rivals are short administrative commands."""
        return _load(self._ready(), wanted)

    async def commit(self, book: Book) -> None:
        """See `Ledger.commit`. What was read is durable: it was checkpointed at start or synced since."""
        if not book.appended:
            return
        await self._run(_begin)
        try:
            _write(self._ready(), book)
        except Exception as error:
            _undo(self._ready())
            raise _writing_failed(error) from error
        await self._run(_end)
        if self._checkpoints.unsynced is not None:
            raise FateUnknown(f"a sync failed: {self._checkpoints.unsynced}", fatal=True)

    async def record(self, attempts: Sequence[Attempt]) -> None:
        """See `Ledger.record`."""
        await self._run(lambda c: _record(c, attempts))

    async def _run(self, work: Callable[[apsw.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._ready()))

    def _ready(self) -> apsw.Connection:
        if self._connection is None:
            self._connection = open_file(self._path)
            self._checkpoints.follow(self._connection)
        return self._connection

    def drop(self) -> None:
        """Nothing to drop: SQLite runs in this process."""

    async def close(self) -> None:
        """Close the connections and their threads."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._checkpoints.close)
        if self._connection is not None:
            await self._run(lambda c: c.close())
        self._connection = None
        self._thread.shutdown()


def _load(c: apsw.Connection, wanted: Wants) -> Book:
    try:
        c.execute("begin")
        try:
            return _read(c, wanted)
        finally:
            c.execute("commit")
    except ValueError as error:  # a value that is no text for SQLite, or a stored row that is none of ours
        raise BadData(str(error)) from error
    except apsw.Error as error:
        raise Unavailable(f"reading failed: {error}") from error


def _read(c: apsw.Connection, wanted: Wants) -> Book:
    """One statement for all keys of a kind: starting one costs as much as finding several rows."""
    book = Book()
    columns.add_players(book, c.execute(LOAD_PLAYERS, _keys(wanted.players)))
    for row in c.execute(LOAD_ENTRIES, _keys(wanted.entries)):
        book.know(columns.entry_of(row))
    if second_keys := [key for key in wanted.entries if key[1].startswith("x:")]:
        for row in c.execute(LOAD_SECOND_KEYS, _keys(second_keys)):
            book.know(columns.entry_of(row))
    if rounds := rounds_to_load(wanted, book):
        for row in c.execute(LOAD_ROUNDS, _keys(rounds)):
            book.add_round(columns.round_of(row))
    for round_key in whole_rounds_to_load(wanted, book):
        book.round_rows[round_key] = [columns.entry_of(row) for row in c.execute(LOAD_ROUND_ROWS, round_key)]
    for key in wanted.newest_transfers:
        for row in c.execute(LOAD_NEWEST_TRANSFER, key):
            book.newest_transfers[key] = columns.entry_of(row)
    book.playing.update(key for key in wanted.playing if c.execute(LOAD_PLAYING, key).fetchone())
    return book


def _keys(keys: Sequence[tuple[str, ...]]) -> tuple[str]:
    """Keys as one parameter, for `json_each`. ValueError for what is no text."""
    return (_json.encode(keys).decode(),)


def _begin(c: apsw.Connection) -> None:
    """Take the write lock, waiting for a short administrative command if need be."""
    try:
        c.execute("begin immediate")
    except apsw.Error as error:
        raise Unavailable(f"cannot begin to write: {error}") from error


def _try(c: apsw.Connection) -> None:
    _begin(c)
    try:
        _write(c, trial())
    except (apsw.Error, Conflict) as error:
        raise Unsuitable(f"cannot write the ledger: {error}") from error
    finally:
        _undo(c)


def _write(c: apsw.Connection, book: Book) -> None:
    before = c.total_changes()
    heads = changed(book)
    _many(c, CREATE_PLAYER, map(columns.player_row, heads.created))
    _many(c, MOVE_PLAYER, map(_moved_row, heads.moved))
    _many(c, APPEND, map(columns.entry_row, book.appended))
    _open_rounds(c, heads.opened)
    _many(c, TURN_ROUND, map(_turned_row, heads.turned))
    _many(c, FALL_DUE, map(columns.due_row, book.due))
    if c.total_changes() - before != heads.touched + len(book.appended) + len(book.due):
        raise Conflict("a player or round changed since it was read")


def _open_rounds(c: apsw.Connection, opened: Iterable[Round]) -> None:
    try:
        _many(c, OPEN_ROUND, map(columns.round_row, opened))
    except apsw.ConstraintError as error:
        if _is_taken(error):
            raise WrongGuess(str(error)) from error
        raise


def _record(c: apsw.Connection, attempts: Sequence[Attempt]) -> None:
    _begin(c)
    try:
        _many(c, RECORD, map(astuple, attempts))
    except (apsw.Error, ValueError) as error:
        _undo(c)
        raise _writing_failed(error) from error
    _end(c)


def _many(c: apsw.Connection, sql: str, rows: Iterable[Sequence[Any]]) -> None:
    c.executemany(sql, rows).fetchall()


def _moved_row(p: Player) -> tuple[Any, ...]:
    held = columns.balances_of(p)
    standing = (p.name, p.name_key, p.login_at, p.session, p.frozen, p.seq, p.head, held)
    return (*standing, p.partner, p.id, p.loaded_seq)


def _turned_row(now: Round) -> list[Any]:
    row = dict(zip(columns.ROUND, columns.round_row(now), strict=True))
    return [row[name] for name in (*columns.ROUND_TURNS, *columns.ROUND_KEY)]


def _undo(c: apsw.Connection) -> None:
    """Roll back; if even that fails, SQLite has done it already or will when the file is opened again."""
    if c.in_transaction:
        c.execute("rollback")


def _writing_failed(error: Exception) -> Exception:
    if isinstance(error, Conflict):
        return error
    if isinstance(error, apsw.ConstraintError):
        return Conflict(str(error)) if _is_taken(error) else BadData(str(error))
    if isinstance(error, apsw.Error):
        return Unavailable(f"writing failed: {error}")
    return BadData(str(error))


def _is_taken(error: apsw.ConstraintError) -> bool:
    """Whether a key of a unique index was there already."""
    taken = apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY
    return getattr(error, "extendedresult", 0) in taken


def _end(c: apsw.Connection) -> None:
    """COMMIT. Any failure but BUSY means that nobody knows: the process must start again."""
    try:
        c.execute("commit")
    except apsw.BusyError as error:
        _undo(c)
        raise Unavailable(f"the database is busy: {error}") from error
    except apsw.Error as error:
        raise FateUnknown(f"a commit failed: {error}", fatal=True) from error


@contextmanager
def _told_plainly() -> Iterator[None]:
    """The library's many errors as the one that callers know."""
    try:
        yield
    except apsw.Error as error:
        raise Unavailable(f"SQLite: {error}") from error


class SqliteDatabase:
    """SQLite for administration, reading and auditing; see `Database`."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._connection = open_to_read(path) if read_only else open_file(path)

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        """The rows of one statement; `$1` is a name to SQLite."""
        with _told_plainly():
            return list(self._connection.execute(sql, _named(args)))

    def by_index(self, table: str, index: str) -> str:
        """See `Database`: statistics of a table that was empty when they were made lead astray."""
        return f"{table} indexed by {index}"

    async def tables(self) -> set[str]:
        """Those of the file."""
        return {row[0] for row in await self.fetch("select name from sqlite_master where type = 'table'")}

    async def stream(self, sql: str) -> AsyncIterator[Any]:
        """The statement's own cursor."""
        with _told_plainly():
            for row in self._connection.execute(sql):
                yield row

    async def execute(self, sql: str, *args: Any) -> int:
        """The number of rows touched."""
        before = self._connection.total_changes()
        with _told_plainly():
            self._connection.execute(sql, _named(args)).fetchall()
        return self._connection.total_changes() - before

    async def execute_all(self, *statements: tuple[str, Sequence[Any]]) -> bool:
        """One immediate transaction."""
        with _told_plainly():
            self._connection.execute("begin immediate")
            try:
                for sql, args in statements:
                    if not await self.execute(sql, *args):
                        return False
                self._connection.execute("commit")
            finally:
                _undo(self._connection)
        return True

    async def begin_snapshot(self) -> None:
        """A read transaction: one state until `close`."""
        self._connection.execute("begin")

    async def script(self, sql: str) -> None:
        """Statements without parameters, in one transaction."""
        with _told_plainly():
            self._connection.execute("begin immediate")
            try:
                self._connection.execute(sql).fetchall()
                self._connection.execute("commit")
            except apsw.Error:
                _undo(self._connection)
                raise

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _named(args: Sequence[Any]) -> dict[str, Any]:
    return {str(n): value for n, value in enumerate(args, 1)}
