"""The same command six times at once: done once, refused five times, on both engines."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.support.running import PROGRAM, SECONDS, caisse, environment, ready, sql

TOKEN = "the-very-same-token-0001"
KEY = "the-very-same-key-0001"


def six(db: str, *words: str) -> tuple[Counter[int], str]:
    """How often each exit code came, and what all said on standard error."""
    children = [
        subprocess.Popen(
            [PROGRAM, *words, "--db", db],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    said = [child.communicate(timeout=SECONDS)[1] for child in children]
    assert not any("Traceback" in text for text in said), said
    return Counter(child.returncode for child in children), "".join(said)


def count(db: str, table: str) -> int:
    return int(sql(db, f"select count(*) from {table}")[0][0])


def test_a_partner_is_added_once_with_one_token(db_url: str) -> None:
    codes, said = six(ready(db_url), "partner", "add", "racer")
    assert (codes, said.count("there is a partner racer already")) == ({0: 1, 1: 5}, 5)
    assert (count(db_url, "partner"), count(db_url, "token")) == (1, 1)


def test_two_partners_cannot_get_one_token_nor_is_one_left_without(db_url: str) -> None:
    ready(db_url)
    children = [
        subprocess.Popen(
            [PROGRAM, "partner", "add", f"racer-{n}", "--token", TOKEN, "--db", db_url],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for n in range(6)
    ]
    assert Counter(child.wait(SECONDS) for child in children) == {0: 1, 1: 5}
    assert (count(db_url, "partner"), count(db_url, "token")) == (1, 1)


ONCE = {
    "token add": (("partner", "token", "add", "acme", "--token", TOKEN), "token", 2, "in use already"),
    "connection add": (
        ("connection", "add", "acme", "lucky", "--key", KEY),
        "connection",
        1,
        "in use already",
    ),
    "keyless": (("connection", "add", "acme", "lucky", "--keyless"), "connection", 1, "keyless connection"),
    "game disable": (("game", "disable", "acme", "lucky", "tumble"), "disabled_game", 1, "disabled for acme"),
}


@pytest.mark.parametrize("name", ONCE)
def test_every_command_that_adds_does_it_once(db_url: str, name: str) -> None:
    words, table, rows, refusal = ONCE[name]
    ready(db_url)
    assert caisse("partner", "add", "acme", "--db", db_url).code == 0
    codes, said = six(db_url, *words)
    assert (codes, said.count(refusal), count(db_url, table)) == ({0: 1, 1: 5}, 5, rows)


def test_a_new_sqlite_file_is_made_once(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/new.db"
    codes, _ = six(db, "partner", "add", "racer")
    assert (codes, count(db, "partner"), count(db, "token")) == ({0: 1, 1: 5}, 1, 1)
