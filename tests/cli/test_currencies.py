"""`caisse currencies`, and an operator's own at work."""

from __future__ import annotations

from pathlib import Path

import pytest

from caisse.currencies.table import DEFAULT
from tests.support.running import caisse, furnished, pay, send, serving

OWN = """
[[currency]]
code = "gold"
name = "Gold coins"
exponent = 0
max_decimals = 0

[[currency]]
code = "EUR"
enabled = false
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "currencies.toml"
    made.write_text(OWN)
    return made


def test_all_are_listed() -> None:
    told = caisse("currencies", "--json").json
    assert {c["code"] for c in told} == set(DEFAULT)
    assert len(caisse("currencies").out.splitlines()) == len(DEFAULT) + 1


def test_those_asked_for_are_shown_in_any_letter_case() -> None:
    assert caisse("currencies", "jpy", "BTC", "--json").json == [
        {"code": "JPY", "name": "Yen", "exponent": 0, "kind": "fiat", "max_decimals": None},
        {"code": "BTC", "name": "Bitcoin", "exponent": 8, "kind": "crypto", "max_decimals": None},
    ]


def test_an_unknown_code_is_a_negative_answer_beside_the_known_ones() -> None:
    said = caisse("currencies", "USD", "XXXX", "dollars")
    assert (said.code, "unknown: XXXX, dollars" in said.error) == (1, True)
    assert "US Dollar" in said.out


def test_an_operators_file_changes_the_table_and_the_server(db_url: str, tmp_path: Path, file: Path) -> None:
    own = ("--currencies", str(file))
    assert caisse("currencies", "GOLD", *own, "--json").json[0]["max_decimals"] == 0
    assert caisse("currencies", "EUR", env={"CAISSE_CURRENCIES": str(file)}).code == 1
    furnished(db_url)
    with serving(db_url, tmp_path / "log", *own) as http:
        wallets = [pay("create_wallet", "ann", currency=code) for code in ("gold", "EUR")]
        charges = [pay("charge", "ann", currency="GOLD", amount=amount) for amount in ("7.0", "7.5")]
        answers = send(http, pay("create", "ann", name="Ann"), *wallets, *charges)
        assert [a.get("code", 0) for a in answers] == [0, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[coins]]\n", "unknown key 'coins'"),
        ('[[currency]]\ncode = "GOLD"\n', "GOLD"),
        ("[[", "at end of document"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    for words in (("currencies",), ("serve", "--db", f"sqlite:///{tmp_path}/x.db", "--port", "0")):
        said = caisse(*words, "--currencies", str(file))
        assert said.code == 2
        assert f"{file}: " in said.error
        assert complaint in said.error
