"""PostgreSQL databases that must not be used as they are: refused at the start, with what to do."""

from __future__ import annotations

import asyncio
import secrets
from urllib.parse import urlsplit

import pytest

from caisse.store import opening
from caisse.store.api import Unsuitable
from caisse.store.migrate import migrate
from caisse.store.postgres import conninfo
from caisse.store.postgres.conninfo import BadUrl
from tests.support.ledger import NOW
from tests.support.postgres import Borrowed, Postgres
from tests.support.running import caisse
from tests.support.stores import contents, database, opened, run

SERVER_RIGHTS = """
grant select on migration, partner, token, connection, disabled_game, attempt to {role};
grant select, insert, update on player, round to {role};
grant select, insert on journal to {role};
grant insert, update on attempt to {role};
grant select, insert, delete on round_due to {role};
grant select, insert on round_log to {role};
grant select, insert, update on round_log_head to {role}"""


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_an_encoding_but_utf8_is_refused(postgres: Postgres | Borrowed, encoding: str) -> None:
    name = f"caisse_{secrets.token_hex(6)}"
    postgres.sql(f"create database {name} encoding '{encoding}' locale 'C' template template0")
    for words in (["migrate"], ["serve", "--port", "0"], ["audit"]):
        said = caisse(*words, "--db", postgres.url(name))
        assert said.code == 3
        assert f"encoding is {encoding}, caisse needs UTF8" in said.error
    assert postgres.sql("select count(*) from pg_class where relname = 'migration'", name) == "0"
    postgres.sql(f"drop database {name}")


def role(postgres: Postgres | Borrowed, url: str, rights: str) -> str:
    """The URL for a new role that has these rights."""
    name = f"caisse_{secrets.token_hex(6)}"
    dbname = urlsplit(url).path.strip("/")
    for statement in (f"create role {name} login", *rights.format(role=name).split(";")):
        if statement.strip():
            postgres.sql(statement, dbname)
    parts = urlsplit(url)
    return parts._replace(netloc=f"{name}@{parts.hostname}:{parts.port}").geturl()


@pytest.fixture
def url(postgres: Postgres | Borrowed) -> str:
    url = postgres.create_database()

    async def main() -> None:
        async with database(url) as db:
            await migrate(db, url, NOW)

    run(main())
    return url


@pytest.mark.parametrize(
    "taken",
    [
        "insert on journal",
        "select on journal",
        "insert on player",
        "update on player",
        "insert on round",
        "update on round",
        "insert on attempt",
        "update on attempt",
    ],
)
def test_a_role_that_lacks_one_right_is_found_before_the_first_request(
    postgres: Postgres | Borrowed, url: str, taken: str
) -> None:
    lesser = role(postgres, url, f"{SERVER_RIGHTS}; revoke {taken} from {{role}}")
    with pytest.raises(Unsuitable, match="cannot read and write the ledger: permission denied"):
        run(opening.ledger(lesser).open())


def test_a_server_that_cannot_write_does_not_become_ready(postgres: Postgres | Borrowed, url: str) -> None:
    for rights, words in {
        "grant select on all tables in schema public to {role}": "permission denied for table",
        SERVER_RIGHTS
        + "; alter role {role} set default_transaction_read_only = on": "transactions are read only",
    }.items():
        said = caisse("serve", "--port", "0", "--db", role(postgres, url, rights))
        assert said.code == 3
        assert words in said.err
        assert '"ready"' not in said.err


def test_trying_leaves_nothing_behind_and_the_documented_rights_are_enough(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            before = await contents(db_url)
            await asyncio.gather(ledger.open(), opening.ledger(db_url).open())
            assert await contents(db_url) == before

    run(main())


def test_the_documented_rights_are_enough(postgres: Postgres | Borrowed, url: str) -> None:
    run(opening.ledger(role(postgres, url, SERVER_RIGHTS)).open())


def test_tables_of_another_program_are_left_alone(postgres: Postgres | Borrowed) -> None:
    for table in ("player (a int)", "migration (a int)"):
        url = postgres.create_database()
        name = urlsplit(url).path.strip("/")
        postgres.sql(f"create table {table}", name)
        said = caisse("migrate", "--db", url)
        assert (said.code, "Give caisse a database or a schema of its own" in said.error) == (3, True)
        assert postgres.sql("select count(*) from pg_class where relname = 'journal'", name) == "0"


# Connecting through what refuses startup parameters


def test_nothing_is_sent_at_startup_that_a_pooler_would_refuse() -> None:
    """Stock PgBouncer takes no settings there but a few; those of this list it knows in every version."""
    sent: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            length = int.from_bytes(await reader.readexactly(4))
            message = await reader.readexactly(length - 4)
            if message[:4] != (80877103).to_bytes(4):  # "may it be TLS?"
                break
            writer.write(b"N")
        sent.extend(message[4:].split(b"\0"))
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Exception, match="connect"):
            await opening.ledger(f"postgresql://u@127.0.0.1:{port}/n?application_name=x").open()
        server.close()

    run(main())
    assert set(filter(None, sent[::2])) == {b"user", b"database", b"client_encoding"}


HOSTED = "postgresql://u:p@db.example/n?"


def test_common_parameters_are_understood(postgres: Postgres | Borrowed) -> None:
    given = (
        "sslmode=prefer&channel_binding=prefer&connect_timeout=10&keepalives=1&keepalives_idle=30"
        "&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=5000&gssencmode=disable&sslsni=1"
        "&application_name=desk&options=-c%20work_mem%3D5MB&client_encoding=utf8&load_balance_hosts=disable"
    )

    async def main() -> tuple[str, ...]:
        async with database(f"{postgres.url()}?{given}") as db:
            sql = "select current_setting('application_name'), current_setting('work_mem')"
            return tuple((await db.fetch(sql))[0])

    assert run(main()) == ("desk", "5MB")
    assert conninfo.parse(HOSTED + given).seconds == 10.0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("enable_seqscan=off", "'enable_seqscan' of the URL is not understood"),
        ("pgbouncer=true", "'pgbouncer' of the URL is not understood"),
        ("gssencmode=require", "cannot do gssencmode=require"),
        ("channel_binding=maybe", "channel_binding is one of"),
        ("target_session_attrs=writable", "target_session_attrs is one of"),
        ("connect_timeout=soon", "whole number of seconds"),
        ("sslmode", "cannot be read"),
    ],
)
def test_other_parameters_are_refused_by_name(query: str, words: str) -> None:
    with pytest.raises(BadUrl, match=words):
        conninfo.parse(HOSTED + query)
    said = caisse("audit", "--db", HOSTED + query)
    assert (said.code, words.strip("'")[:20] in said.err.replace("\n", " ")) == (2, True)


def test_who_demands_channel_binding_gets_a_server_that_proves_who_it_is() -> None:
    system = conninfo.parse(HOSTED + "sslmode=require&channel_binding=require")
    assert system.tls is not None
    assert system.tls.check_hostname
    assert "sslmode" not in next(iter(system.hosts.values()))
    own = conninfo.parse(HOSTED + "sslmode=require&channel_binding=require&sslrootcert=/ca.pem")
    assert own.tls is None
    assert "sslmode=verify-full" in next(iter(own.hosts.values()))
