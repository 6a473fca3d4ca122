"""Who is local: a program on this machine, which asks for it by a loopback name, without proxy or browser."""

from __future__ import annotations

import pytest

from tests.support.wire import head, post, run_on, site

SIGNS = [
    "Forwarded: for=1.2.3.4", "Via: 1.1 x", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: h",
    "X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /x",
    "X-Forwarded-Anything: x", "X-Forwarded: x", "Forwarded-For: 1.2.3.4", "X-Real-IP: 1.2.3.4",
    "x-real-ip: 1.2.3.4", "Client-IP: 1.2.3.4", "X-Client-IP: 1.2.3.4", "True-Client-IP: 1.2.3.4",
    "X-Cluster-Client-IP: 1.2.3.4", "Fastly-Client-IP: 1.2.3.4", "CF-Connecting-IP: 1.2.3.4",
    "CF-Connecting-IPv6: ::2", "CF-Ray: 1", "CDN-Loop: x", "X-Original-For: 1.2.3.4",
    "X-Original-Host: h", "X-Envoy-External-Address: 1.2.3.4", "X-Appengine-User-IP: 1.2.3.4",
    "X-Amzn-Trace-Id: x", "X-ProxyUser-Ip: 1.2.3.4", "X-Remote-Addr: 1.2.3.4",
    "Proxy-Connection: keep-alive", "Max-Forwards: 3", "X_Forwarded_For: 1.2.3.4", "X_REAL_IP: 1.2.3.4",
]  # fmt: skip
BROWSERS = [
    "Origin: http://localhost", "ORIGIN: null", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors",
    "sec-ch-ua: x", "Referer: http://localhost/", "Cookie: a=b", "Access-Control-Request-Method: POST",
]  # fmt: skip
COMMON = [
    "Accept: */*", "Accept-Encoding: gzip", "User-Agent: curl/8", "Content-Type: application/json",
    "Connection: keep-alive", "X-Prometheus-Scrape-Timeout-Seconds: 10", "X-Request-Id: 1",
    "traceparent: 00-1-1-00", "Authorization: x", "Cache-Control: no-cache", "X-Ship: x",
]  # fmt: skip
OWN = [
    "localhost",
    "LOCALHOST",
    "localhost:8080",
    "127.0.0.1",
    "127.0.0.1:8080",
    "127.9.9.9",
    "[::1]",
    "[::1]:1",
]
FOREIGN = [
    "evil.example", "evil.example:8080", "localhost.evil.example", "localhost.",
    "127.0.0.1.evil.example", "10.0.0.1", "127.0.0.1@evil.example", "127.0.0.1%evil.example", "[::2]",
    "::1", "127.1.1", "127.0.0.256", "", "0.0.0.0", "a", "localhost:8080:1", "localhost evil.example",
    "[::1", "127.0.0.1,evil",
]  # fmt: skip


async def _locals(requests: list[bytes]) -> list[tuple[bool, bool]]:
    """Of each request: whether it is local, and whether it shows a proxy."""
    async with site() as there:
        for request in requests:
            assert [a.status for a in await there.ask(request)] in ([200], [400])
        return [(exchange.local, exchange.forwarded) for exchange in there.seen]


def named(host: str, *lines: str) -> bytes:
    return head("POST /V4/Check HTTP/1.1", f"Host: {host}", "Content-Length: 0", *lines)


@pytest.mark.parametrize("line", SIGNS)
def test_a_sign_of_a_proxy_is_not_local_and_forwarded(line: str) -> None:
    async def test() -> None:
        assert await _locals([named("localhost", line)]) == [(False, True)]

    run_on("uvloop", test())


@pytest.mark.parametrize("line", BROWSERS)
def test_a_sign_of_a_browser_is_not_local_and_not_forwarded(line: str) -> None:
    async def test() -> None:
        assert await _locals([named("localhost", line)]) == [(False, False)]

    run_on("uvloop", test())


def test_common_headers_are_no_sign() -> None:
    async def test() -> None:
        assert await _locals([named("localhost", *COMMON)]) == [(True, False)]

    run_on("uvloop", test())


@pytest.mark.parametrize(("host", "own"), [*((h, True) for h in OWN), *((h, False) for h in FOREIGN)])
def test_only_a_loopback_name_is_local(host: str, own: bool) -> None:
    """Another name may point here by a trick (DNS rebinding), and a browser here would follow it."""

    async def test() -> None:
        assert (True, False) not in await _locals([named(host)]) or own
        if own:
            assert await _locals([named(host)]) == [(True, False)]

    run_on("uvloop", test())


@pytest.mark.parametrize(
    "request_bytes",
    [
        head("GET http://evil.example/metrics HTTP/1.1", "Host: localhost"),
        head("GET http://localhost/metrics HTTP/1.1", "Host: localhost"),
        head("GET /metrics HTTP/1.0"),
        head("GET /metrics HTTP/1.1", "Host: localhost", "Host: localhost"),
    ],
    ids=["a proxy's target", "even of this name", "no name", "two names"],
)
def test_a_target_for_a_proxy_or_no_name_is_not_local(request_bytes: bytes) -> None:
    async def test() -> None:
        assert (True, False) not in await _locals([request_bytes])

    run_on("uvloop", test())


def test_a_sign_is_for_its_own_request_only() -> None:
    async def test() -> None:
        async with site() as there:
            await there.ask(
                named("localhost", "Via: x") + named("localhost") + named("evil.example") + named("[::1]")
            )
            assert [exchange.local for exchange in there.seen] == [False, True, False, True]

    run_on("uvloop", test())


def test_a_peer_elsewhere_is_not_local() -> None:
    async def test() -> None:
        async with site(hold=True) as there:
            client = await there.client()
            await client.send(post("/", b"", "X: y").replace(b"Host: x", b"Host: localhost"))
            await there.until_seen(1)
            assert there.seen[0].local
            there.seen[0].peer = "192.0.2.1"
            assert not there.seen[0].local

    run_on("uvloop", test())
