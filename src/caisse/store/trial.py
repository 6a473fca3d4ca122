"""A batch that is written and rolled back: whether a database takes writes is found out by writing."""

from uuid import uuid4

from caisse.core.book import Book
from caisse.core.decide import decide
from caisse.core.policy import DEFAULT_POLICY
from caisse.core.requests import CreatePlayer


def trial() -> Book:
    """One player, one journal row. No partner's id holds a colon, and the player's is new each time."""
    user = str(uuid4())
    request = CreatePlayer(
        id=user, partner=":trial", user=user, uuid=user, endpoint="", name="", name_key=bytes(16)
    )
    book = Book()
    book.take(decide(request, book, DEFAULT_POLICY, 1))
    return book
