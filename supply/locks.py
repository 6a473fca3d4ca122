"""The locks in requirements/, read strictly: exact versions with hashes, and nothing else.

Needs the standard library only. Whatever it does not understand is a BadLock, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).resolve().parents[1] / "requirements"
RUN: Final = "run.lock"

_pin = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[a-z0-9,._-]+\])?==(?P<version>[A-Za-z0-9.+!_-]+)"
    r"(?: ; (?P<marker>.+?))?(?P<hashes>(?: +--hash=sha256:[0-9a-f]{64})*)"
).fullmatch
_hash = re.compile(r"sha256:([0-9a-f]{64})").findall
_via = re.compile(r"#(?: via)? +([A-Za-z0-9][A-Za-z0-9._-]*)").match


class BadLock(ValueError):
    """A line that pins nothing."""


class Pin(NamedTuple):
    """One requirement of a lock."""

    name: str
    version: str
    marker: str
    """Where it is wanted; empty: everywhere."""
    hashes: tuple[str, ...]
    """SHA-256 of each file that may be installed for it."""
    via: tuple[str, ...]
    """What needs it."""


def read(folder: Path = FOLDER) -> dict[str, list[Pin]]:
    """Every lock by the name of its file."""
    return {file.name: list(pins(file.read_text("utf-8"))) for file in sorted(folder.glob("*.lock"))}


def pins(text: str) -> Iterator[Pin]:
    """The requirements of one lock; BadLock for a line that is none."""
    line, via = "", list[str]()
    for part in [*text.splitlines(), "end"]:
        stripped = part.strip()
        if stripped.startswith("#"):
            via += [found[1] for found in [_via(stripped)] if found and found[1] != "via"]
        elif line.endswith("\\"):
            line = f"{line[:-1].rstrip()} {stripped}"
        else:
            if line:
                yield _read(line, via)
            line, via = stripped, []


def _read(line: str, via: Iterable[str]) -> Pin:
    found = _pin(line)
    if found is None:
        raise BadLock(f"this pins nothing: {line[:80]}")
    name = re.sub(r"[-_.]+", "-", found["name"]).lower()
    return Pin(name, found["version"], found["marker"] or "", tuple(_hash(found["hashes"])), tuple(via))


def unhashed(locks: Mapping[str, Iterable[Pin]]) -> list[str]:
    """Requirements that would be installed whatever they hold."""
    return [
        f"{lock}: {pin.name} has no hash" for lock, all_ in locks.items() for pin in all_ if not pin.hashes
    ]


def disagreeing(locks: Mapping[str, Iterable[Pin]]) -> list[str]:
    """What two locks, or two lines of one, name in two versions: tested would not be what is served."""
    versions: dict[str, dict[str, str]] = {}
    for lock, all_ in locks.items():
        for pin in all_:
            versions.setdefault(pin.name, {})[pin.version] = lock
    return [
        f"{name} is locked in several versions: {seen}" for name, seen in versions.items() if len(seen) > 1
    ]
