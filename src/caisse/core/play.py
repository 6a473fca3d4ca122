"""Deciding the games' traffic on the seamless door: bets, results, awards, the end of rounds and sessions."""

from typing import Final

from caisse.core.book import Book, Player, Round
from caisse.core.entries import Decision, Entry, Kind
from caisse.core.policy import Policy
from caisse.core.requests import Award, Bet, Content, EndRound, ExpireSession, Result, fingerprint
from caisse.core.rows import UNKNOWN_PLAYER, expired, replay, row, seen, unkept, write
from caisse.core.verdicts import Verdict

Guarded = tuple[Verdict, str]
"""A verdict and the rule that gave it."""

AWARD_KINDS: Final = {"bonus": Kind.BONUS, "jackpot": Kind.JACKPOT, "promo": Kind.PROMO}


def bet(r: Bet, book: Book, policy: Policy, now: int) -> Decision:
    """Take the stake (R40, R45, R46), unless the bet was refunded before it came (R23)."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    first = book.entries.get((r.partner, r.key))
    if first and first.kind is Kind.TOMBSTONE:
        return _late_bet(r, player, book, first, policy, now)
    if earlier := seen(r, book):
        return earlier
    verdict, rule = _bet_guards(r, player, book, policy)
    amount = -r.amount if verdict is Verdict.OK else 0
    return write(r, player, now, Kind.BET, verdict, rule, currency=r.currency, amount=amount, asked=r.amount)


def _late_bet(r: Bet, player: Player, book: Book, tombstone: Entry, policy: Policy, now: int) -> Decision:
    """R23: its money is never taken; the bet gets a row of its own beside the tombstone."""
    if tombstone.player != r.user:
        return unkept(Verdict.KEY_CONFLICT, "R5")
    if first := book.entries.get((r.partner, r.late_key)):
        same = first.fingerprint == fingerprint(r.content)
        return replay(first) if same else unkept(Verdict.KEY_CONFLICT, "R5")
    verdict, rule = _too_late(policy)
    return write(r, player, now, Kind.BET, verdict, rule, currency=r.currency, asked=r.amount, key=r.late_key)


def _too_late(policy: Policy) -> Guarded:
    return (Verdict.ABSORBED if policy.late_bet == "absorb" else Verdict.LATE_BET), "R23"


def _bet_guards(r: Bet, player: Player, book: Book, policy: Policy) -> Guarded:
    round_ = book.rounds.get((r.partner, r.provider, r.round))
    if round_ and (refusal := _round_guards(r, round_)):
        return refusal
    if round_ and round_.state == "refunded":
        return _too_late(policy)
    if round_ and round_.state == "ended":
        return Verdict.ROUND_ENDED, "R47"
    if r.session and expired(r, book):
        return Verdict.SESSION_EXPIRED, "R47"
    return _purse_guards(r, player)


def _round_guards(r: Bet | Result, round_: Round) -> Guarded | None:
    if round_.player != r.user:
        return Verdict.ROUND_FOREIGN, "R40"
    if round_.currency and round_.currency != r.currency:
        return Verdict.ROUND_CURRENCY, "R40"
    return None


def _purse_guards(r: Bet, player: Player) -> Guarded:
    balance = player.wallets.get(r.currency)
    if balance is None:
        return Verdict.WALLET_UNKNOWN, "R40"
    if player.frozen:
        return Verdict.PLAYER_FROZEN, "R15"
    if not r.game_enabled:
        return Verdict.GAME_DISABLED, "R30"
    if balance < r.amount:
        return Verdict.INSUFFICIENT, "R46"
    return Verdict.OK, "R40" if r.amount else "R45"


def result(r: Result, book: Book, policy: Policy, now: int) -> Decision:
    """Pay the win, zero too (R42), if a bet of the round stands (R41); a promotional win with it (R48)."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := seen(r, book):
        return earlier
    promo = book.entries.get((r.partner, r.promo_key)) if r.promo else None
    if promo and promo.fingerprint != fingerprint(r.promo_content):
        return unkept(Verdict.KEY_CONFLICT, "R5")
    verdict, rule = _result_guards(r, player, book)
    if verdict is not Verdict.OK:
        return write(r, player, now, Kind.RESULT, verdict, rule, currency=r.currency, asked=r.amount)
    return _pay_result(r, player, book, now, rule)


def _result_guards(r: Result, player: Player, book: Book) -> Guarded:
    round_ = book.rounds.get((r.partner, r.provider, r.round))
    if round_ and (refusal := _round_guards(r, round_)):
        return refusal
    if not r.free_round and (round_ is None or round_.standing == 0):
        return Verdict.NO_STANDING_BET, "R41"
    if r.currency not in player.wallets:
        return Verdict.WALLET_UNKNOWN, "R40"
    return Verdict.OK, "R41"


def _pay_result(r: Result, player: Player, book: Book, now: int, rule: str) -> Decision:
    """A promotional win not paid before, the win, the round's end if it comes with it.

    The win's row follows the promotional one, so that the answer tells the balance after both.
    """
    ok, money = Verdict.OK, r.currency
    rows: list[Entry] = []
    if r.promo and (r.partner, r.promo_key) not in book.entries:
        promo = (r.promo_key, r.promo_content)
        rows.append(_beside(r, player, now, Kind.PROMO, "R48", r.promo.amount, promo, None))
    after = rows[-1] if rows else None
    win = row(
        r, player, now, Kind.RESULT, ok, rule, currency=money, amount=r.amount, asked=r.amount, after=after
    )
    rows.append(win)
    if r.closes and (r.partner, r.end_key) not in book.entries:
        end = (r.end_key, r.end_content)
        rows.append(_beside(r, player, now, Kind.END_ROUND, "R43", 0, end, win))
    return Decision(verdict=ok, rule=rule, row=win, rows=tuple(rows))


def _beside(
    r: Result,
    player: Player,
    now: int,
    kind: Kind,
    rule: str,
    amount: int,
    claim: tuple[str, Content],
    after: Entry | None,
) -> Entry:
    """A row that a result brings along, under the key and content of the request it stands for."""
    key, content = claim
    reference = r.promo.reference if r.promo and kind is Kind.PROMO else ""
    return row(
        r,
        player,
        now,
        kind,
        Verdict.OK,
        rule,
        currency=r.currency,
        amount=amount,
        asked=amount,
        key=key,
        content=content,
        after=after,
        reference=reference,
    )


def end_round(r: EndRound, book: Book, policy: Policy, now: int) -> Decision:
    """Close the round, known or not (R43, R47); again: the same answer. No wallet stands in its way.

    The key names the round, so a stranger's request must not claim it, as with another's bet (R28).
    """
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    round_ = book.rounds.get((r.partner, r.provider, r.round))
    if round_ and round_.player != r.user:
        return unkept(Verdict.FOREIGN_BET, "R28")
    if earlier := seen(r, book):
        return earlier
    currency = _purse(player, round_, "") or min(player.wallets, default="")
    return write(r, player, now, Kind.END_ROUND, Verdict.OK, "R43", currency=currency)


def award(r: Award, book: Book, policy: Policy, now: int) -> Decision:
    """Pay once for each reference; no bet is needed (R44)."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := seen(r, book):
        return earlier
    kind = AWARD_KINDS[r.kind]
    round_ = book.rounds.get((r.partner, r.provider, r.round)) if r.round else None
    if round_ and round_.player != r.user:
        return write(r, player, now, kind, Verdict.ROUND_FOREIGN, "R40", asked=r.amount)
    currency = _purse(player, round_, r.currency)
    if currency is None:
        return write(r, player, now, kind, Verdict.WALLET_UNKNOWN, "R44", asked=r.amount)
    ok = Verdict.OK
    return write(r, player, now, kind, ok, "R44", currency=currency, amount=r.amount, asked=r.amount)


def _purse(player: Player, round_: Round | None, currency: str) -> str | None:
    """The wallet meant by a request that may not name one: its own, the round's, the only one, or None."""
    wanted = currency or (round_.currency if round_ else "")
    if wanted:
        return wanted if wanted in player.wallets else None
    return next(iter(player.wallets)) if len(player.wallets) == 1 else None


def expire_session(r: ExpireSession, book: Book, policy: Policy, now: int) -> Decision:
    """Record the session's end, once."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := seen(r, book):
        return earlier
    return write(r, player, now, Kind.SESSION, Verdict.OK, "R47")
