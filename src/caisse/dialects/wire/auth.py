"""Who is calling: a partner by its token, a provider's connection by its key, network or loopback.

Works on `core.parties` data only: hashes of secrets, never the secrets. Runs on every request, so everything
is prepared once, when an `Access` is made; a newer one replaces it whole. Nothing here repeats a secret or
remembers one, right or wrong: each call is decided from its own words.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hmac import compare_digest
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import unquote

from caisse.core.parties import Connection, Parties, secret_hash

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_SECRET: Final = 512
"""Characters of a token or key; longer ones are wrong without being hashed."""

_ADDRESSES = 4096
"""Peers whose parsed address is remembered: more than any proxy or provider has."""

_DECOY: Final = (bytes(32),)
"""Compared with when there is no such partner, so that this takes as long."""

_CREDENTIALS: Final = ("partner_id", "token")

_bad_escape = re.compile(r"%(?![0-9A-Fa-f]{2})").search


class _Way(NamedTuple):
    connection: Connection
    networks: tuple[Network, ...]


class Access:
    """Everybody who may call, prepared for asking."""

    __slots__ = ("_keyed", "_keyless", "_tokens")

    def __init__(self, parties: Parties) -> None:
        ways = [_Way(c, tuple(map(network_of, c.networks))) for c in parties.connections]
        self._tokens = {partner.id: partner.tokens for partner in parties.partners}
        self._keyed = {way.connection.key_hash: way for way in ways if way.connection.key_hash}
        self._keyless = [way for way in ways if not way.connection.key_hash]

    def is_partner(self, partner: str, token: str) -> bool:
        """Whether the token is an active one of the partner; as slow for an unknown partner."""
        if not 0 < len(token) <= MAX_SECRET:
            return False
        presented = secret_hash(token)
        right = False
        for active in self._tokens.get(partner) or _DECOY:
            right |= compare_digest(presented, active)
        return right and partner in self._tokens

    def partner(self, query: str, authorization: str = "") -> str | None:
        """The partner that a URL's query names, with its right token; else None.

        A query without a token may be completed by the header `Authorization: Bearer <token>`.
        """
        given = credentials(query) or _with_header(query, authorization)
        return given[0] if given and self.is_partner(*given) else None

    def by_key(self, key: str, peer: str) -> Connection | None:
        """The connection that a URL's key opens to this peer."""
        if len(key) > MAX_SECRET or not key.isascii():
            return None
        way = self._keyed.get(secret_hash(key))
        return way.connection if way and _may_call(peer, way.networks) else None

    def keyless(self, provider: object, peer: str) -> Connection | None:
        """The connection that needs no key: the only one, or the only one of this provider.

        The caller has made sure that the peer is on loopback and speaks for itself.
        """
        ways = self._keyless
        if len(ways) > 1:
            named = provider.lower() if isinstance(provider, str) else ""
            ways = [way for way in ways if named in (way.connection.provider, *way.connection.also)]
        if len(ways) != 1 or not _may_call(peer, ways[0].networks):
            return None
        return ways[0].connection


def credentials(query: str) -> tuple[str, str] | None:
    """(partner_id, token) of a URL's query; None unless each is there once and well spelled.

    `+` stands for itself: tokens hold no spaces, and some senders forget to escape it.
    """
    first, _, second = query.partition("&")
    plain = query.isascii() and "%" not in query and "&" not in second
    if plain and first.startswith("partner_id=") and second.startswith("token="):
        return first[len("partner_id=") :], second[len("token=") :]  # as the contract spells it
    found = parameters(query, _CREDENTIALS)
    return (found["partner_id"], found["token"]) if found else None


def _with_header(query: str, authorization: str) -> tuple[str, str] | None:
    """(partner_id of the query, token of the header); None where the query speaks of a token itself."""
    scheme, _, token = authorization.partition(" ")
    found = parameters(query, _CREDENTIALS[:1])
    if scheme.lower() != "bearer" or found is None or _names_token(query):
        return None
    return found["partner_id"], token.strip(" ")


def _names_token(query: str) -> bool:
    return any(_unescaped(part.partition("=")[0]) == _CREDENTIALS[1] for part in query.split("&"))


def parameters(query: str, names: tuple[str, ...]) -> dict[str, str] | None:
    """The values of a URL's query under these names; None unless each is there once and well spelled."""
    if not query.isascii():
        return None
    found: dict[str, str] = {}
    escaped = "%" in query
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if escaped:
            decoded = _unescaped(name), _unescaped(value)
            if decoded[0] is None or decoded[1] is None:
                return None
            name, value = decoded[0], decoded[1]
        if name in names:
            if name in found:
                return None
            found[name] = value
    return found if len(found) == len(names) else None


def _unescaped(text: str) -> str | None:
    if _bad_escape(text):
        return None
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return None


def _may_call(peer: str, networks: Iterable[Network]) -> bool:
    if not networks:
        return True
    address = address_of(peer)
    return address is not None and any(address in network for network in networks)


@lru_cache(_ADDRESSES)
def address_of(text: str) -> Address | None:
    """A peer's address; an IPv4 address that came in as IPv6 is the IPv4 address, a scope is none of it."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(text: str) -> Network:
    """Of a CIDR block that was checked when it was given."""
    return ip_network(text, strict=False)
