"""Cases in a few words: calls one after another, the code that each is answered with, the money afterwards.

Ids are local to a case: `bet("10.0", "b1", "r1")` in two cases makes two bets. `unkept(7)` expects a refusal
that leaves nothing behind; every other answer of a case is asked for again at its end, and must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from tests.support.crowd import CLIENTS, sent
from tests.support.rig import DEFAULT, House, new_id
from tests.support.server import Answer, Call, Game, Partner

OWN = ("reference", "roundId", "sessionId", "promoWinReference")


class Unkept(NamedTuple):
    code: int


def unkept(code: int) -> Unkept:
    return Unkept(code)


class Seat(NamedTuple):
    """One player in one case, and another beside it."""

    house: House
    tag: str
    profile: str
    user: str
    other: str

    @property
    def partner(self) -> Partner:
        return self.house.partner

    def game(self, profile: str = "") -> Game:
        return self.house.game(profile or self.profile)

    def uuid(self, name: str) -> str:
        text = f"{self.tag[-12:]:0>12}{name.encode().hex():0>20.20}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


Step = Callable[[Seat], Call | None]
Told = tuple[Step, int | Unkept | None]


class Case(NamedTuple):
    steps: Sequence[Told]
    balance: str
    """The player's USD at the end, from 300.0."""
    other: str = "100.0"
    """The other player's."""
    profile: str = DEFAULT


# -- the transfer door --


def create(user: str = "", name: str = "Name", uuid: str = "") -> Step:
    return lambda s: s.partner.create(user or s.user, name, s.uuid(uuid or "create"))


def wallet(currency: str = "EUR", uuid: str = "") -> Step:
    return lambda s: s.partner.wallet(s.user, currency, s.uuid(uuid or f"wallet{currency[:3]}"))


def charge(amount: Any, uuid: str, currency: str = "USD", user: str = "") -> Step:
    return lambda s: s.partner.charge(user or s.user, amount, s.uuid(uuid), currency)


def withdraw(amount: Any, uuid: str, currency: str = "USD", user: str = "") -> Step:
    """`/user/refund`."""
    return lambda s: s.partner.refund(user or s.user, amount, s.uuid(uuid), currency)


def read(uuid: str) -> Step:
    return lambda s: s.partner.balance(s.user, uuid=s.uuid(uuid))


def info(uuid: str) -> Step:
    return lambda s: s.partner.info(s.user, uuid=s.uuid(uuid))


# -- the seamless door --


def play(method: str, profile: str = "", **fields: Any) -> Step:
    """References, rounds and sessions become the case's own; `r1` is the round unless another is given."""

    def step(s: Seat) -> Call:
        own = {
            name: f"{s.tag}-{value}" for name, value in fields.items() if name in OWN and type(value) is str
        }
        return s.game(profile).play(method, s.user, **{"sessionId": f"{s.tag}-s1", **fields, **own})

    return step


def bet(amount: Any = "10.0", reference: str = "b1", round_: str = "r1", **more: Any) -> Step:
    return play("Bet", amount=amount, reference=reference, roundId=round_, **more)


def result(amount: Any = "25.0", reference: str = "w1", round_: str = "r1", **more: Any) -> Step:
    return play("Result", amount=amount, reference=reference, roundId=round_, **more)


def refund(reference: Any = "b1", **more: Any) -> Step:
    return play("Refund", reference=reference, **more)


def refund_round(round_: str = "r1", **more: Any) -> Step:
    return play("Refund", reference=..., roundId=round_, **more)


def cancel(reference: str = "b1", **more: Any) -> Step:
    return play("Cancel", reference=reference, **more)


def end_round(round_: str = "r1", **more: Any) -> Step:
    return play("EndRound", roundId=round_, **more)


def bonus(amount: Any = "5.0", reference: str = "a1", round_: str = "r1", **more: Any) -> Step:
    return play("BonusWin", amount=amount, reference=reference, roundId=round_, **more)


def jackpot(amount: Any = "7.0", reference: str = "a1", round_: str = "r1", **more: Any) -> Step:
    return play("JackPotWin", amount=amount, reference=reference, roundId=round_, **more)


def promo(amount: Any = "3.25", reference: str = "a1", **more: Any) -> Step:
    return play("PromoWin", amount=amount, reference=reference, **more)


def expire(session: str = "s1") -> Step:
    return play("SessionExpired", sessionId=session)


# -- beside the doors --


def of_other(step: Step) -> Step:
    """The same by the other player."""
    return lambda s: step(s._replace(user=s.other, other=s.user))


def freeze(s: Seat) -> None:
    s.house.freeze(s.user)


def release(s: Seat) -> None:
    s.house.freeze(s.user, frozen=False)


# -- playing --


class Played(NamedTuple):
    """What was answered with a verdict that stands."""

    call: Call
    answer: Answer
    marked: bool
    """Whether the profile marks repeats."""


def seat(house: House, profile: str = DEFAULT) -> Seat:
    return Seat(house, new_id("t"), profile, house.player("300.0"), house.player("100.0"))


def play_case(house: House, case: Case) -> None:
    """Play it, look at the money, ask for everything again, look at the money again."""
    at = seat(house, case.profile)
    played = play_once(at, case)
    same_answers(house, played)
    _money(at, case)


def play_once(at: Seat, case: Case) -> list[Played]:
    """Play it and look at the money; the answers that must never change."""
    first: dict[Call, Answer] = {}
    for step, expected in case.steps:
        call = step(at)
        if call is None:
            continue
        answer = at.house.send(call)
        code = expected.code if isinstance(expected, Unkept) else expected
        assert (answer.status, answer.code) == (200, code), (call.path, call.body, answer.raw)
        if isinstance(expected, int) and not reads(call):
            first.setdefault(call, answer)
    _money(at, case)
    marked = case.profile == "marked"
    return [Played(call, answer, marked and "/V4/" in call.path) for call, answer in first.items()]


def reads(call: Call) -> bool:
    return call.path.partition("?")[0] in ("/user/balance", "/user/info")


def _money(at: Seat, case: Case) -> None:
    for user, balance in ((at.user, case.balance), (at.other, case.other)):
        assert at.house.balance(user) == balance
        assert at.house.told(at.game(DEFAULT).balance(user)).body["cash"] == balance


def same_answers(house: House, played: Sequence[Played]) -> None:
    """R1: the same bytes again, but for the mark of a profile that has one."""
    answers = sent(house.server, [call for call, _, _ in played], min(CLIENTS, len(played)))
    for (call, answer, marked), again in zip(played, answers, strict=True):
        if not marked:
            assert (again.status, again.raw) == (200, answer.raw), call
        else:
            said = again.body
            assert said.pop("retransmission") is True
            expected = answer.body
            expected.pop("retransmission", None)
            assert list(said.items()) == list(expected.items())


def spelled(value: object) -> str:
    """A value as a test's name shows it, the same in every process."""
    text = bytes(value).decode() if isinstance(value, msgspec.Raw) else repr(value)
    return text[:40]
