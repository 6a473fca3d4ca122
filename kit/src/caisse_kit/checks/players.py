"""Players: two of them, one reference, one round. Nobody pays for, or is paid for, another."""

from __future__ import annotations

from decimal import Decimal

from caisse_kit.check import PRACTICE, SEAMLESS, SHOULD, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("players", SEAMLESS)

SECOND = "second-user"


class _Other:
    """The second player, beside the play of the first."""

    def __init__(self, p: Play) -> None:
        self.p = p
        self.user = p.second
        self.start = p.balance(self.user)

    def moved(self, by: Decimal | int, why: str) -> None:
        self.p.moved(by, f"the second player, {why}", self.user, self.start)

    def restore(self) -> None:
        """Awards and lost bets of these checks leave the second player as they found him."""
        left = self.p.balance(self.user) - self.start
        if left < 0:
            bet = self.p.bet(self.p.stake, userId=self.user)
            self.p.result(bet, self.p.stake - left)
        elif left > 0:
            self.p.bet(left, userId=self.user)


@group.check(
    "same-reference",
    "A second player's bet under a reference that is taken is refused, or taken from that player.",
    "The second player plays for free, or sees the first one's balance.",
    "R4, R5",
    needs=SECOND,
)
def same_reference(p: Play) -> None:
    other = _Other(p)
    first = p.took(p.bet())
    second = p.again(first, userId=other.user)
    if second.answer.crashed:
        raise Failed(f"a second player's bet: {second.answer}")
    other.moved(-p.stake if second.ok else 0, f"whose bet was answered {second.answer}")
    p.moved(-p.stake, "the first player, after the second one's bet")
    other.restore()


@group.check(
    "foreign-refund",
    "A rollback of another player's bet gives neither of them anything, and is refused.",
    "A player is given another one's stake.",
    "R28",
    needs=SECOND,
)
def foreign_refund(p: Play) -> None:
    other = _Other(p)
    bet = p.took(p.bet())
    p.refused(p.cancel(bet, userId=other.user), "it is another player's bet")
    other.moved(0, "after a rollback of the first one's bet")
    p.moved(-p.stake, "the first player, after a rollback in the second one's name")


@group.check(
    "foreign-refund-first",
    "After a rollback in another player's name the right one still gives the stake back.",
    "A stake that must go back is kept.",
    "R8, R28",
    needs=SECOND,
)
def foreign_refund_first(p: Play) -> None:
    bet = p.took(p.bet())
    p.cancel(bet, userId=p.second)
    p.took(p.cancel(bet), "the right player's rollback")
    p.unmoved("the first player, after both rollbacks")


@group.check(
    "foreign-result",
    "A result for a player who did not bet in that round is refused and pays nobody.",
    "A win is paid to a player who did not play.",
    "R40, R41",
    needs=SECOND,
)
def foreign_result(p: Play) -> None:
    other = _Other(p)
    bet = p.took(p.bet())
    p.refused(p.result(bet, p.stake * 2, userId=other.user), "that player has no bet in the round")
    other.moved(0, "after a result of a round that he did not play")
    p.moved(-p.stake, "the first player, after a result in the second one's name")
    other.restore()


def _table(p: Play) -> tuple[_Other, Sent, Sent]:
    """One live round, two players, a bet of each."""
    other = _Other(p)
    first = p.took(p.bet())
    second = p.took(
        p.bet(p.stake * 2, userId=other.user, roundId=first.round), "a live table's second player"
    )
    return other, first, second


@group.check(
    "one-round-two-players",
    "Two players bet and win in one live round, each with his own money.",
    "Only the first player of a live table can play.",
    "R40",
    needs=SECOND,
)
def one_round_two_players(p: Play) -> None:
    other, first, second = _table(p)
    p.took(p.result(first, p.stake * 2))
    p.took(p.result(second, p.stake * 2), "the second player's win")
    p.moved(p.stake, "the first player of a live round")
    other.moved(0, "after a bet and a win of two stakes")


@group.check(
    "one-round-one-rollback",
    "A rollback of one player's bet in a live round leaves the other player's.",
    "All stakes of a table are given back because of one, or wins of the others refused.",
    "R40",
    needs=SECOND,
)
def one_round_one_rollback(p: Play) -> None:
    other, first, second = _table(p)
    p.took(p.refund(first))
    p.unmoved("the first player, after his refund")
    other.moved(p.stake * -2, "whose bet stands")
    p.took(p.result(second, p.stake * 2), "the second player's win")
    other.moved(0, "after his win")


@group.check(
    "one-round-one-end",
    "The end of one player's round leaves the other player's open.",
    "At a live table the slower player's bets are refused, and his refunds.",
    "R40",
    needs=SECOND,
)
def one_round_one_end(p: Play) -> None:
    other, first, second = _table(p)
    p.took(p.result(first, Decimal(0)))
    p.took(p.end(first))
    p.took(p.cancel(second), "the second player's round is open")
    other.moved(0, "after his bet and its cancel")


@group.check(
    "apart",
    "What one player does changes nothing of another's balance.",
    "Players share a purse.",
    needs=SECOND,
)
def apart(p: Play) -> None:
    other = _Other(p)
    p.took(p.result(p.took(p.bet()), p.stake * 3))
    other.moved(0, "after a bet and a win of the first player")


@group.check(
    "letter-case",
    "A player's id in another letter case is another player.",
    "Two players of the operator share one wallet.",
    "R8",
    severity=SHOULD,
    source=PRACTICE,
)
def letter_case(p: Play) -> None:
    swapped = p.user.swapcase()
    if swapped == p.user:
        return
    p.refused(p.bet(userId=swapped), "no such player")
    p.unmoved("after a bet of a player whose id differs in letter case")
