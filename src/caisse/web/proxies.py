"""Whose a request is when it came through proxies: the nearest address that is none of ours.

Only what trusted hops wrote is believed. `X-Forwarded-For` grows to the right, so it is read from there;
whatever stands left of the first hop that nobody trusts may have been made up by anybody. Raises nothing.
"""

import re
from collections.abc import Iterable
from typing import Final

from caisse.dialects.wire.auth import Address, Network, address_of, network_of

UNKNOWN: Final = ""
"""The address of a request of which nobody trusted can say where it comes from; in no network."""

MAX_HOPS: Final = 8
"""Trusted proxies in a row. A balancer, a cache and a mesh are three; a list without end costs time."""

_bracketed = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?").fullmatch
_spelled = re.compile(r"[0-9A-Fa-f:.\[\]]{2,53}").fullmatch
_with_port = re.compile(r"([0-9.]+):[0-9]{1,5}").fullmatch


class Proxies:
    """The hops whose word is taken."""

    __slots__ = ("_networks",)

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(map(network_of, networks))

    def client(self, peer: str, forwarded_for: str) -> str:
        """The address of a request that carries a forwarding header; the peer's own if it is not trusted."""
        if not self._trusted(address_of(peer)):
            return peer
        rest = forwarded_for
        for _ in range(MAX_HOPS):
            rest, more, nearest = rest.rpartition(",")
            hop = _address(nearest)
            if hop is None:
                return UNKNOWN
            if not more or not self._trusted(hop):
                return str(hop)
        return UNKNOWN

    def _trusted(self, address: Address | None) -> bool:
        return address is not None and _within(address, self._networks)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """Of one hop as proxies write it: with a port or without, an IPv6 address in brackets or not."""
    text = text.strip(" \t")
    bare = _bracketed(text) or _with_port(text)
    return address_of(bare[1] if bare else text) if _spelled(text) else None
