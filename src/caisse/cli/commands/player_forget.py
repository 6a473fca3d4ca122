"""`caisse player forget`: remove a player's name for good; a decision of a person, kept in the journal."""

import asyncio

import click

from caisse.cli import options, output
from caisse.cli.commands.player_freeze import BY, REASON, decided
from caisse.cli.failures import Failed, NoDatabase
from caisse.core.entries import Entry
from caisse.core.requests import ForgetPlayer
from caisse.core.verdicts import Verdict
from caisse.ids import id_source
from caisse.store.opening import sqlite_path
from caisse.store.sqlite.file import empty_log

STILL_IN_LOG = (
    "Somebody reads the database, an audit or a backup: earlier states of the row stay in its log, the file"
    " that ends in -wal, until the server stops. Run this command again later to remove them now."
)


@click.command
@click.argument("partner", type=options.PARTNER)
@click.argument("user", type=options.ANY_ID)
@REASON
@BY
@options.database
@options.as_json
def forget(partner: str, user: str, reason: str, by: str, url: str, as_json: bool) -> None:
    """Remove the name of USER at PARTNER for good.

    The journal has only the name's hash; all rows still verify. It is refused while a wallet holds money
    or a bet is open. The id USER stays, since rows are keyed by it. Older backups keep the name until you
    delete them.
    """
    _tell(asyncio.run(_forget(url, partner, user, reason, by)), as_json=as_json)


async def _forget(url: str, partner: str, user: str, reason: str, by: str) -> Entry:
    request = ForgetPlayer(
        id=id_source()(),
        partner=partner,
        user=user,
        uuid="",
        endpoint="caisse player forget",
        reason=reason,
        by=by,
    )
    decision = await decided(url, request)
    if decision is None:
        raise NoDatabase(
            "the database gave no verdict in time: look with 'caisse player show', then try again"
        )
    if decision.verdict is Verdict.PLAYER_UNKNOWN:
        raise Failed(f"partner {partner} has no player {user}; ids are compared exactly as sent")
    if decision.row is None:
        raise Failed(f"player {user} is not forgotten: a wallet holds money, or a bet is open")
    path = sqlite_path(url)
    if path and not await asyncio.to_thread(empty_log, path):
        output.say(STILL_IN_LOG, err=True)
    return decision.row


def _tell(row: Entry, *, as_json: bool) -> None:
    if as_json:
        shown = {"partner": row.partner, "user": row.player, "forgotten": True, "by": row.name}
        output.emit({**shown, "reason": row.details, "at": output.when(row.at), "transaction": row.id})
        return
    output.say(f"the name of player {row.player} of partner {row.partner} is removed")
