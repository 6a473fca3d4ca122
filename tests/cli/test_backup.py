"""`caisse backup`: a whole, sound copy beside a running server, or none at all."""

from __future__ import annotations

import stat
from pathlib import Path

import apsw
import pytest

from caisse.cli.demo.pages import PAGES, SETTING
from caisse.store.sqlite import backup as copying
from tests.support.running import caisse, furnished, send, serving, sql


@pytest.fixture
def db(tmp_path: Path) -> str:
    return furnished(f"sqlite:///{tmp_path}/caisse.db")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith("copy")}


def test_a_copy_beside_a_server_has_all_that_was_answered_and_its_books_are_right(
    db: str, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with serving(db, tmp_path / "log") as http:
        send(http, *SETTING, *PAGES)
        said = caisse("backup", "--db", db, str(copy))
        journal = sql(db, "select * from journal order by partner, player, seq")
    assert said.code == 0
    assert f"caisse audit --db sqlite:///{copy}" in said.out
    assert names(tmp_path) == {"copy.db"}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert len(journal) > 2
    assert sql(f"sqlite:///{copy}", "select * from journal order by partner, player, seq") == journal
    assert caisse("audit", "--db", f"sqlite:///{copy}").code == 0


def test_with_json_it_says_where_the_copy_is(db: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    told = caisse("backup", "--db", db, "--json", str(copy)).json
    assert told == {"db": f"sqlite:///{copy}", "bytes": copy.stat().st_size}


@pytest.mark.parametrize("there", ["copy.db", "copy.db.partial"])
def test_nothing_is_overwritten(db: str, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    said = caisse("backup", "--db", db, str(tmp_path / "copy.db"))
    assert (said.code, f"{there} is there" in said.error) == (1, True)
    assert names(tmp_path) == {there}
    assert (tmp_path / there).read_text() == "precious"


def test_a_folder_that_is_not_there_is_not_made(db: str, tmp_path: Path) -> None:
    """The disk for backups may not be mounted."""
    said = caisse("backup", "--db", db, str(tmp_path / "disk" / "copy.db"))
    assert (said.code, "No such file" in said.error) == (1, True)
    assert not (tmp_path / "disk").exists()


def test_without_a_database_there_is_no_copy(tmp_path: Path) -> None:
    said = caisse("backup", "--db", f"sqlite:///{tmp_path}/none.db", str(tmp_path / "copy.db"))
    assert said.code == 3
    assert names(tmp_path) == set()


def test_for_postgresql_it_says_what_to_do_instead(tmp_path: Path) -> None:
    said = caisse("backup", "--db", "postgresql://user:pass-word@host/name", str(tmp_path / "copy.db"))
    assert said.code == 2
    assert "pg_basebackup" in said.err
    assert "pg_dump" in said.err
    assert "pass-word" not in said.err


def test_a_damaged_database_has_no_copy(db: str, tmp_path: Path) -> None:
    file = tmp_path / "caisse.db"
    sql(db, "pragma wal_checkpoint(truncate)")
    content = bytearray(file.read_bytes())
    index = bytes("sqlite_autoindex_partner_1", "ascii")
    assert index in content
    root = sql(db, "select rootpage from sqlite_master where name = 'sqlite_autoindex_partner_1'")[0][0]
    start = (root - 1) * 4096
    content[start : start + 4096] = bytes([0x0A]) + bytes(4095)  # an index without entries
    file.write_bytes(content)
    said = caisse("backup", "--db", db, str(tmp_path / "copy.db"))
    assert (said.code, "damaged" in said.error) == (1, True)
    assert names(tmp_path) == set()


def test_commits_of_others_neither_enter_the_copy_nor_make_it_start_again(
    db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGES", 3)
    parts: list[float] = []
    source, target = tmp_path / "caisse.db", tmp_path / "copy.db"
    other = apsw.Connection(str(source))

    def commit(part: float) -> None:
        parts.append(part)
        other.execute("insert into partner values (?, 1)", (f"late-{len(parts)}",))

    copying.backup(source, target, commit)
    assert len(parts) > 3
    assert parts == sorted(parts)
    late = "select count(*) from partner where id like 'late-%'"
    assert sql(f"sqlite:///{target}", late)[0][0] == 0
    assert other.execute(late).get == len(parts)
    other.close()


def test_a_copy_that_fails_half_way_leaves_nothing(
    db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGES", 3)

    def fail(part: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copying.backup(tmp_path / "caisse.db", tmp_path / "copy.db", fail)
    assert names(tmp_path) == set()
