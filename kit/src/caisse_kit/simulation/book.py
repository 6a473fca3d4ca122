"""The provider's own book: each message before it is sent, what became of it, and what a player must have.

It is a file of lines, so a provider that crashed goes on from it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO

import msgspec

FINISHED = ("done", "refused", "undone")


class Message(msgspec.Struct):
    """One message to the wallet. `state`: new, done, refused (both final answers), or undone (a bet)."""

    id: int
    verb: str
    user: str
    reference: str
    round: str
    amount: Decimal
    body: str
    """To the byte, so that a repeat is one."""
    state: str = "new"
    code: str = ""

    @property
    def effect(self) -> Decimal:
        """What it has moved, as far as the provider was told."""
        if self.state != "done" or self.verb in ("Cancel", "EndRound"):
            return Decimal(0)
        return -self.amount if self.verb == "Bet" else self.amount


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Message).decode


class Book:
    """All messages of a simulation, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.messages: dict[int, Message] = {}
        self._file: IO[bytes] = path.open("ab")
        for line in path.read_bytes().splitlines():
            message = _decode(line)
            self.messages[message.id] = message

    def write(self, message: Message) -> Message:
        """Note a message, or its new state."""
        self.messages[message.id] = message
        self._file.write(_encode(message) + b"\n")
        self._file.flush()
        return message

    def new(self, verb: str, user: str, reference: str, round: str, amount: Decimal, body: bytes) -> Message:
        """A message that is about to be sent."""
        number = len(self.messages) + 1
        return self.write(Message(number, verb, user, reference, round, amount, body.decode()))

    def settle(self, message: Message, state: str, code: str = "") -> None:
        message.state, message.code = state, code
        self.write(message)

    def unfinished(self) -> Iterator[Message]:
        """What was sent, perhaps, and has no final answer."""
        return (m for m in list(self.messages.values()) if m.state not in FINISHED)

    def due(self) -> dict[str, Decimal]:
        """What each player must have gained or lost."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for message in self.messages.values():
            sums[message.user] += message.effect
        return sums

    def counts(self) -> Counter[tuple[str, str]]:
        return Counter((message.verb, message.state) for message in self.messages.values())

    def owed(self) -> list[Message]:
        """Wins and rollbacks that the wallet refused for good: somebody must look at each."""
        return [m for m in self.messages.values() if m.state == "refused" and m.verb != "Bet"]

    def close(self) -> None:
        self._file.close()
