"""What the kernel keeps for a server's connections: no process has a byte of it, and no figure shows it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Kept(NamedTuple):
    """At one moment."""

    memory: int
    """Bytes for all TCP sockets of this network, with what the kernel needs to keep them."""
    longest: int
    """Bytes of answers that the client of one connection has not taken: the most of all connections."""
    untaken: int
    """Of all connections together."""


def kept(port: int) -> Kept:
    """For all sockets, and for those of the server that listens there."""
    queues = [0, *_untaken(port)]
    return Kept(_memory(), max(queues), sum(queues))


def _memory() -> int:
    """From `/proc/net/sockstat`: `TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 3`, the last in pages."""
    lines = Path("/proc/net/sockstat").read_text().splitlines()
    words = next(line for line in lines if line.startswith("TCP:")).split()
    return int(words[words.index("mem") + 1]) * _PAGE


def _untaken(port: int) -> list[int]:
    """From `/proc/net/tcp`: number, local address, remote address, state, queues to send and to read."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[1].rpartition(":")[2], 16) == port and words[3] != _LISTENING:
            found.append(int(words[4].partition(":")[0], 16))
    return found


_LISTENING: Final = "0A"
