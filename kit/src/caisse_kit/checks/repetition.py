"""Repetition: the provider sends again whatever it has no answer to. One effect, one answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

from caisse_kit.check import SEAMLESS, SHOULD, Failed, Group
from caisse_kit.play import AWARDS, Play, Sent

group: Group[Play] = Group("repetition", SEAMLESS)

TWICE = "Each answer that the network loses moves the money a second time."


def _repeated(p: Play, sent: Sent, by: Decimal, *, anew: bool) -> None:
    p.took(sent)
    repeats = [p.again_anew(sent) if anew else p.again(sent) for _ in range(2)]
    p.moved(by, f"after {sent.verb} and two repeats")
    for later in repeats:
        p.same(sent, later, "a repeat")


@group.check("bet", "The same Bet sent again takes nothing and gets the first answer.", TWICE, "R1, R6")
def bet(p: Play) -> None:
    _repeated(p, p.bet(), -p.stake, anew=False)


@group.check("bet-new-uuid", "The same Bet under another uuid is a repeat as well.", TWICE, "R4")
def bet_new_uuid(p: Play) -> None:
    _repeated(p, p.bet(), -p.stake, anew=True)


@group.check("result", "The same Result sent again pays nothing and gets the first answer.", TWICE, "R1, R6")
def result(p: Play) -> None:
    _repeated(p, p.result(p.took(p.bet()), p.stake * 2), p.stake, anew=False)


@group.check("result-new-uuid", "The same Result under another uuid is a repeat as well.", TWICE, "R4")
def result_new_uuid(p: Play) -> None:
    _repeated(p, p.result(p.took(p.bet()), p.stake * 2), p.stake, anew=True)


@group.check("refund", "The same Refund sent again gives nothing and gets the first answer.", TWICE, "R21")
def refund(p: Play) -> None:
    _repeated(p, p.refund(p.took(p.bet())), Decimal(0), anew=False)


@group.check("refund-new-uuid", "The same Refund under another uuid is a repeat as well.", TWICE, "R21")
def refund_new_uuid(p: Play) -> None:
    _repeated(p, p.refund(p.took(p.bet())), Decimal(0), anew=True)


@group.check("cancel", "The same Cancel sent again, under any uuid, gives nothing.", TWICE, "R21")
def cancel(p: Play) -> None:
    sent = p.cancel(p.took(p.bet()))
    _repeated(p, sent, Decimal(0), anew=False)
    p.again_anew(sent)
    p.unmoved("after cancelling once more under another uuid")


@group.check(
    "refund-then-cancel",
    "A Cancel of a bet that was refunded gives nothing more, and the other way round.",
    "The provider uses both, and the stake is given back twice.",
    "R21",
)
def refund_then_cancel(p: Play) -> None:
    first, second = p.took(p.bet()), p.took(p.bet())
    p.took(p.refund(first))
    p.cancel(first)
    p.took(p.cancel(second))
    p.refund(second)
    p.unmoved("after refund and cancel of one bet, and cancel and refund of another")


def _award_twice(verb: str) -> Callable[[Play], None]:
    def play(p: Play) -> None:
        _repeated(p, p.award(verb, p.stake), p.stake, anew=False)

    return play


for _verb in AWARDS:
    group.check(
        _verb.lower(),
        f"The same {_verb} sent again pays nothing more.",
        TWICE,
        "R44",
        needs="seamless-v4",
    )(_award_twice(_verb))


@group.check(
    "promotional-part",
    "A promotional win inside a Result is paid once, although the Result is repeated.",
    TWICE,
    "R48",
    needs="seamless-v4",
)
def promotional_part(p: Play) -> None:
    promo = {"promoWinAmount": p.door.amount(p.stake), "promoWinReference": p.new("promo")}
    _repeated(p, p.result(p.took(p.bet()), p.stake, **promo), p.stake, anew=False)


@group.check(
    "promotional-reference",
    "A promotional win is paid once for its reference, inside one Result, another, or as a PromoWin.",
    TWICE,
    "R44, R48",
    needs="seamless-v4",
)
def promotional_reference(p: Play) -> None:
    promo = {"promoWinAmount": p.door.amount(p.stake), "promoWinReference": p.new("promo")}
    bet = p.took(p.bet())
    p.took(p.result(bet, p.stake, **promo))
    second = p.result(bet, p.stake, **promo)
    p.award("PromoWin", p.stake, reference=promo["promoWinReference"])
    p.moved(p.stake * (2 if second.ok else 1), "after one promotional win in two results and a PromoWin")


@group.check(
    "award-name-spaces",
    "A BonusWin and a JackPotWin may have the same reference: each is paid.",
    "A jackpot is taken for a repeat of a bonus and never paid.",
    "R4",
    needs="seamless-v4",
)
def award_name_spaces(p: Play) -> None:
    first = p.took(p.award("BonusWin", p.stake))
    p.took(p.award("JackPotWin", p.stake, reference=first.reference), "a name space of its own")
    p.moved(p.stake * 2, "after two awards of one reference")


@group.check(
    "same-uuid",
    "Two bets of two references are two bets, although they have the same uuid.",
    "A bet is taken for a repeat of another and played for free.",
    "R4",
)
def same_uuid(p: Play) -> None:
    first = p.took(p.bet())
    p.took(p.bet(uuid=first.fields["uuid"]), "the reference is the key")
    p.moved(p.stake * -2, "after two bets of one uuid")


@group.check(
    "later-traffic",
    "After fifty other bets a repeat is still known.",
    "Answers that are lost in a busy minute move the money a second time.",
    "R1",
)
def later_traffic(p: Play) -> None:
    first = p.took(p.bet())
    for _ in range(50):
        p.bet(Decimal(0))
    p.same(first, p.again(first), "a repeat after fifty other bets")
    p.moved(-p.stake, "after a bet, fifty others of 0, and its repeat")


@group.check(
    "later-time",
    "After some seconds a repeat is still known.",
    "The vendor sends again after minutes and hours: each such repeat moves the money a second time.",
    "R1",
)
def later_time(p: Play) -> None:
    first = p.took(p.bet())
    back = p.took(p.cancel(first))
    time.sleep(p.target.later)
    p.same(first, p.again(first), "the bet's repeat")
    p.same(back, p.again(back), "the rollback's repeat")
    p.unmoved("after a bet, its rollback, a pause, and both again")


@group.check(
    "after-restart",
    "After a restart of the wallet repeats are still known, and marks of refunds that came first too.",
    "Each restart of the wallet moves money a second time.",
    "R1",
    needs="restart",
)
def after_restart(p: Play) -> None:
    first, ghost = p.took(p.bet()), p.ghost()
    win = p.took(p.result(first, p.stake))
    p.cancel(ghost)
    p.restart()
    p.same(first, p.again(first), "the bet's repeat after a restart")
    p.same(win, p.again(win), "the result's repeat after a restart")
    p.again(ghost)
    p.unmoved("after a restart, repeats, and a late bet")


@group.check(
    "first-balance",
    "A repeat tells the balance of the first answer, not today's.",
    "The provider's books and the wallet's show different balances after the same movement.",
    "R1",
    severity=SHOULD,
)
def first_balance(p: Play) -> None:
    first = p.took(p.bet())
    p.took(p.bet())
    told = p.again(first).answer.amount("cash")
    if told != first.answer.amount("cash"):
        raise Failed(f"first the cash was {first.answer.amount('cash')}, in the repeat it is {told}")


@group.check(
    "refusal",
    "A bet that was refused stays refused under its reference, although the balance would cover it later.",
    "The provider has written the bet off, and a late repeat takes the player's money.",
    "R2",
)
def refusal(p: Play) -> None:
    bet = p.refused(p.bet(p.start + p.stake), "more than the player has")
    p.took(p.result(p.took(p.bet()), p.stake * 3))
    later = p.refused(p.again(bet), "it was refused before")
    p.moved(p.stake * 2, "after a win, and the refused bet again")
    if later.answer.code != bet.answer.code:
        raise Failed(f"first the refusal was {bet.answer}, later {later.answer}")


@group.check(
    "unknown-refund",
    "A refund of an unknown bet, repeated, gets the same answer.",
    "Each repeat leaves another mark, or another story for a dispute.",
    "R24",
)
def unknown_refund(p: Play) -> None:
    first = p.refund(p.ghost())
    p.same(first, p.again(first), "a repeat")
    p.same(first, p.again_anew(first), "a repeat under another uuid")
    p.unmoved("after a refund of an unknown bet, repeated")


@group.check(
    "name-spaces",
    "A bet and a result may have the same reference: each is booked.",
    "A win is taken for a repeat of its bet and never paid.",
    "R4",
)
def name_spaces(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.result(bet, p.stake * 3, reference=bet.reference), "the vendor's own example shows it")
    p.moved(p.stake * 2, "after a bet and a result of one reference")
