"""Finding a story by any id: a transaction, a uuid, a reference, a round, a session or a user.

A request's story is all rows and attempts under the keys that belong to it: a bet with its rollback, its
tombstone and the bet that came too late, and what its round says where that decided. Every look-up goes
through an index but two: a known user's attempts, and the last resort for what no index leads to.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from caisse.core.attempts import Attempt
from caisse.core.entries import Entry, Kind
from caisse.core.requests import play_key, second_key_of, transfer_key
from caisse.core.verdicts import Verdict
from caisse.store import columns
from caisse.store.api import Database

BET_KINDS: Final = ("bet", "late", "rollback")
"""The key spaces of one bet's story."""
REFERENCE_KINDS: Final = (*BET_KINDS, "result", "bonus", "jackpot", "promo")
"""The key spaces in which a reference can stand."""
ROUND_KINDS: Final = ("end", "unround")

LATE: Final = frozenset({Verdict.LATE_BET, Verdict.ABSORBED})
OF_ROUND: Final = frozenset({Verdict.BET_SETTLED, Verdict.NO_STANDING_BET, Verdict.ROUND_ENDED})
"""Refusals that only the other rows of the round explain."""
SEVERAL_ROWS: Final = frozenset({Kind.PROMO, Kind.RESULT, Kind.ROUND_ROLLBACK})
"""What is decided together with other rows (R32, R48)."""

MOST: Final = 100
"""Rows read of a user, a busy round or a uuid that was used often; of a user the newest."""
MOST_ATTEMPTS: Final = 1_000
"""Lines of attempts read for one id; equal ones are told as one."""
KEYS_AT_ONCE: Final = 50
"""Keys in one statement."""

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
    scope = await _scope(db, text.strip(), partner)
    found = {name: await search(scope) for name, search in SEARCHES.items()}
    arrived = await _attempts(scope, "uuid", {(p, u) for p in scope.partners for u in _spellings(scope.text)})
    user = await _user(scope)
    if not (user or arrived or any(found.values())):
        found = {"round or session": await _last_resort(scope)}
    own = _distinct(row for some in found.values() for row in some)
    own |= _distinct(await _under_its_keys(scope, own.values(), arrived))
    rows = own | _distinct(await _around(scope, own.values()))
    arrived += await _attempts_of(scope, rows.values()) + await _attempts_by_user(scope, user)
    own |= _distinct(user)
    rows |= own
    rows |= _distinct(await _answering(scope, rows.values(), arrived))
    named = [name for name, some in found.items() if some] + ["user"] * bool(user)
    found_as = named or ["uuid"] * bool(arrived)
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
        key = (a.partner, a.player, a.key, a.verdict, a.rule, a.replay, a.endpoint, a.uuid, a.content)
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
    rows = await _everywhere(scope, "uuid = $2 and provider <> ''")
    keys = {(partner, transfer_key(u)) for partner in scope.partners for u in _spellings(scope.text)}
    return rows + await _by_keys(scope, keys)


async def _partner_transaction(scope: Scope) -> list[Entry]:
    return await _by_keys(scope, {(p, second_key_of(scope.text)) for p in scope.partners}, "second_key")


async def _reference(scope: Scope) -> list[Entry]:
    return await _by_keys(scope, _play_keys(scope, REFERENCE_KINDS))


async def _session(scope: Scope) -> list[Entry]:
    return await _by_keys(scope, _play_keys(scope, ("session",)))


def _play_keys(scope: Scope, kinds: Iterable[str]) -> EntryKeys:
    return {(p, play_key(kind, provider, scope.text)) for p, provider in scope.providers for kind in kinds}


async def _round(scope: Scope) -> list[Entry]:
    found = await _by_keys(scope, _play_keys(scope, ROUND_KINDS))
    for partner, provider in scope.providers:
        found += await _round_rows(scope, partner, provider, scope.text)
    return found


async def _round_rows(scope: Scope, partner: str, provider: str, round_: str) -> list[Entry]:
    """The rows of a round that is known, from the one that opened it on."""
    sql = "select player, opened_seq from round where partner = $1 and provider = $2 and id = $3"
    found: list[Entry] = []
    for player, opened in await scope.db.fetch(sql, partner, provider, round_):
        where = "partner = $1 and player = $2 and seq >= $3 and provider = $4 and round = $5"
        found += await _journal(scope, where, partner, player, opened, provider, round_)
    return found


async def _user(scope: Scope) -> list[Entry]:
    return await _everywhere(scope, "player = $2", newest=True)


SEARCHES: Final = {
    "transaction": _transaction,
    "uuid": _uuid,
    "partner's transaction": _partner_transaction,
    "reference": _reference,
    "round": _round,
    "session": _session,
}


async def _last_resort(scope: Scope) -> list[Entry]:
    """The whole journal, for a round that was never opened since its bets were refused, or a live session."""
    return await _everywhere(scope, "(round = $2 or session = $2)")


async def _under_its_keys(scope: Scope, rows: Iterable[Entry], attempts: Iterable[Attempt]) -> list[Entry]:
    """The rows of the same story as those found: a bet's, its rollback's, its late bet's."""
    keys = {(row.partner, key) for row in rows for key in related(row.key)}
    keys |= {(a.partner, key) for a in attempts for key in related(a.key)}
    second_keys = {(a.partner, a.key) for a in attempts}
    return await _by_keys(scope, keys) + await _by_keys(scope, second_keys, "second_key")


async def _around(scope: Scope, rows: Iterable[Entry]) -> list[Entry]:
    """The other rows without which these cannot be understood."""
    rows = list(rows)
    late = {(row.partner, play_key("unround", row.provider, row.round)) for row in rows if _is_late(row)}
    found = await _by_keys(scope, late)
    for partner, provider, round_ in _rounds_that_decided(rows):
        found += await _round_rows(scope, partner, provider, round_)
    for id_ in sorted({row.id for row in [*rows, *found] if row.part or row.kind in SEVERAL_ROWS}):
        found += await _by_id(scope, id_)
    return found


async def _answering(scope: Scope, rows: Iterable[Entry], attempts: Iterable[Attempt]) -> list[Entry]:
    """The rows that repeats were answered from, where they are not among those read: older ones, say."""
    known = {(row.partner, key) for row in rows for key in (row.key, row.second_key)}
    repeats = [a for a in attempts if a.replay]
    keys = {(a.partner, key) for a in repeats for key in (*related(a.key), transfer_key(a.uuid))}
    found = await _by_keys(scope, keys - known)
    return found + await _by_keys(scope, {(a.partner, a.key) for a in repeats} - known, "second_key")


def _is_late(row: Entry) -> bool:
    return bool(row.round) and row.verdict in LATE


def _rounds_that_decided(rows: Iterable[Entry]) -> list[tuple[str, str, str]]:
    named = {(r.partner, r.provider, r.round) for r in rows if r.verdict in OF_ROUND and r.round}
    return sorted(named)


async def _by_id(scope: Scope, id_: str) -> list[Entry]:
    return [row for row in await _journal(scope, "id = $1", id_) if row.partner in scope.partners]


async def _everywhere(scope: Scope, where: str, *, newest: bool = False) -> list[Entry]:
    """The rows that have the text there, at each partner; `$2` is the text."""
    found: list[Entry] = []
    for partner in scope.partners:
        found += await _journal(scope, f"partner = $1 and {where}", partner, scope.text, newest=newest)
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


async def _journal(scope: Scope, where: str, *args: Any, newest: bool = False) -> list[Entry]:
    order = "seq desc" if newest else "seq"
    sql = f"select {columns.JOURNAL_SELECT} from journal where {where} order by {order}"
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


async def _attempts_by_user(scope: Scope, rows: list[Entry]) -> list[Attempt]:
    return await _attempts(scope, "player", {(row.partner, row.player) for row in rows})


async def _attempts(scope: Scope, column: str, keys: EntryKeys) -> list[Attempt]:
    """`column` is key, uuid or player."""
    found: list[Attempt] = []
    for partner, some in _chunks(keys):
        sql = (
            f"select {', '.join(columns.ATTEMPT)} from attempt where partner = $1"
            f" and {column} in ({_places(some)}) order by last_at desc"
        )
        found += [_attempt(row) for row in await _read(scope, sql, MOST_ATTEMPTS, partner, *some)]
    return found


def _attempt(row: Iterable[Any]) -> Attempt:
    fields: Mapping[str, Any] = dict(zip(columns.ATTEMPT, row, strict=True))
    return Attempt(**{**fields, "replay": bool(fields["replay"])})
