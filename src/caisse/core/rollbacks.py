"""Deciding rollbacks, the seamless Refund and Cancel: of one bet (R20-R31), or of a round (R32).

The stored bet is the truth, never the request: its amount, its currency, its round. A rollback cannot be
rolled back, since its reference names a bet and nothing else (R29). Neither a frozen player nor an expired
session nor a disabled game stands in its way (R30).
"""

from caisse.core.book import Book, Player, Round
from caisse.core.entries import Decision, Entry, Kind
from caisse.core.policy import Policy
from caisse.core.requests import Rollback, RollbackRound, play_key
from caisse.core.rows import UNKNOWN_PLAYER, replay, row, seen, unkept, write
from caisse.core.verdicts import Verdict


def rollback(r: Rollback, book: Book, policy: Policy, now: int) -> Decision:
    """Give a bet's stake back once, or record that there was nothing to give back."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    bet = book.entries.get((r.partner, r.bet_key))
    if bet and bet.player != r.user:
        return _not_yours(bet)
    if earlier := seen(r, book):  # R21
        return earlier
    if bet is None:
        return _tombstone(r, player, now, policy, key=r.bet_key)  # R22
    if bet.kind is Kind.TOMBSTONE:
        return replay(bet)  # R24
    if bet.verdict is not Verdict.OK:
        return _tombstone(r, player, now, policy, key=r.key)  # R27
    return _undo(r, player, book, bet, policy, now)


def _not_yours(bet: Entry) -> Decision:
    """R28 for a bet; for another player's tombstone there is no bet, but the key is taken (R5)."""
    if bet.kind is Kind.TOMBSTONE:
        return unkept(Verdict.KEY_CONFLICT, "R5")
    return unkept(Verdict.FOREIGN_BET, "R28")


def _tombstone(r: Rollback, player: Player, now: int, policy: Policy, *, key: str) -> Decision:
    """Nothing to give back: a durable row says so, and keeps the bet from being taken later."""
    rule = "R22" if key == r.bet_key else "R27"
    verdict = Verdict.TOMBSTONE if policy.unknown_bet == "success" else Verdict.UNKNOWN_BET
    shown, asked = r.currency, r.amount or 0
    return write(r, player, now, Kind.TOMBSTONE, verdict, rule, currency=shown, asked=asked, key=key)


def _undo(r: Rollback, player: Player, book: Book, bet: Entry, policy: Policy, now: int) -> Decision:
    stake = -bet.amount
    amount = stake if r.amount is None else r.amount
    if not _amount_fits(amount, stake, policy):
        return unkept(Verdict.REFUND_AMOUNT, "R25")
    round_ = book.rounds[bet.partner, bet.provider, bet.round]
    if round_.settled(bet) and policy.settled_bet == "refuse":
        fields = _of_bet(bet)
        currency = bet.currency
        return write(
            r,
            player,
            now,
            Kind.ROLLBACK,
            Verdict.BET_SETTLED,
            "R26",
            currency=currency,
            asked=amount,
            **fields,
        )
    entry = _give_back(r, player, bet, amount, now, "R20" if stake else "R45")
    return Decision(verdict=Verdict.OK, rule=entry.rule, row=entry, rows=(entry,))


def _amount_fits(amount: int, stake: int, policy: Policy) -> bool:
    """R25: never more than the stake, nothing only of nothing, less only where the profile allows it."""
    if amount == stake:
        return True
    return 0 < amount < stake and policy.refund_amount == "at_most"


def _give_back(
    r: Rollback | RollbackRound,
    player: Player,
    bet: Entry,
    amount: int,
    now: int,
    rule: str,
    after: Entry | None = None,
) -> Entry:
    """The row of a rollback: keyed by its bet, in the bet's currency, round and game."""
    return row(
        r,
        player,
        now,
        Kind.ROLLBACK,
        Verdict.OK,
        rule,
        currency=bet.currency,
        amount=amount,
        asked=amount,
        key=play_key("rollback", bet.provider, bet.reference),
        content=(r.user,),
        after=after,
        **_of_bet(bet),
    )


def _of_bet(bet: Entry) -> dict[str, str]:
    return {"reference": bet.reference, "round": bet.round, "game": bet.game}


def rollback_round(r: RollbackRound, book: Book, policy: Policy, now: int) -> Decision:
    """R32: every open bet of the round, all or none, one answer; the round is closed, known or not."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    round_ = book.rounds.get((r.partner, r.provider, r.round))
    if round_ and round_.player != r.user:
        return unkept(Verdict.FOREIGN_BET, "R28")
    if earlier := seen(r, book):
        return earlier
    if round_ is None:
        return _close_unknown(r, player, now, policy)
    return _undo_round(r, player, book, round_, policy, now)


def _close_unknown(r: RollbackRound, player: Player, now: int, policy: Policy) -> Decision:
    """As R22, for a round: the row closes it, so that a late bet falls under R23."""
    verdict = Verdict.TOMBSTONE if policy.unknown_bet == "success" else Verdict.UNKNOWN_BET
    return write(r, player, now, Kind.ROUND_ROLLBACK, verdict, "R32")


def _undo_round(
    r: RollbackRound, player: Player, book: Book, round_: Round, policy: Policy, now: int
) -> Decision:
    standing = book.open_bets((r.partner, r.provider, r.round))
    bets = (
        standing if policy.settled_bet == "return_stake" else [b for b in standing if not round_.settled(b)]
    )
    money = round_.currency
    if round_.standing and not bets:
        return write(r, player, now, Kind.ROUND_ROLLBACK, Verdict.BET_SETTLED, "R26", currency=money)
    rows = [row(r, player, now, Kind.ROUND_ROLLBACK, Verdict.OK, "R32", currency=money)]
    for bet in bets:
        rows.append(_give_back(r, player, bet, -bet.amount, now, "R32", after=rows[-1]))
    return Decision(verdict=Verdict.OK, rule="R32", row=rows[0], rows=tuple(rows))
