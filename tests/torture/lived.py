"""A house with a lived life: every kind of row and nearly every verdict, through every door, and repeats."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.editions import account, gambler
from tests.support.record import Storm
from tests.support.rig import BY_ROUND, CLOSED_GAME, House, new_id
from tests.support.server import Call

VERDICTS = 250
"""So many make a storm; what is lived besides is some hundred."""


def live(house: House, seed: int) -> Storm:
    """On a server that runs, and is killed once in between; it is stopped at the end."""
    storm = Storm(house, seed, players=4)
    storm.rage(house.server.kill, VERDICTS)
    house.server.start()
    storm.heal()
    for _ in range(2):
        _one_life(house)
    house.server.stop()
    return storm


def _one_life(house: House) -> None:
    user, stranger = house.player("300.0"), house.player("")
    calls = [*_transfers(house, user), *_play(house, user), *_refunds(house, user), *_rounds(house, user)]
    calls += [house.game().bet(stranger, "1.0", new_id("b"), f"{user}-r1")]
    for call in [*calls, *calls]:
        assert house.send(call).status == 200, call
    _frozen(house, user)
    _other_editions(house)


def _transfers(house: House, user: str) -> Iterator[Call]:
    partner = house.partner
    yield from (partner.create(user), partner.wallet(user), partner.wallet(user, "EUR"))
    yield from (partner.charge(user, "7.25", currency="EUR"), partner.charge(user, currency="GBP"))
    yield from (partner.charge(user, "99999999999999.0"), partner.refund(user, "9999.0"))
    yield from (partner.refund(user, "1.5"), partner.refund(user, "7.25", currency="EUR"))


def _play(house: House, user: str) -> Iterator[Call]:
    game, r = house.game(), f"{user}-r1"
    yield from (game.bet(user, "10.0", f"{user}-b1", r), game.bet(user, "0.0", f"{user}-b2", r))
    yield game.result(user, "12.5", f"{user}-w1", r, promoWinAmount="2.0", promoWinReference=f"{user}-p1")
    yield game.play("JackPotWin", user, reference=f"{user}-j1", roundId=r, currency="USD")
    yield game.play("BonusWin", user, reference=f"{user}-c1", roundId=r, currency="USD")
    yield game.play("PromoWin", user, reference=f"{user}-p2")
    yield game.play("EndRound", user, roundId=r)
    yield from (game.bet(user, "1.0", f"{user}-b3", r), game.result(user, "3.0", f"{user}-w2", r))
    yield game.bet(user, "1.0", f"{user}-b4", f"{user}-r2", currency="EUR")
    yield game.bet(user, "9999.0", f"{user}-b5", f"{user}-r2")
    yield game.bet(user, "1.0", f"{user}-b6", f"{user}-r3", gameId=CLOSED_GAME)
    yield game.result(user, "5.0", f"{user}-w3", f"{user}-r4")
    yield game.result(user, "5.0", f"{user}-w4", f"{user}-r4", bonusCode="welcome")
    yield game.play("SessionExpired", user, sessionId=f"{user}-s9")
    yield game.bet(user, "1.0", f"{user}-b7", f"{user}-r5", sessionId=f"{user}-s9")


def _refunds(house: House, user: str) -> Iterator[Call]:
    game, absorbs, returns = house.game(), house.game("absorb"), house.game("return")
    yield from (game.bet(user, "4.0", f"{user}-b8", f"{user}-r6"), game.refund(user, f"{user}-b8"))
    yield game.bet(user, "4.0", f"{user}-b9", f"{user}-r6")
    yield game.refund(user, f"{user}-b9", amount="1.0")
    yield from (game.refund(user, f"{user}-b1"), game.refund(user, f"{user}-b5"))
    yield from (game.refund(user, f"{user}-u1"), game.bet(user, "1.0", f"{user}-u1", f"{user}-r7"))
    yield from (house.game("code").cancel(user, f"{user}-u2"), absorbs.bet(user, "1.0", f"{user}-u2", "r"))
    yield from (game.bet(user, "2.0", f"{user}-b10", f"{user}-r8"),)
    yield game.result(user, "0.0", f"{user}-w5", f"{user}-r8")
    yield returns.refund(user, f"{user}-b10")


def _rounds(house: House, user: str) -> Iterator[Call]:
    game = house.game(BY_ROUND)
    r, unknown = f"{user}-r9", f"{user}-r10"
    yield from (game.bet(user, "2.0", f"{user}-b11", r), game.bet(user, "3.0", f"{user}-b12", r))
    for round_ in (r, unknown, f"{user}-r1"):
        yield game.play("Refund", user, reference=..., roundId=round_)
    yield from (game.bet(user, "1.0", f"{user}-b13", r), game.bet(user, "1.0", f"{user}-b14", unknown))
    yield from (game.bet(user, "2.0", f"{user}-b15", f"{user}-r11"),)


def _frozen(house: House, user: str) -> None:
    house.freeze(user)
    house.send(house.game().bet(user, "1.0", new_id("b"), new_id("r")))
    house.send(house.partner.refund(user, "1.0"))
    house.told(house.partner.charge(user, "1.0"))
    house.freeze(user, frozen=False)
    house.freeze(house.player(""))


def _other_editions(house: House) -> None:
    partner, player = account(house), gambler(house)
    call = partner.call("/charge", amount="5.0")
    partner.house.told(call)
    partner.house.told(call)
    for verb, more in (("bet", {"amount": "2.0"}), ("win", {"amount": "3.0"})):
        player.said(verb, **more)
