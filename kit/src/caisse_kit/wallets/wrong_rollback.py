"""Wallets that are wrong about what a rollback gives back."""

from __future__ import annotations

from caisse_kit.wallets.money import UNIT
from caisse_kit.wallets.mutant import fails
from caisse_kit.wallets.seamless import Asked, Bet, Style, Verdict, Wallet

CENT = UNIT // 100


@fails(
    "rollback.refund",
    "rollback.cancel",
    "fields.minimal-refund",
    "fields.minimal-cancel",
    "rollback.amount-equal",
)
class RefundsForNothing(Wallet):
    """Rollbacks are answered with success and give nothing."""

    def owed_back(self, bet: Bet, asked: Asked) -> int | None:
        return 0


@fails("rollback.transaction")
class RefundsWithTheBetsId(Wallet):
    """A rollback's transaction id is the bet's."""

    def undo(self, asked: Asked) -> Verdict:
        first = self.kept.get(("Bet", asked.reference))
        verdict = super().undo(asked)
        return verdict._replace(transaction=first[1].transaction) if first else verdict


@fails("rollback.unknown-bet")
class CreditsUnknownBets(Wallet):
    """A refund of an unknown bet gives the amount that it names."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        if asked.reference not in self.bets:
            self.pay((asked.user, self.currency), asked.amount or 0)
        return super().undo_unknown(asked)


@fails("rollback.unknown-cancel")
class CreditsCancels(Wallet):
    """A cancel of an unknown bet gives one unit."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        if asked.method == "Cancel":
            self.pay((asked.user, self.currency), UNIT)
        return super().undo_unknown(asked)


@fails("rollback.amount-greater")
class TrustsTheAmount(Wallet):
    """A refund gives what the request says, not what was bet."""

    def owed_back(self, bet: Bet, asked: Asked) -> int | None:
        return bet.stake if asked.amount is None else asked.amount


@fails("rollback.amount-smaller", "policies.refund-amount")
class AnswersPartialRefunds(Wallet):
    """A refund smaller than its bet is answered with success and gives nothing."""

    def owed_back(self, bet: Bet, asked: Asked) -> int | None:
        return 0 if asked.amount not in (None, bet.stake) else bet.stake


@fails("rollback.partial-again")
class PartsAddUp(Wallet):
    """Partial refunds of one bet each give their part."""

    def earlier(self, asked: Asked) -> Verdict | None:
        return None if asked.method == "Refund" and asked.amount else super().earlier(asked)

    def undo(self, asked: Asked) -> Verdict:
        bet = self.bets.get(asked.reference)
        if bet and asked.amount and asked.amount < bet.stake:
            self.pay((bet.user, bet.currency), asked.amount)
            return self.say(asked)
        return super().undo(asked)


@fails("rollback.refused-bet")
class RefundsRefusedBets(Wallet):
    """A refund of a bet that was refused gives its amount."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        if self.refused_bet(asked.reference):
            self.pay((asked.user, self.currency), UNIT)
        return super().undo_unknown(asked)


@fails("rollback.zero-bet")
class NothingToRollBack(Wallet):
    """A rollback of a free spin is refused."""

    def owed_back(self, bet: Bet, asked: Asked) -> int | None:
        return super().owed_back(bet, asked) or None


@fails("rollback.one-of-two")
class CancelsTheRound(Wallet):
    """A cancel gives all open bets of the round back."""

    def undo(self, asked: Asked) -> Verdict:
        found = self.bets.get(asked.reference)
        verdict = super().undo(asked)
        if found and verdict.ok:
            for bet in self.round_of(asked.user, found.round).bets:
                if bet.stands:
                    self.pay((bet.user, bet.currency), bet.stake)
                    bet.undone = verdict
        return verdict


@fails("rollback.of-rollback")
class RollsBackRollbacks(Wallet):
    """A rollback that names a rollback's transaction id takes the stake again."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        for bet in self.bets.values():
            if bet.undone and bet.undone.transaction == asked.reference:
                self.pay((bet.user, bet.currency), -bet.stake)
        return super().undo_unknown(asked)


@fails("rollback.of-result")
class RollsBackResults(Wallet):
    """A rollback that names a result's reference takes the win."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        won = self.kept.get(("Result", asked.reference))
        if won and isinstance(won[0][1], int):
            self.pay((asked.user, self.currency), -won[0][1])
        return super().undo_unknown(asked)


@fails("rollback.without-session")
class CancelsInSessionOnly(Wallet):
    """A cancel must name the session of its bet."""

    def undo(self, asked: Asked) -> Verdict:
        if asked.session and asked.method == "Cancel" and asked.session != "kit-session":
            return self.say(asked, "session")
        return super().undo(asked)


@fails("results.foreign-currency")
class PaysAnyCurrency(Wallet):
    """A result is paid in its round's currency, whatever currency it names."""

    def decide(self, asked: Asked) -> Verdict:
        return super().decide(asked._replace(currency="") if asked.method == "Result" else asked)


@fails("rollback.round-with-win", "order.bet-in-refunded-round")
class RefundsAnyRound(Wallet):
    """A refund that names a round looks at nothing else, and leaves the round open."""

    profile = "lucky-monaco-v4-by-round"

    def __init__(self) -> None:
        super().__init__(Style(by_round=True))

    def undo_round(self, asked: Asked) -> Verdict:
        round_ = self.round_of(asked.user, asked.round)
        round_.won = False
        verdict = super().undo_round(asked)
        round_.undone = False
        return verdict


@fails("rollback.whole-round")
class RefundsOneOfTheRound(Wallet):
    """A refund that names a round gives its first bet back."""

    profile = "lucky-monaco-v4-by-round"

    def __init__(self) -> None:
        super().__init__(Style(by_round=True))

    def undo_round(self, asked: Asked) -> Verdict:
        round_ = self.round_of(asked.user, asked.round)
        for bet in round_.bets[1:]:
            bet.never_came = True
        return super().undo_round(asked)
