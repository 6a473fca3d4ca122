"""The seamless door, as the provider calls it: edition V4, and its successor Kyren V1.

The wallet's URL holds the key. A bet, a result and an award are keyed by their `reference`; a rollback by
that of the bet; `uuid` names the request only. Whether an error is final depends on the edition: what is
not, is Unavailable, and the provider sends the same call again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from caisse_client.calls import Answer, Call, Fields, Request, Response, new_uuid, number, packed
from caisse_client.errors import ProtocolError, Refused, Unauthorized, Unavailable
from caisse_client.money import text_of

T = TypeVar("T")


@dataclass(frozen=True)
class Played:
    """What a wallet answers to something that moved, or might have."""

    transaction: str | None
    currency: str | None = None
    cash: Decimal | None = None
    """The balance after it; a Refund does not tell."""
    bonus: Decimal | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Cash:
    """A player's balance in one currency."""

    currency: str
    cash: Decimal


@dataclass(frozen=True)
class Edition:
    """What the editions differ in."""

    name: str
    base: str
    login: int
    """The code of a refused login, key or address."""
    again: tuple[int, ...]
    """Codes after which the same call is to be sent again."""
    amounts_as_text: bool


V4 = Edition("seamless-v4", "/V4", 4, (100, 130), amounts_as_text=False)
KYREN_V1 = Edition("kyren-v1", "/v1", 54, (997, 998), amounts_as_text=True)


class Seamless:
    """A provider of either edition. Each method's extra fields are sent as they are; `...` leaves one out."""

    def __init__(self, provider: str, edition: Edition) -> None:
        self.provider = provider
        self.edition = edition
        self.name = edition.name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.provider!r})"

    def request(self, verb: str, fields: Fields) -> Request:
        """Any body to a method of this edition, such as `Refund`."""
        return Request(f"{self.edition.base}/{verb}", packed(fields))

    def call(self, verb: str, fields: Fields) -> Call[Any]:
        """A call by its method: what a queue remembers of one."""
        return self._call(verb, fields, _READERS.get(verb, _played))

    def check(self, user: str, **more: Any) -> Call[None]:
        return self._call("Check", self._fields(user, more), _nothing)

    def balance(self, user: str, currency: str, **more: Any) -> Call[Cash]:
        return self._call("Balance", self._fields(user, more, currency=currency), _cash)

    def bet(
        self, user: str, currency: str, amount: Decimal, reference: str, round: str, game: str, **more: Any
    ) -> Call[Played]:
        """Take a stake."""
        named = {"currency": currency, "amount": self.amount(amount), "reference": reference}
        return self._call("Bet", self._fields(user, more, **named, roundId=round, gameId=game), _played)

    def result(
        self, user: str, currency: str, amount: Decimal, reference: str, round: str, game: str, **more: Any
    ) -> Call[Played]:
        """Pay a win; 0 for a loss."""
        named = {"currency": currency, "amount": self.amount(amount), "reference": reference}
        return self._call("Result", self._fields(user, more, **named, roundId=round, gameId=game), _played)

    def refund(self, user: str, reference: str, **more: Any) -> Call[Played]:
        """Give a bet back. V4: `reference` is the bet's. Kyren V1: it is the refund's own, and `roundId`
        decides.
        """
        return self._call("Refund", self._fields(user, more, reference=reference), _played)

    def cancel(self, user: str, reference: str, **more: Any) -> Call[Played]:
        """Give a bet back, named by its reference, in both editions."""
        return self._call("Cancel", self._fields(user, more, reference=reference), _played)

    def end_round(self, user: str, round: str, **more: Any) -> Call[Played]:
        return self._call("EndRound", self._fields(user, more, roundId=round), _played)

    def session_expired(self, user: str, session: str, **more: Any) -> Call[None]:
        return self._call("SessionExpired", self._fields(user, more, sessionId=session), _nothing)

    def amount(self, amount: Decimal) -> object:
        """An amount as this edition writes it."""
        text = text_of(amount)
        return text if self.edition.amounts_as_text else number(text)

    def _fields(self, user: str, more: Fields, **named: Any) -> dict[str, Any]:
        return {"providerId": self.provider, "userId": user, **named, "uuid": new_uuid(), **more}

    def _call(self, verb: str, fields: Fields, reader: Callable[[Answer], T]) -> Call[T]:
        def read(response: Response) -> T:
            return reader(_heard(self.edition, verb, response))

        return Call(self.request(verb, fields), read, self.name, verb, fields)


class SeamlessV4(Seamless):
    """Edition V4: `POST <URL>/V4/<Method>`."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider, V4)

    def bonus_win(
        self, user: str, amount: Decimal, reference: str, round: str, game: str, **more: Any
    ) -> Call[Played]:
        return self._award("BonusWin", user, amount, reference, more, roundId=round, gameId=game)

    def jackpot_win(
        self, user: str, amount: Decimal, reference: str, round: str, game: str, **more: Any
    ) -> Call[Played]:
        return self._award("JackPotWin", user, amount, reference, more, roundId=round, gameId=game)

    def promo_win(
        self, user: str, currency: str, amount: Decimal, reference: str, campaign: str, **more: Any
    ) -> Call[Played]:
        named = {"currency": currency, "campaignId": campaign}
        return self._award("PromoWin", user, amount, reference, more, **named)

    def _award(
        self, verb: str, user: str, amount: Decimal, reference: str, more: Fields, **named: Any
    ) -> Call[Played]:
        money = {"amount": self.amount(amount), "reference": reference}
        return self._call(verb, self._fields(user, more, **money, **named), _played)


class KyrenV1(Seamless):
    """Edition Kyren V1: `POST <URL>/v1/<Method>`; it has no award methods, and a Refund undoes a whole
    round.
    """

    def __init__(self, provider: str = "Kyren") -> None:
        super().__init__(provider, KYREN_V1)


def _heard(edition: Edition, verb: str, response: Response) -> Answer:
    """The answer, if it is a success; else what it is instead."""
    status = response.status
    if response.object() is None and (status >= 500 or status in (408, 429)):
        raise Unavailable(verb, f"HTTP {status}", status=status)
    answer = Answer(verb, response)
    said = answer.text("description", "")
    try:
        code = int(answer.text("error"))
    except ValueError:
        raise answer.wrong("error") from None
    shown = str(code)
    if code == edition.login or status in (401, 403):
        raise Unauthorized(verb, said, status=status, code=shown)
    if code in edition.again or status >= 500 or status in (408, 429):
        raise Unavailable(verb, f"error {code} {said}", status=status, code=shown)
    if status != 200:
        raise ProtocolError(verb, f"HTTP {status} {said}", status=status, code=shown)
    if code == 0:
        return answer
    raise Refused(verb, f"error {code} {said}", status=status, code=shown)


def _nothing(answer: Answer) -> None:
    """A success that tells nothing further."""


def _cash(answer: Answer) -> Cash:
    return Cash(answer.text("currency"), answer.amount("cash"))


def _played(answer: Answer) -> Played:
    return Played(
        transaction=answer.maybe_text("transactionId"),
        currency=answer.maybe_text("currency"),
        cash=answer.maybe_amount("cash"),
        bonus=answer.maybe_amount("bonus"),
        reference=answer.maybe_text("reference"),
    )


_READERS: dict[str, Callable[[Answer], Any]] = {
    "Check": _nothing,
    "Balance": _cash,
    "SessionExpired": _nothing,
}
