"""The types of a field's value: how each is read from JSON, and how it is documented.

A reader gets what JSON held and gives the value that a Request carries, or None for what is no such value.
A float is no amount; of numbers only a whole one is an id: its digits are.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from caisse.core import money
from caisse.currencies import table as currencies

_WHOLE_LIMIT = 10**money.INTEGER_DIGITS

_control = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
"""A control character, or half of a character."""
_uuid = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII).fullmatch
_printable = re.compile(r"[ -~]{1,64}").fullmatch

AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,13})(\.[0-9]{1,18})?$"

BALANCE_SCHEMA: Mapping[str, object] = {"type": "string", "pattern": r"^(0|[1-9][0-9]*)\.[0-9]{1,18}$"}
"""An amount as answers tell it: canonical text, of any width."""
_POSITIVE = r"^(?!0(\.0+)?$)(0|[1-9][0-9]{0,13})(\.[0-9]{1,18})?$"
_UUID = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_TEXT = r"^[^\x00-\x1f\x7f-\x9f]*$"


class Wrong(StrEnum):
    """What can be wrong with a field; each dialect gives each its code."""

    PARAMETER = "parameter"
    """Missing, or no value of its type."""
    AMOUNT = "amount"
    """Not an amount, or one with more decimals than the currency allows."""
    CURRENCY = "currency"
    """Spelled like a currency, but not in the table."""


class Type(NamedTuple):
    """A type of value: its reader, its JSON Schema, and what is wrong when the reader gives None."""

    read: Callable[[Any], Any]
    schema: Mapping[str, object]
    wrong: Wrong = Wrong.PARAMETER


def text(longest: int) -> Type:
    """1 to `longest` characters, none of them a control character, kept exactly as sent."""

    def read(value: object) -> str | None:
        if type(value) is not str or not 0 < len(value) <= longest:
            return None
        return value if value.isprintable() or not _control(value) else None

    return Type(read, {"type": "string", "pattern": _TEXT, "minLength": 1, "maxLength": longest})


def ident(longest: int) -> Type:
    """As `text`, or a whole number: its digits, at most `longest` of them."""
    written = text(longest)
    read_text: Callable[[object], str | None] = written.read
    limit = 10**longest

    def read(value: object) -> str | None:
        if type(value) is int:
            return str(value) if 0 <= value < limit else None
        return read_text(value)

    number = {"type": "integer", "minimum": 0}
    return Type(read, {"title": "id", "oneOf": [written.schema, number]})


def _read_uuid(value: object) -> str | None:
    return value.lower() if type(value) is str and _uuid(value) else None


def _read_printable(value: object) -> str | None:
    return value if type(value) is str and _printable(value) else None


def _read_currency(value: object) -> str | None:
    return currencies.normalise(value) if type(value) is str else None


def _read_amount(value: object) -> int | None:
    if type(value) is str:
        return money.parse(value)
    if type(value) is int:
        return value * money.UNIT if 0 <= value < _WHOLE_LIMIT else None
    return money.parse(bytes(value).decode()) if type(value) is msgspec.Raw else None


def _read_positive(value: object) -> int | None:
    return _read_amount(value) or None


def _amount_schema(pattern: str, least: str) -> Mapping[str, object]:
    """A number must be written plainly: no exponent, no more digits than the text may have."""
    number = {"type": "number", least: 0, "exclusiveMaximum": _WHOLE_LIMIT}
    return {"title": "amount", "oneOf": [{"type": "string", "pattern": pattern}, number]}


UUID = Type(
    _read_uuid, {"title": "uuid", "type": "string", "pattern": _UUID, "minLength": 36, "maxLength": 36}
)
"""Canonical 8-4-4-4-12, any letter case; read as lower case."""

PRINTABLE = Type(
    _read_printable, {"type": "string", "pattern": "^[ -~]{1,64}$", "minLength": 1, "maxLength": 64}
)
"""1 to 64 printable ASCII characters: what the V4 editions send as `uuid`."""

CURRENCY = Type(
    _read_currency,
    {
        **{"title": "currency code", "type": "string"},
        **{"pattern": "^[A-Za-z0-9]{3,4}$", "minLength": 3, "maxLength": 4},
    },
)
"""A currency code, raised to upper case. Whether the table has it is checked with the whole body."""

AMOUNT = Type(_read_amount, _amount_schema(AMOUNT_PATTERN, "minimum"), Wrong.AMOUNT)
"""An amount of zero or more, from the characters of a JSON string or number."""

POSITIVE = Type(_read_positive, _amount_schema(_POSITIVE, "exclusiveMinimum"), Wrong.AMOUNT)
"""An amount greater than zero (R12)."""

ANYTHING = Type(lambda value: value, {})
"""Any JSON: recorded, never read by a rule."""
