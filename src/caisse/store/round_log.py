"""The slot log in the tables: numbering what fell due, reading pages by number, and feeding its audit (R57).

Each step of numbering is one transaction under the row lock of the partner's head: it takes the first rows of
the partner's queue and gives them the next numbers. Neither the order of commits nor any clock matters: a
step sees a row when its money is committed, and begins where the last step ended.

Within a step rows stand in the order of the time that they show; a player's rows always in the journal's.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, Protocol

from caisse.audit.findings import Finding
from caisse.audit.round_log import Claimed, Logged, Moved, check_log, check_player
from caisse.core.money import read_stored
from caisse.core.round_log import LogQuery, Numbered
from caisse.store.api import Database, Row
from caisse.store.columns import DUE

COLUMNS: Final = (*DUE, "number", "player_number")
"""Of `round_log`."""

NEXT_PARTNER: Final = "select partner from round_due where partner > $1 order by partner limit 1"
"""The next partner who has rows in the queue: one look at its key for each, however long it is."""

HEAD: Final = "select next from round_log_head where partner = $1"

FIRST_DUE: Final = "select * from round_due where partner = $1 order by player, seq limit $3"

NUMBERED: Final = f"""
select {", ".join(DUE)},
    $2 + row_number() over (order by shown_at, player, seq) - 1 as number,
    coalesce((select max(earlier.player_number) + 1 from round_log as earlier
        where earlier.partner = $1 and earlier.player = dated.player), 0)
        + row_number() over (partition by player order by seq) - 1 as player_number
from (select *, max(at) over (partition by player order by seq) as shown_at from picked) as dated"""
"""The rows of `picked` with their numbers. `shown_at` is never less than that of the player's row before."""

_SHOWN: Final = (
    "game, currency, cast(staked as text), cast(won as text), jackpot_id, cast(jackpot as text), number"
)
PAGE: Final = f"""
select number, {_SHOWN} from round_log
where partner = $1 and number >= $2 order by number limit $3"""
PLAYERS_PAGE: Final = f"""
select player_number, {_SHOWN} from round_log
where partner = $1 and player_number >= $2 and player = $4 order by player_number limit $3"""


class RoundLog(Protocol):
    """A connection for the slot log. Whatever goes wrong is raised; then it is of no more use."""

    async def page(self, wanted: LogQuery) -> list[Numbered]:
        """Rows by their number, lowest first. Every one of them is durable."""
        ...

    async def next_partner(self, after: str) -> str | None:
        """The next partner by id who has rows in the queue."""
        ...

    async def number(self, partner: str, rows: int) -> int:
        """Give the partner's first rows of the queue their numbers, durably; how many, `rows` at most.

        0 too where another server does it just now.
        """
        ...

    async def close(self) -> None:
        """Release the connection."""
        ...


def arguments(wanted: LogQuery) -> tuple[str, list[Any]]:
    """The statement for a page, and its arguments."""
    args: list[Any] = [wanted.partner, wanted.start, wanted.limit]
    return (PLAYERS_PAGE, [*args, wanted.player]) if wanted.player else (PAGE, args)


def shown(rows: Iterable[Any]) -> list[Numbered]:
    """A page's rows. ValueError for one that holds no amount where it should."""
    return [
        Numbered(
            index, game, currency, read_stored(staked), read_stored(won), jackpot_id, read_stored(jackpot)
        )
        for index, game, currency, staked, won, jackpot_id, jackpot, _ in rows
    ]


# -- for the audit --

_ROW: Final = (
    "partner, player, seq, provider, round, game, currency,"
    " cast(staked as text), cast(won as text), jackpot_id, cast(jackpot as text)"
)
_MOVES: Final = """
select partner, player, seq, kind, verdict, provider, round, game, currency, cast(amount as text), name
from journal where round <> '' order by partner, player, seq"""
_LOGGED: Final = f"select {_ROW}, player_number from round_log order by partner, player, player_number"
_WAITING: Final = f"select {_ROW} from round_due order by partner, player, seq"
_CLAIMED: Final = """
select partner, player, provider, id, logged, cast(logged_staked as text), cast(logged_won as text),
    cast(logged_jackpot as text)
from round order by partner, player, provider, id"""
_NUMBERS: Final = """
select log.partner, count(*), min(number), max(number), (
    select next from round_log_head as head where head.partner = log.partner)
from round_log as log group by log.partner"""
_HEADS_ALONE: Final = """
select partner, next from round_log_head as head
where next > 0 and not exists (select 1 from round_log where round_log.partner = head.partner)"""


async def findings(db: Database) -> AsyncIterator[Finding]:
    """What the audit has against the slot log: recomputed from the journal, in bounded memory.

    Inside a snapshot (`Database.begin_snapshot`), since it streams.
    """
    moves = _ByPlayer(db.stream(_MOVES))
    logged, waiting = _ByPlayer(db.stream(_LOGGED)), _ByPlayer(db.stream(_WAITING))
    claimed = _ByPlayer(db.stream(_CLAIMED))
    streams = (moves, logged, waiting, claimed)
    while (key := min([k for s in streams if (k := await s.next_key())], default=None)) is not None:
        try:
            found = check_player(
                [_moved(row) async for row in moves.of(key)],
                [_logged(row, row[-1]) async for row in logged.of(key)],
                [_logged(row, None) async for row in waiting.of(key)],
                [_claimed(row) async for row in claimed.of(key)],
            )
        except (ValueError, TypeError) as error:
            found = [f"a row cannot be read: {error}"]
        for text in found:
            yield Finding("slot log", *key, text)
    for partner, rows, first, last, following in await db.fetch(_NUMBERS):
        for text in check_log(rows, first, last, following):
            yield Finding("slot log", partner, "", text)
    for partner, following in await db.fetch(_HEADS_ALONE):
        yield Finding("slot log", partner, "", f"the log is empty, its head stands at {following}")


def _moved(row: Row) -> Moved:
    _, _, seq, kind, verdict, provider, round_, game, currency, amount, name = row
    return Moved(seq, kind, verdict, provider, round_, game, currency, read_stored(amount), name)


def _logged(row: Row, number: int | None) -> Logged:
    _, _, seq, provider, round_, game, currency, staked, won, jackpot_id, jackpot = row[:11]
    amounts = (read_stored(staked), read_stored(won), jackpot_id, read_stored(jackpot))
    return Logged(number, (seq, provider, round_, game, currency, *amounts))


def _claimed(row: Row) -> Claimed:
    _, _, provider, id_, logged, *amounts = row
    return Claimed(provider, id_, bool(logged), *map(read_stored, amounts))


class _ByPlayer:
    """A stream in order of player, read one row ahead."""

    def __init__(self, rows: AsyncIterator[Row]) -> None:
        self._rows = rows
        self._ahead: Row | None = None

    async def next_key(self) -> tuple[str, str] | None:
        """The player of the row ahead; None at the end."""
        if self._ahead is None:
            self._ahead = await anext(self._rows, None)
        return None if self._ahead is None else (self._ahead[0], self._ahead[1])

    async def of(self, key: tuple[str, str]) -> AsyncIterator[Row]:
        """The rows ahead that are this player's."""
        while await self.next_key() == key and self._ahead is not None:
            row, self._ahead = self._ahead, None
            yield row
