"""What a writer remembers is a guess: books and verdicts are those of a writer that remembers nothing."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Sequence
from random import Random

import pytest

from caisse.build import freeze_gc
from caisse.core.book import Book, Player
from caisse.core.entries import Decision
from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.verdicts import Verdict
from caisse.store.api import FateUnknown, Ledger, Unavailable
from caisse.writer.cache import Cache, Known, _Recent, nothing_known
from caisse.writer.writer import Limits
from tests.support.ledger import FUNDING, OTHER, again, bet, charge, freeze, look, rollback, traffic, withdraw
from tests.support.ledger import Ledger as PureLedger
from tests.support.stores import run
from tests.writer.test_writer import Desk, Faulty, Told, essence, sound


def verdict(told: Told) -> Verdict:
    assert told is not None
    return told.verdict


class Counted(Faulty):
    """A real connection that counts what is asked of it."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.commits = 0

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.locks), self.commits

    async def commit(self, book: Book) -> None:
        self.commits += 1
        await super().commit(book)


def test_a_refund_of_a_player_who_is_remembered_is_one_write(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, wrap=Counted) as desk:
            ledger = desk.ledgers[0]
            before = ledger.asked
            assert verdict(await desk.ask(withdraw("1.0"))) is Verdict.OK
            assert ledger.asked == (before[0], before[1] + 1)
            assert await desk.balance() == 299 * UNIT

    run(main())


def test_R1_a_repeat_that_is_remembered_asks_the_database_nothing(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, wrap=Counted) as desk:
            asked = withdraw("1.0")
            first = await desk.ask(asked)
            before = desk.ledgers[0].asked
            repeats = await desk.all([again(asked) for _ in range(5)])
            assert first is not None
            assert [repeat and repeat.row for repeat in repeats] == [first.row] * 5
            assert desk.ledgers[0].asked == before
            assert await desk.balance() == 299 * UNIT

    run(main())


def test_R1_a_repeat_that_is_forgotten_costs_a_race_and_moves_nothing(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url, limits=Limits(entries=0)) as desk:
            asked = withdraw("1.0")
            first = await desk.ask(asked)
            repeat = await desk.ask(again(asked))
            assert first is not None
            assert repeat is not None
            assert (repeat.row, repeat.replay, desk.counted("conflicts")) == (first.row, True, 1)
            assert await desk.balance() == 299 * UNIT
        await sound(db_url)

    run(main())


def test_a_head_that_somebody_else_moved_is_never_written_over(db_url: str) -> None:
    """Two writers in turn on one player: each time the other's memory is stale."""

    async def main() -> None:
        async with Desk(db_url, limits=Limits(doubt_seconds=0)) as one, Desk2(db_url, one) as two:
            for _ in range(4):
                assert verdict(await one.ask(withdraw("1.0"))) is Verdict.OK
                assert verdict(await two.ask(withdraw("1.0"))) is Verdict.OK
            assert one.counted("conflicts") == 3
            assert two.counted("conflicts") == 3
            assert await one.balance() == 292 * UNIT
        await sound(db_url)

    run(main())


def test_R15_a_freeze_beside_the_server_holds_at_once(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url) as one, Desk2(db_url, one) as two:
            assert verdict(await one.ask(withdraw("1.0"))) is Verdict.OK
            assert verdict(await two.ask(freeze())) is Verdict.OK
            assert verdict(await one.ask(withdraw("1.0"))) is Verdict.PLAYER_FROZEN
            assert await one.balance() == 299 * UNIT
        await sound(db_url)

    run(main())


def test_a_read_shows_what_somebody_else_wrote(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url) as one, Desk2(db_url, one) as two:
            await one.ask(withdraw("1.0"))
            await two.ask(charge("50.0"))
            told = await one.ask(look("USD"))
            assert told is not None
            assert told.seen is not None
            assert told.seen.wallets["USD"] == 349 * UNIT

    run(main())


@pytest.mark.parametrize(
    ("user", "told"),
    [("tester", Verdict.OK), (OTHER, Verdict.KEY_CONFLICT)],
    ids=["the same request", "another player's"],
)
def test_R5_R6_a_key_that_somebody_else_claimed_is_found(db_url: str, user: str, told: Verdict) -> None:
    async def main() -> None:
        async with Desk(db_url) as one, Desk2(db_url, one) as two:
            await one.all([withdraw("1.0"), withdraw("1.0", user=OTHER)])
            asked = withdraw("2.0", user="tester")
            first = await two.ask(asked)
            second = await one.ask(again(asked, user=user))
            assert first is not None
            assert second is not None
            assert second.verdict is told
            assert second.row == (first.row if told is Verdict.OK else None)
            assert await one.balance() == 297 * UNIT
        await sound(db_url)

    run(main())


def test_R3_a_transaction_id_that_somebody_else_used_is_found(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url) as one, Desk2(db_url, one) as two:
            await one.ask(withdraw("1.0"))
            assert verdict(await two.ask(withdraw("2.0", transaction="T1"))) is Verdict.OK
            told = await one.ask(withdraw("2.0", transaction="T1"))
            assert verdict(told) is Verdict.ALREADY_TRANSFERRED
            assert await one.balance() == 297 * UNIT

    run(main())


def test_R1_R25_a_refusal_that_leaves_no_row_is_given_only_after_a_look(db_url: str) -> None:
    """Its key was taken for new, and no row will prove it: here another process has used it meanwhile."""
    exact = Policy(refund_amount="exact")

    async def main() -> None:
        async with Desk(db_url) as one, Desk2(db_url, one) as two:
            await one.ask(bet("10.0", reference="b1"))
            assert verdict(await one.ask(rollback("b1", "4.0"), exact)) is Verdict.REFUND_AMOUNT
            first = await two.ask(rollback("b1"))
            repeat = await one.ask(rollback("b1", "4.0"), exact)
            assert first is not None
            assert repeat is not None
            assert (repeat.verdict, repeat.row, repeat.replay) == (Verdict.OK, first.row, True)
            assert await one.balance() == 300 * UNIT
        await sound(db_url)

    run(main())


@pytest.mark.parametrize("fault", [Unavailable("gone"), FateUnknown("who knows")], ids=["gone", "unknown"])
def test_a_batch_that_failed_leaves_nothing_in_mind(db_url: str, fault: Exception) -> None:
    async def main() -> None:
        limits = Limits(reconnect_seconds=0.01)
        async with Desk(db_url, wrap=Faulty, limits=limits) as desk:
            await desk.ask(withdraw("1.0"))
            desk.ledgers[0].committing = [fault]
            asked = withdraw("2.0")
            assert await desk.ask(asked) is None
            assert verdict(await desk.ask(withdraw("4.0"))) is Verdict.OK
            assert verdict(await desk.ask(again(asked))) is Verdict.OK
            assert (await desk.balance(), desk.counted("conflicts")) == (293 * UNIT, 0)
        await sound(db_url)

    run(main())


@pytest.mark.parametrize("room", [0, 2, 8, 1000])
def test_whatever_is_remembered_the_verdicts_are_those_of_the_pure_core(db_url: str, room: int) -> None:
    pure = PureLedger(FUNDING)
    requests = traffic(Random(room), 150)
    expected = [essence(pure.ask(request)) for request in requests]

    async def main() -> None:
        async with Desk(db_url, limits=Limits(players=room, entries=room, doubt_seconds=0)) as desk:
            told: list[Told] = []
            for start in range(0, len(requests), 7):
                told += await desk.all(requests[start : start + 7])
            assert [essence(decision) for decision in told] == expected
        await sound(db_url)

    run(main())


class Desk2(Desk):
    """A second process's writer on the same database."""

    def __init__(self, url: str, first: Desk) -> None:
        super().__init__(url, limits=first.writer.limits)

    async def __aenter__(self) -> Desk:
        self.run()
        return self


# -- the memory itself --


def kept(cache: Cache, requests: Sequence[Request]) -> list[Decision]:
    ledger = PureLedger()
    decisions = [ledger.ask(request) for request in requests]
    cache.keep(ledger.book, nothing_known(requests), requests)
    return decisions


def test_what_is_remembered_is_not_wanted() -> None:
    cache = Cache(10, 10)
    kept(cache, FUNDING)
    lookup = cache.look_up([withdraw("1.0")])
    assert list(lookup.known) == [("demo", "tester")]
    assert not lookup.missing
    assert nothing_known([withdraw("1.0")]).missing


def test_a_player_is_given_away_once() -> None:
    """The batch that got it changes it: were that batch to fail, its changes must not be found here."""
    cache = Cache(10, 10)
    kept(cache, FUNDING)
    cache.look_up([withdraw("1.0")])
    assert cache.look_up([withdraw("1.0")]).missing.players == [("demo", "tester")]


def test_a_read_is_always_loaded() -> None:
    cache = Cache(10, 10)
    kept(cache, FUNDING)
    assert cache.look_up([look("USD"), withdraw("1.0")]).missing.players == [("demo", "tester")]


def test_the_round_of_a_remembered_bet_is_wanted() -> None:
    """Of its player nothing is remembered any more: the round's entry went with it."""
    cache = Cache(1, 10)
    kept(cache, [*FUNDING, bet(reference="b1", round="r7")])
    cache.look_up([withdraw("1.0")])
    missing = cache.look_up([rollback("b1")]).missing
    assert (missing.entries, missing.rounds) == ([], [("demo", "lucky", "tester", "r7")])


@pytest.mark.parametrize("room", [1, 4, 50])
def test_no_more_is_remembered_than_there_is_room_for(room: int) -> None:
    cache = Cache(room, room)
    for n in range(200):
        book = Book()
        book.players["demo", f"p{n}"] = Player(
            partner="demo", id=f"p{n}", name="", name_key=b"", created_at=0, login_at=0, seq=1, wallets={}
        )
        cache.keep(book, nothing_known([]), [])
    found = cache.look_up([withdraw("1.0", user=f"p{n}") for n in range(200)]).known
    assert len(found) <= room + 1
    assert (("demo", "p199") in found) is (room > 1)


def test_what_is_dropped_is_let_go_bit_by_bit() -> None:
    """A generation freed at once kept everybody waiting; one never freed would be memory lost."""
    recent: _Recent[int, int] = _Recent(2_000)
    held = []
    for start in range(0, 10_000, 10):
        recent.put({n: n for n in range(start, start + 10)})
        held.append(len(recent._young) + len(recent._old) + len(recent._dropped))
    assert max(held) <= 3_020
    assert max(before - after for before, after in itertools.pairwise(held)) <= 20
    assert min(held[200:]) < 2_000


def test_the_collector_has_nothing_to_do_however_much_is_remembered() -> None:
    """Its limit counts objects: three for a player (key, head, rounds), one for a row (its key)."""
    limits, before = Limits(), gc.get_threshold()
    try:
        freeze_gc()
        assert gc.get_threshold()[0] > 4 * (3 * limits.players + limits.entries)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_a_head_and_a_row_are_not_searched() -> None:
    """What is held longest is left out of every search (`gc=False`): it cannot be part of a cycle."""
    player = Player(
        partner="demo", id="p", name="", name_key=b"", created_at=0, login_at=0, seq=1, wallets={}
    )
    ledger = PureLedger(FUNDING)
    ledger.ask(bet())
    held = [player, Known(player), ledger.round(), *ledger.rows]
    assert not any(map(gc.is_tracked, held))
