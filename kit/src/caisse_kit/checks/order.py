"""Order: messages arrive as the network likes. Whatever comes first, nobody gains and nobody loses.

The permutations are held against a model that knows only what each answer promised, so a wallet may refuse
what another accepts; but what it answers must be what the money did.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import permutations

from caisse_kit.check import SEAMLESS, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("order", SEAMLESS)

LATE = "A bet whose refund came first takes the player's money, and nobody will ever give it back."


@group.check(
    "refund-first",
    "A bet that comes after its refund takes no money.",
    LATE,
    "R23",
)
def refund_first(p: Play) -> None:
    bet = p.ghost()
    p.refund(bet)
    _late(p, bet)


@group.check("cancel-first", "A bet that comes after its cancel takes no money.", LATE, "R23")
def cancel_first(p: Play) -> None:
    bet = p.ghost()
    p.cancel(bet)
    _late(p, bet)


def _late(p: Play, bet: Sent) -> None:
    late = p.again(bet)
    if late.answer.crashed:
        raise Failed(f"a late bet: {late.answer}")
    p.unmoved(f"after a bet that came behind its rollback and was answered {late.answer}")


@group.check(
    "late-bet-refunded-again",
    "After a refund, its late bet, and the refund again, nothing has moved.",
    "The late bet took nothing, and its refund gives something.",
    "R23, R24",
)
def late_bet_refunded_again(p: Play) -> None:
    bet = p.ghost()
    first = p.refund(bet)
    p.again(bet)
    p.again(first)
    p.again_anew(first)
    p.cancel(bet)
    p.unmoved("after refund, late bet and further refunds")


@group.check(
    "late-bet-of-another-reference",
    "A refund of an unknown bet does not stand in the way of another bet of that round.",
    "Players cannot bet because of a refund that was not theirs to feel.",
    "R23",
    needs="by-reference",
)
def late_bet_of_another_reference(p: Play) -> None:
    ghost = p.ghost()
    p.cancel(ghost)
    p.took(p.bet(roundId=ghost.round), "another bet of that round")
    p.moved(-p.stake, "after another bet of that round")


@group.check(
    "bet-in-refunded-round",
    "After a refund that names a round, another bet of that round takes no money.",
    LATE,
    "R32",
    needs="by-round",
)
def bet_in_refunded_round(p: Play) -> None:
    first = p.took(p.bet())
    p.took(p.refund(first))
    late = p.bet(roundId=first.round)
    p.unmoved(f"after another bet of a refunded round, answered {late.answer}")


@group.check(
    "result-after-rollback",
    "A result of a round whose only bet was rolled back is refused and pays nothing.",
    "The player has the stake back and is paid a win as well.",
    "R41",
)
def result_after_rollback(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.refund(bet))
    p.refused(p.result(bet, p.stake * 2), "its bet was rolled back")
    p.unmoved("after a result of a round that was rolled back")


@group.check(
    "rollback-after-result",
    "A rollback of a bet with a result is refused and gives nothing, or accepted and gives the stake.",
    "The provider reads success for a refund that did not happen, or the player gets one that was refused.",
    "R26",
)
def rollback_after_result(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.result(bet, p.stake * 3))
    sent = p.cancel(bet)
    p.moved(p.stake * (3 if sent.ok else 2), f"after a rollback of a settled bet, answered {sent.answer}")
    p.again(sent)
    p.cancel(bet)
    p.moved(p.stake * (3 if sent.ok else 2), "after the same rollback again")


@group.check(
    "later-bet-of-settled-round",
    "A bet that was placed after its round's result is still open and can be rolled back.",
    "Second stakes of a round are kept although they must go back.",
    "R26",
)
def later_bet_of_settled_round(p: Play) -> None:
    first = p.took(p.bet())
    p.took(p.result(first, p.stake))
    second = p.bet(roundId=first.round)
    back = p.cancel(second)
    if second.ok:
        p.took(back, "no result came after that bet")
    p.moved(0, "after a settled bet and a later one that was rolled back")


@group.check(
    "result-before-bet",
    "A result that overtakes its bet is not paid twice once the bet is there.",
    "A win is paid without a stake, or twice.",
    "R41",
)
def result_before_bet(p: Play) -> None:
    ghost = p.ghost()
    p.result(ghost, p.stake * 2)
    bet = p.took(p.again(ghost), "the round's bet")
    p.took(p.result(bet, p.stake * 2))
    p.moved(p.stake, "after a result, its bet, and a result under another reference")


@group.check(
    "refund-after-end",
    "A rollback after EndRound is refused and gives nothing, or accepted and gives the stake.",
    "What was answered and what the player has differ.",
    "R26",
)
def refund_after_end(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.end(bet))
    sent = p.cancel(bet)
    p.moved(0 if sent.ok else -p.stake, f"after a rollback behind EndRound, answered {sent.answer}")


@group.check(
    "permutations-of-three",
    "Bet, result and rollback of one bet add up in each of their 6 orders.",
    "In some order of arrival money is created or lost.",
    "R20, R23, R26, R41",
)
def permutations_of_three(p: Play) -> None:
    _permuted(p, ("bet", "result", "rollback"))


@group.check(
    "permutations-with-end",
    "Bet, result, rollback and EndRound add up in each of their 24 orders.",
    "In some order of arrival money is created or lost.",
    "R20, R23, R26, R41, R43",
)
def permutations_with_end(p: Play) -> None:
    _permuted(p, ("bet", "result", "rollback", "end"))


@group.check(
    "permutations-with-repeats",
    "A bet and its rollback, each sent twice, add up in each order.",
    "A repeat that overtakes moves money a second time.",
    "R6, R21, R23",
)
def permutations_with_repeats(p: Play) -> None:
    _permuted(p, ("bet", "bet", "rollback", "rollback"))


@group.check(
    "permutations-of-two-bets",
    "Two bets of one round, a rollback of the first and a result add up in each of their 24 orders.",
    "In some order of arrival a bet that stands is given back, or a win is paid for one that does not.",
    "R20, R26, R41",
)
def permutations_of_two_bets(p: Play) -> None:
    _permuted(p, ("bet", "other bet", "rollback", "result"))


def _permuted(p: Play, messages: tuple[str, ...]) -> None:
    for order in dict.fromkeys(permutations(messages)):
        _play_order(p, order)


def _play_order(p: Play, order: tuple[str, ...]) -> None:
    """Send them in this order; after each, the balance must be what the answer promised."""
    bet = p.ghost()
    other = p.ghost(roundId=bet.round)
    win = p.result_fields(bet, p.stake * 3)
    held = p.balance()
    model = Model(p.stake, p.stake * 3)
    for place, message in enumerate(order):
        if message in ("bet", "other bet"):
            sent = p.again(bet if message == "bet" else other)
        elif message == "result":
            sent = p.send("Result", win)
        else:
            sent = p.cancel(bet) if message == "rollback" else p.end(bet)
        due = {held + step for step in model.steps(message, sent.ok)}
        now = p.balance()
        story = " → ".join(order[: place + 1])
        if sent.answer.crashed:
            raise Failed(f"{story}: {sent.answer}")
        if now not in due:
            expected = " or ".join(sorted(str(d - held) for d in due)) or "a refusal"
            raise Failed(
                f"{story}: answered {sent.answer}; it must move {expected}, and it moved {now - held}"
            )
        model.note(message, sent.ok, now - held)
        held = now


class Model:
    """What may move next, from what has moved so far. It has no opinion where the contract has none."""

    def __init__(self, stake: Decimal, win: Decimal) -> None:
        self.stake, self.win = stake, win
        self.taken: dict[str, bool] = {}
        """Bet -> whether it stands."""
        self.decided: dict[str, bool] = {}
        """Message -> whether its first answer was a success."""
        self.rolled_back = self.settled = False

    def steps(self, message: str, ok: bool) -> Iterator[Decimal]:
        nothing = Decimal(0)
        if not ok or (message in self.decided and message != "end"):
            # A repeat moves nothing, and neither does a refusal. But a first bet must not be refused in vain.
            if not (message == "bet" and not ok and not self.decided):
                yield nothing
        elif message == "bet" and self.rolled_back:
            yield nothing
        elif message in ("bet", "other bet"):
            yield -self.stake
        elif message == "result":
            if any(self.taken.values()):
                yield self.win
        elif message == "rollback":
            yield self.stake if self.taken.get("bet") else nothing
        else:
            yield nothing

    def note(self, message: str, ok: bool, moved: Decimal) -> None:
        self.decided.setdefault(message, ok)
        if message in ("bet", "other bet") and moved < 0:
            self.taken[message] = True
        if message == "rollback":
            self.rolled_back = self.rolled_back or "bet" not in self.taken or moved > 0
            if moved > 0:
                self.taken["bet"] = False
