"""Amounts: exact to the last digit, text or number, and nothing that is no amount."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from caisse_client.calls import number
from caisse_client.money import text_of
from caisse_kit.check import PRACTICE, SEAMLESS, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("amounts", SEAMLESS)

ROUNDED = "Each movement loses or makes a fraction, and the books never agree with the provider's."
CREATED = "A sign or a word in an amount creates money."


def _exact(p: Play, sent: Sent, amount: Decimal) -> None:
    """Taken exactly, or refused and not taken at all."""
    if sent.answer.crashed:
        raise Failed(f"a bet of {amount}: {sent.answer}")
    p.moved(-amount if sent.ok else 0, f"after a bet of {amount}, answered {sent.answer}")


@group.check("text", "An amount may be JSON text.", "Editions that send text cannot play.", "R12")
def text(p: Play) -> None:
    p.took(p.odd_bet(amount=text_of(p.stake)), "an amount as text")
    p.moved(-p.stake, "after an amount as text")


@group.check(
    "number",
    "An amount may be a JSON number, with or without decimals.",
    "Editions that send numbers cannot play.",
    "R12",
)
def as_number(p: Play) -> None:
    p.took(p.odd_bet(amount=number("2")), "an amount as a whole number")
    p.took(p.odd_bet(amount=number("2.50")), "an amount as a number")
    p.moved(Decimal("-4.5"), "after amounts as numbers")


@group.check(
    "cents",
    "Ten bets of 0.1, three of 0.07 and a win of 1.21 add up to nothing.",
    ROUNDED,
    source=PRACTICE,
)
def cents(p: Play) -> None:
    bet = p.took(p.bet(Decimal("0.1")))
    for amount in (*["0.1"] * 9, *["0.07"] * 3):
        p.took(p.bet(Decimal(amount)))
    p.took(p.result(bet, Decimal("1.21")))
    p.unmoved("after bets of 0.1 and 0.07 and a win of their sum")


@group.check("third-decimal", "A third decimal is booked exactly or refused, never rounded.", ROUNDED, "R13")
def third_decimal(p: Play) -> None:
    _exact(p, p.bet(Decimal("1.005")), Decimal("1.005"))


@group.check(
    "eighteenth-decimal",
    "The contract's smallest amount is booked exactly or refused, never rounded.",
    ROUNDED,
    "R13",
)
def eighteenth_decimal(p: Play) -> None:
    amount = Decimal("1.000000000000000001")
    _exact(p, p.bet(amount), amount)


@group.check(
    "large-win",
    "A win of more than ten thousand million and a cent is paid exactly.",
    "Jackpots wrap around or lose their cents.",
    "R13",
)
def large_win(p: Play) -> None:
    amount = Decimal("12345678901.23")
    p.took(p.result(p.took(p.bet()), amount), "a win is always paid")
    p.moved(amount - p.stake, "after a large win")


@group.check(
    "zeros",
    "10, 10.0 and 10.00 are one amount.",
    "Wins and bets of one sender are refused or misread.",
    "R12",
)
def zeros(p: Play) -> None:
    for written in ("2", "2.0", "2.000000000000000000"):
        p.took(p.odd_bet(amount=written), f"the amount {written}")
    p.moved(-6, "after three bets of 2")


NEGATIVE = number("-5")


@group.check("negative-bet", "A negative bet is refused and gives nothing.", CREATED, "R12")
def negative_bet(p: Play) -> None:
    for amount in (NEGATIVE, "-5", "-0.01"):
        p.refused(p.odd_bet(amount=amount), "a negative amount")
    p.unmoved("after negative bets")


@group.check(
    "negative-result",
    "A negative result is refused and takes nothing.",
    "Players lose wins they never had.",
    "R12",
)
def negative_result(p: Play) -> None:
    bet = p.took(p.bet())
    for amount in (NEGATIVE, "-5"):
        p.refused(p.send("Result", {**p.result_fields(bet, p.stake), "amount": amount}), "a negative amount")
    p.moved(-p.stake, "after negative results")


@group.check(
    "negative-refund",
    "A refund of a negative amount takes nothing and gives no more than the stake.",
    CREATED,
    "R12, R25",
    needs="by-reference",
)
def negative_refund(p: Play) -> None:
    bet = p.took(p.bet())
    sent = p.refund(bet, amount=NEGATIVE)
    p.moved(0 if sent.ok else -p.stake, f"after a refund of -5, answered {sent.answer}")


@group.check(
    "exponent",
    "An amount with an exponent is refused, or read as the number that it is.",
    "One hundred is read as one, or as nothing.",
    "R12",
)
def exponent(p: Play) -> None:
    before = p.balance()
    for token in (number("1e1"), "1e1"):
        sent = p.odd_bet(amount=token)
        now = p.balance()
        if before - now != (10 if sent.ok else 0):
            raise Failed(f"a bet of {token!r}, answered {sent.answer}, took {before - now}")
        before = now


@group.check(
    "no-amount",
    "What is no amount is refused and moves nothing.",
    "A bet of nothing is accepted, and its win is owed.",
    "R12",
)
def no_amount(p: Play) -> None:
    odd: tuple[Any, ...] = (
        "NaN",
        "Infinity",
        "abc",
        "",
        "1,5",
        "0x10",
        "\u0661",
        True,
        [],
        {},
        "1 000",
        "--1",
    )
    for value in odd:
        p.refused(p.odd_bet(amount=value), f"the amount {value!r}")
    p.unmoved("after bets whose amounts are none")


@group.check(
    "sloppy",
    "Amounts such as ` 1`, `+1`, `1.` and `.5` are refused, or booked as the number that they are.",
    "The wallet reads another amount than the provider wrote.",
    "R12",
)
def sloppy(p: Play) -> None:
    before = p.balance()
    for value, meant in ((" 1", "1"), ("1 ", "1"), ("+1", "1"), ("1.", "1"), (".5", "0.5"), ("01", "1")):
        sent = p.odd_bet(amount=value)
        now = p.balance()
        if before - now != (Decimal(meant) if sent.ok else 0):
            raise Failed(f"a bet of {value!r}, answered {sent.answer}, took {before - now}")
        before = now


@group.check(
    "overlong",
    "An amount of 40 digits is refused by an answer.",
    "The wallet fails, the provider repeats for ever, or the amount wraps around.",
    "R12",
)
def overlong(p: Play) -> None:
    for value in (number("9" * 40), "9" * 40, "1" + "0" * 300):
        p.refused(p.odd_bet(amount=value), "an amount of 40 digits and more")
    p.unmoved("after overlong amounts")
    _exact(p, p.odd_bet(amount="0." + "1" * 40), Decimal("0." + "1" * 40))
