"""Reading: what a wallet says about players, before anything moves."""

from __future__ import annotations

import re
from decimal import Decimal

from caisse_kit.check import SEAMLESS, SHOULD, Failed, Group
from caisse_kit.play import Play

group: Group[Play] = Group("reading", SEAMLESS)

PLAIN = re.compile(rb'"(cash|balance)"\s*:\s*"?(-?[0-9]+(?:\.[0-9]+)?)"?\s*[,}]', re.IGNORECASE)


@group.check(
    "balance",
    "Balance answers success with the wallet's currency and its cash.",
    "The game shows the player no balance and does not start.",
)
def balance(p: Play) -> None:
    sent = p.took(p.read())
    if sent.answer.text("currency").upper() != p.currency.upper():
        raise Failed(
            f"the currency must be {p.currency}, and it is {sent.answer.text('currency') or 'missing'}"
        )
    if sent.answer.amount("cash") is None:
        raise Failed("cash must be an amount")


@group.check(
    "changes-nothing",
    "Reading a balance moves no money.",
    "Each look at the balance costs or gives the player something.",
)
def changes_nothing(p: Play) -> None:
    for _ in range(3):
        p.unmoved("after a look at the balance")


@group.check(
    "unknown-player",
    "Balance refuses a player that does not exist.",
    "Money is played and owed in accounts that belong to nobody.",
    "R8",
)
def unknown_player(p: Play) -> None:
    p.refused(p.read(p.new("nobody")), "no such player")


@group.check("check-known", "Check accepts a player that exists.", "The player cannot enter any game.", "R47")
def check_known(p: Play) -> None:
    p.took(p.send("Check", p.read().fields), "the player exists")


@group.check(
    "check-unknown",
    "Check refuses a player that does not exist.",
    "Games start for players that the operator does not know.",
    "R8",
)
def check_unknown(p: Play) -> None:
    p.refused(p.send("Check", {**p.read().fields, "userId": p.new("nobody")}), "no such player")


@group.check(
    "without-currency",
    "Balance without a currency, as one edition sends it, gets an answer and no server failure.",
    "Players of games under that edition see no balance.",
    "R56",
    severity=SHOULD,
)
def without_currency(p: Play) -> None:
    sent = p.read(currency=...)
    if sent.answer.crashed:
        raise Failed(f"Balance without currency: {sent.answer}")


@group.check(
    "foreign-currency",
    "Balance in a currency that the player has no wallet in is refused, or shows that wallet's nothing.",
    "Money of one currency is shown, and then played, as money of another.",
    "R54",
)
def foreign_currency(p: Play) -> None:
    sent = p.read(currency="XTS")
    if sent.ok and sent.answer.amount("cash") != 0:
        raise Failed(f"a wallet in XTS must not hold {sent.answer.text('cash')}")
    if sent.answer.crashed:
        raise Failed(f"Balance in XTS: {sent.answer}")


@group.check(
    "plain-cash",
    "Amounts in answers are plain digits: no exponent, and not more decimals than went in.",
    "The provider reads another balance than the wallet has, or rounds one.",
    "R12",
)
def plain_cash(p: Play) -> None:
    for amount in ("0.1", "0.2", "0.7"):
        bet = p.took(p.bet(Decimal(amount)))
        found = PLAIN.search(bet.answer.raw)
        if found is None:
            raise Failed(
                f"cash must be plain digits, and the answer is {bet.answer.raw.decode(errors='replace')}"
            )
        if len(found[2].partition(b".")[2].rstrip(b"0")) > max(2, _decimals(p)):
            raise Failed(f"after a bet of {amount} the cash is {found[2].decode()}")


def _decimals(p: Play) -> int:
    return len(f"{p.start:f}".partition(".")[2].rstrip("0"))


@group.check(
    "answer-agrees",
    "The cash in a bet's answer is what Balance says right after it.",
    "The player sees money that is gone, and bets it again.",
)
def answer_agrees(p: Play) -> None:
    bet = p.took(p.bet())
    told, held = bet.answer.amount("cash"), p.balance()
    if told != held:
        raise Failed(f"the bet's answer says {told}, Balance says {held}")
