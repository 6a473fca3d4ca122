"""A right seamless wallet in memory, in a style of its own. The wrong ones are this one with one method
changed.

What it keeps: for each key the content and the verdict; each bet with what became of it; each round of each
player. All under one lock. Verdicts are words; a style says with which code each is answered.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

Key = tuple[str, ...]
FUNDS = 1_000 * 10**18


class Asked(NamedTuple):
    """One request, read. What it does not have is empty or None."""

    method: str
    user: str
    uuid: str = ""
    reference: str = ""
    round: str = ""
    currency: str = ""
    amount: int | None = None
    session: str = ""
    bonus: str = ""
    promo: tuple[str, int] | None = None
    raw: Mapping[str, object] = {}


class Verdict(NamedTuple):
    """What was decided, and what the answer tells."""

    word: str
    transaction: str = ""
    balance: int = 0
    currency: str = ""

    @property
    def ok(self) -> bool:
        return self.word == "ok"


class Style(NamedTuple):
    """An operator's choices where the contract leaves one, and the codes of the refusals."""

    unknown_bet: str = "ok"
    late_bet: str = "late_bet"
    """`ok`: success, nothing charged."""
    return_settled: bool = False
    exact_refunds: bool = False
    by_round: bool = False
    cash_as_text: bool = False
    errors_as_text: bool = False
    codes: Mapping[str, int] = {}


@dataclass
class Bet:
    """A bet that was taken, or the mark of one that was undone before it came."""

    user: str
    round: str
    currency: str
    stake: int
    settled: bool = False
    undone: Verdict | None = None
    never_came: bool = False

    @property
    def stands(self) -> bool:
        return self.undone is None and not self.never_came


@dataclass
class Round:
    """One player's part of a round."""

    bets: list[Bet] = field(default_factory=list)
    ended: bool = False
    undone: bool = False
    """By a refund of the whole round."""
    won: bool = False


class Wallet:
    """Two players with money in one currency each."""

    def __init__(self, style: Style = Style(), *, currency: str = "USD") -> None:  # noqa: B008 - frozen
        self.style = style
        self.currency = currency
        self._lock = threading.RLock()
        self.balances = {("ana", currency): FUNDS, ("ben", currency): FUNDS}
        self.kept: dict[Key, tuple[tuple[object, ...], Verdict]] = {}
        self.bets: dict[str, Bet] = {}
        self.rounds: dict[tuple[str, str], Round] = {}
        self.transactions = 0

    def decide(self, asked: Asked) -> Verdict:
        """One request after all those before it."""
        with self.lock(asked):
            if not self.knows(asked.user):
                return Verdict("player_unknown")
            if asked.method in ("Check", "SessionExpired"):
                return Verdict("ok", self.new_id())
            if asked.method == "Balance":
                return self.tell(asked)
            if earlier := self.earlier(asked):
                return earlier
            verdict = self.judge(asked)
            self.keep(asked, verdict)
            return verdict

    def judge(self, asked: Asked) -> Verdict:
        if asked.method == "Bet":
            return self.bet(asked)
        if asked.method == "Result":
            return self.result(asked)
        if asked.method == "Refund" and self.style.by_round and asked.amount is None:
            return self.undo_round(asked)
        if asked.method in ("Refund", "Cancel"):
            return self.undo(asked)
        if asked.method == "EndRound":
            return self.end(asked)
        return self.award(asked)

    # What wrong wallets change

    def lock(self, asked: Asked) -> AbstractContextManager[object]:
        return self._lock

    def knows(self, user: str) -> bool:
        return (user, self.currency) in self.balances

    def key(self, asked: Asked) -> Key:
        if asked.method == "Refund" and self.style.by_round and asked.amount is None:
            return ("undo round", asked.user, asked.round)
        if asked.method in ("Refund", "Cancel"):
            return ("undo", asked.reference)
        if asked.method == "EndRound":
            return ("end", asked.user, asked.round)
        return (asked.method, asked.reference)

    def content(self, asked: Asked) -> tuple[object, ...]:
        if asked.method in ("Refund", "Cancel", "EndRound"):
            return (asked.user,)
        if asked.method == "Bet":
            return (asked.user, asked.currency, asked.amount, asked.round)
        if asked.method == "Result":
            return (asked.user, asked.amount, asked.round, asked.promo)
        return (asked.user, asked.amount)

    def earlier(self, asked: Asked) -> Verdict | None:
        """The first verdict under this key, if there is one."""
        found = self.kept.get(self.key(asked))
        if found is None:
            return None
        content, verdict = found
        if content == self.content(asked):
            return self.repeat(asked, verdict)
        return Verdict("foreign_bet" if self.key(asked)[0] == "undo" else "conflict")

    def repeat(self, asked: Asked, first: Verdict) -> Verdict:
        return first

    def keep(self, asked: Asked, verdict: Verdict) -> None:
        if verdict.word not in ("conflict", "foreign_bet", "refund_amount", "no_wallet", "parameter"):
            self.kept[self.key(asked)] = (self.content(asked), verdict)

    def wallet_of(self, asked: Asked) -> tuple[str, str] | None:
        """The purse: in the currency that was named, else in the player's only one."""
        purse = (asked.user, asked.currency or self.currency)
        return purse if purse in self.balances else None

    def pay(self, purse: tuple[str, str], amount: int) -> None:
        self.balances[purse] += amount

    def say(self, asked: Asked, word: str = "ok") -> Verdict:
        purse = self.wallet_of(asked) or (asked.user, self.currency)
        return Verdict(word, self.new_id(), self.balances.get(purse, 0), purse[1])

    def new_id(self) -> str:
        self.transactions += 1
        return f"T{self.transactions:08}"

    def tell(self, asked: Asked) -> Verdict:
        return self.say(asked) if self.wallet_of(asked) else Verdict("no_wallet")

    def round_of(self, user: str, name: str) -> Round:
        return self.rounds.setdefault((user, name), Round())

    # The rules

    def bet(self, asked: Asked) -> Verdict:
        purse, round_ = self.wallet_of(asked), self.round_of(asked.user, asked.round)
        mark = self.bets.get(asked.reference)
        if (mark and mark.never_came) or round_.undone:
            return self.late(asked)
        if purse is None:
            return Verdict("no_wallet")
        if round_.ended:
            return self.say(asked, "round_ended")
        if not self.covers(purse, asked.amount or 0):
            return self.say(asked, "insufficient")
        self.pay(purse, -(asked.amount or 0))
        taken = Bet(asked.user, asked.round, purse[1], asked.amount or 0)
        self.bets[asked.reference] = taken
        round_.bets.append(taken)
        return self.say(asked)

    def covers(self, purse: tuple[str, str], amount: int) -> bool:
        return self.balances[purse] >= amount

    def late(self, asked: Asked) -> Verdict:
        """A bet that was undone before it came: its money is never taken."""
        return self.say(asked, self.style.late_bet)

    def result(self, asked: Asked) -> Verdict:
        round_ = self.round_of(asked.user, asked.round)
        if not self.may_win(asked, round_):
            return self.say(asked, "no_bet")
        currency = next((bet.currency for bet in round_.bets), asked.currency or self.currency)
        if asked.currency not in ("", currency) or (asked.user, currency) not in self.balances:
            return Verdict("no_wallet")
        if asked.promo and self.was_paid(asked.promo[0]):
            return Verdict("conflict")
        asked = asked._replace(currency=currency)
        self.pay((asked.user, currency), asked.amount or 0)
        self.settle(round_)
        if asked.promo:
            self.pay((asked.user, currency), asked.promo[1])
            promo = asked._replace(method="PromoWin", reference=asked.promo[0], amount=asked.promo[1])
            self.keep(promo, self.say(promo))
        return self.say(asked)

    def was_paid(self, promo: str) -> bool:
        return ("PromoWin", promo) in self.kept

    def may_win(self, asked: Asked, round_: Round) -> bool:
        """Owed is what a bet that stands has won; a free round has no bet."""
        return bool(asked.bonus) or any(bet.stands for bet in round_.bets)

    def settle(self, round_: Round) -> None:
        round_.won = True
        for bet in round_.bets:
            bet.settled = True

    def undo(self, asked: Asked) -> Verdict:
        bet = self.bets.get(asked.reference)
        if bet is None:
            return self.undo_unknown(asked)
        if bet.user != asked.user:
            return Verdict("foreign_bet")
        if bet.undone:
            return bet.undone
        if bet.settled and not self.style.return_settled:
            return self.say(asked, "settled")
        back = self.owed_back(bet, asked)
        if back is None:
            return Verdict("refund_amount")
        self.pay((bet.user, bet.currency), back)
        bet.undone = self.say(asked)
        return bet.undone

    def owed_back(self, bet: Bet, asked: Asked) -> int | None:
        """The stored bet is the truth: never more than its stake."""
        if asked.amount is None or asked.amount == bet.stake:
            return bet.stake
        if self.style.exact_refunds or asked.amount > bet.stake or asked.amount == 0:
            return None
        return asked.amount

    def undo_unknown(self, asked: Asked) -> Verdict:
        """Nothing to give back; the mark keeps a late bet from taking money that nobody would return."""
        if self.refused_bet(asked.reference) is None:
            self.bets[asked.reference] = Bet(asked.user, "", self.currency, 0, never_came=True)
        return self.say(asked, self.style.unknown_bet)

    def refused_bet(self, reference: str) -> Verdict | None:
        found = self.kept.get(("Bet", reference))
        return found[1] if found else None

    def undo_round(self, asked: Asked) -> Verdict:
        """Every open bet of the player's round, all or none."""
        round_ = self.round_of(asked.user, asked.round)
        if round_.won:
            return self.say(asked, "settled")
        standing = [bet for bet in round_.bets if bet.stands]
        round_.undone = True
        for bet in standing:
            self.pay((bet.user, bet.currency), bet.stake)
        verdict = self.say(asked, "ok" if round_.bets else self.style.unknown_bet)
        for bet in standing:
            bet.undone = verdict
        return verdict

    def end(self, asked: Asked) -> Verdict:
        round_ = self.round_of(asked.user, asked.round)
        round_.ended = True
        for bet in round_.bets:
            bet.settled = True
        return self.say(asked)

    def award(self, asked: Asked) -> Verdict:
        purse = self.wallet_of(asked)
        if purse is None:
            return Verdict("no_wallet")
        self.pay(purse, asked.amount or 0)
        return self.say(asked)
