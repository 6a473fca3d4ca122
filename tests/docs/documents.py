"""The documents as text: which there are, their headings, their code blocks, what they link to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TOP = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md")
PACKAGES = ("client/README.md", "kit/README.md")

_FENCE = re.compile(r"^```(\w*)$")
_HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*$")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block of a document."""

    path: str
    line: int
    language: str
    text: str


class Heading(NamedTuple):
    """A heading, and the text below it, down to the next of its rank or above."""

    level: int
    title: str
    text: str


def documents() -> list[str]:
    """The paths of all documents, from the repository's root."""
    return [*TOP, *PACKAGES, *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def everything() -> str:
    return "\n".join(text(path) for path in documents())


def blocks(path: str, language: str = "") -> list[Block]:
    """The fenced blocks, or those of one language."""
    return [b for b in _blocks(path, text(path)) if language in ("", b.language)]


def _blocks(path: str, source: str) -> Iterator[Block]:
    begun: tuple[int, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(source.splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and begun is None:
            begun, inside = (number, fence[1]), []
        elif fence and begun:
            yield Block(path, begun[0], begun[1], "\n".join(inside) + "\n")
            begun = None
        elif begun:
            inside.append(line)
    assert begun is None, f"{path}:{begun}: a block is not closed"


def prose(path: str) -> str:
    """A document without its blocks."""
    return re.sub(r"^```.*?^```$", "", text(path), flags=re.DOTALL | re.MULTILINE)


def headings(path: str) -> list[Heading]:
    lines = prose(path).splitlines()
    found = [(n, h) for n, line in enumerate(lines) if (h := _HEADING.match(line))]
    made = []
    for place, (begin, heading) in enumerate(found):
        level = len(heading[1])
        end = next((n for n, h in found[place + 1 :] if len(h[1]) <= level), len(lines))
        made.append(Heading(level, heading[2], "\n".join(lines[begin + 1 : end])))
    return made


def section(path: str, title: str) -> str:
    """The text below a heading; AssertionError if there is no such heading."""
    for heading in headings(path):
        if heading.title == title:
            return heading.text
    raise AssertionError(f"{path} has no heading {title!r}")


def anchors(path: str) -> set[str]:
    """What a link may name behind `#`, as common renderers make it."""
    return {re.sub(r"[^\w\- ]", "", h.title.lower()).replace(" ", "-") for h in headings(path)}


def links(path: str) -> list[str]:
    return _LINK.findall(prose(path))
