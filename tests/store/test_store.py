"""Both stores: what is committed comes back whole, and what cannot stand leaves nothing at all."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random
from typing import Any

import apsw
import asyncpg
import msgspec
import pytest

from caisse.core.attempts import Attempt, Attempts
from caisse.core.book import Book, Round, Wants, wants
from caisse.core.entries import NO_HEAD, Decision, Entry, Identity, Kind, sealed
from caisse.core.money import UNIT
from caisse.core.parties import Connection
from caisse.core.requests import Request
from caisse.core.verdicts import Verdict
from caisse.store import columns, directory, opening
from caisse.store import read as reading
from caisse.store.api import BadData, Conflict, Unavailable
from caisse.store.audit_feed import audit
from caisse.store.migrate import WrongVersion, check_version, migrate, migrations
from caisse.store.postgres.postgres import PostgresDatabase
from caisse.store.sqlite.file import lock_file
from tests.support.ledger import (
    FUNDING,
    NOW,
    OTHER,
    POLICIES,
    Ledger,
    again,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    forget,
    freeze,
    fresh,
    open_wallet,
    promo,
    result,
    rollback,
    rollback_round,
    traffic,
    withdraw,
)
from tests.support.stores import audited, committed, contents, database, decided, opened, plain, run

DatabaseError = (apsw.Error, asyncpg.PostgresError, Unavailable)
HUGE = 10**40 * UNIT - 1
ODD = "Ünï\u202eçødé \U0001f3b0 'quoted\" \\ \n {1,2} %s $1 :a"


# Migrations


def test_migrations_apply_once_and_are_recorded(db_url: str) -> None:
    async def main() -> None:
        names = [name for _, name, _ in migrations(db_url)]
        async with database(db_url) as db:
            assert await migrate(db, db_url, 77) == names
            assert await migrate(db, db_url, 78) == []
            await check_version(db, db_url)
            rows = await db.fetch("select number, name, applied_at from migration order by number")
            assert [tuple(row) for row in rows] == [(n, name, 77) for n, name, _ in migrations(db_url)]

    assert names_are_in_order(db_url)
    run(main())


def names_are_in_order(url: str) -> bool:
    numbers = [number for number, _, _ in migrations(url)]
    return numbers == list(range(1, len(numbers) + 1))


def test_a_newer_database_is_refused(db_url: str) -> None:
    async def main() -> None:
        async with database(db_url) as db:
            await migrate(db, db_url, NOW)
            await db.execute("insert into migration values (9999, 'later', 1)")
            text = r"^the database is at version 9999, this caisse only knows \d+: install a newer caisse$"
            with pytest.raises(WrongVersion, match=text):
                await migrate(db, db_url, NOW)
            with pytest.raises(WrongVersion, match=text):
                await check_version(db, db_url)

    run(main())


def test_an_older_database_is_refused(db_url: str) -> None:
    async def main() -> None:
        async with database(db_url) as db:
            with pytest.raises(
                WrongVersion, match=r"is at version 0, this caisse needs \d+: run 'caisse migrate"
            ):
                await check_version(db, db_url)

    run(main())


def test_two_who_migrate_at_once_do_not_disturb_each_other(db_url: str) -> None:
    async def main() -> None:
        async with database(db_url) as one, database(db_url) as other:
            done = await asyncio.gather(migrate(one, db_url, NOW), migrate(other, db_url, NOW))
            assert sorted(done, key=len)[0] == []
            await check_version(one, db_url)

    run(main())


# Loading and committing


def peculiar(**changes: Any) -> list[Entry]:
    """A row with something odd in every field, after the row that opens its wallet."""
    fields: dict[str, Any] = {
        **{"partner": f"p{ODD}", "player": f"u{ODD}", "seq": 2, "id": fresh(), "part": 40_000},
        **{"kind": Kind.CHARGE, "verdict": Verdict.OK, "rule": "R13", "endpoint": ODD, "currency": "USDT"},
        **{"amount": HUGE, "balance": HUGE, "asked": HUGE, "key": f"t:{ODD}", "second_key": f"x:{ODD}"},
        **{"fingerprint": bytes(range(16)), "uuid": ODD, "provider": ODD, "reference": ODD, "round": ""},
        **{"game": ODD, "session": ODD, "name": ODD, "details": ODD, "at": 2**62, "hash": b""},
    }
    draft = Entry(**(fields | changes))
    opens = {"kind": Kind.OPEN_WALLET, "seq": 1, "part": 0, "key": "t:first", "second_key": ""}
    first = msgspec.structs.replace(draft, amount=0, balance=0, **opens)
    first = sealed(NO_HEAD, first)
    return [first, sealed(first.hash, draft)]


def book_of(entries: list[Entry]) -> Book:
    """A book to which a new player's only rows were appended."""
    book = Book()
    for entry in entries:
        identity = Identity(ODD, bytes(range(16))) if entry.seq == 1 else None
        decision = Decision(entry.verdict, entry.rule, row=entry, rows=(entry,), identity=identity)
        book.take(decision)
    return book


def wanted_by(entry: Entry) -> Wants:
    keys = [(entry.partner, key) for key in (entry.key, entry.second_key) if key]
    return Wants([(entry.partner, entry.player)], keys, [], [], [])


@pytest.mark.parametrize("changes", [{}, {"amount": 0}, {"amount": 1, "balance": 10**58}], ids=str)
def test_every_field_of_a_row_comes_back(db_url: str, changes: dict[str, int]) -> None:
    entries = peculiar(**changes)
    entry = entries[-1]

    async def main() -> None:
        async with opened(db_url) as ledger:
            await ledger.load(wanted_by(entry), lock=False)
            await ledger.commit(book_of(entries))
            loaded = await ledger.load(wanted_by(entry), lock=False)
            assert loaded.entries == {(entry.partner, key): entry for key in (entry.key, entry.second_key)}
            player = loaded.players[entry.partner, entry.player]
            assert (player.seq, player.head, player.loaded_seq) == (2, entry.hash, 2)
            assert player.wallets == {"USDT": entry.balance if entry.amount else 0}
            assert (player.name, player.name_key, player.created_at) == (ODD, bytes(range(16)), 2**62)
        async with database(db_url) as db:
            assert [row async for row in reading.trail(db, entry.partner, entry.player)] == entries

    run(main())


@pytest.mark.parametrize("rows", [1, 2], ids=["one row", "two rows"])
def test_empty_texts_come_back_empty(db_url: str, rows: int) -> None:
    """Also where a batch's only row has nothing in a column."""
    kept = {"id", "kind", "verdict", "key", "player", "partner", "currency"}
    texts = {name for name in Entry.__struct_fields__ if isinstance(getattr(peculiar()[0], name), str)}
    entries = peculiar(**dict.fromkeys(texts - kept, ""))[:rows]

    async def main() -> None:
        async with opened(db_url) as ledger:
            await ledger.load(wanted_by(entries[-1]), lock=False)
            await ledger.commit(book_of(entries))
            loaded = await ledger.load(wanted_by(entries[-1]), lock=False)
            assert list(loaded.entries.values()) == entries[-1:]
            assert loaded.players[entries[0].partner, entries[0].player].session == ""
        async with database(db_url) as db:
            trail = reading.trail(db, entries[0].partner, entries[0].player)
            assert [row async for row in trail] == entries

    run(main())


def test_a_round_comes_back_whole(db_url: str) -> None:
    fields: dict[str, Any] = {
        **{"partner": "demo", "provider": "lucky", "id": ODD, "player": "tester", "currency": "USD"},
        **{"game": ODD, "state": "refunded", "standing": 7, "bets": 2**31 - 1, "settled_seq": 2**62},
        **{
            "opened_seq": 3,
            "opened_at": 2**62,
            "opened_id": fresh(),
            "staked": -HUGE,
            "won": HUGE,
            "jackpot": 1,
        },
        **{"logged": True, "logged_staked": HUGE, "logged_won": -HUGE, "logged_jackpot": 2},
    }
    head = Round(jackpot_id=ODD, **fields)
    key = ("demo", "lucky", "tester", ODD)

    async def main() -> None:
        async with opened(db_url) as ledger:
            book, _ = await decided(ledger, FUNDING)
            book.rounds[key] = head
            book.touched_rounds.add(key)
            book.opened_rounds.add(key)
            await ledger.commit(book)
            loaded = await ledger.load(
                Wants([], [], [key, ("demo", "lucky", "tester", "r9")], [], []), lock=False
            )
            assert loaded.rounds == {key: head}

    run(main())


def test_requests_without_a_row_are_written_down_beside_the_journal(db_url: str) -> None:
    async def main() -> None:
        attempts = Attempts(room=10)
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
            requests: list[Any] = [withdraw("1.0"), rollback(user=OTHER)]
            for request in [*requests, *requests, again(requests[0], uuid=ODD)]:
                attempts.note(request, (await committed(ledger, [request]))[0], 2**61)
            lines = attempts.take()
            await ledger.record(lines)
            there = await contents(db_url)
            assert [len(there[table]) for table in ("attempt", "journal")] == [len(lines), len(FUNDING) + 3]
            await committed(ledger, [withdraw("1.0")])
        async with database(db_url) as db:
            names = ", ".join(Attempt.__struct_fields__)
            rows = [tuple(row) for row in await db.fetch(f"select {names} from attempt order by key")]
            assert rows == sorted((msgspec.structs.astuple(line) for line in lines), key=lambda row: row[7])
        assert (await audited(db_url)).findings == []

    run(main())


def test_R5_R52_a_used_uuid_for_a_player_who_never_came_is_no_finding(db_url: str) -> None:
    async def main() -> None:
        attempts = Attempts(room=10)
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
            request = create(user="newcomer", uuid=FUNDING[0].uuid)
            attempts.note(request, (await committed(ledger, [request]))[0], 2**61)
            await ledger.record(attempts.take())
        assert (await audited(db_url)).findings == []

    run(main())


def test_an_empty_batch_and_unknown_keys_are_no_trouble(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            for lock in (False, True):
                for requests in (
                    [],
                    [withdraw()],
                    [rollback(user="nobody")],
                    [rollback_round(user="nobody")],
                ):
                    book, _ = await decided(ledger, requests, lock=lock)
                    assert (book.players, book.entries, book.rounds) == ({}, {}, {})
                    await ledger.commit(book)

    run(main())


@pytest.mark.parametrize("lock", [False, True], ids=["plain", "locked"])
def test_batches_of_any_size_come_to_what_the_pure_core_says(db_url: str, lock: bool) -> None:
    """One after another in memory, or in batches through the store: equal to the last hash."""
    chance = Random(20 + lock)
    requests = traffic(chance, 500)
    policies = [chance.choice(POLICIES) for _ in requests]

    async def main() -> None:
        pure, told = Ledger(), []
        wanted = [pure.ask(r, policy) for r, policy in zip(requests, policies, strict=True)]
        async with opened(db_url) as ledger:
            at = 0
            while at < len(requests):
                end = at + chance.choice((1, 1, 2, 5, 40))
                told += await committed(ledger, requests[at:end], policies[at:end], lock=lock)
                at = end
        assert list(map(plain, told)) == list(map(plain, wanted))
        report = await audited(db_url)
        assert (report.findings, report.rows) == ([], len(pure.rows))
        assert report.rounds == len(pure.book.rounds)
        assert report.players == 3
        async with database(db_url) as db:
            for user in ("ann", "bob", "cid"):
                assert [row async for row in reading.trail(db, "demo", user)] == pure.rows_of(user)
                found, kept = await reading.player(db, "demo", user), pure.book.players["demo", user]
                assert found is not None
                assert (found.wallets, found.frozen, found.head) == (kept.wallets, kept.frozen, kept.head)
                assert (found.session, found.login_at) == (kept.session, kept.login_at)

    run(main())


# Conflicts

RACES: dict[str, tuple[list[Request], list[Request], list[Request]]] = {
    # what stood before, the batch that was loaded too early, what another writer commits meanwhile
    "a stale player": ([], [withdraw("1.0")], [withdraw("2.0")]),
    "a stale player, who was only refused": ([], [withdraw("1.0")], [withdraw("900.0")]),
    "a stale player among sound ones": ([], [bet(user=OTHER), withdraw("1.0"), bet()], [charge("2.0")]),
    "one uuid, two players": ([], [charge(uuid="u")], [charge(uuid="u", user=OTHER)]),
    "one TransactionId, two players": ([], [charge(transaction="t")], [charge(transaction="t", user=OTHER)]),
    "one reference, two players": ([], [bet("1.0")], [bet("2.0", user=OTHER, round="r2")]),
    "a bet and another player's tombstone": ([], [bet("1.0")], [rollback(user=OTHER)]),
    "one round, a bet and an end": ([], [bet("1.0")], [end_round()]),
    "one session, ended twice": ([], [expire_session()], [expire_session(uuid="new")]),
    "one promotional win, two players": (
        [bet()],
        [result(promo=promo())],
        [award("promo", "5.0", "promo-1", currency="USD", user=OTHER)],
    ),
    "forgotten meanwhile": ([create(user="idle")], [charge(user="idle")], [forget(user="idle")]),
    "a player created twice": ([], [create(user="new")], [create(user="new")]),
    "a wallet opened twice": ([], [open_wallet("EUR")], [open_wallet("EUR")]),
    "a bet undone twice": ([bet()], [rollback()], [rollback(uuid="new")]),
    "a bet undone and settled": ([bet()], [rollback()], [result()]),
    "a round undone and joined": ([bet()], [rollback_round()], [bet("1.0", "bet-2")]),
    "frozen meanwhile": ([], [withdraw()], [freeze()]),
}


@pytest.mark.parametrize(("before", "late", "meanwhile"), RACES.values(), ids=RACES.keys())
def test_who_comes_too_late_writes_nothing_and_then_decides_anew(
    db_url: str, before: list[Request], late: list[Request], meanwhile: list[Request]
) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger, rival(db_url) as other:
            await committed(ledger, [*FUNDING, *before])
            book, _ = await decided(ledger, late)
            await committed(other, meanwhile)
            there = await contents(db_url)
            with pytest.raises(Conflict):
                await ledger.commit(book)
            assert await contents(db_url) == there
            pure = Ledger([*FUNDING, *before])
            wanted = [pure.ask(request) for request in [*meanwhile, *late]][len(meanwhile) :]
            assert list(map(plain, await committed(ledger, late, lock=True))) == list(map(plain, wanted))
        assert (await audited(db_url)).findings == []

    run(main())


def rival(url: str) -> Any:
    """Another writer on the same database; on SQLite a short administrative command is all there can be."""
    return opened(url)


def test_a_batch_that_only_read_commits_whatever_happened_meanwhile(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger, rival(db_url) as other:
            await committed(ledger, FUNDING)
            first = charge(uuid="u")
            await committed(ledger, [first])
            book, decisions = await decided(ledger, [again(first)])
            await committed(other, [withdraw("1.0")])
            await ledger.commit(book)
            assert decisions[0].replay

    run(main())


def test_locked_players_wait_for_each_other(db_url: str) -> None:
    """Two writers that load with the lock never conflict on PostgreSQL; SQLite knows no such lock."""

    async def drain(ledger: Any, count: int) -> int:
        conflicts = 0
        for _ in range(count):
            try:
                await committed(ledger, [withdraw("1.0"), withdraw("1.0", user=OTHER)], lock=True)
            except Conflict:
                conflicts += 1
        return conflicts

    async def main() -> None:
        async with opened(db_url) as one, rival(db_url) as other:
            await committed(one, FUNDING)
            conflicts = sum(await asyncio.gather(drain(one, 20), drain(other, 20)))
            async with database(db_url) as db:
                player = await reading.player(db, "demo", "tester")
                assert player is not None
                assert player.wallets["USD"] == (300 - 40 + conflicts) * UNIT
                assert conflicts == 0 or isinstance(db, PostgresDatabase) is False
        assert (await audited(db_url)).findings == []

    run(main())


# What a database refuses


@pytest.mark.parametrize("text", ["lone \ud800 surrogate", "a nul \x00 in it"], ids=["surrogate", "nul"])
@pytest.mark.parametrize("where", ["name", "user", "uuid"])
def test_a_value_that_cannot_be_stored_is_bad_data_and_writes_nothing(
    db_url: str, text: str, where: str
) -> None:
    """SQLite stores a NUL like any other character; neither engine stores half a character."""

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
            there = await contents(db_url)
            request = create(**{"user": "new", where: text})
            if "nul" in text and db_url.startswith("sqlite"):
                await committed(ledger, [request])
                assert (await committed(ledger, [again(request)]))[0].replay
                return
            with pytest.raises((BadData, UnicodeEncodeError)):
                await committed(ledger, [request])
            assert await contents(db_url) == there
            assert (await committed(ledger, [charge()]))[0].verdict is Verdict.OK

    run(main())


def test_a_negative_balance_is_bad_data_and_writes_nothing(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
            there = await contents(db_url)
            book, _ = await decided(ledger, [withdraw("300.0")])
            book.players["demo", "tester"].wallets["USD"] = -1
            with pytest.raises(BadData):
                await ledger.commit(book)
            assert await contents(db_url) == there

    run(main())


REFUSED_BY_THE_SCHEMA = [
    *(f"update player set balances = {value}" for value in ("""'{"USD":"-1.0"}'""", "null")),
    *(
        f"insert into player select 'demo', 'x', 'x', 1, 1, '', {last}, '{{}}' from player"
        for last in ("null, 1, head", "frozen, 0, head", "frozen, 1, null")
    ),
    *(
        f"insert into journal ({', '.join(columns.JOURNAL)}) select {', '.join(columns.JOURNAL[:2])}, 99,"
        f" {', '.join(columns.JOURNAL[3:10])}, {value}, {', '.join(columns.JOURNAL[11:13])}, 'new', ''"
        f", {', '.join(columns.JOURNAL[15:])} from journal where seq = 3"
        for value in ("'NaN'", "'Infinity'", "'-Infinity'", "null", "'much'", "''", "'1e3x'")
    ),
    "update round set standing = -1",
]


def test_the_schema_refuses_what_is_no_amount(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [*FUNDING, bet()])
        there = await contents(db_url)
        for sql in REFUSED_BY_THE_SCHEMA:
            async with database(db_url) as db:
                with pytest.raises(DatabaseError):
                    assert await db.execute(sql), sql
        assert await contents(db_url) == there

    run(main())


NO_SUMS = {"amount": ("'NaN'", "'x'", "null"), "balance": ("'NaN'", "'-1.0'"), "asked": ("'NaN'", "'-1.0'")}


def test_the_schema_refuses_a_journal_row_that_is_no_sum(db_url: str) -> None:
    columns = ", ".join(Entry.__struct_fields__)

    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
        async with database(db_url) as db:
            for name, value in [(name, value) for name, values in NO_SUMS.items() for value in values]:
                given = {"seq": "seq + 50", "part": "77", "key": "'new' || seq", name: value}
                picked = ", ".join(given.get(column, column) for column in Entry.__struct_fields__)
                with pytest.raises(DatabaseError):
                    await db.execute(f"insert into journal ({columns}) select {picked} from journal")
            given = {"seq": "seq + 50", "part": "77", "key": "'new' || partner || player || seq"}
            picked = ", ".join(given.get(column, column) for column in Entry.__struct_fields__)
            assert await db.execute(f"insert into journal ({columns}) select {picked} from journal")

    run(main())


CHANGES = [
    "update journal set amount = '1.0'",
    "update journal set details = 'x' where seq = 1",
    "delete from journal",
    "delete from journal where seq = 3",
]


def test_journal_rows_are_never_changed_or_deleted(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
        there = await contents(db_url)
        async with database(db_url) as db:
            for sql in [*CHANGES, *["truncate journal"] * isinstance(db, PostgresDatabase)]:
                with pytest.raises(DatabaseError, match="append only"):
                    await db.execute(sql)
        assert await contents(db_url) == there

    run(main())


# The audit over the database

PLANTED: dict[str, tuple[str, set[str]]] = {
    "an amount": (
        "update journal set amount = '51.0' where seq = 3 and player = 'tester'",
        {"chain", "balances", "moves", "double entry"},
    ),
    "a word": ("update journal set endpoint = 'x' where seq = 3 and player = 'tester'", {"chain"}),
    "the time": ("update journal set at = at + 1 where seq = 3 and player = 'tester'", {"chain"}),
    "a hash": (
        "update journal set hash = (select head from player where id = 'other') where seq = 2",
        {"chain"},
    ),
    "the last row deleted": (
        "delete from journal where player = 'tester' and seq = 9",
        {"sequence", "chain"},
    ),
    "a bet deleted": (
        "delete from journal where kind = 'bet' and reference = 'bet-1'",
        {"sequence", "chain", "balances", "rollbacks", "rounds", "double entry"},
    ),
    "two rows swapped": (
        "update journal set seq = 99 where player = 'tester' and seq = 4;"
        "update journal set seq = 4 where player = 'tester' and seq = 5;"
        "update journal set seq = 5 where seq = 99",
        {"chain", "balances", "rollbacks"},
    ),
    "a balance": (
        """update player set balances = '{"USD":"301.0"}' where id = 'tester'""",
        {"balances", "double entry"},
    ),
    "a wallet invented": (
        """update player set balances = '{"USD":"265.5","EUR":"0.0"}' where id = 'tester'""",
        {"balances"},
    ),
    "wallets deleted": ("update player set balances = '{}'", {"balances", "double entry"}),
    "wallets that cannot be read": (
        "update player set balances = '{' where id = 'other'",
        {"readable", "balances", "double entry", "sequence"},
    ),
    "a head's number": ("update player set seq = seq + 1 where id = 'tester'", {"sequence"}),
    "a head's hash": ("update player set head = (select head from player where id = 'other')", {"chain"}),
    "a player deleted": ("delete from player where id = 'tester'", {"sequence", "balances", "double entry"}),
    "a round's state": ("update round set state = 'ended' where id = 'r2'", {"rounds"}),
    "a round's bets": ("update round set standing = 0 where id = 'r2'", {"rounds"}),
    "a round's win": ("update round set won = '7.0' where id = 'r1'", {"rounds"}),
    "a round given away": ("update round set player = 'other' where id = 'r2'", {"rounds"}),
    "a round deleted": ("delete from round where id = 'r1'", {"rounds"}),
    "a verdict": (
        "update journal set verdict = 'insufficient' where player = 'tester' and seq = 3",
        {"chain", "moves"},
    ),
    "a kind that does not exist": (
        "update journal set kind = 'gift' where player = 'tester' and seq = 3",
        {"chain"},
    ),
    "one key twice": (
        "drop index journal_key; update journal set key = 't:same' where player = 'tester' and seq in (3, 9)",
        {"chain", "keys"},
    ),
    "an amount finer than any": (
        "update journal set amount = '300.0000000000000000001' where player = 'tester' and seq = 3",
        {"chain"},
    ),
}
BYPASS = {
    "postgresql": ["set session_replication_role = replica"],
    "sqlite": ["drop trigger journal_no_update", "drop trigger journal_no_delete"],
}
AUDITED: list[Request] = [
    *(bet("10.0"), rollback(), result("1.0"), withdraw("20.0"), bet("5.0", "bet-2", "r2")),
    charge("3.0", transaction="t1"),
]


@pytest.mark.parametrize(("sql", "wanted"), PLANTED.values(), ids=PLANTED.keys())
def test_the_audit_finds_what_was_done_to_the_tables(db_url: str, sql: str, wanted: set[str]) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, [*FUNDING, *AUDITED])
        report = await audited(db_url)
        assert (report.findings, report.findings_total) == ([], 0)
        assert (report.players, report.wallets, report.rounds, report.rows) == (2, 2, 2, 12)
        assert report.currencies == ["USD"]
        async with database(db_url) as db:
            for bypass in BYPASS[db_url.partition(":")[0]]:
                await db.execute(bypass)
            assert await db.execute(sql)
        found = await audited(db_url)
        assert found.findings_total == len(found.findings)
        assert wanted <= {check for finding in found.findings for check in (finding.check, *finding.also)}

    run(main())


def test_the_audit_reports_its_progress_player_by_player(db_url: str) -> None:
    async def main() -> list[tuple[int, int]]:
        async with opened(db_url) as ledger:
            await committed(ledger, [*FUNDING, *AUDITED])
        seen: list[tuple[int, int]] = []
        async with database(db_url) as db:
            await audit(db, lambda report: seen.append((report.players, report.rows)))
        return seen

    assert run(main()) == [(1, 3), (2, 12)]


def test_the_audit_of_nothing_finds_nothing(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url):
            pass
        report = await audited(db_url)
        assert (report.rows, report.findings) == (0, [])

    run(main())


# Who may call


def test_partners_and_their_tokens(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url), database(db_url) as db:
            assert await directory.add_partner(db, "demo", 1)
            assert not await directory.add_partner(db, "demo", 2)
            assert await directory.add_partner(db, "second", 2)
            assert await directory.partners(db) == [("demo", 1), ("second", 2)]
            assert (await directory.has_partner(db, "demo"), await directory.has_partner(db, "x")) == (
                True,
                False,
            )
            assert await directory.add_token(db, "demo", "a", b"A" * 32, 3)
            assert await directory.add_token(db, "demo", "b", b"B" * 32, 4)
            assert not await directory.add_token(db, "demo", "c", b"A" * 32, 5)
            assert not await directory.add_token(db, "second", "c", b"A" * 32, 5)
            found = await directory.parties(db)
            assert [(p.id, sorted(p.tokens)) for p in found.partners] == [
                ("demo", [b"A" * 32, b"B" * 32]),
                ("second", []),
            ]
            assert await directory.revoke_token(db, "demo", "a", 6)
            assert not await directory.revoke_token(db, "demo", "a", 7)
            assert not await directory.revoke_token(db, "second", "b", 7)
            assert await directory.tokens(db, "demo") == [("a", 3, 6), ("b", 4, None)]
            assert (await directory.parties(db)).partners[0].tokens == (b"B" * 32,)
            assert await directory.revoke_token(db, "demo", "b", 8)
            assert (await directory.parties(db)).partners[0].tokens == ()
            with pytest.raises(DatabaseError):
                await directory.add_token(db, "nobody", "a", b"C" * 32, 1)

    run(main())


def connection(id_: str = "c1", **changes: Any) -> Connection:
    fields = {"partner": "demo", "provider": "lucky", "key_hash": b"K" * 32, "profile": "lucky-monaco-v4"}
    return Connection(**({"id": id_, "networks": ("10.0.0.0/8", "::1/128")} | fields | changes))


def test_connections_and_games(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url), database(db_url) as db:
            for partner in ("demo", "second"):
                await directory.add_partner(db, partner, 1)
            keyless = connection("c2", provider="other", key_hash=b"", networks=())
            assert await directory.add_connection(db, connection(), 1)
            assert await directory.add_connection(db, keyless, 1)
            assert (await directory.parties(db)).connections == (connection(), keyless)
            for unclear in (connection("c3"), connection("c3", partner="second", provider="x")):
                assert not await directory.add_connection(db, unclear, 2)
            assert not await directory.add_connection(db, msgspec.structs.replace(keyless, id="c3"), 2)
            assert not await directory.add_connection(db, connection(key_hash=b"L" * 32), 2)
            with pytest.raises(DatabaseError):
                await directory.add_connection(db, connection("c3", partner="x", key_hash=b"M" * 32), 2)
            assert [c.connection for c in await directory.connections(db)] == [connection(), keyless]
            for change in (True, False):
                set_game = directory.set_game(db, "demo", "lucky", "dice", enabled=False, now=1)
                assert await set_game is change
            await directory.set_game(db, "second", "lucky", "slot", enabled=False, now=1)
            disabled = msgspec.structs.replace(connection(), disabled_games=frozenset({"dice"}))
            assert (await directory.parties(db)).connections == (disabled, keyless)
            for change in (True, False):
                assert await directory.set_game(db, "demo", "lucky", "dice", enabled=True, now=1) is change
            assert await directory.revoke_connection(db, "c1", 5)
            assert not await directory.revoke_connection(db, "c1", 6)
            assert not await directory.revoke_connection(db, "none", 6)
            assert (await directory.parties(db)).connections == (keyless,)
            assert [c.revoked_at for c in await directory.connections(db)] == [5, None]
            assert not await directory.add_connection(db, connection("c4"), 7)

    run(main())


# Opening


@pytest.mark.parametrize(
    "url", ["", "caisse.db", "sqlite://x.db", "sqlite:///", "mysql://h/db", "postgres:/x"]
)
def test_an_address_of_no_engine_is_refused_with_what_would_do(url: str) -> None:
    text = r"^a database URL is sqlite:///path/to/file or postgresql://user@host/name$"
    with pytest.raises(opening.BadUrl, match=text):
        opening.ledger(url)
    with pytest.raises(opening.BadUrl, match=text):
        run(opening.database(url))


def test_addresses_name_their_engine(tmp_path: Path) -> None:
    assert opening.sqlite_path("sqlite:///a/b.db") == Path("a/b.db").absolute()
    assert opening.sqlite_path("sqlite:////a/b.db") == Path("/a/b.db")
    assert opening.sqlite_path("postgres://h/db") is opening.sqlite_path("postgresql://h/db") is None


def test_a_database_that_is_not_there_is_unavailable() -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"

    async def main() -> None:
        with pytest.raises(Unavailable, match="cannot connect"):
            await opening.database(url)
        with pytest.raises(Unavailable, match="cannot connect"):
            await opening.ledger(url).load(wants([charge()]), lock=False)

    run(main())


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("not a database" * 1000)
    with pytest.raises(Unavailable, match="cannot open"):
        run(opening.database(f"sqlite:///{path}"))


def test_a_second_server_of_one_file_is_refused(tmp_path: Path) -> None:
    handle = lock_file(tmp_path / "caisse.db")
    with pytest.raises(Unavailable, match="already served by another process"):
        lock_file(tmp_path / "caisse.db")
    os.close(lock_file(tmp_path / "other.db"))
    os.close(handle)
    os.close(lock_file(tmp_path / "caisse.db"))


def test_a_dropped_connection_is_replaced_and_nothing_of_the_batch_stands(db_url: str) -> None:
    async def main() -> None:
        async with opened(db_url) as ledger:
            await committed(ledger, FUNDING)
            for lock in (False, True):
                book, _ = await decided(ledger, [withdraw("1.0")], lock=lock)
                ledger.drop()
                if not db_url.startswith("sqlite"):
                    with pytest.raises(Unavailable):
                        await ledger.commit(book)
            there = await contents(db_url)
            assert len(there["journal"]) == len(FUNDING)
            assert (await committed(ledger, [withdraw("1.0")]))[0].verdict is Verdict.OK

    run(main())
