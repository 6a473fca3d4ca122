"""`caisse connection`: who may call the seamless door, and under which URL."""

import asyncio
import secrets
from pathlib import Path
from typing import Any, Final

import click

from caisse.cli import options, output, secret
from caisse.cli.commands.partner_token import refuse_unknown_partner
from caisse.cli.database import to_change, to_read, to_write
from caisse.cli.failures import Failed
from caisse.core.parties import Connection
from caisse.core.policy import DEFAULT_POLICY
from caisse.dialects.policies import policies
from caisse.store import directory
from caisse.store.api import Database
from caisse.store.directory import Registered
from caisse.writer.writer import clock

ID_BYTES: Final = 6
"""Bytes of chance in a connection's id, which is unique over all partners."""


@click.group
def connection() -> None:
    """Connections between partners and game providers.

    Each has a secret key of its own in its API URL. A running server follows changes within 5 seconds.
    """


@connection.command
@click.argument("partner", type=options.PARTNER)
@click.argument("provider", type=options.PROVIDER)
@click.option(
    "--key",
    envvar="CAISSE_KEY",
    show_envvar=True,
    help="The key in the API URL; '-' reads it from standard input. Without it a random one is made.",
)
@click.option("--keyless", is_flag=True, help="No key: answered on a loopback server only, for trying out.")
@click.option(
    "--allow",
    "networks",
    metavar="CIDR",
    multiple=True,
    type=options.NETWORK,
    help="Network that may call; may be repeated. Without it all may.",
)
@click.option(
    "--also",
    metavar="NAME",
    multiple=True,
    type=options.PROVIDER,
    help="A further name of the provider, as its older or newer editions send it; may be repeated.",
)
@click.option(
    "--profile",
    default=DEFAULT_POLICY.name,
    show_default=True,
    help="Policy profile: what the provider's contract leaves open; see 'caisse profile list'.",
)
@options.profiles
@options.database
@options.as_json
def add(partner: str, provider: str, key: str | None, keyless: bool, **rest: Any) -> None:
    """Let PROVIDER's games reach PARTNER's players; shows the API URL's path.

    The path has the key in it and is shown once: only the key's hash is stored.
    """
    if keyless and key is not None:
        raise click.UsageError(
            "a keyless connection takes no key: leave out --key and CAISSE_KEY, or --keyless"
        )
    refuse_unknown_profile(rest["profile"], rest["profiles"])
    given = None if keyless else secret.key(key)
    made = new_connection(partner, provider, given, rest["networks"], rest["profile"], rest["also"])
    asyncio.run(_add(rest["url"], made))
    _tell(made, given, as_json=rest["as_json"])


def new_connection(
    partner: str,
    provider: str,
    key: secret.Secret | None,
    networks: tuple[str, ...] = (),
    profile: str = "",
    also: tuple[str, ...] = (),
) -> Connection:
    """A connection that is not stored yet; without a key it is a keyless one."""
    return Connection(
        id=secrets.token_hex(ID_BYTES),
        partner=partner,
        provider=provider,
        key_hash=key.hash if key else b"",
        networks=networks,
        also=tuple(name for name in dict.fromkeys(also) if name != provider),
        profile=profile or DEFAULT_POLICY.name,
    )


def refuse_unknown_profile(name: str, folder: Path | None) -> None:
    """UsageError if neither we nor the operator's folder have such a profile."""
    known = policies(folder)
    if name not in known:
        raise click.UsageError(
            f"there is no profile {name}; there are {', '.join(sorted(known))};"
            " --profiles names a folder with your own"
        )


async def _add(url: str, made: Connection) -> None:
    async with to_write(url) as db:
        await store_connection(db, made)


async def store_connection(db: Database, made: Connection) -> None:
    """Failed if the partner is unknown or the key, or the want of one, would not tell connections apart."""
    await refuse_unknown_partner(db, made.partner)
    if await directory.add_connection(db, made, clock()):
        return
    if made.key_hash:
        raise Failed("this key is or was in use already: give another one, or none for a random one")
    raise Failed(
        f"there is a keyless connection of {made.provider} already, and a call could not tell them apart;"
        " see 'caisse connection list'"
    )


def _tell(made: Connection, key: secret.Secret | None, *, as_json: bool) -> None:
    known = f"/{key.text}" if key else ""
    if as_json:
        output.emit({**_public(made), "key": key.text if key else None, "path": known or "/"})
        return
    output.fields(
        [
            ("connection", made.id),
            ("API URL's path", known or "/"),
            ("for example", f"{known}/V4/Refund"),
        ]
    )
    if key and key.made:
        output.say("The key is not shown again: hand the URL to the provider now.", err=True)


def _public(c: Connection) -> dict[str, object]:
    shown = output.pick(c, ("id", "partner", "provider", "also", "networks", "profile"))
    return {**shown, "keyless": not c.key_hash}


@connection.command("list")
@click.argument("partner", required=False, type=options.PARTNER)
@options.database
@options.as_json
def list_(partner: str | None, url: str, as_json: bool) -> None:
    """List the connections of all partners or of one, revoked ones too."""
    found = asyncio.run(_list(url, partner))
    if as_json:
        output.emit([_listed(item) for item in found])
    elif found:
        headers = ("CONNECTION", "PARTNER", "PROVIDER", "KEY", "NETWORKS", "PROFILE", "CREATED", "REVOKED")
        output.table(headers, [_row(item) for item in found])
    else:
        output.say("there are no connections yet; 'caisse connection add PARTNER PROVIDER' adds one")


async def _list(url: str, partner: str | None) -> list[Registered]:
    async with to_read(url) as db:
        if partner is not None:
            await refuse_unknown_partner(db, partner)
        return [r for r in await directory.connections(db) if partner in (None, r.connection.partner)]


def _listed(item: Registered) -> dict[str, object]:
    return {
        **_public(item.connection),
        "created_at": output.when(item.created_at),
        "revoked_at": output.when_or_none(item.revoked_at),
    }


def _row(item: Registered) -> tuple[str, ...]:
    c = item.connection
    return (
        *(c.id, c.partner, " ".join((c.provider, *c.also)), "yes" if c.key_hash else "keyless"),
        *(" ".join(c.networks) or "any", c.profile),
        *(output.when(item.created_at), output.when_or_none(item.revoked_at) or "-"),
    )


@connection.command
@click.argument("connection", metavar="ID", type=options.ANY_ID)
@options.database
@options.as_json
def revoke(connection: str, url: str, as_json: bool) -> None:
    """Revoke a connection; its key stops working within 5 seconds."""
    asyncio.run(_revoke(url, connection))
    if as_json:
        output.emit({"id": connection, "revoked": True})
    else:
        output.say(f"connection {connection} is revoked; it stops working within 5 seconds")


async def _revoke(url: str, connection: str) -> None:
    async with to_change(url) as db:
        if not await directory.revoke_connection(db, connection, clock()):
            raise Failed("there is no active connection of that id; see 'caisse connection list'")
