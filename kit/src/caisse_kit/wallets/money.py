"""Amounts of the wallets here: whole numbers of 10^-18, so that no sum is ever rounded."""

from __future__ import annotations

import re
from decimal import Decimal

SCALE = 18
UNIT: int = 10**SCALE

_GRAMMAR = re.compile(r"(0|[1-9][0-9]{0,13})(\.[0-9]{1,18})?", re.ASCII)


def units(value: object) -> int | None:
    """An amount from JSON text or from a number's own characters; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = str(value)
    if not _GRAMMAR.fullmatch(text):
        return None
    whole, _, rest = text.partition(".")
    return int(whole) * UNIT + int(rest.ljust(SCALE, "0"))


def written(amount: int) -> str:
    """Canonical text, with at least one decimal."""
    sign, digits = ("-" if amount < 0 else ""), f"{abs(amount):0{SCALE + 1}d}"
    return f"{sign}{digits[:-SCALE]}.{digits[-SCALE:].rstrip('0') or '0'}"
