"""The slot log on SQLite: short transactions beside the writer's, on a connection of their own."""

from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from caisse.core.round_log import LogQuery, Numbered
from caisse.store.api import FateUnknown, Unavailable
from caisse.store.round_log import COLUMNS, FIRST_DUE, HEAD, NEXT_PARTNER, NUMBERED, arguments, shown
from caisse.store.sqlite.file import open_file

ADD: Final = f"""
with picked as ({FIRST_DUE})
insert into round_log ({", ".join(COLUMNS)}) {NUMBERED}"""
LAST_PICKED: Final = f"select player, seq from ({FIRST_DUE}) order by player desc, seq desc limit 1"
EMPTY: Final = "delete from round_due where partner = ? and (player, seq) <= (?, ?)"
TURN: Final = """
insert into round_log_head (partner, next) values (?, ?)
on conflict (partner) do update set next = excluded.next"""


class SqliteRoundLog:
    """See `RoundLog`. What is read is durable: a commit is synced before others see it."""

    def __init__(self, path: Path) -> None:
        self._connection = open_file(path)
        self._connection.execute("pragma wal_autocheckpoint = 0")  # the ledger's own checkpoints are enough

    async def page(self, wanted: LogQuery) -> list[Numbered]:
        """See `RoundLog.page`."""
        sql, args = arguments(wanted)
        return shown(self._connection.execute(sql, {str(n): arg for n, arg in enumerate(args, 1)}))

    async def next_partner(self, after: str) -> str | None:
        """See `RoundLog.next_partner`."""
        row = self._connection.execute(NEXT_PARTNER, {"1": after}).fetchone()
        return row[0] if row else None

    async def number(self, partner: str, rows: int) -> int:
        """See `RoundLog.number`. The database's write lock is the head's.

        FateUnknown, fatal, if the commit fails: the writer's next one may rest on the same file.
        """
        c = self._connection
        c.execute("begin immediate")
        try:
            done = self._number(partner, rows)
        except BaseException:
            c.execute("rollback")
            raise
        try:
            c.execute("commit")
        except apsw.BusyError as error:
            c.execute("rollback")
            raise Unavailable(f"the database is busy: {error}") from error
        except apsw.Error as error:
            raise FateUnknown(f"a commit of the slot log failed: {error}", fatal=True) from error
        return done

    def _number(self, partner: str, rows: int) -> int:
        c = self._connection
        head = c.execute(HEAD, {"1": partner}).fetchone()
        begin = head[0] if head else 0
        before = c.total_changes()
        args = {"1": partner, "2": begin, "3": rows}
        last = c.execute(LAST_PICKED, args).fetchone()
        if last is None:
            return 0
        c.execute(ADD, args)
        added = c.total_changes() - before
        c.execute(EMPTY, (partner, *last))
        if c.total_changes() - before != 2 * added:
            raise Unavailable(f"{added} rows were numbered, others taken from the queue")
        c.execute(TURN, (partner, begin + added))
        return added

    async def close(self) -> None:
        """See `RoundLog.close`."""
        with suppress(apsw.Error):
            self._connection.close()
