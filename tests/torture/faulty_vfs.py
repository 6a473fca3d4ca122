"""A file system for SQLite that fails when told so, in a server or beside it.

`PRELUDE` puts it under a server's SQLite; `Disk` tells it, through a file that both know, which call on which
file fails from now on, and how. It knows nothing of caisse. Everything else is the real file system.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

WAL, MAIN = "-wal", ".db"
"""How the names of the files end."""
CHECKPOINT_PAGES: Final = 30
"""A checkpoint every few commits instead of every few hundred."""


class Failure(NamedTuple):
    """A call that fails."""

    file: str
    call: str
    code: int
    """What SQLite's own file system makes of the system's error number."""
    half: bool = False
    """Half of what was to be written is written."""
    lost: bool = False
    """What was written since the last sync is gone, as with pages that a kernel drops after an error."""
    once: bool = False
    """The next such call succeeds, as fsync does after it has told its error."""


class Disk:
    """What the harness holds."""

    def __init__(self, folder: Path) -> None:
        self._order = folder / "failure.json"
        self._struck = folder / "struck"
        self.prelude = PRELUDE.format(root=str(ROOT), folder=str(folder))
        """What a server's program begins with."""

    def fail(self, failure: Failure) -> None:
        """From now on."""
        self._struck.unlink(missing_ok=True)
        draft = self._order.with_suffix(".draft")
        draft.write_text(json.dumps(failure))
        draft.rename(self._order)

    def mend(self) -> None:
        """Everything works again."""
        self._order.unlink(missing_ok=True)

    @property
    def struck(self) -> bool:
        """Whether a call has failed since the last order."""
        return self._struck.exists()


ROOT: Final = Path(__file__).resolve().parents[2]
PRELUDE: Final = """
import sys
sys.path.insert(0, {root!r})
from tests.torture import faulty_vfs
faulty_vfs.install({folder!r})
"""


def install(folder: str) -> None:
    """Every connection of this process from now on."""
    global _installed
    _installed = _Vfs(Path(folder))
    apsw.connection_hooks.append(lambda connection: connection.wal_autocheckpoint(CHECKPOINT_PAGES))


class _Vfs(apsw.VFS):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._real = apsw.vfs_names()[0]
        super().__init__("faulty", self._real, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _File(self._folder, self._real, path, name, flags)


_installed: _Vfs | None = None
"""SQLite does not keep it alive."""


class _File(apsw.VFSFile):
    def __init__(self, folder: Path, real: str, path: str | None, name: Any, flags: list[int]) -> None:
        self._folder = folder
        self._path = path or ""
        self._unsynced: list[tuple[int, bytes]] = []
        super().__init__(real, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        failure = self._failure("write")
        if failure is not None:
            if failure.half:
                super().xWrite(data[: len(data) // 2], offset)
            raise self._error(failure)
        self._unsynced.append((offset, self._there(len(data), offset)))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        failure = self._failure("sync")
        if failure is not None:
            if failure.lost:
                self._lose()
            raise self._error(failure)
        super().xSync(flags)
        self._unsynced.clear()

    def xTruncate(self, size: int) -> None:
        self._unsynced.clear()
        super().xTruncate(size)

    def _failure(self, call: str) -> Failure | None:
        with contextlib.suppress(FileNotFoundError):
            failure = Failure(*json.loads((self._folder / "failure.json").read_text()))
            if call == failure.call and self._path.endswith(failure.file):
                return failure
        return None

    def _error(self, failure: Failure) -> Exception:
        if failure.once:
            (self._folder / "failure.json").unlink()
        (self._folder / "struck").touch()
        error = apsw.exception_for(failure.code)
        error.args = (f"{failure.call} failed",)
        return error

    def _there(self, length: int, offset: int) -> bytes:
        """What stands where something is about to be written; nothing beyond the end."""
        length = min(length, self.xFileSize() - offset)
        return self.xRead(length, offset) if length > 0 else b""

    def _lose(self) -> None:
        for offset, before in reversed(self._unsynced):
            super().xTruncate(offset) if not before else super().xWrite(before, offset)
        self._unsynced.clear()
