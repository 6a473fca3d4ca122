"""The audit: everything recomputed from the journal, and compared with what is stored (R52).

Shares no code with what decides, folds, reads or writes for the server: rows are read by `audited`, counted
by `audit_past` and checked by `audit_checks`, each in its own way. One row after another is seen, and what is
kept is for one player at a time, so the longest journal fits. Each finding names its invariant.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

import msgspec

from caisse.core import audit_checks
from caisse.core.audit_checks import Say
from caisse.core.audit_past import Anchor, Past
from caisse.core.audited import FORMS, ROUND, Head, Played, Row
from caisse.core.money import show


class Finding(msgspec.Struct, frozen=True):
    """Something that should not be: which invariant, whose books, and what was seen."""

    check: str
    partner: str
    player: str
    text: str


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


_STANDING: Final = ("name", "created_at", "login_at", "session", "frozen")


def _end_player(stored: Stored, past: Past, say: Say) -> None:
    for name in _STANDING if stored.head else ():
        is_, should = getattr(stored.head, name), getattr(past, name)
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


class Check(NamedTuple):
    """One invariant over one player: what it claims, and what looks at rows, at rounds and at the end."""

    claim: str
    see: Callable[[Row, Past, Say], None] | None = None
    end: Callable[[Stored, Past, Say], None] | None = None
    play: Callable[[Played, Past, Say], None] | None = None


CHECKS: Final[dict[str, Check]] = {
    "sequence": Check(
        "Rows are numbered from 1 without gaps, and the head stands at the last (R51).",
        audit_checks.sequence,
        _end_sequence,
    ),
    "chain": Check(
        "Each row's hash is that over itself and the row before; the head holds the last (R51).",
        audit_checks.chain,
        _end_chain,
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
        _end_balances,
    ),
    "verdicts": Check(
        "What was accepted could be, and what a refusal says was so (R10-R15, R23, R40-R47).",
        audit_checks.verdicts,
    ),
    "rollbacks": Check(
        "At most one rollback for each bet, of an accepted bet, of no more than its stake (R20-R27, R32).",
        audit_checks.rollbacks,
        _end_rollbacks,
    ),
    "rounds": Check(
        "Every round's stored head is what its rows make of it (R40-R43, R52).",
        end=_end_rounds,
        play=_play_round,
    ),
    "player": Check(
        "Name, session, times and freezing of a player are those of the newest rows (R15, R52).",
        end=_end_player,
    ),
    "anchor": Check(
        "Every chain passes through where an earlier audit saw it, if an anchor is given (R51).",
        audit_checks.anchored,
        _end_anchored,
    ),
}
"""The invariants that are checked player by player. Double entry is checked over all of them (`Totals`)."""


class PlayerAudit:
    """All checks over one player: rows in order, then the stored rounds, then the rest."""

    def __init__(self, partner: str, player: str, anchor: Anchor | None = None) -> None:
        self.past = Past(anchor)
        self._who = (partner, player)
        self._found: list[Finding] = []
        says = {name: partial(self._say, name) for name in CHECKS}
        self._see = [(check.see, says[name]) for name, check in CHECKS.items() if check.see]
        self._play = [(check.play, says[name]) for name, check in CHECKS.items() if check.play]
        self._end = [(check.end, says[name]) for name, check in CHECKS.items() if check.end]

    def _say(self, check: str, text: str) -> None:
        self._found.append(Finding(check, *self._who, text))

    def see(self, row: Row) -> list[Finding]:
        """The findings of one row, which then belongs to the past."""
        past = self.past
        for see, say in self._see:
            see(row, past, say)
        past.take(row)
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
        """A finding for each partner and currency that does not sum to zero."""
        for partner, currency in sorted(self.houses.keys() | self.players.keys()):
            total = self.houses[partner, currency] + self.players[partner, currency]
            if total:
                yield Finding(
                    "double entry", partner, "", f"{currency} accounts sum to {show(total)}, not 0.0"
                )


MOVING: Final = frozenset(kind for kind, form in FORMS.items() if form.sign)
"""The kinds that move money."""
