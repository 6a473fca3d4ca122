"""The seamless door, edition V3: `POST <base>/<verb>?authToken=…`, as the provider calls it.

`transaction.id` names the round and its one bet. Each win of a round has a `uuid` of its own: a win
that is sent again must keep it.
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

BASE = "/seamless/v3"
AGAIN = ("TEMPORARY_ERROR",)
LOGIN = ("UNAUTHORIZED", "FORBIDDEN")


@dataclass(frozen=True)
class PlayedV3:
    """A success."""

    balance: Decimal | None
    """After it; a check, and a cancel of an unknown bet, may not tell."""
    retransmission: bool
    """The wallet says that it knew this call already."""


class SeamlessV3:
    """A provider of edition V3. `base` is what the wallet puts before its verbs."""

    name = "seamless-v3"

    def __init__(self, token: str, base: str = BASE) -> None:
        self._token = token
        self._base = base

    def __repr__(self) -> str:
        return "SeamlessV3()"

    def request(self, verb: str, fields: Fields) -> Request:
        """Any body to a verb of this edition, such as `cancel`."""
        return Request(f"{self._base}/{verb}", packed(fields), (("authToken", self._token),), (self._token,))

    def call(self, verb: str, fields: Fields) -> Call[Any]:
        """A call by its verb: what a queue remembers of one."""
        return self._call(verb, fields, _balance if verb == "balance" else _played)

    def check(self, user: str, session: str, uuid: str = "") -> Call[PlayedV3]:
        return self._call("check", {"sid": session, "userid": user, "uuid": uuid or new_uuid()}, _played)

    def balance(self, user: str, currency: str, session: str, uuid: str = "") -> Call[Decimal]:
        fields = {"sid": session, "userid": user, "currency": currency, "uuid": uuid or new_uuid()}
        return self._call("balance", fields, _balance)

    def bet(
        self, user: str, currency: str, amount: Decimal, transaction: str, game: str, **more: Any
    ) -> Call[PlayedV3]:
        inner = {"id": transaction, "amount": number(text_of(amount))}
        return self._call("bet", self._fields(user, currency, game, inner, more), _played)

    def win(
        self,
        user: str,
        currency: str,
        amount: Decimal,
        transaction: str,
        game: str,
        *,
        ends: bool = False,
        **more: Any,
    ) -> Call[PlayedV3]:
        """A win of a round; `ends` closes the round with it. The amount contains the jackpot."""
        inner = {"id": transaction, "amount": number(text_of(amount))}
        inner |= {"is_end_round": "ok"} if ends else {}
        return self._call("win", self._fields(user, currency, game, inner, more), _played)

    def cancel(self, user: str, transaction: str, **more: Any) -> Call[PlayedV3]:
        """Give the bet of that transaction back."""
        fields = {"userid": user, "transaction": {"id": transaction}, "uuid": new_uuid(), **more}
        return self._call("cancel", fields, _played)

    def _fields(
        self, user: str, currency: str, game: str, inner: dict[str, Any], more: Fields
    ) -> dict[str, Any]:
        named = {"userid": user, "currency": currency, "gametype": "slot", "gameid": game, "gamename": game}
        return {"sid": "session", **named, "transaction": inner, "uuid": new_uuid(), **more}

    def _call(self, verb: str, fields: Fields, reader: Callable[[Answer], T]) -> Call[T]:
        def read(response: Response) -> T:
            return reader(_heard(verb, str(fields.get("uuid", "")), response))

        return Call(self.request(verb, fields), read, self.name, verb, fields)


def _heard(verb: str, uuid: str, response: Response) -> Answer:
    status = response.status
    if response.object() is None and (status >= 500 or status in (408, 429)):
        raise Unavailable(verb, f"HTTP {status}", status=status)
    answer = Answer(verb, response)
    word = answer.text("status")
    if word in LOGIN or status in (401, 403):
        raise Unauthorized(verb, word, status=status, code=word)
    if word in AGAIN or status >= 500 or status in (408, 429):
        raise Unavailable(verb, word, status=status, code=word)
    if status != 200:
        raise ProtocolError(verb, f"HTTP {status} {word}", status=status, code=word)
    told = answer.text("uuid", "")
    if told.lower() != uuid.lower() and (word == "OK" or told):
        raise ProtocolError(verb, "the answer has another request's uuid", status=status, code=word)
    if word == "OK":
        return answer
    raise Refused(verb, word, status=status, code=word)


def _balance(answer: Answer) -> Decimal:
    return answer.amount("balance")


def _played(answer: Answer) -> PlayedV3:
    return PlayedV3(answer.maybe_amount("balance"), answer.fields.get("retransmission") is True)
