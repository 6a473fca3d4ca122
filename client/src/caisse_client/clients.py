"""The two clients: the same calls, sent by blocking or by awaiting.

They use the transports of httpx2 and not its clients, because those log each URL with its query, where the
token is. So there are no redirects, cookies, or proxies from the environment either: a wallet needs none of
them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Self, TypeVar

import httpx2

from caisse_client.calls import Call, Request, Response
from caisse_client.errors import Unavailable
from caisse_client.masking import masked_url, secrets_of

T = TypeVar("T")

TIMEOUT_SECONDS = 10.0
"""How long the vendor waits for an answer."""
MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""A page of 1,000 slot log rows is about 100 KiB."""
CONNECTIONS = 100

_log = logging.getLogger("caisse_client")


class _Wire:
    """What both clients share: how a request becomes bytes, and what a failure becomes."""

    def __init__(self, url: str, timeout: float) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("a wallet's URL begins with http:// or https://")
        self._url = url.rstrip("/")
        self._secrets = secrets_of(url)
        self.timeout = timeout

    def __repr__(self) -> str:
        return f"{type(self).__name__}({masked_url(self._url)})"

    def _request(self, request: Request) -> httpx2.Request:
        waits = dict.fromkeys(("connect", "read", "write", "pool"), self.timeout)
        return httpx2.Request(
            request.method,
            self._url + request.target,
            headers=[*request.headers, ("accept", "application/json")],
            content=request.body,
            extensions={"timeout": waits},
        )

    def _ended(self, request: Request, begun: float, outcome: object) -> float:
        seconds = time.monotonic() - begun
        _log.debug("%s %s: %s in %.1f ms", request.method, request.path, outcome, seconds * 1000)
        return seconds


class _TooMuch(Exception):
    """More bytes than any answer has."""


# OSError: some failures of a socket reach us as they are. RuntimeError: a client that was closed.
_FAILURES = (httpx2.TransportError, httpx2.StreamError, OSError, _TooMuch, TimeoutError)


class Client(_Wire):
    """Sends calls to one wallet, blocking. Several threads may share it.

    `timeout` is how long an answer may take, in seconds. `url` is the wallet's whole base URL, key included.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        super().__init__(url, timeout)
        limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._transport = httpx2.HTTPTransport(trust_env=False, limits=limits)

    def send(self, call: Call[T]) -> T:
        """The call's answer. Raises Refused, Unavailable, Unauthorized or ProtocolError."""
        return call.read(self.exchange(call.request), self._secrets)

    def exchange(self, request: Request) -> Response:
        """One request and its answer as they are. Raises Unavailable if no whole answer came in time."""
        begun = time.monotonic()
        try:
            answer = self._transport.handle_request(self._request(request))
            try:
                body = b""
                for chunk in answer.iter_raw():
                    body += chunk
                    self._allow(body, begun)
            finally:
                answer.close()
        except _FAILURES as error:
            failure = type(error).__name__
            self._ended(request, begun, failure)
        else:
            seconds = self._ended(request, begun, answer.status_code)
            return Response(answer.status_code, body, dict(answer.headers), seconds)
        raise Unavailable(request.path, f"no answer ({failure})")

    def _allow(self, body: bytes, begun: float) -> None:
        if len(body) > MAX_ANSWER_BYTES or time.monotonic() - begun > self.timeout:
            raise _TooMuch

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(_Wire):
    """Sends calls to one wallet, from one event loop."""

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        super().__init__(url, timeout)
        limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._transport = httpx2.AsyncHTTPTransport(trust_env=False, limits=limits)

    async def send(self, call: Call[T]) -> T:
        """The call's answer. Raises Refused, Unavailable, Unauthorized or ProtocolError."""
        return call.read(await self.exchange(call.request), self._secrets)

    async def exchange(self, request: Request) -> Response:
        """One request and its answer as they are. Raises Unavailable if no whole answer came in time."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout):
                answer = await self._transport.handle_async_request(self._request(request))
                try:
                    body = b""
                    async for chunk in answer.aiter_raw():
                        body += chunk
                        if len(body) > MAX_ANSWER_BYTES:
                            raise _TooMuch
                finally:
                    await answer.aclose()
        except _FAILURES as error:
            failure = type(error).__name__
            self._ended(request, begun, failure)
        else:
            seconds = self._ended(request, begun, answer.status_code)
            return Response(answer.status_code, body, dict(answer.headers), seconds)
        raise Unavailable(request.path, f"no answer ({failure})")

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
