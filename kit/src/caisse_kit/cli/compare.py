"""`caisse-kit compare`: two reports."""

from __future__ import annotations

from pathlib import Path

import click

from caisse_kit.cli.options import terminal
from caisse_kit.compare import changes
from caisse_kit.report.files import UnreadableReport, read_json
from caisse_kit.report.text import checks_table


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def compare(old: Path, new: Path) -> None:
    """What changed between two JSON reports. Exits with 1 if a check got worse."""
    console = terminal()
    try:
        found = changes(read_json(old), read_json(new))
    except UnreadableReport as error:
        raise click.UsageError(f"no report of this kit: {error}") from None
    if not found:
        console.print("Nothing changed.")
        return
    rows = [("worse" if c.worse else "better", c.id, f"{c.before} → {c.after}", c.message) for c in found]
    console.print(checks_table(sorted(rows, reverse=True), ("", "CHECK", "OUTCOME", "SEEN")))
    raise SystemExit(1 if any(change.worse for change in found) else 0)
