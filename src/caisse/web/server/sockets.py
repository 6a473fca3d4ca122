"""What a socket says beyond reading and writing: what its kernel keeps, and how to make it keep less.

Asked of a listening or an open socket only: a number of a closed one may already be another client's.
"""

from __future__ import annotations

import socket
import struct
import sys
import termios
from contextlib import suppress
from fcntl import ioctl
from typing import Final, Protocol

# What the kernel keeps of bytes that we do not read yet, and so the most that one read brings: without a
# limit some MiB for each client who sends on and on. A system doubles it, and counts its own overhead in.
RECEIVE_BYTES: Final = 32 * 1024
# What the kernel keeps of answers that the client does not take; doubled likewise. Without a limit 2.5 MiB
# and more for each client. Below the longest segment, 64 KiB on loopback, each would wait for the client's
# late acknowledgement: a page of 400 kB took 176 ms at half of this, and 1 ms at this.
SEND_BYTES: Final = 64 * 1024

_NUMBER: Final = bytes(4)
_AT_ONCE: Final = struct.pack("ii", 1, 0)
_QUICK: Final = getattr(socket, "TCP_QUICKACK", 0)
_INFO: Final = getattr(socket, "TCP_INFO", 0)
_CLOSED: Final = b"\x07"


class Socket(Protocol):
    """Of the standard library, or one of uvloop's that stands for it."""

    def fileno(self) -> int: ...
    def getsockopt(self, level: int, name: int, size: int, /) -> bytes: ...
    def setsockopt(self, level: int, name: int, value: int | bytes, /) -> None: ...


def bound_buffers(listening: Socket) -> None:
    """Limit what the kernel keeps for a client; TCP connections inherit it from the listening socket."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)


def unread(sock: Socket) -> int:
    """Bytes that have arrived and that we have not read."""
    return _asked(sock, termios.FIONREAD)


def untaken(sock: Socket) -> int:
    """Bytes, a FIN among them, that the client's machine has not acknowledged; 0 where nobody can say."""
    size = _asked(sock, termios.TIOCOUTQ)
    return 0 if size and _is_reset(sock) else size


def acknowledge(sock: Socket) -> None:
    """Acknowledge now what arrived. A client that holds back the rest until then (Nagle) waits 40 ms else."""
    if _QUICK:
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)


def throw_away(sock: Socket) -> None:
    """Let a close end the connection by a reset. Else the kernel goes on to offer what nobody takes."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)


def _is_reset(sock: Socket) -> bool:
    """Then what was untaken is gone, but the number stays."""
    try:
        return _INFO != 0 and sock.getsockopt(socket.IPPROTO_TCP, _INFO, 1) == _CLOSED
    except OSError:
        return False


def _asked(sock: Socket, question: int) -> int:
    try:
        return int.from_bytes(ioctl(sock.fileno(), question, _NUMBER), sys.byteorder)
    except OSError:
        return 0
