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

    def queued(self) -> int: ...
    def abort(self) -> None: ...


class Unsent:
    """`total` is never less than what is really unsent; `cut` counts connections that were ended for it.

    Who owes most is cut off first. So a client with less than its share, three quarters of the limit divided
    by all connections, never is: the answer to a refund has a tenth of that.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        self.cut = 0
        self._owing: set[Debtor] = set()

    def __len__(self) -> int:
        return len(self._owing)

    def add(self, debtor: Debtor, size: int) -> None:
        """So many bytes were written. Beyond the limit some are cut off, maybe this one among them."""
        self._owing.add(debtor)
        self.total += size
        if self.total > self.limit:
            self._settle()

    def forget(self, debtor: Debtor) -> None:
        """It is gone, and what was unsent with it."""
        self._owing.discard(debtor)

    def _settle(self) -> None:
        """Ask every socket; if it is true that too much is unsent, cut off who owes most, one by one."""
        left = {debtor: size for debtor in self._owing if (size := debtor.queued())}
        self._owing = set(left)
        self.total = sum(left.values())
        before = self.cut
        for debtor in sorted(left, key=left.__getitem__, reverse=True):
            if self.total <= self.limit * STAYS:
                break
            self.total -= left[debtor]
            self.cut += 1
            debtor.abort()
        if self.cut > before:
            _log.warning("clients take no answers: %d connections were cut off", self.cut - before)
