"""Every exchange of a run, as it can be shown: with its secrets masked, and as a curl line."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterable

import msgspec

from caisse_client.masking import masked

SHOWN_BYTES = 4096
"""How much of a body a report shows."""


class Exchange(msgspec.Struct, frozen=True):
    """One request and its answer, without secrets."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: str
    status: int
    """0: no answer came."""
    answer: str
    milliseconds: float
    note: str = ""
    """What the kit did beside sending it, such as dropping its side."""

    def curl(self) -> str:
        """The request as a line for a shell. A masked secret stands there as `***`."""
        words = ["curl", "-sS", "-X", self.method, self.url]
        for name, value in self.headers:
            words += ["-H", f"{name}: {value}"]
        if self.body:
            words += ["--data-raw", self.body]
        return shlex.join(words)


class Tape:
    """The exchanges of one check, in the order in which their answers came. Threads may share it."""

    def __init__(self, base: str, shown_base: str, secrets: Iterable[str]) -> None:
        self._base = base
        self._shown_base = shown_base
        self._secrets = tuple(secrets)
        self._lock = threading.Lock()
        self.exchanges: list[Exchange] = []

    def add(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        status: int,
        answer: bytes,
        seconds: float,
        note: str = "",
    ) -> None:
        """Remember one; secrets are masked here and never kept."""
        shown = Exchange(
            method=method,
            url=self._shown_base + self._hidden(target),
            headers=[(name, self._hidden(value)) for name, value in headers],
            body=self._shown(body),
            status=status,
            answer=self._shown(answer),
            milliseconds=round(seconds * 1000, 1),
            note=note,
        )
        with self._lock:
            self.exchanges.append(shown)

    def _shown(self, body: bytes) -> str:
        text = body[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
        left_out = f" … {len(body) - SHOWN_BYTES} bytes more" if len(body) > SHOWN_BYTES else ""
        return self._hidden(text) + left_out

    def _hidden(self, text: str) -> str:
        return masked(text, self._secrets)
