"""The schema that is there is the one that the migrations make: what is missing, changed or off is named."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from caisse.store import opening, schema
from caisse.store.migrate import migrate
from tests.store.schema_list import FILE, listed
from tests.support.ledger import NOW
from tests.support.postgres import Borrowed, Postgres
from tests.support.running import caisse
from tests.support.stores import database, run

BOTH = {
    "drop index journal_key": "index journal_key is missing",
    "drop index journal_second_key": "index journal_second_key is missing",
    "drop view wallet": "view wallet is missing",
}
SQLITE = BOTH | {
    "drop trigger journal_no_update": "trigger journal_no_update is missing",
    "drop trigger journal_no_delete": "trigger journal_no_delete is missing",
    "drop table attempt": "table attempt is missing",
}
POSTGRES = BOTH | {
    "drop trigger journal_append_only on journal": "trigger journal.journal_append_only is missing",
    "alter table journal disable trigger journal_append_only": "trigger journal.journal_append_only is not",
    "alter table journal disable trigger user": "trigger journal.journal_no_truncate is not as",
    "alter table journal set unlogged": "table journal is not as",
    "alter table player enable row level security": "table player is not as",
    "alter table journal drop constraint journal_balance_check": "constraint journal.journal_balance_check",
    "alter table player alter seq drop not null": "column player.seq is not as",
    "alter table journal alter amount type numeric(20, 2)": "column journal.amount is not as",
    "drop index journal_id; create index journal_id on journal (id, part)": "index journal_id is not as",
    "create or replace function caisse_expect(touched bigint, wanted bigint) returns boolean"
    " language sql as 'select true'": "function caisse_expect(touched bigint, wanted bigint) is not as",
}


async def missing(url: str) -> list[str]:
    db = await opening.database(url, read_only=True)
    try:
        return await schema.missing_objects(db)
    finally:
        await db.close()


async def changed(url: str, sql: str) -> None:
    async with database(url) as db:
        await migrate(db, url, NOW)
        await db.script(sql)


def test_the_list_is_what_the_migrations_make(postgres: Postgres | Borrowed) -> None:
    """Else write it anew: python -m tests.store.schema_list."""
    assert FILE.read_text() == run(listed(postgres.create_database()))


def test_a_fresh_database_lacks_nothing_and_more_does_no_harm(db_url: str) -> None:
    run(changed(db_url, "create table own (a integer); create index own_a on own (a)"))
    assert run(missing(db_url)) == []


@pytest.mark.parametrize("sql", SQLITE)
def test_sqlite_names_what_is_wrong(tmp_path: Path, sql: str) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    run(changed(url, sql))
    assert any(SQLITE[sql] in text for text in run(missing(url)))


@pytest.mark.parametrize("sql", POSTGRES)
def test_postgres_names_what_is_wrong(postgres: Postgres | Borrowed, sql: str) -> None:
    url = postgres.create_database()
    run(changed(url, sql))
    assert any(text.startswith(POSTGRES[sql]) for text in run(missing(url)))


def test_another_schema_is_looked_at_where_statements_find_it(postgres: Postgres | Borrowed) -> None:
    """Not tables of the same names that the search path does not reach, or not first."""
    url = postgres.create_database()
    name = urlsplit(url).path.strip("/")
    postgres.sql("create table public.journal (other integer)", name)
    postgres.sql("create schema own", name)
    url += "?options=-csearch_path%3Down,public"
    with pytest.raises(Exception, match="another program"):
        run(changed(url, "select 1"))
    postgres.sql("drop table public.journal", name)
    run(changed(url, "select 1"))
    postgres.sql("create table public.journal (other integer)", name)
    assert run(missing(url)) == []


def test_a_server_does_not_start_without_a_trigger(db_url: str) -> None:
    sqlite = db_url.startswith("sqlite")
    run(changed(db_url, f"drop trigger journal_{'no_update' if sqlite else 'append_only on journal'}"))
    said = caisse("serve", "--port", "0", "--db", db_url)
    assert said.code == 3
    assert "trigger journal" in said.error
    assert "is missing" in said.error
