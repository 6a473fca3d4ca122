"""Finding out what a seamless wallet decided where the contract leaves a choice, in words and as a policy."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import NamedTuple

from msgspec.structs import replace as changed

from caisse_client import Client
from caisse_kit.check import Failed, NotRun
from caisse_kit.play import AWARDS, Play
from caisse_kit.policy import KYREN_AUTO, Policy
from caisse_kit.reply import Reply
from caisse_kit.runner import EXACT, restored
from caisse_kit.stage import plain
from caisse_kit.target import Target


class Finding(NamedTuple):
    """One answer to one question."""

    question: str
    answer: str
    decided: dict[str, object]
    """Fields of the policy that it settles."""


Probe = Callable[[Play], Finding]


def discover(target: Target) -> tuple[Policy, list[str]]:
    """The wallet's policy, and the same in sentences. Raises Failed if not even the balance can be read."""
    policy, words = (KYREN_AUTO if target.dialect == "kyren-v1" else Policy()), []
    with localcontext(EXACT), Client(target.url, target.timeout) as client:
        for probe in PROBES:
            play = Play(target, client, f"{time.time_ns():x}", random.Random(), policy)  # noqa: S311
            try:
                found = probe(play)
            except NotRun:
                continue
            except Failed as failed:
                words.append(f"{(probe.__doc__ or '').strip()} This could not be found out: {failed}")
                continue
            finally:
                restored(play)
            policy = changed(policy, **found.decided)
            words.append(f"{found.question}: {found.answer}.")
    return policy, words


def refund_by_round(p: Play) -> Finding:
    """Does a Refund name its bet or its round?"""
    question = "A Refund with a round, no amount, and a reference of its own"
    if p.target.dialect == "kyren-v1":
        return Finding(question, "undoes the round, as this edition says", {})
    bet = p.took(p.bet())
    sent = p.refund(bet, reference=p.new("refund"))
    if p.balance() == p.start:
        return Finding(question, "undoes the open bets of that round", {"refund_by_round": True})
    p.cancel(bet)
    return Finding(question, f"is taken for a refund of an unknown bet ({sent.answer})", {})


def unknown_bet(p: Play) -> Finding:
    """How is a refund of an unknown bet answered?"""
    sent = p.refund(p.ghost())
    code = "success" if sent.ok else sent.answer.code
    told = "success, and nothing moves" if sent.ok else f"refused with {_code(sent.answer)}"
    return Finding("A refund of a bet that never came", told + _moved(p, 0), {"unknown_bet": code})


def late_bet(p: Play) -> Finding:
    """What becomes of a bet that comes after its refund?"""
    bet = p.ghost()
    p.cancel(bet)
    late = p.again(bet)
    told = "accepted, and no money is taken" if late.ok else f"refused with {_code(late.answer)}"
    return Finding(
        "A bet that comes after its refund",
        told + _moved(p, 0),
        {"late_bet": "absorb" if late.ok else "refuse"},
    )


def settled_bet(p: Play) -> Finding:
    """Can a settled bet be rolled back?"""
    bet = p.took(p.bet())
    p.took(p.result(bet, Decimal(0)))
    sent = p.cancel(bet)
    told = "accepted, and the stake is given back" if sent.ok else f"refused with {_code(sent.answer)}"
    choice = "return_stake" if sent.ok else "refuse"
    due = Decimal(0) if sent.ok else -p.stake
    return Finding("A rollback of a bet that has a result", told + _moved(p, due), {"settled_bet": choice})


def refund_amount(p: Play) -> Finding:
    """What does a refund smaller than its bet give?"""
    question = "A refund that names less than its bet"
    if p.policy.refund_by_round:
        raise NotRun("a Refund with an amount names a bet")
    sent = p.refund(p.took(p.bet(p.stake * 4)), amount=p.door.amount(p.stake))
    given = p.balance() - (p.start - p.stake * 4)
    if not sent.ok:
        return Finding(question, f"is refused with {_code(sent.answer)}", {"refund_amount": "exact"})
    part = "gives that much" if given == p.stake else f"gives {given} of {p.stake * 4}"
    return Finding(
        question, f"is accepted and {part}", {"refund_amount": "at_most" if given == p.stake else None}
    )


def insufficient(p: Play) -> Finding:
    """How is a bet beyond the balance answered?"""
    sent = p.bet(p.start + p.stake)
    return Finding("A bet beyond the balance", f"is refused with {_code(sent.answer)}" + _moved(p, 0), {})


def conflict(p: Play) -> Finding:
    """How is changed content under one reference answered?"""
    sent = p.again(p.took(p.bet()), amount=p.door.amount(p.stake * 2))
    told = "is answered with success" if sent.ok else f"is refused with {_code(sent.answer)}"
    return Finding("A bet with another amount under a known reference", told, {})


def repeat(p: Play) -> Finding:
    """Which balance does a repeat tell?"""
    first = p.took(p.bet())
    p.took(p.bet())
    told = p.again(first).answer.amount("cash")
    which = (
        "the balance of the first answer"
        if told == first.answer.amount("cash")
        else f"another balance ({told})"
    )
    return Finding("A repeated bet, after another one", f"tells {which}", {})


def rounds_of_players(p: Play) -> Finding:
    """May two players play in one round?"""
    first = p.took(p.bet())
    second = p.bet(userId=p.second, roundId=first.round)
    told = "is accepted" if second.ok else f"is refused with {_code(second.answer)}"
    p.cancel(second)
    return Finding("A bet of a second player in a live round", told, {})


def unknown_session(p: Play) -> Finding:
    """Does the wallet know its sessions?"""
    sent = p.bet(sessionId=p.new("session"))
    told = "is accepted" if sent.ok else f"is refused with {_code(sent.answer)}"
    return Finding("A bet of a session that the wallet does not know", told, {})


def awards(p: Play) -> Finding:
    """Which awards are offered?"""
    if p.target.dialect == "kyren-v1":
        raise NotRun("this edition has none")
    offered = []
    for verb in AWARDS:
        try:
            if p.award(verb, Decimal(0)).answer.status == 200:
                offered.append(verb)
        except NotRun:
            continue
    return Finding("Awards", f"served are {', '.join(offered) or 'none'}", {})


PROBES: tuple[Probe, ...] = (
    *(refund_by_round, unknown_bet, late_bet, settled_bet, refund_amount, insufficient, conflict, repeat),
    *(rounds_of_players, unknown_session, awards),
)


def _code(reply: Reply) -> str:
    return f"{reply.code} {reply.text('description')}".strip() if reply.status == 200 else str(reply)


def _moved(p: Play, due: Decimal | int) -> str:
    """A warning if the money did something else than the answer said."""
    moved = p.balance() - p.start
    return (
        ""
        if moved == due
        else f" — BUT the balance changed by {plain(moved)} instead of {plain(Decimal(due))}"
    )
