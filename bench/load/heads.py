"""The heads of requests: of one plain kind, or varied as clients and proxies really send them.

A head is the lines between the request line and the body. Two places are filled later: `@L` is the length of
the body, `@N` eight hexadecimal digits that are new in each request. The lines, their order and the case of
their names are those of each client and proxy; versions, addresses and the fixed part of each id are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from random import Random
from typing import Final, NamedTuple

VARIED, PLAIN, NONE = "varied", "plain", "none"
"""Kinds of heads; the last one is of contenders without HTTP."""
KINDS: Final = (VARIED, PLAIN)
"""The first one leads: the ratios are of it."""
COUNT: Final = 64
"""Heads of one run. No two have the same fixed parts of their ids."""
DIRECT: Final = 4
"""One head of so many comes from a client without a proxy."""

PLAIN_HEAD: Final = "Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: @L"
UUID: Final = "@N-####-4###-8###-############"
TRACE: Final = "traceparent: 00-@N########################-@N########-0{0|1}"

# {a|b} is one of several, # a hexadecimal digit, @h the host, @a the client's address, @f the forwarded ones.
CLIENTS: Final = (
    # Go, net/http
    """Host: @h
User-Agent: Go-http-client/1.1
Content-Length: @L
Content-Type: application/json
Accept-Encoding: gzip""",
    # Java, java.net.http
    """Content-Length: @L
Host: @h
User-Agent: Java-http-client/{11.0.22|17.0.10|21.0.2}
Content-Type: application/json""",
    # Java, Apache HttpClient below Spring
    """Accept: application/json, application/*+json
Content-Type: application/json
Content-Length: @L
Host: @h
Connection: Keep-Alive
User-Agent: Apache-HttpClient/{4.5.13|4.5.14|5.2.1} (Java/{1.8.0_392|11.0.22|17.0.10})
Accept-Encoding: gzip,deflate""",
    # Java and Kotlin, OkHttp
    """Content-Type: application/json; charset=utf-8
Content-Length: @L
Host: @h
Connection: Keep-Alive
Accept-Encoding: gzip
User-Agent: okhttp/{3.14.9|4.9.3|4.12.0}""",
    # Java, Reactor Netty below Spring WebClient
    """accept-encoding: gzip
user-agent: ReactorNetty/{1.0.39|1.1.15}
host: @h
accept: application/json
Content-Type: application/json
content-length: @L""",
    # PHP, Guzzle
    """Host: @h
User-Agent: GuzzleHttp/{6.5.5 curl/7.74.0 PHP/7.4.33|7}
Content-Type: application/json
Accept: application/json
Content-Length: @L""",
    # PHP, curl
    """Host: @h
Accept: */*
Content-Type: application/json
Content-Length: @L""",
    # Python, requests
    """Host: @h
User-Agent: python-requests/{2.25.1|2.28.2|2.31.0|2.32.3}
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
Content-Length: @L
Content-Type: application/json""",
    # Python, httpx
    """Host: @h
Accept: */*
Accept-Encoding: gzip, deflate{|, br|, br, zstd}
Connection: keep-alive
User-Agent: python-httpx/{0.24.1|0.27.0|0.28.1}
Content-Length: @L
Content-Type: application/json""",
    # Python, aiohttp
    """Host: @h
Accept: */*
Accept-Encoding: gzip, deflate
User-Agent: Python/{3.9|3.11|3.12} aiohttp/{3.8.6|3.9.5}
Content-Length: @L
Content-Type: application/json""",
    # .NET, HttpClient
    f"""Host: @h
{TRACE}
Content-Type: application/json; charset=utf-8
Content-Length: @L""",
    # .NET, RestSharp
    """Host: @h
Accept: application/json, text/json, text/x-json, text/javascript, application/xml, text/xml
User-Agent: RestSharp/{106.15.0.0|110.2.0.0}
Accept-Encoding: gzip, deflate{|, br}
Content-Type: application/json; charset=utf-8
Content-Length: @L""",
    # JavaScript, axios
    """Accept: application/json, text/plain, */*
Content-Type: application/json
User-Agent: axios/{0.27.2|1.6.8|1.7.2}
Content-Length: @L
Accept-Encoding: gzip, compress, deflate, br
Host: @h
Connection: keep-alive""",
)


class Proxy(NamedTuple):
    """What a proxy makes of a client's head. Its own lines replace the client's of the same name."""

    before: str
    after: str = ""
    name: Callable[[str], str] = str
    """How it spells the client's names."""
    in_order: Callable[[list[str]], list[str]] = list
    """How it orders the client's lines and those after them."""


def _canonical(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))


PROXIES: Final = (
    # nginx
    Proxy(f"""X-Real-IP: @a
X-Forwarded-For: @f
X-Forwarded-Proto: https
X-Forwarded-Host: @h
X-Request-Id: {"@N" + "#" * 24}
Host: @h
Content-Length: @L"""),
    # HAProxy
    Proxy(
        "",
        f"""x-forwarded-for: @f
x-forwarded-proto: https
x-forwarded-port: 443
x-request-id: {UUID}""",
        str.lower,
    ),
    # Envoy
    Proxy(
        "host: @h",
        f"""x-forwarded-for: @f
x-forwarded-proto: https
x-envoy-external-address: @a
x-request-id: {UUID}
{TRACE}
x-envoy-expected-rq-timeout-ms: 15000""",
        str.lower,
    ),
    # Amazon's load balancer
    Proxy("""X-Forwarded-For: @f
X-Forwarded-Proto: https
X-Forwarded-Port: 443
Host: @h
X-Amzn-Trace-Id: Root=1-{65a8|674b}####-@N################"""),
    # Traefik
    Proxy(
        """Host: @h
Content-Length: @L""",
        """X-Forwarded-For: @f
X-Forwarded-Host: @h
X-Forwarded-Port: 443
X-Forwarded-Proto: https
X-Forwarded-Server: edge-{1|2|03}
X-Real-Ip: @a""",
        _canonical,
        sorted,
    ),
    # Cloudflare
    Proxy("""Host: @h
CF-RAY: @N########-{FRA|AMS|WAW|SIN}
X-Forwarded-For: @f
X-Forwarded-Proto: https
CF-Visitor: {"scheme":"https"}
Accept-Encoding: gzip, br
CF-Connecting-IP: @a
CDN-Loop: cloudflare
CF-IPCountry: {DE|MT|CW|BR}"""),
    # Apache
    Proxy(
        "",
        """Via: 1.1 {gw|gateway.example.net} (Apache/2.4.{41|57})
X-Forwarded-For: @f
X-Forwarded-Host: @h
X-Forwarded-Server: {gw|gateway.example.net}
Connection: Keep-Alive""",
    ),
)


def heads(kind: str, run: str) -> list[str]:
    """The heads of a run: the same for the same run."""
    if kind == PLAIN:
        return [PLAIN_HEAD]
    chance = Random(run)  # noqa: S311 - a load, not a secret
    return [_head(number, chance) for number in range(COUNT)]


def _head(number: int, chance: Random) -> str:
    lines = CLIENTS[number % len(CLIENTS)].split("\n")
    if number % DIRECT:
        if chance.random() < 0.3 and TRACE not in lines:
            lines.append(TRACE)
        lines = _through(PROXIES[number % len(PROXIES)], lines)
    return _drawn("\r\n".join(lines), chance)


def _through(proxy: Proxy, lines: Iterable[str]) -> list[str]:
    before = proxy.before.split("\n") if proxy.before else []
    after = proxy.after.split("\n") if proxy.after else []
    replaced = {_name(line).lower() for line in (*before, *after, "Connection:")}
    kept = [
        proxy.name(_name(line)) + line[len(_name(line)) :]
        for line in lines
        if _name(line).lower() not in replaced
    ]
    return [*before, *proxy.in_order([*kept, *after])]


def _name(line: str) -> str:
    return line.partition(":")[0]


def _drawn(text: str, chance: Random) -> str:
    client, known = _address(chance), {"@h": chance.choice(HOSTS)}
    known["@a"] = client
    known["@f"] = chance.choice((client, f"{client}, 10.{chance.randrange(256)}.{chance.randrange(256)}.7"))
    text = re.sub("@[haf]", lambda place: known[place[0]], text)
    text = re.sub(r"\{([^{}]*\|[^{}]*)\}", lambda any_of: chance.choice(any_of[1].split("|")), text)
    return re.sub("#", lambda _: chance.choice("0123456789abcdef"), text)


HOSTS: Final = ("wallet.example.com", "api.casino.example", "wallet.internal:8080", "10.2.0.15:8080")


def _address(chance: Random) -> str:
    if chance.random() < 0.2:
        return (
            f"2001:db8:{chance.randrange(65536):x}:{chance.randrange(65536):x}::{chance.randrange(65536):x}"
        )
    return f"{chance.choice(('203.0.113', '198.51.100', '192.0.2'))}.{chance.randrange(1, 255)}"
