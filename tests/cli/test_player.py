"""`caisse player show`: the demo's story, looked at beside a running server, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from caisse.cli.demo.pages import BET, PAGES, REPEATS, SETTING, Step, seamless
from tests.support.running import caisse, ready, send, serving, sql


@pytest.fixture
def db(db_url: str) -> str:
    """A database with the demo's partner and connection."""
    ready(db_url)
    assert caisse("partner", "add", "demo", "--token", "demo-token", "--db", db_url).code == 0
    assert caisse("connection", "add", "demo", "luckymonaco", "--keyless", "--db", db_url).code == 0
    return db_url


@pytest.fixture
def http(db: str, tmp_path: Path) -> Iterator[httpx2.Client]:
    """A client of a server on that database; its partner, connection and players came by command."""
    with serving(db, tmp_path / "log") as client:
        send(client, *SETTING)
        yield client


def bet(reference: str, round_id: str) -> Step:
    body = BET.replace("585c1306f89c56f5ecfc2f5d", reference).replace("5103188801", round_id)
    return seamless("", "Bet", body, "")


def result(round_id: str) -> Step:
    body = BET.replace("585c1306f89c56f5ecfc2f5d", f"result-{round_id}").replace("5103188801", round_id)
    return seamless("", "Result", body, "")


def test_the_trail_shows_every_line_with_its_balance_and_that_it_adds_up(
    db: str, http: httpx2.Client
) -> None:
    send(http, *PAGES, *REPEATS)
    told = caisse("player", "show", "demo", "tester", "--db", db, "--json")
    assert told.code == 0
    assert told.json["wallets"] == {"USD": "100.0"}
    assert told.json["adds_up"] is True
    assert [
        (t["kind"], t["verdict"], t["amount"], t["balance"], t["adds_up"]) for t in told.json["trail"]
    ] == [
        ("create", "ok", "0.0", "0.0", True),
        ("open_wallet", "ok", "0.0", "0.0", True),
        ("charge", "ok", "300.0", "300.0", True),
        ("withdraw", "ok", "-200.0", "100.0", True),
        ("withdraw", "insufficient", "0.0", "100.0", True),
    ]
    shown = caisse("player", "show", "demo", "tester", "--db", db)
    out = [
        line.split("refund (money out)")[1].split()
        for line in shown.out.splitlines()
        if "(money out)" in line
    ]
    assert [words[:2] for words in out] == [["-200.0", "100.0"], ["100.0", "USD"]]
    assert "all lines add up" in shown.out


def test_a_round_is_open_until_each_bet_is_rolled_back_or_settled(db: str, http: httpx2.Client) -> None:
    def open_rounds() -> list[tuple[str, str]]:
        rounds = caisse("player", "show", "demo", "421", "--db", db, "--json").json["open_rounds"]
        return [(r["id"], r["staked"]) for r in rounds]

    assert open_rounds() == [("5103188801", "10.0")]
    assert "5103188801  luckymonaco" in caisse("player", "show", "demo", "421", "--db", db).out
    send(http, PAGES[2], bet("b1", "r1"), bet("b2", "r2"))
    assert open_rounds() == [("r1", "10.0"), ("r2", "10.0")]
    send(http, result("r1"))
    assert open_rounds() == [("r2", "10.0")]
    send(http, bet("b3", "r1"))
    assert open_rounds() == [("r1", "20.0"), ("r2", "10.0")]


def test_only_the_newest_lines_are_shown_but_all_are_added_up(db: str, http: httpx2.Client) -> None:
    told = caisse("player", "show", "demo", "421", "--last", "2", "--db", db, "--json").json
    assert [(line["seq"], line["balance"]) for line in told["trail"]] == [(3, "100.0"), (4, "90.0")]
    assert (told["rows"], told["adds_up"]) == (4, True)
    shown = caisse("player", "show", "demo", "421", "--last", "2", "--db", db)
    assert "trail: 4 lines; the newest 2" in shown.out


def test_what_does_not_add_up_is_marked_and_fails(db: str, http: httpx2.Client) -> None:
    sql(db, "update player set balances = '{\"USD\":\"91.0\"}' where id = '421'")
    said = caisse("player", "show", "demo", "421", "--db", db)
    assert (said.code, "do not add up: run 'caisse audit'" in said.error) == (1, True)
    assert "WRONG" in said.out
    assert caisse("player", "show", "demo", "421", "--db", db, "--json").json["adds_up"] is False
    assert caisse("player", "show", "demo", "tester", "--db", db).code == 0


def test_wallets_that_were_emptied_by_hand_do_not_add_up(db: str, http: httpx2.Client) -> None:
    sql(db, "update player set balances = '{}' where id = '421'")
    said = caisse("player", "show", "demo", "421", "--db", db)
    assert (said.code, "do not add up" in said.error) == (1, True)
    assert [line.split()[:3] for line in said.out.splitlines() if "missing" in line] == [
        ["USD", "missing", "WRONG"]
    ]
    told = caisse("player", "show", "demo", "421", "--db", db, "--json")
    assert (told.code, told.json["adds_up"], told.json["wallets_add_up"]) == (1, False, {"USD": False})


def test_a_wallet_that_was_never_opened_does_not_add_up(db: str, http: httpx2.Client) -> None:
    sql(db, 'update player set balances = \'{"USD":"90.0","EUR":"0.0"}\' where id = \'421\'')
    told = caisse("player", "show", "demo", "421", "--db", db, "--json")
    assert (told.code, told.json["wallets_add_up"]) == (1, {"USD": True, "EUR": False})


def test_a_refused_row_with_another_balance_does_not_add_up(db: str, http: httpx2.Client) -> None:
    send(http, *PAGES, *REPEATS)
    if db.startswith("sqlite"):
        sql(db, "drop trigger journal_no_update")
    else:
        sql(db, "alter table journal disable trigger journal_append_only")
    sql(db, "update journal set balance = '99.0' where player = 'tester' and verdict = 'insufficient'")
    said = caisse("player", "show", "demo", "tester", "--db", db)
    assert (said.code, "do not add up" in said.error, "all lines add up" in said.out) == (1, True, False)
    told = caisse("player", "show", "demo", "tester", "--db", db, "--json").json
    assert [line["adds_up"] for line in told["trail"]] == [True, True, True, True, False]
    assert told["wallets_add_up"] == {"USD": True}


def test_an_unknown_player_is_a_negative_answer(db: str) -> None:
    said = caisse("player", "show", "demo", "nobody", "--db", db)
    assert (said.code, "partner demo has no player nobody" in said.error) == (1, True)
    assert said.out == ""
