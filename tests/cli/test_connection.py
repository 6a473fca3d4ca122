"""Connections by command, on both engines."""

from __future__ import annotations

import pytest

from caisse.core.parties import secret_hash
from tests.support.running import caisse, ready, sql

KEY = "a-key-of-the-operators-own"


@pytest.fixture
def db(db_url: str) -> str:
    """A database with the partner acme."""
    ready(db_url)
    assert caisse("partner", "add", "acme", "--db", db_url).code == 0
    return db_url


def test_a_connection_shows_its_path_once_and_keeps_a_hash(db: str) -> None:
    added = caisse("connection", "add", "acme", "LuckyMonaco", "--db", db, "--json").json
    assert added["path"] == f"/{added['key']}"
    assert (added["provider"], added["profile"], added["keyless"]) == (
        "luckymonaco",
        "lucky-monaco-v4",
        False,
    )
    assert sql(db, "select key_hash from connection")[0][0] == secret_hash(added["key"])
    listed = caisse("connection", "list", "--db", db)
    assert added["id"] in listed.out
    assert added["key"] not in listed.out


def test_people_are_shown_the_path_with_an_example(db: str) -> None:
    out = caisse("connection", "add", "acme", "lucky", "--db", db).out
    path = out.split("API URL's path")[1].split()[0]
    assert f"{path}/V4/Refund" in out
    keyless = caisse("connection", "add", "acme", "lucky", "--keyless", "--db", db).out
    assert keyless.splitlines()[1:] == ["API URL's path  /", "for example     /V4/Refund"]


@pytest.mark.parametrize("way", ["option", "standard input", "environment"])
def test_a_key_comes_in_three_ways_and_is_shown_in_the_path(db: str, way: str) -> None:
    given = {"option": ["--key", KEY], "standard input": ["--key", "-"], "environment": []}[way]
    env = {"CAISSE_KEY": KEY} if way == "environment" else None
    said = caisse("connection", "add", "acme", "lucky", *given, "--db", db, env=env, stdin=f"{KEY}\n")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1:] == [f"API URL's path  /{KEY}", f"for example     /{KEY}/V4/Refund"]
    assert sql(db, "select key_hash from connection")[0][0] == secret_hash(KEY)
    assert KEY not in caisse("connection", "list", "--db", db, "--json").out


@pytest.mark.parametrize("way", ["option", "standard input", "environment"])
def test_scripts_read_the_path_of_a_given_key(db: str, way: str) -> None:
    given = {"option": ["--key", KEY], "standard input": ["--key", "-"], "environment": []}[way]
    env = {"CAISSE_KEY": KEY} if way == "environment" else None
    words = ("connection", "add", "acme", "lucky", *given, "--db", db, "--json")
    added = caisse(*words, env=env, stdin=f"{KEY}\n").json
    assert (added["key"], added["path"]) == (KEY, f"/{KEY}")


def test_networks_are_checked_and_kept(db: str) -> None:
    allow = ("--allow", "10.0.0.0/8", "--allow", "2001:db8::/32", "--allow", "203.0.113.7")
    added = caisse("connection", "add", "acme", "lucky", *allow, "--db", db, "--json").json
    assert added["networks"] == ["10.0.0.0/8", "2001:db8::/32", "203.0.113.7/32"]
    assert caisse("connection", "list", "acme", "--db", db, "--json").json[0]["networks"] == added["networks"]
    for bad in ("10.0.0.1/8", "300.1.1.1", "everywhere"):
        said = caisse("connection", "add", "acme", "lucky", "--allow", bad, "--db", db)
        assert (said.code, "not a network" in said.error) == (2, True)


def test_a_provider_has_one_keyless_connection_whoever_the_partner_is(db: str) -> None:
    assert caisse("partner", "add", "other", "--db", db).code == 0
    first = caisse("connection", "add", "acme", "lucky", "--keyless", "--db", db, "--json").json
    assert (first["key"], first["path"]) == (None, "/")
    for partner in ("acme", "other"):
        said = caisse("connection", "add", partner, "LUCKY", "--keyless", "--db", db)
        assert (said.code, "keyless connection of lucky already" in said.error) == (1, True)
    assert caisse("connection", "add", "acme", "monaco", "--keyless", "--db", db).code == 0
    assert caisse("connection", "revoke", first["id"], "--db", db).code == 0
    assert caisse("connection", "add", "other", "lucky", "--keyless", "--db", db).code == 0


def test_a_key_opens_one_connection_and_never_another(db: str) -> None:
    first = caisse("connection", "add", "acme", "lucky", "--key", KEY, "--db", db, "--json").json
    assert first["path"] == f"/{KEY}"
    assert caisse("connection", "revoke", first["id"], "--db", db).code == 0
    said = caisse("connection", "add", "acme", "monaco", "--key", KEY, "--db", db)
    assert (said.code, "was in use already" in said.error) == (1, True)
    assert KEY not in said.err


def test_a_connection_is_revoked_once(db: str) -> None:
    id_ = caisse("connection", "add", "acme", "lucky", "--db", db, "--json").json["id"]
    assert caisse("connection", "revoke", id_, "--db", db, "--json").json == {"id": id_, "revoked": True}
    again = caisse("connection", "revoke", id_, "--db", db)
    assert (again.code, "no active connection" in again.error) == (1, True)
    assert caisse("connection", "list", "--db", db, "--json").json[0]["revoked_at"].endswith("Z")


def test_an_unknown_partner_is_named_with_what_to_do(db: str) -> None:
    for words in (("add", "nobody", "lucky"), ("list", "nobody")):
        said = caisse("connection", *words, "--db", db)
        assert (said.code, "'caisse partner add nobody'" in said.error) == (1, True)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("acme", "no spaces"), "a provider's id"),
        (("acme", "x" * 33), "a provider's id"),
        (("acme", "lucky", "--key", "short12"), "a key is 8 to 128"),
        (("acme", "lucky", "--key", "with/slash"), "a key is 8 to 128"),
        (("acme", "lucky", "--key", "IntegrationService"), "no path of the server's"),
        (("acme", "lucky", "--keyless", "--key", "abcdefgh12345678"), "takes no key"),
        (("acme", "lucky", "--profile", "other"), "lucky-monaco-v4"),
    ],
)
def test_what_cannot_be_is_wrong_usage_and_no_key_is_repeated(words: tuple[str, ...], complaint: str) -> None:
    said = caisse("connection", "add", *words)
    assert said.code == 2
    assert complaint in said.err
    assert "--key" not in words or words[-1] not in said.err.replace("integrationservice", "")
