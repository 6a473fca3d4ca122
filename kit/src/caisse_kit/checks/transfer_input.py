"""The transfer door: logins, odd bodies, and the form of its answers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from caisse_client import TransferV3, TransferV4
from caisse_client.calls import number
from caisse_kit.bank import Bank
from caisse_kit.check import SHOULD, TRANSFER, Failed, Group

group: Group[Bank] = Group("transfer-input", TRANSFER)


@group.check(
    "negative",
    "Amounts of zero and below are refused and move nothing.",
    "A sign in an amount creates money.",
    "R12",
)
def negative(b: Bank) -> None:
    user = b.player(10)
    for verb in ("charge", "refund"):
        for amount in ("-5", number("-5"), "0", "0.0", number("0")):
            b.refused(b.send(verb, {**b.money_fields(user, 1), "amount": amount}), f"the amount {amount!r}")
    b.holds(user, 10, "after amounts of zero and below")


@group.check(
    "no-amount", "What is no amount is refused and moves nothing.", "Money moves that nobody named.", "R12"
)
def no_amount(b: Bank) -> None:
    user = b.player(10)
    odd: tuple[Any, ...] = (
        "NaN",
        "1e1",
        "abc",
        "",
        " 1",
        "1,5",
        "+1",
        "0x1",
        True,
        [],
        {},
        "9" * 40,
        "0." + "1" * 40,
    )
    for value in odd:
        order = b.send("refund", {**b.money_fields(user, 1), "amount": value})
        b.refused(order, f"the amount {value!r}")
    b.holds(user, 10, "after amounts that are none")


@group.check(
    "wrong-token", "A wrong token opens nothing.", "Anybody who knows the address moves players' money."
)
def wrong_token(b: Bank) -> None:
    user = b.player(10)
    wrong = b.target.token[:-1] + ("x" if b.target.token[-1:] != "x" else "y")
    for token in (wrong, "", b.target.token + "x"):
        partner = b.target.partner
        door = TransferV3(partner, token) if b.edition == 3 else TransferV4(partner, token, base="")
        reply = b.exchange(door.request(b.paths["refund"], b.money_fields(user, 1)))
        if reply.ok:
            raise Failed("a refund with a wrong token was done")
    b.holds(user, 10, "after refunds with wrong tokens")


@group.check(
    "no-echo",
    "No answer repeats the token.",
    "The token stands in the partner's and the provider's logs.",
    severity=SHOULD,
)
def no_echo(b: Bank) -> None:
    user = b.player()
    replies = [b.refund(user, 1).reply, b.send("balance", {"token": b.target.token}).reply]
    replies.append(b.exchange(replace(b.request("refund", b.money_fields(user, 1)), body=b"{")))
    if any(b.target.token.encode() in reply.raw for reply in replies):
        raise Failed("an answer holds the token")


@group.check(
    "uuid-echo",
    "An answer has the uuid of its request, success or refusal.",
    "Answers are matched to the wrong requests.",
    needs="transfer-v3",
)
def uuid_echo(b: Bank) -> None:
    user = b.player(10)
    for order in (b.refund(user, 1), b.refund(user, 100), b.read(user)):
        if order.reply.text("uuid").lower() != str(order.fields["uuid"]).lower():
            raise Failed(f"the answer to {order.verb} has the uuid {order.reply.text('uuid') or 'none'}")


@group.check(
    "answer",
    "A transfer's answer has the currency and the balance, and a refusal its code and reason.",
    "The partner cannot book the answer.",
)
def answer(b: Bank) -> None:
    user = b.player(10)
    done, no = b.took(b.refund(user, 1)), b.refused(b.refund(user, 100), "more than is there")
    if done.reply.text("currency") != b.currency or done.balance is None:
        raise Failed(f"currency and balance are {done.reply.text('currency')!r} and {done.balance}")
    names = ("code", "reason") if b.edition == 3 else ("error", "description")
    missing = [name for name in names if not no.reply.text(name)]
    if missing:
        raise Failed(f"the refusal has no {', '.join(missing)}")


@group.check(
    "malformed",
    "A body that cannot be read moves nothing and is refused by an answer.",
    "The partner repeats for ever.",
    "R7",
)
def malformed(b: Bank) -> None:
    request = b.request("refund", b.money_fields(b.player(10), 1))
    for body in (b"", b"[]", b"null", b"{", request.body[:-9], b"\xff", b"[" * 5000):
        reply = b.exchange(replace(request, body=body))
        if reply.ok or reply.crashed:
            raise Failed(f"a body that cannot be read: {reply}")


@group.check(
    "missing",
    "A transfer without an amount, a currency or a player is refused and moves nothing.",
    "Money moves that nobody named.",
    "R7",
)
def missing(b: Bank) -> None:
    user = b.player(10)
    for name in ("amount", "currency", "id" if b.edition == 3 else "userId"):
        for value in (..., None, ""):
            b.refused(b.send("refund", {**b.money_fields(user, 1), name: value}), f"{name} is missing")
    b.holds(user, 10, "after transfers with a field missing")


@group.check(
    "claims-no-key",
    "A request that could not be read leaves its key free.",
    "A mended request is refused for ever.",
    "R7",
)
def claims_no_key(b: Bank) -> None:
    user = b.player(10)
    fields = b.money_fields(user, 1)
    b.refused(b.send("refund", {**fields, "amount": "abc"}), "the amount is none")
    b.took(b.send("refund", fields), "the right request")
    b.holds(user, 9, "after a broken refund and the right one")


@group.check(
    "unknown-fields",
    "Fields that nobody knows are ignored.",
    "After the partner's next release nothing works.",
    "R56",
)
def unknown_fields(b: Bank) -> None:
    user = b.player(10)
    b.took(b.refund(user, 1, note={"deep": [1]}, flag=True), "unknown fields")
    b.holds(user, 9, "after a refund with unknown fields")


@group.check("number", "An amount may be a JSON number.", "Partners that send numbers are refused.", "R12")
def as_number(b: Bank) -> None:
    user = b.player(10)
    b.took(b.send("refund", {**b.money_fields(user, 1), "amount": number("2.50")}), "an amount as a number")
    b.holds(user, Decimal("7.5"), "after a refund of a number")
