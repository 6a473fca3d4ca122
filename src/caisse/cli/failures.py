"""Failures that a user can mend: each has an exit code and one line that says what was wrong and what to do.

Everything else is a bug and keeps its traceback.
"""

import sys

import click

from caisse.settings import BadSettings


class Failed(click.ClickException):
    """The answer is no. The message is shown as it is: no secrets in it.

    The exit codes of this class and those below are documented in `caisse --help` and never change.
    """

    exit_code = 1


class BadSetting(Failed):
    """A setting that cannot be."""

    exit_code = 2


class NoDatabase(Failed):
    """The database cannot be used, or has another version."""

    exit_code = 3


class Dead(Failed):
    """The server ended by itself and must be started again."""

    exit_code = 70


class Interrupted(Failed):
    """The user did not want to wait."""

    exit_code = 130


def failure_of(error: BaseException) -> Failed | None:
    """What a user is told of an error; None if it is not the user's to mend."""
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("interrupted; nothing is left half done")
    if isinstance(error, BadSettings):
        return BadSetting(str(error))
    # Without the store there was no database to fail.
    return _database_failure(error) if "caisse.store.opening" in sys.modules else None


def _database_failure(error: BaseException) -> Failed | None:
    import apsw
    import asyncpg

    from caisse.store.api import Damaged, Unavailable, Unsuitable
    from caisse.store.migrate import WrongVersion

    first_line = str(error).partition("\n")[0]
    if isinstance(error, WrongVersion | Unsuitable):
        return NoDatabase(first_line)
    if isinstance(error, Damaged):
        return Failed(f"a stored row cannot be read: {first_line}. It is damaged: run 'caisse audit'")
    if isinstance(error, Unavailable):
        if isinstance(error.__cause__, asyncpg.InsufficientPrivilegeError):
            return NoDatabase(
                f"{first_line}. The role in --db needs more rights; docs/operations.md lists those to grant"
            )
        return NoDatabase(f"{first_line}. Is --db right, and the database up and free?")
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | apsw.Error):
        return NoDatabase(f"the database refuses: {first_line}. Is --db a database of caisse's, and free?")
    if isinstance(error, TimeoutError | ConnectionResetError):
        return NoDatabase("the connection to the database was lost: run the command again")
    return None
