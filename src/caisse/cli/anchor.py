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
from types import TracebackType
from typing import Self

from caisse.cli.failures import Failed
from caisse.core.audit_past import Anchor

NOT_WHOLE = "is no whole anchor: it was changed or cut off"


def read(path: Path) -> Iterator[Anchor]:
    """The anchors of a file. Failed if it is not as it was written, which shows at its end at the latest."""
    try:
        with path.open(encoding="utf-8") as file:
            yield from _read(path, file)
    except OSError as error:
        raise Failed(f"cannot read the anchor: {error}") from error


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
    """A new anchor under way, beside its place until it is kept. Never over another file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(path.name + ".part")
        self._digest = blake2b(digest_size=32)
        self._players = 0

    def __enter__(self) -> Self:
        if self._path.exists():
            raise Failed(f"{self._path} is there already: an anchor is never overwritten")
        try:
            self._file = self._draft.open("w", encoding="utf-8")
        except OSError as error:
            raise Failed(f"cannot write the anchor: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        with suppress(FileNotFoundError):
            self._draft.unlink()

    def stands(self, anchor: Anchor) -> None:
        """One more player."""
        values = (anchor.partner, anchor.player, anchor.seq, anchor.hash.hex())
        line = json.dumps(values, separators=(",", ":"), ensure_ascii=False) + "\n"
        self._file.write(line)
        self._digest.update(line.encode())
        self._players += 1

    def keep(self) -> str:
        """Put the file in its place; the digest, by which it can be known again."""
        digest = self._digest.hexdigest()
        self._file.write(json.dumps({"players": self._players, "digest": digest}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._draft.rename(self._path)
        return digest
