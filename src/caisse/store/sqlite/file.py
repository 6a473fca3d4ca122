"""An SQLite file: whose it is, how it is made and opened, and who may hold it.

A file is looked at before SQLite opens it: opening alone may change it. Ours are marked in their header, by
SQLite's own `application_id`.
"""

import fcntl
import os
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import apsw

from caisse.store.api import Unavailable, Unsuitable

APPLICATION_ID: Final = int.from_bytes(b"cais")
"""The mark in the header. Set when the file is made, before anything else is in it."""
MODE: Final = 0o600
"""Balances, names and hashes of secrets are the server's own business, whatever the umask."""
BESIDE: Final = ("", "-wal", "-shm", ".lock")
"""Suffixes of the database's files. SQLite gives `-wal` and `-shm` the mode of the file."""

BUSY_MILLISECONDS: Final = 5_000
"""How long a writer waits for another's short transaction."""
EMPTYING_MILLISECONDS: Final = 200
"""How long emptying the log may wait for readers at a time: a server's commits wait with it."""
EMPTYING_TRIES: Final = 12
PAGE_CACHE: Final = 8_192
"""KiB: 2,048 pages. A thousand refunds of as many players were seen to fit at 90,000 journal rows, 400 at ten
million. What does not fit is written before the commit, and read again. More gained nothing."""

_HEADER: Final = 100
_MAGIC: Final = b"SQLite format 3\0"
_KINDS: Final = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_known: Final[set[tuple[str, int, int]]] = set()
"""Path, device and inode of the files that were looked at and are ours."""
_looking: Final = threading.Lock()


def is_ours(path: Path) -> bool:
    """Whether a database of caisse's is there; False if nothing is, or an empty file.

    Unsuitable for anything else: another program's database, no database, no file. Changes nothing.

    A file is read once in a process, before SQLite has it open there. To close a file drops every lock that
    the process has on it, SQLite's too: then another program that closes the database as if it were the last
    removes its log, and with it what this process commits from then on.
    """
    with _looking:
        try:
            found = path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unsuitable(f"cannot open {path}: {error.strerror}") from error
        file = (str(path), found.st_dev, found.st_ino)
        if file not in _known and _is_marked(path, found.st_mode):
            _known.add(file)
        return file in _known


def _is_marked(path: Path, mode: int) -> bool:
    """Whether the file's header says so; False for an empty file."""
    if not stat.S_ISREG(mode):
        raise Unsuitable(f"{path} is {_KINDS.get(stat.S_IFMT(mode), 'no file')}, not a file")
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unsuitable(f"cannot open {path}: {error.strerror}") from error
    if not head:
        return False
    if len(head) < _HEADER or not head.startswith(_MAGIC):
        raise Unsuitable(f"cannot open {path}: it is no SQLite database")
    if int.from_bytes(head[56:60]) > 1:
        raise Unsuitable(f"{path} is in UTF-16, caisse needs UTF-8: let caisse make a new file")
    if int.from_bytes(head[68:72]) != APPLICATION_ID:
        raise Unsuitable(f"{path} is an SQLite database of another program, and is left as it is")
    return True


def open_file(path: Path) -> apsw.Connection:
    """A connection whose commits are synced to the disk before they return. Makes the file if need be."""
    there = is_ours(path)
    try:
        if not there:
            _make(path)
            is_ours(path)  # now, while SQLite does not have it open
        if _read_only(path):
            raise Unsuitable(f"{path} or its folder is read only, and this needs to write there")
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.execute("pragma journal_mode = wal").fetchall()
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        connection.execute(f"pragma cache_size = -{PAGE_CACHE}")
        # What is overwritten or deleted is zeroed in its page: else a removed name stays there (R59).
        connection.execute("pragma secure_delete = on").fetchall()
    except apsw.Error as error:
        raise Unavailable(f"cannot open {path}: {error}") from error
    return connection


def empty_log(path: Path) -> bool:
    """Move the log into the database file and cut it to nothing, beside a running server, too.

    Earlier states of a row stand in the log until then. False if a reader held it all the time.
    """
    connection = open_file(path)
    connection.set_busy_timeout(EMPTYING_MILLISECONDS)
    try:
        for _ in range(EMPTYING_TRIES):
            with suppress(apsw.BusyError):
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                return True
            time.sleep(EMPTYING_MILLISECONDS / 1_000)
        return False
    except apsw.Error as error:
        raise Unavailable(f"cannot empty the log of {path}: {error}") from error
    finally:
        connection.close()


def open_to_read(path: Path) -> apsw.Connection:
    """A connection that changes nothing. A copy that may not be written can be read, too."""
    if not is_ours(path):
        raise Unsuitable(f"there is no database in {path}. Is --db right? 'caisse migrate' makes one")
    try:
        connection = _opened_to_read(path)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.execute(f"pragma cache_size = -{PAGE_CACHE}")
        connection.execute("pragma query_only = on")
        connection.execute("select count(*) from sqlite_master").fetchall()
    except apsw.Error as error:
        raise Unavailable(f"cannot read {path}: {error}") from error
    return connection


def _opened_to_read(path: Path) -> apsw.Connection:
    """To write, if that may be: only then SQLite, when it closes, removes what it needs beside the file."""
    if not _read_only(path):
        return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    beside = any(Path(f"{path}{suffix}").exists() for suffix in ("-wal", "-shm"))
    # Nobody writes a file that has nothing beside it and may not be written.
    how = "mode=ro" if beside else "mode=ro&immutable=1"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(f"file:{quote(str(path))}?{how}", flags=flags)


def _read_only(path: Path) -> bool:
    """The file, or its folder. One without any right to write is meant so, even for root."""
    return any(not os.access(p, os.W_OK) or not p.stat().st_mode & 0o222 for p in (path, path.parent))


def _make(path: Path) -> None:
    """An empty file that is marked as ours. Two may do so at once."""
    _make_folder(path)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except FileExistsError:
        pass
    except OSError as error:
        raise Unsuitable(f"cannot make {path}: {error.strerror}") from error
    else:
        os.fchmod(handle, MODE)
        os.close(handle)
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.execute("begin immediate")
        connection.execute(f"pragma application_id = {APPLICATION_ID}")
        connection.execute("commit")
    finally:
        connection.close()


def _make_folder(path: Path) -> None:
    """The last one of the path only: a longer one that is missing is more likely a mistake."""
    try:
        path.parent.mkdir(exist_ok=True)
    except FileNotFoundError as error:
        raise Unsuitable(f"there is no folder {path.parent.parent}. Is --db right?") from error
    except OSError as error:
        raise Unsuitable(f"cannot make the folder {path.parent}: {error.strerror}") from error


def readable_by_others(path: Path) -> list[Path]:
    """Which of the database's files have a wider mode than 0600."""
    files = [Path(f"{path}{suffix}") for suffix in BESIDE]
    return [file for file in files if file.exists() and file.stat().st_mode & 0o077]


def sync_earlier(path: Path) -> None:
    """Make durable what an earlier server committed but may not have synced before it was killed.

    Such rows can be read, and would be told again as verdicts; so this comes before the first answer.
    """
    wal = Path(f"{path}-wal")
    if wal.exists():
        with wal.open("rb") as file:
            os.fsync(file.fileno())
    connection = open_file(path)
    connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    connection.close()


def lock_file(path: Path) -> int:
    """Hold the file for the life of this server. Unavailable if another server holds it, or it is not ours.

    A file with a second name would have a second lock, so there may be none.
    """
    if is_ours(path) and path.stat().st_nlink > 1:
        raise Unavailable(f"{path} has another name too (a hard link): two servers could hold it")
    _make_folder(path)
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
    except OSError as error:
        raise Unsuitable(f"cannot make {path}.lock: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Unavailable(f"{path} is already served by another process") from error
    return handle
