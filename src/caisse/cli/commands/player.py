"""`caisse player`: one player's money, explained; freezing is in a module of its own."""

import asyncio
from collections import deque
from typing import NamedTuple

import click

from caisse.cli import options, output
from caisse.cli.commands.player_forget import forget
from caisse.cli.commands.player_freeze import freeze, release
from caisse.cli.database import to_read
from caisse.cli.failures import Failed
from caisse.core.book import Player, Round
from caisse.core.entries import Entry, Kind
from caisse.core.money import show as money
from caisse.core.verdicts import Verdict
from caisse.store import read as reading
from caisse.story.words import KINDS


class Trail:
    """A player's journal rows, added up again from the first; the newest are kept."""

    def __init__(self, last: int) -> None:
        self.lines: deque[tuple[Entry, bool]] = deque(maxlen=last)
        self.sums: dict[str, int] = {}
        """Of each wallet that was opened, and of what moved without one."""
        self.rows = 0
        self.adds_up = True
        self.freeze: Entry | None = None
        """The newest freezing."""
        self.open_bets: dict[tuple[str, str], set[str]] = {}
        """References of each round's open bets, by provider and round (R26)."""

    def see(self, row: Entry) -> None:
        """The balance that a row names must be the sum so far."""
        total = self.sums.get(row.currency, 0) + row.amount
        right = row.balance == total
        accepted = row.verdict is Verdict.OK
        if row.amount or (row.kind is Kind.OPEN_WALLET and accepted):
            self.sums[row.currency] = total
        self.rows += 1
        self.adds_up &= right
        self.lines.append((row, right))
        if row.kind is Kind.FREEZE:
            self.freeze = row
        if row.round and accepted:
            self._play(row)

    def _play(self, row: Entry) -> None:
        key = (row.provider, row.round)
        if row.kind is Kind.BET:
            self.open_bets.setdefault(key, set()).add(row.reference)
        elif row.kind is Kind.ROLLBACK:
            self.open_bets.get(key, set()).discard(row.reference)
        if row.kind in (Kind.RESULT, Kind.END_ROUND) or not self.open_bets.get(key):
            self.open_bets.pop(key, None)


class Sight(NamedTuple):
    """One state of a player."""

    player: Player
    rounds: list[Round]
    trail: Trail

    @property
    def wallets(self) -> dict[str, bool]:
        """Every currency that was opened or is stored, and whether it holds what the rows add up to."""
        held, sums = self.player.wallets, self.trail.sums
        return {c: c in held and c in sums and held[c] == sums[c] for c in {**held, **sums}}

    @property
    def adds_up(self) -> bool:
        """Whether every row does, every wallet holds its sum, and the head stands at the last row."""
        return self.trail.adds_up and all(self.wallets.values()) and self.player.seq == self.trail.rows


@click.group
def player() -> None:
    """A player's wallets, open rounds and trail; freezing, releasing and forgetting."""


player.add_command(freeze)
player.add_command(release)
player.add_command(forget)


@player.command
@click.argument("partner", type=options.PARTNER)
@click.argument("user", type=options.ANY_ID)
@click.option(
    "--last",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Rows of the trail to show; all rows are added up.",
)
@options.database
@options.as_json
def show(partner: str, user: str, last: int, url: str, as_json: bool) -> None:
    """Show USER's wallets, open rounds and trail at PARTNER.

    Each line of the trail has the balance after it, and says whether it adds up with all lines before.
    Exit code 1 if something does not add up.
    """
    sight = asyncio.run(_look(url, partner, user, last))
    if as_json:
        output.emit(_document(sight))
    else:
        _print(sight)
    if not sight.adds_up:
        raise Failed(f"the books of {user} do not add up: run 'caisse audit'")


async def _look(url: str, partner: str, user: str, last: int) -> Sight:
    async with to_read(url) as db:
        await db.begin_snapshot()
        found = await reading.player(db, partner, user)
        if found is None:
            raise Failed(f"partner {partner} has no player {user}; ids are compared exactly as sent")
        trail = Trail(last)
        async for row in reading.trail(db, partner, user):
            trail.see(row)
        rounds = [await reading.played_round(db, partner, user, *key) for key in trail.open_bets]
        return Sight(found, sorted((r for r in rounds if r), key=lambda r: r.opened_seq), trail)


_ENTRY_TEXTS = ("seq", "id", "kind", "verdict", "rule", "currency")
_ENTRY_KEYS = (
    "uuid",
    "provider",
    "reference",
    "round",
    "game",
    "session",
    "endpoint",
    "key",
    "name",
    "details",
)


def _document(sight: Sight) -> dict[str, object]:
    p = sight.player
    return {
        "partner": p.partner,
        "user": p.id,
        "name": p.name,
        "frozen": p.frozen,
        "freeze": _freeze_document(sight) if p.frozen else None,
        "created_at": output.when(p.created_at),
        "login_at": output.when(p.login_at),
        "wallets": {currency: money(balance) for currency, balance in p.wallets.items()},
        "wallets_add_up": sight.wallets,
        "open_rounds": [_round_document(r) for r in sight.rounds],
        "rows": sight.trail.rows,
        "trail": [_line_document(row, right) for row, right in sight.trail.lines],
        "adds_up": sight.adds_up,
    }


def _freeze_document(sight: Sight) -> dict[str, object] | None:
    row = sight.trail.freeze
    return {"at": output.when(row.at), "by": row.name, "reason": row.details} if row else None


def _round_document(r: Round) -> dict[str, object]:
    return {
        **output.pick(r, ("provider", "id", "game", "currency", "standing")),
        "staked": money(r.staked),
        "won": money(r.won),
        "opened_at": output.when(r.opened_at),
    }


def _line_document(row: Entry, right: bool) -> dict[str, object]:
    return {
        **output.pick(row, _ENTRY_TEXTS),
        "kind_text": KINDS[row.kind],
        "amount": money(row.amount),
        "balance": money(row.balance),
        "asked": money(row.asked),
        **output.pick(row, _ENTRY_KEYS),
        "at": output.when(row.at),
        "adds_up": right,
    }


def _print(sight: Sight) -> None:
    p, trail = sight.player, sight.trail
    name = p.name or "the name is removed"
    click.echo(output.visible(f"player {p.id} ({name}) of partner {p.partner}{', FROZEN' * p.frozen}"))
    if p.frozen and (row := trail.freeze):
        click.echo(output.visible(f"frozen {_second(row.at)} by {row.name}: {row.details}"))
    click.echo(f"created {_second(p.created_at)}, last login {_second(p.login_at)} (UTC)\n")
    _print_wallets(sight)
    _print_rounds(sight.rounds)
    older = f"; the newest {len(trail.lines)}" if trail.rows > len(trail.lines) else ""
    click.echo(f"trail: {output.counted(trail.rows, 'line')}{older}")
    output.table(_TRAIL, [_line(row, right) for row, right in trail.lines], right=("AMOUNT", "BALANCE"))
    if sight.adds_up:
        click.echo("\nall lines add up, and the wallets hold what they add up to")


def _print_wallets(sight: Sight) -> None:
    if not sight.wallets:
        click.echo("no wallets\n")
        return
    held = sight.player.wallets
    rows = [
        (currency, money(held[currency]) if currency in held else "missing", _mark(right))
        for currency, right in sight.wallets.items()
    ]
    output.table(("WALLET", "BALANCE", "ADDS UP"), rows, right=("BALANCE",))
    click.echo()


def _print_rounds(rounds: list[Round]) -> None:
    if not rounds:
        click.echo("no open rounds\n")
        return
    rows = [
        (r.id, r.provider, r.game, r.currency, money(r.staked), money(r.won), _second(r.opened_at))
        for r in rounds
    ]
    headers = ("OPEN ROUND", "PROVIDER", "GAME", "CURRENCY", "STAKED", "WON", "SINCE")
    output.table(headers, rows, right=("STAKED", "WON"))
    click.echo()


_TRAIL = ("ROW", "TIME", "KIND", "AMOUNT", "BALANCE", "", "VERDICT", "RULE", "REFERENCE", "ROUND", "ADDS UP")


def _line(row: Entry, right: bool) -> tuple[str, ...]:
    amount = f"{'+' if row.amount > 0 else ''}{money(row.amount)}" if row.amount else ""
    balance = money(row.balance) if row.currency else ""
    return (
        *(str(row.seq), _second(row.at), KINDS[row.kind], amount, balance, row.currency),
        *(row.verdict.replace("_", " "), row.rule, row.reference or row.uuid, row.round, _mark(right)),
    )


def _mark(right: bool) -> str:
    return "ok" if right else "WRONG"


def _second(at: int) -> str:
    return output.when(at)[:19].replace("T", " ")
