"""Finding a story by any id: a transaction, a uuid, a reference, a round, a session or a user.

A request's story is all rows and attempts under the keys that belong to it: a bet with its rollback, its
tombstone and the bet that came too late, and what its round says where that decided. Every look-up goes
through an index and reads a bounded number of rows, however long the journal is; where that may leave
something out, the story says so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from caisse.core import keys
from caisse.core.attempts import Attempt
from caisse.core.book import Round
from caisse.core.entries import Entry, Kind
from caisse.core.verdicts import Verdict
from caisse.store import columns
from caisse.store import read as reading
from caisse.store.api import Database

BET_KINDS: Final = ("bet", "late", "rollback")
"""The key spaces of one bet's story."""

LATE: Final = frozenset({Verdict.LATE_BET, Verdict.ABSORBED})
OF_ROUND: Final = frozenset({Verdict.BET_SETTLED, Verdict.NO_STANDING_BET, Verdict.ROUND_ENDED})
"""Refusals that only the other rows of the round explain."""
IN_ROUNDS: Final[Mapping[Kind, str]] = {
    Kind.BET: "staked",
    Kind.ROLLBACK: "staked",
    Kind.RESULT: "won",
    Kind.BONUS: "won",
    Kind.JACKPOT: "jackpot",
}
"""Kind -> the sum of its round that it counts in."""
PLAYED: Final = "kind in ('bet', 'rollback') and verdict = 'ok'"
"""What the index of rounds holds, word for word."""
STRAY: Final = "round <> '' and (verdict <> 'ok' or kind in ('bonus', 'jackpot', 'promo'))"
"""What the index of strays holds, word for word."""
SEVERAL_ROWS: Final = frozenset({Kind.PROMO, Kind.RESULT, Kind.ROUND_ROLLBACK})
"""What is decided together with other rows (R32, R48)."""

MOST: Final = 100
"""Rows read of a user, a busy round or a uuid that was used often; of a user the newest."""
MOST_ATTEMPTS: Final = 1_000
"""Lines of attempts read for one id; equal ones are told as one."""
KEYS_AT_ONCE: Final = 50
"""Keys in one statement."""
NEIGHBOURS: Final = 1_000
"""A player's rows that are looked through for those of a round from its opening on, or of a session."""

is_uuid = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII).fullmatch

EntryKeys = set[tuple[str, str]]
Rows = dict[tuple[str, str, int], Entry]


class Story(msgspec.Struct):
    """What was found: journal rows in order of time, and attempts."""

    found_as: list[str]
    rows: list[Entry]
    attempts: list[Attempt]
    own: list[Entry]
    """Of the rows those under the id's own keys: what it moved, without what only explains it."""
    cut: bool = False
    """Whether there is more than was read."""


class Scope(msgspec.Struct):
    """What is looked for, and at whose; and whether any read so far came to its limit."""

    db: Database
    text: str
    partners: list[str]
    providers: list[tuple[str, str]]
    """(partner, provider)"""
    cut: bool = False


async def find(db: Database, text: str, partner: str = "") -> Story:
    """Everything that belongs to an id, of one partner or of all; an empty story if nothing does."""
    scope = await _scope(db, text, partner)
    found = {name: await search(scope) for name, search in SEARCHES.items()}
    named = await _attempts_named(scope)
    arrived = [a for some in named.values() for a in some]
    user = await _user(scope)
    own = _distinct(row for some in found.values() for row in some)
    own |= _distinct(await _under_its_keys(scope, own.values(), arrived))
    rows = own | _distinct(await _around(scope, own.values()))
    arrived += await _attempts_of(scope, rows.values())
    own |= _distinct(user)
    rows |= own
    rows |= _distinct(await _answering(scope, rows.values(), arrived))
    found_as = [name for name, some in found.items() if some] + ["user"] * bool(user)
    found_as = found_as or [name for name, some in named.items() if some]
    return Story(found_as, _ordered(rows), folded(arrived), _ordered(own), scope.cut)


async def _scope(db: Database, text: str, partner: str) -> Scope:
    partners = [row[0] for row in await db.fetch("select id from partner order by id")]
    sql = "select distinct partner, provider from connection order by partner, provider"
    providers = [(row[0], row[1]) for row in await db.fetch(sql)]
    if partner:
        partners, providers = [partner], [pair for pair in providers if pair[0] == partner]
    return Scope(db, text, partners, providers)


def related(key: str) -> list[str]:
    """The keys whose rows belong to one story: a bet's with its rollback's."""
    kind, _, rest = key.partition(":")
    return [f"{other}:{rest}" for other in BET_KINDS] if kind in BET_KINDS else [key]


def folded(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Equal attempts as one, in order of the first; each line is read once, however it was found."""
    lines: dict[tuple[Any, ...], Attempt] = {}
    for a in {msgspec.structs.astuple(a): a for a in attempts}.values():
        key = msgspec.structs.astuple(a)[:-3]
        line = lines.setdefault(key, a)
        if line is not a:
            first, last = min(line.first_at, a.first_at), max(line.last_at, a.last_at)
            lines[key] = msgspec.structs.replace(
                line, count=line.count + a.count, first_at=first, last_at=last
            )
    return sorted(lines.values(), key=lambda a: a.first_at)


def _distinct(rows: Iterable[Entry]) -> Rows:
    return {(row.partner, row.player, row.seq): row for row in rows}


def _ordered(rows: Rows) -> list[Entry]:
    return sorted(rows.values(), key=lambda row: (row.at, row.partner, row.player, row.seq))


def _spellings(uuid: str) -> set[str]:
    """The transfer door reads uuids as lower case."""
    return {uuid, uuid.lower()}


async def _transaction(scope: Scope) -> list[Entry]:
    return await _by_id(scope, scope.text.lower()) if is_uuid(scope.text) else []


async def _uuid(scope: Scope) -> list[Entry]:
    rows = await _everywhere(scope, "uuid = $2 and provider <> ''", order="")
    wanted = {(partner, keys.transfer(u)) for partner in scope.partners for u in _spellings(scope.text)}
    return rows + await _by_keys(scope, wanted)


async def _partner_transaction(scope: Scope) -> list[Entry]:
    return await _by_keys(scope, {(p, keys.second(scope.text)) for p in scope.partners}, "second_key")


async def _reference(scope: Scope) -> list[Entry]:
    return await _by_keys(scope, _reference_keys(scope))


def _reference_keys(scope: Scope) -> EntryKeys:
    return {
        (partner, keys.of_reference(space, provider, scope.text))
        for partner, provider in scope.providers
        for space in keys.REFERENCES
    }


async def _round(scope: Scope) -> list[Entry]:
    """Of every player who has a round of that id, and what names one that is not known."""
    found = await _everywhere(scope, f"round = $2 and {STRAY}", order="")
    by_id = f"select {columns.ROUND_SELECT} from {scope.db.by_index('round', 'round_id')}"
    for partner, provider in scope.providers:
        sql = f"{by_id} where partner = $1 and provider = $2 and id = $3"
        for row in await _read(scope, sql, MOST, partner, provider, scope.text):
            found += await _round_rows(scope, columns.round_of(row))
    return found


async def _known_round(scope: Scope, partner: str, player: str, provider: str, id_: str) -> list[Entry]:
    """The rows of one player's round, if it is known."""
    found = await reading.played_round(scope.db, partner, player, provider, id_)
    return await _round_rows(scope, found) if found else []


async def _round_rows(scope: Scope, known: Round) -> list[Entry]:
    """A round's bets and rollbacks, what closed it, its newest result, and what stands near its opening.

    Results have no index of their own, which each of them would pay for. What is missing shows in the sums.
    """
    whose = (known.partner, known.player)
    named = (known.provider, known.id)
    of_round = "partner = $1 and player = $2 and provider = $3 and round = $4"
    found = await _journal(scope, f"{of_round} and {PLAYED}", *whose, *named, order="")
    near = "partner = $1 and player = $2 and seq >= $3 and seq < $4 and provider = $5 and round = $6"
    opened = known.opened_seq
    found += await _journal(scope, near, *whose, opened, opened + NEIGHBOURS, *named)
    settled = "partner = $1 and player = $2 and seq = $3"
    found += await _journal(scope, settled, *whose, known.settled_seq)
    ends = {keys.of_player(space, known.provider, known.player, known.id) for space in keys.ROUNDS}
    found += await _by_keys(scope, {(known.partner, key) for key in ends})
    stray = f"partner = $1 and round = $2 and {STRAY} and player = $3 and provider = $4"
    found += await _journal(scope, stray, known.partner, known.id, known.player, known.provider, order="")
    rows = _distinct(row for row in found if (row.provider, row.round) == named)
    scope.cut = scope.cut or not _adds_up(known, rows.values())
    return list(rows.values())


def _adds_up(known: Round, rows: Iterable[Entry]) -> bool:
    """Whether these are all rows that moved money in the round."""
    sums = dict.fromkeys(("staked", "won", "jackpot"), 0)
    for row in rows:
        if row.kind in IN_ROUNDS:
            sums[IN_ROUNDS[row.kind]] += row.amount
    return (-sums["staked"], sums["won"], sums["jackpot"]) == (known.staked, known.won, known.jackpot)


async def _session(scope: Scope) -> list[Entry]:
    """Of those who ended a session of that id, and of those whose newest it is, up to then and now."""
    ended = await _everywhere(scope, "session = $2 and kind = 'session'", order="")
    last = {(row.partner, row.player): row.seq for row in ended}
    for partner in scope.partners:
        sql = "select id, seq from player where partner = $1 and session = $2 and session <> ''"
        for player, seq in await _read(scope, sql, MOST, partner, scope.text):
            last[partner, player] = seq
    found = ended
    where = "partner = $1 and player = $2 and seq > $3 and seq <= $4 and session = $5"
    for (partner, player), seq in last.items():
        found += await _journal(scope, where, partner, player, seq - NEIGHBOURS, seq, scope.text)
        scope.cut = scope.cut or seq > NEIGHBOURS
    return found


async def _user(scope: Scope) -> list[Entry]:
    return await _everywhere(scope, "player = $2", order="seq desc")


SEARCHES: Final = {
    "transaction": _transaction,
    "uuid": _uuid,
    "partner's transaction": _partner_transaction,
    "reference": _reference,
    "round": _round,
    "session": _session,
}


async def _under_its_keys(scope: Scope, rows: Iterable[Entry], attempts: Iterable[Attempt]) -> list[Entry]:
    """The rows of the same story as those found: a bet's, its rollback's, its late bet's."""
    keys = {(row.partner, key) for row in rows for key in related(row.key)}
    keys |= {(a.partner, key) for a in attempts if a.key for key in related(a.key)}
    second_keys = {(a.partner, a.key) for a in attempts if a.key}
    return await _by_keys(scope, keys) + await _by_keys(scope, second_keys, "second_key")


async def _around(scope: Scope, rows: Iterable[Entry]) -> list[Entry]:
    """The other rows without which these cannot be understood."""
    rows = list(rows)
    late = {
        (row.partner, keys.of_player("unround", row.provider, row.player, row.round))
        for row in rows
        if _is_late(row)
    }
    found = await _by_keys(scope, late)
    for partner, player, provider, round_ in _rounds_that_decided(rows):
        found += await _known_round(scope, partner, player, provider, round_)
    for id_ in sorted({row.id for row in [*rows, *found] if row.part or row.kind in SEVERAL_ROWS}):
        found += await _by_id(scope, id_)
    return found


async def _answering(scope: Scope, rows: Iterable[Entry], attempts: Iterable[Attempt]) -> list[Entry]:
    """The rows that repeats were answered from, where they are not among those read: older ones, say."""
    known = {(row.partner, key) for row in rows for key in (row.key, row.second_key)}
    repeats = [a for a in attempts if a.replay]
    asked = {(a.partner, key) for a in repeats for key in (*related(a.key), keys.transfer(a.uuid))}
    found = await _by_keys(scope, asked - known)
    return found + await _by_keys(scope, {(a.partner, a.key) for a in repeats} - known, "second_key")


def _is_late(row: Entry) -> bool:
    return bool(row.round) and row.verdict in LATE


def _rounds_that_decided(rows: Iterable[Entry]) -> list[tuple[str, str, str, str]]:
    of_round = (row for row in rows if row.verdict in OF_ROUND and row.round)
    return sorted({(row.partner, row.player, row.provider, row.round) for row in of_round})


async def _by_id(scope: Scope, id_: str) -> list[Entry]:
    found: list[Entry] = []
    for partner in scope.partners:
        found += await _journal(scope, "partner = $1 and id = $2", partner, id_, order="part")
    return found


async def _everywhere(scope: Scope, where: str, *, order: str) -> list[Entry]:
    """The rows that have the text there, at each partner; `$2` is the text."""
    found: list[Entry] = []
    for partner in scope.partners:
        found += await _journal(scope, f"partner = $1 and {where}", partner, scope.text, order=order)
    return found


async def _by_keys(scope: Scope, keys: EntryKeys, column: str = "key") -> list[Entry]:
    """At most one row for each key; `column` is key or second_key."""
    found: list[Entry] = []
    for partner, some in _chunks(keys):
        where = f"partner = $1 and {column} in ({_places(some)}) and {column} <> ''"
        found += await _journal(scope, where, partner, *some)
    return found


def _chunks(keys: EntryKeys) -> list[tuple[str, list[str]]]:
    of: dict[str, list[str]] = {}
    for partner, key in sorted(keys):
        of.setdefault(partner, []).append(key)
    return [
        (partner, some[i : i + KEYS_AT_ONCE])
        for partner, some in of.items()
        for i in range(0, len(some), KEYS_AT_ONCE)
    ]


def _places(values: list[str]) -> str:
    return ", ".join(f"${number}" for number in range(2, len(values) + 2))


async def _journal(scope: Scope, where: str, *args: Any, order: str = "seq") -> list[Entry]:
    """`order`: a column that the index gives after `where`; empty: as the index has them.

    An order with a limit tempts PostgreSQL to walk another index that has it. Named with its table: a column
    of the same name in the select list would be sorted instead.
    """
    ordered = f" order by journal.{order}" if order else ""
    sql = f"select {columns.JOURNAL_SELECT} from journal where {where}{ordered}"
    return [columns.entry_of(row) for row in await _read(scope, sql, MOST, *args)]


async def _read(scope: Scope, sql: str, most: int, *args: Any) -> Sequence[Sequence[Any]]:
    """So many rows at most; whether there are more is seen by one that is read and left out."""
    rows = await scope.db.fetch(f"{sql} limit {most + 1}", *args)
    scope.cut = scope.cut or len(rows) > most
    return rows[:most]


async def _attempts_of(scope: Scope, rows: Iterable[Entry]) -> list[Attempt]:
    """Under the rows' keys and what belongs to them; on the transfer door a used uuid is such a key too."""
    rows = list(rows)
    keys = {(row.partner, key) for row in rows for key in (*related(row.key), row.second_key) if key}
    uuids = {(row.partner, row.uuid) for row in rows if row.uuid and not row.provider}
    return await _attempts(scope, "key", keys) + await _attempts(scope, "uuid", uuids)


async def _attempts_named(scope: Scope) -> dict[str, list[Attempt]]:
    """Those that name the id themselves, by what they call it; their player need not exist."""
    spellings = {"uuid": _spellings(scope.text)}
    return {
        name: await _attempts(
            scope,
            "player" if name == "user" else name,
            {(p, text) for p in scope.partners for text in spellings.get(name, {scope.text})},
        )
        for name in ("uuid", "reference", "round", "user")
    }


async def _attempts(scope: Scope, column: str, keys: EntryKeys) -> list[Attempt]:
    """`column` is key, uuid, reference, round or player."""
    found: list[Attempt] = []
    for partner, some in _chunks(keys):
        sql = (
            f"select {', '.join(columns.ATTEMPT)} from attempt where partner = $1"
            f" and {column} in ({_places(some)}) and {column} <> '' order by attempt.last_at desc"
        )
        found += [_attempt(row) for row in await _read(scope, sql, MOST_ATTEMPTS, partner, *some)]
    return found


def _attempt(row: Iterable[Any]) -> Attempt:
    fields: Mapping[str, Any] = dict(zip(columns.ATTEMPT, row, strict=True))
    return Attempt(**{**fields, "replay": bool(fields["replay"])})
