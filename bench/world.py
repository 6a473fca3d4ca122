"""What all contenders share: the PostgreSQL server, a folder on the same disk, the generator."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.load.drive import Closed
from bench.meter import tree
from tests.support.postgres import Postgres

READY_SECONDS = 60.0


class NotReady(Exception):
    """A server did not start, or a set-up did not do what it must."""


@dataclass(frozen=True)
class World:
    """Handed to every contender."""

    folder: Path
    postgres: Postgres | None
    generator: Closed
    players: int
    connections: int

    @property
    def database(self) -> Postgres:
        """The server, where a contender cannot be without."""
        if self.postgres is None:
            raise NotReady("this contender needs PostgreSQL")
        return self.postgres

    def sql(self, url: str, statement: str) -> str:
        """Run a statement in one database; its bare output."""
        return self.database.sql(statement, urlsplit(url).path.lstrip("/"))

    def syncs(self) -> int:
        """How often the server has synced its log so far."""
        if self.postgres is None:
            return 0
        return int(self.postgres.sql("select sum(fsyncs)::bigint from pg_stat_io where object = 'wal'") or 0)


def durability(world: World, url: str) -> str:
    """What a new connection to a database of the server commits with. NotReady unless that is durable."""
    names = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    found = dict(zip(names, world.sql(url, f"select {columns}").split("|"), strict=True))
    if (found["fsync"], found["synchronous_commit"], found["full_page_writes"]) != ("on", "on", "on"):
        raise NotReady(f"{url} does not commit durably: {found}")
    return ", ".join(f"{name}={value}" for name, value in found.items())


def environment(**more: str) -> dict[str, str]:
    """Ours, without any setting of caisse: it runs with its shipped defaults."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CAISSE_")} | more


def python(*words: str, **more: str) -> str:
    """Run a module's command to its end; its output."""
    command = [sys.executable, "-m", *words]
    done = subprocess.run(
        command, env=environment(**more), capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        raise NotReady(f"{' '.join(words)}: {done.stderr[-2000:]}{done.stdout[-2000:]}")
    return done.stdout


@contextmanager
def process(command: list[str], log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server, ended at the end, by force if it will not go."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment(**more)
        )
    try:
        yield child
    finally:
        if child.stdin:
            child.stdin.close()
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            for member in tree(child.pid):
                member.kill()
            child.wait()


def until(condition: Callable[[], bool], child: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a server; NotReady if it ends or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if child.poll() is not None or time.monotonic() > deadline:
            raise NotReady(f"the server is not ready: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.002)
