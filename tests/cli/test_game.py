"""R30: games disabled by command, beside a running server, on both engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from caisse.cli.demo.pages import seamless
from tests.support.running import caisse, eventually, funding, furnished, play, send, serving


@pytest.fixture
def db(db_url: str) -> str:
    return furnished(db_url)


def test_a_disabled_game_takes_no_bets_but_pays_and_gives_back(db: str, tmp_path: Path) -> None:
    with serving(db, tmp_path / "log") as http:
        send(http, *funding("ann"))
        send(http, *(play("Bet", "ann", name, name, amount="1.0") for name in ("b-1", "b-2")))
        said = caisse("game", "disable", "demo", "LuckyMonaco", "g-1", "--db", db)
        assert said.out == (
            "game g-1 of luckymonaco is disabled: new bets are refused for demo within 5 seconds\n"
        )
        numbers = iter(range(3, 100))

        def error() -> int:
            name = f"b-{next(numbers)}"
            return int(send(http, play("Bet", "ann", name, name, amount="1.0"))[0]["error"])

        eventually(lambda: error() == 8)
        results = (play("Result", "ann", "w-1", "b-1", amount="1.0"), play("Refund", "ann", "b-2"))
        assert [str(a["error"]) for a in send(http, *results)] == ["0", "0"]
        other = play("Bet", "ann", "b-200", "b-200", amount="1.0").body.replace("g-1", "G-1")
        assert send(http, seamless("", "Bet", other, ""))[0]["error"] == 0
        assert caisse("game", "enable", "demo", "luckymonaco", "g-1", "--db", db).code == 0
        eventually(lambda: error() == 0)
    assert caisse("audit", "--db", db).code == 0


def test_disabled_games_are_listed(db: str) -> None:
    assert "no game is disabled" in caisse("game", "list", "--db", db).out
    assert caisse("game", "list", "--db", db, "--json").json == []
    done = caisse("game", "disable", "demo", "luckymonaco", "g 1", "--db", db, "--json").json
    assert done == {"partner": "demo", "provider": "luckymonaco", "game": "g 1", "enabled": False}
    listed = caisse("game", "list", "demo", "--db", db, "--json").json
    assert [(g["partner"], g["provider"], g["game"]) for g in listed] == [("demo", "luckymonaco", "g 1")]
    assert "g 1" in caisse("game", "list", "--db", db).out
    assert caisse("partner", "add", "other", "--db", db).code == 0
    assert caisse("game", "list", "other", "--db", db, "--json").json == []


def test_what_is_so_already_or_unknown_is_a_negative_answer(db: str) -> None:
    said = caisse("game", "enable", "demo", "luckymonaco", "g-1", "--db", db)
    assert (said.code, "is enabled for demo already" in said.error) == (1, True)
    assert caisse("game", "disable", "demo", "luckymonaco", "g-1", "--db", db).code == 0
    said = caisse("game", "disable", "demo", "luckymonaco", "g-1", "--db", db)
    assert (said.code, "is disabled for demo already" in said.error) == (1, True)
    for words in (("disable", "nobody", "luckymonaco", "g-1"), ("list", "nobody")):
        said = caisse("game", *words, "--db", db)
        assert (said.code, "'caisse partner add nobody'" in said.error) == (1, True)


def test_a_provider_without_a_connection_is_warned_of(db: str) -> None:
    said = caisse("game", "disable", "demo", "lukcymonaco", "g-1", "--db", db)
    assert (said.code, said.err) == (0, "Warning: demo has no connection of lukcymonaco yet.\n")


@pytest.mark.parametrize("game", ["", "x" * 129, "a\nb"])
def test_a_game_that_no_request_can_name_is_wrong_usage(game: str) -> None:
    assert caisse("game", "disable", "demo", "luckymonaco", game).code == 2
