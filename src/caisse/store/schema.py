"""Whether the schema in a database is the one that the migrations make: nothing missing, changed or disabled.

What somebody added beside it is not looked at. On SQLite the migrations are played into an empty database and
compared. On PostgreSQL, where a server may not do that, they are compared with `schema.txt`, which lists what
they make; a test holds that file against them.
"""

from collections.abc import Sequence
from importlib import resources
from typing import Final

import apsw

from caisse.store import migrate
from caisse.store.api import Database, Unsuitable
from caisse.store.sqlite.sqlite import SqliteDatabase

SQLITE_OBJECTS: Final = "select type || ' ' || name, sql from sqlite_master where sql is not null order by 1"

POSTGRES_OBJECTS: Final = """
with ours as (
    select oid, relname, relkind, relpersistence, relrowsecurity from pg_class
    where pg_table_is_visible(oid) and relkind in ('r', 'p', 'v', 'c') and relname = any($1::text[])
)
select case relkind when 'v' then 'view' when 'c' then 'type' else 'table' end || ' ' || relname,
    case when relpersistence = 'p' then 'logged' else 'unlogged' end
        || case when relrowsecurity then ', row security' else '' end
from ours
union all
select 'column ' || relname || '.' || attname,
    format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end
        || coalesce((select ' collate ' || collname from pg_collation as c where c.oid = attcollation), '')
        || ', number ' || row_number() over (partition by relname order by attnum)
from ours join pg_attribute on attrelid = ours.oid where attnum > 0 and not attisdropped
union all
select 'index ' || pg_class.relname,
    pg_get_indexdef(indexrelid, 0, true) || case when indisvalid and indisready then '' else ', invalid' end
from ours join pg_index on indrelid = ours.oid join pg_class on pg_class.oid = indexrelid
union all
select 'constraint ' || relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid, true)
from ours join pg_constraint on conrelid = ours.oid where contype in ('c', 'f', 'p', 'u', 'x')
union all
select 'trigger ' || relname || '.' || tgname,
    pg_get_triggerdef(pg_trigger.oid, true) || case when tgenabled in ('O', 'A') then '' else ', disabled' end
from ours join pg_trigger on tgrelid = ours.oid where not tgisinternal
union all
select 'function ' || proname || '(' || pg_get_function_identity_arguments(pg_proc.oid) || ')',
    lanname || ' returns ' || prorettype::regtype || ': ' || prosrc
from pg_proc join pg_language on pg_language.oid = prolang
where pg_function_is_visible(pg_proc.oid) and proname = any($2::text[])
order by 1, 2"""
"""What is, in a fixed wording: kind and name, and what it is. Names are found as our statements find them."""

RELATIONS: Final = ("table", "view", "type")

Objects = dict[str, str]
"""Kind and name -> what it is."""


async def missing_objects(db: Database) -> list[str]:
    """One sentence for each part of the schema that is not as the migrations make it; empty: all are.

    Needs no rights but to read the catalog, and works on a standby.
    """
    if isinstance(db, SqliteDatabase):
        wanted, found = _made_on_sqlite(), await objects(db)
    else:
        wanted = _read(
            resources.files("caisse.store").joinpath("migrations", "schema.txt").read_text("utf-8")
        )
        found = await objects(db, _named(wanted, RELATIONS), _named(wanted, ("function",)))
    return [
        f"{name} is not as the migrations make it: {found[name]}" if name in found else f"{name} is missing"
        for name, what in wanted.items()
        if found.get(name) != what
    ]


async def refuse_missing(db: Database) -> None:
    """Unsuitable, with the names, unless the whole schema is there."""
    if wrong := await missing_objects(db):
        raise Unsuitable(
            f"the schema is not caisse's own any more, so nothing is served: {'; '.join(wrong)}."
            " Restore a backup, or make it again as store/migrations has it"
        )


async def objects(db: Database, relations: Sequence[str] = (), functions: Sequence[str] = ()) -> Objects:
    """What is there now; on PostgreSQL the named relations and functions, and what belongs to them."""
    if isinstance(db, SqliteDatabase):
        return {name: _one_line(what) for name, what in await db.fetch(SQLITE_OBJECTS)}
    rows = await db.fetch(POSTGRES_OBJECTS, relations, functions)
    return {name: _one_line(what) for name, what in rows}


def _made_on_sqlite() -> Objects:
    empty = apsw.Connection(":memory:")
    empty.execute(migrate.TABLE)
    for _, _, sql in migrate.migrations("sqlite:///:memory:"):
        empty.execute(sql).fetchall()
    return {name: _one_line(what) for name, what in empty.execute(SQLITE_OBJECTS)}


def _named(wanted: Objects, kinds: tuple[str, ...]) -> list[str]:
    """The bare names of the objects of these kinds."""
    names = [name.partition(" ") for name in wanted]
    return [name.partition("(")[0] for kind, _, name in names if kind in kinds]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _read(text: str) -> Objects:
    return dict(line.split(" | ", 1) for line in text.splitlines() if line)


def written(found: Objects) -> str:
    """As `schema.txt` has it."""
    return "".join(f"{name} | {what}\n" for name, what in sorted(found.items()))
