"""The transfer door: a partner's back end moves money into a player's wallet and out again.

Two editions with the same calls. `refund` is money out of the wallet. In edition 3 the `uuid` is the key of
what changes something; in edition 4 `transaction` is a key beside it, and a repeat of it with a new uuid is
answered as done (`repeated`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from caisse_client.calls import Answer, Call, Fields, Request, Response, new_uuid, packed
from caisse_client.errors import ProtocolError, Refused, Unauthorized, Unavailable
from caisse_client.money import read_amount, text_of

T = TypeVar("T")

BASE_V4 = "/IntegrationService/v4/http/CasinoGameAPI"
"""Where the vendor's edition 4 hangs its paths."""


@dataclass(frozen=True)
class Transfer:
    """Money that was moved, and the balance right after it."""

    currency: str
    balance: Decimal
    amount: Decimal | None = None
    """As the answer tells it: edition 3 positive; edition 4's status signed, its charge and refund none."""
    transaction: str | None = None
    repeated: bool = False
    """Edition 4 said that this transaction had been done before."""


@dataclass(frozen=True)
class PlayerInfo:
    """A player and all wallets; times as the answer writes them, in UTC."""

    wallets: dict[str, Decimal]
    name: str | None
    created: str
    logged_in: str


@dataclass(frozen=True)
class SlotRow:
    """One game round of the partner's players."""

    index: int
    game: str
    currency: str
    bet: Decimal
    win: Decimal
    jackpot_name: str
    jackpot: Decimal


class TransferV3:
    """Edition 3: `POST /user/<verb>?partner_id=…&token=…`."""

    name = "transfer-v3"

    def __init__(self, partner: str, token: str) -> None:
        self.partner = partner
        self._token = token

    def __repr__(self) -> str:
        return f"TransferV3({self.partner!r})"

    def request(self, verb: str, fields: Fields) -> Request:
        """Any body to a path of this edition, such as `/user/refund`."""
        login = (("partner_id", self.partner), ("token", self._token))
        return Request(verb, packed(fields), login, (self._token,))

    def call(self, verb: str, fields: Fields) -> Call[Any]:
        """A call by the path of its verb: what a queue remembers of one."""
        return self._call(verb, fields, _READERS_V3[verb])

    def create_player(self, user: str, name: str, uuid: str = "") -> Call[None]:
        return self._call("/user/create", {"id": user, "name": name, "uuid": uuid or new_uuid()}, _nothing)

    def create_wallet(self, user: str, currency: str, uuid: str = "") -> Call[None]:
        fields = {"id": user, "currency": currency, "uuid": uuid or new_uuid()}
        return self._call("/user/create_wallet", fields, _nothing)

    def info(self, user: str) -> Call[PlayerInfo]:
        return self._call("/user/info", {"id": user, "uuid": new_uuid()}, _info_v3)

    def balance(self, user: str, currency: str) -> Call[Decimal]:
        return self._call("/user/balance", {"id": user, "currency": currency, "uuid": new_uuid()}, _balance)

    def charge(self, user: str, currency: str, amount: Decimal, uuid: str = "") -> Call[Transfer]:
        """Money in."""
        return self._call("/user/charge", self._money(user, currency, amount, uuid), _transfer)

    def refund(self, user: str, currency: str, amount: Decimal, uuid: str = "") -> Call[Transfer]:
        """Money out."""
        return self._call("/user/refund", self._money(user, currency, amount, uuid), _transfer)

    def slot_log(self, start: int, limit: int = 1000) -> Call[list[SlotRow]]:
        """Rounds from an index on, oldest first; none left is an empty list."""
        return self._call("/log/slot", {"start": start, "limit": limit, "uuid": new_uuid()}, _rows)

    def _money(self, user: str, currency: str, amount: Decimal, uuid: str) -> Fields:
        return {"id": user, "currency": currency, "amount": text_of(amount), "uuid": uuid or new_uuid()}

    def _call(self, verb: str, fields: Fields, reader: Callable[[Answer], T]) -> Call[T]:
        def read(response: Response) -> T:
            return reader(_heard_v3(verb, str(fields.get("uuid", "")), response))

        return Call(self.request(verb, fields), read, self.name, verb, fields)


class TransferV4:
    """Edition 4: partner and token in the body. `base` is what the vendor puts before the paths, or
    nothing.
    """

    name = "transfer-v4"

    def __init__(self, partner: str, token: str, base: str = BASE_V4) -> None:
        self.partner = partner
        self._token = token
        self._base = base

    def __repr__(self) -> str:
        return f"TransferV4({self.partner!r})"

    def request(self, verb: str, fields: Fields) -> Request:
        """Any body to a path of this edition, such as `/refund`; the login is added to it."""
        body = packed({"secureLogin": self.partner, "token": self._token, **fields})
        return Request(self._base + verb, body, (), (self._token,))

    def call(self, verb: str, fields: Fields) -> Call[Any]:
        """A call by the path of its verb: what a queue remembers of one."""
        return self._call(verb, fields, _READERS_V4[verb])

    def create_player(self, user: str, name: str = "", uuid: str = "") -> Call[None]:
        return self._call("/createuser", self._fields(user, uuid, userNickname=name or ...), _nothing)

    def create_wallet(self, user: str, currency: str, uuid: str = "") -> Call[None]:
        return self._call("/createwallet", self._fields(user, uuid, currency=currency), _nothing)

    def info(self, user: str) -> Call[PlayerInfo]:
        return self._call("/userInfo", self._fields(user), _info_v4)

    def balance(self, user: str, currency: str) -> Call[Decimal]:
        return self._call("/getBalance", self._fields(user, currency=currency), _balance)

    def charge(
        self, user: str, currency: str, amount: Decimal, transaction: str, uuid: str = ""
    ) -> Call[Transfer]:
        """Money in."""
        return self._call("/charge", self._money(user, currency, amount, transaction, uuid), _transfer)

    def refund(
        self, user: str, currency: str, amount: Decimal, transaction: str, uuid: str = ""
    ) -> Call[Transfer]:
        """Money out."""
        return self._call("/refund", self._money(user, currency, amount, transaction, uuid), _transfer)

    def status(self, user: str, transaction: str | None = None) -> Call[Transfer]:
        """One transfer of the player; without an id the newest."""
        return self._call(
            "/getTransferStatus", self._fields(user, TransactionId=transaction or ...), _transfer
        )

    def slot_log(self, start: int, limit: int = 1000, user: str | None = None) -> Call[list[SlotRow]]:
        """Rounds from an index on, oldest first; none left is an empty list."""
        fields = {"userId": user or ..., "start": start, "limit": limit, "uuid": new_uuid()}
        return self._call("/GetSlotLog", fields, _rows)

    def _money(self, user: str, currency: str, amount: Decimal, transaction: str, uuid: str) -> Fields:
        return self._fields(user, uuid, currency=currency, TransactionId=transaction, amount=text_of(amount))

    def _fields(self, user: str, uuid: str = "", **more: Any) -> dict[str, Any]:
        return {"userId": user, "uuid": uuid or new_uuid(), **more}

    def _call(self, verb: str, fields: Fields, reader: Callable[[Answer], T]) -> Call[T]:
        def read(response: Response) -> T:
            return reader(_heard_v4(verb, response))

        return Call(self.request(verb, fields), read, self.name, verb, fields)


NO_MORE_ROWS = ("3", "Have No Additional Record")


def _heard_v3(verb: str, uuid: str, response: Response) -> Answer:
    """The answer, if it is a success; else what it is instead."""
    status = response.status
    if response.object() is None and status >= 500:
        raise Unavailable(verb, f"HTTP {status}", status=status)
    answer = Answer(verb, response)
    code, reason = answer.text("code", ""), answer.text("reason", "")
    if status in (401, 403) or code in ("8", "9"):
        raise Unauthorized(verb, reason, status=status, code=code)
    if status in (408, 429) or status >= 500 or code == "10":
        raise Unavailable(verb, f"HTTP {status} {reason}", status=status, code=code)
    if status != 200 or answer.text("status", "") not in ("OK", "Failed"):
        raise ProtocolError(verb, f"HTTP {status} {reason}", status=status, code=code)
    told = answer.text("uuid", "")
    succeeded = answer.fields["status"] == "OK"
    if told.lower() != uuid.lower() and (succeeded or told):
        raise ProtocolError(verb, "the answer has another request's uuid", status=status, code=code)
    if succeeded:
        return answer
    if verb == "/log/slot" and (code, reason) == NO_MORE_ROWS:
        answer.fields["logs"] = []
        return answer
    raise Refused(verb, reason or f"code {code}", status=status, code=code)


def _heard_v4(verb: str, response: Response) -> Answer:
    status = response.status
    if response.object() is None and status >= 500:
        raise Unavailable(verb, f"HTTP {status}", status=status)
    answer = Answer(verb, response)
    code, said = answer.text("error", ""), answer.text("description", "")
    if code == "4" or status in (401, 403):
        raise Unauthorized(verb, said, status=status, code=code)
    if code == "1" or status in (408, 429) or status >= 500:
        raise Unavailable(verb, f"HTTP {status} {said}", status=status, code=code)
    if status != 200 or not code:
        raise ProtocolError(verb, f"HTTP {status} {said}", status=status, code=code)
    if code == "0" or (code == "8" and verb in ("/charge", "/refund")):
        return answer
    raise Refused(verb, said or f"error {code}", status=status, code=code)


def _nothing(answer: Answer) -> None:
    """A success that tells nothing further."""


def _balance(answer: Answer) -> Decimal:
    return answer.amount("balance")


def _transfer(answer: Answer) -> Transfer:
    return Transfer(
        currency=answer.text("currency"),
        balance=answer.amount("balance"),
        amount=answer.maybe_amount("amount"),
        transaction=answer.maybe_text("transactionId"),
        repeated=answer.fields.get("error") in ("8", 8),
    )


def _info_v3(answer: Answer) -> PlayerInfo:
    name = answer.text("name", "")
    return PlayerInfo(answer.amounts("wallet"), name, answer.text("at_create"), answer.text("at_login"))


def _info_v4(answer: Answer) -> PlayerInfo:
    """Later editions spell the times differently."""
    created, login = answer.maybe_text("at_create"), answer.maybe_text("at_login")
    return PlayerInfo(
        answer.amounts("wallet"),
        answer.maybe_text("userNickname"),
        created or answer.text("dateTimeCreate"),
        login or answer.text("dateTimeLogin"),
    )


def _rows(answer: Answer) -> list[SlotRow]:
    found = answer.fields.get("logs")
    if not isinstance(found, list):
        raise answer.wrong("logs")
    return [_row(answer, row) for row in found]


def _row(answer: Answer, row: object) -> SlotRow:
    match row:
        case [int(index), str(game), str(currency), bet, win, str(name), jackpot]:
            try:
                money = [read_amount(value) for value in (bet, win, jackpot)]
            except ValueError:
                raise answer.wrong("logs") from None
            return SlotRow(index, game, currency, money[0], money[1], name, money[2])
    raise answer.wrong("logs")


_READERS_V3: dict[str, Callable[[Answer], Any]] = {
    "/user/create": _nothing,
    "/user/create_wallet": _nothing,
    "/user/info": _info_v3,
    "/user/balance": _balance,
    "/user/charge": _transfer,
    "/user/refund": _transfer,
    "/log/slot": _rows,
}
_READERS_V4: dict[str, Callable[[Answer], Any]] = {
    "/createuser": _nothing,
    "/createwallet": _nothing,
    "/userInfo": _info_v4,
    "/getBalance": _balance,
    "/charge": _transfer,
    "/refund": _transfer,
    "/getTransferStatus": _transfer,
    "/GetSlotLog": _rows,
}
