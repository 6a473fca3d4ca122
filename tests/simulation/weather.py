"""What goes wrong in a simulation, how often and how long: drawn for each seed, and by it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.simulation.loop import VirtualLoop

FAULTS: Final = (
    "cut",  # the connection breaks while the server works, and nobody hears how that ends
    "silent",  # the answer never comes, until somebody gives up
    "lost",  # the question never reaches the server
    "late",  # the question reaches the server seconds later, whatever has become of who asked
    "slow",  # the server needs seconds, and holds its locks meanwhile
    "unsynced",  # the wait for the standby is given up: visible, told with a warning, not durable
    "refused",  # no room, read only, too many connections: nothing is written
    "deadlock",  # the server breaks off one of two, for no reason that anybody sees
    "fatal",  # the disk fails in a commit: only a new process can know
    "crash",  # a process is gone at once
    "stop",  # a process ends in order, and another begins
    "restart",  # the database crashes or fails over: what is not durable is gone, and all connections
    "freeze",  # a person freezes or releases a player, by a process of its own
    "stall",  # callers and everybody else wait for seconds
)
OFTEN: Final = (0.0, 0.0, 0.02, 0.05, 0.2)
"""How probable each is, whenever it can happen."""
THEMES: Final = 2
VERY_OFTEN: Final = 0.4
"""So many of them are the theme of a storm."""


class Weather:
    """Calm, or a storm with some of the faults."""

    def __init__(self, chance: Random, loop: VirtualLoop) -> None:
        self._chance = chance
        self._loop = loop
        self._often = {fault: chance.choice(OFTEN) for fault in FAULTS}
        self._often.update(dict.fromkeys(chance.sample(FAULTS, THEMES), VERY_OFTEN))
        self.calm = True

    def strikes(self, fault: str) -> bool:
        """Whether it happens now."""
        often = self._often[fault]
        return not self.calm and often > 0 and self._chance.random() < often

    def later(self, seconds: float, strike: Callable[..., Any], *args: Any) -> None:
        """Something more goes wrong after a while, unless all is calm by then."""
        self._loop.call_later(seconds, lambda: self.calm or strike(*args))

    def moment(self) -> float:
        """What anything takes: some milliseconds, and never twice the same."""
        return self._chance.random() * 0.01

    def while_(self) -> float:
        """What takes much too long: between a moment and longer than anybody's patience."""
        return self._chance.choice((0.1, 1.0, 10.0)) * self._chance.random()

    def soon(self) -> float:
        """Within what a question and its answer take, mostly."""
        return self._chance.choice((0.03, 0.03, 1.0)) * self._chance.random()

    def shortly(self) -> float:
        """Time enough for a repeat to be answered, and for little else."""
        return 0.15 * self._chance.random()

    def even(self) -> bool:
        """Yes or no, as often."""
        return self._chance.random() < 0.5
