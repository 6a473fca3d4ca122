"""A batch that is written and rolled back: whether a database takes writes is found out by writing."""

from typing import Final
from uuid import uuid4

from caisse.core.book import Book, Wants
from caisse.core.policy import DEFAULT_POLICY
from caisse.core.requests import CreatePlayer
from caisse.core.rules.decide import decide

PARTNER: Final = ":trial"
"""No partner's id holds a colon."""

LOOKED_FOR: Final = Wants(
    players=[(PARTNER, "")],
    entries=[(PARTNER, "x:")],
    rounds=[(PARTNER, "", "", "")],
    rolled_back=[],
    whole_rounds=[(PARTNER, "", "", "")],
    newest_transfers=[(PARTNER, "")],
    playing=[(PARTNER, "")],
)
"""Something of each kind that a batch loads."""


def trial() -> Book:
    """One player, one journal row. The player is new each time, so servers do not wait for each other."""
    user = str(uuid4())
    request = CreatePlayer(
        id=user, partner=PARTNER, user=user, uuid=user, endpoint="", name="", name_key=bytes(16)
    )
    book = Book()
    book.take(decide(request, book, DEFAULT_POLICY, 1))
    return book
