"""Feeding the audit: players, rounds and journal rows as ordered streams, merged by player.

Reads the tables and nothing else, all in one snapshot, in bounded memory. An anchor, written by an earlier
audit, is one more such stream.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from caisse.core import audited
from caisse.core.audit import Finding, PlayerAudit, Stored, Totals
from caisse.core.audit_past import Anchor
from caisse.store.api import Database, Row

T = TypeVar("T")
PlayerKey = tuple[str, str]


def _select(table: str, columns: Sequence[str], order: str) -> str:
    as_text = {
        *audited.AMOUNTS,
        "staked",
        "won",
        "jackpot",
        "opened_id",
        *(["id"] if table == "journal" else []),
    }
    cells = ", ".join(f"cast({c} as text)" if c in as_text else c for c in columns)
    return f"select {cells} from {table} order by {order}"


PLAYERS: Final = _select("player", audited.HEAD, "partner, id")
ROUNDS: Final = _select("round", audited.ROUND, "partner, player, provider, id")
JOURNAL: Final = _select("journal", audited.JOURNAL, "partner, player, seq")

DOUBLE: Final = {
    "key": """
select partner, key, min(player), count(*) from journal group by partner, key having count(*) > 1""",
    "second_key": """
select partner, second_key, min(player), count(*) from journal where second_key <> ''
group by partner, second_key having count(*) > 1""",
    "id and part": """
select min(partner), cast(id as text), min(player), count(*) from journal
group by id, part having count(*) > 1""",
}
"""What must be there once -> those that are there more often."""

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

FINDINGS_KEPT: Final = 1_000
"""Findings listed in a report; more are counted. A broken ledger must not fill the memory."""


class Report(msgspec.Struct):
    """What an audit looked at and what it found."""

    players: int = 0
    wallets: int = 0
    rounds: int = 0
    rows: int = 0
    currencies: list[str] = []
    findings: list[Finding] = []
    findings_total: int = 0

    def add(self, finding: Finding) -> None:
        """Count a finding, and list it while there is room."""
        self.findings_total += 1
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append(finding)


class _Ordered(Generic[T]):
    """A stream of rows in order of player, read one ahead."""

    def __init__(
        self, what: str, rows: AsyncIterator[Row], at: int, make: Callable[[Row], T], report: Report
    ) -> None:
        self._what = what
        self._rows = rows
        self._player_at = at
        self._make = make
        self._report = report
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
                self._report.add(Finding("readable", *key, f"{self._what} {row[2]} cannot be read: {error}"))
            else:
                yield made
            row = await anext(self._rows, None)
        self._ahead = row


async def audit(
    db: Database,
    progress: Callable[[Report], None] = lambda report: None,
    anchors: Iterable[Anchor] = (),
    stands: Callable[[Anchor], None] = lambda anchor: None,
) -> Report:
    """Recompute everything from the journal and compare.

    `progress` is told after each player, `stands` where the player's chain stands now. `anchors`: where it
    stood at an earlier audit, in order of player.
    """
    await db.begin_snapshot()
    report, totals = Report(), Totals()
    streams = _Streams(db, anchors, report)
    while (key := await streams.next_key()) is not None:
        await _player(key, streams, report, totals, stands)
        progress(report)
    await _whole(db, report, totals)
    return report


class _Streams:
    """All that is stored, and the anchors, by player."""

    def __init__(self, db: Database, anchors: Iterable[Anchor], report: Report) -> None:
        self.players = _Ordered("player", db.stream(PLAYERS), 1, audited.head_of, report)
        self.rounds = _Ordered("round", db.stream(ROUNDS), 3, audited.round_of, report)
        self.rows = _Ordered("row", db.stream(JOURNAL), 1, audited.row_of, report)
        self.anchors = _Ordered("anchor", _as_stream(anchors), 1, lambda row: Anchor(*row), report)

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
    anchor = await _only(streams.anchors.of(key), "anchors", key, report)
    checks = PlayerAudit(*key, anchor)
    async for row in streams.rows.of(key):
        report.rows += 1
        totals.see(row)
        for finding in checks.see(row):
            report.add(finding)
    async for played in streams.rounds.of(key):
        report.rounds += 1
        for finding in checks.play(played):
            report.add(finding)
    head = await _only(streams.players.of(key), "players", key, report)
    held = head.wallets if head else {}
    if head is not None:
        report.players += 1
        report.wallets += len(held)
        totals.hold(key[0], held)
    for finding in checks.end(Stored(head, held)):
        report.add(finding)
    if checks.past.seq:
        stands(Anchor(*key, checks.past.seq, checks.past.head))


async def _only(found: AsyncIterator[T], what: str, key: PlayerKey, report: Report) -> T | None:
    """The one there may be."""
    all_ = [one async for one in found]
    if len(all_) > 1:
        report.add(Finding("keys", *key, f"{len(all_)} {what} under one id"))
    return all_[-1] if all_ else None


async def _whole(db: Database, report: Report, totals: Totals) -> None:
    for finding in totals.end():
        report.add(finding)
    for what, sql in DOUBLE.items():
        for partner, value, player, count in await db.fetch(sql):
            report.add(Finding("keys", partner, player, f"{count} rows under the {what} {value}"))
    for partner, player, key, uuid in await db.fetch(LOST_ATTEMPTS):
        report.add(
            Finding("attempts", partner, player, f"{key} (uuid {uuid}) was asked again, and is not there")
        )
    report.currencies = sorted({currency for _, currency in totals.players})
