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
        self, rows: AsyncIterator[Row], key: Callable[[T], PlayerKey], make: Callable[[Any], T]
    ) -> None:
        self._rows = rows
        self._key = key
        self._make = make
        self._ahead: T | None = None

    async def next_key(self) -> PlayerKey | None:
        """The player of the row ahead; None at the end."""
        if self._ahead is None:
            row = await anext(self._rows, None)
            self._ahead = None if row is None else self._make(row)
        return None if self._ahead is None else self._key(self._ahead)

    async def of(self, key: PlayerKey) -> AsyncIterator[T]:
        """The rows ahead that are this player's."""
        while await self.next_key() == key:
            row, self._ahead = self._ahead, None
            if row is not None:
                yield row


async def audit(db: Database, progress: Callable[[Report], None] = lambda report: None) -> Report:
    """Recompute everything from the journal and compare. `progress` is told after each player."""
    await db.begin_snapshot()
    report, totals = Report(), Totals()
    players = _Ordered(db.stream(PLAYERS), lambda p: (p.partner, p.id), columns.player_of)
    wallets = _Ordered(db.stream(WALLETS), lambda w: (w[0], w[1]), tuple[Any, ...])
    rounds = _Ordered(db.stream(ROUNDS), lambda r: (r.partner, r.player), columns.round_of)
    rows = _Ordered(db.stream(JOURNAL), lambda e: (e.partner, e.player), columns.entry_of)
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
        held = {w[2]: read_stored(w[3]) async for w in wallets.of(key)}
        _close(report, totals, checks, account, held)
        progress(report)
    await _whole(db, report, totals)
    return report


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
