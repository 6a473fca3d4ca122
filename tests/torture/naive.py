"""The rules of the money once more, as one would jot them down: dicts, no journal, no batches, no database.

Written from docs/rules.md alone, to be held against the real thing. It may not import anything that decides:
of caisse it knows nothing at all. Amounts are integers of 10^-18; verdicts are the words of docs/rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LIMIT = 10**32
"""The first balance with more than 14 digits before the point."""
CURRENCIES = ("USD", "EUR")
"""Those of the table that anybody here uses."""
DEFAULTS: Mapping[str, Any] = {
    **{"unknown_bet": "success", "late_bet": "refuse", "refund_amount": "at_most", "settled_bet": "refuse"},
    **{"refund_by_round": False, "retransmission": False, "codes": {}},
}
"""A profile that says nothing."""


def amount_of(text: str) -> int | None:
    """R12: plain digits, 14 before the point and 18 after it."""
    if not re.fullmatch(r"(0|[1-9][0-9]{0,13})(\.[0-9]{1,18})?", text, re.ASCII):
        return None
    whole, _, rest = text.partition(".")
    return int(whole + rest.ljust(18, "0"))


def told(amount: int) -> str:
    """As answers tell it: at least one decimal, no spare zeros."""
    digits = f"{abs(amount):019d}"
    return f"{'-' if amount < 0 else ''}{digits[:-18]}.{digits[-18:].rstrip('0') or '0'}"


Content = tuple[Any, ...]


class Asked(NamedTuple):
    """One request, whatever door it comes through. What a request does not have is None."""

    verb: str
    profile: Mapping[str, Any]
    provider: str
    user: str
    uuid: str = ""
    name: str = ""
    currency: str | None = None
    amount: int | None = None
    transaction: str | None = None
    reference: Any = None
    round: str | None = None
    game: str | None = None
    game_closed: bool = False
    session: str | None = None
    free: bool = False
    """A result with a bonus code."""
    closes: bool = False
    """A result that ends its round."""
    promo: tuple[str, int] | None = None
    """Reference and amount of the promotional win that a result brings."""
    unread: bool = False
    """Whether a field that steers money cannot be read (R56): an amount to refund, half of a win."""


class Said(NamedTuple):
    """A verdict, and what an answer tells with it."""

    word: str
    id: int = 0
    currency: str = ""
    balance: int = 0
    moved: int = 0
    again: bool = False


@dataclass
class Player:
    name: str
    frozen: bool = False
    wallets: dict[str, int] = field(default_factory=dict)
    newest: Said | None = None
    """The newest charge or withdrawal."""


@dataclass
class Bet:
    """What stands under a bet's key: a bet, taken or refused, or the tombstone of one that never came."""

    user: str
    said: Said
    content: Content = ()
    stake: int = 0
    round: Round | None = None
    """Of a bet that was taken."""
    settled: bool = False
    refund: Said | None = None
    """The verdict on its rollback."""
    undone_by: Content = ()
    """The verb and the round of that rollback; of a tombstone, those of the request that left it."""

    @property
    def stands(self) -> bool:
        return self.refund is None or self.refund.word != "ok"


@dataclass
class Round:
    user: str
    state: str = "open"
    currency: str = ""
    game: str = ""
    bets: list[Bet] = field(default_factory=list)
    staked: int = 0
    won: int = 0
    jackpot: int = 0
    jackpot_id: str = "none"
    shown: tuple[int, int, int] | None = None
    """Stakes, wins and jackpots that its rows of the slot log add up to (R57); None: it has no row yet."""


class Naive:
    """All players, bets and rounds of one partner."""

    def __init__(self) -> None:
        self.players: dict[str, Player] = {}
        self.bets: dict[tuple[str, Any], Bet] = {}
        self.rounds: dict[tuple[str, str, str], Round] = {}
        """R40: by provider, player and id."""
        self.log: list[tuple[str, list[str]]] = []
        """R57: whose row of the slot log it is, and what it shows behind its index."""
        self.sessions: set[tuple[str, str, str]] = set()
        """Those that expired: each is a player's own (R4)."""
        self._first: dict[Content, tuple[Content, Said]] = {}
        """R1: key -> what was asked under it first (R5), and what was said."""
        self._ids = 0

    def ask(self, a: Asked) -> Said:
        """Decide one request after all those before."""
        if a.verb == "create":
            return self._create(a)
        if a.user not in self.players:
            return Said("player_unknown")  # R8
        said: Said = getattr(self, f"_{a.verb}")(a)
        return said

    # What most of them need

    def _before(self, key: Content, content: Content) -> Said | None:
        """R1, R2, R5: the first verdict under a key, if there is one."""
        if key not in self._first:
            return None
        first, said = self._first[key]
        return said._replace(again=True) if first == content else Said("key_conflict")

    def _say(self, a: Asked, word: str, currency: str, moves: int = 0) -> Said:
        """A verdict that is kept; money moves only with `ok`."""
        self._ids += 1
        return self._move(a.user, Said(word, self._ids), currency, moves if word == "ok" else 0)

    def _move(self, user: str, said: Said, currency: str, moves: int) -> Said:
        wallets = self.players[user].wallets
        if moves:
            wallets[currency] += moves
        return said._replace(currency=currency, balance=wallets.get(currency, 0), moved=moves)

    def _keep(self, said: Said, content: Content, *keys: Content) -> Said:
        for key in keys:
            self._first[key] = (content, said)
        return said

    # The transfer door

    def _create(self, a: Asked) -> Said:
        key, content = ("transfer", same_uuid(a.uuid)), ("create", a.user, a.name)
        if said := self._before(key, content):
            return said
        word = "duplicate_player" if a.user in self.players else "ok"
        self.players.setdefault(a.user, Player(a.name))
        return self._keep(self._say(a, word, ""), content, key)

    def _open(self, a: Asked) -> Said:
        key, content = ("transfer", same_uuid(a.uuid)), ("open", a.user, a.currency)
        if said := self._before(key, content):
            return said
        wallets, currency = self.players[a.user].wallets, str(a.currency)
        word = "duplicate_wallet" if currency in wallets else "ok"
        if word == "ok" and currency not in CURRENCIES:
            word = "currency_unsupported"  # R1
        if word == "ok":
            wallets[currency] = 0
        return self._keep(self._say(a, word, currency), content, key)

    def _charge(self, a: Asked) -> Said:
        held = self.players[a.user].wallets.get(str(a.currency))
        word = "wallet_unknown" if held is None else "ok"
        if held is not None and held + int(a.amount or 0) >= LIMIT:
            word = "balance_limit"  # R13
        if a.currency not in CURRENCIES:
            word = "currency_unsupported"  # R1
        return self._transfer(a, word, int(a.amount or 0))

    def _withdraw(self, a: Asked) -> Said:
        player = self.players[a.user]
        held = player.wallets.get(str(a.currency))
        if held is None:
            word = "wallet_unknown"
        elif player.frozen:
            word = "player_frozen"  # R15
        else:
            word = "ok" if held >= int(a.amount or 0) else "insufficient"  # R10, R11
        return self._transfer(a, word, -int(a.amount or 0))

    def _transfer(self, a: Asked, word: str, moves: int) -> Said:
        """R3: by the uuid, and by the partner's own id where it has one."""
        key, content = ("transfer", same_uuid(a.uuid)), (a.verb, a.user, a.currency, a.amount, a.transaction)
        if said := self._before(key, content):
            return said
        keys = [key]
        if a.transaction:
            keys.append(("transaction", a.transaction))
            if said := self._before(keys[1], content):
                return said._replace(word="already_transferred") if said.word == "ok" else said
        said = self._say(a, word, str(a.currency), moves)
        self.players[a.user].newest = said
        return self._keep(said, content, *keys)

    def _status(self, a: Asked) -> Said:
        if a.transaction is None:
            return self.players[a.user].newest or Said("transfer_unknown")
        content, said = self._first.get(("transaction", a.transaction), ((), Said("transfer_unknown")))
        return said if content and content[1] == a.user else Said("transfer_unknown")

    def _info(self, a: Asked) -> Said:
        return Said("ok")

    def _balance(self, a: Asked) -> Said:
        wallets, currency = self.players[a.user].wallets, str(a.currency)
        if currency not in wallets:
            return Said("wallet_unknown")
        return Said("ok", currency=currency, balance=wallets[currency])

    def _check(self, a: Asked) -> Said:
        return Said("session_expired") if self._is_over(a) else self._balance(a)

    def _freeze(self, a: Asked) -> Said:
        self.players[a.user].frozen = True
        return Said("ok")

    def _release(self, a: Asked) -> Said:
        self.players[a.user].frozen = False
        return Said("ok")

    # Bets, results, awards

    def _bet(self, a: Asked) -> Said:
        content = (a.user, a.currency, a.amount, a.round)
        known = self.bets.get((a.provider, a.reference))
        if known and known.said.word in ("tombstone", "unknown_bet"):
            return self._late_bet(a, known, content)
        if known:
            return known.said._replace(again=True) if known.content == content else Said("key_conflict")
        word = self._bet_word(a)
        said = self._say(a, word, str(a.currency), -int(a.amount or 0))
        bet = self.bets[a.provider, a.reference] = Bet(a.user, said, content)
        if word == "ok":
            self._join(a, bet)
        return said

    def _join(self, a: Asked, bet: Bet) -> None:
        """R40."""
        bet.round, bet.stake = self._played(a), int(a.amount or 0)
        bet.round.bets.append(bet)
        bet.round.staked += bet.stake

    def _late_bet(self, a: Asked, tombstone: Bet, content: Content) -> Said:
        """R23."""
        key = ("late", a.provider, a.reference)
        if tombstone.user != a.user:
            return Said("key_conflict")
        if said := self._before(key, content):
            return said
        return self._keep(self._say(a, _too_late(a), str(a.currency)), content, key)

    def _bet_word(self, a: Asked) -> str:
        round_, player = self.rounds.get((a.provider, a.user, str(a.round))), self.players[a.user]
        if round_ and round_.state == "refunded":
            return _too_late(a)  # R32
        if a.currency not in CURRENCIES:
            return "currency_unsupported"  # R1
        if round_ and round_.currency not in ("", a.currency):
            return "round_currency"  # R40
        if round_ and round_.state == "ended":
            return "round_ended"  # R47
        if self._is_over(a):
            return "session_expired"
        if a.currency not in player.wallets:
            return "wallet_unknown"
        if player.frozen:
            return "player_frozen"  # R15
        if a.game_closed:
            return "game_disabled"  # R30
        if round_ and len(round_.bets) >= 1_000:
            return "round_full"  # R40
        return "ok" if player.wallets[a.currency] >= int(a.amount or 0) else "insufficient"  # R46

    def _is_over(self, a: Asked) -> bool:
        """R47: a session of that name which expired, and was this player's."""
        return (a.provider, a.user, str(a.session)) in self.sessions

    def _played(self, a: Asked) -> Round:
        """The round of a bet or a result that counts."""
        round_ = self.rounds.setdefault((a.provider, a.user, str(a.round)), Round(a.user))
        if not round_.currency:
            round_.currency, round_.game = str(a.currency), str(a.game)
        return round_

    def _show(self, round_: Round, award: bool = False) -> None:
        """R57: a row with what the rows before did not tell; none where that is nothing.

        An award shows itself alone, the stakes of open bets come with what settles them.
        """
        before = round_.shown or (0, 0, 0)
        staked = 0 if award else round_.staked - before[0]
        won, jackpot = round_.won - before[1], round_.jackpot - before[2]
        if round_.shown and not (staked or won or jackpot):
            return
        jackpot_id = round_.jackpot_id if jackpot or not round_.shown else "none"
        amounts = told(staked), told(won), jackpot_id, told(jackpot)
        self.log.append((round_.user, [round_.game, round_.currency, *amounts]))
        round_.shown = before[0] + staked, round_.won, round_.jackpot

    def _give_back(self, bet: Bet, round_: Round, said: Said, amount: int, by: Content) -> None:
        """R57: a round wholly rolled back is shown, and so is a stake that an earlier row showed."""
        bet.refund, bet.undone_by = said, by
        round_.staked -= amount
        if not any(bet.stands for bet in round_.bets) or (round_.shown and round_.staked < round_.shown[0]):
            self._show(round_)

    def _result(self, a: Asked) -> Said:
        if a.unread:
            return Said("field_unreadable")  # R56
        key, content = ("result", a.provider, a.reference), (a.user, a.amount, a.round, a.promo)
        if said := self._before(key, content):
            return said
        paid = self._promo_before(a)
        if paid and paid.word == "key_conflict":
            return paid
        round_ = self.rounds.get((a.provider, a.user, str(a.round)))
        if not a.free and not (round_ and any(bet.stands for bet in round_.bets)):  # R41
            return self._keep(self._say(a, "no_standing_bet", str(a.currency)), content, key)
        currency = self._purse(a, round_)
        if not currency:
            return Said("wallet_unclear")  # R8
        a = a._replace(currency=currency)
        said = self._say(a, "ok", currency)
        if a.promo and not paid:
            said = self._ride_along(a, said)
        return self._keep(self._win(a, said), content, key)

    def _promo_before(self, a: Asked) -> Said | None:
        """R48: the name space of promotional awards."""
        if a.promo is None:
            return None
        reference, amount = a.promo
        return self._before(("promo", a.provider, reference), (a.user, amount, a.currency))

    def _ride_along(self, a: Asked, said: Said) -> Said:
        reference, amount = a.promo or ("", 0)
        said = self._move(a.user, said, str(a.currency), amount)
        key, content = ("promo", a.provider, reference), (a.user, amount, a.currency)
        return self._keep(said, content, key)

    def _win(self, a: Asked, said: Said) -> Said:
        """R42: zero settles, too. R43: it may end the round."""
        round_ = self._played(a)
        said = self._move(a.user, said, str(a.currency), int(a.amount or 0))
        round_.won += said.moved
        _settle(round_)
        self._show(round_)
        end = ("end", a.provider, a.user, a.round)
        if a.closes and end not in self._first:
            _end(round_)
            self._keep(said._replace(moved=0), (a.user,), end)
        return said

    def _end(self, a: Asked) -> Said:
        key, content = ("end", a.provider, a.user, a.round), (a.user,)
        round_ = self.rounds.get((a.provider, a.user, str(a.round)))
        if said := self._before(key, content):
            return said
        currency = self._purse(a, round_) or min(self.players[a.user].wallets, default="")
        round_ = self.rounds.setdefault((a.provider, a.user, str(a.round)), Round(a.user))
        _settle(round_)
        _end(round_)
        if round_.currency:
            self._show(round_)
        return self._keep(self._say(a, "ok", currency), content, key)

    def _purse(self, a: Asked, round_: Round | None) -> str:
        """R8, R41: the round's wallet, from which a named one may not differ, else the named or only one."""
        wallets, rounds = self.players[a.user].wallets, round_.currency if round_ else ""
        if rounds and a.currency and rounds != a.currency:
            return ""
        wanted = rounds or a.currency
        if wanted:
            return wanted if wanted in wallets else ""
        return next(iter(wallets)) if len(wallets) == 1 else ""

    def _bonus(self, a: Asked) -> Said:
        return self._award(a)

    def _jackpot(self, a: Asked) -> Said:
        return self._award(a)

    def _promo(self, a: Asked) -> Said:
        return self._award(a)

    def _award(self, a: Asked) -> Said:
        """R44."""
        key, content = (a.verb, a.provider, a.reference), (a.user, a.amount, a.currency)
        if said := self._before(key, content):
            return said
        round_ = self.rounds.get((a.provider, a.user, a.round)) if a.round else None
        currency = self._purse(a, round_)
        if not currency:
            return Said("wallet_unclear")  # R8
        said = self._say(a, "ok", currency, int(a.amount or 0))
        if round_ and a.verb == "bonus":
            round_.won += said.moved
        elif round_ and said.word == "ok":
            round_.jackpot += said.moved
            round_.jackpot_id = a.name
        if round_ and round_.shown:
            self._show(round_, award=True)
        return self._keep(said, content, key)

    def _expire(self, a: Asked) -> Said:
        key, content = ("session", a.provider, a.user, a.session), (a.user,)
        if said := self._before(key, content):
            return said
        self.sessions.add((a.provider, a.user, str(a.session)))
        return self._keep(self._say(a, "ok", ""), content, key)

    # Rollbacks

    def _cancel(self, a: Asked) -> Said:
        return self._rollback(a)

    def _refund(self, a: Asked) -> Said:
        """R32: by the round where the profile says so and nothing else is meant."""
        whole = a.amount is None and not a.unread
        by_round = a.profile["refund_by_round"] and a.round is not None and (whole or a.reference is None)
        return self._refund_round(a) if by_round else self._rollback(a)

    def _rollback(self, a: Asked) -> Said:
        bet = self.bets.get((a.provider, a.reference))
        if bet is None:
            return self._rollback_of_nothing(a)
        if bet.said.word in ("tombstone", "unknown_bet"):  # R24
            return bet.said._replace(again=True) if bet.user == a.user else Said("key_conflict")
        if bet.user != a.user:
            return Said("foreign_bet")  # R28
        if bet.refund:
            return bet.refund._replace(again=True)  # R21
        if a.unread:
            return Said("field_unreadable")  # R56
        if bet.round is None:  # R27
            bet.refund, bet.undone_by = self._say(a, _unknown(a), a.currency or ""), (a.verb, a.round)
            return bet.refund
        return self._undo(a, bet, bet.round)

    def _rollback_of_nothing(self, a: Asked) -> Said:
        content, said = self._first.get(("round", a.provider, a.user, a.round), ((), None))
        if said and a.verb == "refund" and content[1:] == (a.reference,):
            return said._replace(again=True)  # R1: it was a refund of the round by its profile then
        if a.unread:
            return Said("field_unreadable")  # R56
        said = self._say(a, _unknown(a), a.currency or "")  # R22
        self.bets[a.provider, a.reference] = Bet(a.user, said, undone_by=(a.verb, a.round))
        return said

    def _undo(self, a: Asked, bet: Bet, round_: Round) -> Said:
        amount = bet.stake if a.amount is None else a.amount
        part = 0 < amount < bet.stake and a.profile["refund_amount"] == "at_most"
        if amount != bet.stake and not part:
            return Said("refund_amount")  # R25
        by = (a.verb, bet.content[-1])
        if bet.settled and a.profile["settled_bet"] == "refuse":
            bet.refund, bet.undone_by = self._say(a, "bet_settled", round_.currency), by  # R26
            return bet.refund
        said = self._say(a, "ok", round_.currency, amount)  # R20
        self._give_back(bet, round_, said, amount, by)
        return said

    def _refund_round(self, a: Asked) -> Said:
        """R32: the reference is recorded with the verdict, and is no content."""
        key, content = ("round", a.provider, a.user, a.round), (a.user, a.reference)
        round_ = self.rounds.get((a.provider, a.user, str(a.round)))
        if key in self._first:
            return self._first[key][1]._replace(again=True)
        bet = self.bets.get((a.provider, a.reference))
        if bet and bet.user == a.user and bet.undone_by == (a.verb, a.round):
            return (bet.refund or bet.said)._replace(again=True)  # R1: it was a refund of the bet then
        if round_ is None:
            self.rounds[a.provider, a.user, str(a.round)] = Round(a.user, "refunded")
            return self._keep(self._say(a, _unknown(a), ""), content, key)
        bets = [bet for bet in round_.bets if bet.refund is None and not bet.settled]
        nothing_left = not bets and any(bet.stands for bet in round_.bets)
        round_.state = "refunded"
        if round_.won or round_.jackpot:
            return self._keep(self._say(a, "round_won", round_.currency), content, key)
        said = self._say(a, "bet_settled" if nothing_left else "ok", round_.currency)
        for bet in bets:
            said = self._move(a.user, said, round_.currency, bet.stake)
            self._give_back(bet, round_, said, bet.stake, (a.verb, a.round))
        return self._keep(said, content, key)


def same_uuid(text: str) -> str:
    """R3: a canonical uuid counts in any letter case, any other text as it is."""
    return text.lower() if re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) else text


def _too_late(a: Asked) -> str:
    return "absorbed" if a.profile["late_bet"] == "absorb" else "late_bet"


def _unknown(a: Asked) -> str:
    return "tombstone" if a.profile["unknown_bet"] == "success" else "unknown_bet"


def _settle(round_: Round) -> None:
    """R26: the bets so far."""
    for bet in round_.bets:
        bet.settled = True


def _end(round_: Round) -> None:
    if round_.state == "open":
        round_.state = "ended"
