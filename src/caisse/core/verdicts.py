"""Every verdict the rules of the money can give: a closed enumeration, in order of precedence.

Expected refusals are values of this enumeration, never exceptions. What each verdict looks like on a
wire is the business of `caisse.dialects`; this module knows no codes and no texts.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What was decided. The text is what the journal stores; it never changes once released.

    Members stand in order of precedence: where several apply, the first one is given.
    """

    OK = "ok"
    PLAYER_UNKNOWN = "player_unknown"
    FOREIGN_BET = "foreign_bet"  # R28
    KEY_CONFLICT = "key_conflict"  # R5
    ALREADY_TRANSFERRED = "already_transferred"  # transfer V4: TransactionId of a success, new uuid
    FIELD_UNREADABLE = "field_unreadable"  # R56: an optional field that steers money
    DUPLICATE_PLAYER = "duplicate_player"
    DUPLICATE_WALLET = "duplicate_wallet"
    MONEY_STANDS = "money_stands"  # R59: money or open bets stand, the player cannot be forgotten
    TOMBSTONE = "tombstone"  # R22: unknown bet, answered as success
    UNKNOWN_BET = "unknown_bet"  # R22: unknown bet, answered with the profile's error
    ABSORBED = "absorbed"  # R23: late bet, answered as success, nothing charged
    LATE_BET = "late_bet"  # R23: late bet, refused
    REFUND_AMOUNT = "refund_amount"  # R25
    ROUND_WON = "round_won"  # R32: a win of the round was paid
    BET_SETTLED = "bet_settled"  # R26
    CURRENCY_UNSUPPORTED = "currency_unsupported"  # R1: not in the currency table
    TOO_MANY_DECIMALS = "too_many_decimals"  # R1: more than the currency table allows
    ROUND_CURRENCY = "round_currency"  # R40: the round is in another currency
    NO_STANDING_BET = "no_standing_bet"  # R41
    ROUND_ENDED = "round_ended"  # R47
    SESSION_EXPIRED = "session_expired"  # R47
    WALLET_UNKNOWN = "wallet_unknown"
    WALLET_UNCLEAR = "wallet_unclear"  # R8: something owed, and no wallet is clear
    PLAYER_FROZEN = "player_frozen"  # R15
    GAME_DISABLED = "game_disabled"  # R30
    BALANCE_LIMIT = "balance_limit"  # R13
    ROUND_FULL = "round_full"  # R40: as many bets as a round may hold
    INSUFFICIENT = "insufficient"  # R10, R46
    TRANSFER_UNKNOWN = "transfer_unknown"  # a read: no such transfer


ACCEPTED = frozenset({Verdict.OK, Verdict.TOMBSTONE, Verdict.ABSORBED})
"""Verdicts a caller reads as success."""

UNKEPT = frozenset(
    {
        Verdict.PLAYER_UNKNOWN,
        Verdict.FOREIGN_BET,
        Verdict.KEY_CONFLICT,
        Verdict.ALREADY_TRANSFERRED,
        Verdict.FIELD_UNREADABLE,
        Verdict.MONEY_STANDS,
        Verdict.REFUND_AMOUNT,
        Verdict.WALLET_UNCLEAR,
        Verdict.TRANSFER_UNKNOWN,
    }
)
"""Refusals that claim no key (R8): the right request under it may still succeed. All others are final."""

FLAGGED = frozenset(
    {
        Verdict.FIELD_UNREADABLE,
        Verdict.ABSORBED,
        Verdict.LATE_BET,
        Verdict.ROUND_WON,
        Verdict.NO_STANDING_BET,
        Verdict.WALLET_UNCLEAR,
    }
)
"""Verdicts that a person should look at: money may be owed outside caisse.

A decision may be flagged for another reason too: `Decision.flag`, and `entries.flag_of` for its row.
"""
