"""`caisse attempts prune`, on both engines: old lines go in steps, newer ones and the journal stay."""

from __future__ import annotations

import pytest

from caisse.store import pruning
from caisse.writer.writer import clock
from tests.support.running import caisse, ready, sql
from tests.support.stores import database, run

DAY = 86_400_000_000


def fill(db: str, ages: dict[str, float], each: int = 1) -> None:
    """Lines whose last request came so many days ago, by their uuid."""
    no = "0" if db.startswith("sqlite") else "false"
    now = clock()
    rows = ", ".join(
        f"('demo', 'ann', '', '/user/charge', '{uuid}', '', '', '', '', 'R7', 'body', '', {no}, '[]', 1, 1,"
        f" {now - int(days * DAY)})"
        for uuid, days in ages.items()
        for _ in range(each)
    )
    sql(db, f"insert into attempt values {rows}")


def left(db: str) -> list[str]:
    return [row[0] for row in sql(db, "select uuid from attempt order by uuid")]


def test_R58_after_90_days_an_attempt_may_go(db_url: str) -> None:
    fill(ready(db_url), {"a": 0, "b": 89.9, "c": 90.1, "d": 400})
    assert caisse("attempts", "prune", "--db", db_url).out == "deleted 2 attempts older than 90 days\n"
    assert left(db_url) == ["a", "b"]
    said = caisse("attempts", "prune", "--older-than", "1", "--db", db_url, "--json")
    assert said.json == {"older_than_days": 1, "deleted": 1}
    assert left(db_url) == ["a"]
    assert caisse("attempts", "prune", "--db", db_url, "--json").json["deleted"] == 0


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5"])
def test_an_age_that_is_none_is_wrong_usage(db_url: str, days: str) -> None:
    assert caisse("attempts", "prune", f"--older-than={days}", "--db", db_url).code == 2


@pytest.mark.parametrize("at_once", [1, 4, 5, 100])
def test_R58_it_goes_in_steps_and_whatever_stopped_it_the_next_goes_on(
    db_url: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "LINES_AT_ONCE", at_once)
    ages = {f"u{n}": 100.0 - n for n in range(9)}
    fill(ready(db_url), {**ages, "young": 1})

    async def main() -> list[int]:
        async with database(db_url) as db:
            async for gone in pruning.prune(db, clock() - 90 * DAY):
                assert gone <= at_once
                break  # interrupted after its first step
            return [gone async for gone in pruning.prune(db, clock() - 90 * DAY)]

    steps = run(main())
    assert sum(steps) == 9 - min(at_once, 9)
    assert all(gone <= at_once for gone in steps)
    assert left(db_url) == ["young"]


def test_lines_of_one_moment_are_one_step(db_url: str) -> None:
    fill(ready(db_url), {"u": 100}, each=20)
    assert caisse("attempts", "prune", "--db", db_url, "--json").json["deleted"] == 20
