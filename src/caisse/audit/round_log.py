"""The audit's own reading of the slot log: what rows a player's journal makes (R57, R52).

Shares no code with what folds rounds for the server. One player at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from caisse.core.money import show


class Moved(NamedTuple):
    """A journal row of a round, as read."""

    seq: int
    kind: str
    verdict: str
    provider: str
    round: str
    game: str
    currency: str
    amount: int
    name: str


Content = tuple[int, str, str, str, str, int, int, str, int]
"""A row of the log: journal row, provider, round, game, currency, staked, won, jackpot's id, jackpot."""


class Logged(NamedTuple):
    """A row of the log, or with no number one of the queue."""

    number: int | None
    content: Content


class Claimed(NamedTuple):
    """What a round's head says that the log has of it."""

    provider: str
    round: str
    logged: bool
    staked: int
    won: int
    jackpot: int


class _Round:
    """A round on its way through the journal."""

    def __init__(self) -> None:
        self.game = self.currency = self.jackpot_id = ""
        self.bets = 0
        self.known = False
        self.total = [0, 0, 0]
        self.shown = [0, 0, 0]
        self.in_log = False

    def see(self, row: Moved) -> bool:
        """Add a row up; whether something that is over may be shown now."""
        if row.kind in ("bet", "result", "rollback"):
            self.known = True
            self.currency = self.currency or row.currency
            self.game = self.game or row.game
        if row.kind == "bet":
            self.bets += 1
            self.total[0] -= row.amount
        elif row.kind == "rollback":
            self.bets -= 1
            self.total[0] -= row.amount
            return self.bets == 0 or self.total[0] < self.shown[0]
        elif row.kind in ("result", "bonus"):
            self.total[1] += row.amount
            return row.kind == "result" or self.in_log
        elif row.kind == "jackpot":
            self.total[2] += row.amount
            self.jackpot_id = row.name
            return self.in_log
        return row.kind == "end_round" and self.known

    def show(self, row: Moved) -> Content | None:
        """The row of the log that this journal row makes, if any."""
        new = [total - shown for total, shown in zip(self.total, self.shown, strict=True)]
        if row.kind in ("bonus", "jackpot"):
            new[0] = 0
        if self.in_log and not any(new):
            return None
        jackpot = self.jackpot_id if new[2] or not self.in_log else ""
        self.shown = [shown + more for shown, more in zip(self.shown, new, strict=True)]
        self.in_log = True
        where = (row.seq, row.provider, row.round, self.game, self.currency)
        return (*where, new[0], new[1], jackpot, new[2])


def expected(moves: Iterable[Moved], rounds: dict[tuple[str, str], _Round]) -> Iterator[Content]:
    """The rows of the log that a player's journal makes, in order; fills `rounds`."""
    for row in moves:
        if row.verdict != "ok" and row.kind != "round_rollback":
            continue
        key = (row.provider, row.round)
        if row.kind in ("bonus", "jackpot", "promo") and key not in rounds:
            continue
        if rounds[key].see(row) and (content := rounds[key].show(row)):
            yield content


def check_player(
    moves: Iterable[Moved], logged: Sequence[Logged], waiting: Sequence[Logged], claimed: Iterable[Claimed]
) -> list[str]:
    """What is wrong with a player's rows: `logged` by their numbers, `waiting` by their journal rows."""
    rounds: dict[tuple[str, str], _Round] = defaultdict(_Round)
    due = list(expected(moves, rounds))
    found = [
        f"the log's row {place} of the player has the number {row.number}"
        for place, row in enumerate(logged)
        if row.number != place
    ][:1]
    stored = [row.content for row in (*logged, *waiting)]
    if stored != due:
        found += _differences(stored, due)
    for c in claimed:
        ours = rounds[c.provider, c.round]
        if (c.logged, c.staked, c.won, c.jackpot) != (ours.in_log, *ours.shown):
            told = f"{show(c.staked)}, {show(c.won)}, {show(c.jackpot)}"
            made = ", ".join(map(show, ours.shown))
            found.append(f"round {c.round} of {c.provider}: the log has {told} says its head, not {made}")
    return found


def _differences(stored: Sequence[Content], due: Sequence[Content]) -> Iterator[str]:
    wanted, there = set(due), set(stored)
    for row in sorted(wanted - there):
        yield f"journal row {row[0]} should be in the log or its queue as {_words(row)}"
    for row in sorted(there - wanted):
        yield f"the log or its queue has {_words(row)}, which journal row {row[0]} does not make"
    if wanted == there:
        more = "a row twice" if len(stored) > len(there) else "its rows in another order than the journal"
        yield f"the log has {more}"


def _words(row: Content) -> str:
    _, provider, round_, _, currency, staked, won, _, jackpot = row
    return f"round {round_} of {provider}: {show(staked)}, {show(won)}, {show(jackpot)} {currency}"


def check_log(rows: int, first: int, last: int, following: int | None) -> Iterator[str]:
    """What is wrong with the numbers of a partner's log, which are unique by its key."""
    if first != 0 or last != rows - 1:
        yield f"{rows} rows are numbered from {first} to {last}"
    if following != last + 1:
        yield f"the last row is number {last}, the head says that {following} is next"
