"""Slot logs: pages of a partner's game rounds, as both editions of the transfer door list them (R57).

A round is listed when it is over; a later change of it is a further row. The index of a row never changes. A
page is read from the store, outside the order of decisions; it claims no key and asks nothing of the ledger.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from caisse.core.money import show
from caisse.core.round_log import Numbered
from caisse.dialects.wire.table import Field, Shown, Terms
from caisse.dialects.wire.values import BALANCE_SCHEMA, Type

MAX_LIMIT: Final = 1_000
"""Rows on one page."""
MAX_START: Final = 10**18 - 1
"""Below the largest number that every store can hold."""

NO_JACKPOT: Final = "none"


def whole(least: int, most: int, digits: str) -> Type:
    """A whole number, as a JSON number or as text that `digits` matches."""
    matches = re.compile(digits, re.ASCII).fullmatch

    def read(value: object) -> int | None:
        if type(value) is str:
            return int(value) if matches(value) else None
        return value if type(value) is int and least <= value <= most else None

    number = {"type": "integer", "minimum": least, "maximum": most}
    return Type(read, {"oneOf": [number, {"type": "string", "pattern": f"^({digits})$"}]})


def rows(page: list[Numbered]) -> list[list[object]]:
    """The rows as they are listed."""
    return [
        [
            *(r.index, r.game, r.currency, show(r.staked), show(r.won)),
            *(r.jackpot_id or NO_JACKPOT, show(r.jackpot)),
        ]
        for r in page
    ]


_START: Final = whole(0, MAX_START, "0|[1-9][0-9]{0,17}")
_LIMIT: Final = whole(1, MAX_LIMIT, "[1-9][0-9]{0,2}|1000")

START = Field("start", "start", _START, "Index of the first row wanted, counted from 0.")
LIMIT = Field("limit", "limit", _LIMIT, "Rows wanted at most.")

ROW: Final[Mapping[str, object]] = {
    "type": "array",
    "prefixItems": [
        {"type": "integer", "title": "index"},
        {"type": "string", "title": "game id"},
        {"type": "string", "title": "currency"},
        {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)\.[0-9]{1,18}$", "title": "bet"},
        {**BALANCE_SCHEMA, "title": "win"},
        {"type": "string", "title": "jackpot name"},
        {**BALANCE_SCHEMA, "title": "jackpot"},
    ],
    "minItems": 7,
    "maxItems": 7,
}
LOGS = Shown(
    "logs",
    {"type": "array", "items": ROW, "maxItems": MAX_LIMIT},
    "A row for each round and each later change: index, game id, currency, bet, win, jackpot name, jackpot.",
    lambda t: None,  # the door answers a page by itself, from `rows`
)


def no_request(values: dict[str, Any], terms: Terms) -> NoReturn:
    """A log's `make`: the door answers it by a `RoundsQuery`, and never comes here."""
    raise TypeError("a slot log asks nothing of the ledger")
