"""A PostgreSQL server as it is after some hours of work, not as it is in its first minute.

A new server makes each 16 MiB segment of its log when it needs it: all commits wait 40 to 60 milliseconds
while it is written and synced. A server that has worked for some time renames old segments instead. So a run
begins with segments enough, for all contenders alike; durability is untouched.

Its settings are those of `docs/operations.md`, which are what every guide to PostgreSQL says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psutil

from tests.support.postgres import Postgres

SEGMENTS: Final = 256
"""Of 16 MiB: half of `max_wal_size`. About there a checkpoint begins, which makes used ones ready again."""


@contextmanager
def seasoned() -> Iterator[Postgres]:
    """A server of our own with a log that need not grow."""
    quarter = f"{psutil.virtual_memory().total // 4 // 2**20}MB"
    with Postgres(
        shared_buffers=quarter, min_wal_size="8GB", max_wal_size="8GB", checkpoint_timeout="15min"
    ) as postgres:
        for _ in range(SEGMENTS):
            postgres.sql("select pg_switch_wal() from pg_current_xact_id()")
        postgres.sql("checkpoint")
        yield postgres
