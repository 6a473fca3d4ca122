"""What is known after PostgreSQL or its driver failed: one of the failures of `caisse.store.api`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from caisse.store.api import BadData, Conflict, FateUnknown, Unavailable, WrongGuess

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut in the middle of an answer
    OSError,
)

LOST_RACE: Final = frozenset({"40001", "40P01", "23505"})
"""Serialization failure, deadlock, a key that somebody else inserted first."""

NOTHING_WRITTEN: Final = frozenset({"0A", "25", "26", "42", "53", "54", "55", "P0"})
"""SQLSTATE classes that a statement fails with before its commit: not supported, read only or a standby, a
prepared statement that a pooler lost, no right, no room, too large, not ready, raised by a trigger.

XX000 is none of them: inside a commit it is an unknown fate. On a standby the statements that write fail with
25006 before they can come to recovery's XX000 (decision 0045).
"""

NOT_KEPT: Final = (
    "a pooler there does not keep sessions, which caisse needs: give this database 'pool_mode=session' in the"
    " pooler, or connect to PostgreSQL itself"
)


def said(error: Exception) -> str:
    """The error's text. The driver's own advice on a statement that a pooler lost is not for operators."""
    return NOT_KEPT if _state(error) == "26000" else str(error)


def reading_failed(error: Exception) -> Exception:
    """Nothing was written, whatever went wrong. A lost race may be tried again at once."""
    return _before_commit(error) or Unavailable(f"reading failed: {said(error)}")


def uncommitted(error: Exception) -> Exception:
    """A write failed in a transaction whose commit was not sent: nothing stands, whatever went wrong."""
    return _before_commit(error) or Unavailable(f"writing failed: {said(error)}")


def commit_failed(error: Exception) -> Exception:
    """A statement that is its own transaction failed, or a commit. Most errors prove nothing."""
    state = _state(error)
    if state in LOST_RACE:
        return _lost_race(error)
    if state[:2] in ("22", "23"):
        return BadData(str(error))
    if state[:2] in NOTHING_WRITTEN:
        return Unavailable(f"writing failed: {said(error)}")
    return FateUnknown(f"the answer to a commit was lost: {error}")


def _before_commit(error: Exception) -> Exception | None:
    state = _state(error)
    if state in LOST_RACE:
        return _lost_race(error)
    if state[:2] in ("22", "23") or isinstance(error, ValueError):
        return BadData(str(error))
    return None


def _lost_race(error: Exception) -> Conflict:
    round_taken = _state(error) == "23505" and getattr(error, "table_name", "") == "round"
    return WrongGuess(str(error)) if round_taken else Conflict(str(error))


def _state(error: Exception) -> str:
    return getattr(error, "sqlstate", None) or ""


@contextmanager
def as_unavailable() -> Iterator[None]:
    """The driver's many errors as the one that administration and reading know."""
    try:
        yield
    except DRIVER_ERRORS as error:
        raise Unavailable(f"PostgreSQL: {said(error)}") from error
