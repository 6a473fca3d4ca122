"""A call is a value: what to send, and how to read what comes back. Nothing here does I/O.

Both clients are made from this: each sends `call.request` in its own way and returns `call.read(response)`.
Since a call holds its key, sending the same call again is always a repeat and never a second order.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import EllipsisType
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec

from caisse_client.errors import ProtocolError, WalletError
from caisse_client.money import read_amount

T = TypeVar("T")

Fields = Mapping[str, Any]
"""The names and values of a JSON body. A value of `...` leaves its field out."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True)
class Request:
    """One POST, relative to the URL of a wallet."""

    path: str
    body: bytes = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must be masked wherever the request is shown."""
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    method: str = "POST"

    @property
    def target(self) -> str:
        """Path and query. It may hold a secret: never log it."""
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")


@dataclass(frozen=True)
class Response:
    """What came back, whole."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    seconds: float = 0.0

    def object(self) -> dict[str, Any] | None:
        """The JSON object it holds, numbers as int or as exact Decimal; None if it holds none."""
        try:
            found = _decode(self.body)
        except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


class Door(Protocol):
    """One edition of a contract, with the login for it."""

    name: str

    def request(self, verb: str, fields: Fields) -> Request: ...

    def call(self, verb: str, fields: Fields) -> Call[Any]: ...


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request whose answer is a `T`. It can be sent any number of times."""

    request: Request
    reader: Callable[[Response], T] = field(repr=False)
    door: str
    verb: str
    fields: Fields = field(repr=False)
    """The body without the login."""

    def read(self, response: Response, secrets: tuple[str, ...] = ()) -> T:
        """The answer, or the `WalletError` that it is. A wallet's own words are shown without these
        secrets.
        """
        try:
            return self.reader(response)
        except WalletError as error:
            error.hide((*self.request.secrets, *secrets))
            raise


class Answer:
    """An answer's object, read field by field. What is missing or of another type is a ProtocolError."""

    def __init__(self, where: str, response: Response) -> None:
        self.where = where
        self.status = response.status
        found = response.object()
        if found is None:
            raise ProtocolError(where, f"no JSON object, HTTP {response.status}", status=response.status)
        self.fields = found

    def text(self, name: str, default: str | None = None) -> str:
        """Text, or a whole number's digits."""
        value = self.fields.get(name, default)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.wrong(name)
        return str(value)

    def amount(self, name: str) -> Decimal:
        try:
            return read_amount(self.fields.get(name))
        except ValueError:
            raise self.wrong(name) from None

    def amounts(self, name: str) -> dict[str, Decimal]:
        """An object of amounts."""
        found = self.fields.get(name)
        if not isinstance(found, dict):
            raise self.wrong(name)
        try:
            return {key: read_amount(value) for key, value in found.items()}
        except ValueError:
            raise self.wrong(name) from None

    def maybe_text(self, name: str) -> str | None:
        return None if self.fields.get(name) is None else self.text(name)

    def maybe_amount(self, name: str) -> Decimal | None:
        return None if self.fields.get(name) is None else self.amount(name)

    def wrong(self, name: str) -> ProtocolError:
        return ProtocolError(self.where, f"the answer's {name} is missing or wrong", status=self.status)


def packed(fields: Fields) -> bytes:
    """JSON of the fields; those with the value `...` are left out."""
    return msgspec.json.encode(
        {name: value for name, value in fields.items() if not isinstance(value, EllipsisType)}
    )


def number(text: str) -> msgspec.Raw:
    """A JSON number of exactly these characters."""
    return msgspec.Raw(text.encode())


def new_uuid() -> str:
    """A random UUID in its canonical form."""
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
