"""How answers look: aligned text for people, JSON for programs.

Everything that a command writes goes through here: no character of an argument or of stored text can steer
a terminal, in text or in JSON.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click

EMITTED: Final = "caisse.emitted"
"""Set in the context's `meta` once a command has written its JSON."""


def emit(value: object) -> None:
    """JSON on standard output, in ASCII: a control or bidi character comes as an escape. Amounts are text."""
    click.get_current_context().find_root().meta[EMITTED] = True
    click.echo(json.dumps(value, indent=2))


def emit_failure(failure: click.ClickException) -> None:
    """The same for a command that failed before it had anything to show."""
    shown = {"error": failure.format_message(), "exit_code": failure.exit_code}
    click.echo(json.dumps(shown, indent=2))


def say(text: str, *, err: bool = False) -> None:
    """Lines of text on standard output or standard error."""
    click.echo("\n".join(map(visible, text.split("\n"))), err=err)


def redraw(text: str) -> None:
    """A line of progress on a terminal's standard error, in the place of the one before; empty: none."""
    click.echo(f"\r\x1b[K{visible(text)}", err=True, nl=False)


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
