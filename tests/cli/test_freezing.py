"""R15, R53: freezing and releasing by command, beside a running server, on both engines."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from tests.support.running import caisse, funding, furnished, pay, play, send, serving


@pytest.fixture
def db(db_url: str) -> str:
    return furnished(db_url)


@pytest.fixture
def http(db: str, tmp_path: Path) -> Iterator[httpx2.Client]:
    with serving(db, tmp_path / "log") as client:
        send(client, *funding("ann"))
        yield client


def codes(http: httpx2.Client, *steps: object) -> list[str]:
    answers = send(http, *steps)  # type: ignore[arg-type]
    return [str(a.get("error", a.get("code", 0))) for a in answers]


def test_a_frozen_player_can_be_paid_but_not_bet_or_withdraw(db: str, http: httpx2.Client) -> None:
    bets = [play("Bet", "ann", name, name, amount="10.0") for name in ("b-1", "b-2", "b-3", "b-4")]
    assert codes(http, *bets[:2]) == ["0", "0"]
    said = caisse("player", "freeze", "demo", "ann", "--reason", "fraud?", "--by", "Zoë", "--db", db)
    assert (said.code, said.err) == (0, "")
    assert "frozen: new bets and refunds (money out) are refused" in said.out
    withdrawal = pay("refund", "ann", currency="USD", amount="1.0")
    allowed = (
        pay("charge", "ann", currency="USD", amount="1.0"),
        play("Result", "ann", "w-1", "b-1", amount="5.0"),
        play("Refund", "ann", "b-2"),
    )
    assert codes(http, bets[2], withdrawal, *allowed) == ["6", "6", "0", "0", "0"]
    assert caisse("player", "release", "demo", "ann", "--reason", "cleared", "--db", db).code == 0
    withdrawals = (withdrawal, pay("refund", "ann", currency="USD", amount="1.0"))
    assert codes(http, bets[2], bets[3], *withdrawals) == ["6", "0", "6", "0"]  # R2
    assert caisse("audit", "--db", db).code == 0


def test_the_reason_and_the_name_are_in_the_journal_and_shown(db: str, http: httpx2.Client) -> None:
    words = ("demo", "ann", "--reason", " asked to be ", "--db", db)
    frozen = caisse("player", "freeze", *words, "--json").json
    assert (frozen["frozen"], frozen["by"], frozen["reason"]) == (True, getpass.getuser(), "asked to be")
    assert (
        "player ann (ann) of partner demo, FROZEN" in caisse("player", "show", "demo", "ann", "--db", db).out
    )
    shown = caisse("player", "show", "demo", "ann", "--db", db, "--json").json
    assert shown["frozen"] is True
    assert shown["freeze"] == {"at": frozen["at"], "by": frozen["by"], "reason": "asked to be"}
    assert (shown["trail"][-1]["kind"], shown["trail"][-1]["details"]) == ("freeze", "asked to be")
    again = caisse("player", "freeze", *words)
    assert (again.code, "was frozen already" in again.err) == (0, True)
    event = caisse("explain", frozen["transaction"], "--db", db, "--json").json["events"][0]
    assert (event["endpoint"], event["asked"]["reason"], event["answers"]) == (
        *("caisse player freeze", "asked to be"),
        [],
    )
    assert caisse("player", "release", *words).code == 0
    shown = caisse("player", "show", "demo", "ann", "--db", db, "--json").json
    assert (shown["frozen"], shown["freeze"]) == (False, None)


def test_freezing_in_the_middle_of_traffic_loses_nothing(db: str, http: httpx2.Client) -> None:
    """The server's batch that meets it is decided again: no verdict is missing, the books are right."""
    told: list[str] = []

    def traffic() -> None:
        for n in range(150):
            told.extend(codes(http, play("Bet", "ann", f"b-{n}", f"r-{n}", amount="0.1")))

    playing = Thread(target=traffic)
    playing.start()
    for n in range(4):
        verb = ("freeze", "release")[n % 2]
        assert caisse("player", verb, "demo", "ann", "--reason", "test", "--db", db).code == 0
    playing.join()
    assert set(told) <= {"0", "6"}
    shown = caisse("player", "show", "demo", "ann", "--db", db, "--json").json
    assert shown["wallets"] == {"USD": f"{(1000 - told.count('0')) / 10}"}
    assert shown["adds_up"]
    assert caisse("audit", "--db", db).code == 0


def test_a_player_who_is_not_there_is_a_negative_answer(db: str) -> None:
    for verb in ("freeze", "release"):
        said = caisse("player", verb, "demo", "nobody", "--reason", "x", "--db", db)
        assert (said.code, "has no player nobody" in said.error) == (1, True)


@pytest.mark.parametrize("text", ["", "   ", "two\nlines", "bell\a", "x" * 201, "\x9b"])
@pytest.mark.parametrize("option", ["--reason", "--by"])
def test_reason_and_name_are_printable_and_short(option: str, text: str) -> None:
    words = {"--reason": "because", "--by": "me", option: text}
    said = caisse("player", "freeze", "demo", "ann", *(w for pair in words.items() for w in pair))
    assert (said.code, f"'{option}'" in said.error) == (2, True)


def test_a_reason_is_required() -> None:
    assert caisse("player", "freeze", "demo", "ann").code == 2
