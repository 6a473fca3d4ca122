"""`caisse partner token`: several tokens may be active, so that a partner can change over without a gap."""

import asyncio
from typing import Final

import click

from caisse.cli import options, output, secret
from caisse.cli.database import to_change, to_read, to_write
from caisse.cli.failures import Failed
from caisse.cli.secret import Secret
from caisse.store import directory
from caisse.store.api import Database
from caisse.writer.writer import clock

TOKEN_IN_USE: Final = "this token is or was in use already: give another one, or none for a random one"  # noqa: S105 - a message


@click.group
def token() -> None:
    """A partner's tokens.

    To change a token: add a new one, have the partner use it, revoke the old one.
    """


@token.command
@click.argument("partner", metavar="ID", type=options.PARTNER)
@options.token
@options.database
@options.as_json
def add(partner: str, token: str | None, url: str, as_json: bool) -> None:
    """Add a token; older tokens stay active."""
    given = secret.token(token)
    asyncio.run(_add(url, partner, given))
    tell_token(partner, given, as_json=as_json)


async def _add(url: str, partner: str, given: Secret) -> None:
    async with to_write(url) as db:
        await refuse_unknown_partner(db, partner)
        await new_token(db, partner, given)


async def refuse_unknown_partner(db: Database, partner: str) -> None:
    """Failed if there is no such partner."""
    if not await directory.has_partner(db, partner):
        raise Failed(f"there is no partner {partner}; 'caisse partner add {partner}' adds it")


async def new_token(db: Database, partner: str, given: Secret) -> None:
    """Store the hash of a token of a partner that exists."""
    if not await directory.add_token(db, partner, given.public_id, given.hash, clock()):
        raise Failed(TOKEN_IN_USE)


def tell_token(partner: str, given: Secret, *, as_json: bool) -> None:
    """Say what a new token is called, and what it is if nobody knows it yet."""
    if as_json:
        output.emit({"partner": partner, "token_id": given.public_id, "token": given.shown})
        return
    output.fields(
        [("token id", given.public_id), ("token", given.shown or "as given")],
    )
    if given.made:
        output.say("The token is not shown again: hand it to the partner now.", err=True)


@token.command("list")
@click.argument("partner", metavar="ID", type=options.PARTNER)
@options.database
@options.as_json
def list_(partner: str, url: str, as_json: bool) -> None:
    """List a partner's tokens by their public ids, revoked ones too."""
    rows = [
        (id_, output.when(made), output.when_or_none(revoked))
        for id_, made, revoked in asyncio.run(_list(url, partner))
    ]
    if as_json:
        output.emit([{"id": id_, "created_at": made, "revoked_at": revoked} for id_, made, revoked in rows])
    else:
        output.table(
            ("TOKEN ID", "CREATED", "REVOKED"), [(id_, made, revoked or "-") for id_, made, revoked in rows]
        )


async def _list(url: str, partner: str) -> list[tuple[str, int, int | None]]:
    async with to_read(url) as db:
        await refuse_unknown_partner(db, partner)
        return await directory.tokens(db, partner)


@token.command
@click.argument("partner", metavar="ID", type=options.PARTNER)
@click.argument("token_id", metavar="TOKEN_ID", type=options.ANY_ID)
@options.database
@options.as_json
def revoke(partner: str, token_id: str, url: str, as_json: bool) -> None:
    """Revoke a token by its public id; it stops working within 5 seconds."""
    left = asyncio.run(_revoke(url, partner, token_id))
    if as_json:
        output.emit({"partner": partner, "token_id": token_id, "active_tokens": left})
    else:
        output.say(f"token {token_id} of {partner} is revoked; it stops working within 5 seconds")
    if not left:
        output.say(f"Warning: {partner} has no active token any more.", err=True)


async def _revoke(url: str, partner: str, token_id: str) -> int:
    async with to_change(url) as db:
        await refuse_unknown_partner(db, partner)
        if not await directory.revoke_token(db, partner, token_id, clock()):
            raise Failed(
                f"{partner} has no active token of that id; see 'caisse partner token list {partner}'"
            )
        return sum(revoked is None for _, _, revoked in await directory.tokens(db, partner))
