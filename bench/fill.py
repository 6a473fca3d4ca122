"""A journal that is long already: rows of other players, as many as wanted, put there fast.

The rows are legal for the schema (types, checks, unique keys) and shaped like real ones: time-ordered ids,
random keys, ten rows for each player. They were not decided by the rules: their hashes are noise and their
players have no head, so an audit of such a database reports them. Indexes are dropped before and made anew
after, for the time's sake; what they look like then is what a load leaves after `reindex`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import apsw

from bench.contenders.caisse import Caisse, OnPostgres, OnSqlite
from caisse.store.columns import JOURNAL

COMMON: Final = {
    **{"partner": "'bench'", "part": "0", "kind": "'withdraw'", "verdict": "'ok'", "rule": "'R10'"},
    **{"door": "'/user/refund'", "currency": "'USD'", "alias": "''", "provider": "''", "reference": "''"},
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

    missing = rows - int(run("select count(*) from journal"))
    found = run(
        "select indexname || '|' || indexdef from pg_indexes where tablename = 'journal' "
        "and indexname <> 'journal_pkey'"
    )
    indexes = dict(line.split("|", 1) for line in found.splitlines())
    for name in indexes:
        run(f"drop index {name}")
    source = f"(select n, gen_random_uuid() as drawn from generate_series(0, {missing - 1}) as n) as given"
    run(_insert(POSTGRES, source))
    for definition in indexes.values():
        run(f"set maintenance_work_mem = '512MB'; {definition}")
    run("vacuum analyze journal")
    run("checkpoint")


def _fill_sqlite(contender: OnSqlite, rows: int) -> None:
    connection = apsw.Connection(str(contender.path))
    missing = rows - connection.execute("select count(*) from journal").get
    indexes = connection.execute(
        "select name, sql from sqlite_master"
        " where type = 'index' and tbl_name = 'journal' and sql is not null"
    ).get
    connection.execute("pragma synchronous = normal; begin")
    for name, _ in indexes:
        connection.execute(f"drop index {name}")
    numbers = f"numbers (n) as (select 0 union all select n + 1 from numbers where n < {missing - 1})"
    source = "(select n, randomblob(16) as drawn from numbers) as given"
    connection.execute(f"with recursive {numbers} {_insert(SQLITE, source)}").fetchall()
    for _, definition in indexes:
        connection.execute(definition)
    connection.execute("commit")
    connection.execute("pragma wal_checkpoint(truncate); analyze").fetchall()
    connection.close()
