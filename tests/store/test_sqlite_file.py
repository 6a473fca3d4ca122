"""An SQLite file: nobody else may read it, another program's is left alone, a copy is read where it lies."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from caisse.store import opening
from caisse.store.api import Unsuitable
from caisse.store.sqlite import file as sqlite_file
from caisse.store.sqlite.backup import backup
from tests.support.ledger import FUNDING
from tests.support.running import caisse, serving
from tests.support.stores import committed, opened, run

CHANGING = (["migrate"], ["serve", "--port", "0"], ["partner", "add", "p"])
READING = (["audit"], ["explain", "x"], ["partner", "list"], ["player", "show", "p", "u"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ledger that nobody serves."""
    path = tmp_path / "ledger.db"

    async def main() -> None:
        async with opened(f"sqlite:///{path}") as ledger:
            await committed(ledger, FUNDING)

    run(main())
    return path


@pytest.fixture(params=[0o000, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file there, with its content and its mode."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mode) for path in files}


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_nobody_else_may_read_what_is_made_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    async def main() -> None:
        async with opened(f"sqlite:///{tmp_path}/x.db") as ledger:
            await ledger.open()
            await committed(ledger, FUNDING)
            assert modes(tmp_path) == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}

    run(main())


def test_a_server_warns_of_a_file_that_others_may_read(file: Path, tmp_path: Path) -> None:
    file.chmod(0o644)
    log = tmp_path / "log"
    with serving(f"sqlite:///{file}", log):
        pass
    assert f"chmod 600 {file}" in log.read_text()
    assert Path(f"{file}.lock").stat().st_mode & 0o777 == 0o600
    file.chmod(0o600)
    Path(log).unlink()
    with serving(f"sqlite:///{file}", log):
        pass
    assert "chmod" not in log.read_text()


def foreign(path: Path, *, encoding: str = "UTF-8", mark: int = 0, table: str = "notes") -> None:
    connection = apsw.Connection(str(path))
    connection.execute(f"pragma encoding = '{encoding}'; pragma application_id = {mark}")
    connection.execute(f"create table {table} (a); insert into {table} values (1)")
    connection.close()


FOREIGN = {
    "another program's": ({}, "another program"),
    "one whose table is called like ours": ({"table": "migration"}, "another program"),
    "UTF-16": ({"encoding": "UTF-16le"}, "UTF-16"),
    "UTF-16, big-endian, with our mark": ({"encoding": "UTF-16be", "mark": 0x63616973}, "UTF-16"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    given, words = FOREIGN[kind]
    path = tmp_path / "x.db"
    foreign(path, **given)  # type: ignore[arg-type]
    before = state(tmp_path)
    every = (*CHANGING, *READING, ["backup", str(tmp_path / "copy.db")])
    for command in every if kind == "another program's" else (["serve", "--port", "0"], ["audit"]):
        said = caisse(*command, "--db", f"sqlite:///{path}")
        assert (said.code, words in said.error) == (3, True), said.err
    assert state(tmp_path) == before


@pytest.mark.parametrize("kind", ["a directory", "a pipe", "a device", "a socket"])
def test_what_is_no_file_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "a directory":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path = Path("/dev/null")
    else:
        socket.socket(socket.AF_UNIX).bind(str(path))
    for command in (["serve", "--port", "0"], ["audit"]):
        said = caisse(*command, "--db", f"sqlite:///{path}")
        assert (said.code, f"{path} is {kind}, not a file" in said.error) == (3, True), said.err
    assert not path.with_name(path.name + ".lock").exists()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    for command in CHANGING:
        said = caisse(*command, "--db", f"sqlite:///{tmp_path}/no/such/x.db")
        assert (said.code, f"there is no folder {tmp_path}/no" in said.error) == (3, True), said.err
    assert caisse("migrate", "--db", f"sqlite:///{tmp_path}/one/x.db").code == 0


def test_reading_makes_and_changes_nothing(file: Path, tmp_path: Path) -> None:
    before = state(tmp_path)
    for command in READING:
        caisse(*command, "--db", f"sqlite:///{file}")
        caisse(*command, "--db", f"sqlite:///{tmp_path}/none.db")
    assert state(tmp_path) == before
    assert caisse("audit", "--db", f"sqlite:///{file}").code == 0


@pytest.mark.parametrize("copied", ["by backup", "with cp"])
def test_a_copy_that_may_not_be_written_can_be_audited(file: Path, tmp_path: Path, copied: str) -> None:
    folder = tmp_path / "read only?"  # a name that must be quoted in a URI
    folder.mkdir()
    copy = folder / "copy.db"
    if copied == "by backup":
        backup(file, copy)
    else:
        shutil.copy(file, copy)
    copy.chmod(0o400)
    folder.chmod(0o500)
    try:
        said = caisse("audit", "--db", f"sqlite:///{copy}", "--json")
        assert (said.code, said.json["rows"]) == (0, len(FUNDING))
        assert [path.name for path in folder.iterdir()] == ["copy.db"]
        for command in CHANGING:
            said = caisse(*command, "--db", f"sqlite:///{copy}")
            assert said.code == 3
            assert "read only" in said.error
        with pytest.raises(Unsuitable, match="read only"):
            run(opening.ledger(f"sqlite:///{copy}").open())
    finally:
        folder.chmod(0o700)


def test_another_program_that_closes_the_file_leaves_the_log_of_a_server_alone(tmp_path: Path) -> None:
    """A process that closes a file loses its locks on it: the log would go, and what is committed after."""
    path = tmp_path / "caisse.db"
    writer = sqlite_file.open_file(path)
    writer.execute("create table t (x)")
    sqlite_file.open_to_read(path).close()
    sqlite_file.open_file(path).close()
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('select * from t'); c.close()"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    writer.execute("insert into t values (1)")
    look = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('select x from t').fetchall())"
    seen = subprocess.run(
        [sys.executable, "-c", look, str(path)], check=True, capture_output=True, text=True
    ).stdout
    writer.close()
    assert seen == "[(1,)]\n"
