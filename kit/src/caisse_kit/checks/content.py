"""Content: one key, another request. Nothing moves, and the first verdict stands."""

from __future__ import annotations

from typing import Any

from caisse_client.calls import number
from caisse_kit.check import PRACTICE, SEAMLESS, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("content", SEAMLESS)

MISTAKEN = (
    "The provider believes that the changed request was done, and the wallet's books say something else."
)


def _changed(p: Play, first: Sent, **changes: Any) -> None:
    """Refused, nothing moved, and the first request is still known."""
    before = p.balance()
    p.refused(p.again(first, **changes), f"{', '.join(changes)} changed under one reference")
    p.moved(0, "after a changed repeat", start=before)
    p.same(first, p.again(first), "the unchanged repeat after a changed one")
    p.moved(0, "after the unchanged repeat", start=before)


@group.check("bet-amount", "A Bet whose amount changed under its reference is refused.", MISTAKEN, "R5")
def bet_amount(p: Play) -> None:
    _changed(p, p.took(p.bet()), amount=p.door.amount(p.stake * 2))


@group.check("bet-round", "A Bet whose round changed under its reference is refused.", MISTAKEN, "R5")
def bet_round(p: Play) -> None:
    _changed(p, p.took(p.bet()), roundId=p.new("round"))


@group.check("result-amount", "A Result whose amount changed under its reference is refused.", MISTAKEN, "R5")
def result_amount(p: Play) -> None:
    _changed(p, p.took(p.result(p.took(p.bet()), p.stake)), amount=p.door.amount(p.stake * 2))


@group.check("result-round", "A Result whose round changed under its reference is refused.", MISTAKEN, "R5")
def result_round(p: Play) -> None:
    other = p.took(p.bet())
    _changed(p, p.took(p.result(p.took(p.bet()), p.stake)), roundId=other.round)


@group.check(
    "result-promotional-part",
    "A repeated Result that brings a promotional win which the first did not have is refused.",
    "A promotional win is paid that nobody announced, or the provider believes that it was.",
    "R5, R48",
    needs="seamless-v4",
)
def result_promotional_part(p: Play) -> None:
    win = p.took(p.result(p.took(p.bet()), p.stake))
    _changed(p, win, promoWinAmount=p.door.amount(p.stake), promoWinReference=p.new("promo"))


@group.check(
    "award-amount",
    "An award whose amount changed under its reference is refused.",
    MISTAKEN,
    "R5",
    needs="seamless-v4",
)
def award_amount(p: Play) -> None:
    _changed(p, p.took(p.award("BonusWin", p.stake)), amount=p.door.amount(p.stake * 2))


@group.check(
    "what-is-no-content",
    "Another game, session, time or round details under one reference are a repeat, not another request.",
    "The vendor's retransmission from a new session is refused, and a bet that was taken is written off.",
    "R5",
)
def what_is_no_content(p: Play) -> None:
    first = p.took(p.bet())
    changes = {"sessionId": p.new("session"), "timeStamp": "1", "roundDetails": "other", "gamename": "Other"}
    p.same(first, p.again(first, **changes), "a repeat from another session")
    p.moved(-p.stake, "after a bet and its repeat from another session")


@group.check(
    "notation",
    "The same amount in another notation, text or number, with more zeros, is the same request.",
    "A retransmission by another sender is refused, and a bet that was taken is written off.",
    "R5",
    source=PRACTICE,
)
def notation(p: Play) -> None:
    first = p.took(p.odd_bet(amount=number("2.5")))
    for again in ("2.5", "2.50", number("2.500")):
        p.same(first, p.again(first, amount=again), f"a repeat with the amount {again!r}")
    p.took(p.cancel(first))
    p.unmoved("after one bet in several notations, and its cancel")


@group.check(
    "currency-case",
    "A currency in small letters is the same currency.",
    "Wins and bets of one sender are refused.",
    "R5",
)
def currency_case(p: Play) -> None:
    first = p.took(p.bet())
    small = p.again(first, currency=p.currency.lower())
    p.same(first, small, "a repeat with the currency in small letters")
    if small.answer.amount("cash") is None:
        raise Failed("the repeat tells no cash")
    p.moved(-p.stake, "after the repeat")
