"""The slot log on PostgreSQL: a step of numbering is one statement, so nothing is held between two of them.

The head was read in a statement before, and the step counts only if it still stands there: then the step's
snapshot is newer than every step before it. A server that is slow or dead holds nothing. One that comes at
the same time finds the head locked, or moved, and numbers nothing.

What was picked is deleted as a range of the queue's key, since all parts of a step see the same rows. A join
would be planned once, while the queue is empty, as each row against each: a quarter of a second for 500.
"""

from typing import Final

import asyncpg

from caisse.core.round_log import LogQuery, Numbered
from caisse.store.api import Unavailable
from caisse.store.postgres.connecting import connect, durable
from caisse.store.postgres.postgres import PROVE, SETTINGS
from caisse.store.round_log import COLUMNS, FIRST_DUE, HEAD, NEXT_PARTNER, NUMBERED, arguments, shown

_NAMES: Final = ", ".join(COLUMNS)

MAKE_HEAD: Final = "insert into round_log_head (partner, next) values ($1, 0) on conflict do nothing"

NUMBER: Final = f"""
with head as materialized (
    select 1 from round_log_head where partner = $1 and next = $2 for no key update skip locked
), picked as materialized (
    select first.* from head cross join lateral ({FIRST_DUE}) as first
), numbered as materialized ({NUMBERED}
), taken as (
    delete from round_due
    using (select player, seq from picked order by player desc, seq desc limit 1) as last
    where round_due.partner = $1 and (round_due.player, round_due.seq) <= (last.player, last.seq)
    returning 1
), added as (
    insert into round_log ({_NAMES}) select {_NAMES} from numbered returning 1
), turned as (
    update round_log_head set next = $2 + (select count(*) from numbered)
    where partner = $1 and exists (select 1 from numbered) returning 1
)
select (select count(*) from numbered), {durable(local=True)}, caisse_expect(
    (select count(*) from taken) + (select count(*) from added) + (select count(*) from turned),
    (select 2 * count(*) + case when count(*) > 0 then 1 else 0 end from numbered))"""


class PostgresRoundLog:
    """See `RoundLog`."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._warned = False
        self._durable: dict[str, int] = {}
        """Partner -> the number below which every row was proven durable on this connection."""
        connection.add_log_listener(self._on_notice)

    @classmethod
    async def open(cls, url: str) -> "PostgresRoundLog":
        """Connect, or Unavailable."""
        return cls((await connect(url, SETTINGS)).connection)

    async def page(self, wanted: LogQuery) -> list[Numbered]:
        """See `RoundLog.page`. Rows not seen before are shown behind a commit, which waits as theirs did."""
        sql, args = arguments(wanted)
        rows = await self._connection.fetch(sql, *args)
        newest = max((row[-1] for row in rows), default=-1)
        if newest >= self._durable.get(wanted.partner, 0):
            await self._connection.fetchval(PROVE)
            self._refuse_warning()
            self._durable[wanted.partner] = newest + 1
        return shown(rows)

    async def next_partner(self, after: str) -> str | None:
        """See `RoundLog.next_partner`."""
        found: str | None = await self._connection.fetchval(NEXT_PARTNER, after)
        return found

    async def number(self, partner: str, rows: int) -> int:
        """See `RoundLog.number`."""
        begin = await self._connection.fetchval(HEAD, partner)
        if begin is None:
            await self._connection.execute(MAKE_HEAD, partner)
            begin = 0
        done: int = await self._connection.fetchval(NUMBER, partner, begin, rows)
        self._refuse_warning()
        return done

    def _on_notice(self, _connection: object, notice: asyncpg.PostgresLogMessage) -> None:
        self._warned = self._warned or notice.severity_en == "WARNING"

    def _refuse_warning(self) -> None:
        """A commit that warned did not wait for its standby."""
        if self._warned:
            raise Unavailable("the database warned during a commit")

    async def close(self) -> None:
        """See `RoundLog.close`."""
        await self._connection.close()
