"""A lane remembers rounds inside their player's entry: what that saves, and that it never costs a verdict.

Each test asserts the money, on both engines. Where two writers are at work, the second is another process's.
"""

from __future__ import annotations

from random import Random

import pytest

from caisse.core.money import UNIT
from caisse.core.requests import Request
from caisse.core.verdicts import Verdict
from caisse.writer.cache import ROUNDS
from caisse.writer.writer import Limits
from tests.support.ledger import (
    FUNDING,
    OTHER,
    award,
    bet,
    charge,
    end_round,
    expire_session,
    look,
    promo,
    result,
    rollback,
    rollback_round,
    withdraw,
)
from tests.support.ledger import Ledger as PureLedger
from tests.support.stores import run
from tests.writer.test_cache import Counted, Desk2, verdict
from tests.writer.test_writer import Desk, Told, essence, sound

ONCE = {
    "a bet that opens its round": bet(reference="b9", round="r9", session="s1"),
    "a second bet in a round": bet(reference="b2", session="s1"),
    "a win": result(),
    "a win that ends its round": result(closes=True),
    "a win with a promotional one": result(promo=promo()),
    "a bet given back": rollback("b1", round="r1"),
    "an end": end_round(),
    "a bonus": award(round="r1"),
}


@pytest.mark.parametrize("asked", ONCE.values(), ids=ONCE)
def test_what_a_game_sends_of_a_remembered_player_is_one_write(db_url: str, asked: Request) -> None:
    async def main() -> None:
        async with Desk(db_url, wrap=Counted) as desk:
            await desk.ask(bet(reference="b1", session="s1"))
            loads, commits = desk.ledgers[0].asked
            assert verdict(await desk.ask(asked)) is Verdict.OK
            assert desk.ledgers[0].asked == (loads, commits + 1)
            assert desk.counted("conflicts") == 0
        await sound(db_url)

    run(main())


def test_a_round_that_was_there_before_its_player_was_remembered_costs_one_load(db_url: str) -> None:
    """The guess is wrong: nobody else wrote, so nobody else is forgotten."""

    async def main() -> None:
        async with Desk(db_url) as first:
            await first.ask(bet("10.0", "b1"))
        async with Desk2(db_url, first) as desk:
            await desk.all([withdraw("1.0"), withdraw("1.0", user=OTHER)])
            counted = Counted(desk.ledgers[0])
            desk.writer.lanes[0]._ledger = counted
            assert verdict(await desk.ask(bet("10.0", "b2"))) is Verdict.OK
            assert counted.asked == (1, 2)
            assert verdict(await desk.ask(withdraw("1.0", user=OTHER))) is Verdict.OK
            assert counted.asked == (1, 3), "the other player is remembered"
            assert desk.counted("conflicts") == 0
            assert verdict(await desk.ask(rollback("b1", round="r1"))) is Verdict.OK
            assert verdict(await desk.ask(rollback("b2", round="r1"))) is Verdict.OK
            assert await desk.balance() == 299 * UNIT
        await sound(db_url)

    run(main())


def test_R47_a_round_that_ended_before_its_player_was_remembered_takes_no_bet(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url) as first:
            await first.all([bet("10.0", "b1"), end_round(), bet("10.0", "b2", "r2"), rollback_round("r2")])
        async with Desk2(db_url, first) as desk:
            await desk.ask(withdraw("1.0"))
            assert verdict(await desk.ask(bet("10.0", "b3"))) is Verdict.ROUND_ENDED
            assert verdict(await desk.ask(bet("10.0", "b4", "r2"))) is Verdict.LATE_BET
            assert await desk.balance() == 289 * UNIT
        await sound(db_url)

    run(main())


def test_R47_a_bet_that_is_refused_proves_nothing_of_its_round(db_url: str) -> None:
    """The first bet leaves too little for the second: with its round taken for new it is refused for that."""

    async def main() -> None:
        async with Desk(db_url) as first:
            await first.all([bet("10.0", "b1"), end_round()])
        async with Desk2(db_url, first) as desk:
            await desk.ask(withdraw("1.0"))
            told = await desk.all([bet("200.0", "b2", "r2"), bet("200.0", "b3", "r1")])
            assert [*map(verdict, told)] == [Verdict.OK, Verdict.ROUND_ENDED]
            assert await desk.balance() == 89 * UNIT
        await sound(db_url)

    run(main())


@pytest.mark.parametrize(
    ("between", "left"), [(look("USD"), 290), (charge("1.0"), 291)], ids=["a read", "a charge"]
)
def test_whatever_loads_a_player_anew_drops_the_rounds(db_url: str, between: Request, left: int) -> None:
    """Else the new head would vouch for rounds that another process has changed."""

    async def main() -> None:
        async with Desk(db_url, limits=Limits(doubt_seconds=0)) as one, Desk2(db_url, one) as two:
            assert verdict(await one.ask(bet("10.0", "b1"))) is Verdict.OK
            assert verdict(await two.ask(end_round())) is Verdict.OK
            assert verdict(await one.ask(between)) is Verdict.OK
            assert verdict(await one.ask(bet("10.0", "b2"))) is Verdict.ROUND_ENDED
            assert verdict(await one.ask(rollback("b1", round="r1"))) is Verdict.BET_SETTLED
            assert await one.balance() == left * UNIT
        await sound(db_url)

    run(main())


def test_a_round_that_somebody_else_opened_is_never_written_over(db_url: str) -> None:
    """Two processes open one round in turn: the second finds the first one's bet in it."""

    async def main() -> None:
        async with Desk(db_url) as one, Desk2(db_url, one) as two:
            await one.ask(withdraw("1.0"))
            assert verdict(await two.ask(bet("10.0", "b1"))) is Verdict.OK
            assert verdict(await one.ask(bet("10.0", "b2"))) is Verdict.OK
            told = await one.ask(rollback_round())
            assert verdict(told) is Verdict.OK
            assert await one.balance() == 299 * UNIT
        await sound(db_url)

    run(main())


@pytest.mark.parametrize("entries", [0, 100])
def test_R47_the_end_of_a_session_is_seen_whoever_wrote_it(db_url: str, entries: int) -> None:
    """Whether the row of its end is remembered or not."""

    async def main() -> None:
        async with Desk(db_url, limits=Limits(entries=entries)) as one, Desk2(db_url, one) as two:
            assert verdict(await one.ask(bet("10.0", "b1", "r1", session="s1"))) is Verdict.OK
            await one.ask(expire_session("s1"))
            assert verdict(await one.ask(bet("10.0", "b2", "r2", session="s1"))) is Verdict.SESSION_EXPIRED
            assert verdict(await one.ask(bet("10.0", "b3", "r3", session="s2"))) is Verdict.OK
            await two.ask(expire_session("s2"))
            assert verdict(await one.ask(bet("10.0", "b4", "r4", session="s2"))) is Verdict.SESSION_EXPIRED
            assert await one.balance() == 280 * UNIT
        await sound(db_url)

    run(main())


@pytest.mark.parametrize("entries", [0, 100])
def test_R1_R32_a_round_that_was_refunded_is_found_by_a_refund_of_its_bet(db_url: str, entries: int) -> None:
    """Sent under a profile that made it the round's: that verdict stands, its row remembered or not."""

    async def main() -> None:
        async with Desk(db_url, limits=Limits(entries=entries)) as desk:
            await desk.all([bet("10.0", "b1"), bet("900.0", "b2")])
            first = await desk.ask(rollback_round(reference="b2"))
            told = await desk.ask(rollback("b2", round="r1"))
            assert first is not None
            assert told is not None
            assert (told.verdict, told.replay, told.row) == (Verdict.OK, True, first.row)
            assert await desk.balance() == 300 * UNIT
        await sound(db_url)

    run(main())


def test_R22_R23_a_bet_that_was_refunded_before_it_came_stays_refunded(db_url: str) -> None:
    async def main() -> None:
        async with Desk(db_url) as one, Desk2(db_url, one) as two:
            await one.ask(withdraw("1.0"))
            await two.ask(rollback("b1", round="r1"))
            asked = bet("10.0", "b1")
            assert verdict(await one.ask(asked)) is Verdict.LATE_BET
            assert verdict(await one.ask(asked)) is Verdict.LATE_BET
            assert await one.balance() == 299 * UNIT
        await sound(db_url)

    run(main())


def test_no_more_rounds_of_a_player_are_remembered_than_there_is_room_for(db_url: str) -> None:
    """An older one is loaded when it is named; a bet that takes it for new is decided again."""

    async def main() -> None:
        async with Desk(db_url) as desk:
            for n in range(ROUNDS + 3):
                assert verdict(await desk.ask(bet("10.0", f"b{n}", f"r{n}"))) is Verdict.OK
            known = desk.writer.lanes[0]._cache._players
            assert [len(entry.rounds) for entry in known.take([("demo", "tester")]).values()] == [ROUNDS]
            assert verdict(await desk.ask(bet("10.0", "again", "r0"))) is Verdict.OK
            assert verdict(await desk.ask(rollback_round("r0"))) is Verdict.OK
            assert await desk.balance() == (300 - 10 * (ROUNDS + 2)) * UNIT
        await sound(db_url)

    run(main())


@pytest.mark.parametrize("seed", range(4))
def test_two_processes_in_turn_give_the_verdicts_of_the_pure_core(db_url: str, seed: int) -> None:
    """Games of two players in few rounds, each batch of one process or of the other."""
    chance = Random(seed)
    pure = PureLedger(FUNDING)
    requests = [_played(chance, n) for n in range(160)]
    expected = [essence(pure.ask(request)) for request in requests]

    async def main() -> None:
        async with Desk(db_url, limits=Limits(doubt_seconds=0)) as one, Desk2(db_url, one) as two:
            told: list[Told] = []
            while len(told) < len(requests):
                desk = one if chance.random() < 0.7 else two
                told += await desk.all(requests[len(told) : len(told) + chance.randint(1, 6)])
            assert [essence(decision) for decision in told] == expected
        await sound(db_url)

    run(main())


def _played(chance: Random, n: int) -> Request:
    user, round_, number = (
        chance.choice(["tester", OTHER]),
        f"r{chance.randrange(4)}",
        chance.randrange(n + 1),
    )
    session = chance.choice(["", "s1", "s2"])
    kinds: list[Request] = [
        bet("5.0", f"b{n}", round_, user=user, session=session),
        bet("90.0", f"b{n}", f"own{n}", user=user, session=session),
        bet("5.0", f"b{number}", round_, user=user),
        result("9.0", f"w{n}", round_, user=user, closes=chance.random() < 0.2),
        result("9.0", f"w{number}", f"own{number}", user=user, promo=promo("1.0", f"p{number}")),
        rollback(f"b{number}", user=user, round=round_),
        rollback(f"b{number}", user=user, round=f"own{number}"),
        rollback_round(round_, user=user) if chance.random() < 0.2 else charge("20.0", user=user),
        end_round(round_, user=user) if chance.random() < 0.3 else look("USD", user=user),
        expire_session("s1", user=user) if chance.random() < 0.2 else award(round=round_, reference=f"a{n}"),
    ]
    return chance.choice(kinds)
