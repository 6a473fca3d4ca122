"""Concurrency: the same moment, several requests. One effect for each key, and no money that is not there."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from caisse_kit.check import PRACTICE, SEAMLESS, Failed, Group, NotRun
from caisse_kit.play import AWARDS, LIMITED, Play, Sent

group: Group[Play] = Group("concurrency", SEAMLESS)

ROUNDS = 3
"""How often a race is run: a wallet that loses one loses it soon."""


def _repeats(p: Play, sends: Callable[[], Callable[[], Sent]], by: Decimal | int, what: str) -> None:
    """The same request from several callers at once: one effect, and the same answer for each."""
    for _ in range(ROUNDS):
        before = p.balance()
        send = sends()
        replies = p.at_once([send] * p.target.callers)
        p.moved(by, f"after {what}, {p.target.callers} times at once", start=before)
        accepted = [sent for sent in replies if sent.ok]
        if not accepted:
            raise Failed(
                f"{what}, sent {p.target.callers} times at once, was never accepted: {replies[0].answer}"
            )
        for sent in replies:
            final = sent.answer.status == 200 and sent.answer.code in p.policy.final
            if not sent.ok and final:
                raise Failed(f"{what} was done, and a repeat got another final answer: {sent.answer}")
            if sent.ok:
                p.same(accepted[0], sent, "repeats at once")


@group.check(
    "same-bet",
    "The same Bet several times at once takes its stake once.",
    "The vendor's retransmission overtakes its first request, and the stake is taken twice.",
    "R6",
)
def same_bet(p: Play) -> None:
    def sends() -> Callable[[], Sent]:
        bet = p.ghost()
        return lambda: p.again(bet)

    _repeats(p, sends, -p.stake, "one bet")


@group.check(
    "same-result",
    "The same Result several times at once is paid once.",
    "The vendor's retransmission overtakes its first request, and the win is paid twice.",
    "R6",
)
def same_result(p: Play) -> None:
    def sends() -> Callable[[], Sent]:
        fields = p.result_fields(bet, p.stake)
        return lambda: p.send("Result", fields)

    bet = p.took(p.bet())
    _repeats(p, sends, p.stake, "one result")


@group.check(
    "same-rollback",
    "Refund and Cancel of one bet, all at once, give its stake back once.",
    "The stake is given back as often as it is asked for at once.",
    "R6, R21",
)
def same_rollback(p: Play) -> None:
    for _ in range(ROUNDS):
        bet = p.took(p.bet())
        half = p.target.callers // 2
        p.at_once([partial(p.refund, bet)] * half + [partial(p.cancel, bet)] * half)
        p.moved(0, "after a bet and its rollbacks at once")


@group.check(
    "same-award",
    "The same award several times at once is paid once.",
    "The award is paid as often as it is sent at once.",
    "R6, R44",
    needs="seamless-v4",
)
def same_award(p: Play) -> None:
    p.award(AWARDS[0], Decimal(0))

    def sends() -> Callable[[], Sent]:
        fields = p.award_fields(AWARDS[0], p.stake)
        return lambda: p.send(AWARDS[0], fields)

    _repeats(p, sends, p.stake, "one award")


@group.check(
    "conflicting-bets",
    "Bets of one reference and two amounts at once take one of the two.",
    "A reference that the provider used for one bet takes two stakes.",
    "R5, R6",
)
def conflicting_bets(p: Play) -> None:
    for _ in range(ROUNDS):
        before = p.balance()
        bet = p.ghost()
        more = p.door.amount(p.stake * 2)
        replies = p.at_once([partial(p.again, bet), partial(p.again, bet, amount=more)] * 2)
        now = p.balance()
        if before - now not in (p.stake, p.stake * 2):
            told = "; ".join(str(sent.answer) for sent in replies)
            raise Failed(f"{before - now} was taken for bets of {p.stake} and {p.stake * 2} ({told})")


@group.check(
    "drain",
    "Of several bets at once that the balance covers only one of, one is taken.",
    "A player with two windows bets the same money twice.",
    "R14, R46",
)
def drain(p: Play) -> None:
    for _ in range(ROUNDS):
        before = p.balance()
        amount = before - p.stake
        bets = [p.ghost(amount=amount) for _ in range(p.target.callers)]
        replies = p.at_once([partial(p.again, bet) for bet in bets])
        taken = [sent for sent in replies if sent.ok]
        if not taken and replies[0].answer.code in LIMITED:
            raise NotRun("the wallet limits bets")
        now = p.balance()
        for sent in taken:
            p.cancel(sent)
        if len(taken) != 1 or now != before - amount:
            raise Failed(
                f"{len(taken)} of {len(bets)} bets of {amount} were taken from {before}, which left {now}"
            )


@group.check(
    "many-bets",
    "Many different bets at once are each booked: the sum adds up.",
    "Of two movements at once one is lost: stakes vanish, or wins.",
    "R14",
    source=PRACTICE,
)
def many_bets(p: Play) -> None:
    bets = [p.ghost() for _ in range(p.target.callers * 2)]
    replies = p.at_once([partial(p.again, bet) for bet in bets])
    taken = [sent for sent in replies if sent.ok]
    p.moved(-p.stake * len(taken), f"after {len(taken)} bets at once")


@group.check(
    "bets-and-wins",
    "Bets and results of different rounds at once add up.",
    "Of two movements at once one is lost: stakes vanish, or wins.",
    "R14",
    source=PRACTICE,
)
def bets_and_wins(p: Play) -> None:
    placed = [p.took(p.bet()) for _ in range(p.target.callers)]
    before = p.balance()
    sends: list[Callable[[], Sent]] = [partial(p.result, bet, p.stake * 2) for bet in placed]
    sends += [partial(p.again, p.ghost()) for _ in placed]
    done = [sent for sent in p.at_once(sends) if sent.ok]
    wins = sum(sent.verb == "Result" for sent in done)
    p.moved(p.stake * (2 * wins - (len(done) - wins)), "after bets and wins at once", start=before)


@group.check(
    "bet-against-rollback",
    "A bet and its rollback at once leave the player where he was, whichever came first.",
    "The stake is taken and never given back, or given back and never taken.",
    "R31",
)
def bet_against_rollback(p: Play) -> None:
    for _ in range(ROUNDS):
        bet = p.ghost()
        p.at_once([partial(p.again, bet), partial(p.cancel, bet)])
        p.moved(0, "after a bet and its rollback at once")


@group.check(
    "result-against-rollback",
    "A result and a rollback of one bet at once: the money is what the two answers say.",
    "The player has the stake back and the win, although the provider got a success for only one.",
    "R26, R41",
)
def result_against_rollback(p: Play) -> None:
    for _ in range(ROUNDS):
        before = p.balance()
        bet = p.took(p.bet())
        win, back = p.at_once([partial(p.result, bet, p.stake * 3), partial(p.cancel, bet)])
        due = p.stake * (-1 + 3 * win.ok + back.ok)
        if win.ok and back.ok and p.policy.settled_bet == "refuse":
            raise Failed("both were accepted, and this wallet refuses rollbacks of settled bets")
        p.moved(due, f"result: {win.answer}; rollback: {back.answer}", start=before)
