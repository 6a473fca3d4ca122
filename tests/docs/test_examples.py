"""What the documents show is what happens: commands, requests and their answers, scripts and SQL."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
import pytest

from caisse.cli.demo.pages import PAGES, REPEATS, SETTING, transfer
from caisse.cli.demo.play import is_as_documented, parse
from tests.docs import documents
from tests.docs.console import agrees, commands, console
from tests.docs.documents import Block, blocks
from tests.support.postgres import Borrowed, Postgres
from tests.support.running import caisse, serving, sql

WITH_CONSOLES = [path for path in documents.documents() if blocks(path, "console")]
JSON = {"Content-Type": "application/json"}
TIME = re.compile(r'"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"')


@pytest.mark.parametrize("path", WITH_CONSOLES)
def test_commands_do_what_the_document_shows(path: str, tmp_path: Path) -> None:
    with console(tmp_path) as session:
        for block in blocks(path, "console"):
            for command in commands(block):
                code, printed = session.run(command.text)
                where = f"{path}:{command.line}: {command.text}"
                assert code == 0, (where, printed)
                assert agrees(command.output, printed), f"{where}\n{printed}"


def test_a_wrong_output_is_noticed() -> None:
    shown = "row 1  2026-01-01 10:00:00  ok\n…\nall right"
    assert agrees(shown, "row 1  2027-02-03 11:12:13  ok\nrow 2\n\nall right\n")
    assert not agrees(shown, "row 1  2027-02-03 11:12:13  ok\nrow 2\nall wrong\n")
    assert not agrees(shown, "row 1  yesterday  ok\nall right\n")
    assert not agrees("", "something")


class Exchange(NamedTuple):
    """A request and its answer, as an `http` block spells them."""

    line: int
    target: str
    body: str
    status: int
    answer: str


LOG_TRIES = 300
"""A row of a slot log may come some seconds after its money (R57)."""


def exchange(block: Block) -> Exchange:
    found = re.fullmatch(r"POST (\S+)\n(.+?)\n\n(\d{3})\n(.+?)\n", block.text, re.DOTALL)
    assert found, f"{block.path}:{block.line}: no request with its answer"
    return Exchange(block.line, found[1], found[2], int(found[3]), found[4])


def test_the_http_examples_are_true(tmp_path: Path) -> None:
    """In the order of the document, on a server with what it says there is."""
    db = f"sqlite:///{tmp_path}/caisse.db"
    assert caisse("partner", "add", "acme", "--token", "acme-token-0001", "--db", db).code == 0
    add = ("connection", "add", "acme", "luckymonaco", "--key", "acme-key-0001", "--db", db)
    assert caisse(*add).code == 0
    open_texts: dict[str, str] = {}
    with serving(db, tmp_path / "serve.log") as http:
        for shown in map(exchange, blocks("docs/http-api.md", "http")):
            for _ in range(LOG_TRIES if shown.target == "/GetSlotLog" else 1):
                reply = http.post(
                    shown.target, content=shown.body.encode(), headers={"Content-Type": "application/json"}
                )
                told = TIME.sub('"<time>"', reply.text)
                right = is_as_documented(parse(shown.answer), parse(told), open_texts)
                if right:
                    break
                time.sleep(0.1)
            where = f"docs/http-api.md:{shown.line}: {shown.target} was answered {reply.status_code} {told}"
            assert reply.status_code == shown.status, where
            assert right, where
    assert len(set(open_texts.values())) == len(open_texts)
    assert caisse("audit", "--db", db).code == 0


def psql(url: str, script: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    asyncio.run(run())


def as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}").geturl()


def renamed(script: str, suffix: str) -> str:
    """With role names of this test's own: roles belong to the whole server."""
    return re.sub(r"\bcaisse_(owner|server|admin|reader)\b", rf"caisse_\1_{suffix}", script)


FORBIDDEN = [
    ("update journal set name = ''", "osar"),
    ("delete from journal", "osar"),
    ("truncate journal", "osar"),
    ("insert into journal select * from journal", "ar"),
    ("drop table journal", "sar"),
    ("alter table journal disable trigger all", "sar"),
    ("update player set frozen = null", "ar"),
    ("update token set revoked_at = null", "sr"),
    ("update connection set revoked_at = null", "sr"),
    ("insert into partner (id, created_at) values ('mine', 1)", "sr"),
    ("create table mine (x int)", "sar"),
]
"""What some role may not do: the owner, the serving one, the administrator's, the reader's."""


def test_the_documented_rights_are_enough_and_no_more(postgres: Postgres | Borrowed, tmp_path: Path) -> None:
    """Each role does all that the document says it does; the serving one cannot touch the journal."""
    root = postgres.create_database()
    suffix = secrets.token_hex(4)
    roles, grants, *more = (renamed(b.text, suffix) for b in blocks("docs/operations.md", "sql"))
    psql(root, roles + "".join(more).replace("grant ", "-- grant "))
    names = [f"caisse_{name}_{suffix}" for name in ("owner", "server", "admin", "reader")]
    psql(root, "".join(f"alter role {name} password '{suffix}';" for name in names))
    owner, server, admin, reader = (as_role(root, name, suffix) for name in names)
    assert caisse("migrate", "--db", owner).code == 0
    psql(owner, grants + "".join(block.partition(";")[2] for block in more))

    assert caisse("partner", "add", "demo", "--token", "demo-token", "--db", admin).code == 0
    assert caisse("connection", "add", "demo", "luckymonaco", "--keyless", "--db", admin).code == 0
    for word in ("disable", "enable"):
        assert caisse("game", word, "demo", "luckymonaco", "tumble", "--db", admin).code == 0
    token = caisse("partner", "token", "add", "demo", "--json", "--db", admin).json["token_id"]
    assert caisse("partner", "token", "revoke", "demo", token, "--db", admin).code == 0
    with serving(server, tmp_path / "serve.log") as http:
        for step in (*SETTING, *PAGES, *REPEATS):
            assert http.post(step.path, content=step.body, headers=JSON).status_code == 200
    for command in (["audit"], ["explain", "tester"], ["player", "show", "demo", "tester"]):
        for role in (server, reader):
            assert caisse(*command, "--db", role).code == 0
    freeze = ("player", "freeze", "demo", "tester", "--reason", "why", "--db")
    assert caisse(*freeze, reader).code != 0
    assert caisse(*freeze, server).code == 0

    for statement, forbidden_to in FORBIDDEN:
        for role in map({"o": owner, "s": server, "a": admin, "r": reader}.__getitem__, forbidden_to):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                psql(role, statement)
    refused = caisse("partner", "add", "other", "--db", server)
    assert refused.code == 3
    assert refused.error.endswith(
        "The role in --db needs more rights; docs/operations.md lists those to grant"
    )
    assert caisse("audit", "--db", owner).code == 0


@pytest.fixture
def played(db_url: str, tmp_path: Path) -> str:
    """A database on which the demo was played, and a player whose name needs escaping."""
    assert caisse("migrate", "--db", db_url).code == 0
    assert caisse("partner", "add", "demo", "--token", "demo-token", "--db", db_url).code == 0
    assert caisse("connection", "add", "demo", "luckymonaco", "--keyless", "--db", db_url).code == 0
    odd = transfer(
        "a name that needs escaping",
        "create",
        '{"id": "odd \\\\ \\"one\\"", "name": "\\u00dc\\u2028 <\\ud83c\\udfb2>/", '
        '"uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e99"}',
        "",
    )
    with serving(db_url, tmp_path / "serve.log") as http:
        for step in (*SETTING, *PAGES, *REPEATS, odd):
            said = http.post(step.path, content=step.body.encode(), headers=JSON)
            assert said.status_code == 200, said.text
    return db_url


def exported(url: str) -> list[str]:
    """The journal as lines of JSON, by the document's own SQL."""
    postgres, sqlite = (block.text for block in blocks("docs/journal.md", "sql"))
    rows = sql(url, postgres if url.startswith("postgres") else sqlite)
    return [str(row[0]) for row in rows]


def verified(lines: list[str]) -> tuple[int, str]:
    """What the document's script says, run by a Python that knows nothing but itself."""
    (script,) = (block.text for block in blocks("docs/journal.md", "python"))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_third_party_can_verify_the_journal(played: str) -> None:
    """Sound rows pass; a changed, missing or moved one does not."""
    lines = exported(played)
    assert verified(lines) == (0, f"{len(lines)} rows of 3 players are right\n")
    for column, value in (("name", "x"), ("at", 1), ("amount", "1.0"), ("fingerprint", "00" * 16)):
        changed = json.dumps({**json.loads(lines[2]), column: value})
        assert verified([*lines[:2], changed, *lines[3:]])[0] == 1
    assert verified([*lines[:1], *lines[2:]])[0] == 1
    assert verified([lines[1], lines[0], *lines[2:]])[0] == 1
