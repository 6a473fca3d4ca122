"""Deciding the transfer door's money: charge (in) and withdraw (out, the vendor's Refund Balance)."""

from functools import partial

from caisse.core.book import Book
from caisse.core.entries import Decision, Kind
from caisse.core.money import LIMIT
from caisse.core.policy import Policy
from caisse.core.requests import Charge, Withdraw
from caisse.core.rules.drafting import UNKNOWN_PLAYER, earlier_verdict, write
from caisse.core.verdicts import Verdict


def charge(r: Charge, book: Book, policy: Policy, now: int) -> Decision:
    """Add the amount, unless the balance would pass 14 integer digits (R13); to the frozen too (R15)."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := earlier_verdict(r, book):
        return earlier
    say = partial(write, r, player, now, Kind.CHARGE, currency=r.currency, asked=r.amount)
    if r.unsupported == "currency":
        return say(Verdict.CURRENCY_UNSUPPORTED, "R1")
    if r.unsupported == "decimals":
        return say(Verdict.TOO_MANY_DECIMALS, "R1")
    balance = player.wallets.get(r.currency)
    if balance is None:
        return say(Verdict.WALLET_UNKNOWN, "R8")
    if balance + r.amount >= LIMIT:
        return say(Verdict.BALANCE_LIMIT, "R13")
    return say(Verdict.OK, "R14")


def withdraw(r: Withdraw, book: Book, policy: Policy, now: int) -> Decision:
    """Take the amount if the balance covers it, else refuse and change nothing (R10, R11)."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := earlier_verdict(r, book):
        return earlier
    say = partial(write, r, player, now, Kind.WITHDRAW, currency=r.currency, asked=r.amount)
    balance = player.wallets.get(r.currency)
    if balance is None:
        return say(Verdict.WALLET_UNKNOWN, "R8")
    if player.frozen:
        return say(Verdict.PLAYER_FROZEN, "R15")
    if balance < r.amount:
        return say(Verdict.INSUFFICIENT, "R10")
    return say(Verdict.OK, "R10")
