"""Deciding the games' traffic on the seamless door: bets, results, awards, the end of rounds and sessions."""

from functools import partial
from typing import Final

from caisse.core.book import MOST_BETS, Book, Player, Round
from caisse.core.entries import Decision, Entry, Kind
from caisse.core.money import show
from caisse.core.policy import Policy
from caisse.core.requests import Award, Bet, EndRound, ExpireSession, Result, fingerprint
from caisse.core.rules.drafting import UNKNOWN_PLAYER, decided, earlier_verdict, replay, row, unkept, write
from caisse.core.verdicts import Verdict

AWARD_KINDS: Final = {"bonus": Kind.BONUS, "jackpot": Kind.JACKPOT, "promo": Kind.PROMO}


def bet(r: Bet, book: Book, policy: Policy, now: int) -> Decision:
    """Take the stake (R40, R45, R46), unless the bet or its round was refunded before it came (R23)."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    say = partial(write, r, player, now, Kind.BET, currency=r.currency, asked=r.amount)
    late = Verdict.ABSORBED if policy.late_bet == "absorb" else Verdict.LATE_BET
    first = book.entries.get((r.partner, r.key))
    tombstone = first if first and first.kind is Kind.TOMBSTONE else None
    if tombstone and tombstone.player != r.user:
        return unkept(Verdict.KEY_CONFLICT, "R5")
    if earlier := _late_before(r, book) if tombstone else earlier_verdict(r, book):
        return earlier
    if tombstone:  # it has the bet's key: the late bet gets a row of its own beside it
        return say(late, "R23", key=r.late_key)
    round_ = book.rounds.get((r.partner, r.provider, r.user, r.round))
    if round_ and round_.state == "refunded":
        return say(late, "R23")
    if r.unsupported == "currency":
        return say(Verdict.CURRENCY_UNSUPPORTED, "R1")
    if r.unsupported == "decimals":
        return say(Verdict.TOO_MANY_DECIMALS, "R1")
    if round_ and round_.currency not in ("", r.currency):
        return say(Verdict.ROUND_CURRENCY, "R40")
    if round_ and round_.state == "ended":
        return say(Verdict.ROUND_ENDED, "R47")
    if r.session and (r.partner, r.session_key) in book.entries:
        return say(Verdict.SESSION_EXPIRED, "R47")
    balance = player.wallets.get(r.currency)
    if balance is None:
        return say(Verdict.WALLET_UNKNOWN, "R40")
    if player.frozen:
        return say(Verdict.PLAYER_FROZEN, "R15")
    if not r.game_enabled:
        return say(Verdict.GAME_DISABLED, "R30")
    if round_ and round_.bets >= MOST_BETS:
        return say(Verdict.ROUND_FULL, "R40")
    if balance < r.amount:
        return say(Verdict.INSUFFICIENT, "R46")
    return say(Verdict.OK, "R40" if r.amount else "R45")


def _late_before(r: Bet, book: Book) -> Decision | None:
    """What a late bet was answered before, under the key that it has beside its tombstone."""
    first = book.entries.get((r.partner, r.late_key))
    if first is None:
        return None
    same = first.fingerprint == fingerprint(r.content)
    return replay(first) if same else unkept(Verdict.KEY_CONFLICT, "R5")


def result(r: Result, book: Book, policy: Policy, now: int) -> Decision:
    """Pay the win, zero too (R42), if a bet of the round stands (R41); a promotional win with it (R48).

    The promotional win's row comes first, so that the answer has the balance after both.
    """
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    flag = "R5" if r.promo else ""  # a conflict may leave a promotional win unpaid
    earlier = None if r.promo_unreadable else earlier_verdict(r, book)
    if earlier:
        return earlier if earlier.replay else unkept(Verdict.KEY_CONFLICT, "R5", flag=flag)
    paid = book.entries.get((r.partner, r.promo_key)) if r.promo else None
    if paid and not _is_promo_of(r, paid):
        return unkept(Verdict.KEY_CONFLICT, "R5", flag=flag)
    if r.unreadable or r.promo_unreadable:
        return unkept(Verdict.FIELD_UNREADABLE, "R56")
    round_ = book.rounds.get((r.partner, r.provider, r.user, r.round))
    if not (r.free_round or (round_ and round_.standing)):
        currency = r.currency or (round_.currency if round_ else "")
        return write(
            r, player, now, Kind.RESULT, Verdict.NO_STANDING_BET, "R41", currency=currency, asked=r.amount
        )
    currency = clear_wallet(player, round_, r.currency)
    if not currency:
        return unkept(Verdict.WALLET_UNCLEAR, "R8")
    draft = partial(row, r, player, now, verdict=Verdict.OK, currency=currency)
    promo = end = None
    if r.promo and not paid:
        content, asked = (r.user, show(r.promo.amount), currency), r.promo.amount
        promo = draft(
            Kind.PROMO, rule="R48", asked=asked, key=r.promo_key, content=content, reference=r.promo.reference
        )
    win = draft(Kind.RESULT, rule="R41", asked=r.amount, after=promo)
    if r.closes and (r.partner, r.end_key) not in book.entries:
        end = draft(Kind.END_ROUND, rule="R43", key=r.end_key, content=(r.user,), after=win, reference="")
    first, *others = (entry for entry in (promo, win, end) if entry)
    return decided(first, *others, answer=win)


def _is_promo_of(r: Result, paid: Entry) -> bool:
    """R5 for the promotional win that rides along, against the one paid under its reference."""
    same = r.promo is not None and (paid.player, paid.asked) == (r.user, r.promo.amount)
    return same and r.currency in ("", paid.currency)


def clear_wallet(player: Player, round_: Round | None, currency: str) -> str:
    """The wallet meant by what is owed, whether it names a currency or not; empty if none is clear (R8, R41).

    The round's, which a currency that is named must not differ from; else the one named, else the only one.
    """
    wanted = (round_.currency if round_ else "") or currency
    if not wanted and len(player.wallets) == 1:
        return next(iter(player.wallets))
    return wanted if wanted in player.wallets and currency in ("", wanted) else ""


def end_round(r: EndRound, book: Book, policy: Policy, now: int) -> Decision:
    """Close the round, known or not (R43, R47); again: the same answer. No wallet stands in its way."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := earlier_verdict(r, book):
        return earlier
    round_ = book.rounds.get((r.partner, r.provider, r.user, r.round))
    currency = clear_wallet(player, round_, "") or min(player.wallets, default="")
    return write(r, player, now, Kind.END_ROUND, Verdict.OK, "R43", currency=currency)


def award(r: Award, book: Book, policy: Policy, now: int) -> Decision:
    """Pay once for each reference; no bet is needed (R44)."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := earlier_verdict(r, book):
        return earlier
    if r.unreadable:
        return unkept(Verdict.FIELD_UNREADABLE, "R56")
    round_ = book.rounds.get((r.partner, r.provider, r.user, r.round)) if r.round else None
    currency = clear_wallet(player, round_, r.currency)
    if not currency:
        return unkept(Verdict.WALLET_UNCLEAR, "R8")
    return write(r, player, now, AWARD_KINDS[r.kind], Verdict.OK, "R44", currency=currency, asked=r.amount)


def expire_session(r: ExpireSession, book: Book, policy: Policy, now: int) -> Decision:
    """Record the session's end, once."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := earlier_verdict(r, book):
        return earlier
    return write(r, player, now, Kind.SESSION, Verdict.OK, "R47")
