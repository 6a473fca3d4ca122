"""Rounds, their refunds and forgotten players, on both engines: what is read and written, and its bounds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from caisse.core.book import Wants, wants
from caisse.core.entries import Kind
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.requests import Request
from caisse.core.rules.decide import decide
from caisse.core.verdicts import Verdict
from caisse.store import read as reading
from caisse.store.postgres import postgres
from caisse.store.sqlite import sqlite
from caisse.writer.cache import Cache
from tests.support.ledger import (
    FUNDING,
    NOW,
    OTHER,
    again,
    bet,
    charge,
    create,
    end_round,
    forget,
    look,
    look_transfer,
    open_wallet,
    result,
    rollback,
    rollback_round,
    withdraw,
)
from tests.support.stores import audited, committed, contents, database, decided, opened, run

BY_ROUND = Policy(refund_by_round=True)


async def balance(url: str, user: str = "tester") -> int:
    async with database(url) as db:
        found = await reading.player(db, "demo", user)
    assert found is not None
    return found.wallets["USD"] // 10**17


def test_R40_R4_a_live_tables_round_is_each_players_own(db_url: str) -> None:
    """One round id, two players, one batch and several: nothing of one reaches the other."""

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
            first = await committed(ledger, [bet("10.0"), bet("20.0", "bet-2", user=OTHER)])
            second = await committed(ledger, [result("30.0"), end_round(), rollback_round(user=OTHER)])
            assert {d.verdict for d in first + second} == {Verdict.OK}
            key = ("demo", "lucky", "tester", "r1")
            book = await ledger.load(Wants([], [], [key, (*key[:2], OTHER, "r1")], [], []), lock=False)
            assert [r.state for r in book.rounds.values()] == ["ended", "refunded"]
        assert (await balance(db_url), await balance(db_url, OTHER)) == (3200, 1000)
        assert (await audited(db_url)).findings == []

    run(main())


def test_R4_ids_with_colons_are_told_apart(db_url: str) -> None:
    """`a` in round `b:c` and `a:b` in round `c`: two rounds, two ends, two refunds."""
    pairs = [("a", "b:c"), ("a:b", "c")]

    async def main() -> None:
        async with opened(db_url) as ledger:
            for user, _ in pairs:
                await committed(ledger, [create(user=user), open_wallet(user=user), charge("9.0", user=user)])
            for number, (user, round_) in enumerate(pairs):
                taken = bet("4.0", f"b-{number}", round_, user=user)
                told = await committed(ledger, [taken, rollback_round(round_, user=user)])
                assert [(d.verdict, d.replay) for d in told] == [(Verdict.OK, False)] * 2
            for user, _ in pairs:
                assert await balance(db_url, user) == 90
        assert (await audited(db_url)).findings == []

    run(main())


def test_R32_the_largest_round_goes_back_whole_and_its_repeat_reads_nothing_of_it(db_url: str) -> None:
    """A thousand bets (R40): one decision of 1,001 rows; the repeat finds its key before any of them."""
    bets: list[Request] = [bet("0.1", f"b-{number}") for number in range(1_000)]

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
            await committed(ledger, bets)
            assert await balance(db_url) == 2000
            assert (await committed(ledger, [bet("0.1", "b-1000")]))[0].verdict is Verdict.ROUND_FULL
            first = (await committed(ledger, [rollback_round()]))[0]
            assert (first.verdict, len(first.rows)) == (Verdict.OK, 1_001)
            assert [row.part for row in first.rows] == list(range(1_001))
            book, (second,) = await decided(ledger, [rollback_round(uuid="new")])
            assert (second.verdict, second.row, second.replay) == (Verdict.OK, first.row, True)
            assert book.round_rows == {}, "no row of the round was read"
            assert book.appended == []
        assert await balance(db_url) == 3000
        assert (await audited(db_url)).findings == []

    run(main())


def test_R32_what_a_writer_remembers_does_not_make_a_repeat_read_the_round(db_url: str) -> None:
    """Whether the key is remembered or not: it is looked up, never taken for new."""
    asked = rollback_round()

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [*FUNDING, bet()])
            cache = Cache(players=10, entries=10)
            unknown = cache.look_up([asked])
            assert ("demo", asked.key) in unknown.missing.entries
            assert not unknown.assumed
            book, _ = await decided(ledger, [asked])
            await ledger.commit(book)
            assert (await ledger.load(unknown.missing, lock=False)).round_rows == {}
            cache.keep(book, unknown, [asked])
            assert cache.look_up([again(asked)]).missing.whole_rounds == []

    run(main())


def test_R32_a_batch_loads_rounds_as_long_as_their_rows_have_room(db_url: str) -> None:
    """The first always; one without a single bet costs nothing."""
    rounds = [rollback_round(f"r{number}") for number in range(4)]
    bets: list[Request] = [bet("1.0", f"b-{n}", f"r{n % 3}") for n in range(30)]

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [*FUNDING, *bets])
            wanted = wants(rounds)
            for rows, loaded in ((0, 1), (20, 1), (39, 1), (40, 2), (60, 4)):
                book = await ledger.load(msgspec.structs.replace(wanted, rows=rows), lock=False)
                assert [key[3] for key in book.round_rows] == [f"r{n}" for n in range(loaded)]
                assert [book.can_decide(r) for r in rounds] == [n < loaded for n in range(4)]
                assert {len(found) for found in book.round_rows.values()} <= {10, 0}

    run(main())


def test_R32_the_rows_of_a_round_are_found_by_an_index(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [*FUNDING, bet()])
        async with database(db_url) as db:
            if db_url.startswith("sqlite"):
                sql = "explain query plan " + sqlite.LOAD_ROUND_ROWS
                for place in ("'demo'", "'lucky'", "'tester'", "'r1'"):
                    sql = sql.replace("?", place, 1)
                plan = [str(tuple(row)) for row in await db.fetch(sql)]
            else:
                for name, value in postgres.SETTINGS.items():
                    await db.execute(f"set {name} = '{value}'")
                wanted = (["demo"], ["lucky"], ["tester"], ["r1"])
                plan = [row[0] for row in await db.fetch("explain " + postgres.LOAD_ROUND_ROWS, *wanted)]
        assert any("journal_round" in line for line in plan), plan

    run(main())


@pytest.mark.parametrize("table", ["journal", "player", "round"])
def test_a_column_that_was_added_changes_nothing_of_what_is_written(db_url: str, table: str) -> None:
    """Inserts name their columns: a server that does not know the new one goes on."""

    async def main() -> None:
        async with opened(db_url) as ledger:
            async with database(db_url) as db:
                await db.execute(f"alter table {table} add column added text not null default 'x'")
            await committed(ledger, [*FUNDING, bet("10.0")])
            assert (await committed(ledger, [rollback()]))[0].verdict is Verdict.OK
        assert await balance(db_url) == 3000
        async with database(db_url) as db:
            assert {row[0] for row in await db.fetch(f"select added from {table}")} == {"x"}

    run(main())


def test_R1_a_refund_is_found_under_the_other_kind_of_key_after_its_profile_changed(db_url: str) -> None:
    """By reference then by round, and the other way; the same bytes, the same answer, money once."""
    place: Any = {"round": "r1", "endpoint": "/V4/Refund"}

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [*FUNDING, bet("10.0"), bet("20.0", "bet-2"), bet("30.0", "b-3", "r2")])
            done = [
                rollback("bet-1", **place),
                rollback("never", **place),
                rollback("b-3", **place | {"round": "r2"}),
            ]
            firsts = await committed(ledger, done)
            assert [d.verdict for d in firsts] == [Verdict.OK, Verdict.TOMBSTONE, Verdict.OK]
            for asked, first in zip(done, firsts, strict=True):
                other = rollback_round(asked.round, reference=asked.reference, endpoint=asked.endpoint)
                repeat = (await committed(ledger, [other], [BY_ROUND]))[0]
                assert (repeat.replay, repeat.row, repeat.rows) == (True, first.row, ())
            assert await balance(db_url) == 2800
            own = rollback_round("r1", reference="mine", endpoint="/V4/Refund")
            first = (await committed(ledger, [own], [BY_ROUND]))[0]
            assert (first.verdict, first.replay, len(first.rows)) == (Verdict.OK, False, 2)
            repeat = (await committed(ledger, [rollback("mine", **place)]))[0]
            assert (repeat.replay, repeat.row) == (True, first.row)
            for changed in ({"endpoint": "/V4/Cancel"}, {"round": "r2"}):
                decision = (await committed(ledger, [rollback(f"mine{changed}", **place | changed)]))[0]
                assert (decision.verdict, decision.replay) == (Verdict.TOMBSTONE, False)
        assert await balance(db_url) == 3000
        assert (await audited(db_url)).findings == []

    run(main())


def test_R59_a_forgotten_player_leaves_no_name_and_the_chain_still_verifies(db_url: str) -> None:
    made = create(user="leaver", name="Ann Leaver")

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [made, open_wallet(user="leaver"), charge("5.0", user="leaver")])
            assert "Ann Leaver" not in str((await contents(db_url))["journal"])
            held = (await committed(ledger, [forget(user="leaver")]))[0]
            assert (held.verdict, held.rule, held.rows) == (Verdict.MONEY_STANDS, "R59", ())
            await committed(ledger, [withdraw("4.0", user="leaver"), bet("1.0", user="leaver")])
            assert (await committed(ledger, [forget(user="leaver")]))[0].verdict is Verdict.MONEY_STANDS
            await committed(ledger, [result("0", user="leaver")])
            kept = (await committed(ledger, [look(user="leaver")]))[0]
            assert kept.seen is not None
            assert kept.seen.name == "Ann Leaver"
            gone = (await committed(ledger, [forget(user="leaver", reason="asked", by="Zoe")]))[0]
            assert gone.row is not None
            assert (gone.verdict, gone.row.kind, gone.row.name, gone.row.details) == (
                *(Verdict.OK, Kind.FORGET),
                *("Zoe", "asked"),
            )
            assert "Ann Leaver" not in str(await contents(db_url))
            shown = (await committed(ledger, [look(user="leaver")]))[0]
            assert shown.seen is not None
            assert shown.seen.name == ""
            for name in ("Ann Leaver", "Another"):
                repeat = (await committed(ledger, [create(user="leaver", name=name, uuid=made.uuid)]))[0]
                assert (repeat.verdict, repeat.replay) == (Verdict.OK, True), "uncompared: nothing is left"
            other = (await committed(ledger, [create(user="someone", name="Ann Leaver", uuid=made.uuid)]))[0]
            assert other.verdict is Verdict.KEY_CONFLICT
            assert (await committed(ledger, [charge("1.0", user="leaver")]))[0].verdict is Verdict.OK
        assert (await audited(db_url)).findings == []

    run(main())


def test_R59_R5_a_name_is_compared_by_its_hash_under_the_players_key(db_url: str) -> None:
    """A repeat draws a key of its own; that one does not count."""
    made = create(user="ann", name="Ann")

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [made])
            second = create(user="ann", name="Ann", uuid="other")
            assert (await committed(ledger, [second]))[0].verdict is Verdict.DUPLICATE_PLAYER
            for first in (made, second):
                same = create(user="ann", name="Ann", uuid=first.uuid)
                other = create(user="ann", name="Bea", uuid=first.uuid)
                told = await committed(ledger, [same, other])
                assert [d.verdict for d in told][1] is Verdict.KEY_CONFLICT
                assert told[0].replay
        assert (await audited(db_url)).findings == []

    run(main())


def test_R55_the_newest_transfer_is_the_second_though_the_clock_ran_back(db_url: str) -> None:
    """Time is never compared: decided at a later, then at an earlier clock."""

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
            for request, now in ((charge("1.0"), NOW + 10**9), (charge("2.0"), NOW - 10**9)):
                book = await ledger.load(wants([request]), lock=False)
                book.take(decide(request, book, DEFAULT_POLICY, now))
                await ledger.commit(book)
            told = (await committed(ledger, [look_transfer("")]))[0]
            assert told.row is not None
            assert told.row.asked == 2 * 10**18
        assert (await audited(db_url)).findings == []

    run(main())
