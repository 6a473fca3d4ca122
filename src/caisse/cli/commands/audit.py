"""`caisse audit`: recompute everything from the journal and compare."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import click

from caisse.audit.audit import CHECKS
from caisse.audit.findings import Folded
from caisse.audit.history import Anchor
from caisse.cli import anchor, options, output
from caisse.cli.database import to_read
from caisse.cli.failures import Failed
from caisse.store import audit_feed as auditing
from caisse.store import schema
from caisse.store.audit_feed import Report

FILE: Final = click.Path(dir_okay=False, path_type=Path)

PROGRESS_SECONDS: Final = 0.1
"""How often progress is shown: as smooth as an eye can tell."""


def claims(*, anchored: bool = False) -> dict[str, str]:
    """Every invariant by its name, with the rules it proves; that of the anchor only where there is one."""
    return {name: check.claim for name, check in CHECKS.items() if anchored or name != "anchor"}


@click.command
@options.database
@click.option("--anchor", "old", type=FILE, help="Compare with the anchor that an earlier audit wrote.")
@click.option(
    "--new-anchor",
    "new",
    type=FILE,
    help="Write the number and hash of every player's newest row to this file.",
)
@options.as_json
def audit(url: str, old: Path | None, new: Path | None, as_json: bool) -> None:
    """Recompute everything from the journal and compare with what is stored.

    Reads one state of the database, beside a running server too, and changes nothing. Exit code 0 if all is
    well, 1 if there are findings. A new anchor is written only if there are none. Keep it where nobody who
    can write the tables can write: then a later audit finds every row up to it that was rewritten or removed.
    """
    report, digest, failure = _with_anchors(url, old, new)
    if as_json:
        output.emit(_document(report, digest, anchored=old is not None))
    else:
        _print(report, digest, anchored=old is not None)
    if report.findings_total:
        found = output.counted(report.findings_total, "finding")
        raise Failed(f"{found}: stop paying out from these books until each is explained")
    if failure:
        raise failure


def _with_anchors(url: str, old: Path | None, new: Path | None) -> tuple[Report, str, Failed | None]:
    """The report, the digest of the anchor that was written, if any, and why one was not.

    The work of a long audit is not lost because its anchor could not be kept.
    """
    anchors = anchor.read(old) if old else ()
    if new is None:
        return audited(url, anchors), "", None
    with anchor.Writing(new) as writing:
        report = audited(url, anchors, writing.stands)
        if report.findings_total:
            return report, "", None
        try:
            return report, writing.keep(), None
        except Failed as failure:
            return report, "", failure


def audited(
    url: str, anchors: Iterable[Anchor] = (), stands: Callable[[Anchor], None] = lambda anchor: None
) -> Report:
    """The report on a database; shows progress on a terminal."""
    if not sys.stderr.isatty():
        return asyncio.run(_audited(url, lambda report: None, anchors, stands))
    report = asyncio.run(_audited(url, _line(), anchors, stands))
    click.echo("\r\x1b[K", err=True, nl=False)
    return report


async def _audited(
    url: str,
    progress: Callable[[Report], None],
    anchors: Iterable[Anchor],
    stands: Callable[[Anchor], None],
) -> Report:
    async with to_read(url) as db:
        return await auditing.audit(db, progress, anchors, stands, await schema.missing_objects(db))


def _line() -> Callable[[Report], None]:
    shown = 0.0

    def progress(report: Report) -> None:
        nonlocal shown
        if time.monotonic() - shown >= PROGRESS_SECONDS:
            shown = time.monotonic()
            text = f"{output.counted(report.rows, 'row')}, {output.counted(report.findings_total, 'finding')}"
            click.echo(f"\r{text}", err=True, nl=False)

    return progress


def _document(report: Report, digest: str, *, anchored: bool) -> dict[str, object]:
    found = report.found
    listed = [
        {"check": name, "claim": claim, "passed": name not in found.broken}
        for name, claim in claims(anchored=anchored).items()
    ]
    return {
        "passed": not found.total,
        **output.pick(report, ("players", "wallets", "rounds", "rows", "currencies")),
        "checks": listed,
        "findings": [
            {**output.pick(f, ("check", "partner", "player", "row", "text", "consequences")), "also": f.also}
            for f in found.listed
        ],
        "findings_total": found.total,
        "consequences_total": found.consequences,
        **({"anchor": digest} if digest else {}),
    }


def _print(report: Report, digest: str, *, anchored: bool) -> None:
    found = report.found
    click.echo(f"checked {summary(report)}:\n")
    shown = claims(anchored=anchored)
    rows = [(name, "FINDINGS" if name in found.broken else "ok", claim) for name, claim in shown.items()]
    output.table(("INVARIANT", "RESULT", "CLAIM"), rows)
    click.echo()
    if not found.total:
        click.echo("no findings: the books are right")
        if digest:
            click.echo(f"the new anchor's digest: {digest}")
        return
    rows = [(f.check, f"{f.partner} {f.player}".strip(), _text(f)) for f in found.listed]
    output.table(("INVARIANT", "WHOSE", "FINDING"), rows)
    if found.total > len(found.listed):
        click.echo(f"… and {found.total - len(found.listed):,} more")
    click.echo()


def _text(found: Folded) -> str:
    """A finding with what may follow from it: `…, and 3 consequences (balances 2, rounds 1)`."""
    if not found.also:
        return found.text
    counts = ", ".join(f"{check} {count:,}" for check, count in found.also.items())
    return f"{found.text}, and {output.counted(found.consequences, 'consequence')} ({counts})"


def summary(report: Report) -> str:
    """What was looked at."""
    parts = [output.counted(getattr(report, f"{what}s"), what) for what in ("player", "wallet", "round")]
    rows = output.counted(report.rows, "journal row")
    return f"{', '.join(parts)} and {rows} in {', '.join(report.currencies) or 'no currency'}"
