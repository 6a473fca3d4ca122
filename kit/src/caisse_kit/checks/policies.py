"""Policies: where the contract leaves a choice, the wallet does what its profile says."""

from __future__ import annotations

from caisse_kit.check import INFO, SEAMLESS, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("policies", SEAMLESS)

OTHERWISE = "The operator and the provider expect different things of the same message."


@group.check(
    "unknown-bet",
    "A refund of an unknown bet is answered as the profile says.",
    OTHERWISE,
    "R22",
    needs="named-profile",
)
def unknown_bet(p: Play) -> None:
    _code(p, p.refund(p.ghost()), p.policy.unknown_bet == "success", p.policy.unknown_bet or "")


@group.check(
    "late-bet",
    "A bet after its refund is answered as the profile says.",
    OTHERWISE,
    "R23",
    needs="named-profile",
)
def late_bet(p: Play) -> None:
    bet = p.ghost()
    p.cancel(bet)
    _code(p, p.again(bet), p.policy.late_bet == "absorb")


@group.check(
    "settled-bet",
    "A rollback of a settled bet is answered as the profile says.",
    OTHERWISE,
    "R26",
    needs="named-profile",
)
def settled_bet(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.result(bet, p.stake))
    _code(p, p.cancel(bet), p.policy.settled_bet == "return_stake")


@group.check(
    "refund-amount",
    "A refund smaller than its bet is answered as the profile says.",
    OTHERWISE,
    "R25",
    needs="named-profile by-reference",
)
def refund_amount(p: Play) -> None:
    bet = p.took(p.bet(p.stake * 2))
    _code(p, p.refund(bet, amount=p.door.amount(p.stake)), p.policy.refund_amount == "at_most")
    p.moved(-p.stake if p.policy.refund_amount == "at_most" else p.stake * -2, "after a partial refund")


@group.check(
    "final-codes",
    "A refusal for good has a code that the provider takes for final.",
    "The provider repeats each refused bet three times and then cancels it.",
    severity=INFO,
)
def final_codes(p: Play) -> None:
    bet = p.ghost()
    p.cancel(bet)
    for sent in (p.bet(p.start * 2), p.again(bet)):
        if not sent.ok and sent.answer.code not in p.policy.final:
            raise Failed(f"{sent} was refused with {sent.answer.code}; final are {', '.join(p.policy.final)}")


def _code(p: Play, sent: Sent, accepted: bool, code: str = "") -> None:
    if sent.ok != accepted or (code not in ("", "success") and sent.answer.code != code):
        expected = "success" if accepted else f"code {code}" if code else "a refusal"
        raise Failed(f"the profile {p.policy.name} says {expected}, and {sent} was answered {sent.answer}")
