"""Wallets that are wrong about bets, wins and what is paid back. Each changes one thing of the right one."""

from __future__ import annotations

from decimal import Decimal

from caisse_kit.wallets.money import UNIT
from caisse_kit.wallets.mutant import fails
from caisse_kit.wallets.seamless import Asked, Key, Round, Style, Verdict, Wallet

CENT = UNIT // 100


@fails("reading.changes-nothing")
class ReadingCosts(Wallet):
    """Each look at the balance costs a cent."""

    def tell(self, asked: Asked) -> Verdict:
        self.balances[asked.user, self.currency] -= CENT
        return super().tell(asked)


@fails("reading.unknown-player", "reading.check-unknown", "betting.unknown-player", "rollback.unknown-player")
class MakesPlayers(Wallet):
    """A player that it does not know is made on the spot."""

    def knows(self, user: str) -> bool:
        self.balances.setdefault((user, self.currency), 0)
        return True

    def covers(self, purse: tuple[str, str], amount: int) -> bool:
        return purse[0] not in ("ana", "ben") or super().covers(purse, amount)


@fails("reading.foreign-currency", "betting.foreign-currency", "results.award-foreign-currency")
class OneToOne(Wallet):
    """Any currency is taken from the player's only wallet, one to one."""

    def wallet_of(self, asked: Asked) -> tuple[str, str] | None:
        return (asked.user, self.currency)


@fails("reading.answer-agrees")
class TellsTheOldBalance(Wallet):
    """A bet's answer tells the balance before it."""

    def bet(self, asked: Asked) -> Verdict:
        before = self.balances[asked.user, self.currency]
        return super().bet(asked)._replace(balance=before)


@fails("betting.takes-stake", "protocol.path-case", "protocol.charset", "fields.minimal-bet", "amounts.text")
class FreeBets(Wallet):
    """Bets are accepted and nothing is taken."""

    def bet(self, asked: Asked) -> Verdict:
        return super().bet(asked._replace(amount=0))


@fails("betting.own-transaction")
class OneTransactionId(Wallet):
    """All movements of a round have the round's id."""

    def say(self, asked: Asked, word: str = "ok") -> Verdict:
        return super().say(asked, word)._replace(transaction="T1")


@fails("betting.insufficient", "betting.insufficient-code", "repetition.refusal", "rollback.refused-bet")
class Overdraws(Wallet):
    """Balances go below zero."""

    def covers(self, purse: tuple[str, str], amount: int) -> bool:
        return True


@fails("betting.whole-balance")
class KeepsTheLastCoin(Wallet):
    """A bet must be smaller than the balance."""

    def covers(self, purse: tuple[str, str], amount: int) -> bool:
        return self.balances[purse] > amount


@fails("betting.zero")
class NoFreeSpins(Wallet):
    """A bet of 0 is refused."""

    def bet(self, asked: Asked) -> Verdict:
        return super().bet(asked) if asked.amount else self.say(asked, "amount")


@fails("betting.second-in-round", "order.permutations-of-two-bets")
class OneBetPerRound(Wallet):
    """Bets are keyed by their round: the second is taken for a repeat of the first."""

    def key(self, asked: Asked) -> Key:
        return ("Bet", asked.user, asked.round) if asked.method == "Bet" else super().key(asked)

    def content(self, asked: Asked) -> tuple[object, ...]:
        return (asked.user,) if asked.method == "Bet" else super().content(asked)


@fails("betting.reference-case")
class ReferencesInAnyCase(Wallet):
    """Keys are compared without regard to letter case, as some databases do unasked."""

    def key(self, asked: Asked) -> Key:
        return tuple(part.lower() for part in super().key(asked))

    def content(self, asked: Asked) -> tuple[object, ...]:
        return (*super().content(asked)[:-1],)


@fails("betting.long-references")
class CutsReferences(Wallet):
    """References are cut off at 64 characters, as a column is."""

    def decide(self, asked: Asked) -> Verdict:
        return super().decide(asked._replace(reference=asked.reference[:64]))

    def content(self, asked: Asked) -> tuple[object, ...]:
        return (asked.user,)


@fails("betting.after-end")
class RoundsNeverEnd(Wallet):
    """EndRound is answered and changes nothing."""

    def end(self, asked: Asked) -> Verdict:
        return self.say(asked)


@fails(
    "results.pays",
    "results.several",
    "results.after-end",
    "results.without-currency",
    "results.without-session",
)
class PaysNet(Wallet):
    """A win is paid without the stake, as if it had been counted already."""

    def pay(self, purse: tuple[str, str], amount: int) -> None:
        super().pay(purse, amount - UNIT if amount >= UNIT else amount)


@fails("results.zero")
class NoLostRounds(Wallet):
    """A result of 0 is refused."""

    def result(self, asked: Asked) -> Verdict:
        return super().result(asked) if asked.amount else self.say(asked, "amount")


@fails(
    "results.without-bet", "order.result-before-bet", "players.foreign-result", "order.result-after-rollback"
)
class PaysWithoutBets(Wallet):
    """A result is paid whether there was a bet or not."""

    def may_win(self, asked: Asked, round_: Round) -> bool:
        return True


@fails("order.permutations-of-three", "order.permutations-with-end")
class PaysRolledBackRounds(Wallet):
    """A result is paid if there ever was a bet, although it was rolled back."""

    def may_win(self, asked: Asked, round_: Round) -> bool:
        return bool(asked.bonus or round_.bets)


@fails("results.after-end")
class ClosedIsClosed(Wallet):
    """A result after EndRound is refused."""

    def may_win(self, asked: Asked, round_: Round) -> bool:
        return super().may_win(asked, round_) and not round_.ended


@fails("results.several")
class OneWinPerRound(Wallet):
    """The second win of a round is refused."""

    def may_win(self, asked: Asked, round_: Round) -> bool:
        return super().may_win(asked, round_) and not round_.won


@fails("results.other-session", "results.after-expiry")
class SessionsOfItsOwn(Wallet):
    """A result must name a session that a bet of the round named, and that did not end."""

    def __init__(self, style: Style = Style()) -> None:  # noqa: B008 - frozen
        super().__init__(style)
        self.sessions: set[str] = set()

    def decide(self, asked: Asked) -> Verdict:
        if asked.method == "SessionExpired":
            self.sessions.discard(asked.session)
        if asked.method == "Bet":
            self.sessions.add(asked.session)
        if asked.method == "Result" and asked.session and asked.session not in self.sessions:
            return self.say(asked, "session")
        return super().decide(asked)


@fails("results.end-pays-nothing")
class EndRoundPays(Wallet):
    """The win that EndRound tells is paid by it."""

    def end(self, asked: Asked) -> Verdict:
        win = asked.raw.get("win")
        if isinstance(win, str):
            self.pay((asked.user, self.currency), int(Decimal(win) * UNIT))
        return super().end(asked)


@fails("results.end-again")
class EndsOnce(Wallet):
    """A second EndRound is refused."""

    def repeat(self, asked: Asked, first: Verdict) -> Verdict:
        return Verdict("round_ended") if asked.method == "EndRound" else first


@fails("results.free-round")
class NoFreeRounds(Wallet):
    """A win of a free round needs a bet."""

    def may_win(self, asked: Asked, round_: Round) -> bool:
        return super().may_win(asked._replace(bonus=""), round_)


@fails("results.promotional-part", "content.result-promotional-part", "repetition.promotional-part")
class IgnoresPromotions(Wallet):
    """The promotional win inside a Result is not looked at."""

    def decide(self, asked: Asked) -> Verdict:
        return super().decide(asked._replace(promo=None))


@fails(
    "results.bonus-win",
    "results.jackpot-win",
    "results.promo-win",
    "fields.minimal-awards",
    "results.award-answer",
)
class AwardsForNothing(Wallet):
    """Awards are answered with success and not paid."""

    def award(self, asked: Asked) -> Verdict:
        return self.say(asked)
