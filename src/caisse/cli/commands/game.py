"""`caisse game`: games that a partner's players may not bet on."""

import asyncio

import click

from caisse.cli import options, output
from caisse.cli.commands.partner_token import refuse_unknown_partner
from caisse.cli.database import to_change, to_read
from caisse.cli.failures import Failed
from caisse.store import directory
from caisse.writer.writer import clock


@click.group
def game() -> None:
    """Games that a partner's players may not bet on.

    In a disabled game new bets are refused. Results and refunds of bets are accepted, since that money is
    owed. A running server follows changes within 5 seconds.
    """


@game.command
@click.argument("partner", type=options.PARTNER)
@click.argument("provider", type=options.PROVIDER)
@click.argument("game", type=options.GAME)
@options.database
@options.as_json
def disable(partner: str, provider: str, game: str, url: str, as_json: bool) -> None:
    """Refuse new bets of PARTNER's players in PROVIDER's GAME."""
    asyncio.run(_set(url, partner, provider, game, enabled=False))
    _tell(partner, provider, game, enabled=False, as_json=as_json)


@game.command
@click.argument("partner", type=options.PARTNER)
@click.argument("provider", type=options.PROVIDER)
@click.argument("game", type=options.GAME)
@options.database
@options.as_json
def enable(partner: str, provider: str, game: str, url: str, as_json: bool) -> None:
    """Accept bets of PARTNER's players in PROVIDER's GAME again."""
    asyncio.run(_set(url, partner, provider, game, enabled=True))
    _tell(partner, provider, game, enabled=True, as_json=as_json)


async def _set(url: str, partner: str, provider: str, game: str, *, enabled: bool) -> None:
    async with to_change(url) as db:
        await refuse_unknown_partner(db, partner)
        known = await directory.connections(db)
        if not any((c.connection.partner, c.connection.provider) == (partner, provider) for c in known):
            output.say(f"Warning: {partner} has no connection of {provider} yet.", err=True)
        if not await directory.set_game(db, partner, provider, game, enabled=enabled, now=clock()):
            state = "enabled" if enabled else "disabled"
            raise Failed(
                f"game {game} of {provider} is {state} for {partner} already;"
                " ids are compared exactly as sent"
            )


def _tell(partner: str, provider: str, game: str, *, enabled: bool, as_json: bool) -> None:
    if as_json:
        output.emit({"partner": partner, "provider": provider, "game": game, "enabled": enabled})
        return
    done = "enabled: bets are accepted again" if enabled else "disabled: new bets are refused"
    output.say(f"game {game} of {provider} is {done} for {partner} within 5 seconds")


@game.command("list")
@click.argument("partner", required=False, type=options.PARTNER)
@options.database
@options.as_json
def list_(partner: str | None, url: str, as_json: bool) -> None:
    """List the disabled games of all partners or of one."""
    found = asyncio.run(_list(url, partner))
    rows = [(*names, output.when(at)) for *names, at in found]
    if as_json:
        output.emit([dict(zip(("partner", "provider", "game", "disabled_at"), r, strict=True)) for r in rows])
    elif rows:
        output.table(("PARTNER", "PROVIDER", "GAME", "DISABLED"), rows)
    else:
        output.say("no game is disabled; 'caisse game disable PARTNER PROVIDER GAME' disables one")


async def _list(url: str, partner: str | None) -> list[tuple[str, str, str, int]]:
    async with to_read(url) as db:
        if partner is not None:
            await refuse_unknown_partner(db, partner)
        return [row for row in await directory.disabled_games(db) if partner in (None, row[0])]
