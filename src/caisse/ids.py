"""Transaction ids: UUIDv7 (RFC 9562), time-ordered, so that an index over them grows at one end."""

import os
import time
from collections.abc import Callable


def id_source(clock: Callable[[], int] = time.time_ns) -> Callable[[], str]:
    """A function that gives a new id at each call, in rising order within this process.

    48 bits of Unix milliseconds, then a 74-bit number that starts at random each millisecond and counts up.
    """
    last, tail = 0, 0

    def new_id() -> str:
        nonlocal last, tail
        now = clock() // 1_000_000
        if now > last:
            last, tail = now, int.from_bytes(os.urandom(9), "big")
        else:
            tail += 1
        high, low = (tail >> 62) & 0xFFF, tail & (2**62 - 1)
        text = f"{last:012x}7{high:03x}{low | 2**63:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    return new_id
