"""Anchors: where every player's chain stood at an audit, as a file to be kept out of the database's reach.

One line of JSON for each player, in the order of partner and player, `["demo","ana",12,"<hash>"]`; the
last line holds how many they are and the digest of all lines before it, BLAKE2b-256. Read line by line.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self

from caisse.audit.history import Anchor
from caisse.cli.failures import Failed

NOT_WHOLE = "is no whole anchor: it was changed or cut off"


def read(path: Path) -> Iterator[Anchor]:
    """The anchors of a file. Failed if it is not as it was written, which shows at its end at the latest."""
    try:
        with path.open(encoding="utf-8") as file:
            yield from _read(path, file)
    except OSError as error:
        raise Failed(f"cannot read the anchor: {error}") from error
    except UnicodeDecodeError as error:
        raise Failed(f"{path} {NOT_WHOLE} (it is no text)") from error


def _read(path: Path, lines: Iterator[str]) -> Iterator[Anchor]:
    digest, before = blake2b(digest_size=32), ("", "")
    for number, line in enumerate(lines):
        try:
            values = json.loads(line)
            if isinstance(values, dict):
                whole = values == {"players": number, "digest": digest.hexdigest()} and not list(lines)
                if whole:
                    return
                raise ValueError
            partner, player, seq, hash_ = values
            found = Anchor(partner, player, seq, bytes.fromhex(hash_))
            if (partner, player) <= before:
                raise ValueError
        except (ValueError, TypeError) as error:
            raise Failed(f"{path} {NOT_WHOLE} (line {number + 1})") from error
        digest.update(line.encode())
        before = (partner, player)
        yield found
    raise Failed(f"{path} {NOT_WHOLE} (it has no end)")


class Writing:
    """A new anchor under way, in a file of its own beside its place until it is kept.

    Two audits that write to one name do not meet: each has its own draft; the second to finish is refused.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = blake2b(digest_size=32)
        self._players = 0

    def __enter__(self) -> Self:
        if os.path.lexists(self._path):
            raise Failed(self._taken())
        try:
            self._file = NamedTemporaryFile(  # closed on leaving
                "w",
                encoding="utf-8",
                dir=self._path.parent,
                prefix=f"{self._path.name}.",
                suffix=".part",
                delete=False,
            )
        except OSError as error:
            raise Failed(f"cannot write the anchor: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a full disk was reported by `keep`, or the audit failed anyway
            self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def fileno(self) -> int:
        """The draft's file descriptor."""
        return self._file.fileno()

    def stands(self, anchor: Anchor) -> None:
        """One more player."""
        values = (anchor.partner, anchor.player, anchor.seq, anchor.hash.hex())
        line = json.dumps(values, separators=(",", ":"), ensure_ascii=False) + "\n"
        self._write(line)
        self._digest.update(line.encode())
        self._players += 1

    def keep(self) -> str:
        """Put the whole file in its place, durably; its digest, by which it can be known again.

        Failed if anything has that name by now.
        """
        digest = self._digest.hexdigest()
        self._write(json.dumps({"players": self._players, "digest": digest}) + "\n")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            # Taking the name is what excludes others, on every file system; a rename alone would overwrite. A
            # crash between the two leaves an empty file, which is no anchor.
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._take_place()
        except FileExistsError as error:
            raise Failed(self._taken()) from error
        except OSError as error:
            raise Failed(f"cannot write the anchor: {error}") from error
        return digest

    def _take_place(self) -> None:
        try:
            os.replace(self._file.name, self._path)
        except OSError:
            self._path.unlink()
            raise
        _sync_folder(self._path.parent)

    def _write(self, line: str) -> None:
        try:
            self._file.write(line)
        except OSError as error:
            raise Failed(f"cannot write the anchor: {error}") from error

    def _taken(self) -> str:
        return f"{self._path} is there already: an anchor is never overwritten"


def _sync_folder(folder: Path) -> None:
    """Make the new name durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
