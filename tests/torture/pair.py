"""A primary and its standby, for harnesses that let the one die and the other take over.

There are three places: a new standby goes where nobody listens, so that one URL serves for all of the pair's
life, whoever is the primary. Who was the primary never comes back as one.
"""

from __future__ import annotations

import os
import signal
from typing import Self
from urllib.parse import urlsplit

from tests.support.postgres import STANDBY, Postgres, Standby, free_port, wait_for

SECONDS = 60
PLACES = 3
FOLLOWS = """
select count(*) from pg_stat_replication
where application_name = '{name}' and state = 'streaming' and sync_state = '{how}'"""
CANCEL = "select count(pg_cancel_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep'"


class Pair:
    """`synchronous`: a commit waits until the standby has it on its disk."""

    primary: Postgres
    standby: Standby
    old: Postgres | None = None
    """Who was the primary before; dead or frozen."""

    def __init__(self, *, synchronous: bool) -> None:
        self._settings = {"synchronous_standby_names": STANDBY} if synchronous else {}
        self._how = "sync" if synchronous else "async"
        self._ports: set[int] = set()
        while len(self._ports) < PLACES:
            self._ports.add(free_port())
        self._held = 0

    def __enter__(self) -> Self:
        self.primary = Postgres(min(self._ports), **self._settings)
        self.primary.__enter__()
        self.join()
        return self

    def __exit__(self, *_: object) -> None:
        self.bury()
        for server in (self.standby, self.primary):
            _end(server)

    def create_database(self) -> str:
        """The address of a fresh database, wherever the pair's primary is."""
        url = urlsplit(self.primary.create_database())
        hosts = ",".join(f"127.0.0.1:{port}" for port in sorted(self._ports))
        return url._replace(netloc=f"postgres@{hosts}", query="target_session_attrs=read-write").geturl()

    def join(self) -> None:
        """A new standby where nobody is; returns when it follows."""
        taken = {server.port for server in (self.primary, self.old) if server}
        self.standby = Standby(self.primary, min(self._ports - taken), **self._settings)
        self.standby.__enter__()
        follows = FOLLOWS.format(name=STANDBY, how=self._how)
        wait_for(lambda: self.primary.sql(follows) == "1", SECONDS, lambda: "the standby does not follow")

    def hold_up(self) -> None:
        """From here on the standby receives nothing, and its primary does not know."""
        self._held = self.standby.receiver()
        os.kill(self._held, signal.SIGSTOP)

    def cancel_waits(self) -> int:
        """End commits' waits for their standby, as an impatient administrator would; how many there were."""
        return int(self.primary.sql(CANCEL))

    def take_over(self) -> None:
        """The standby becomes the primary; what was held up never arrives."""
        if self._held:
            os.kill(self._held, signal.SIGTERM)
            os.kill(self._held, signal.SIGCONT)
            self._held = 0
        self.standby.promote()
        self.primary, self.old = self.standby, self.primary
        self.join()

    def bury(self) -> None:
        """End who was the primary, if he is not dead yet, and remove what he left."""
        if self.old is not None:
            _end(self.old)
            self.old = None


def _end(server: Postgres) -> None:
    """However it is: dead, alive or frozen."""
    if server.runs:
        server.kill_postmaster()
    server.close()
