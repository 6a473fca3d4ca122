"""Malformed input: it is refused by an answer, moves nothing, and stands in nobody's way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from caisse_kit.check import HTTP, PRACTICE, SEAMLESS, SHOULD, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("malformed", SEAMLESS)

FOR_EVER = "The provider takes it for a failure of the wallet, and sends it again and again."


def _raw(p: Play, body: bytes, verb: str = "Bet") -> Sent:
    reply = p.exchange(replace(p.request(verb, {}), body=body))
    return Sent(verb, {}, reply)


@group.check("not-json", "A body that is not JSON is refused by an answer.", FOR_EVER, "R7")
def not_json(p: Play) -> None:
    for body in (b"amount=1&reference=x", b"<xml/>", b"\xff\xfe", b"{'a': 1}"):
        p.refused(_raw(p, body), "the body is not JSON")


@group.check("cut-off", "A body that is cut off in the middle moves nothing and is refused.", FOR_EVER, "R7")
def cut_off(p: Play) -> None:
    body = p.request("Bet", p.bet_fields()).body
    p.refused(_raw(p, body[: len(body) * 2 // 3]), "the body is cut off")
    p.unmoved("after a body that was cut off")


@group.check("no-object", "JSON that is no object is refused by an answer.", FOR_EVER, "R7")
def no_object(p: Play) -> None:
    for body in (b"[]", b'"bet"', b"null", b"1", b""):
        p.refused(_raw(p, body), "the body is no object")


@group.check(
    "name-twice",
    "A body in which a name stands twice is refused.",
    "The wallet and what stands before it read two different amounts.",
    "R7",
    severity=SHOULD,
    source=HTTP,
)
def name_twice(p: Play) -> None:
    body = p.request("Bet", p.bet_fields()).body
    sent = _raw(p, body[:-1] + b',"amount":"2"}')
    p.refused(sent, "amount stands twice")
    p.unmoved("after a body with two amounts")


@group.check(
    "missing-required",
    "A Bet without an amount, a reference, a round or a player is refused and takes nothing.",
    "Bets are booked that nobody can find, settle or give back.",
    "R7",
)
def missing_required(p: Play) -> None:
    for name in ("amount", "reference", "roundId", "userId"):
        for value in (..., None):
            p.refused(p.odd_bet(**{name: value}), f"{name} is missing")
    p.unmoved("after bets with a field missing")


@group.check(
    "wrong-types",
    "Ids that are objects, lists, truth values or fractions are refused.",
    "Ids are turned into text in some way, and two of them become one.",
    "R7",
)
def wrong_types(p: Play) -> None:
    odd: tuple[Any, ...] = ({"$ne": None}, ["a"], True, 1.5)
    for value in odd:
        p.refused(p.odd_bet(reference=value), f"the reference is {value!r}")
        p.refused(p.odd_bet(userId=value), f"the player is {value!r}")
    p.unmoved("after bets with ids of other types")


@group.check(
    "empty-ids",
    "Empty ids are refused where they are required.",
    "All bets without a reference are one bet.",
    "R7",
)
def empty_ids(p: Play) -> None:
    for name in ("reference", "roundId", "userId"):
        p.refused(p.odd_bet(**{name: ""}), f"{name} is empty")
    p.unmoved("after bets with empty ids")


@group.check(
    "claims-no-key",
    "A request that could not be read does not stand in the way of the right one under its reference.",
    "A bet or a win that was mended is refused for ever.",
    "R7",
)
def claims_no_key(p: Play) -> None:
    bet = p.ghost()
    p.refused(p.again(bet, amount="abc"), "the amount is none")
    p.took(p.again(bet), "the right request")
    p.moved(-p.stake, "after a broken bet and the right one")


@group.check(
    "refund-of-nothing",
    "A Refund that names neither a bet nor a round is refused.",
    "The provider believes that something was given back.",
    "R22",
)
def refund_of_nothing(p: Play) -> None:
    fields = p.refund_fields(p.ghost(), reference=..., roundId=...)
    p.refused(p.send("Refund", fields), "it names nothing")


@group.check(
    "byte-order-mark",
    "A byte order mark before the body is skipped.",
    "Requests of one sender are refused.",
    severity=SHOULD,
    source=PRACTICE,
)
def byte_order_mark(p: Play) -> None:
    body = p.request("Bet", p.bet_fields()).body
    p.took(_raw(p, b"\xef\xbb\xbf" + body), "a byte order mark")
    p.moved(-p.stake, "after a bet behind a byte order mark")


@group.check(
    "long-id",
    "An id of 5,000 characters is refused by an answer, and not cut off.",
    "Two ids become one, or the wallet fails and the provider repeats for ever.",
    "R7",
)
def long_id(p: Play) -> None:
    sent = p.odd_bet(reference="x" * 5000)
    if sent.answer.crashed or sent.ok:
        raise Failed(f"a reference of 5,000 characters: {sent.answer}")
    p.unmoved("after a bet with an overlong reference")
