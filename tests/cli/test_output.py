"""No character of an argument or of stored text steers a terminal; failures with --json are JSON too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caisse import cli
from tests.support.running import caisse, furnished, ready, sql

ODD = "a\x1b[31m\u202eb\x07\u2066c\x9b2J"
"""Colours, bidi overrides, a bell, C1's CSI."""
STEERS = ("\x1b", "\u202e", "\x07", "\u2066", "\x9b")

CALLS = [
    ("explain", ODD),
    ("explain", "x", "--partner", ODD),
    ("explain", f"--{ODD}"),
    (ODD,),
    ("--json", ODD),
    ("partner", ODD),
    ("partner", "add", ODD),
    ("partner", "add", "acme", ODD),
    ("partner", "token", "list", ODD),
    ("partner", "token", "revoke", "demo", ODD),
    ("connection", "add", "demo", ODD),
    ("connection", "add", "demo", "lucky", "--profile", ODD),
    ("connection", "add", "demo", "lucky", "--allow", ODD),
    ("connection", "revoke", ODD),
    ("player", "show", "demo", ODD),
    ("player", "freeze", "demo", ODD, "--reason", "r"),
    ("player", "freeze", "demo", "ann", "--reason", ODD),
    ("game", "disable", "demo", "lucky", ODD),
    ("game", "disable", "demo", "lucky", "g\u202eg"),
    ("game", "disable", "demo", "lucky", "g\u202eg"),
    ("game", "list"),
    ("profile", "show", ODD),
    ("currencies", ODD),
    ("backup", ODD),
    ("attempts", "prune", "--older-than", ODD),
    ("audit", "--anchor", ODD),
    ("config", "show", "--host", ODD),
    ("config", "show", "--profiles", ODD),
]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_argument_and_no_stored_text_reaches_the_terminal_raw(tmp_path: Path, as_json: bool) -> None:
    db = furnished(f"sqlite:///{tmp_path}/x.db")
    sql(db, f"insert into partner values ('p{ODD}', 1)")
    for words in [*CALLS, ("partner", "list"), ("connection", "list")]:
        said = caisse(*words, *(["--json"] if as_json else []), env={"CAISSE_DB": db}, cwd=tmp_path)
        assert "Traceback" not in said.err, (words, said)
        assert not [c for c in STEERS if c in said.out + said.err], (words, said)
        if as_json:
            assert said.out.isascii()
            assert isinstance(json.loads(said.out), dict | list), (words, said)


def test_only_one_module_writes_but_those_whose_every_line_is_made_visible() -> None:
    folder = Path(cli.__file__).parent
    writing = {path.name for path in folder.glob("*.py") if "click.echo(" in path.read_text()}
    assert writing - {"explain.py", "player.py", "audit.py", "anchor.py"} == {"output.py"}


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("explain", "no-such-id"), 1, "nothing is known"),
        (("player", "show", "demo", "nobody"), 1, "no player nobody"),
        (("partner", "add", "demo"), 1, "there is a partner demo already"),
        (("partner", "list", "--db", "sqlite:////nowhere/x.db"), 3, "there is no database"),
        (("partner", "add"), 2, "Missing argument"),
        (("partner", "list", "--all"), 2, "No such option"),
        (("partner", "grow"), 2, "No such command"),
        (("connection", "add", "demo", "lucky", "--profile", "none"), 2, "there is no profile none"),
    ],
)
def test_a_failure_with_json_is_json_on_standard_output(
    tmp_path: Path, words: tuple[str, ...], code: int, what: str
) -> None:
    db = furnished(f"sqlite:///{tmp_path}/x.db")
    said = caisse(*words, "--json", env={"CAISSE_DB": db})
    assert said.code == code
    assert said.json["exit_code"] == code
    assert what in said.json["error"]
    assert what in said.err
    assert caisse(*words, env={"CAISSE_DB": db}).out == ""


def test_a_wrong_setting_with_json_is_json_too() -> None:
    said = caisse("partner", "list", "--json", env={"CAISSE_PROT": "1"})
    assert (said.code, said.json["exit_code"]) == (2, 2)
    assert "unknown setting CAISSE_PROT" in said.json["error"]


def test_a_negative_answer_that_has_its_own_json_stays_one_document(db_url: str) -> None:
    ready(db_url)
    sql(
        db_url,
        "insert into attempt values ('demo', 'ann', '', '/user/charge', 'u', '', '', 't:u', 'ok', 'R1',"
        f" '', '', {'1' if db_url.startswith('sqlite') else 'true'}, '[]', 1, 1, 1)",
    )
    said = caisse("audit", "--db", db_url, "--json")
    assert (said.code, said.json["passed"]) == (1, False)


KUBERNETES = {
    "CAISSE_SERVICE_HOST": "10.96.0.12",
    "CAISSE_SERVICE_PORT": "8080",
    "CAISSE_SERVICE_PORT_HTTP": "8080",
    "CAISSE_PORT": "tcp://10.96.0.12:8080",
    "CAISSE_PORT_8080_TCP": "tcp://10.96.0.12:8080",
    "CAISSE_PORT_8080_TCP_PROTO": "tcp",
    "CAISSE_PORT_8080_TCP_PORT": "8080",
    "CAISSE_PORT_8080_TCP_ADDR": "10.96.0.12",
    "CAISSE_DB_SERVICE_HOST": "fd00::12",
    "CAISSE_DB_SERVICE_PORT": "5432",
    "CAISSE_DB_PORT": "tcp://[fd00::12]:5432",
    "CAISSE_DB_PORT_5432_TCP": "tcp://[fd00::12]:5432",
    "CAISSE_METRICS_PORT_9_UDP_PROTO": "udp",
}


def test_kubernetes_variables_of_a_service_called_caisse_are_no_settings() -> None:
    shown = caisse("config", "show", "--json", env=KUBERNETES)
    assert (shown.code, shown.err) == (0, "")
    assert shown.json["port"] == {"value": 8080, "from": "default"}
    assert caisse("config", "show", "--json", "--port", "99", env=KUBERNETES).json["port"]["value"] == 99
    assert caisse("config", "show", "--json", env={"CAISSE_PORT": "99"}).json["port"]["value"] == 99


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAISSE_SERVICE_HOST", "example"),
        ("CAISSE_PORT_8080_TCP", "8080"),
        ("CAISSE_PORT_8080_TCP", "http://10.0.0.1:80"),
        ("CAISSE_PORTS", "tcp://10.0.0.1:8080"),
        ("CAISSE_HOSTS", "10.0.0.1"),
        ("CAISSE_WRITER", "2"),
        ("CAISSE_SERVICE_PORT", "http"),
    ],
)
def test_what_only_looks_like_them_is_still_unknown(name: str, value: str) -> None:
    said = caisse("config", "show", env={name: value})
    assert (said.code, f"unknown setting {name}" in said.error) == (2, True)


@pytest.mark.parametrize("value", ["http", "tcp://", "tcp://10.0.0.1:8080/x", "99999"])
def test_a_port_that_is_none_is_still_wrong_usage(value: str) -> None:
    assert caisse("config", "show", env={"CAISSE_PORT": value}).code == 2
