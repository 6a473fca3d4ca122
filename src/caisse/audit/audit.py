"""The audit: everything recomputed from the journal, and compared with what is stored (R52).

Shares no code with what decides, folds, reads or writes for the server: rows are read by `audited`, counted
by `audit_past` and checked by `audit_checks`, each in its own way. One row after another is seen, and what is
kept is for one player at a time, so the longest journal fits. Each finding names its invariant.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

from caisse.audit import checks as audit_checks
from caisse.audit import verdicts
from caisse.audit.checks import Say
from caisse.audit.findings import Finding
from caisse.audit.history import Anchor, Past
from caisse.audit.stored import FORMS, ROUND, Head, Played, Row, name_hash
from caisse.core.money import show


class Stored(NamedTuple):
    """What is stored of one player besides rows and rounds: the head, if there is one, and the wallets."""

    head: Head | None
    wallets: Mapping[str, int]


def _end_sequence(stored: Stored, past: Past, say: Say) -> None:
    if stored.head is None:
        say(f"{past.seq} rows but no player")
    elif stored.head.seq != past.seq:
        say(f"the player stands at row {stored.head.seq}, the journal at {past.seq}")


def _end_chain(stored: Stored, past: Past, say: Say) -> None:
    if stored.head and stored.head.head != past.head:
        say(f"the player's head hash is not that of the last row, {past.seq}")


def _end_anchored(stored: Stored, past: Past, say: Say) -> None:
    if past.anchor and past.seq < past.anchor.seq:
        say(f"rows were cut off: the journal ends at row {past.seq}, the anchor stands at {past.anchor.seq}")


def _end_balances(stored: Stored, past: Past, say: Say) -> None:
    """Every opened wallet holds the sum, and no other wallet exists."""
    for currency in sorted(past.opened | stored.wallets.keys()):
        held = stored.wallets.get(currency)
        if currency not in past.opened:
            say(f"there is a wallet in {currency} that was never opened")
        elif held != past.sums[currency]:
            text, due = "nothing" if held is None else show(held), show(past.sums[currency])
            say(f"the {currency} wallet holds {text}, the journal says {due} (row {past.seq})")


def _end_rollbacks(stored: Stored, past: Past, say: Say) -> None:
    audit_checks.unfinished(past, say)


NAME_KEY: Final = 16
"""Bytes of the key that a name is hashed under."""

_STANDING: Final = ("created_at", "login_at", "session", "frozen")


def _end_player(stored: Stored, past: Past, say: Say) -> None:
    """R15, R59: a name is not repeated here, for it is personal."""
    head = stored.head
    if head is None:
        return
    if past.forgotten:
        if head.name or head.name_key:
            say("the player was forgotten, but a name or its key stands")
    elif not head.name_key:
        say("the player's name or its key was taken away by hand: no row forgets the player")
    elif len(head.name_key) != NAME_KEY or name_hash(head.name, head.name_key) != past.name:
        say("the player's name is not the one whose hash row 1 has")
    for name in _STANDING:
        is_, should = getattr(head, name), getattr(past, name)
        if is_ != should:
            say(f"the player's {name} is {is_!r}, the rows up to {past.seq} make it {should!r}")


def _play_round(played: Played, past: Past, say: Say) -> None:
    """Takes the round out, so that those left at the end are in the journal only."""
    due = past.rounds.pop((played.provider, played.id), None)
    if due is None:
        say(f"round {played.id} of {played.provider} is stored only")
    if due is None or played == due:
        return
    for name in ROUND:
        is_, should = getattr(played, name), getattr(due, name)
        if is_ != should:
            where = f"round {played.id} of {played.provider}, opened by row {due.opened_seq}"
            say(f"{where}: {name} is {is_}, not {should}")


def _end_rounds(stored: Stored, past: Past, say: Say) -> None:
    for (provider, id_), due in sorted(past.rounds.items()):
        say(f"round {id_} of {provider}, opened by row {due.opened_seq}, is in the journal only")


class Totals:
    """For each partner and currency all accounts sum to zero (R50, R54).

    House accounts are summed from the journal, players' from the wallets as stored.
    """

    def __init__(self) -> None:
        self.houses: dict[tuple[str, str], int] = defaultdict(int)
        self.players: dict[tuple[str, str], int] = defaultdict(int)

    def see(self, row: Row) -> None:
        """Book a legal movement on the house account that its kind fixes."""
        if row.moved and row.kind in MOVING:
            self.houses[row.partner, row.currency] -= row.moved

    def hold(self, partner: str, wallets: Mapping[str, int]) -> None:
        """Add a player's wallets as stored."""
        for currency, balance in wallets.items():
            self.players[partner, currency] += balance

    def end(self) -> Iterator[Finding]:
        """The findings over all players together."""
        for name, check in CHECKS.items():
            for partner, text in check.total(self) if check.total else ():
                yield Finding(name, partner, "", text)


def _accounts(totals: Totals) -> Iterator[tuple[str, str]]:
    """Each partner and currency that does not sum to zero."""
    for partner, currency in sorted(totals.houses.keys() | totals.players.keys()):
        total = totals.houses[partner, currency] + totals.players[partner, currency]
        if total:
            yield partner, f"{currency} accounts sum to {show(total)}, not 0.0"


class Check(NamedTuple):
    """One invariant: what it claims, and what looks for a breach of it, at one or several of five places."""

    claim: str
    see: Callable[[Row, Past, Say], None] | None = None
    """At each row of a player, before it belongs to the past."""
    play: Callable[[Played, Past, Say], None] | None = None
    """At each stored round of a player, after his rows."""
    end: Callable[[Stored, Past, Say], None] | None = None
    """At the player as stored, after his rounds."""
    total: Callable[["Totals"], Iterator[tuple[str, str]]] | None = None
    """Over all players: the partner and what is wrong."""
    table: Callable[..., str] | None = None
    """What is wrong where the store, looking through whole tables, came upon a breach."""


CHECKS: Final[dict[str, Check]] = {
    "sequence": Check(
        "Rows are numbered from 1 without gaps, and the head stands at the last (R51).",
        audit_checks.sequence,
        end=_end_sequence,
    ),
    "chain": Check(
        "Each row's hash is that over itself and the row before; the head holds the last (R51).",
        audit_checks.chain,
        end=_end_chain,
    ),
    "decisions": Check(
        "The rows of one decision stand together, and tell one time, sender and verdict (R51).",
        audit_checks.decisions,
    ),
    "words": Check(
        "Keys and fingerprints are those that the row's own words make (R3, R4, R5).", audit_checks.words
    ),
    "moves": Check(
        "Only the listed kinds move money, each in its direction; refusals move none (R50, R8).",
        audit_checks.moves,
    ),
    "balances": Check(
        "The balance after each row is the sum so far, never negative; wallets hold the last (R10, R52).",
        audit_checks.balances,
        end=_end_balances,
    ),
    "verdicts": Check(
        "Each verdict is the first that applied, as far as rows tell (R10-R15, R23, R32, R40-R47, R59).",
        verdicts.verdicts,
    ),
    "rollbacks": Check(
        "At most one rollback for each bet, of an accepted bet, of no more than its stake (R20-R27, R32).",
        audit_checks.rollbacks,
        end=_end_rollbacks,
    ),
    "rounds": Check(
        "Every round's stored head is what its rows make of it (R40-R43, R52).",
        play=_play_round,
        end=_end_rounds,
    ),
    "player": Check(
        "Name, session, times and freezing of a player are those of the newest rows (R15, R52).",
        end=_end_player,
    ),
    "anchor": Check(
        "Every chain passes through where an earlier audit saw it, if an anchor is given (R51).",
        audit_checks.anchored,
        end=_end_anchored,
    ),
    "double entry": Check(
        "For each partner and currency all accounts sum to zero (R50, R54).", total=_accounts
    ),
    "keys": Check(
        "No key, second key, transaction's part or player is there twice (R1, R3, R4).",
        table=lambda what, value, count: f"{count} rows under the {what} {value}",
    ),
    "attempts": Check(
        "Repeats that were counted repeat a row that is there (R1).",
        table=lambda key, uuid: f"{key} (uuid {uuid}) was asked again, and is not there",
    ),
    "readable": Check(
        "Every row, player and round can be read, and amounts are plain decimal numbers (R13).",
        table=lambda what, name, error: f"{what} {name} cannot be read: {error}",
    ),
    "schema": Check(
        "The tables have the triggers, keys and indexes that the promises rest on (R1, R51).",
        table=lambda sentence: f"{sentence}",
    ),
}
"""Every invariant there is. One of them is one line here; the store feeds those that look through tables."""


def at_table(check: str, partner: str, player: str, *seen: object, row: int = 0) -> Iterator[Finding]:
    """The finding where the store came upon a breach of a table's invariant."""
    says = CHECKS[check].table if check in CHECKS else None
    if says is not None:
        yield Finding(check, partner, player, says(*seen), row)


class PlayerAudit:
    """All checks over one player: rows in order, then the stored rounds, then the rest."""

    def __init__(self, partner: str, player: str, anchor: Anchor | None = None) -> None:
        self.past = Past(anchor)
        self._who = (partner, player)
        self._found: list[Finding] = []
        self._row = 0
        """The row that is looked at."""
        says = {name: partial(self._say, name) for name in CHECKS}
        self._see = [(check.see, says[name]) for name, check in CHECKS.items() if check.see]
        self._play = [(check.play, says[name]) for name, check in CHECKS.items() if check.play]
        self._end = [(check.end, says[name]) for name, check in CHECKS.items() if check.end]

    def _say(self, check: str, text: str) -> None:
        self._found.append(Finding(check, *self._who, text, self._row))

    def see(self, row: Row) -> list[Finding]:
        """The findings of one row, which then belongs to the past."""
        past, self._row = self.past, row.seq
        for see, say in self._see:
            see(row, past, say)
        past.take(row)
        self._row = 0
        return self._found and self._told()

    def play(self, played: Played) -> list[Finding]:
        """The findings of one stored round, after all rows."""
        for play, say in self._play:
            play(played, self.past, say)
        return self._told()

    def end(self, stored: Stored) -> list[Finding]:
        """The findings that show only at the end."""
        for end, say in self._end:
            end(stored, self.past, say)
        return self._told()

    def _told(self) -> list[Finding]:
        found, self._found = self._found, []
        return found


MOVING: Final = frozenset(kind for kind, form in FORMS.items() if form.sign)
"""The kinds that move money."""
