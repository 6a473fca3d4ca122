"""What can go wrong, as types. No message holds a URL's query, a key, a token or a body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from caisse_client.masking import masked

MAX_WORDS: Final = 300
"""How much of a wallet's own words a message holds, in characters."""


class WalletError(Exception):
    """Whatever is not a success; `status` is the HTTP status, 0 if there was no answer."""

    def __init__(self, where: str, message: str, *, status: int = 0, code: str = "") -> None:
        message = message[:MAX_WORDS]
        super().__init__(f"{where}: {message}")
        self.where = where
        """Which call: its path, without what stands before it and without its query."""
        self.message = message
        self.status = status
        self.code = code[:MAX_WORDS]
        """The answer's own code or word, as text; empty if it had none."""

    def hide(self, secrets: Iterable[str]) -> None:
        """Mask these in all that it says."""
        found = tuple(secrets)
        self.message, self.code = masked(self.message, found), masked(self.code, found)
        self.args = (f"{self.where}: {self.message}",)


class Refused(WalletError):
    """A final verdict: nothing moved, and the same key will be refused for ever."""


class Unavailable(WalletError):
    """No verdict is known: it may have happened or not. Send the same call, with the same key, again."""


class Unauthorized(WalletError):
    """The login, the key or the address was refused. Nothing moved; mend the settings, then send it again."""


class ProtocolError(WalletError):
    """An answer that the contract does not know. Whether something moved is unknown; send the same call
    again.
    """
