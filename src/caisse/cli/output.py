"""How answers look: aligned text for people, JSON for programs."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click


def emit(value: object) -> None:
    """JSON on standard output. Amounts are text already."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def when(microseconds: int) -> str:
    """A stored time, in UTC, to the microsecond."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def when_or_none(microseconds: int | None) -> str | None:
    """The same for what may not have happened."""
    return None if microseconds is None else when(microseconds)


def visible(text: str) -> str:
    """Text from outside, unable to steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """A table on standard output; the columns named in `right` hold numbers. Nothing is cut to fit."""
    lines = [list(headers), *([visible(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if header in right else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=True)
        ]
        text = "  ".join(cells).rstrip()
        click.echo(_heading(text) if number == 0 else text)


def _heading(text: str) -> str:
    """Set apart on a terminal; click takes the style away elsewhere."""
    return text if "NO_COLOR" in os.environ else click.style(text, bold=True)


def fields(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, one a line."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        click.echo(f"{name.ljust(width)}  {visible(value)}")


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 wallet`, `2 wallets`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def pick(value: Any, names: Sequence[str]) -> dict[str, Any]:
    """Some attributes of a value, by name."""
    return {name: getattr(value, name) for name in names}
