"""What processes cost: CPU seconds and resident memory of a process and all its children, from /proc."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """A process and its descendants; those that end meanwhile are left out."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time of the processes so far, theirs and their children's, the ended ones too."""
    total = 0.0
    for pid in pids:
        processes = tree(pid)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                total += used.user + used.system
        if processes:
            with suppress(psutil.NoSuchProcess):
                ended = processes[0].cpu_times()
                total += ended.children_user + ended.children_system
    return total


def rss_bytes(pids: Iterable[int]) -> int:
    """Resident memory; what processes share is counted for each of them."""
    total = 0
    for pid in pids:
        for process in tree(pid):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total


class Meter:
    """CPU seconds of named groups of processes, since it was made."""

    def __init__(self, groups: Mapping[str, Iterable[int]]) -> None:
        self._groups = {name: list(pids) for name, pids in groups.items()}
        self._before = self._read()

    def _read(self) -> dict[str, float]:
        return {name: cpu_seconds(pids) for name, pids in self._groups.items()}

    def used(self) -> dict[str, float]:
        """What each group used meanwhile."""
        now = self._read()
        return {name: now[name] - before for name, before in self._before.items()}
