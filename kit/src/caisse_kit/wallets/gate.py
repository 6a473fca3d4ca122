"""How a wallet without a lock loses a race for certain: it waits, between looking and booking, for the next
caller.
"""

from __future__ import annotations

import threading

LONGEST_WAIT_SECONDS = 0.3


class Gate:
    """Where callers meet."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._count = 0

    def pass_by(self) -> None:
        """Let those who wait go on."""
        with self._arrived:
            self._count += 1
            self._arrived.notify_all()

    def wait_for_the_next(self) -> None:
        """Until another caller has come, or nobody came in time."""
        with self._arrived:
            self._count += 1
            mine = self._count
            self._arrived.notify_all()
            self._arrived.wait_for(lambda: self._count > mine, LONGEST_WAIT_SECONDS)
