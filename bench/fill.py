"""A journal that is long already: rows of other players, as many as wanted, put there fast.

The rows are legal for the schema (types, checks, unique keys) and shaped like real ones: time-ordered ids,
random keys, ten rows for each player. They were not decided by the rules: their hashes are noise and their
players have no head, so an audit of such a database reports them.

Most are put there without indexes, which are then built: fast, and packed full. The last ones come under the
indexes, as a load's would: packed pages all split at about the same time, and a measurement would be of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import apsw

from bench.contenders.caisse import Caisse, OnPostgres, OnSqlite
from caisse.store.columns import JOURNAL

COMMON: Final = {
    **{"partner": "'bench'", "part": "0", "kind": "'withdraw'", "verdict": "'ok'", "rule": "'R10'"},
    **{"endpoint": "'/user/refund'", "currency": "'USD'", "second_key": "''"},
    **{"provider": "''", "reference": "''"},
    **{"round": "''", "game": "''", "session": "''", "name": "''", "details": "''"},
    **{"at": "1750000000000000 + n", "seq": "n % 10 + 1"},
}
POSTGRES: Final = COMMON | {
    **{"amount": "-1", "balance": "1000000", "asked": "1", "id": "uuidv7()"},
    "player": "'f' || lpad((n / 10)::text, 9, '0')",
    **{"key": "'t:' || drawn", "uuid": "drawn::text"},
    **{"fingerprint": "uuid_send(drawn)", "hash": "uuid_send(drawn) || uuid_send(drawn)"},
}
SQLITE: Final = COMMON | {
    **{"amount": "'-1.0'", "balance": "'1000000.0'", "asked": "'1.0'"},
    "id": "printf('01980000-%04x-7%03x-8000-%012x', n / 65536, n % 4096, n)",
    "player": "printf('f%09d', n / 10)",
    **{"key": "'t:' || hex(drawn)", "uuid": "hex(drawn)"},
    **{"fingerprint": "drawn", "hash": "randomblob(32)"},
}


PACKED: Final = 0.7
"""The part of the rows that indexes are built for. The others split nearly every page of the keys once."""
SQLITE_CACHE: Final = 1_000_000
"""KiB while filling: a page that random keys come back to is then written once, at the end."""


def fill(contender: Caisse, rows: int) -> None:
    """Bring a contender's journal to so many rows."""
    if isinstance(contender, OnSqlite):
        _fill_sqlite(contender, rows)
    elif isinstance(contender, OnPostgres):
        _fill_postgres(contender, rows)


def _insert(values: Mapping[str, str], source: str) -> str:
    columns = [name for name in JOURNAL if name in values]
    if set(columns) != set(JOURNAL):
        raise ValueError(f"the journal has columns that are not filled: {set(JOURNAL) - set(columns)}")
    picked = ", ".join(values[name] for name in columns)
    return f"insert into journal ({', '.join(columns)}) select {picked} from {source}"


def _fill_postgres(contender: OnPostgres, rows: int) -> None:
    def run(statement: str) -> str:
        return contender.world.sql(contender.db, statement)

    def insert(first: int, end: int) -> None:
        numbers = f"generate_series({first}, {end - 1}) as n"
        run(_insert(POSTGRES, f"(select n, gen_random_uuid() as drawn from {numbers}) as given"))

    missing = rows - int(run("select count(*) from journal"))
    packed = int(missing * PACKED)
    found = run(
        "select indexname || '|' || indexdef from pg_indexes where tablename = 'journal' "
        "and indexname <> 'journal_pkey'"
    )
    indexes = dict(line.split("|", 1) for line in found.splitlines())
    for name in indexes:
        run(f"drop index {name}")
    insert(0, packed)
    for definition in indexes.values():
        run(f"set maintenance_work_mem = '512MB'; {definition}")
    insert(packed, missing)
    run("vacuum analyze journal")
    run("checkpoint")


def _fill_sqlite(contender: OnSqlite, rows: int) -> None:
    connection = apsw.Connection(str(contender.path))

    def insert(first: int, end: int) -> None:
        following = f"select n + 1 from numbers where n < {end - 1}"
        numbers = f"numbers (n) as (select {first} where {first} < {end} union all {following})"
        source = "(select n, randomblob(16) as drawn from numbers) as given"
        connection.execute(f"with recursive {numbers} {_insert(SQLITE, source)}").fetchall()

    missing = rows - connection.execute("select count(*) from journal").get
    packed = int(missing * PACKED)
    indexes = connection.execute(
        "select name, sql from sqlite_master"
        " where type = 'index' and tbl_name = 'journal' and sql is not null"
    ).get
    connection.execute("pragma synchronous = normal")
    connection.execute(f"pragma cache_size = -{SQLITE_CACHE}; begin")
    for name, _ in indexes:
        connection.execute(f"drop index {name}")
    insert(0, packed)
    for _, definition in indexes:
        connection.execute(definition)
    insert(packed, missing)
    connection.execute("commit")
    connection.execute("pragma wal_checkpoint(truncate); analyze").fetchall()
    connection.close()
