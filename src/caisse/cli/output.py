"""How answers look: a table on a terminal, aligned text in a pipe, JSON for programs."""

import json
import sys
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
    """A table on standard output; the columns named in `right` hold numbers."""
    cells = [[visible(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(headers, cells, right)
    else:
        _plain_table(headers, cells, right)


def _plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    lines = [headers, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.rjust(width) if header in right else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _rich_table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        shown.add_column(header, justify="right" if header in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(Text, row))
    Console().print(shown)


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
