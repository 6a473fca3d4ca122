"""A door that answers HTTP 500 where it did not expect something, as a program without a catch does."""

from __future__ import annotations

from caisse_kit.wallets.door import Answer, Door, Reading

FAILURE = b'{"error":100,"description":"Traceback (most recent call last): File wallet.py"}'


class Crash(Exception):
    """What a program does that did not expect this."""


class Crashing(Door):
    """Answers HTTP 500 where it did not expect something."""

    def handle(self, reading: Reading) -> Answer:
        try:
            return super().handle(reading)
        except Crash:
            return Answer(500, FAILURE)
