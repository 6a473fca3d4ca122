"""What the newer seamless editions share: the fields, the requests they become, the answers, the refusals.

An edition's table is made from these; the `seamless_door` beside serves it. What each code means is
the contract's; which verdict gets which code is written here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import msgspec

from caisse.core.money import show
from caisse.core.requests import (
    Award,
    Bet,
    EndRound,
    ExpireSession,
    Look,
    Promo,
    Request,
    Result,
    Rollback,
    RollbackRound,
)
from caisse.core.verdicts import Verdict
from caisse.dialects.wire.table import Endpoint, Fault, Field, Make, Need, Shown, Terms
from caisse.dialects.wire.values import (
    AMOUNT,
    ANYTHING,
    BALANCE_SCHEMA,
    CURRENCY,
    PRINTABLE,
    Wrong,
    ident,
    text,
)


class Refusal(NamedTuple):
    """What a refused answer says. The code is edition 4's; an edition or profile may renumber it."""

    error: int
    description: str


SUCCESS: Final = Refusal(0, "Success")
LOGIN: Final = Refusal(4, "Login, key or address refused")
UNREADABLE: Final = Refusal(7, "Unreadable request")
NO_VERDICT: Final = Refusal(100, "Temporarily unavailable, send the same request again")
NO_SUCH_METHOD: Final = Refusal(100, "No such method")
POST_ONLY: Final = Refusal(100, "Only POST is answered")
ROUND_NOT_ENDED: Final = Refusal(130, "Temporarily unavailable, send the same request again")

WRONG: Final[Mapping[Wrong, Refusal]] = {
    Wrong.PARAMETER: Refusal(7, "Missing or bad parameter"),
    Wrong.AMOUNT: Refusal(10, "Invalid amount"),
    Wrong.CURRENCY: Refusal(2, "Unknown currency"),
}
"""What is wrong with a field -> its code."""

REFUSALS: Final[Mapping[Verdict, Refusal]] = {
    Verdict.INSUFFICIENT: Refusal(1, "Insufficient balance"),
    Verdict.ROUND_CURRENCY: Refusal(2, "The round is in another currency"),
    Verdict.WALLET_UNKNOWN: Refusal(2, "The player has no such wallet"),
    Verdict.CURRENCY_UNSUPPORTED: WRONG[Wrong.CURRENCY],
    Verdict.WALLET_UNCLEAR: Refusal(2, "No wallet is clear"),
    Verdict.ROUND_FULL: Refusal(3, "The round holds as many bets as it may"),
    Verdict.SESSION_EXPIRED: Refusal(5, "Session expired"),
    Verdict.PLAYER_FROZEN: Refusal(6, "Player is frozen"),
    Verdict.FOREIGN_BET: Refusal(7, "Bad reference"),
    Verdict.GAME_DISABLED: Refusal(8, "Game is disabled"),
    Verdict.FIELD_UNREADABLE: WRONG[Wrong.PARAMETER],
    Verdict.TOO_MANY_DECIMALS: WRONG[Wrong.AMOUNT],
    Verdict.REFUND_AMOUNT: Refusal(10, "Invalid amount"),
    Verdict.PLAYER_UNKNOWN: Refusal(100, "Player not found"),
    Verdict.KEY_CONFLICT: Refusal(120, "Already used for another request"),
    Verdict.UNKNOWN_BET: Refusal(120, "Bet not found"),
    Verdict.LATE_BET: Refusal(120, "The bet was refunded before"),
    Verdict.ROUND_WON: Refusal(120, "A win of the round was paid"),
    Verdict.BET_SETTLED: Refusal(120, "The bet is settled"),
    Verdict.NO_STANDING_BET: Refusal(120, "The round has no standing bet"),
    Verdict.ROUND_ENDED: Refusal(120, "The round has ended"),
}
"""Verdict -> its code, unless the profile has another (`Policy.codes`, `Policy.unknown_bet`)."""

OF_BETS: Final[Mapping[Verdict, Refusal]] = {Verdict.KEY_CONFLICT: Refusal(7, "Reference already used")}
"""Codes of Bet alone: 7, so that the provider goes on to cancel the bet (R5)."""

CODES: Final = (1, 2, 3, 4, 5, 6, 7, 8, 10, 50, 100, 120, 130, 210, 310)
"""The contract's table: what an edition or a profile may renumber."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Method(Endpoint):
    """One method of a seamless edition, with what is special about its answers."""

    error_is_text: bool = False
    echoes_reference: bool = False
    """Whether refusals carry the request's `reference`, too."""
    own_refusals: Mapping[Verdict, Refusal] = field(default_factory=dict)
    """Codes of this method alone."""
    no_verdict: Refusal = NO_VERDICT


class Edition(NamedTuple):
    """One edition of the contract, as its door serves it."""

    segment: str
    """Of the path, before the method: `V4`."""
    methods: tuple[Method, ...]
    codes: Mapping[int, int] = {}
    """Code of edition 4 -> this edition's, where they differ."""


# -- fields --

_ID = ident(128)

PROVIDER = Field("providerId", "", text(64), "Id of the game provider; must be the connection's.")
USER = Field("userId", "user", ident(64), "The player's id, given by the operator.")
UNIQUE = Field("uuid", "uuid", PRINTABLE, "Id of this request; recorded, no key.")
REFERENCE = Field("reference", "reference", _ID, "Unique reference of this transaction.")
BET_REFERENCE = Field("reference", "reference", _ID, "Reference of the bet to undo.")
MONEY = Field("currency", "currency", CURRENCY, "Currency code of the game.")
ONE_WALLET = MONEY.optional(Need.CHECKED, "Currency of the wallet; absent: the player's only one.")
GAME = Field("gameId", "game", _ID, "Id of the game.")
ROUND = Field("roundId", "round", _ID, "Id of the round.")
SESSION = Field("sessionId", "session", _ID, "Id of the game session.")
STAKE = Field("amount", "amount", AMOUNT, "The stake; zero for a free spin.")
WIN = Field("amount", "amount", AMOUNT, "The win; zero if there is none.")


def noted(name: str, about: str, *spellings: str) -> Field:
    """A field that is recorded, whatever it is."""
    return Field(name, "", ANYTHING, about, Need.RECORDED, True, spellings)


GAME_NAME = noted("gamename", "Name of the game; recorded.")
TIME = noted("timestamp", "When the provider processed it; recorded, never trusted.")
ROUND_DETAILS = noted("roundDetails", "About the round; recorded.")
PLATFORM = noted("platform", "Channel the game is played on; recorded.")
BONUS_CODE = noted("bonusCode", "Bonus that the bet belonged to; recorded.")
MONEY_SEEN = noted("currency", "Currency of the game; recorded.")
WON = noted("win", "What the round won in all; recorded, never paid.")


# -- answers --

TRANSACTION_ID = Shown("transactionId", {"type": "string"}, "Id in the wallet.", lambda t: t.row.id)
CURRENCY_OF_ROW = Shown("currency", {"type": "string"}, "Currency of the wallet.", lambda t: t.row.currency)
CASH_OF_ROW = Shown(
    "cash", {"type": "number"}, "Balance after it.", lambda t: msgspec.Raw(show(t.row.balance))
)
CASH_OF_ROW_AS_TEXT = Shown("cash", BALANCE_SCHEMA, "Balance after it.", lambda t: show(t.row.balance))
CURRENCY_SHOWN = Shown("currency", {"type": "string"}, "Currency of the wallet.", lambda t: t.wallet)
CASH_NOW = Shown(
    "cash", {"type": "number"}, "The balance.", lambda t: msgspec.Raw(show(t.seen.wallets[t.wallet]))
)
CASH_NOW_AS_TEXT = Shown("cash", BALANCE_SCHEMA, "The balance.", lambda t: show(t.seen.wallets[t.wallet]))
BONUS = Shown(
    "bonus", {"type": "number"}, "Always zero: bonuses are paid as cash.", lambda t: msgspec.Raw("0.0")
)
REFERENCE_SENT = Shown("reference", {"type": "string"}, "The bet's reference.", lambda t: t.echo.reference)


# -- requests --


def look(values: dict[str, Any], terms: Terms) -> Request:
    """Of a player in a session."""
    return Look(provider=terms.provider, **values)


def bet(values: dict[str, Any], terms: Terms) -> Request:
    """R30: whether its game is enabled is seen here."""
    enabled = values["game"] not in terms.disabled_games
    return Bet(provider=terms.provider, game_enabled=enabled, **values)


def result(values: dict[str, Any], terms: Terms) -> Request:
    """R41: a bonus code makes it a free round. R48: a promotional win may ride along; one of zero is none.

    R56: half of a promotional win is one that cannot be read.
    """
    free_round = bool(values.pop("bonus", ""))
    reference, amount = values.pop("promo_reference", ""), values.pop("promo_amount", None)
    fault = values.get("unreadable", "")
    if not fault and amount and not reference:
        fault = "promoWinReference"
    elif not fault and reference and amount is None:
        fault = "promoWinAmount"
    values["unreadable"] = fault
    whole = not fault.startswith("promo")
    promo = Promo(reference, amount) if whole and amount else None
    return Result(
        provider=terms.provider, free_round=free_round, promo=promo, promo_unreadable=not whole, **values
    )


def refund(values: dict[str, Any], terms: Terms) -> Request | Fault:
    """By the bet's reference; where the profile says so and no amount is named, by the round (R32)."""
    by_round = terms.policy.refund_by_round and "round" in values
    whole = "amount" not in values and values.get("unreadable") != "amount"
    if by_round and (whole or "reference" not in values):
        values.pop("amount", None)
        values.pop("unreadable", None)
        return RollbackRound(provider=terms.provider, **values)
    if "reference" not in values:
        return Fault(Wrong.PARAMETER, "reference")
    return Rollback(provider=terms.provider, **values)


def refund_round(values: dict[str, Any], terms: Terms) -> Request:
    """R32, in an edition that knows no other refund."""
    return RollbackRound(provider=terms.provider, **values)


def cancel(values: dict[str, Any], terms: Terms) -> Request:
    """Of a bet. The stored bet's currency counts; the one sent says whose balance an unknown bet shows."""
    return Rollback(provider=terms.provider, **values)


def end_round(values: dict[str, Any], terms: Terms) -> Request:
    """R43."""
    return EndRound(provider=terms.provider, **values)


def expire_session(values: dict[str, Any], terms: Terms) -> Request:
    """R47."""
    return ExpireSession(provider=terms.provider, **values)


def award(kind: Literal["bonus", "jackpot", "promo"]) -> Make:
    """R44."""
    return lambda values, terms: Award(provider=terms.provider, kind=kind, **values)


# -- what the rules can refuse --

READ_REFUSALS: Final = (Verdict.PLAYER_UNKNOWN, Verdict.WALLET_UNKNOWN)
BET_REFUSALS: Final = (
    Verdict.PLAYER_UNKNOWN,
    Verdict.KEY_CONFLICT,
    Verdict.LATE_BET,
    Verdict.CURRENCY_UNSUPPORTED,
    Verdict.TOO_MANY_DECIMALS,
    Verdict.ROUND_CURRENCY,
    Verdict.ROUND_ENDED,
    Verdict.SESSION_EXPIRED,
    Verdict.WALLET_UNKNOWN,
    Verdict.PLAYER_FROZEN,
    Verdict.GAME_DISABLED,
    Verdict.ROUND_FULL,
    Verdict.INSUFFICIENT,
)
RESULT_REFUSALS: Final = (
    Verdict.PLAYER_UNKNOWN,
    Verdict.KEY_CONFLICT,
    Verdict.FIELD_UNREADABLE,
    Verdict.NO_STANDING_BET,
    Verdict.WALLET_UNCLEAR,
)
REFUND_REFUSALS: Final = (
    Verdict.PLAYER_UNKNOWN,
    Verdict.FOREIGN_BET,
    Verdict.KEY_CONFLICT,
    Verdict.UNKNOWN_BET,
    Verdict.FIELD_UNREADABLE,
    Verdict.REFUND_AMOUNT,
    Verdict.ROUND_WON,
    Verdict.BET_SETTLED,
)
CANCEL_REFUSALS: Final = (
    Verdict.PLAYER_UNKNOWN,
    Verdict.FOREIGN_BET,
    Verdict.KEY_CONFLICT,
    Verdict.UNKNOWN_BET,
    Verdict.BET_SETTLED,
)
ROUND_REFUND_REFUSALS: Final = (
    Verdict.PLAYER_UNKNOWN,
    Verdict.UNKNOWN_BET,
    Verdict.ROUND_WON,
    Verdict.BET_SETTLED,
)
OWN_REFUSALS: Final = (Verdict.PLAYER_UNKNOWN,)
"""Of ends: their keys are the player's own (R4), so no other content can stand under one."""
AWARD_REFUSALS: Final = (
    Verdict.PLAYER_UNKNOWN,
    Verdict.KEY_CONFLICT,
    Verdict.FIELD_UNREADABLE,
    Verdict.WALLET_UNCLEAR,
)
PROMO_REFUSALS: Final = (Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT, Verdict.WALLET_UNCLEAR)
