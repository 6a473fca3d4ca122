"""Who shows wrong tokens and keys, how often, and how long their refusals are held back.

It never sees a credential, and is only told of those that were wrong: a right one is answered at once,
from whichever address, so nobody can lock a casino out by guessing beside it. A refusal that is held back is
its connection's last answer, so who guesses on needs a new connection for each guess.
"""

import logging
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Final

from caisse.dialects.wire.auth import address_of

FREE: Final = 1000
"""Wrong ones of one address within the window that are refused at once. Whoever mixed
up two tokens, or tries something out, shall see it at once; so few guesses find no secret of any length."""
WINDOW_SECONDS: Final = 60.0
"""How long they are counted. The count begins anew afterwards."""
HOLD_SECONDS: Final = 1.0
"""How long each further refusal is held back, and its connection kept."""
HELD: Final = 64
"""Refusals of one address that are held back at the same time, each on a connection of its own. Further ones
are hung up on: who guesses keeps so many connections at most."""
HANG_UP: Final = inf
"""In place of seconds: the connection is ended without an answer."""
ADDRESSES: Final = 10_000
"""Addresses that are remembered, some 200 bytes each; beyond that the one that began first is forgotten."""
PREFIX_BITS: Final = 64
"""Of an IPv6 address: a single customer has that many addresses to choose from."""

log = logging.getLogger("caisse.web")


class _Count:
    __slots__ = ("begun", "wrong")

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.wrong = 0


class LoginThrottle:
    """Counters are plain integers, read by whoever exports them."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}
        self._now_held: dict[str, int] = {}
        self.wrong = 0
        self.held = 0

    def __len__(self) -> int:
        return len(self._counts)

    def hold(self, peer: str) -> float:
        """Count a wrong one of this address; the seconds to hold its refusal back, 0 for none, or HANG_UP.

        Whoever holds one back must `release` it.
        """
        self.wrong += 1
        origin = _origin(peer)
        count = self._count(origin)
        count.wrong += 1
        if count.wrong <= FREE:
            return 0.0
        if count.wrong == FREE + 1:
            log.warning("%s showed over %d wrong tokens or keys: its refusals are slow", origin, FREE)
        self.held += 1
        held = self._now_held.get(origin, 0)
        if held >= HELD:
            return HANG_UP
        self._now_held[origin] = held + 1
        return HOLD_SECONDS

    def release(self, peer: str) -> None:
        """A refusal of this address is held back no longer."""
        origin = _origin(peer)
        left = self._now_held.pop(origin) - 1
        if left:
            self._now_held[origin] = left

    def _count(self, origin: str) -> _Count:
        now = self._clock()
        count = self._counts.get(origin)
        if count is None or now - count.begun >= WINDOW_SECONDS:
            self._counts.pop(origin, None)
            count = self._counts[origin] = _Count(now)
            if len(self._counts) > ADDRESSES:
                del self._counts[next(iter(self._counts))]
        return count


def _origin(peer: str) -> str:
    """What is counted together."""
    address = address_of(peer)
    if address is None:
        return "unknown"
    if address.version == 4:
        return str(address)
    shift = address.max_prefixlen - PREFIX_BITS
    return f"{type(address)(int(address) >> shift << shift)}/{PREFIX_BITS}"
