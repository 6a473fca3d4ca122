"""Transaction ids: UUIDv7 (RFC 9562), time-ordered, so that an index over them grows at one end."""

import os
import time
from collections.abc import Callable


def id_source(clock: Callable[[], int] = time.time_ns) -> Callable[[], str]:
    """A function that gives a new id at each call, in rising order within this process.

    48 bits of Unix milliseconds, then a 74-bit number that starts at random each millisecond and counts up.
    """
    last, tail, prefix = 0, 0, ""

    def new_id() -> str:
        nonlocal last, tail, prefix
        now = clock() // 1_000_000
        if now > last:
            last, tail = now, int.from_bytes(os.urandom(9), "big")
            prefix = f"{now >> 16:08x}-{now & 0xFFFF:04x}-7"
        else:
            tail += 1
        high, low = (tail >> 62) & 0xFFF, tail & (2**62 - 1)
        return f"{prefix}{high:03x}-{low >> 48 | 0x8000:04x}-{low & (2**48 - 1):012x}"

    return new_id
