"""Betting: the stake is taken exactly, once it is covered, and never otherwise."""

from __future__ import annotations

from decimal import Decimal

from caisse_kit.check import PRACTICE, SEAMLESS, SHOULD, Failed, Group, NotRun
from caisse_kit.play import LIMITED, Play

group: Group[Play] = Group("betting", SEAMLESS)


@group.check(
    "takes-stake",
    "A bet takes exactly its amount.",
    "The operator loses stakes, or players lose more than they bet.",
)
def takes_stake(p: Play) -> None:
    p.took(p.bet())
    p.moved(-p.stake, "after a bet")


@group.check(
    "answer",
    "A bet's answer has a transaction id, the currency and the cash.",
    "Disputes cannot be matched to the wallet's books.",
)
def answer(p: Play) -> None:
    sent = p.took(p.bet()).answer
    missing = [name for name in ("transactionId", "currency", "cash") if not sent.text(name)]
    if missing:
        raise Failed(f"the answer has no {', '.join(missing)}")


@group.check(
    "own-transaction",
    "Two bets get two transaction ids.",
    "Two movements cannot be told apart in a dispute.",
    "R1",
)
def own_transaction(p: Play) -> None:
    first, second = p.took(p.bet()), p.took(p.bet())
    if first.transaction == second.transaction:
        raise Failed(f"both bets have the transaction id {first.transaction}")


@group.check(
    "insufficient",
    "A bet that the balance does not cover is refused and takes nothing.",
    "Players bet money that they do not have, and the operator owes their wins.",
    "R46",
)
def insufficient(p: Play) -> None:
    p.refused(p.bet(p.start + p.stake), "more than the player has")
    p.unmoved("after a bet that was refused")


@group.check(
    "insufficient-code",
    "That refusal has the code for insufficient balance, which the provider takes for final.",
    "The provider sends the bet again and again, and the player sees a failure instead of an empty purse.",
    "R46",
    severity=SHOULD,
)
def insufficient_code(p: Play) -> None:
    sent = p.refused(p.bet(p.start + p.stake), "more than the player has")
    codes = p.policy.insufficient
    if sent.answer.code not in codes:
        raise Failed(f"the code must be {' or '.join(codes)}, and it is {sent.answer.code}")


@group.check(
    "whole-balance",
    "A bet of exactly the whole balance is taken and leaves zero.",
    "Players cannot play their last money.",
    "R46",
)
def whole_balance(p: Play) -> None:
    bet = p.bet(p.start)
    if bet.answer.code in LIMITED:
        raise NotRun("the wallet limits bets")
    p.took(bet, "exactly what the player has")
    p.moved(-p.start, "after a bet of the whole balance")
    p.cancel(bet)


@group.check(
    "zero", "A bet of 0, a free spin, is taken and moves nothing.", "Free spins do not start.", "R45"
)
def zero(p: Play) -> None:
    p.took(p.bet(Decimal(0)), "a free spin")
    p.unmoved("after a bet of 0")


@group.check(
    "second-in-round",
    "A second bet of the same round, with its own reference, is taken as well.",
    "Doubling, splitting and live tables do not work, or are played for free.",
    "R40",
)
def second_in_round(p: Play) -> None:
    first = p.took(p.bet())
    p.took(p.bet(roundId=first.round), "a second bet of the round")
    p.moved(-2 * p.stake, "after two bets of one round")


@group.check(
    "foreign-currency",
    "A bet in a currency that the player has no wallet in is refused and takes nothing.",
    "A stake is taken from money of another currency, one to one.",
    "R40",
)
def foreign_currency(p: Play) -> None:
    p.refused(p.bet(currency="XTS"), "no wallet in XTS")
    p.unmoved("after a bet in another currency")


@group.check(
    "unknown-player",
    "A bet of a player that does not exist is refused.",
    "Bets of nobody are accepted, and their wins are owed to nobody.",
    "R8",
)
def unknown_player(p: Play) -> None:
    p.refused(p.bet(userId=p.new("nobody")), "no such player")


@group.check(
    "foreign-provider",
    "A bet in the name of a provider that this URL does not belong to is refused.",
    "One provider's bets are booked, and billed, as another's.",
    "R33",
)
def foreign_provider(p: Play) -> None:
    p.refused(p.bet(providerId=p.new("provider")), "another provider's name")
    p.unmoved("after a bet in another provider's name")


@group.check(
    "reference-case",
    "References that differ only in letter case are two bets.",
    "Of two bets one is taken for a repeat and played for free, or its refund is another's.",
    "R4",
    source=PRACTICE,
)
def reference_case(p: Play) -> None:
    lower = p.took(p.bet(reference=p.new("bet-x")))
    p.took(p.bet(reference=lower.reference.replace("bet-x", "BET-X")), "another reference")
    p.moved(-2 * p.stake, "after bets whose references differ in letter case")


@group.check(
    "long-references",
    "References of 100 characters that differ in the last one are two bets.",
    "The wallet cuts references off: of two bets one is taken for a repeat.",
    "R4",
    source=PRACTICE,
)
def long_references(p: Play) -> None:
    stem = p.new("bet").ljust(99, "0")
    p.took(p.bet(reference=stem + "1"))
    p.took(p.bet(reference=stem + "2"), "another reference")
    p.moved(-2 * p.stake, "after bets with long references")


@group.check(
    "after-end",
    "A new bet in a round that was ended is refused.",
    "Bets are placed on a round whose result is known.",
    "R47",
)
def after_end(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.end(bet))
    p.refused(p.bet(roundId=bet.round), "its round was ended")
    p.moved(-p.stake, "after a bet in an ended round")
