"""A copy of an SQLite database while it is served: one state of it, whole, durable and read once.

All pages are read in one transaction, so that whoever writes meanwhile neither waits nor makes the copy start
again. Until it is whole the copy has another name: what bears the name that was asked for can be restored.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from caisse.store.api import Unavailable
from caisse.store.sqlite.file import BUSY_MILLISECONDS, is_ours

PAGES: Final = 2_000
"""Copied between two reports of progress: 8 MB, well below a second."""
PARTIAL: Final = ".partial"
"""What is added to the name of a copy that is not whole yet."""


class Damaged(Exception):
    """The copy is not sound, so the original is not; the text says what SQLite found."""


def backup(source: Path, target: Path, progress: Callable[[float], None] = lambda part: None) -> int:
    """Copy the database to a file that must not exist; its size in bytes. `progress` is told the part done.

    FileExistsError if the target or its unfinished copy is there, OSError if it cannot be written,
    Unavailable if the source cannot be read, Damaged if the copy is not sound: then there is no target.
    """
    if not is_ours(source):
        raise Unavailable(f"there is no database in {source}")
    partial = target.with_name(target.name + PARTIAL)
    _refuse_to_overwrite(target)
    _reserve(partial)
    try:
        _copy(source, partial, progress)
        _sync(partial)
        size = partial.stat().st_size
        _name(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return size


def _refuse_to_overwrite(target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(f"{target} is there already, and is not overwritten")


def _reserve(partial: Path) -> None:
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise FileExistsError(
            f"{partial} is there: another backup writes it, or one was killed and it may be removed"
        ) from None


def _copy(source: Path, partial: Path, progress: Callable[[float], None]) -> None:
    try:
        origin = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
        copy = apsw.Connection(str(partial))
        origin.set_busy_timeout(BUSY_MILLISECONDS)
        try:
            _copy_pages(origin, copy, progress)
            _check(copy)
        finally:
            copy.close()
            origin.close()
    except apsw.Error as error:
        raise Unavailable(f"copying {source} failed: {error}") from error


def _copy_pages(origin: apsw.Connection, copy: apsw.Connection, progress: Callable[[float], None]) -> None:
    """The transaction is what keeps other programs' commits from starting the copy again."""
    origin.execute("begin")
    origin.execute("select count(*) from sqlite_master").fetchall()
    with copy.backup("main", origin, "main") as pages:
        while not pages.step(PAGES):
            progress(1 - pages.remaining / pages.page_count)
    origin.execute("commit")


def _check(copy: apsw.Connection) -> None:
    """Reads every page. No log beside the file, so that the file is all there is to keep."""
    copy.execute("pragma journal_mode = delete").fetchall()
    found = [" ".join(str(row[0]).split()) for row in copy.execute("pragma integrity_check(10)")]
    if found != ["ok"]:
        raise Damaged("; ".join(found))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(partial: Path, target: Path) -> None:
    """Nobody else can be writing this target: his unfinished copy would have this one's name."""
    _refuse_to_overwrite(target)
    partial.rename(target)
    _sync(target.parent)
