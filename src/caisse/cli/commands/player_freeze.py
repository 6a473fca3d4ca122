"""`caisse player freeze` and `release`: decisions of a person, kept in the journal like all others."""

import asyncio
import getpass

import click

from caisse.cli import options, output
from caisse.cli.database import to_change
from caisse.cli.failures import Failed, NoDatabase
from caisse.core.entries import Decision, Entry
from caisse.core.policy import DEFAULT_POLICY
from caisse.core.requests import Request, SetFrozen
from caisse.ids import id_source
from caisse.store import opening
from caisse.store import read as reading
from caisse.store.api import FateUnknown
from caisse.writer.writer import Writer

REASON = click.option(
    "--reason", type=options.WORDS, required=True, help="Why; kept in the journal for good."
)


def _user() -> str:
    """Who runs this, as the operating system calls them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("the operating system has no name for your user: give --by NAME") from None


BY = click.option(
    "--by",
    type=options.WORDS,
    default=_user,
    help="Who decided it.  [default: the operating system's name of the user]",
)


@click.command
@click.argument("partner", type=options.PARTNER)
@click.argument("user", type=options.ANY_ID)
@REASON
@BY
@options.database
@options.as_json
def freeze(partner: str, user: str, reason: str, by: str, url: str, as_json: bool) -> None:
    """Freeze USER at PARTNER: new bets and refunds (money out) are refused.

    Charges, results and refunds of bets still work. It takes effect at once, on running servers too.
    """
    _tell(asyncio.run(_set(url, partner, user, reason, by, frozen=True)), as_json=as_json)


@click.command
@click.argument("partner", type=options.PARTNER)
@click.argument("user", type=options.ANY_ID)
@REASON
@BY
@options.database
@options.as_json
def release(partner: str, user: str, reason: str, by: str, url: str, as_json: bool) -> None:
    """Release USER at PARTNER, who was frozen."""
    _tell(asyncio.run(_set(url, partner, user, reason, by, frozen=False)), as_json=as_json)


async def _set(url: str, partner: str, user: str, reason: str, by: str, *, frozen: bool) -> Entry:
    async with to_change(url) as db:
        found = await reading.player(db, partner, user)
    if found is None:
        raise Failed(f"partner {partner} has no player {user}; ids are compared exactly as sent")
    if found.frozen == frozen:
        state = "frozen" if frozen else "not frozen"
        output.say(f"Note: {user} was {state} already; the reason is kept all the same.", err=True)
    endpoint = f"caisse player {'freeze' if frozen else 'release'}"
    request = SetFrozen(
        id=id_source()(),
        partner=partner,
        user=user,
        uuid="",
        endpoint=endpoint,
        frozen=frozen,
        reason=reason,
        by=by,
    )
    decision = await decided(url, request)
    if decision is None or decision.row is None:
        raise NoDatabase(
            "the database gave no verdict in time: look with 'caisse player show', then try again"
        )
    return decision.row


async def decided(url: str, request: Request) -> Decision | None:
    """By a writer of its own; a server's that meets it decides again."""
    writer = Writer([opening.ledger(url)])
    told: asyncio.Future[Decision | None] = asyncio.get_running_loop().create_future()
    writer.submit(request, DEFAULT_POLICY, told.set_result)
    writer.close()
    try:
        await writer.run()
    except* FateUnknown:
        pass
    return await told


def _tell(row: Entry, *, as_json: bool) -> None:
    frozen = row.kind == "freeze"
    if as_json:
        shown = {"partner": row.partner, "user": row.player, "frozen": frozen, "by": row.name}
        output.emit({**shown, "reason": row.details, "at": output.when(row.at), "transaction": row.id})
        return
    state = "frozen: new bets and refunds (money out) are refused" if frozen else "released"
    output.say(f"player {row.player} of partner {row.partner} is {state}")
