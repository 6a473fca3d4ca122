"""Wallets that are wrong about order and repeats."""

from __future__ import annotations

import time

from caisse_kit.wallets.mutant import fails
from caisse_kit.wallets.seamless import Asked, Bet, Key, Verdict, Wallet


@fails("order.refund-first", "order.permutations-with-repeats")
class LosesTombstones(Wallet):
    """A refund of an unknown bet leaves no mark: the late bet is taken."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        return self.say(asked)


@fails("order.cancel-first")
class CancelsLeaveNoMark(Wallet):
    """A cancel of an unknown bet leaves no mark; a refund does."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        return self.say(asked) if asked.method == "Cancel" else super().undo_unknown(asked)


@fails("order.late-bet-refunded-again")
class AbsorbsAndRefunds(Wallet):
    """A late bet is absorbed, but booked as if it had been taken: its next refund gives it back."""

    def late(self, asked: Asked) -> Verdict:
        self.bets[asked.reference] = Bet(asked.user, asked.round, self.currency, asked.amount or 0)
        for key in (("undo", asked.reference),):
            self.kept.pop(key, None)
        return self.say(asked)


@fails("order.late-bet-of-another-reference")
class MarksTheRound(Wallet):
    """A refund of an unknown bet closes the whole round for the player."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        self.marked = True
        return super().undo_unknown(asked)

    def bet(self, asked: Asked) -> Verdict:
        return self.late(asked) if getattr(self, "marked", False) else super().bet(asked)


@fails("order.rollback-after-result", "order.refund-after-end")
class SettledInWordsOnly(Wallet):
    """A rollback of a settled bet is answered with success and gives nothing."""

    def undo(self, asked: Asked) -> Verdict:
        verdict = super().undo(asked)
        return verdict._replace(word="ok") if verdict.word == "settled" else verdict


@fails("policies.settled-bet")
class ReturnsSettledStakes(Wallet):
    """A rollback of a settled bet gives the stake back, although the profile refuses it."""

    def undo(self, asked: Asked) -> Verdict:
        self.style = self.style._replace(return_settled=True)
        return super().undo(asked)


@fails("policies.late-bet")
class AbsorbsLateBets(Wallet):
    """A late bet is answered with success, although the profile refuses it."""

    def late(self, asked: Asked) -> Verdict:
        return self.say(asked)


@fails("policies.unknown-bet")
class RefusesUnknownBets(Wallet):
    """A refund of an unknown bet is refused, although the profile answers success."""

    def undo_unknown(self, asked: Asked) -> Verdict:
        return super().undo_unknown(asked)._replace(word="unknown")


@fails("order.later-bet-of-settled-round")
class SettlesTheFuture(Wallet):
    """A bet that comes after its round's result counts as settled."""

    def bet(self, asked: Asked) -> Verdict:
        verdict = super().bet(asked)
        taken = self.bets.get(asked.reference)
        if taken and self.round_of(asked.user, asked.round).won:
            taken.settled = True
        return verdict


@fails("repetition.bet", "concurrency.same-bet", "timing.lost-bet")
class BetsTwice(Wallet):
    """Bets have no key: each repeat takes the stake again."""

    def earlier(self, asked: Asked) -> Verdict | None:
        return None if asked.method == "Bet" else super().earlier(asked)


@fails("repetition.bet-new-uuid", "repetition.same-uuid")
class KeysBetsByUuid(Wallet):
    """Bets are keyed by their uuid."""

    def key(self, asked: Asked) -> Key:
        return ("Bet", asked.uuid) if asked.method == "Bet" else super().key(asked)


@fails("repetition.result", "concurrency.same-result", "timing.lost-result")
class PaysTwice(Wallet):
    """Results have no key: each repeat pays the win again."""

    def earlier(self, asked: Asked) -> Verdict | None:
        return None if asked.method == "Result" else super().earlier(asked)


@fails("repetition.result-new-uuid")
class KeysResultsByUuid(Wallet):
    """Results are keyed by their uuid."""

    def key(self, asked: Asked) -> Key:
        return ("Result", asked.uuid) if asked.method == "Result" else super().key(asked)


class Forgiving(Wallet):
    """Gives a bet back as often as it is let to."""

    def undo(self, asked: Asked) -> Verdict:
        bet = self.bets.get(asked.reference)
        if bet and bet.user == asked.user:
            bet.undone = None
        return super().undo(asked)


@fails("repetition.refund", "concurrency.same-rollback")
class RefundsTwice(Forgiving):
    """Rollbacks have no key: each repeat gives the stake again."""

    def earlier(self, asked: Asked) -> Verdict | None:
        return None if asked.method in ("Refund", "Cancel") else super().earlier(asked)


@fails("repetition.refund-new-uuid", "repetition.cancel")
class KeysRefundsByUuid(Forgiving):
    """Rollbacks are keyed by their uuid."""

    def key(self, asked: Asked) -> Key:
        key = super().key(asked)
        return ("undo", asked.uuid) if key[0] == "undo" else key


@fails("repetition.refund-then-cancel")
class RefundAndCancel(Forgiving):
    """Refund and Cancel have keys of their own: the same bet is given back by both."""

    def key(self, asked: Asked) -> Key:
        key = super().key(asked)
        return (asked.method, asked.reference) if key[0] == "undo" else key


@fails("timing.lost-rollback")
class CancelsTwice(Forgiving):
    """Cancels have no key."""

    def earlier(self, asked: Asked) -> Verdict | None:
        return None if asked.method == "Cancel" else super().earlier(asked)


@fails("repetition.bonuswin", "repetition.jackpotwin", "repetition.promowin", "concurrency.same-award")
class AwardsTwice(Wallet):
    """Awards have no key."""

    def earlier(self, asked: Asked) -> Verdict | None:
        return None if asked.method in ("BonusWin", "JackPotWin", "PromoWin") else super().earlier(asked)


@fails("repetition.promotional-reference")
class PromotionsWithoutKeys(Wallet):
    """A promotional win inside a Result has no key of its own."""

    def was_paid(self, promo: str) -> bool:
        return False


@fails("repetition.award-name-spaces")
class AwardsOfOneNameSpace(Wallet):
    """The awards share one name space of references."""

    def key(self, asked: Asked) -> Key:
        key = super().key(asked)
        return ("award", *key[1:]) if key[0] in ("BonusWin", "JackPotWin") else key


@fails("repetition.later-traffic")
class SmallMemory(Wallet):
    """Only the newest 32 keys are remembered."""

    def keep(self, asked: Asked, verdict: Verdict) -> None:
        super().keep(asked, verdict)
        while len(self.kept) > 32:
            self.kept.pop(next(iter(self.kept)))

    def bet(self, asked: Asked) -> Verdict:
        self.bets.pop(asked.reference, None)
        return super().bet(asked)


@fails("repetition.later-time")
class KeysExpire(Wallet):
    """Keys are forgotten after a tenth of a second."""

    def keep(self, asked: Asked, verdict: Verdict) -> None:
        super().keep(asked, verdict)
        self.times = {**getattr(self, "times", {}), self.key(asked): time.monotonic()}

    def earlier(self, asked: Asked) -> Verdict | None:
        if time.monotonic() - getattr(self, "times", {}).get(self.key(asked), time.monotonic()) > 0.1:
            self.kept.pop(self.key(asked), None)
        return super().earlier(asked)


@fails("repetition.after-restart")
class ForgetsAtRestart(Wallet):
    """Keys, bets and rounds are kept in memory only; balances are not."""

    def restart(self) -> None:
        """What a new process knows."""
        self.kept, self.bets, self.rounds = {}, {}, {}


@fails("repetition.first-balance")
class ReplaysTodaysBalance(Wallet):
    """A repeat is answered with the balance of today."""

    def repeat(self, asked: Asked, first: Verdict) -> Verdict:
        return first._replace(balance=self.balances[asked.user, self.currency])


@fails("repetition.refusal", "repetition.unknown-refund")
class NewIdEachTime(Wallet):
    """A repeat gets a transaction id of its own, and a refusal another code."""

    def repeat(self, asked: Asked, first: Verdict) -> Verdict:
        word = first.word if first.ok else "again"
        return first._replace(transaction=self.new_id(), word=word)


@fails("repetition.refusal")
class ForgetsRefusals(Wallet):
    """Only successes are kept: a bet that was refused may be taken later."""

    def keep(self, asked: Asked, verdict: Verdict) -> None:
        if verdict.ok:
            super().keep(asked, verdict)


@fails("repetition.name-spaces")
class OneNameSpace(Wallet):
    """Bets and results share one name space of references."""

    def key(self, asked: Asked) -> Key:
        return ("any", asked.reference) if asked.method in ("Bet", "Result") else super().key(asked)

    def content(self, asked: Asked) -> tuple[object, ...]:
        return (asked.user,) if asked.method in ("Bet", "Result") else super().content(asked)

    def refused_bet(self, reference: str) -> Verdict | None:
        return self.kept.get(("any", reference), (None, None))[1]
