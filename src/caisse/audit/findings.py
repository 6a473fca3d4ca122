"""Findings of the audit, and how those that may only follow from others are folded under them.

One changed row breaks its hash, then every balance after it, its round and the sum of all accounts. People
need the row: it is listed once, and its consequences are counted there.
"""

from collections import Counter
from typing import Final

import msgspec

OF_THE_ROW: Final = frozenset({"sequence", "chain", "decisions", "words", "moves", "readable"})
"""Checks that look at a row by itself or at its neighbour: what they find elsewhere follows from nothing.

All others rest on every row before: after a player's first broken row theirs may be its consequences.
"""
OF_NEIGHBOURS: Final = frozenset({"sequence", "chain", "decisions"})
"""Those that look at the row before, too: they complain once more at the row after a broken one."""

LISTED: Final = 1_000
"""Findings listed in a report; more are counted. A broken ledger must not fill the memory."""


class Finding(msgspec.Struct, frozen=True):
    """Something that should not be: which invariant, whose books, what was seen, and at which row."""

    check: str
    partner: str
    player: str
    text: str
    row: int = 0
    """The player's row number; 0 where the finding is about no single row."""


class Folded(msgspec.Struct):
    """A finding as it is reported, with what may be its consequences."""

    check: str
    partner: str
    player: str
    text: str
    row: int
    also: Counter[str]
    """Consequences: check -> how many."""

    @property
    def consequences(self) -> int:
        """How many there are."""
        return self.also.total()

    @property
    def checks(self) -> set[str]:
        """The invariants that are broken here."""
        return {self.check, *self.also}


class Findings:
    """All findings of an audit, folded. Lists at most `LISTED`; more are counted."""

    def __init__(self) -> None:
        self.listed: list[Folded] = []
        self.total = 0
        """Listed or not, without consequences."""
        self.consequences = 0
        self.broken: set[str] = set()
        """The checks that found anything."""
        self._begin()

    def _begin(self) -> None:
        self._first: Folded | None = None
        """What the books of the player who is looked at broke with first."""
        self._latest: Folded | None = None
        """The latest finding of a row that stands for itself."""
        self._broken_row = -1
        """The latest row that is broken by itself."""
        self._resting: list[Finding] = []
        """About no single row, and resting on all of them: whether a row is broken is seen at the end."""
        self._more: Counter[str] = Counter()
        """Resting ones beyond those kept."""

    def add(self, found: Finding) -> None:
        """One more finding about the player who is looked at."""
        self.broken.add(found.check)
        of_the_row = found.check in OF_THE_ROW
        if not of_the_row and not found.row:
            if len(self._resting) < LISTED:
                self._resting.append(found)
            else:
                self._more[found.check] += 1
        elif (cause := self._cause(found)) is not None:
            self._follows(cause, found)
        else:
            self._latest = self._list(found)
            self._first = self._first or self._latest
        if of_the_row:
            self._broken_row = found.row

    def finish(self) -> None:
        """The player has been looked at whole; the next one's books have nothing to do with his."""
        cause = self._first
        for found in self._resting:
            if cause is not None:
                self._follows(cause, found)
            else:
                self._list(found)
        for check, count in self._more.items():
            if cause is not None:
                self._count(cause, check, count)
            else:
                self.total += count
        self._begin()

    def add_late(self, found: Finding) -> None:
        """One that was seen when all players had been: under the first finding about that player or sum."""
        self.broken.add(found.check)
        cause = next((folded for folded in self.listed if _explains(folded, found)), None)
        if cause is not None:
            self._follows(cause, found)
        else:
            self._list(found)

    def _cause(self, found: Finding) -> Folded | None:
        latest = self._latest
        if latest is None:
            return None
        if found.row and found.row == latest.row:
            return latest
        if found.check in OF_NEIGHBOURS and found.row in (0, self._broken_row + 1):
            return latest  # 0: the head, which is held against the last row
        return None if found.check in OF_THE_ROW else self._first

    def _follows(self, cause: Folded, found: Finding) -> None:
        if found.row and found.row == cause.row:
            cause.text = f"{cause.text}; {found.text}"
        self._count(cause, found.check, 1)

    def _count(self, cause: Folded, check: str, count: int) -> None:
        cause.also[check] += count
        self.consequences += count

    def _list(self, found: Finding) -> Folded:
        self.total += 1
        folded = Folded(found.check, found.partner, found.player, found.text, found.row, Counter())
        if len(self.listed) < LISTED:
            self.listed.append(folded)
        return folded


def _explains(folded: Folded, found: Finding) -> bool:
    """A sum over all players follows from any whose money is wrong; what names a player, from his."""
    if found.player:
        return (folded.partner, folded.player) == (found.partner, found.player)
    return folded.partner == found.partner and bool(folded.player) and bool(folded.checks & OF_MONEY)


OF_MONEY: Final = frozenset({"balances", "moves", "readable", "sequence"})
"""Checks that break where a player's wallets are not what legal moves made of them."""
