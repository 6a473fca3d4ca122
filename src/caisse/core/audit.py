"""The audit: one small class for each invariant, over a player's journal rows in order (R52).

Shares no code with what decides or folds: balances, rounds and hashes are recomputed here in their own way
and compared with what is stored. A check sees one row after another and keeps only what it needs, so the
longest journal fits. Each finding names its invariant.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol

import msgspec

from caisse.core.book import Player, Round
from caisse.core.entries import MOVES, NO_HEAD, Entry, Kind, accounts, row_hash
from caisse.core.money import show
from caisse.core.verdicts import UNKEPT, Verdict


class Account(msgspec.Struct, frozen=True):
    """What is stored of one player besides journal rows: the head, if there is one, and the rounds."""

    partner: str
    id: str
    player: Player | None
    rounds: list[Round]


class Finding(msgspec.Struct, frozen=True):
    """Something that should not be: which invariant, whose books, and what was seen."""

    check: str
    partner: str
    player: str
    text: str


class Check(Protocol):
    """One invariant over one player's rows."""

    def see(self, row: Entry) -> Iterator[str]:
        """Look at the next row; yields what is wrong."""
        ...

    def end(self, account: Account) -> Iterator[str]:
        """Compare with what is stored; yields what is wrong."""
        ...


class CheckSequence:
    """Rows are numbered from 1 without gaps, and the head stands at the last (R51)."""

    def __init__(self) -> None:
        self.seq = 0

    def see(self, row: Entry) -> Iterator[str]:
        """Each row's number is one more than that of the row before."""
        if row.seq != self.seq + 1:
            yield f"row {row.seq} follows row {self.seq}"
        self.seq = row.seq

    def end(self, account: Account) -> Iterator[str]:
        """The head's number is the last row's."""
        if account.player is None:
            yield f"{self.seq} rows but no player"
        elif account.player.seq != self.seq:
            yield f"the player stands at row {account.player.seq}, the journal at {self.seq}"


class CheckChain:
    """Each row's hash is that over itself and the row before; the head holds the last (R51)."""

    def __init__(self) -> None:
        self.head = NO_HEAD

    def see(self, row: Entry) -> Iterator[str]:
        """Recompute the hash."""
        if row_hash(self.head, row) != row.hash:
            yield f"row {row.seq} ({row.id}) does not match its hash: it, or the row before it, was changed"
        self.head = row.hash

    def end(self, account: Account) -> Iterator[str]:
        """The head's hash is the last row's."""
        if account.player and account.player.head != self.head:
            yield "the player's head hash is not that of the last row"


class CheckBalances:
    """The balance after each row is the sum so far, never negative; wallets hold the last (R10, R52)."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = defaultdict(int)
        self.opened: set[str] = set()

    def see(self, row: Entry) -> Iterator[str]:
        """Add up, and compare with what the row says."""
        if row.kind is Kind.OPEN_WALLET and row.verdict is Verdict.OK:
            self.opened.add(row.currency)
        self.sums[row.currency] += row.amount
        balance = self.sums[row.currency]
        if row.amount and row.currency not in self.opened:
            yield f"row {row.seq} moves {row.currency or 'no currency'}, of which no wallet was opened"
        if balance != row.balance:
            yield f"row {row.seq} says {show(row.balance)} {row.currency}, the rows add up to {show(balance)}"
        if balance < 0:
            yield f"row {row.seq} takes {row.currency} below zero, to {show(balance)}"

    def end(self, account: Account) -> Iterator[str]:
        """Every opened wallet holds the sum, and no other wallet exists."""
        wallets = account.player.wallets if account.player else {}
        for currency in sorted(self.opened | wallets.keys()):
            stored = wallets.get(currency)
            if currency not in self.opened:
                yield f"there is a wallet in {currency} that was never opened"
            elif stored != self.sums[currency]:
                text = "nothing" if stored is None else show(stored)
                yield f"the {currency} wallet holds {text}, the journal says {show(self.sums[currency])}"


class CheckMoves:
    """Only the listed kinds move money, each in its direction; refusals move none (R50, R8)."""

    def see(self, row: Entry) -> Iterator[str]:
        """Compare the amount's sign with the kind's."""
        move = MOVES.get(row.kind)
        if row.verdict in UNKEPT:
            yield f"row {row.seq} keeps the verdict {row.verdict}, which leaves nothing behind"
        if row.verdict is not Verdict.OK and row.amount:
            yield f"row {row.seq} was refused ({row.verdict}) but moves {show(row.amount)}"
        if row.amount and (move is None or (row.amount > 0) != (move.sign > 0)):
            yield f"row {row.seq} moves {show(row.amount)}: not a legal move for {row.kind}"
        if move and row.verdict is Verdict.OK and abs(row.amount) != row.asked:
            yield f"row {row.seq} moves {show(row.amount)} where {show(row.asked)} was asked"

    def end(self, account: Account) -> Iterator[str]:
        """Nothing is stored to compare with."""
        yield from ()


class CheckRollbacks:
    """At most one rollback for each bet, of an accepted bet, of no more than its stake (R20, R21, R25)."""

    def __init__(self) -> None:
        self.stakes: dict[tuple[str, str], int] = {}
        self.undone: set[tuple[str, str]] = set()

    def see(self, row: Entry) -> Iterator[str]:
        """Remember bets; hold each rollback against its bet."""
        if row.verdict is not Verdict.OK:
            return
        bet = (row.provider, row.reference)
        if row.kind is Kind.BET:
            self.stakes[bet] = -row.amount
        elif row.kind is Kind.ROLLBACK:
            yield from self._rollback(row, bet)

    def _rollback(self, row: Entry, bet: tuple[str, str]) -> Iterator[str]:
        stake = self.stakes.get(bet)
        if stake is None:
            yield f"row {row.seq} rolls back {row.reference}, which is no accepted bet before it"
        elif row.amount > stake:
            yield f"row {row.seq} gives back {show(row.amount)} of a stake of {show(stake)}"
        if bet in self.undone:
            yield f"row {row.seq} rolls back {row.reference} a second time"
        self.undone.add(bet)

    def end(self, account: Account) -> Iterator[str]:
        """Nothing is stored to compare with."""
        yield from ()


class _Tally(msgspec.Struct):
    """A round, recomputed."""

    currency: str = ""
    state: str = "open"
    standing: int = 0
    settled_seq: int = 0
    staked: int = 0
    won: int = 0
    jackpot: int = 0


class CheckRounds:
    """Every round's stored head is what its rows make of it (R40-R43, R52)."""

    def __init__(self) -> None:
        self.rounds: dict[tuple[str, str], _Tally] = {}

    def see(self, row: Entry) -> Iterator[str]:
        """Count the row into its round."""
        if row.round and (row.verdict is Verdict.OK or row.kind is Kind.ROUND_ROLLBACK):
            key = (row.provider, row.round)
            awards = (Kind.BONUS, Kind.JACKPOT, Kind.PROMO)
            tally = self.rounds.get(key) if row.kind in awards else self.rounds.setdefault(key, _Tally())
            if tally:
                _count(tally, row)
        yield from ()

    def end(self, account: Account) -> Iterator[str]:
        """Compare with the stored rounds, both ways."""
        stored = {(r.provider, r.id): r for r in account.rounds}
        for key in sorted(self.rounds.keys() | stored.keys()):
            tally, kept = self.rounds.get(key), stored.get(key)
            if tally is None or kept is None:
                yield f"round {key[1]} of {key[0]} is {'stored' if kept else 'in the journal'} only"
                continue
            for name in _Tally.__struct_fields__:
                is_, should = getattr(kept, name), getattr(tally, name)
                if is_ != should:
                    yield f"round {key[1]} of {key[0]}: {name} is {is_}, not {should}"


def _count(tally: _Tally, row: Entry) -> None:
    if row.kind in (Kind.BET, Kind.RESULT):
        tally.currency = tally.currency or row.currency
    if row.kind in (Kind.BET, Kind.ROLLBACK):
        tally.standing += 1 if row.kind is Kind.BET else -1
        tally.staked -= row.amount
    elif row.kind in (Kind.RESULT, Kind.END_ROUND):
        tally.settled_seq = row.seq
    if row.kind in (Kind.RESULT, Kind.BONUS):
        tally.won += row.amount
    elif row.kind is Kind.JACKPOT:
        tally.jackpot += row.amount
    elif row.kind is Kind.ROUND_ROLLBACK:
        tally.state = "refunded"
    elif row.kind is Kind.END_ROUND and tally.state == "open":
        tally.state = "ended"


CHECKS: dict[str, type[Check]] = {
    "sequence": CheckSequence,
    "chain": CheckChain,
    "balances": CheckBalances,
    "moves": CheckMoves,
    "rollbacks": CheckRollbacks,
    "rounds": CheckRounds,
}
"""The invariants that are checked player by player. Double entry is checked over all of them (`Totals`)."""


class PlayerAudit:
    """All checks over one player."""

    def __init__(self, partner: str, player: str) -> None:
        self._who = (partner, player)
        self._checks = {name: check() for name, check in CHECKS.items()}

    def see(self, row: Entry) -> Iterator[Finding]:
        """The findings of one row."""
        for name, check in self._checks.items():
            for text in check.see(row):
                yield Finding(name, *self._who, text)

    def end(self, account: Account) -> Iterator[Finding]:
        """The findings that show only at the end."""
        for name, check in self._checks.items():
            for text in check.end(account):
                yield Finding(name, *self._who, text)


class Totals:
    """Double entry over everything: for each partner and currency all accounts sum to zero (R50, R54).

    House accounts are summed from the journal, players' from the wallets as stored.
    """

    def __init__(self) -> None:
        self.houses: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.players: dict[tuple[str, str], int] = defaultdict(int)

    def see(self, row: Entry) -> None:
        """Book the row on its house account."""
        if row.amount and row.kind in MOVES:
            giver, taker = accounts(row)
            house = giver if row.amount > 0 else taker
            self.houses[row.partner, row.currency][house] -= row.amount

    def hold(self, player: Player) -> None:
        """Add a player's wallets as stored."""
        for currency, balance in player.wallets.items():
            self.players[player.partner, currency] += balance

    def end(self) -> Iterator[Finding]:
        """A finding for each partner and currency that does not sum to zero."""
        for partner, currency in sorted(self.houses.keys() | self.players.keys()):
            houses = sum(self.houses[partner, currency].values())
            total = houses + self.players[partner, currency]
            if total:
                yield Finding(
                    "double entry", partner, "", f"{currency} accounts sum to {show(total)}, not 0.0"
                )
