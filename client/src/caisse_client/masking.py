"""Secrets out of texts that people read: logs, errors, reports."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlsplit, urlunsplit

MASK = "***"
SHORTEST_SECRET = 8
"""Shorter parts of a path, such as `/api`, are no keys."""


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret, plain or percent-encoded, replaced."""
    for secret in sorted({*secrets, *map(quote, secrets)}, key=len, reverse=True):
        if secret:
            text = text.replace(secret, MASK)
    return text


def masked_url(url: str) -> str:
    """Scheme, host and port of a URL. Its path may be a key and its query a token, so both are masked."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = f"/{MASK}" if parts.path.strip("/") else ""
    return urlunsplit((parts.scheme, host, path, MASK if parts.query else "", ""))


def secrets_of(url: str) -> tuple[str, ...]:
    """The parts of a wallet's URL that may be secret: its path, its query, its password."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    pieces = (*parts.path.split("/"), parts.query, login)
    return tuple(piece for piece in pieces if len(piece) >= SHORTEST_SECRET)
