"""Partners and their tokens, by command, on both engines."""

from __future__ import annotations

import pytest

from caisse.core.parties import secret_hash
from tests.support.running import caisse, ready, sql

TOKEN = "a-token-of-the-partners-own-choice"


def test_a_partner_gets_a_random_token_which_is_shown_once(db_url: str) -> None:
    ready(db_url)
    added = caisse("partner", "add", "acme", "--db", db_url, "--json")
    assert added.code == 0
    assert list(added.json) == ["partner", "token_id", "token"]
    token = added.json["token"]
    assert len(token) == 32
    assert sql(db_url, "select hash from token")[0][0] == secret_hash(token)
    for question in (("partner", "list"), ("partner", "token", "list", "acme")):
        told = caisse(*question, "--db", db_url)
        assert told.code == 0
        assert token not in told.out + told.err


def test_two_random_tokens_differ_and_words_for_people_name_them(db_url: str) -> None:
    ready(db_url)
    first = caisse("partner", "add", "acme", "--db", db_url)
    second = caisse("partner", "token", "add", "acme", "--db", db_url)
    assert first.out.startswith("partner acme added\ntoken id  ")
    assert "not shown again" in first.err
    assert "not shown again" in second.err
    assert len(set((first.out + second.out).split("\n"))) == 6


@pytest.mark.parametrize("way", ["option", "standard input", "environment"])
def test_a_token_comes_in_three_ways_and_is_not_repeated(db_url: str, way: str) -> None:
    ready(db_url)
    words = ["partner", "add", "acme", "--db", db_url]
    given = {"option": [TOKEN], "standard input": ["-"], "environment": []}[way]
    said = caisse(
        *words,
        *(["--token", *given] if given else []),
        env={"CAISSE_TOKEN": TOKEN} if way == "environment" else None,
        stdin=f"{TOKEN}\nmore\n" if way == "standard input" else "",
    )
    assert said.code == 0
    assert TOKEN not in said.out + said.err
    assert sql(db_url, "select hash from token")[0][0] == secret_hash(TOKEN)


def test_tokens_are_listed_and_revoked_by_their_public_ids(db_url: str) -> None:
    ready(db_url)
    first = caisse("partner", "add", "acme", "--db", db_url, "--json").json["token_id"]
    second = caisse("partner", "token", "add", "acme", "--db", db_url, "--json").json["token_id"]
    revoke = ("partner", "token", "revoke", "acme")
    assert caisse(*revoke, first, "--db", db_url, "--json").json["active_tokens"] == 1
    again = caisse(*revoke, first, "--db", db_url)
    assert (again.code, "no active token" in again.error) == (1, True)
    last = caisse(*revoke, second, "--db", db_url)
    assert (last.code, "no active token any more" in last.err) == (0, True)
    listed = caisse("partner", "token", "list", "acme", "--db", db_url, "--json").json
    assert [(t["id"], t["revoked_at"] is None) for t in listed] == [(first, False), (second, False)]
    assert caisse("partner", "list", "--db", db_url, "--json").json[0]["active_tokens"] == 0


def test_a_partner_is_added_whole_or_not_at_all(db_url: str) -> None:
    ready(db_url)
    assert caisse("partner", "add", "acme", "--token", TOKEN, "--db", db_url).code == 0
    again = caisse("partner", "add", "acme", "--db", db_url)
    assert (again.code, "caisse partner token add acme" in again.error) == (1, True)
    taken = caisse("partner", "add", "other", "--token", TOKEN, "--db", db_url)
    assert (taken.code, "in use already" in taken.error) == (1, True)
    assert TOKEN not in taken.err
    assert [p["id"] for p in caisse("partner", "list", "--db", db_url, "--json").json] == ["acme"]


def test_an_unknown_partner_is_named_with_what_to_do(db_url: str) -> None:
    ready(db_url)
    for words in (
        ("token", "add", "acme"),
        ("token", "list", "acme"),
        ("token", "revoke", "acme", "00000000"),
    ):
        said = caisse("partner", *words, "--db", db_url)
        assert (said.code, "'caisse partner add acme'" in said.error) == (1, True)
    assert "no partners yet" in caisse("partner", "list", "--db", db_url).out


@pytest.mark.parametrize("bad", ["", "a b", "a:b", "x" * 33, "tab\t", "bell\a", "line\n"])
def test_a_partner_id_that_cannot_be_is_wrong_usage(bad: str) -> None:
    said = caisse("partner", "add", bad)
    assert (said.code, "1 to 32 printable characters" in said.error) == (2, True)


@pytest.mark.parametrize("bad", ["", "with space", "ümlaut", "x" * 513])
def test_a_token_that_cannot_be_is_wrong_usage_and_is_not_repeated(bad: str) -> None:
    said = caisse("partner", "add", "acme", "--token", "-", stdin=f"{bad}\n")
    assert said.code == 2
    assert "token" in said.error
    assert not bad or bad not in said.err


def test_a_short_token_is_warned_of(tmp_path: str) -> None:
    said = caisse("partner", "add", "acme", "--token", "short", "--db", f"sqlite:///{tmp_path}/x.db")
    assert (said.code, "can be guessed" in said.err) == (0, True)
