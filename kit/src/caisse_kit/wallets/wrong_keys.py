"""Wallets that are wrong about races, changed content, and whose money it is."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from caisse_kit.wallets.gate import Gate
from caisse_kit.wallets.money import UNIT
from caisse_kit.wallets.mutant import fails
from caisse_kit.wallets.seamless import Asked, Round, Verdict, Wallet
from caisse_kit.wallets.wrong_order import Forgiving


class Racing(Wallet):
    """Something of it stands outside the lock."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.busy: set[str] = set()


@fails("concurrency.drain", "concurrency.many-bets", "concurrency.bets-and-wins")
class NoLockOnBalances(Racing):
    """The balance is read, and written a moment later, without a lock."""

    def lock(self, asked: Asked) -> AbstractContextManager[object]:
        return nullcontext()

    def pay(self, purse: tuple[str, str], amount: int) -> None:
        held = self.balances[purse]
        self.gate.wait_for_the_next()
        self.balances[purse] = held + amount


class _Unlocked(Racing):
    """Looks for the key, thinks, and books, without a lock."""

    methods: tuple[str, ...] = ()

    def lock(self, asked: Asked) -> AbstractContextManager[object]:
        return nullcontext() if asked.method in self.methods else super().lock(asked)

    def earlier(self, asked: Asked) -> Verdict | None:
        found = super().earlier(asked)
        if asked.method in self.methods:
            self.gate.wait_for_the_next()
        return found

    def judge(self, asked: Asked) -> Verdict:
        with self._lock:
            return super().judge(asked)


@fails("concurrency.same-bet", "concurrency.conflicting-bets")
class RacesOnBets(_Unlocked):
    """The same bet at once is taken several times."""

    methods = ("Bet",)


@fails("concurrency.same-result", "concurrency.same-award")
class RacesOnWins(_Unlocked):
    """The same win at once is paid several times."""

    methods = ("Result", "BonusWin", "JackPotWin", "PromoWin")


@fails("concurrency.same-rollback")
class RacesOnRollbacks(_Unlocked, Forgiving):
    """The same rollback at once is done several times."""

    methods = ("Refund", "Cancel")


@fails("concurrency.bet-against-rollback", "concurrency.result-against-rollback")
class RacesOnOrder(Racing):
    """What stands is looked up before the lock: a bet and its rollback, or its result, pass each other."""

    def lock(self, asked: Asked) -> AbstractContextManager[object]:
        return nullcontext()

    def bet(self, asked: Asked) -> Verdict:
        self.gate.wait_for_the_next()
        return super().bet(asked)

    def undo(self, asked: Asked) -> Verdict:
        bet = self.bets.get(asked.reference)
        settled = bet.settled if bet else False
        self.gate.wait_for_the_next()
        if bet is None:
            return self.say(asked)
        bet.settled = settled
        return super().undo(asked)

    def result(self, asked: Asked) -> Verdict:
        round_ = self.round_of(asked.user, asked.round)
        standing = self.may_win(asked, round_)
        self.gate.wait_for_the_next()
        if standing:
            self.pay((asked.user, self.currency), asked.amount or 0)
        return self.say(asked, "ok" if standing else "no_bet")


@fails("concurrency.same-bet")
class BusyIsFinal(Racing):
    """A repeat that comes while the first is being decided is refused for good."""

    def decide(self, asked: Asked) -> Verdict:
        if asked.method != "Bet":
            return super().decide(asked)
        if asked.reference in self.busy:
            self.gate.pass_by()
            return Verdict("busy")
        self.busy.add(asked.reference)
        self.gate.wait_for_the_next()
        verdict = super().decide(asked)
        self.busy.discard(asked.reference)
        return verdict


CHANGED = ("content.bet-amount", "content.bet-round", "content.result-amount", "content.result-round")


@fails(*CHANGED, "content.award-amount", "content.result-promotional-part")
class IgnoresChangedContent(Wallet):
    """Whatever comes under a known key is taken for a repeat."""

    def content(self, asked: Asked) -> tuple[object, ...]:
        return (asked.user,)


@fails("content.bet-amount")
class ConflictsPoison(Wallet):
    """After a changed repeat the right one is refused, too."""

    def earlier(self, asked: Asked) -> Verdict | None:
        found = super().earlier(asked)
        if found and found.word == "conflict":
            self.kept[self.key(asked)] = (self.content(asked), Verdict("conflict"))
        return found


@fails("content.what-is-no-content")
class ComparesTooMuch(Wallet):
    """A repeat from another session is another request."""

    def content(self, asked: Asked) -> tuple[object, ...]:
        return (*super().content(asked), asked.session, str(asked.raw.get("roundDetails")))


@fails("content.notation")
class ComparesText(Wallet):
    """Amounts are compared as they were written."""

    def content(self, asked: Asked) -> tuple[object, ...]:
        return (*super().content(asked), str(asked.raw.get("amount")))


@fails("content.currency-case")
class ComparesCurrencies(Wallet):
    """A currency in small letters is another currency."""

    def content(self, asked: Asked) -> tuple[object, ...]:
        return (*super().content(asked), str(asked.raw.get("currency")))


@fails("players.same-reference")
class SharesKeys(Wallet):
    """A key is looked up without its player: another one's bet is answered with the first one's."""

    def content(self, asked: Asked) -> tuple[object, ...]:
        return super().content(asked)[1:] if asked.method == "Bet" else super().content(asked)


@fails("players.foreign-refund", "players.foreign-refund-first")
class RefundsToWhoAsks(Wallet):
    """A rollback gives the stake to the player that it names, whoever bet it."""

    def undo(self, asked: Asked) -> Verdict:
        bet = self.bets.get(asked.reference)
        if bet:
            bet.user = asked.user
        return super().undo(asked)


@fails("players.one-round-two-players", "players.one-round-one-rollback", "players.one-round-one-end")
class RoundsOfOnePlayer(Wallet):
    """A round belongs to the player who bet first."""

    def bet(self, asked: Asked) -> Verdict:
        owners: dict[str, str] = self.__dict__.setdefault("owners", {})
        if owners.setdefault(asked.round, asked.user) != asked.user:
            return self.say(asked, "round_foreign")
        return super().bet(asked)


@fails("players.foreign-result", "players.one-round-one-end")
class RoundsOfTheTable(Wallet):
    """A round is one for all its players: who did not bet may win, and one end closes it for all."""

    def round_of(self, user: str, name: str) -> Round:
        return super().round_of("", name)


@fails("players.apart")
class OnePurse(Wallet):
    """Every win is paid to every player."""

    def pay(self, purse: tuple[str, str], amount: int) -> None:
        super().pay(purse, amount)
        other = ("ben" if purse[0] == "ana" else "ana", purse[1])
        if amount > UNIT and other in self.balances:
            self.balances[other] += amount


@fails("players.letter-case")
class PlayersInAnyCase(Wallet):
    """Players' ids are compared without regard to letter case."""

    def decide(self, asked: Asked) -> Verdict:
        return super().decide(asked._replace(user=asked.user.lower()))
