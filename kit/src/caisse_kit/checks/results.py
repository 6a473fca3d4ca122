"""Results and awards: what is won is paid, exactly, and once."""

from __future__ import annotations

from decimal import Decimal

from caisse_kit.check import SEAMLESS, SHOULD, Failed, Group, NotRun
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("results", SEAMLESS)


@group.check(
    "pays", "A result pays exactly its amount.", "Players are paid less or more than they won.", "R42"
)
def pays(p: Play) -> None:
    p.took(p.result(p.took(p.bet()), p.stake * 3))
    p.moved(p.stake * 2, "after a bet and a win of three stakes")


@group.check(
    "zero",
    "A result of 0 is accepted, and pays nothing.",
    "Lost rounds are repeated for ever and stay open.",
    "R42",
)
def zero(p: Play) -> None:
    p.took(p.result(p.took(p.bet()), Decimal(0)), "a lost round")
    p.moved(-p.stake, "after a lost round")


@group.check(
    "several", "Several results of one round are all paid.", "The second win of a round is lost.", "R42"
)
def several(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.result(bet, p.stake))
    p.took(p.result(bet, p.stake), "a second win of the round")
    p.moved(p.stake, "after two wins of one round")


@group.check(
    "without-bet",
    "A result of a round in which the player never bet is refused and pays nothing.",
    "Wins are paid for which no stake was taken.",
    "R41",
)
def without_bet(p: Play) -> None:
    p.refused(p.result(p.ghost(), p.stake), "no bet of that round")
    p.unmoved("after a result without a bet")


@group.check(
    "without-session",
    "A result without a session, as an automatic closing sends it, is paid.",
    "Wins of players who left are never paid.",
    "R56",
)
def without_session(p: Play) -> None:
    p.took(p.result(p.took(p.bet()), p.stake, sessionId=...), "an automatic closing")
    p.moved(0, "after a bet and an automatic closing that returns it")


@group.check(
    "other-session",
    "A result that names a session which the wallet does not know is paid.",
    "Wins that come after the session are never paid.",
    "R30, R47",
)
def other_session(p: Play) -> None:
    p.took(p.result(p.took(p.bet()), p.stake, sessionId=p.new("session")), "a win of an older session")
    p.moved(0, "after a win of another session")


@group.check(
    "after-expiry",
    "A result after the session's end is paid.",
    "Wins that come after the session are never paid.",
    "R30",
)
def after_expiry(p: Play) -> None:
    session = p.new("session")
    bet = p.bet(sessionId=session)
    if not bet.ok:
        raise NotRun("the wallet takes bets of its own sessions only")
    p.send("SessionExpired", {**p.read().fields, "sessionId": session, "currency": ...})
    p.took(p.result(bet, p.stake, sessionId=session), "the session has ended")
    p.moved(0, "after a win of a session that has ended")


@group.check(
    "after-end",
    "A result that comes after the end of its round is paid.",
    "Wins that were delayed behind EndRound are never paid.",
    "R43",
)
def after_end(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.end(bet))
    p.took(p.result(bet, p.stake), "money owed is money owed")
    p.moved(0, "after a win that came behind EndRound")


@group.check(
    "without-currency",
    "A result without a currency is paid in the currency of its round.",
    "Wins of editions that send no currency are never paid.",
    "R56",
)
def without_currency(p: Play) -> None:
    p.took(p.result(p.took(p.bet()), p.stake, currency=...), "the round has a currency")
    p.moved(0, "after a win without a currency")


@group.check(
    "foreign-currency",
    "A result in another currency than its round's is refused, and paid once it comes in the right one.",
    "A win is paid in money of another currency, one to one, or never.",
    "R8, R40",
)
def foreign_currency(p: Play) -> None:
    fields = p.result_fields(p.took(p.bet()), p.stake)
    p.refused(p.send("Result", {**fields, "currency": "XTS"}), "the round's currency is another")
    p.moved(-p.stake, "after a result in another currency")
    p.took(p.send("Result", fields), "the right currency, under the same reference")
    p.moved(0, "after the result in its round's currency")


@group.check(
    "award-foreign-currency",
    "An award in a currency that the player has no wallet in is refused, and paid once mended.",
    "An award is paid in money of another currency, one to one, or never.",
    "R8, R44",
    needs="seamless-v4",
)
def award_foreign_currency(p: Play) -> None:
    sent = p.refused(p.award("BonusWin", p.stake, currency="XTS"), "no wallet in XTS")
    p.unmoved("after an award in another currency")
    p.took(p.again(sent, currency=p.currency), "the right currency, under the same reference")
    p.moved(p.stake, "after the award in the right currency")


@group.check("end-again", "EndRound can be repeated.", "The provider sends EndRound again and again.", "R43")
def end_again(p: Play) -> None:
    bet = p.took(p.bet())
    first = p.took(p.end(bet))
    p.took(p.again(first), "a repeat")
    p.took(p.again_anew(first), "a repeat under another uuid")


@group.check(
    "end-pays-nothing",
    "The `win` that EndRound tells is not paid by it.",
    "Each win is paid twice, by Result and by EndRound.",
    "R43",
)
def end_pays_nothing(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(p.result(bet, p.stake * 2))
    p.took(p.end(bet, win=str(p.stake * 2)))
    p.moved(p.stake, "after a win and an EndRound that tells it")


@group.check(
    "free-round",
    "A result with a bonusCode, of a free round, is paid without a bet.",
    "Wins of free rounds are never paid.",
    "R41",
    needs="seamless-v4",
)
def free_round(p: Play) -> None:
    p.took(p.result(p.ghost(), p.stake, bonusCode=p.new("bonus")), "a free round")
    p.moved(p.stake, "after a win of a free round")


@group.check(
    "promotional-part",
    "A promotional win inside a Result is paid with it.",
    "Promotional wins are never paid.",
    "R48",
    needs="seamless-v4",
)
def promotional_part(p: Play) -> None:
    promo = {
        "promoWinAmount": p.door.amount(p.stake),
        "promoWinReference": p.new("promo"),
        "promoCampaignID": "c",
    }
    p.took(p.result(p.took(p.bet()), p.stake, **promo, promoCampaignType="T"))
    p.moved(p.stake, "after a win with a promotional win inside")


def _award(p: Play, verb: str) -> Sent:
    sent = p.took(p.award(verb, p.stake), "an award needs no bet")
    p.moved(p.stake, f"after a {verb}")
    return sent


@group.check(
    "bonus-win",
    "A BonusWin is paid without a bet.",
    "Bonus wins are never paid.",
    "R44",
    needs="seamless-v4",
)
def bonus_win(p: Play) -> None:
    _award(p, "BonusWin")


@group.check(
    "jackpot-win",
    "A JackPotWin is paid without a bet.",
    "Jackpots are never paid.",
    "R44",
    needs="seamless-v4",
)
def jackpot_win(p: Play) -> None:
    _award(p, "JackPotWin")


@group.check(
    "promo-win",
    "A PromoWin is paid without a bet.",
    "Promotional wins are never paid.",
    "R44",
    needs="seamless-v4",
)
def promo_win(p: Play) -> None:
    _award(p, "PromoWin")


@group.check(
    "award-answer",
    "The answer to an award tells its transaction and the cash after it.",
    "The player does not see the win, and disputes cannot be matched.",
    severity=SHOULD,
    needs="seamless-v4",
)
def award_answer(p: Play) -> None:
    sent = p.took(p.award("BonusWin", p.stake))
    if not sent.transaction or sent.answer.amount("cash") != p.start + p.stake:
        told = f"{sent.transaction!r} and {sent.answer.text('cash')!r}"
        raise Failed(f"transactionId and cash are {told}")
