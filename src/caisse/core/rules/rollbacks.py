"""Deciding rollbacks, the seamless Refund and Cancel: of one bet (R20-R31), or of a round (R32).

The stored bet is the truth, never the request: its amount, its currency, its round. A rollback cannot be
rolled back, since its reference names a bet and nothing else (R29). Neither a frozen player nor an expired
session nor a disabled game stands in its way (R30).
"""

from functools import partial

from caisse.core import keys
from caisse.core.book import Book, Player
from caisse.core.entries import Decision, Entry, Kind
from caisse.core.policy import Policy
from caisse.core.requests import Rollback, RollbackRound
from caisse.core.rules.drafting import UNKNOWN_PLAYER, decided, earlier_verdict, replay, row, unkept, write
from caisse.core.verdicts import Verdict


def rollback(r: Rollback, book: Book, policy: Policy, now: int) -> Decision:
    """Give a bet's stake back once, or record that there was nothing to give back."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if by_round := _by_round(r, book):
        return by_round
    bet = book.entries.get((r.partner, r.bet_key))
    tombstone = bet if bet and bet.kind is Kind.TOMBSTONE else None
    if bet and bet.player != r.user and not tombstone:
        return unkept(Verdict.FOREIGN_BET, "R28")
    if tombstone and tombstone.player != r.user:
        return unkept(Verdict.KEY_CONFLICT, "R5")
    if earlier := earlier_verdict(r, book):
        return _repeated(r, earlier)  # R21
    if tombstone:
        return replay(tombstone)  # R24
    if r.unreadable:
        return unkept(Verdict.FIELD_UNREADABLE, "R56")
    unknown = Verdict.TOMBSTONE if policy.unknown_bet == "success" else Verdict.UNKNOWN_BET
    if bet is None:
        round_ = book.rounds.get((r.partner, r.provider, r.user, r.round))
        meant_round = round_ and round_.standing and not policy.refund_by_round
        rule = "R32" if meant_round else "R22"
        asked, key = r.amount or 0, r.bet_key
        return write(r, player, now, Kind.TOMBSTONE, unknown, rule, currency=r.currency, asked=asked, key=key)
    if bet.verdict is not Verdict.OK:  # nothing was taken, and its refusal stands
        asked = r.amount or 0
        return write(r, player, now, Kind.TOMBSTONE, unknown, "R27", currency=r.currency, asked=asked)
    stake = -bet.amount
    amount = stake if r.amount is None else r.amount
    if amount != stake and not (0 < amount < stake and policy.refund_amount == "at_most"):
        return unkept(Verdict.REFUND_AMOUNT, "R25")
    say = partial(
        write,
        *(r, player, now, Kind.ROLLBACK),
        currency=bet.currency,
        asked=amount,
        reference=bet.reference,
        round=bet.round,
        game=bet.game,
    )
    settled = book.rounds[bet.partner, bet.provider, bet.player, bet.round].settled(bet)
    if settled and policy.settled_bet == "refuse":
        return say(Verdict.BET_SETTLED, "R26")
    return say(Verdict.OK, "R20" if stake else "R45")


def _by_round(r: Rollback, book: Book) -> Decision | None:
    """R1: what this request was answered when its profile made it a refund of the round, whatever came since.

    With an amount it was none of the round under any profile.
    """
    first = book.entries.get((r.partner, r.by_round_key))
    if first is None or r.amount is not None or r.unreadable:
        return None
    return replay(first) if (first.endpoint, first.reference) == (r.endpoint, r.reference) else None


def _repeated(r: Rollback, earlier: Decision) -> Decision:
    """R25: a repeat that asks for another amount gets the first answer, and a person should look at it."""
    first = earlier.row
    other = first and first.kind is Kind.ROLLBACK and r.amount not in (None, first.asked)
    return replay(first, flag="R25") if first and other else earlier


def rollback_round(r: RollbackRound, book: Book, policy: Policy, now: int) -> Decision:
    """R32: every open bet of the round, all or none, one answer; the round is closed, known or not."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := earlier_verdict(r, book) or _by_bet(r, book):
        return earlier
    round_ = book.rounds.get((r.partner, r.provider, r.user, r.round))
    say = partial(row, r, player, now, Kind.ROUND_ROLLBACK, currency=round_.currency if round_ else "")
    if round_ is None:
        unknown = Verdict.TOMBSTONE if policy.unknown_bet == "success" else Verdict.UNKNOWN_BET
        return decided(say(unknown, "R32"))
    if round_.won or round_.jackpot:
        return decided(say(Verdict.ROUND_WON, "R32"))
    standing = book.standing_bets((r.partner, r.provider, r.user, r.round))
    bets = [bet for bet in standing if not round_.settled(bet)]
    if standing and not bets:
        return decided(say(Verdict.BET_SETTLED, "R26"))
    rows = [say(Verdict.OK, "R32")]
    for bet in bets:
        rows.append(_returned(r, player, bet, now, rows[-1]))
    return decided(*rows)


def _returned(r: RollbackRound, player: Player, bet: Entry, now: int, after: Entry) -> Entry:
    """The row that gives back one bet of the round, under the key of that bet's own rollback."""
    return row(
        r,
        player,
        now,
        Kind.ROLLBACK,
        Verdict.OK,
        "R32",
        currency=bet.currency,
        asked=-bet.amount,
        key=keys.of_reference("rollback", bet.provider, bet.reference),
        after=after,
        reference=bet.reference,
        round=bet.round,
        game=bet.game,
    )


def _by_bet(r: RollbackRound, book: Book) -> Decision | None:
    """R1: what this request was answered when its profile made it a refund of one bet."""
    for key in r.by_bet_keys:
        first = book.entries.get((r.partner, key))
        if first and first.kind is not Kind.BET and _same_request(r, first):
            return replay(first)
    return None


def _same_request(r: RollbackRound, first: Entry) -> bool:
    return (first.player, first.endpoint, first.round) == (r.user, r.endpoint, r.round)
