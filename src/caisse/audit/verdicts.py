"""Whether each kept verdict is the one that the rules give, from what the player's rows before it say.

Written from docs/rules.md: for each kind the guards in the order of precedence, each with what it rests on. A
refusal must be true, no guard before it may apply, and of what was accepted none may. What rests on a
configuration (currencies, games, profiles) leaves no row and is not asked for.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from caisse.audit.history import Past
from caisse.audit.stored import Row
from caisse.core.money import show

BEYOND: Final = 10**32
"""The first balance that no charge may reach: 14 digits before the point, 18 after it (R13)."""

MOST_BETS: Final = 1_000
"""Bets that a round may hold (R40)."""

Say = Callable[[str], None]
Text = Callable[[Row, Past], str]


class Guard(NamedTuple):
    """A reason to refuse."""

    verdicts: tuple[str, ...]
    """What it gives; empty: nothing that is kept, but what was accepted must meet it all the same."""
    applies: Callable[[Row, Past], bool] | None
    """None: no row tells."""
    so: Text = lambda row, past: ""
    """What is the case if it applies."""
    else_: Text = lambda row, past: ""
    """What is the case if it does not."""


def verdicts(row: Row, past: Past, say: Say) -> None:
    """R10-R15, R23, R32, R40-R47, R59."""
    if (past.seq == 0) != (row.kind == "create" and row.ok):
        say(f"row {row.seq}: a player begins with being created, once")
    if wrong := _wrong(row, past):
        say(f"row {row.seq} ({row.kind}) says {row.verdict}, but {wrong}")


def _wrong(row: Row, past: Past) -> str:
    """What speaks against the verdict; empty if nothing does."""
    for guard in GUARDS.get(row.kind, ()):
        applies = guard.applies is None or guard.applies(row, past)
        if row.verdict in guard.verdicts:
            return "" if applies else guard.else_(row, past)
        if applies and guard.applies is not None:
            return guard.so(row, past)
    return ""


def _no_wallet(row: Row, past: Past) -> bool:
    return row.currency not in past.opened


def _late(row: Row, past: Past) -> bool:
    """R23: beside the tombstone of its key, or in a round that was rolled back."""
    claim, found = past.claims.get(row.bet_key), past.round_of(row)
    if row.key.startswith("late:"):
        return claim is not None and claim.kind == "tombstone"
    return found is not None and found.state == "refunded"


def _not_late(row: Row, past: Past) -> str:
    beside = row.key.startswith("late:")
    return f"no tombstone of {row.reference} came before" if beside else "its round was not rolled back"


def _other_currency(row: Row, past: Past) -> bool:
    found = past.round_of(row)
    return found is not None and found.currency not in ("", row.currency)


def _round_currency(row: Row, past: Past) -> str:
    found = past.round_of(row)
    return f"its round is in {found.currency}" if found else ""


def _ended(row: Row, past: Past) -> bool:
    found = past.round_of(row)
    return found is not None and found.state == "ended"


def _full(row: Row, past: Past) -> bool:
    found = past.round_of(row)
    return found is not None and found.bets >= MOST_BETS


def _no_bet_stands(row: Row, past: Past) -> bool:
    """R41: a free round's result, which has its bonus code among its details, needs none."""
    found = past.round_of(row)
    return (found is None or found.standing <= 0) and '"bonus' not in row.details


def _unknown_round(row: Row, past: Past) -> bool:
    return past.round_of(row) is None


def _won(row: Row, past: Past) -> bool:
    found = past.round_of(row)
    return found is not None and bool(found.won or found.jackpot)


def _all_settled(row: Row, past: Past) -> bool:
    """R26: bets stand, and a result or end came after each."""
    return bool(past.standing(row)) and not past.open_bets(row)


def _lacks(row: Row, past: Past) -> bool:
    return past.sums[row.currency] < row.wanted


WALLET: Final = Guard(
    ("wallet_unknown",),
    _no_wallet,
    lambda row, past: f"there was no {row.currency or 'such'} wallet",
    lambda row, past: f"there was a {row.currency} wallet",
)
CURRENCY: Final = Guard(("currency_unsupported",), None)
DECIMALS: Final = Guard(("too_many_decimals",), None)
FROZEN: Final = Guard(
    ("player_frozen",),
    lambda row, past: past.frozen,
    lambda row, past: "the player was frozen",
    lambda row, past: "the player was not frozen",
)
LACKING: Final = Guard(
    ("insufficient",),
    _lacks,
    lambda row, past: f"there were only {show(past.sums[row.currency])}",
    lambda row, past: f"there were {show(past.sums[row.currency])}",
)
OWED: Final = (
    Guard((), _other_currency, _round_currency),
    Guard((), _no_wallet, lambda row, past: f"there was no {row.currency or 'such'} wallet"),
)
"""What is owed and has no clear wallet is refused without a row (R8)."""

GUARDS: Final[dict[str, tuple[Guard, ...]]] = {
    "open_wallet": (
        Guard(
            ("duplicate_wallet",),
            lambda row, past: row.currency in past.opened,
            lambda row, past: "the wallet was open already",
            lambda row, past: "there was no such wallet",
        ),
        CURRENCY,
    ),
    "charge": (
        CURRENCY,
        DECIMALS,
        WALLET,
        Guard(
            ("balance_limit",),
            lambda row, past: past.sums[row.currency] + row.wanted >= BEYOND,
            lambda row, past: "the balance passes 14 digits",
            lambda row, past: f"the balance would have been {show(past.sums[row.currency] + row.wanted)}",
        ),
    ),
    "withdraw": (WALLET, FROZEN, LACKING),
    "bet": (
        Guard(
            ("late_bet", "absorbed"),
            _late,
            lambda row, past: "its bet or round was rolled back before it came",
            _not_late,
        ),
        CURRENCY,
        DECIMALS,
        Guard(
            ("round_currency",),
            _other_currency,
            _round_currency,
            lambda row, past: "its round is in that currency",
        ),
        Guard(
            ("round_ended",),
            _ended,
            lambda row, past: "the round was ended",
            lambda row, past: "the round was not ended",
        ),
        Guard(
            ("session_expired",),
            lambda row, past: bool(row.session) and (row.provider, row.session) in past.over,
            lambda row, past: f"the session {row.session} was over",
            lambda row, past: f"the session {row.session} was not over",
        ),
        WALLET,
        FROZEN,
        Guard(("game_disabled",), None),
        Guard(
            ("round_full",),
            _full,
            lambda row, past: f"its round held {MOST_BETS:,} bets",
            lambda row, past: f"its round did not hold {MOST_BETS:,} bets",
        ),
        LACKING,
    ),
    "result": (
        Guard(
            ("no_standing_bet",),
            _no_bet_stands,
            lambda row, past: "no bet of its round stood",
            lambda row, past: "a bet of its round stood",
        ),
        *OWED,
    ),
    "rollback": (Guard((), _no_wallet, lambda row, past: f"there was no {row.currency or 'such'} wallet"),),
    "round_rollback": (
        Guard(
            ("tombstone", "unknown_bet"),
            _unknown_round,
            lambda row, past: "the round was unknown",
            lambda row, past: "the round was known",
        ),
        Guard(
            ("round_won",),
            _won,
            lambda row, past: "a win of the round was paid",
            lambda row, past: "no win of the round was paid",
        ),
        Guard(
            ("bet_settled",),
            _all_settled,
            lambda row, past: "every bet of the round that stood was settled",
            lambda row, past: "an unsettled bet of the round stood, or none at all",
        ),
    ),
    "bonus": OWED,
    "jackpot": OWED,
    "promo": OWED,
    "forget": (
        Guard((), lambda row, past: any(past.sums.values()), lambda row, past: "money stood"),
        Guard((), lambda row, past: past.plays(), lambda row, past: "a bet was open"),
    ),
}
"""Kind -> the guards before it is accepted, in order of precedence."""
