"""A row that nobody of us wrote: every command that reads it says so in words, with an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from caisse.cli.demo.pages import PAGES, SETTING
from tests.http.serving import copy_of, fresh_db
from tests.support.running import caisse, furnished, send, serving, sql

COMMANDS = {
    "audit": ("audit",),
    "player show": ("player", "show", "demo", "421"),
    "player freeze": ("player", "freeze", "demo", "421", "--reason", "a test", "--by", "me"),
    "explain a user": ("explain", "421"),
    "explain a round": ("explain", "5103188801"),
    "connection list": ("connection", "list"),
    "game disable": ("game", "disable", "demo", "luckymonaco", "game-{n}"),
    "partner list": ("partner", "list"),
}
ROW = ("audit", "player show", "explain a user")
ROUND = ("audit", "player show", "explain a round")
HEAD = ("audit", "player show", "player freeze")
ATTEMPT = ("explain a user", "explain a round")
CONNECTION = ("connection list", "explain a user", "explain a round", "game disable", "partner list")
DAMAGES = {
    "a kind": ("update journal set kind = 'gift' where player = '421' and seq = 3", ROW),
    "a verdict": ("update journal set verdict = 'fine' where player = '421' and seq = 3", ROW),
    "a rule": ("update journal set rule = 'R99' where player = '421' and seq = 3", ("audit",)),
    "details": ("update journal set details = '{' where player = '421' and seq = 4", ("audit",)),
    "a round's state": ("update round set state = 'odd' where player = '421'", ROUND),
    "wallets": ("update player set balances = '{' where id = '421'", HEAD),
    "wallets in another shape": (
        """update player set balances = '[["USD","90.0"]]' where id = '421'""",
        HEAD,
    ),
    "an attempt's content": ("update attempt set content = '{'", ATTEMPT),
    "an attempt's verdict": ("update attempt set verdict = 'fine'", ATTEMPT),
    "networks": (
        "update connection set networks = '{'",
        CONNECTION,
    ),
    "networks of another kind": ("update connection set networks = '[\"all\"]'", CONNECTION),
}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo's story and a repeat."""
    folder = tmp_path_factory.mktemp("played")
    db = furnished(fresh_db(request.param, request, folder))
    with serving(db, folder / "log") as http:
        send(http, *SETTING, *PAGES[:2], SETTING[-1])
    assert caisse("audit", "--db", db).code == 0
    return db


@pytest.fixture
def db(played: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A copy of it, to spoil."""
    return copy_of(played, request, tmp_path)


def force(db: str, statement: str) -> None:
    """Change what the triggers protect; afterwards they stand as before, or the audit would name them."""
    if db.startswith("sqlite"):
        [[made]] = sql(db, "select sql from sqlite_master where name = 'journal_no_update'")
        before, after = "drop trigger journal_no_update", str(made)
    else:
        switch = "alter table journal {} trigger journal_append_only"
        before, after = switch.format("disable"), switch.format("enable")
    for text in (before, statement, after):
        sql(db, text)


def test_every_command_survives_every_damage(db: str) -> None:
    """One damage after another, each undone; a command that does not read the row works as ever."""
    for n, (name, (statement, readers)) in enumerate(DAMAGES.items()):
        table = statement.split()[1]
        sql(db, f"create table kept as select * from {table}")
        force(db, statement)
        for command, words in COMMANDS.items():
            said = caisse(*(word.format(n=n) for word in words), "--db", db)
            assert "Traceback" not in said.err, (name, command)
            assert (said.code == 1) == (command in readers), (name, command, said)
            assert said.code in (0, 1), (name, command)
            if said.code:
                assert said.error.startswith("Error: "), (name, command)
        _undo(db, table)
    assert caisse("audit", "--db", db).code == 0


def _undo(db: str, table: str) -> None:
    keys = {"journal": "seq", "round": "id", "player": "id", "attempt": "key", "connection": "id"}
    changed = {
        "journal": ("kind", "verdict", "rule", "details"),
        "round": ("state",),
        "player": ("balances",),
        "attempt": ("content", "verdict"),
        "connection": ("networks",),
    }
    for column in changed[table]:
        same = " and ".join(f"kept.{name} = {table}.{name}" for name in ("partner", keys[table]))
        if table == "journal":
            same += " and kept.player = journal.player"
        before = f"(select {column} from kept where {same} limit 1)"
        force(db, f"update {table} set {column} = coalesce({before}, {column})")  # freezing added a row
    sql(db, "drop table kept")
