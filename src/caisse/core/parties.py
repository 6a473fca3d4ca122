"""Who may call: partners with their tokens, and the connections between a partner and a game provider.

Plain data. Only hashes of secrets are held; checking them is the business of `caisse.dialects.wire.auth`.
"""

from hashlib import blake2b

import msgspec

_empty = blake2b(digest_size=32, person=b"caisse-secret")
"""Copied for each secret: a copy is quicker than a new one."""


def secret_hash(secret: str) -> bytes:
    """BLAKE2b-256 of a token or key, stored in its place. Secrets are random: no salt is needed."""
    hashed = _empty.copy()
    hashed.update(secret.encode())
    return hashed.digest()


class Partner(msgspec.Struct, frozen=True):
    """A customer of the provider: an operator, a platform or an aggregator."""

    id: str
    tokens: tuple[bytes, ...]
    """Hashes of the active tokens; several during a rotation."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One way for a provider to reach a partner's players: a secret key in the URL, or none on loopback."""

    id: str
    partner: str
    provider: str
    """Lower case; what `providerId` must say, letter case aside (R33)."""
    key_hash: bytes
    """Hash of the key in the API URL; empty for a keyless connection."""
    networks: tuple[str, ...]
    """CIDR blocks that may call; empty: any."""
    profile: str
    """Name of the policy profile."""
    also: tuple[str, ...] = ()
    """Further names of the provider, lower case: all mean the one provider of the keys (R33)."""
    disabled_games: frozenset[str] = frozenset()


class Parties(msgspec.Struct, frozen=True):
    """Everybody who may call, as read from the store in one go."""

    partners: tuple[Partner, ...]
    connections: tuple[Connection, ...]
