"""Feeding the audit: players, wallets, rounds and journal rows as four ordered streams, merged by player.

Reads the tables and nothing else, all in one snapshot, in bounded memory.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Generic, TypeVar

import msgspec

from caisse.core.audit import Account, Finding, PlayerAudit, Totals
from caisse.core.book import PlayerKey
from caisse.core.money import read_stored
from caisse.store import columns
from caisse.store.api import Database, Row

T = TypeVar("T")

PLAYERS: Final = f"select {columns.PLAYER_SELECT} from player order by partner, id"
WALLETS: Final = """
select partner, player, currency, cast(balance as text) from wallet order by partner, player, currency"""
ROUNDS: Final = f"select {columns.ROUND_SELECT} from round order by partner, player, provider, id"
JOURNAL: Final = f"select {columns.JOURNAL_SELECT} from journal order by partner, player, seq"
DOUBLE_KEYS: Final = "select partner, key, count(*) from journal group by partner, key having count(*) > 1"

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
        self, rows: AsyncIterator[Row], player_at: int, make: Callable[[Any], T], report: Report
    ) -> None:
        self._rows = rows
        self._player_at = player_at
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
        while await self.next_key() == key:
            row, self._ahead = self._ahead, None
            try:
                made = self._make(row)
            except (ValueError, TypeError) as error:
                self._report.add(Finding("readable", *key, f"a row cannot be read: {error}"))
            else:
                yield made


async def audit(db: Database, progress: Callable[[Report], None] = lambda report: None) -> Report:
    """Recompute everything from the journal and compare. `progress` is told after each player."""
    await db.begin_snapshot()
    report, totals = Report(), Totals()
    players = _Ordered(db.stream(PLAYERS), 1, columns.player_of, report)
    wallets = _Ordered(db.stream(WALLETS), 1, _wallet_of, report)
    rounds = _Ordered(db.stream(ROUNDS), columns.ROUND.index("player"), columns.round_of, report)
    rows = _Ordered(db.stream(JOURNAL), 1, columns.entry_of, report)
    while keys := [k for s in (players, wallets, rounds, rows) if (k := await s.next_key()) is not None]:
        key = min(keys)
        checks = PlayerAudit(*key)
        async for row in rows.of(key):
            report.rows += 1
            totals.see(row)
            for finding in checks.see(row):
                report.add(finding)
        account = Account(*key, None, [r async for r in rounds.of(key)])
        async for player in players.of(key):
            account = msgspec.structs.replace(account, player=player)
        held = dict([wallet async for wallet in wallets.of(key)])
        _close(report, totals, checks, account, held)
        progress(report)
    await _whole(db, report, totals)
    return report


def _wallet_of(row: Row) -> tuple[str, int]:
    return row[2], read_stored(row[3])


def _close(
    report: Report, totals: Totals, checks: PlayerAudit, account: Account, held: dict[str, int]
) -> None:
    report.rounds += len(account.rounds)
    report.wallets += len(held)
    if account.player:
        report.players += 1
        account.player.wallets = held
        totals.hold(account.player)
    elif held:
        report.add(Finding("balances", account.partner, account.id, "wallets without a player"))
    for finding in checks.end(account):
        report.add(finding)


async def _whole(db: Database, report: Report, totals: Totals) -> None:
    for finding in totals.end():
        report.add(finding)
    for partner, key, count in await db.fetch(DOUBLE_KEYS):
        report.add(Finding("keys", partner, "", f"{count} rows under the key {key}"))
    report.currencies = sorted({currency for _, currency in totals.players})
