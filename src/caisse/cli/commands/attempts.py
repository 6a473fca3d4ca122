"""`caisse attempts`: the traces of requests that left no row in the journal."""

import asyncio
from typing import Final

import click

from caisse.cli import options, output
from caisse.cli.database import to_change
from caisse.store import pruning
from caisse.writer.writer import clock

DAY: Final = 86_400_000_000
"""In microseconds."""
KEPT_DAYS: Final = 90


@click.group
def attempts() -> None:
    """Traces of repeats, of refusals that claim no key, and of requests that could not be read.

    'caisse explain' shows them. They decide nothing, so old ones may be deleted.
    """


@attempts.command
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(1, 36_500),
    default=KEPT_DAYS,
    show_default=True,
    metavar="DAYS",
    help="Delete attempts whose last request is at least so many days old.",
)
@options.database
@options.as_json
def prune(days: int, url: str, as_json: bool) -> None:
    """Delete old attempts, also beside a running server. The journal is never touched.

    It goes in steps of 10,000 lines and may be interrupted. Run it daily from a timer.
    """
    deleted = asyncio.run(_prune(url, clock() - days * DAY))
    if as_json:
        output.emit({"older_than_days": days, "deleted": deleted})
    else:
        output.say(f"deleted {output.counted(deleted, 'attempt')} older than {output.counted(days, 'day')}")


async def _prune(url: str, before: int) -> int:
    deleted = 0
    async with to_change(url) as db:
        async for gone in pruning.prune(db, before):
            deleted += gone
            if gone >= pruning.LINES_AT_ONCE:
                output.say(f"deleted so far: {deleted:,}", err=True)
    return deleted
