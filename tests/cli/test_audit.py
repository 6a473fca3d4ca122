"""`caisse audit`: what it says of good books and of spoilt ones, on both engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from caisse.cli.audit import claims
from caisse.cli.demo_pages import PAGES, REPEATS, SETTING
from tests.cli.running import caisse, ready, send, serving, sql


@pytest.fixture
def db(db_url: str, tmp_path: Path) -> str:
    """A database on which the demo's story was played."""
    ready(db_url)
    caisse("partner", "add", "demo", "--token", "demo-token", "--db", db_url)
    caisse("connection", "add", "demo", "luckymonaco", "--keyless", "--db", db_url)
    with serving(db_url, tmp_path / "log") as http:
        send(http, *SETTING, *PAGES, *REPEATS)
        assert caisse("audit", "--db", db_url).code == 0
    return db_url


def test_good_books_pass_with_what_was_checked(db: str) -> None:
    said = caisse("audit", "--db", db)
    assert said.code == 0
    assert "checked 2 players, 2 wallets, 1 round and 12 journal rows in USD" in said.out
    assert all(f"{name} " in said.out and claim in said.out for name, claim in claims().items())
    told = caisse("audit", "--db", db, "--json").json
    assert told == {
        "passed": True,
        "players": 2,
        "wallets": 2,
        "rounds": 1,
        "rows": 12,
        "currencies": ["USD"],
        "checks": [{"check": name, "claim": claim} for name, claim in claims().items()],
        "findings": [],
        "findings_total": 0,
    }


def test_spoilt_books_are_found_and_the_finding_names_whose(db: str) -> None:
    sql(db, "update wallet set balance = '101.0' where player = 'tester'")
    said = caisse("audit", "--db", db)
    assert (said.code, "2 findings" in said.error) == (1, True)
    assert "the USD wallet holds 101.0, the journal says 100.0" in said.out
    told = caisse("audit", "--db", db, "--json")
    assert (told.code, told.json["passed"]) == (1, False)
    assert {(f["check"], f["partner"], f["player"]) for f in told.json["findings"]} == {
        ("balances", "demo", "tester"),
        ("double entry", "demo", ""),
    }


def test_a_row_that_cannot_be_read_is_no_traceback(db: str) -> None:
    if db.startswith("sqlite"):
        sql(db, "drop trigger journal_no_update")
    else:
        sql(db, "alter table journal disable trigger journal_append_only")
    sql(db, "update journal set kind = 'gift' where kind = 'charge'")
    assert caisse("audit", "--db", db).code == 1
    assert "Traceback" not in caisse("audit", "--db", db).err
    assert caisse("player", "show", "demo", "421", "--db", db).code == 1


def test_every_invariant_names_its_rules() -> None:
    assert all("(R" in claim for claim in claims().values())
