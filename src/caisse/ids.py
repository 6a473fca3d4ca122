"""Transaction ids: UUIDv7 (RFC 9562), time-ordered, so that an index over them grows at one end."""

import os
import time
from collections.abc import Callable


def id_source(clock: Callable[[], int] = time.time_ns) -> Callable[[], str]:
    """A function that gives a new id at each call, in rising order within this process.

    48 bits of Unix milliseconds, then 26 random bits that stay for the millisecond, then a 48-bit number that
    starts at random in the lower half of its range and counts up.
    """
    last, tail, prefix = 0, 0, ""

    def new_id() -> str:
        nonlocal last, tail, prefix
        now = clock() // 1_000_000
        if now > last:
            last, tail = now, int.from_bytes(os.urandom(6), "big") >> 1
            prefix = _prefix(now, int.from_bytes(os.urandom(4), "big"))
        else:
            tail += 1
        return f"{prefix}{tail:012x}"

    return new_id


def _prefix(now: int, noise: int) -> str:
    """All but the last group: the time, and version and variant each with some of the noise."""
    version, variant = 0x7000 | noise & 0xFFF, 0x8000 | noise >> 18
    return f"{now >> 16:08x}-{now & 0xFFFF:04x}-{version:04x}-{variant:04x}-"
