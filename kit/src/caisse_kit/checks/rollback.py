"""Rollback: Refund and Cancel give a bet back exactly once, and never anything else."""

from __future__ import annotations

from decimal import Decimal

from caisse_kit.check import SEAMLESS, SHOULD, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("rollback", SEAMLESS)


@group.check(
    "refund",
    "A Refund gives an open bet back, exactly.",
    "Players lose stakes of rounds that were never played.",
    "R20",
)
def refund(p: Play) -> None:
    p.took(p.refund(p.took(p.bet())))
    p.unmoved("after a bet and its refund")


@group.check(
    "cancel", "A Cancel gives an open bet back, exactly.", "Players lose stakes of bets that failed.", "R20"
)
def cancel(p: Play) -> None:
    p.took(p.cancel(p.took(p.bet())))
    p.unmoved("after a bet and its cancel")


@group.check(
    "transaction",
    "A refund's answer has a transaction id of its own, not the bet's.",
    "A refund cannot be told from its bet in a dispute.",
    "R20",
    severity=SHOULD,
)
def transaction(p: Play) -> None:
    bet = p.took(p.bet())
    back = p.took(p.refund(bet))
    if back.transaction in ("", bet.transaction):
        raise Failed(f"the refund's transaction id is {back.transaction!r}, the bet's {bet.transaction!r}")


@group.check(
    "unknown-bet",
    "A refund of a bet that never came gives nothing, whatever amount it names.",
    "Anybody's refund of nothing creates money.",
    "R22",
)
def unknown_bet(p: Play) -> None:
    p.refund(p.ghost())
    p.unmoved("after a refund of an unknown bet")
    p.refund(p.ghost(), amount=p.door.amount(p.stake))
    p.unmoved("after a refund of an unknown bet that names an amount")


@group.check(
    "unknown-answer",
    "A refund of a bet that never came is answered: success with a transaction id, or an error code.",
    "The provider sends the refund again for ever.",
    "R22",
)
def unknown_answer(p: Play) -> None:
    _readable(p.refund(p.ghost()))


@group.check(
    "unknown-cancel",
    "A cancel of a bet that never came gives nothing and is answered.",
    "The provider cancels for ever, or money is created.",
    "R22",
)
def unknown_cancel(p: Play) -> None:
    sent = p.cancel(p.ghost())
    p.unmoved("after a cancel of an unknown bet")
    if sent.answer.crashed:
        raise Failed(f"Cancel of an unknown bet: {sent.answer}")


def _readable(sent: Sent) -> None:
    if sent.answer.crashed or (sent.ok and not sent.transaction):
        raise Failed(f"neither a success with a transaction id nor an error code: {sent.answer}")


@group.check(
    "unknown-player",
    "A refund for a player that does not exist is refused, never answered with success.",
    "The provider believes that money was given back, and nobody has it.",
    "R22",
)
def unknown_player(p: Play) -> None:
    p.refused(p.refund(p.ghost(userId=p.new("nobody"))), "no such player")


@group.check(
    "amount-equal",
    "A refund that names the bet's own amount gives that back.",
    "Refunds are refused.",
    "R25",
    needs="by-reference",
)
def amount_equal(p: Play) -> None:
    p.took(p.refund(p.took(p.bet()), amount=p.door.amount(p.stake)))
    p.unmoved("after a refund that names the stake")


@group.check(
    "amount-greater",
    "A refund that names more than the bet gives nothing beyond the stake.",
    "A wrong or forged refund creates money.",
    "R25",
    needs="by-reference",
)
def amount_greater(p: Play) -> None:
    bet = p.took(p.bet())
    sent = p.refund(bet, amount=p.door.amount(p.stake * 5))
    if sent.answer.crashed:
        raise Failed(f"a refund greater than its bet: {sent.answer}")
    p.moved(0 if sent.ok else -p.stake, "after a refund of five stakes")


@group.check(
    "amount-smaller",
    "A refund that names less than the bet gives that much or the stake, or is refused and gives nothing.",
    "The player gets another amount than the answer confirms.",
    "R25",
    needs="by-reference",
)
def amount_smaller(p: Play) -> None:
    bet = p.took(p.bet(p.stake * 4))
    sent = p.refund(bet, amount=p.door.amount(p.stake))
    gained = p.balance() - (p.start - p.stake * 4)
    allowed = (p.stake, p.stake * 4) if sent.ok else (Decimal(0),)
    if gained not in allowed:
        raise Failed(
            f"a refund of {p.stake} of a bet of {p.stake * 4} was answered {sent.answer}, and gave {gained}"
        )


@group.check(
    "partial-again",
    "Partial refunds of one bet do not add up.",
    "Several small refunds give back more than the provider decided.",
    "R21, R25",
    needs="by-reference",
)
def partial_again(p: Play) -> None:
    bet = p.took(p.bet(p.stake * 4))
    p.refund(bet, amount=p.door.amount(p.stake))
    once = p.balance()
    for _ in range(3):
        p.refund(bet, amount=p.door.amount(p.stake))
    p.moved(0, "after the same partial refund three times more", start=once)
    if once > p.start - p.stake * 4:
        p.refund(bet, amount=p.door.amount(p.stake * 4))
        p.cancel(bet)
        p.moved(0, "after a whole refund and a cancel behind a partial one", start=once)


@group.check(
    "refused-bet",
    "A refund of a bet that was refused gives nothing.",
    "A bet that took no money is given back.",
    "R27",
)
def refused_bet(p: Play) -> None:
    bet = p.refused(p.bet(p.start + p.stake), "more than the player has")
    p.refund(bet)
    p.cancel(bet)
    p.unmoved("after refunding a bet that was refused")


@group.check(
    "zero-bet", "A bet of 0 can be rolled back, and moves nothing.", "The provider cancels for ever.", "R45"
)
def zero_bet(p: Play) -> None:
    p.took(p.cancel(p.took(p.bet(Decimal(0)))), "a rollback of a free spin")
    p.unmoved("after rolling back a bet of 0")


@group.check(
    "one-of-two",
    "Cancelling one bet of a round leaves the other.",
    "A bet that stands is given back as well.",
    "R20",
)
def one_of_two(p: Play) -> None:
    first = p.took(p.bet())
    p.took(p.bet(p.stake * 2, roundId=first.round))
    p.took(p.cancel(first))
    p.moved(p.stake * -2, "after cancelling one of two bets")


@group.check(
    "whole-round",
    "A refund that names a round gives all its open bets back.",
    "Of a cancelled round only one bet is given back.",
    "R32",
    needs="by-round",
)
def whole_round(p: Play) -> None:
    first = p.took(p.bet())
    p.took(p.bet(p.stake * 2, roundId=first.round))
    p.took(p.refund(first))
    p.unmoved("after refunding a round of two bets")


@group.check(
    "round-with-win",
    "A refund that names a round with a paid win is refused and gives nothing.",
    "The player keeps the win and gets the stakes back as well.",
    "R32",
    needs="by-round",
)
def round_with_win(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.result(bet, p.stake * 3))
    p.refused(p.refund(bet), "a win of that round was paid")
    p.moved(p.stake * 2, "after refunding a round with a win")


@group.check(
    "of-rollback",
    "A rollback cannot be rolled back: its transaction id names no bet.",
    "A stake that was given back is taken again, or given again.",
    "R29",
)
def of_rollback(p: Play) -> None:
    back = p.took(p.cancel(p.took(p.bet())))
    p.cancel(Sent("Bet", {**back.fields, "reference": back.transaction or p.new("none")}))
    p.unmoved("after cancelling a rollback")


@group.check(
    "of-result",
    "A rollback that names a result's reference neither takes the win nor gives it again.",
    "Wins are paid twice, or taken from players.",
    "R29",
)
def of_result(p: Play) -> None:
    bet = p.took(p.bet())
    win = p.took(p.result(bet, p.stake * 3))
    p.cancel(Sent("Bet", {**bet.fields, "reference": win.reference}))
    p.moved(p.stake * 2, "after a rollback that names a result")


@group.check(
    "without-session",
    "A cancel that names an older session is done all the same.",
    "Bets of players who left are never given back.",
    "R30",
)
def without_session(p: Play) -> None:
    p.took(p.cancel(p.took(p.bet()), sessionId=p.new("session")), "the session decides nothing")
    p.unmoved("after a cancel from another session")
