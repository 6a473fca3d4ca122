"""Feeding the audit: players, rounds and journal rows as ordered streams, merged by player.

Reads the tables and nothing else, all in one snapshot, in bounded memory. An anchor, written by an earlier
audit, is one more such stream.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from caisse.audit import stored as audited
from caisse.audit.audit import PlayerAudit, Stored, Totals, at_table
from caisse.audit.findings import Finding, Findings, Folded
from caisse.audit.history import Anchor
from caisse.store import round_log
from caisse.store.api import Database, Row

T = TypeVar("T")
PlayerKey = tuple[str, str]


def _select(table: str, columns: Sequence[str], order: Sequence[str]) -> str:
    """Columns as text where an engine has a type of its own for them.

    Named with their table, in the order too: a cast has its column's name, and would be what is sorted.
    """
    as_text = {*audited.AMOUNTS, *audited.ROUND_AMOUNTS, "opened_id"} | (
        {"id"} if table == "journal" else set()
    )
    cells = (f"cast({table}.{c} as text)" if c in as_text else f"{table}.{c}" for c in columns)
    return f"select {', '.join(cells)} from {table} order by {', '.join(f'{table}.{c}' for c in order)}"


PLAYERS: Final = _select("player", audited.HEAD, ("partner", "id"))
ROUNDS: Final = _select("round", audited.ROUND, ("partner", "player", "provider", "id"))
JOURNAL: Final = _select("journal", audited.JOURNAL, ("partner", "player", "seq"))

DOUBLE: Final = {
    "key": """
select partner, key, min(player), count(*) from journal group by partner, key having count(*) > 1""",
    "second_key": """
select partner, second_key, min(player), count(*) from journal where second_key <> ''
group by partner, second_key having count(*) > 1""",
    "id and part": """
select partner, cast(id as text), min(player), count(*) from journal
group by partner, id, part having count(*) > 1""",
}
"""What must be there once -> those that are there more often."""

ROUND_ID: Final = audited.ROUND.index("id")

LOST_ATTEMPTS: Final = """
select partner, player, key, uuid from attempt where replay and rule <> 'R58' and not exists (
    select 1 from journal where journal.partner = attempt.partner and journal.player = attempt.player
    and journal.key = attempt.key)
and not exists (
    select 1 from journal where journal.partner = attempt.partner and journal.player = attempt.player
    and journal.second_key = attempt.key and journal.second_key <> '')
and not exists (
    select 1 from journal where journal.partner = attempt.partner and journal.player = attempt.player
    and substr(attempt.key, 1, 9) = 'rollback:' and journal.key = 'bet:' || substr(attempt.key, 10))
limit 1000"""
"""Attempts that repeat a row which is not there. A refusal may be of a player who never came to be."""


class Report(msgspec.Struct):
    """What an audit looked at and what it found."""

    players: int = 0
    wallets: int = 0
    rounds: int = 0
    rows: int = 0
    currencies: list[str] = []
    found: Findings = msgspec.field(default_factory=Findings)

    @property
    def findings(self) -> list[Folded]:
        """Those that are listed."""
        return self.found.listed

    @property
    def findings_total(self) -> int:
        """Listed or not; consequences are not counted."""
        return self.found.total


class _Ordered(Generic[T]):
    """A stream of rows in order of player, read one ahead."""

    def __init__(
        self,
        what: str,
        rows: AsyncIterator[Row],
        make: Callable[[Row], T],
        report: Report,
        *,
        player_at: int = 1,
        name_at: int = 1,
    ) -> None:
        self._what = what
        self._rows = rows
        self._make = make
        self._report = report
        self._player_at = player_at
        self._name_at = name_at
        self._ahead: Row | None = None

    async def next_key(self) -> PlayerKey | None:
        """The player of the row ahead; None at the end."""
        if self._ahead is None:
            self._ahead = await anext(self._rows, None)
        return None if self._ahead is None else (self._ahead[0], self._ahead[self._player_at])

    async def of(self, key: PlayerKey) -> AsyncIterator[T]:
        """The rows ahead that are this player's. One that cannot be read is a finding."""
        if await self.next_key() != key:
            return
        partner, player, at = *key, self._player_at
        row = self._ahead
        while row is not None and row[at] == player and row[0] == partner:
            try:
                made = self._make(row)
            except (ValueError, TypeError) as error:
                name = row[self._name_at]
                where = name if isinstance(name, int) else 0
                for finding in at_table("readable", *key, self._what, name, error, row=where):
                    self._report.found.add(finding)
            else:
                yield made
            row = await anext(self._rows, None)
        self._ahead = row


async def audit(
    db: Database,
    progress: Callable[[Report], None] = lambda report: None,
    anchors: Iterable[Anchor] = (),
    stands: Callable[[Anchor], None] = lambda anchor: None,
    schema: Iterable[str] = (),
) -> Report:
    """Recompute everything from the journal and compare.

    `progress` is called after each player, `stands` with where his chain stands now. `anchors`: where chains
    stood at an earlier audit, in order of player. `schema`: what is known to be wrong with the tables, a
    sentence each.
    """
    await db.begin_snapshot()
    report, totals = Report(), Totals()
    streams = _Streams(db, anchors, report)
    while (key := await streams.next_key()) is not None:
        await _player(key, streams, report, totals, stands)
        report.found.finish()
        progress(report)
    for finding in [*totals.end(), *await _tables(db, schema)]:
        report.found.add_late(finding)
    report.currencies = sorted({currency for _, currency in totals.players})
    return report


class _Streams:
    """All that is stored, and the anchors, by player."""

    def __init__(self, db: Database, anchors: Iterable[Anchor], report: Report) -> None:
        self.players = _Ordered("player", db.stream(PLAYERS), audited.head_of, report)
        self.rounds = _Ordered("round", db.stream(ROUNDS), audited.round_of, report, name_at=ROUND_ID)
        self.rows = _Ordered("row", db.stream(JOURNAL), audited.row_of, report, name_at=2)
        self.anchors = _Ordered("anchor", _as_stream(anchors), lambda row: Anchor(*row), report)

    async def next_key(self) -> PlayerKey | None:
        """The next player of whom there is anything."""
        streams = (self.players, self.rounds, self.rows, self.anchors)
        keys = [key for stream in streams if (key := await stream.next_key()) is not None]
        return min(keys, default=None)


async def _as_stream(anchors: Iterable[Anchor]) -> AsyncIterator[Row]:
    for anchor in anchors:
        yield msgspec.structs.astuple(anchor)


async def _player(
    key: PlayerKey, streams: _Streams, report: Report, totals: Totals, stands: Callable[[Anchor], None]
) -> None:
    found = report.found
    anchor = await _only(streams.anchors.of(key), "anchors", key, report)
    checks = PlayerAudit(*key, anchor)
    async for row in streams.rows.of(key):
        report.rows += 1
        totals.see(row)
        for finding in checks.see(row):
            found.add(finding)
    async for played in streams.rounds.of(key):
        report.rounds += 1
        for finding in checks.play(played):
            found.add(finding)
    head = await _only(streams.players.of(key), "players", key, report)
    held = head.wallets if head else {}
    if head is not None:
        report.players += 1
        report.wallets += len(held)
        totals.hold(key[0], held)
    for finding in checks.end(Stored(head, held)):
        found.add(finding)
    if checks.past.seq:
        stands(Anchor(*key, checks.past.seq, checks.past.head))


async def _only(found: AsyncIterator[T], what: str, key: PlayerKey, report: Report) -> T | None:
    """The one there may be."""
    all_ = [one async for one in found]
    if len(all_) > 1:
        for finding in at_table("keys", *key, what, "one id", len(all_)):
            report.found.add(finding)
    return all_[-1] if all_ else None


async def _tables(db: Database, schema: Iterable[str]) -> list[Finding]:
    """What is wrong with the tables as wholes."""
    found: list[Finding] = []
    for what, sql in DOUBLE.items():
        for partner, value, player, count in await db.fetch(sql):
            found += at_table("keys", partner, player, what, value, count)
    for partner, player, key, uuid in await db.fetch(LOST_ATTEMPTS):
        found += at_table("attempts", partner, player, key, uuid)
    for sentence in schema:
        found += at_table("schema", "", "", sentence)
    found += [finding async for finding in round_log.findings(db)]
    return found
