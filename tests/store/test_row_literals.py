"""How rows travel to PostgreSQL: whatever a text holds, it arrives as that text, in its own column."""

from __future__ import annotations

import pytest

from caisse.core.book import Wants
from caisse.core.verdicts import Verdict
from caisse.store.api import BadData
from caisse.store.postgres.write import SEPARATOR, statement
from tests.support.ledger import bet, charge, create, open_wallet
from tests.support.postgres import Borrowed, Postgres
from tests.support.stores import audited, committed, contents, decided, opened, run

AWKWARD = [
    *('"', '""', "\\", "\\\\", '\\"', '"\\', 'a"b', "a\\b", "\\x41", "'", "$1", "%s", "{}", "NULL", " "),
    *(" a ", "(", ")", ",", '","', '")', '("', '"),("', "\\,", "\t", "\n"),
]


@pytest.mark.parametrize("text", AWKWARD, ids=ascii)
def test_a_text_of_any_characters_comes_back(db_url: str, text: str) -> None:
    """As a player's id and session too, which are written again with every decision."""
    play = {"user": text, "session": text, "game": text}

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [create(user=text, name=text), open_wallet(user=text)])
            await committed(ledger, [charge("5.0", user=text)])
            taken = await committed(ledger, [bet("1.0", text, text, **play)])
            await committed(ledger, [bet("1.0", "second", text, **play)])
            assert taken[0].verdict is Verdict.OK
            assert taken[0].row is not None
            who = ("demo", text)
            book = await ledger.load(Wants([who], [("demo", taken[0].row.key)], [], [], []), lock=False)
            assert book.entries == {("demo", taken[0].row.key): taken[0].row}
            player = book.players[who]
            assert (player.name, player.session, player.seq) == (text, text, 5)
            assert player.wallets == {"USD": 3 * 10**18}
        assert (await audited(db_url)).findings == []

    run(main())


FORGED = [SEPARATOR, f"a{SEPARATOR}b", f'a","b"){SEPARATOR}("c']


@pytest.mark.parametrize("text", FORGED, ids=ascii)
@pytest.mark.parametrize("where", ["user", "name", "session"])
def test_a_text_with_the_separator_is_bad_data_and_writes_nothing(
    postgres: Postgres | Borrowed, text: str, where: str
) -> None:
    """It would begin a row of its own. No door lets it through; SQLite, which binds each value, stores it."""
    url = postgres.create_database()

    async def main() -> None:
        async with opened(url) as ledger:
            await committed(ledger, [create(), open_wallet(), charge("5.0")])
            there = await contents(url)
            played = where == "session"
            request = bet("1.0", session=text) if played else create(**{"user": "new", where: text})
            book, _ = await decided(ledger, [request])
            with pytest.raises(ValueError, match="separator"):
                statement(book)
            with pytest.raises(BadData):
                await ledger.commit(book)
            assert await contents(url) == there

    run(main())


@pytest.mark.parametrize("where", ["id", "session"])
def test_a_moved_player_with_the_separator_is_bad_data(postgres: Postgres | Borrowed, where: str) -> None:
    """The player's own row is looked at, whatever the journal's rows hold."""
    url = postgres.create_database()

    async def main() -> None:
        async with opened(url) as ledger:
            await committed(ledger, [create(), open_wallet(), charge("5.0")])
            book, _ = await decided(ledger, [charge("1.0")])
            setattr(book.players["demo", "tester"], where, f"a{SEPARATOR}b")
            with pytest.raises(ValueError, match="separator"):
                statement(book)

    run(main())
