"""The slot log: which rows fall due when a round changes (R57). A projection of the journal, folded purely.

A round enters the log when it is settled by a result, ended, or wholly rolled back. That first row holds its
totals. Each later change is one more row, which holds the difference: so a round's rows add up to its totals.
A bet alone is no row: its stake comes with what settles it.

Rows that fall due carry no number yet. They are committed with the money, and numbered afterwards.
"""

from typing import TYPE_CHECKING

import msgspec

from caisse.core.entries import Entry, Kind

if TYPE_CHECKING:  # the book folds each entry in with this module
    from caisse.core.book import Round


class Due(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the slot log before it has its number."""

    partner: str
    player: str
    seq: int
    """The player's journal row that made it fall due: one row of the log at most for each."""
    provider: str
    round: str
    game: str
    currency: str
    staked: int
    """Stakes less what was given back; below zero where a stake is given back that an earlier row showed."""
    won: int
    jackpot_id: str
    jackpot: int
    at: int
    """Time of decision, microseconds since 1970 UTC; shown, never compared (R55)."""


class Numbered(msgspec.Struct, frozen=True):
    """A row of the slot log as a page shows it."""

    index: int
    """From 0 without gaps, in the partner's log or in one player's; never changes."""
    game: str
    currency: str
    staked: int
    won: int
    jackpot_id: str
    jackpot: int


class LogQuery(msgspec.Struct, frozen=True):
    """Which rows of a log are asked for."""

    partner: str
    start: int
    """Index of the first row."""
    limit: int
    """Rows at most."""
    player: str = ""
    """Whose rows, counted by themselves; empty: the partner's."""


def fold(played: "Round", entry: Entry) -> tuple["Round", Due | None]:
    """The round with what the log now has of it, and the row that falls due. `entry` is folded in already.

    `played` is what folding `entry` made. Nobody else has seen it yet, so it is filled in where it is: a copy
    would cost as much as the row. An award shows itself alone; bets that are open then come when settled.
    """
    if not _falls_due(played, entry):
        return played, None
    award = entry.kind in (Kind.BONUS, Kind.JACKPOT)
    staked = 0 if award else played.staked - played.logged_staked
    won, jackpot = played.won - played.logged_won, played.jackpot - played.logged_jackpot
    if played.logged and not (staked or won or jackpot):
        return played, None
    due = Due(
        partner=entry.partner,
        player=entry.player,
        seq=entry.seq,
        provider=entry.provider,
        round=entry.round,
        game=played.game,
        currency=played.currency,
        staked=staked,
        won=won,
        jackpot_id="" if played.logged and not jackpot else played.jackpot_id,
        jackpot=jackpot,
        at=entry.at,
    )
    put = msgspec.structs.force_setattr
    put(played, "logged", True)
    put(played, "logged_staked", played.logged_staked + staked)
    put(played, "logged_won", played.won)
    put(played, "logged_jackpot", played.jackpot)
    return played, due


def _falls_due(played: "Round", entry: Entry) -> bool:
    """Whether a row may fall due now. A round of which only an end or refund was heard has no currency."""
    match entry.kind:
        case Kind.RESULT | Kind.END_ROUND:
            return played.currency != ""
        case Kind.ROLLBACK:
            return played.standing == 0 or played.staked < played.logged_staked
        case Kind.BONUS | Kind.JACKPOT:
            return played.logged
        case _:
            return False
