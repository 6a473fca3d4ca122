"""Signs that a request comes through a proxy or from a browser, and the names a machine has for itself.

A request that shows none of the signs, and asks for this machine by its own name, comes from a program on it.
Whoever adds a header adds a sign at most: nothing here makes a request more trusted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

# Proxies name the client's address, its host or themselves, each in its own way: so these are patterns, and
# a header that is taken for a sign by mistake costs its sender the rights of the machine itself only.
_PROXY_STARTS: Final = (b"x-original", b"x-proxy", b"proxy-", b"x-envoy-", b"x-amzn-", b"cf-", b"cdn-")
_PROXY_ENDS: Final = (b"-ip", b"-ipv6", b"-addr", b"-address")
_PROXY_NAMES: Final = frozenset({b"via", b"x-via", b"x-host", b"x-scheme", b"x-url-scheme"})

_BROWSER_STARTS: Final = (b"sec-", b"access-control-")
_BROWSER_NAMES: Final = frozenset(
    {b"origin", b"referer", b"cookie", b"dnt", b"upgrade-insecure-requests", b"x-requested-with"}
)

_host = re.compile(r"(localhost|[0-9.]+|\[[0-9a-f:.]+\])(?::[0-9]{0,5})?", re.IGNORECASE).fullmatch


def is_of_proxy(name: bytes) -> bool:
    """Whether a header of this name, in small letters, shows a proxy."""
    name = name.replace(b"_", b"-")  # which some servers take for the same
    return (
        b"forward" in name
        or name.startswith(_PROXY_STARTS)
        or name.endswith(_PROXY_ENDS)
        or name in _PROXY_NAMES
    )


def is_of_browser(name: bytes) -> bool:
    """Whether a header of this name, in small letters, shows a browser."""
    return name in _BROWSER_NAMES or name.startswith(_BROWSER_STARTS)


@lru_cache(1_024)
def is_loopback(peer: str) -> bool:
    """Whether a peer's address is this machine's own; an IPv4 address may have come in as IPv6."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_own_name(host: str) -> bool:
    """Whether a Host is a loopback name: localhost, an address in 127.0.0.0/8, or [::1]; with a port or not.

    Any other name may be one that somebody lets point to this machine, to reach it through a browser on it.
    """
    named = _host(host)
    if named is None:
        return False
    return named[1].lower() == "localhost" or is_loopback(named[1].strip("[]"))
