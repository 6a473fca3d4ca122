"""`caisse partner`: who may call the transfer door."""

import asyncio

import click

from caisse.cli import options, output, secret
from caisse.cli.commands.partner_token import TOKEN_IN_USE, tell_token, token
from caisse.cli.database import to_read, to_write
from caisse.cli.failures import Failed
from caisse.cli.secret import Secret
from caisse.store import directory
from caisse.store.api import Database
from caisse.writer.writer import clock


@click.group
def partner() -> None:
    """Partners and their tokens.

    A running server follows changes within 5 seconds.
    """


partner.add_command(token)


@partner.command
@click.argument("partner", metavar="ID", type=options.PARTNER)
@options.token
@options.database
@options.as_json
def add(partner: str, token: str | None, url: str, as_json: bool) -> None:
    """Add a partner, with its first token.

    A token that caisse makes is shown once; only its hash is stored. Other users of the machine can see a
    command line: give a token of your own on standard input or in the environment.
    """
    given = secret.token(token)
    asyncio.run(_add(url, partner, given))
    if not as_json:
        output.say(f"partner {partner} added")
    tell_token(partner, given, as_json=as_json)


async def _add(url: str, partner: str, given: Secret) -> None:
    async with to_write(url) as db:
        await new_partner(db, partner, given)


async def new_partner(db: Database, partner: str, given: Secret) -> None:
    """Add both, or neither."""
    if await directory.add_partner_with_token(db, partner, given.public_id, given.hash, clock()):
        return
    if await directory.has_partner(db, partner):
        raise Failed(
            f"there is a partner {partner} already; 'caisse partner token add {partner}' adds a token"
        )
    raise Failed(TOKEN_IN_USE)


@partner.command("list")
@options.database
@options.as_json
def list_(url: str, as_json: bool) -> None:
    """List the partners."""
    rows = [(id_, tokens, output.when(at)) for id_, tokens, at in asyncio.run(_list(url))]
    if as_json:
        output.emit([{"id": id_, "active_tokens": tokens, "created_at": at} for id_, tokens, at in rows])
    elif rows:
        output.table(
            ("PARTNER", "ACTIVE TOKENS", "CREATED"),
            [(id_, str(tokens), at) for id_, tokens, at in rows],
            right=("ACTIVE TOKENS",),
        )
    else:
        output.say("there are no partners yet; 'caisse partner add ID' adds one")


async def _list(url: str) -> list[tuple[str, int, int]]:
    async with to_read(url) as db:
        active = {p.id: len(p.tokens) for p in (await directory.parties(db)).partners}
        return [(id_, active.get(id_, 0), at) for id_, at in await directory.partners(db)]
