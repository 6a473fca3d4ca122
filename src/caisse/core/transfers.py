"""Deciding the transfer door's money: charge (in) and withdraw (out, the vendor's Refund Balance)."""

from caisse.core.book import Book, Player
from caisse.core.entries import Decision, Kind
from caisse.core.money import LIMIT
from caisse.core.policy import Policy
from caisse.core.requests import Charge, Withdraw
from caisse.core.rows import UNKNOWN_PLAYER, seen, write
from caisse.core.verdicts import Verdict


def charge(r: Charge, book: Book, policy: Policy, now: int) -> Decision:
    """Add the amount, unless the balance would pass 14 integer digits (R13); to the frozen too (R15)."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := seen(r, book):
        return earlier
    verdict, rule = _charge_guards(r, player)
    amount = r.amount if verdict is Verdict.OK else 0
    return write(
        r, player, now, Kind.CHARGE, verdict, rule, currency=r.currency, amount=amount, asked=r.amount
    )


def withdraw(r: Withdraw, book: Book, policy: Policy, now: int) -> Decision:
    """Take the amount if the balance covers it, else refuse and change nothing (R10, R11)."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := seen(r, book):
        return earlier
    verdict, rule = _withdraw_guards(r, player)
    amount = -r.amount if verdict is Verdict.OK else 0
    return write(
        r, player, now, Kind.WITHDRAW, verdict, rule, currency=r.currency, amount=amount, asked=r.amount
    )


def _charge_guards(r: Charge, player: Player) -> tuple[Verdict, str]:
    balance = player.wallets.get(r.currency)
    if balance is None:
        return Verdict.WALLET_UNKNOWN, "R8"
    if balance + r.amount >= LIMIT:
        return Verdict.BALANCE_LIMIT, "R13"
    return Verdict.OK, "R14"


def _withdraw_guards(r: Withdraw, player: Player) -> tuple[Verdict, str]:
    balance = player.wallets.get(r.currency)
    if balance is None:
        return Verdict.WALLET_UNKNOWN, "R8"
    if player.frozen:
        return Verdict.PLAYER_FROZEN, "R15"
    if balance < r.amount:
        return Verdict.INSUFFICIENT, "R10"
    return Verdict.OK, "R10"
