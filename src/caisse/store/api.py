"""What a store does for the writer, and the ways in which it can fail.

A store never decides and never retries: it loads a book, it commits a book, and it says exactly what is
known when either fails. The four failures below are all a writer has to tell apart.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from caisse.core.attempts import Attempt
from caisse.core.book import Book, Wants

Row = Sequence[Any]


class Conflict(Exception):
    """Somebody else was faster: nothing was written; load again and decide again."""


class WrongGuess(Conflict):
    """A round that the batch was to open is there already: only what it was decided from is in doubt."""


class BadData(Exception):
    """The database refuses a value of this batch: nothing was written; one request of it is poisonous."""


class Damaged(ValueError):
    """A stored row cannot be read: it holds what nobody of us wrote. The message says which row."""


class Unavailable(Exception):
    """The database cannot be reached or written just now: nothing was written."""


class Unsuitable(Unavailable):
    """The database answers and must not be used as it is; the text says why, and what to do."""


class FateUnknown(Exception):
    """A commit was under way when the answer was lost: it may or may not stand.

    Looking is unsafe, since it may still be pending; sending the same requests again is safe.
    `fatal`: the process must stop and start again before it may answer anything.
    """

    def __init__(self, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal


class Ledger(Protocol):
    """One connection that a writer owns."""

    async def open(self) -> None:
        """Connect, and try all that a batch needs, without leaving a row. Unavailable if it does not work.

        What is not opened so is opened when first used.
        """
        ...

    async def load(self, wanted: Wants, *, lock: bool) -> Book:
        """Everything `wanted` names. With `lock`, the players stay locked until `commit` or the next load."""
        ...

    async def commit(self, book: Book) -> None:
        """Make durable what the book took in; on return all of it is, and all that was loaded too."""
        ...

    async def record(self, attempts: Sequence[Attempt]) -> None:
        """Write down requests that left no row, in a transaction of its own that nobody waits for."""
        ...

    def drop(self) -> None:
        """Give up whatever is under way by dropping the connection; never cancels a commit."""
        ...

    async def close(self) -> None:
        """Release the connection."""
        ...


class Database(Protocol):
    """A database for everything but the hot path: administration, reading, auditing.

    Statements are the same text for every engine: parameters are `$1`, `$2` …, amounts and ids are cast
    to text.
    """

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """The rows of one statement. Unavailable if the database does not give them."""
        ...

    def by_index(self, table: str, index: str) -> str:
        """How `from` names a table that must be read through an index, where a planner can be told so."""
        ...

    async def tables(self) -> set[str]:
        """The names of the tables there are."""
        ...

    def stream(self, sql: str) -> AsyncIterator[Row]:
        """The rows of a statement as long as the ledger, a few at a time; inside a snapshot only."""
        ...

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement in a transaction of its own; the number of rows touched. Unavailable if not."""
        ...

    async def execute_all(self, *statements: tuple[str, Sequence[Any]]) -> bool:
        """Run statements in one transaction; False, and all undone, if one of them touches no row."""
        ...

    async def begin_snapshot(self) -> None:
        """From here on every `fetch` sees one and the same state, until `close`."""
        ...

    async def script(self, sql: str) -> None:
        """Run a migration's statements in one transaction, alone. Unavailable if they fail, all undone."""
        ...

    async def close(self) -> None:
        """Release the connection."""
        ...
