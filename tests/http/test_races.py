"""Races over real HTTP: 64 clients at once, on SQLite, on PostgreSQL, and on two servers with one PostgreSQL.

After each the client's own record must match the balances; the books are audited too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from caisse.core.money import UNIT, parse, show
from tests.support.crowd import CLIENTS, crowd, hang_up
from tests.support.rig import BY_ROUND, House, new_id
from tests.support.server import Answer, Call, new_uuid

ROUNDS = 3
"""How often each race is run, each time with a player of its own: a race is won by chance."""


@pytest.fixture(autouse=True)
def _books(arena: House) -> Iterator[None]:
    yield
    arena.audit()


def race(arena: House, calls: Sequence[Call]) -> list[Answer]:
    """All at once, in an order of chance, spread over the servers; every one gets a verdict."""
    order = random.sample(range(len(calls)), len(calls))
    answers = crowd(arena.servers, [calls[n] for n in order])
    assert [answer.status for answer in answers] == [200] * len(calls)
    return [answer for _, answer in sorted(zip(order, answers, strict=True), key=lambda pair: pair[0])]


def codes(answers: Sequence[Answer]) -> list[int]:
    return [answer.code for answer in answers]


def the_same(answers: Sequence[Answer]) -> Answer:
    assert len({answer.raw for answer in answers}) == 1
    return answers[0]


def total(amount: str) -> int:
    parsed = parse(amount)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize("verb", ["charge", "refund"])
def test_R6_one_request_from_64_clients_has_one_effect(arena: House, verb: str) -> None:
    for _ in range(ROUNDS):
        user = arena.player("100.0")
        answer = the_same(race(arena, [getattr(arena.partner, verb)(user, "10.0", new_uuid())] * CLIENTS))
        expected = "110.0" if verb == "charge" else "90.0"
        assert (answer.code, answer.body["balance"], arena.balance(user)) == (0, expected, expected)


@pytest.mark.parametrize(
    "method", ["Bet", "Refund", "Cancel", "Result", "BonusWin", "JackPotWin", "PromoWin"]
)
def test_R6_one_play_from_64_clients_has_one_effect(arena: House, method: str) -> None:
    game, effect = arena.game(), {"Bet": "80.0", "Refund": "100.0", "Cancel": "100.0", "Result": "91.0"}
    for _ in range(ROUNDS):
        user, first, round_ = arena.player("100.0"), new_id("b"), new_id("r")
        arena.told(game.bet(user, "10.0", first, round_))
        fields: dict[str, Any] = {"amount": "1.0", "roundId": round_, "reference": new_id("x")}
        if method in ("Refund", "Cancel"):
            fields = {"reference": first}
        elif method == "Bet":
            fields["amount"] = "10.0"
        answer = the_same(race(arena, [game.play(method, user, **fields)] * CLIENTS))
        assert (answer.code, arena.balance(user)) == (0, effect.get(method, "91.0"))


def test_R6_one_refusal_from_64_clients_is_one_refusal(arena: House) -> None:
    user = arena.player("9.0")
    answer = the_same(race(arena, [arena.partner.refund(user, "10.0", new_uuid())] * CLIENTS))
    assert (answer.code, arena.balance(user)) == (3, "9.0")


def test_R10_64_clients_drain_one_wallet_to_the_last_atom(arena: House) -> None:
    """The sum is exact, and refused are exactly the rest."""
    for _ in range(ROUNDS):
        user = arena.player("30.000000000000000007")
        answers = race(arena, [arena.partner.refund(user, "1.0") for _ in range(CLIENTS)])
        assert sorted(codes(answers)) == [0] * 30 + [3] * (CLIENTS - 30)
        left = sorted(total(answer.body["balance"]) for answer in answers if answer.code == 0)
        assert left == [n * UNIT + 7 for n in range(30)]
        assert arena.balance(user) == "0.000000000000000007"


def test_R46_64_bets_drain_one_wallet(arena: House) -> None:
    for _ in range(ROUNDS):
        user, game = arena.player("30.5"), arena.game()
        answers = race(arena, [game.bet(user, "1.0", new_id("b"), new_id("r")) for _ in range(CLIENTS)])
        assert sorted(codes(answers)) == [0] * 30 + [1] * (CLIENTS - 30)
        left = sorted(total(answer.body["cash"]) for answer in answers if answer.code == 0)
        assert left == [n * UNIT + UNIT // 2 for n in range(30)]
        assert arena.balance(user) == "0.5"


def test_R21_refund_cancel_and_result_race_for_one_bet(arena: House) -> None:
    """One outcome: either it was rolled back and won nothing, or it was won and cannot be rolled back."""
    for _ in range(4 * ROUNDS):
        user, game, bet, round_ = arena.player("100.0"), arena.game(), new_id("b"), new_id("r")
        arena.told(game.bet(user, "10.0", bet, round_))
        rollbacks = [game.refund(user, bet) for _ in range(5)] + [game.cancel(user, bet) for _ in range(5)]
        results = [game.result(user, "25.0", new_id("w"), round_)] * 5
        answers = race(arena, rollbacks + results)
        assert the_same(answers[:5]).code == the_same(answers[5:10]).code
        outcome = (answers[0].code, the_same(answers[10:]).code, arena.balance(user))
        assert outcome in ((0, 120, "100.0"), (120, 0, "115.0"))


def test_R31_a_bet_and_its_refund_race(arena: House) -> None:
    """Whichever comes second sees the first: the bet is given back or never taken."""
    for _ in range(4 * ROUNDS):
        user, game, bet = arena.player("100.0"), arena.game(), new_id("b")
        bets = [game.bet(user, "10.0", bet, new_id("r"))] * 8
        rollbacks = [game.refund(user, bet)] * 4 + [game.cancel(user, bet)] * 4
        answers = race(arena, bets + rollbacks)
        assert the_same(answers[:8]).code in (0, 120)
        assert the_same(answers[8:12]).code == the_same(answers[12:]).code == 0
        assert arena.balance(user) == "100.0"


def test_R32_bets_and_the_refund_of_their_round_race(arena: House) -> None:
    for _ in range(2 * ROUNDS):
        user, game, round_ = arena.player("100.0"), arena.game(BY_ROUND), new_id("r")
        bets = [game.bet(user, "1.0", new_id("b"), round_) for _ in range(24)]
        answers = race(arena, bets + [game.play("Refund", user, reference=..., roundId=round_)] * 8)
        assert set(codes(answers[:24])) <= {0, 120}
        assert the_same(answers[24:]).code == 0
        assert arena.balance(user) == "100.0"


def test_R48_one_promotional_win_in_64_results_is_paid_once(arena: House) -> None:
    user, game, round_ = arena.player("100.0"), arena.game(), new_id("r")
    arena.told(game.bet(user, "10.0", new_id("b"), round_))
    win = {"promoWinAmount": "5.0", "promoWinReference": new_id("p")}
    results = [game.result(user, "1.0", new_id("w"), round_, **win) for _ in range(32)]
    award = game.play("PromoWin", user, amount="5.0", reference=win["promoWinReference"])
    answers = race(arena, results + [award] * 32)
    assert codes(answers) == [0] * CLIENTS
    assert arena.balance(user) == "127.0"


def test_R14_charges_refunds_bets_and_wins_on_one_wallet_add_up(arena: House) -> None:
    for _ in range(ROUNDS):
        user, game, partner = arena.player("5.0"), arena.game(), arena.partner
        references = [(new_id("b"), new_id("r")) for _ in range(16)]
        calls = [partner.charge(user, "1.000000000000000001") for _ in range(16)]
        calls += [partner.refund(user, "0.7") for _ in range(16)]
        calls += [game.bet(user, "2.0", *names) for names in references]
        calls += [game.result(user, "3.3", new_id("w"), round_) for _, round_ in references]
        answers = race(arena, calls)
        charges, refunds, bets, wins = (codes(answers[n : n + 16]) for n in range(0, 64, 16))
        assert charges == [0] * 16
        assert set(refunds) <= {0, 3}
        assert set(bets) <= {0, 1}
        assert set(wins) <= {0, 120}
        expected = (
            total("5.0")
            + 16 * total("1.000000000000000001")
            - refunds.count(0) * total("0.7")
            - bets.count(0) * total("2.0")
            + wins.count(0) * total("3.3")
        )
        assert arena.balance(user) == show(expected)
        assert not [n for n in range(16) if wins[n] == 0 and bets[n] != 0]


def test_R4_one_reference_for_two_players_is_one_players(arena: House) -> None:
    for _ in range(4 * ROUNDS):
        users, game = [arena.player("100.0"), arena.player("100.0")], arena.game()
        reference, rounds = new_id("b"), [new_id("r"), new_id("r")]
        calls = [game.bet(users[n % 2], "10.0", reference, rounds[n % 2]) for n in range(CLIENTS)]
        answers = race(arena, calls)
        won = [n for n in (0, 1) if answers[n].code == 0]
        assert len(won) == 1
        assert the_same(answers[won[0] :: 2]).code == 0
        assert the_same(answers[1 - won[0] :: 2]).code == 7
        assert sorted(map(arena.balance, users)) == ["100.0", "90.0"]


def test_R3_one_uuid_for_two_players_is_one_players(arena: House) -> None:
    for _ in range(4 * ROUNDS):
        users, uuid = [arena.player("100.0"), arena.player("100.0")], new_uuid()
        answers = race(arena, [arena.partner.refund(users[n % 2], "10.0", uuid) for n in range(CLIENTS)])
        assert sorted(set(codes(answers))) == [0, 5]
        assert codes(answers).count(0) == CLIENTS // 2
        assert sorted(map(arena.balance, users)) == ["100.0", "90.0"]


def test_R22_one_unknown_bet_refunded_for_two_players_is_one_tombstone(arena: House) -> None:
    for _ in range(2 * ROUNDS):
        users, game, reference = [arena.player("100.0"), arena.player("100.0")], arena.game(), new_id("b")
        answers = race(arena, [game.refund(users[n % 2], reference) for n in range(CLIENTS)])
        assert codes(answers).count(0) == CLIENTS // 2
        the_same([answer for answer in answers if answer.code == 0])
        assert len(set(codes(answers))) == 2
        assert list(map(arena.balance, users)) == ["100.0", "100.0"]


def test_R6_64_clients_create_one_player(arena: House) -> None:
    for _ in range(ROUNDS):
        user = new_id("p")
        answers = race(arena, [arena.partner.create(user) for _ in range(CLIENTS)])
        assert sorted(codes(answers)) == [0] + [2] * (CLIENTS - 1)
        answers = race(arena, [arena.partner.wallet(user) for _ in range(CLIENTS)])
        assert sorted(codes(answers)) == [0] + [2] * (CLIENTS - 1)
        arena.told(arena.partner.charge(user, "1.0"))
        assert arena.balance(user) == "1.0"


def test_R6_one_create_from_64_clients_has_one_effect(arena: House) -> None:
    for _ in range(ROUNDS):
        call = arena.partner.create(new_id("p"))
        assert the_same(race(arena, [call] * CLIENTS)).code == 0


def test_R3_one_uuid_for_64_new_players_makes_one(arena: House) -> None:
    for _ in range(ROUNDS):
        users, uuid = [new_id("p") for _ in range(CLIENTS)], new_uuid()
        answers = race(arena, [arena.partner.create(user, uuid=uuid) for user in users])
        assert sorted(codes(answers)) == [0] + [5] * (CLIENTS - 1)
        found = crowd(arena.servers, [arena.partner.info(user) for user in users])
        assert codes(found) == [0 if code == 0 else 4 for code in codes(answers)]


def test_R14_players_do_not_stand_in_each_others_way(arena: House) -> None:
    """Two users of one crowd, each paying the other's loss: batches lock many players at once."""
    users = [arena.player("10.0") for _ in range(8)]
    calls = [
        spell(user, "1.0") for user in users for spell in (arena.partner.charge, arena.partner.refund) * 4
    ]
    assert codes(race(arena, calls)) == [0] * CLIENTS
    assert [arena.balance(user) for user in users] == ["10.0"] * 8


def test_a_client_that_hangs_up_has_its_verdict_all_the_same(arena: House) -> None:
    """What was taken in is decided, whether or not anyone waits; asked again, it is the same request."""
    user = arena.player("100.0")
    calls = [arena.partner.refund(user, "1.0") for _ in range(CLIENTS)]
    hang_up(arena.servers, calls)
    answers = race(arena, calls)
    assert codes(answers) == [0] * CLIENTS
    assert sorted(total(answer.body["balance"]) // UNIT for answer in answers) == list(range(36, 100))
    assert arena.balance(user) == "36.0"
