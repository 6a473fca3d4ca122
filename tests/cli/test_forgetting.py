"""R59, R53: a player's name is removed by command, beside a running server, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.running import caisse, furnished, pay, play, send, serving

UUID = "01980000-0000-7000-8000-0000000000aa"


@pytest.fixture
def db(db_url: str) -> str:
    return furnished(db_url)


@pytest.fixture
def http(db: str, tmp_path: Path) -> Iterator[httpx2.Client]:
    with serving(db, tmp_path / "log") as client:
        yield client


def forget(db: str, *more: str) -> list[str]:
    return ["player", "forget", "demo", "ann", "--reason", "she asked", "--by", "Zoë", "--db", db, *more]


def test_R59_a_player_is_forgotten_only_without_money_and_open_bets(db: str, http: httpx2.Client) -> None:
    made = pay("create", "ann", name="Ann Leaver", uuid=UUID)
    send(http, made, pay("create_wallet", "ann", currency="USD"))
    send(
        http,
        pay("charge", "ann", currency="USD", amount="5.0"),
        play("Bet", "ann", "b-1", "r-1", amount="5.0"),
    )
    for settle in (
        play("Result", "ann", "w-1", "r-1", amount="2.0"),
        pay("refund", "ann", currency="USD", amount="2.0"),
    ):
        said = caisse(*forget(db))
        assert (said.code, "is not forgotten" in said.error) == (1, True)
        assert send(http, pay("info", "ann"))[0]["name"] == "Ann Leaver"
        send(http, settle)
    told = caisse(*forget(db, "--json")).json
    assert (told["forgotten"], told["by"], told["reason"]) == (True, "Zoë", "she asked")
    assert send(http, pay("info", "ann"))[0]["name"] == ""
    again, another = send(http, made, pay("create", "ann", name="Somebody", uuid=UUID))
    assert (again["status"], another["status"]) == ("OK", "OK")
    second = send(http, pay("create", "ann", name="Ann Leaver"))[0]
    assert (second["status"], second["reason"]) == ("Failed", "Duplicate ID")
    send(http, pay("charge", "ann", currency="USD", amount="3.0"))
    assert send(http, pay("balance", "ann", currency="USD"))[0]["balance"] == "3.0"
    assert caisse("audit", "--db", db).code == 0


def test_R59_forgetting_is_a_row_with_who_and_why(db: str, http: httpx2.Client) -> None:
    send(http, pay("create", "ann", name="Ann Leaver"))
    told = caisse(*forget(db, "--json")).json
    shown = caisse("player", "show", "demo", "ann", "--db", db, "--json").json
    assert (shown["name"], shown["trail"][-1]["kind"]) == ("", "forget")
    assert (shown["trail"][-1]["name"], shown["trail"][-1]["details"]) == ("Zoë", "she asked")
    assert shown["trail"][-1]["id"] == told["transaction"]
    assert "Ann Leaver" not in caisse("player", "show", "demo", "ann", "--db", db).out
    assert caisse(*forget(db)).code == 0, "as with freezing: a second decision is a second row"
    assert caisse("audit", "--db", db).code == 0


def test_a_player_who_is_not_there_is_a_negative_answer(db: str) -> None:
    said = caisse(*forget(db))
    assert (said.code, "has no player ann" in said.error) == (1, True)


def test_a_reason_is_required() -> None:
    assert caisse("player", "forget", "demo", "ann").code == 2
