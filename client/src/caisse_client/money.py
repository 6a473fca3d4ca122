"""Amounts: exact decimals in, exact decimals out. A float is refused, not converted."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_GRAMMAR: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


def text_of(amount: Decimal | int) -> str:
    """The canonical text of an amount: plain digits, at least one decimal, no spare zeros: `200.0`, `0.05`.

    Raises TypeError for anything but Decimal and int, ValueError for what is negative or no number.
    """
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise TypeError(f"an amount is a Decimal or an int, not {type(amount).__name__}")
    exact = Decimal(amount)
    if not exact.is_finite() or exact < 0:
        raise ValueError("an amount is a finite number of at least zero")
    whole, _, rest = f"{exact:f}".partition(".")
    return f"{whole}.{rest.rstrip('0') or '0'}"


def read_amount(value: object) -> Decimal:
    """An amount of an answer, from JSON text or from a JSON number's own characters.

    Raises ValueError for anything else; a binary float never reaches this point.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise ValueError("not an amount")
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not an amount")
        return value
    if not _GRAMMAR.fullmatch(text := str(value)):
        raise ValueError("not an amount")
    return Decimal(text)
