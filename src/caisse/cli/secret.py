"""Secrets: where they come from, what they may look like, how they are shown once. Only hashes are stored."""

import re
import secrets
import sys
from typing import Final, NamedTuple

import click

from caisse.cli import output
from caisse.core.parties import secret_hash
from caisse.dialects.wire.auth import MAX_SECRET

SHORT: Final = 16
"""Characters below which a secret is warned of: fewer can be guessed."""
PUBLIC_ID: Final = 4
"""Bytes of a token's hash that make its public id."""
RESERVED: Final = frozenset(
    {"healthz", "integrationservice", "log", "metrics", "seamless", "tranfer", "transfer", "user", "v1", "v4"}
)
"""First parts of paths that a server answers on without a key."""

_token = re.compile(rf"[!-~]{{1,{MAX_SECRET}}}").fullmatch
_key = re.compile(r"[A-Za-z0-9_-]{8,128}").fullmatch


class Secret(NamedTuple):
    """A token or key on its way to its owner."""

    text: str
    made: bool
    """Whether it was made here, so that its owner has yet to be told."""

    @property
    def hash(self) -> bytes:
        """What is stored of it."""
        return secret_hash(self.text)

    @property
    def public_id(self) -> str:
        """What it is called where it must not be shown."""
        return self.hash[:PUBLIC_ID].hex()

    @property
    def shown(self) -> str | None:
        """What is printed of a token, once: one that was given is known already."""
        return self.text if self.made else None


def token(given: str | None) -> Secret:
    """The given token, or a new one."""
    secret = _secret(given, "token")
    if not _token(secret.text):
        raise click.UsageError(f"a token is 1 to {MAX_SECRET} printable ASCII characters without spaces")
    return secret


def key(given: str | None) -> Secret:
    """The given key, or a new one; it is part of a URL's path."""
    secret = _secret(given, "key")
    if not _key(secret.text) or secret.text.lower() in RESERVED:
        raise click.UsageError("a key is 8 to 128 letters, digits, '_' or '-', and no path of the server's")
    return secret


def _secret(given: str | None, what: str) -> Secret:
    if given is None:
        return Secret(secrets.token_urlsafe(24), made=True)
    text = _from_input(what) if given == "-" else given
    if len(text) < SHORT:
        output.say(f"Warning: a {what} of fewer than {SHORT} characters can be guessed.", err=True)
    return Secret(text, made=False)


def _from_input(what: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError(f"no {what} came on standard input")
    return line
