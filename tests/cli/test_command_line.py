"""What holds for every command: help, settings, exit codes, quick starts."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from caisse.cli.lazy import LazyGroup
from caisse.cli.main import COMMANDS, cli
from tests.support.running import PROGRAM, caisse, environment, program, ready, sql

HEAVY = ("apsw", "asyncpg", "uvloop", "rich", "msgspec", "structlog", "httpx2", "asyncio")


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(cli))


def test_the_commands_are_those_that_scripts_rely_on() -> None:
    assert {" ".join(path) for path in ALL} == {
        *("serve", "migrate", "audit", "backup", "demo", "config show", "explain", "currencies"),
        *("player show", "player freeze", "player release", "player forget"),
        "attempts prune",
        *("game disable", "game enable", "game list"),
        *("profile list", "profile show"),
        *("partner add", "partner list"),
        *("partner token add", "partner token list", "partner token revoke"),
        *("connection add", "connection list", "connection revoke"),
    }


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_says_what_it_and_each_of_its_options_is_for(path: tuple[str, ...]) -> None:
    command = ALL[path]
    context = click.Context(command, info_name=" ".join(path))
    text = command.get_help(context)
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help
            assert all(option in text for option in parameter.opts)
        else:
            assert parameter.make_metavar(context) in text


WITHOUT_JSON = {("serve",), ("demo",)}
WITHOUT_DATABASE = {("demo",), ("currencies",), ("profile", "list"), ("profile", "show")}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_that_answers_takes_json_and_every_one_about_a_database_db(
    path: tuple[str, ...],
) -> None:
    options = {option for parameter in ALL[path].params for option in parameter.opts}
    assert ("--json" in options) == (path not in WITHOUT_JSON)
    assert ("--db" in options) == (path not in WITHOUT_DATABASE)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_program_itself_helps_with_every_command(path: tuple[str, ...]) -> None:
    said = program(*path, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Usage: caisse {' '.join(path)}")


def test_help_lists_the_commands_exit_codes_and_completion() -> None:
    said = caisse("--help")
    assert said.code == 0
    assert all(name in said.out and about in said.out for name, about in COMMANDS.items())
    assert "_CAISSE_COMPLETE" in said.out
    assert isinstance(cli, LazyGroup)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom caisse.cli.main import cli\ntry: cli(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_version_is_told() -> None:
    assert program("--version").out == "caisse, version 0.1.0\n"


def test_python_m_caisse_is_the_same() -> None:
    module = [sys.executable, "-m", "caisse", "--help"]
    done = subprocess.run(module, capture_output=True, text=True, check=True, env=environment())
    assert done.stdout == program("--help").out == caisse("--help").out


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_an_unknown_setting_stops_every_command(path: tuple[str, ...]) -> None:
    said = caisse(*path, env={"CAISSE_PROT": "80"})
    assert (said.code, "unknown setting CAISSE_PROT" in said.error) == (2, True)


def test_an_unknown_command_or_option_is_wrong_usage() -> None:
    assert caisse("refund").code == 2
    assert caisse("audit", "--all").code == 2
    assert caisse("serve", env={"CAISSE_PORT": "http"}).code == 2


@pytest.mark.parametrize("url", ["caisse.db", "sqlite://", "sqlite:///", "mysql://h/x", "postgresql://h:x/y"])
def test_a_database_url_that_cannot_be_is_wrong_usage(url: str) -> None:
    for words in (("audit",), ("serve",), ("migrate",)):
        said = caisse(*words, "--db", url)
        assert said.code == 2
        assert "--db" in said.error


def test_a_database_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    for words in (("audit",), ("partner", "list"), ("player", "show", "acme", "joe"), ("explain", "x")):
        said = caisse(*words, "--db", f"sqlite:///{missing}")
        assert (said.code, "'caisse migrate' makes one" in said.error) == (3, True)
    assert list(tmp_path.iterdir()) == []
    said = caisse("audit", "--db", "postgresql://me@127.0.0.1:1/x")
    assert (said.code, "Is --db right" in said.error) == (3, True)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear reader, " * 100)
    for words in (("audit",), ("migrate",), ("serve",)):
        said = caisse(*words, "--db", f"sqlite:///{file}")
        assert (said.code, str(file) in said.error) == (3, True)


def test_a_database_of_another_version_is_refused_by_all(db_url: str) -> None:
    every = (("audit",), ("partner", "list"), ("partner", "add", "acme"), ("serve", "--port", "0"))
    if db_url.startswith("postgresql"):
        for words in every:
            said = caisse(*words, "--db", db_url)
            assert (said.code, "run 'caisse migrate" in said.error) == (3, True)
    ready(db_url)
    sql(db_url, "insert into migration (number, name, applied_at) values (9999, 'future', 0)")
    for words in (*every, ("migrate",)):
        said = caisse(*words, "--db", db_url)
        assert (said.code, "install a newer caisse" in said.error) == (3, True)


def test_migrate_says_what_it_applied(db_url: str) -> None:
    first = caisse("migrate", "--db", db_url)
    assert first.out == "applied 0001_ledger\nthe database is now up to date, at version 1\n"
    assert caisse("migrate", "--db", db_url).out == "the database is up to date, at version 1\n"
    assert caisse("migrate", env={"CAISSE_DB": db_url}).out.startswith("the database is up to date")
    assert caisse("migrate", "--db", db_url, "--json").json == {"applied": [], "version": 1}


def test_a_new_sqlite_file_is_made_by_the_first_command_that_writes(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/new/caisse.db"
    assert caisse("partner", "add", "acme", "--db", db).code == 0
    assert caisse("migrate", "--db", db, "--json").json["applied"] == []


def test_config_says_where_each_setting_comes_from() -> None:
    told = caisse("config", "show", "--json", "--port", "99", env={"CAISSE_HOST": "::1"}).json
    assert told["port"] == {"value": 99, "from": "--port"}
    assert told["host"] == {"value": "::1", "from": "CAISSE_HOST"}
    assert told["writers"] == {"value": 2, "from": "default"}
    assert told["profiles"] == {"value": None, "from": "default"}
    assert told["token"] == {"value": None, "from": "not set"}
    told = caisse("config", "show", "--json", "--currencies", "c.toml", env={"CAISSE_PROFILES": "p"}).json
    assert told["currencies"] == {"value": "c.toml", "from": "--currencies"}
    assert told["profiles"] == {"value": "p", "from": "CAISSE_PROFILES"}
    assert told["proxies"] == {"value": None, "from": "default"}
    assert set(told) == {"db", "host", "port", "writers", "profiles", "currencies", "proxies", "token", "key"}


@pytest.mark.parametrize("given", ["10.0.0.0/8,2001:db8::/32", " 10.0.0.0/8 , 2001:db8::/32"])
def test_proxies_are_networks_with_commas_between(given: str) -> None:
    told = caisse("config", "show", "--json", env={"CAISSE_PROXIES": given}).json
    assert told["proxies"] == {"value": "10.0.0.0/8,2001:db8::/32", "from": "CAISSE_PROXIES"}


@pytest.mark.parametrize(
    "given", ["proxy.example", "10.0.0.1/8", "10.0.0.1,", "10.0.0.1 10.0.0.2", "0.0.0.0/0", "10.0.0.1,::/0"]
)
def test_what_would_trust_nobody_or_everybody_is_wrong_usage(given: str) -> None:
    assert caisse("serve", "--proxies", given).code == 2


def on_a_terminal(*words: str, env: dict[str, str] | None = None) -> str:
    """What a command writes to a terminal."""
    ours, its = pty.openpty()
    child = subprocess.Popen(
        [PROGRAM, *words],
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment({"TERM": "xterm", **(env or {})}),
    )
    os.close(its)
    text = b""
    while chunk := _read(ours):
        text += chunk
    os.close(ours)
    child.wait()
    return text.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


def test_a_terminal_gets_headings_and_no_color_means_none(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/x.db"
    caisse("partner", "add", "[red]acme[/red]", "--db", db)
    shown = on_a_terminal("partner", "list", "--db", db)
    assert "[red]acme[/red]" in shown
    assert "\x1b[1mPARTNER" in shown
    plain = on_a_terminal("partner", "list", "--db", db, env={"NO_COLOR": "1"})
    assert "\x1b" not in plain
    audited = on_a_terminal("audit", "--db", db)
    assert "no findings" in audited
    assert audited.index("\x1b[K") < audited.index("checked")


def test_what_a_user_cannot_mend_keeps_its_traceback_and_the_rest_has_its_code(tmp_path: Path) -> None:
    for raised, code in (
        ("build.WriterDied('x')", 70),
        ("KeyboardInterrupt()", 130),
        ("ZeroDivisionError()", 1),
    ):
        program = (
            "from caisse import build\nfrom caisse.cli.main import cli\n"
            f"async def serve(*_):\n    raise {raised}\n"
            f"build.serve = serve\ncli(['serve', '--db', 'sqlite:///{tmp_path}/x.db'])"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment()
        )
        assert done.returncode == code
        assert ("Traceback" in done.stderr) == (code == 1)


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    db = ready(f"sqlite:///{tmp_path}/x.db")
    shell = f"{PROGRAM} audit --db {db} | true"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, check=True, env=environment())
    assert "Traceback" not in done.stderr
