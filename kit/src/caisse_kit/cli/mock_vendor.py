"""`caisse-kit mock-vendor`: the vendor's own side on this machine."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click

from caisse_client import Client, SeamlessV4, WalletError
from caisse_kit.cli.options import TOKEN_VARIABLE, token_of
from caisse_kit.simulation.book import Book, Message
from caisse_kit.vendor_mock import GameRound, Refund, VendorMock
from caisse_kit.wallets.server import WalletServer


@click.command("mock-vendor")
@click.option("--port", default=0, help="Where on this machine; 0: any free one.")
@click.option("--partner", default="acme", show_default=True)
@click.option("--token", default="", help=f"What callers must show; also {TOKEN_VARIABLE}; - reads it.")
@click.option("--wallet", default="", help="The operator's seamless wallet, for Refunds.")
@click.option("--provider", default="luckymonaco", show_default=True)
@click.option("--currency", default="USD", show_default=True)
@click.option("--record", type=click.Path(path_type=Path, exists=True), help="A book of `simulate --record`.")
def mock_vendor(
    port: int, partner: str, token: str, wallet: str, provider: str, currency: str, record: Path | None
) -> None:
    """Serve StartGame, GetRoundStatus, GetGameRounds, CancelRound, HealthCheck and the feed on this
    machine.

    Rounds come from the book of a simulation. CancelRound sends a Refund to --wallet, and only its success
    makes the round Cancelled.
    """
    secret = token_of(token) or "a-test-token-0001"
    vendor = VendorMock(partner, secret, refund_to(wallet, provider))
    for played in rounds_of(Book(record), currency) if record else []:
        vendor.play(played)
    with WalletServer(vendor, port) as server:
        print(f"serving the vendor's side at {server.url}, {len(vendor.rounds)} rounds", flush=True)
        try:
            server.serve_forever(0.1)
        except KeyboardInterrupt:
            raise SystemExit(0) from None


def refund_to(wallet: str, provider: str) -> Refund:
    """Sends the Refund of a round to an operator's wallet; without one, it never succeeds."""

    def refund(played: GameRound) -> bool:
        if not wallet:
            return False
        call = SeamlessV4(provider).refund(
            played.user, played.reference, roundId=played.name, gameId=played.game
        )
        with Client(wallet) as client:
            try:
                client.send(call)
            except WalletError:
                return False
        return True

    return refund


def rounds_of(book: Book, currency: str) -> list[GameRound]:
    """The rounds that were played in a simulation, each player's by itself."""
    by_round: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in book.messages.values():
        by_round[message.user, message.round].append(message)
    book.close()
    now = datetime.now(UTC)
    return [
        GameRound(
            id=number,
            name=name,
            reference=next((m.reference for m in messages if m.verb == "Bet"), ""),
            user=user,
            game="kit-game",
            currency=currency,
            bet=-sum((m.effect for m in messages if m.verb == "Bet"), Decimal(0)),
            win=sum((m.effect for m in messages if m.verb != "Bet"), Decimal(0)),
            balance=Decimal(0),
            at=now,
            status="Cancelled" if any(m.state == "undone" for m in messages) else "Completed",
        )
        for number, ((user, name), messages) in enumerate(by_round.items(), 1)
    ]
