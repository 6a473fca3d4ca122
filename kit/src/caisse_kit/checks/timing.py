"""Timing: the answer is lost after the commit, the connection dies in the middle, the wallet is slow."""

from __future__ import annotations

import time
from functools import partial

from caisse_kit.check import PRACTICE, SEAMLESS, SHOULD, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("timing", SEAMLESS)

LOST = "Each lost answer moves the money twice, or tells the provider that it never moved."
SETTLE = 0.3
"""How long a wallet has to finish what it began when the kit hung up, in seconds."""


def _lost(p: Play, sent: Sent) -> Sent:
    """Send it, hang up before the answer, and send it again as the vendor does."""
    p.drop(p.request(sent.verb, sent.fields))
    time.sleep(SETTLE)
    return p.took(p.again(sent), "a repeat after a lost answer")


@group.check(
    "lost-bet", "A Bet whose answer was lost is taken once, and its repeat gets a success.", LOST, "R1"
)
def lost_bet(p: Play) -> None:
    _lost(p, p.ghost())
    p.moved(-p.stake, "after a bet whose answer was lost, and its repeat")


@group.check(
    "lost-result", "A Result whose answer was lost is paid once, and its repeat gets a success.", LOST, "R1"
)
def lost_result(p: Play) -> None:
    bet = p.took(p.bet())
    _lost(p, Sent("Result", p.result_fields(bet, p.stake * 2)))
    p.moved(p.stake, "after a result whose answer was lost, and its repeat")


@group.check(
    "lost-rollback",
    "A rollback whose answer was lost is done once, and its repeat gets a success.",
    LOST,
    "R21",
)
def lost_rollback(p: Play) -> None:
    bet = p.took(p.bet())
    _lost(p, Sent("Cancel", p.cancel_fields(bet)))
    p.unmoved("after a bet and a cancel whose answer was lost")


@group.check(
    "incomplete-body",
    "A body that ends before its announced length moves nothing, although it looks whole.",
    "Half a request is obeyed.",
    "R7",
    source=PRACTICE,
)
def incomplete_body(p: Play) -> None:
    request = p.request("Bet", p.bet_fields())
    p.drop(request, announce=len(request.body) + 50, politely=True)
    time.sleep(SETTLE)
    p.unmoved("after a body that was not whole")


@group.check(
    "in-time",
    "Each answer comes within the vendor's time-out.",
    "Every request is sent four times, and every bet is cancelled.",
)
def in_time(p: Play) -> None:
    bet = p.bet()
    for sent in (p.read(), bet, p.result(bet, p.stake), p.cancel(p.ghost())):
        if sent.answer.status == 0:
            raise Failed(f"{sent} had no answer within {p.target.timeout} s")


@group.check(
    "pace",
    "Answers come within a tenth of the vendor's time-out.",
    "At the next peak requests are repeated and bets cancelled.",
    severity=SHOULD,
)
def pace(p: Play) -> None:
    waits = sorted(p.read().answer.seconds for _ in range(5))
    if waits[2] > p.target.timeout / 10:
        raise Failed(f"half of five reads took longer than {waits[2]:.3f} s")


@group.check(
    "pace-together",
    "Requests at once are answered within half of the vendor's time-out.",
    "At the next peak requests are repeated and bets cancelled.",
    severity=SHOULD,
)
def pace_together(p: Play) -> None:
    callers = p.target.callers * 2
    replies = p.at_once([partial(p.read)] * callers)
    slowest = max(sent.answer.seconds for sent in replies)
    if slowest > p.target.timeout / 2 or any(sent.answer.status == 0 for sent in replies):
        raise Failed(f"of {callers} reads at once the slowest took {slowest:.3f} s")
