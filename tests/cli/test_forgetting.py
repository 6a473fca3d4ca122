"""R59, R53: a player's name is removed by command, beside a running server, on both engines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
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
    said = caisse("player", "show", "demo", "ann", "--db", db).out
    assert said.startswith("player ann (the name is removed) of partner demo\n")
    assert caisse(*forget(db)).code == 0, "as with freezing: a second decision is a second row"
    assert caisse("audit", "--db", db).code == 0


def test_R59_neither_name_nor_key_is_left_in_sqlites_files(tmp_path: Path) -> None:
    """Neither in the log, nor where a row stood in its page before: beside a server, and after."""
    file = tmp_path / "caisse.db"
    db = furnished(f"sqlite:///{file}")
    users = [f"p{n}" for n in range(20)]
    with serving(db, tmp_path / "log") as http:
        send(
            http,
            *[pay("create", user, name=f"Leaver {user} {'n' * (n % 9)}") for n, user in enumerate(users)],
        )
        for currency in ("USD", "EUR", "GBP"):
            send(http, *[pay("create_wallet", user, currency=currency) for user in users])
            send(http, *[pay("charge", user, currency=currency, amount="1.5") for user in users])
            send(http, *[pay("refund", user, currency=currency, amount="1.5") for user in users])
        with closing(sqlite3.connect(file)) as looking:
            secrets = [key for (key,) in looking.execute("select name_key from player")]
        for user in users:
            assert (
                caisse("player", "forget", "demo", user, "--reason", "r", "--by", "b", "--db", db).code == 0
            )
        assert _left(tmp_path, secrets) == []
        send(http, *[pay("charge", user, currency="USD", amount="1.5") for user in users])
    assert _left(tmp_path, secrets) == []


def _left(folder: Path, keys: list[bytes]) -> list[tuple[str, bytes]]:
    held = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert len(held["caisse.db"]) > 0
    assert len(keys) == 20
    return [
        (name, bytes_[max(at - 50, 0) : at + 70])
        for name, bytes_ in held.items()
        for part in (b"Leaver", *keys)
        if (at := bytes_.find(part)) >= 0
    ]


def test_a_player_who_is_not_there_is_a_negative_answer(db: str) -> None:
    said = caisse(*forget(db))
    assert (said.code, "has no player ann" in said.error) == (1, True)


def test_a_reason_is_required() -> None:
    assert caisse("player", "forget", "demo", "ann").code == 2
