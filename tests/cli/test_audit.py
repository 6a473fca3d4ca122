"""`caisse audit`: what it says of good books and of spoilt ones, on both engines."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from caisse.cli.commands.audit import claims
from caisse.cli.demo.pages import PAGES, REPEATS, SETTING
from tests.http.serving import copy_of, fresh_db
from tests.support.running import caisse, furnished, program, send, serving, sql


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database on which the demo's story was played."""
    folder = tmp_path_factory.mktemp("played")
    db = furnished(fresh_db(request.param, request, folder))
    with serving(db, folder / "log") as http:
        send(http, *SETTING, *PAGES, *REPEATS)
        assert caisse("audit", "--db", db).code == 0
    return db


@pytest.fixture
def db(played: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A copy of it, to spoil."""
    return copy_of(played, request, tmp_path)


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
        "checks": [{"check": name, "claim": claim, "passed": True} for name, claim in claims().items()],
        "findings": [],
        "findings_total": 0,
        "consequences_total": 0,
    }


def test_spoilt_books_are_found_and_the_finding_names_whose(db: str) -> None:
    sql(db, "update player set balances = '{\"USD\":\"101.0\"}' where id = 'tester'")
    said = caisse("audit", "--db", db)
    assert (said.code, "1 finding" in said.error) == (1, True)
    assert "the USD wallet holds 101.0, the journal says 100.0" in said.out
    assert "and 1 consequence (double entry 1)" in said.out
    told = caisse("audit", "--db", db, "--json")
    assert (told.code, told.json["passed"], told.json["findings_total"]) == (1, False, 1)
    assert [(f["check"], f["partner"], f["player"], f["also"]) for f in told.json["findings"]] == [
        ("balances", "demo", "tester", {"double entry": 1})
    ]
    assert [c["check"] for c in told.json["checks"] if not c["passed"]] == ["balances", "double entry"]


def test_one_tampered_row_is_one_finding_that_counts_what_follows(db: str) -> None:
    bypass(db)
    sql(
        db, "update journal set amount = '301.0', asked = '301.0' where player = 'tester' and kind = 'charge'"
    )
    told = caisse("audit", "--db", db, "--json").json
    (found,) = (finding for finding in told["findings"] if finding["check"] != "schema")
    disabled = len(told["findings"]) - 1
    assert (told["findings_total"], found["check"], found["row"]) == (1 + disabled, "chain", 3)
    assert found["consequences"] == told["consequences_total"] == sum(found["also"].values()) > 4
    assert "the rows add up to 301.0" in found["text"]


@pytest.mark.parametrize(
    "balances", ['[["USD","100.0"]]', '{"USD": "100.0"}', '{"USD":"100.0","USD":"100.0"}']
)
def test_wallets_that_the_server_cannot_read_are_a_finding(db: str, balances: str) -> None:
    sql(db, f"update player set balances = '{balances}' where id = 'tester'")
    (found,) = caisse("audit", "--db", db, "--json").json["findings"]
    assert (found["check"], found["player"]) == ("readable", "tester")
    assert caisse("player", "show", "demo", "tester", "--db", db).code == 1


def test_a_schema_that_is_not_whole_is_a_finding(db: str) -> None:
    """Without the index a repeat could be paid twice; no row tells that it is gone."""
    sql(db, "drop index journal_key")
    said = caisse("audit", "--db", db, "--json")
    assert (said.code, [finding["check"] for finding in said.json["findings"]]) == (1, ["schema"])
    assert "index journal_key is missing" in said.out


def test_a_name_that_was_emptied_by_hand_is_a_finding_and_is_not_told(db: str) -> None:
    empty = "x''" if db.startswith("sqlite") else "''"
    sql(db, f"update player set name = '', name_key = {empty} where id = 'tester'")
    (found,) = caisse("audit", "--db", db, "--json").json["findings"]
    assert (found["check"], "no row forgets the player" in found["text"]) == ("player", True)


def test_two_audits_to_one_anchor_leave_one_whole_anchor(db: str, tmp_path: Path) -> None:
    """They run at once; the second to finish is refused, and shows its report all the same."""
    path = tmp_path / "anchor"
    with ThreadPoolExecutor(2) as pool:
        asked = ("audit", "--new-anchor", str(path), "--db", db)
        both = [said.result() for said in [pool.submit(program, *asked) for _ in range(2)]]
    assert {said.code for said in both} == {0, 1}
    assert caisse("audit", "--anchor", str(path), "--db", db).code == 0
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("anchor")] == ["anchor"]


def bypass(db: str) -> None:
    """From here on the journal can be changed."""
    if db.startswith("sqlite"):
        sql(db, "drop trigger journal_no_update")
        sql(db, "drop trigger journal_no_delete")
    else:
        sql(db, "alter table journal disable trigger journal_append_only")


def test_a_row_that_cannot_be_read_is_no_traceback(db: str) -> None:
    bypass(db)
    sql(db, "update journal set kind = 'gift' where kind = 'charge'")
    assert caisse("audit", "--db", db).code == 1
    assert "Traceback" not in caisse("audit", "--db", db).err
    assert caisse("player", "show", "demo", "421", "--db", db).code == 1


def test_an_anchor_is_met_by_later_books(db: str, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor"
    told = caisse("audit", "--new-anchor", str(anchor), "--db", db, "--json").json
    *lines, end = [json.loads(line) for line in anchor.read_text().splitlines()]
    assert [(line[:2], len(line[3])) for line in lines] == [(["demo", "421"], 64), (["demo", "tester"], 64)]
    assert end == {"players": 2, "digest": told["anchor"]}
    assert (
        caisse("player", "freeze", "demo", "tester", "--reason", "a test", "--by", "me", "--db", db).code == 0
    )
    said = caisse("audit", "--anchor", str(anchor), "--db", db)
    assert (said.code, "anchor " in said.out) == (0, True)
    assert [file.name for file in tmp_path.iterdir() if "anchor" in file.name] == ["anchor"]


def test_books_that_do_not_reach_their_anchor_are_found(db: str, tmp_path: Path) -> None:
    """The rows of a player who was created later are cut off, and everything that shows it."""
    caisse("player", "freeze", "demo", "tester", "--reason", "a test", "--by", "me", "--db", db)
    anchor = tmp_path / "anchor"
    assert caisse("audit", "--new-anchor", str(anchor), "--db", db).code == 0
    bypass(db)
    last = "(select max(seq) from journal where player = 'tester')"
    sql(db, f"delete from journal where player = 'tester' and seq = {last}")
    head = f"(select hash from journal where player = 'tester' and seq = {last})"
    false = "0" if db.startswith("sqlite") else "false"
    sql(db, f"update player set seq = seq - 1, frozen = {false}, head = {head} where id = 'tester'")
    alone = caisse("audit", "--db", db, "--json").json["findings"]
    assert {finding["check"] for finding in alone} == {"schema"}, "only that the journal can be changed"
    said = caisse("audit", "--anchor", str(anchor), "--new-anchor", str(tmp_path / "next"), "--db", db)
    assert (said.code, "rows were cut off" in said.out) == (1, True)
    assert not (tmp_path / "next").exists()
    sql(db, "delete from player where id = '421'")
    assert "421" in caisse("audit", "--anchor", str(anchor), "--db", db).out


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[1:],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [*lines, lines[0]],
        lambda lines: [lines[0].replace('"demo"', '"demi"'), *lines[1:]],
        lambda lines: [lines[0].replace(",", ", "), *lines[1:]],
        lambda lines: ["[]", *lines],
        lambda lines: [],
        lambda lines: ["no JSON"],
    ],
)
def test_an_anchor_that_is_not_as_it_was_written_is_refused(db: str, tmp_path: Path, spoil: Any) -> None:
    anchor = tmp_path / "anchor"
    caisse("audit", "--new-anchor", str(anchor), "--db", db)
    anchor.write_text("".join(f"{line}\n" for line in spoil(anchor.read_text().splitlines())))
    said = caisse("audit", "--anchor", str(anchor), "--db", db)
    assert (said.code, "is no whole anchor" in said.error) == (1, True)


def test_a_file_that_is_no_text_is_no_anchor(db: str, tmp_path: Path) -> None:
    (tmp_path / "anchor").write_bytes(b"\x99")
    said = caisse("audit", "--anchor", str(tmp_path / "anchor"), "--db", db)
    assert (said.code, "it is no text" in said.error) == (1, True)


def test_an_anchor_is_never_overwritten_and_must_be_there(db: str, tmp_path: Path) -> None:
    (tmp_path / "anchor").write_text("precious")
    said = caisse("audit", "--new-anchor", str(tmp_path / "anchor"), "--db", db)
    assert (said.code, "never overwritten" in said.error) == (1, True)
    assert (tmp_path / "anchor").read_text() == "precious"
    assert "cannot read the anchor" in caisse("audit", "--anchor", str(tmp_path / "none"), "--db", db).error
    nowhere = str(tmp_path / "none" / "anchor")
    assert "cannot write the anchor" in caisse("audit", "--new-anchor", nowhere, "--db", db).error


def test_every_invariant_names_its_rules() -> None:
    assert all("(R" in claim for claim in claims(anchored=True).values())
