"""The account of all answers that clients have not taken, in our memory and in the kernel's.

The kernel keeps what was written until the client's machine takes it, and none of that is in our own memory.
So what is written is counted, and once too much was written, every socket is asked what is really left.
"""

from __future__ import annotations

import logging
from typing import Final, Protocol

_log = logging.getLogger("caisse.web")

# What may stay when the limit was passed, as a share of it: so that the next walk over all comes only after
# a quarter of the limit was written anew.
STAYS: Final = 0.75


class Debtor(Protocol):
    """A connection that owes its client bytes."""

    fresh: int
    """Written since the account last looked."""

    def queued(self) -> int: ...
    def abort(self) -> None: ...


class Unsent:
    """`total` is never less than what is really unsent; `cut` counts connections that were ended for it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        self.cut = 0
        # Who may have something unsent; in front the one that has taken nothing for the longest time.
        self._owing: dict[Debtor, None] = {}

    def __len__(self) -> int:
        return len(self._owing)

    def add(self, debtor: Debtor, size: int) -> None:
        """So many bytes were written. Beyond the limit the slowest are cut off, maybe this one among them."""
        debtor.fresh += size
        self._owing[debtor] = None
        self.total += size
        if self.total > self.limit:
            self._settle()

    def forget(self, debtor: Debtor) -> None:
        """It is gone, and what was unsent with it."""
        self._owing.pop(debtor, None)

    def _settle(self) -> None:
        """Ask every socket; if it is true that too much is unsent, cut off who took nothing for longest."""
        left = self._measured()
        self.total = sum(left.values())
        most, before = self.limit * STAYS, self.cut
        for debtor, queued in left.items():
            if self.total <= most:
                break
            self.total -= queued
            self.cut += 1
            debtor.abort()
        if self.cut > before:
            _log.warning("clients take no answers: %d connections were cut off", self.cut - before)

    def _measured(self) -> dict[Debtor, int]:
        """Who has something unsent, and how much. Who took all that was old goes to the end of the row."""
        slow: dict[Debtor, int] = {}
        quick: dict[Debtor, int] = {}
        for debtor in self._owing:
            queued = debtor.queued()
            if queued:
                (quick if queued <= debtor.fresh else slow)[debtor] = queued
            debtor.fresh = 0
        left = slow | quick
        self._owing = dict.fromkeys(left)
        return left
