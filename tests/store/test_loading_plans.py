"""What a writer loads is found by the whole of its key, in a table whose planner believes it empty, too.

A plan is kept until statistics change. A key that was found by its partner alone made a batch of refunds
read every row of the partner for each of them.
"""

from __future__ import annotations

import re

import pytest

from caisse.store.postgres import postgres
from tests.support.postgres import Borrowed, Postgres
from tests.support.stores import database as beside
from tests.support.stores import opened, run

STATEMENTS: dict[str, tuple[str, int, list[tuple[str, int]]]] = {
    # statement, columns of its keys, each index that it goes by with the number of columns compared
    "players": (postgres.LOAD_PLAYERS, 2, [("player_pkey", 2)]),
    "players locked": (postgres.LOCK_PLAYERS, 2, [("player_pkey", 2)]),
    "entries": (postgres.LOAD_ENTRIES, 2, [("journal_key", 2)]),
    "second keys": (postgres.LOAD_SECOND_KEYS, 2, [("journal_second_key", 2)]),
    "rounds": (postgres.LOAD_ROUNDS, 4, [("round_pkey", 4)]),
    "rows of rounds": (postgres.LOAD_ROUND_ROWS, 4, [("journal_round", 4)]),
    "players with open bets": (
        *(postgres.LOAD_PLAYING, 2),
        [("round_pkey", 2), ("journal_round", 5), ("journal_round", 4)],
    ),
}


JOINED = {"players locked", "players with open bets"}
"""After a lost race, and for a command."""


NEW, EMPTY = "new", "analysed while empty"
CASES = [(what, state) for what in STATEMENTS for state in (NEW, EMPTY) if state == NEW or what not in JOINED]


@pytest.mark.parametrize(("what", "state"), CASES)
def test_what_is_loaded_is_found_by_the_whole_of_its_key(
    postgres: Postgres | Borrowed, what: str, state: str
) -> None:
    url, (sql, width, wanted) = postgres.create_database(), STATEMENTS[what]

    async def main() -> list[str]:
        async with opened(url), beside(url) as db:
            for name, value in SETTINGS.items():
                await db.execute(f"set {name} = '{value}'")
            if state != NEW:
                await db.execute("analyze")
            return [row[0] for row in await db.fetch(f"explain {sql}", *[["x"]] * width)]

    plan = run(main())
    found = []
    for line, after in zip(plan, [*plan[1:], ""], strict=True):
        if index := re.search(r"Index (?:Only )?Scan using (\w+)", line):
            compared = after.count(" = ") + after.count(" > ") if "Index Cond" in after else 0
            found.append((index[1], compared))
    assert sorted(found) == sorted(wanted), plan


SETTINGS = postgres.SETTINGS
