"""Policy profiles by command: ours and an operator's, in words and at work."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import msgspec
import pytest

from caisse.core.policy import DEFAULT_POLICY, Policy
from tests.support.running import caisse, eventually, funding, furnished, play, send, serving, sql

OWN = """
name = "own"
late_bet = "absorb"
[codes]
insufficient = 77
[spellings]
account = "userid"
"""


SHIPPED = (
    "kyren-v1, lucky-monaco-v4, lucky-monaco-v4-2024-10, lucky-monaco-v4-2024-12, lucky-monaco-v4-by-round"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An operator's profiles."""
    made = tmp_path / "profiles"
    made.mkdir()
    (made / "own.toml").write_text(OWN)
    return made


def test_profiles_are_listed_with_what_differs(folder: Path) -> None:
    assert [p["name"] for p in caisse("profile", "list", "--json").json] == [
        "kyren-v1",
        "lucky-monaco-v4",
        "lucky-monaco-v4-2024-10",
        "lucky-monaco-v4-2024-12",
        "lucky-monaco-v4-by-round",
    ]
    out = caisse("profile", "list", env={"CAISSE_PROFILES": str(folder)}).out
    assert "refund_by_round = true" in out
    assert "late_bet = absorb; codes = insufficient = 77; spellings = account = userid" in out


@pytest.mark.parametrize("name", ["lucky-monaco-v4", "lucky-monaco-v4-by-round", "own"])
def test_each_decision_is_shown_in_words_with_its_rule(folder: Path, name: str) -> None:
    shown = caisse("profile", "show", name, "--profiles", str(folder)).out
    told = caisse("profile", "show", name, "--profiles", str(folder), "--json").json
    decisions = {d["key"]: d["meaning"] for d in told.pop("decisions")}
    assert set(decisions) == set(Policy.__struct_fields__) - {"name"}
    assert all(key in shown and meaning in shown for key, meaning in decisions.items())
    assert all("(R" in decisions[key] for key in decisions if key not in ("codes", "renumber", "spellings"))
    assert msgspec.convert(told, Policy).name == name


def test_the_default_profile_is_the_default() -> None:
    told = caisse("profile", "show", "lucky-monaco-v4", "--json").json
    del told["decisions"]
    assert msgspec.convert(told, Policy) == DEFAULT_POLICY


def test_an_unknown_profile_is_told_with_those_there_are(folder: Path) -> None:
    said = caisse("profile", "show", "owm", "--profiles", str(folder))
    assert (
        said.code,
        f"there are {SHIPPED}, own" in said.error,
    ) == (1, True)


BAD = {
    'name = "bad"\nlate_bets = "absorb"': "unknown key 'late_bets'",
    'name = "bad"\nlate_bet = "absorbed"': "late_bet",
    'name = "bad"\nunknown_bet = 0': "unknown_bet",
    'name = "bad"\nunknown_bet = "sucess"': "unknown_bet",
    'name = "bad"\nretransmission = 1': "retransmission",
    'late_bet = "absorb"': "a profile needs a name",
    'name = "own"': "a profile named own already",
    'name = "bad"\n[codes]\nbroke = 5': "'broke' is no refusal",
    'name = "bad"\n[codes]\ninsufficient = 0': "codes",
    'name = "bad"\n[spellings]\naccount = "userIdd"': "'account' stands for 'userIdd', which is no field",
    'name = "bad"\n[spellings]\nconto = "userId"\nCONTO = "amount"': "spellings: 'CONTO'",
    'name = "bad"\n[spellings]\n"счёт" = "userId"': "not ASCII",
    'name = "bad': "at end of document",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_is_named_with_its_key_by_every_command(folder: Path, text: str) -> None:
    (folder / "z-bad.toml").write_text(text)
    db = f"sqlite:///{folder}/x.db"
    for words in (
        ("profile", "list"),
        ("serve", "--db", db, "--port", "0"),
        ("connection", "add", "acme", "lucky", "--db", db),
    ):
        said = caisse(*words, env={"CAISSE_PROFILES": str(folder)})
        assert said.code == 2
        assert f"{folder}/z-bad.toml: " in said.error
        assert BAD[text] in said.error


def test_a_folder_or_file_that_cannot_be_read_is_named(folder: Path) -> None:
    said = caisse("profile", "list", "--profiles", f"{folder}/none")
    assert (said.code, f"{folder}/none does not exist" in said.error) == (2, True)
    (folder / "latin.toml").write_bytes(b'name = "caf\xe9"')
    said = caisse("profile", "list", "--profiles", str(folder))
    assert (said.code, f"{folder}/latin.toml" in said.error) == (2, True)


def test_a_connection_takes_an_operators_profile_from_option_or_environment(
    db_url: str, folder: Path
) -> None:
    furnished(db_url)
    add = ("connection", "add", "demo", "luckymonaco", "--profile", "own", "--db", db_url)
    said = caisse(*add)
    assert said.code == 2
    assert f"there is no profile own; there are {SHIPPED}" in said.error
    assert caisse(*add, "--profiles", str(folder)).code == 0
    assert caisse(*add, env={"CAISSE_PROFILES": str(folder)}).code == 0
    listed = caisse("connection", "list", "--db", db_url, "--json").json
    assert [c["profile"] for c in listed] == ["lucky-monaco-v4", "own", "own"]
    assert all({"networks", "keyless", "created_at", "revoked_at"} <= c.keys() for c in listed)


def warnings(log: Path) -> list[str]:
    """But for the one that a machine with few open files gets."""
    lines = map(json.loads, log.read_text().splitlines())
    events = [line["event"] for line in lines if line["level"] == "warning"]
    return [event for event in events if not event.startswith("the process may have ")]


def test_an_operators_profile_decides_end_to_end(db_url: str, folder: Path, tmp_path: Path) -> None:
    """R23: a late bet is absorbed; an own code, an own spelling; a server that lacks the profile says so."""
    furnished(db_url)
    add = ("connection", "add", "demo", "luckymonaco", "--profile", "own", "--profiles", str(folder))
    path = caisse(*add, "--db", db_url, "--json").json["path"]
    bet, log = play("Bet", "ann", "b-1", amount="10.0"), tmp_path / "log"

    def post(http: httpx2.Client, step: object) -> httpx2.Response:
        headers = {"Content-Type": "application/json"}
        return http.post(path + step.path, content=step.body.encode(), headers=headers)  # type: ignore[attr-defined]

    with serving(db_url, log, "--profiles", str(folder)) as http:
        send(http, *funding("ann"))
        refund = play("Refund", "ann", "b-1")._replace(
            body=play("Refund", "ann", "b-1").body.replace("userId", "ACCOUNT")
        )
        assert post(http, refund).json()["error"] == "0"
        assert (post(http, bet).json()["error"], post(http, bet).json()["cash"]) == (0, 100.0)
        assert post(http, play("Bet", "ann", "b-2", amount="999.0")).json()["error"] == 77
        assert warnings(log) == []
    verdicts = [row[0] for row in sql(db_url, "select verdict from journal order by seq")]
    assert verdicts[-3:] == ["tombstone", "absorbed", "insufficient"]
    with serving(db_url, log) as http:
        assert ["has the profile own, which this server does not know" in w for w in warnings(log)] == [True]
        assert post(http, bet).status_code == 503
        assert send(http, bet)[0]["error"] == 0
    assert caisse("audit", "--db", db_url).code == 0


def test_a_running_server_warns_of_a_new_connection_whose_profile_it_lacks(
    db_url: str, folder: Path, tmp_path: Path
) -> None:
    furnished(db_url)
    log = tmp_path / "log"
    with serving(db_url, log):
        add = ("connection", "add", "demo", "luckymonaco", "--profile", "own", "--profiles", str(folder))
        id_ = caisse(*add, "--db", db_url, "--json").json["id"]
        assert id_ in eventually(lambda: warnings(log))[0]
