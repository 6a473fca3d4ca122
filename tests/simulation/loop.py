"""An asyncio loop whose time is a number: nobody waits for it, and a seed plays the same history every time.

There are no sockets and no threads. What happens next is what is ready, in the order in which it became so;
if nothing is, the clock jumps to the next timer. The order of things that race is thus that of their delays,
which the simulation draws.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from unittest import mock

from caisse.writer import recorder, writer

T = TypeVar("T")

TURNS: Final = 200_000
"""Of the loop: a simulation that needs more than that goes in circles."""
EPOCH: Final = 1_700_000_000


class Stuck(Exception):
    """Nothing will ever happen again, or always the same."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs tasks and timers; its own selector, which finds nothing and lets time pass instead."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._turns = 0
        self._selector = self

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def select(self, timeout: float | None) -> list[Any]:
        """Time passes until the next timer."""
        self._turns += 1
        if timeout is None:
            raise Stuck("everybody waits for somebody")
        if self._turns > TURNS:
            raise Stuck(f"{TURNS} turns of the loop, and no end")
        self._now += timeout
        return []

    def stop_all(self) -> None:
        """Cancel every task that is left."""
        self._turns = 0
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.wait(tasks))

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""


class _Time:
    """What the writer and its recorder ask of `time`."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.monotonic = loop.time

    def time_ns(self) -> int:
        return EPOCH * 10**9 + int(self.monotonic() * 1e6) * 1_000


def run(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Play to the end; whoever still runs then is stopped."""
    with _as_clock(loop):
        try:
            return loop.run_until_complete(main)
        finally:
            loop.stop_all()
            loop.close()


@contextmanager
def _as_clock(loop: VirtualLoop) -> Iterator[None]:
    virtual = _Time(loop)
    with mock.patch.object(writer, "time", virtual), mock.patch.object(recorder, "time", virtual):
        yield
