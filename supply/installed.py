"""Whether what is installed is what was locked: the versions, and each file as its wheel brought it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from supply.locks import Pin


def versions() -> dict[str, str]:
    """Of everything that this Python can import, by its name as locks spell it."""
    return {named(dist.name): dist.version for dist in distributions()}


def named(name: str) -> str:
    """As locks spell it."""
    return name.lower().replace("_", "-").replace(".", "-")


def differing(pins: Iterable[Pin], have: Mapping[str, str]) -> list[str]:
    """What a lock wants here, and what is there instead."""
    return [
        f"{pin.name} is installed in version {have.get(pin.name)}, locked is {pin.version}"
        for pin in pins
        if have.get(pin.name) != pin.version and _wanted(pin)
    ]


def _wanted(pin: Pin) -> bool:
    return not pin.marker or Marker(pin.marker).evaluate()


def unlocked(needs: Iterable[str], pins: Iterable[Pin]) -> list[str]:
    """What a distribution needs by its own words, and no lock fixes."""
    have = {pin.name for pin in pins}
    wanted = {named(Requirement(text).name) for text in needs}
    return [f"{name} is needed and not locked" for name in sorted(wanted - have)]


def altered(dist: Distribution) -> Iterator[str]:
    """Files that are not as the wheel's record says, or not there."""
    for file in dist.files or ():
        if file.hash is None:
            continue
        path = Path(str(file.locate()))
        if not path.is_file():
            yield f"{dist.name}: {file} is gone"
        elif _digest(path.read_bytes(), file.hash.mode) != file.hash.value:
            yield f"{dist.name}: {file} was changed after it was installed"


def _digest(data: bytes, mode: str) -> str:
    """As records spell it."""
    return base64.urlsafe_b64encode(hashlib.new(mode, data).digest()).rstrip(b"=").decode()
