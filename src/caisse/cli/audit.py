"""`caisse audit`: recompute everything from the journal and compare."""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Final

import click

from caisse.cli import options, output
from caisse.cli.database import to_read
from caisse.cli.failures import Failed
from caisse.core.audit import CHECKS, Totals
from caisse.store import auditing
from caisse.store.auditing import Report

PROGRESS_SECONDS: Final = 0.1
"""How often progress is shown: as smooth as an eye can tell."""


def claims() -> dict[str, str]:
    """Every invariant by its name, with the rules it proves."""
    checks = {name: _first_line(check) for name, check in CHECKS.items()}
    return {**checks, "double entry": _first_line(Totals), "keys": "No key has two rows (R1)."}


def _first_line(documented: object) -> str:
    return (documented.__doc__ or "").partition("\n")[0]


@click.command
@options.database
@options.as_json
def audit(url: str, as_json: bool) -> None:
    """Recompute everything from the journal and compare with what is stored.

    Reads one state of the database, beside a running server too, and changes nothing. Exit code 0 if all is
    well, 1 if there are findings.
    """
    report = audited(url)
    if as_json:
        output.emit(_document(report))
    else:
        _print(report)
    if report.findings_total:
        found = output.counted(report.findings_total, "finding")
        raise Failed(f"{found}: stop paying out from these books until each is explained")


def audited(url: str) -> Report:
    """The report on a database; shows progress on a terminal."""
    if not sys.stderr.isatty():
        return asyncio.run(_audited(url, lambda report: None))
    report = asyncio.run(_audited(url, _line()))
    click.echo("\r\x1b[K", err=True, nl=False)
    return report


async def _audited(url: str, progress: Callable[[Report], None]) -> Report:
    async with to_read(url) as db:
        try:
            return await auditing.audit(db, progress)
        except ValueError as error:
            raise Failed(f"a stored row cannot be read: {error}") from error


def _line() -> Callable[[Report], None]:
    shown = 0.0

    def progress(report: Report) -> None:
        nonlocal shown
        if time.monotonic() - shown >= PROGRESS_SECONDS:
            shown = time.monotonic()
            text = f"{output.counted(report.rows, 'row')}, {output.counted(report.findings_total, 'finding')}"
            click.echo(f"\r{text}", err=True, nl=False)

    return progress


def _document(report: Report) -> dict[str, object]:
    return {
        "passed": not report.findings_total,
        **output.pick(report, ("players", "wallets", "rounds", "rows", "currencies")),
        "checks": [{"check": name, "claim": claim} for name, claim in claims().items()],
        "findings": [output.pick(f, ("check", "partner", "player", "text")) for f in report.findings],
        "findings_total": report.findings_total,
    }


def _print(report: Report) -> None:
    click.echo(f"checked {summary(report)}:\n")
    wrong = {finding.check for finding in report.findings}
    rows = [(name, "FINDINGS" if name in wrong else "ok", claim) for name, claim in claims().items()]
    output.table(("INVARIANT", "RESULT", "CLAIM"), rows)
    click.echo()
    if not report.findings_total:
        click.echo("no findings: the books are right")
        return
    rows = [(f.check, f"{f.partner} {f.player}".strip(), f.text) for f in report.findings]
    output.table(("INVARIANT", "WHOSE", "FINDING"), rows)
    if report.findings_total > len(report.findings):
        click.echo(f"… and {report.findings_total - len(report.findings):,} more")
    click.echo()


def summary(report: Report) -> str:
    """What was looked at."""
    parts = [output.counted(getattr(report, f"{what}s"), what) for what in ("player", "wallet", "round")]
    rows = output.counted(report.rows, "journal row")
    return f"{', '.join(parts)} and {rows} in {', '.join(report.currencies) or 'no currency'}"
