"""The ledger on PostgreSQL, through asyncpg.

A batch is two or three statements that read and one that writes. Reading takes no lock; the write names,
for each player, the sequence number that was read, and counts only if it still holds: one statement,
one transaction, one round trip. Only a batch that lost such a race locks its players first.

A single statement that locks and joins would read joined rows from before the lock (a double spend); a
lock in one statement and the reading in the next would not. Both ways here read the players first, so
that whatever is read after them is at least as new as their sequence numbers.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg

from caisse.core.attempts import Attempt
from caisse.core.book import Book, EntryKey, PlayerKey, Wants, rounds_to_load, whole_rounds_to_load
from caisse.store import columns
from caisse.store.api import BadData, Conflict, FateUnknown, Unavailable, Unsuitable
from caisse.store.postgres.connecting import Session, connect, durable, hanging
from caisse.store.postgres.failures import (
    DRIVER_ERRORS,
    as_unavailable,
    commit_failed,
    reading_failed,
    uncommitted,
)
from caisse.store.postgres.write import RECORD, record_arguments, statement
from caisse.store.trial import LOOKED_FOR, trial

# `lateral` and `offset 0` make one look into an index of each thing that is wanted. Joined plainly, a planner
# that believes a table empty walks its whole index and compares.
LOAD_PLAYERS: Final = f"""
select {columns.PLAYER_SELECT}
from unnest($1::text[], $2::text[]) as wanted (partner, id)
cross join lateral (
    select * from player where partner = wanted.partner and id = wanted.id offset 0
) as player"""

LOCK_PLAYERS: Final = """
select 1 from player
join unnest($1::text[], $2::text[]) as wanted (partner, id) using (partner, id)
order by player.partner, player.id for no key update of player"""

LOAD_ENTRIES: Final = f"""
select {columns.JOURNAL_SELECT}
from unnest($1::text[], $2::text[]) as wanted (partner, key)
cross join lateral (
    select * from journal where partner = wanted.partner and key = wanted.key offset 0
) as journal"""

LOAD_SECOND_KEYS: Final = f"""
select {columns.JOURNAL_SELECT}
from unnest($1::text[], $2::text[]) as wanted (partner, second_key)
cross join lateral (
    select * from journal where partner = wanted.partner and second_key = wanted.second_key
        and second_key <> '' offset 0
) as journal"""

LOAD_ROUNDS: Final = f"""
select {columns.ROUND_SELECT}
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as wanted (partner, provider, player, id)
cross join lateral (
    select * from round where partner = wanted.partner and player = wanted.player
        and provider = wanted.provider and id = wanted.id offset 0
) as round"""

LOAD_ROUND_ROWS: Final = f"""
select {columns.JOURNAL_SELECT}
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as wanted (partner, provider, player, id)
cross join lateral (
    select * from journal where partner = wanted.partner and player = wanted.player
        and provider = wanted.provider and round = wanted.id
        and kind in ('bet', 'rollback') and verdict = 'ok'
    offset 0
) as journal"""
"""In no order: a planner that believes the journal empty would walk a player's whole history for it."""

LOAD_PLAYING: Final = f"""
select distinct wanted.partner, wanted.id
from unnest($1::text[], $2::text[]) as wanted (partner, id)
{columns.OPEN_BETS}"""

LOAD_NEWEST_TRANSFERS: Final = f"""
select {columns.JOURNAL_SELECT}
from unnest($1::text[], $2::text[]) as wanted (partner, id)
cross join lateral (
    select * from journal where partner = wanted.partner and player = wanted.id
        and kind in ('charge', 'withdraw')
    order by seq desc limit 1
) as journal"""

log = logging.getLogger("caisse.store")

OPEN_SECONDS: Final = 10.0
"""For trying a write; nothing is committed, so it may be given up."""
STREAM_ROWS: Final = 2_000
"""Rows fetched at once by a stream."""

PROVE: Final = f"""
select pg_current_xact_id() is not null, pg_logical_emit_message(true, 'caisse', ''), {durable(local=True)}"""
"""A transaction that commits something: what was read before it is durable once it returns.

It asks for its number first: a standby refuses that by its own code, and writing to the log as an internal
error.
"""

NAMED: Final = {"application_name": "caisse"}
SETTINGS: Final = NAMED | {
    # The plans must not depend on the statistics of tables that were analysed while empty.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}


LIMITS: Final = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
]
"""What would end a long read. The last came with version 17."""
WITHOUT_LIMITS: Final = "select set_config(name, '0', false) from pg_settings where name = any($1::text[])"


class PostgresLedger:
    """One connection of one writer; connects again by itself when the connection is gone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: Session | None = None
        self._connection: asyncpg.Connection | None = None
        self._in_transaction = False
        self._committing = False
        self._loaded = False
        self._warned = False

    async def open(self) -> None:
        """See `Ledger.open`: every statement of a batch is tried, and rolled back."""
        connection = await self._ready()
        if self._session is not None and not self._session.synced:
            log.warning(
                "fsync or full_page_writes is off: a crash of that machine loses or breaks the ledger"
            )
        sql, args = statement(trial())
        trying = connection.transaction()
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await trying.start()
                await connection.fetch(LOCK_PLAYERS, *_columns(LOOKED_FOR.players, 2))
                await _load(connection, LOOKED_FOR)
                await connection.fetchval(sql, *args)
                await connection.execute(RECORD, *record_arguments([]))
                await trying.rollback()
        except DRIVER_ERRORS as error:
            self.drop()
            if isinstance(error, asyncpg.PostgresError):
                raise Unsuitable(
                    f"this role cannot read and write the ledger: {error}."
                    " docs/operations.md lists the rights to grant"
                ) from error
            said = str(error) or f"no answer within {OPEN_SECONDS:.0f} seconds"
            raise Unavailable(f"PostgreSQL: {said}") from error

    async def load(self, wanted: Wants, *, lock: bool) -> Book:
        """See `Ledger.load`. Players first: the rest is then at least as new as their sequence numbers."""
        try:
            connection = await self._ready()
            if lock:
                await self._lock(connection, wanted.players)
            book = await _load(connection, wanted)
            self._loaded = True
            return book
        except (*DRIVER_ERRORS, ValueError) as error:
            self.drop()
            raise reading_failed(error) from error

    async def commit(self, book: Book) -> None:
        """See `Ledger.commit`. A batch that wrote nothing still proves that what it read is durable."""
        connection = await self._to_write_on()
        try:
            sql, args = statement(book) if book.appended else (PROVE, [])
        except ValueError as error:
            if self._in_transaction:
                self.drop()  # else the players stay locked until this lane has something else to do
            raise BadData(str(error)) from error
        self._warned = False
        self._note_commit()
        failed = uncommitted if self._in_transaction else commit_failed
        try:
            await connection.fetchval(sql, *args)
            if self._in_transaction:
                failed = commit_failed
                await connection.execute("commit")
                self._in_transaction = False
        except DRIVER_ERRORS as error:
            failure = failed(error)
            self._committing = False
            if self._in_transaction or not isinstance(failure, Conflict):
                self.drop()
            raise failure from error
        self._committing = False
        if self._warned:
            self.drop()
            raise FateUnknown("the database warned during the commit")

    def _note_commit(self) -> None:
        """From here on this process belongs to this timeline; a drop means that the host hangs."""
        self._committing = True
        if self._session is not None:
            self._session.committing()

    async def record(self, attempts: Sequence[Attempt]) -> None:
        """See `Ledger.record`. Not synced by itself: the next commit's sync carries it."""
        try:
            connection = await self._ready()
            async with connection.transaction():
                await connection.execute("set local synchronous_commit = off")
                await connection.execute(RECORD, *record_arguments(attempts))
        except (*DRIVER_ERRORS, ValueError) as error:
            self.drop()
            raise reading_failed(error) from error

    async def _lock(self, connection: asyncpg.Connection, players: list[PlayerKey]) -> None:
        await connection.execute("begin")
        self._in_transaction = True
        await connection.fetch(LOCK_PLAYERS, *_columns(players, 2))

    async def _ready(self) -> asyncpg.Connection:
        if self._in_transaction:
            self.drop()
        if self._connection is None or self._connection.is_closed():
            self._session = await connect(self._url, SETTINGS)
            self._connection = self._session.connection
            self._connection.add_log_listener(self._on_notice)
        return self._connection

    async def _to_write_on(self) -> asyncpg.Connection:
        """The connection that loaded, if anything was: another may lead to a server that never had it."""
        loaded, self._loaded = self._loaded, False
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if loaded:
            raise Unavailable("the connection was dropped before the write")
        return await self._ready()

    def _on_notice(self, _connection: object, notice: asyncpg.PostgresLogMessage) -> None:
        self._warned = self._warned or notice.severity_en == "WARNING"

    def drop(self) -> None:
        """Drop the socket: the server then ends the transaction by itself, one way or the other."""
        if self._committing and self._session is not None:
            hanging.add(self._session.host)
        self._committing = False
        self._in_transaction = False
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Close politely; at most a second, after which the socket is dropped."""
        with suppress(*DRIVER_ERRORS):
            if self._connection is not None and not self._connection.is_closed():
                await self._connection.close(timeout=1)
        self._connection = None


async def _load(connection: asyncpg.Connection, wanted: Wants) -> Book:
    book = Book()
    if wanted.players:
        columns.add_players(book, await connection.fetch(LOAD_PLAYERS, *_columns(wanted.players, 2)))
    second_keys = [key for key in wanted.entries if key[1].startswith("x:")]
    if wanted.entries:
        await _load_entries(connection, LOAD_ENTRIES, wanted.entries, book)
    if second_keys:
        await _load_entries(connection, LOAD_SECOND_KEYS, second_keys, book)
    rounds = rounds_to_load(wanted, book)
    if rounds:
        for row in await connection.fetch(LOAD_ROUNDS, *_columns(rounds, 4)):
            book.add_round(columns.round_of(row))
    if whole := whole_rounds_to_load(wanted, book):
        book.round_rows = {key: [] for key in whole}
        for row in await connection.fetch(LOAD_ROUND_ROWS, *_columns(whole, 4)):
            entry = columns.entry_of(row)
            book.round_rows[entry.partner, entry.provider, entry.player, entry.round].append(entry)
        for rows in book.round_rows.values():
            rows.sort(key=lambda row: row.seq)
    if wanted.playing:
        for row in await connection.fetch(LOAD_PLAYING, *_columns(wanted.playing, 2)):
            book.playing.add((row[0], row[1]))
    if wanted.newest_transfers:
        for row in await connection.fetch(LOAD_NEWEST_TRANSFERS, *_columns(wanted.newest_transfers, 2)):
            entry = columns.entry_of(row)
            book.newest_transfers[entry.partner, entry.player] = entry
    return book


async def _load_entries(connection: asyncpg.Connection, sql: str, keys: list[EntryKey], book: Book) -> None:
    for row in await connection.fetch(sql, *_columns(keys, 2)):
        book.know(columns.entry_of(row))


def _columns(rows: list[Any], width: int) -> list[Any]:
    return list(zip(*rows, strict=True)) or [()] * width


class PostgresDatabase:
    """PostgreSQL for administration, reading and auditing; see `Database`."""

    def __init__(self, session: Session, *, current: bool) -> None:
        """`current`: nothing may be read from a host that is not the primary any more."""
        self._session = session
        self._current = current
        self._connection = session.connection
        self._warning = ""
        self._connection.add_log_listener(self._on_notice)

    def _on_notice(self, _connection: object, notice: asyncpg.PostgresLogMessage) -> None:
        if notice.severity_en == "WARNING":
            self._warning = str(notice)

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        """The rows of one statement. Unavailable too if another host is the primary by now."""
        if self._current and self._session.superseded:
            raise Unavailable(f"{self._session.host} is not the primary any more")
        with as_unavailable():
            return list(await self._connection.fetch(sql, *args))

    def by_index(self, table: str, index: str) -> str:
        """See `Database`: there are no hints; the planner looks at how long a table is now."""
        return table

    async def tables(self) -> set[str]:
        """Those that an unqualified name finds."""
        sql = "select relname::text from pg_class where relkind in ('r', 'p') and pg_table_is_visible(oid)"
        return {row[0] for row in await self.fetch(sql)}

    async def stream(self, sql: str) -> AsyncIterator[Any]:
        """A server-side cursor."""
        with as_unavailable():
            async for row in self._connection.cursor(sql, prefetch=STREAM_ROWS):
                yield row

    async def execute(self, sql: str, *args: Any) -> int:
        """The number of rows touched, from the command tag."""
        self._warning = ""
        with as_unavailable():
            tag: str = await self._connection.execute(sql, *args)
        self._refuse_warning()
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_all(self, *statements: tuple[str, Sequence[Any]]) -> bool:
        """One transaction, as the server isolates it: a statement waits for another's row of the same key."""
        with as_unavailable():
            transaction = self._connection.transaction()
            await transaction.start()
            for sql, args in statements:
                if not await self.execute(sql, *args):
                    await transaction.rollback()
                    return False
            await transaction.commit()
        return True

    async def begin_snapshot(self) -> None:
        """Repeatable read: one state for the life of this connection, however long somebody reads."""
        await self._connection.fetch(WITHOUT_LIMITS, LIMITS)
        await self._connection.execute("begin isolation level repeatable read read only")

    async def script(self, sql: str) -> None:
        """Statements without parameters, in one transaction, one migrating process at a time."""
        self._warning = ""
        with as_unavailable():
            async with self._connection.transaction():
                await self._script(sql)
        self._refuse_warning()

    async def _script(self, sql: str) -> None:
        await self._connection.execute(f"select pg_advisory_xact_lock({MIGRATION_LOCK})")
        await self._connection.execute(sql)

    def _refuse_warning(self) -> None:
        """A commit that did not wait for its standby is told by a warning only."""
        if self._warning:
            raise Unavailable(f"PostgreSQL warned, so look whether it was done: {self._warning}")

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()


MIGRATION_LOCK: Final = 0x6361_6973_7365
