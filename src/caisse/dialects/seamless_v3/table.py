"""The table of the seamless door, edition 3: every verb, its fields, its answer and its words.

The `door` beside it serves it. A name with a dot is a field of the object before the dot. In this edition
`transaction.id` names the round and its one bet; each win of a round has its own `uuid`.
"""

from collections.abc import Mapping
from typing import Any, Final

from caisse.core.money import show
from caisse.core.requests import Bet, Look, Request, Result, Rollback
from caisse.core.verdicts import Verdict
from caisse.dialects.wire.seamless import BET_REFUSALS, RESULT_REFUSALS
from caisse.dialects.wire.table import Endpoint, Field, Need, Shown, Terms, as_is
from caisse.dialects.wire.values import (
    AMOUNT,
    ANYTHING,
    BALANCE_SCHEMA,
    CURRENCY,
    PRINTABLE,
    UUID,
    Type,
    Wrong,
    ident,
)

GROUP: Final = "transaction"
"""The one object among the fields."""

OK: Final = "OK"
BAD_REQUEST: Final = "BAD_REQUEST"
TEMPORARY: Final = "TEMPORARY_ERROR"

STATUSES: Final[Mapping[int, str]] = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    500: TEMPORARY,
    503: TEMPORARY,
}
"""HTTP status -> word where no verdict was given; any other status is BAD_REQUEST."""

WRONG: Final[Mapping[Wrong, str]] = {
    Wrong.PARAMETER: "INVALID_PARAMETER",
    Wrong.AMOUNT: "INVALID_AMOUNT",
    Wrong.CURRENCY: "INVALID_CURRENCY",
}
"""What is wrong with a field -> its word."""

WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.PLAYER_UNKNOWN: "USER_NOT_FOUND",
    Verdict.PLAYER_FROZEN: "USER_FROZEN",
    Verdict.WALLET_UNKNOWN: "WALLET_NOT_FOUND",
    Verdict.INSUFFICIENT: "INSUFFICIENT_FUNDS",
    Verdict.SESSION_EXPIRED: "SESSION_EXPIRED",
    Verdict.GAME_DISABLED: "GAME_DISABLED",
    Verdict.REFUND_AMOUNT: "INVALID_AMOUNT",
    Verdict.ROUND_CURRENCY: "INVALID_CURRENCY",
    Verdict.CURRENCY_UNSUPPORTED: "INVALID_CURRENCY",
    Verdict.TOO_MANY_DECIMALS: "INVALID_AMOUNT",
    Verdict.FIELD_UNREADABLE: "INVALID_PARAMETER",
    Verdict.WALLET_UNCLEAR: "WALLET_NOT_FOUND",
    Verdict.ROUND_FULL: "BET_NOT_ALLOWED",
    Verdict.FOREIGN_BET: "INVALID_TRANSACTION",
    Verdict.KEY_CONFLICT: "TRANSACTION_CONFLICT",
    Verdict.UNKNOWN_BET: "BET_NOT_FOUND",
    Verdict.NO_STANDING_BET: "BET_NOT_FOUND",
    Verdict.LATE_BET: "BET_CANCELLED",
    Verdict.BET_SETTLED: "BET_SETTLED",
    Verdict.ROUND_ENDED: "ROUND_ENDED",
}
"""Verdict -> what its `status` says."""

_ID = ident(128)
_BONUS = "Bonus whose free round this is: a win needs no bet."


def _ends(value: object) -> bool:
    """R56: what ends a round; anything else is recorded."""
    if isinstance(value, str):
        return value.lower() in ("ok", "true")
    return value is True or (type(value) is int and value == 1)


ENDS = Type(_ends, {})


def noted(name: str, about: str) -> Field:
    """A field that is recorded, whatever it is."""
    return Field(name, "", ANYTHING, about, Need.RECORDED, True)


SESSION = Field("sid", "session", _ID, "Id of the game session.", Need.RECORDED)
USER = Field("userid", "user", ident(64), "The player's id, given by the operator.")
MONEY = Field("currency", "currency", CURRENCY, "Currency code of the game.")
GAME_TYPE = noted("gametype", "Type of the game; recorded.")
GAME = Field("gameid", "game", _ID, "Id of the game.", Need.RECORDED)
GAME_NAME = noted("gamename", "Name of the game; recorded.")
ROUND_SEEN = noted("roundid", "The game's own number of the round; recorded.")
BONUS = Field("bonus", "bonus", ANYTHING, _BONUS, Need.RECORDED, True)
BONUS_SEEN = noted("bonus", "Bonus that the bet belongs to; recorded.")
TRANSACTION = Field("transaction.id", "round", _ID, "Names the round and its one bet.")
STAKE = Field("transaction.amount", "amount", AMOUNT, "The stake; zero for a free spin.")
WON = Field("transaction.amount", "amount", AMOUNT, "The win, a jackpot included; zero if there is none.")
JACKPOT = noted("transaction.jackpot", "Share of a jackpot in it; recorded.")
WIN_SEEN = noted("transaction.win", "What was won without a jackpot; recorded.")
END_SEEN = noted("transaction.is_end_round", "Recorded; ends nothing here.")
ROUND_ENDS = Field(
    "transaction.is_end_round",
    "closes",
    ENDS,
    "`ok`, true, `true` or 1: the round ends with this win; anything else is recorded.",
    Need.RECORDED,
    True,
)
UNIQUE = Field("uuid", "uuid", PRINTABLE, "Id of this request; the answer returns it.")
UNIQUE_WIN = UNIQUE._replace(about="Id of this win, its key: one for each win of a round.")


BALANCE_NOW = Shown(
    "balance", BALANCE_SCHEMA, "The balance.", lambda t: show(t.seen.wallets[t.wallet]) if t.wallet else None
)
BALANCE_IF_CLEAR = BALANCE_NOW._replace(
    about="The balance; absent where no currency was named and the player has not one wallet.", always=False
)
BALANCE_AFTER = Shown("balance", BALANCE_SCHEMA, "Balance after it.", lambda t: show(t.row.balance))
BALANCE_AFTER_CANCEL = Shown(
    "balance",
    BALANCE_SCHEMA,
    "Balance after it; absent where a cancel of an unknown bet named no currency.",
    lambda t: show(t.row.balance) if t.row.currency else None,
    always=False,
)


def _check(values: dict[str, Any], terms: Terms) -> Request:
    return Look(provider=terms.provider, **values)


def _bet(values: dict[str, Any], terms: Terms) -> Request:
    enabled = values.get("game", "") not in terms.disabled_games
    return Bet(provider=terms.provider, reference=values["round"], game_enabled=enabled, **values)


def _win(values: dict[str, Any], terms: Terms) -> Request:
    """R4: keyed by its uuid. R41: a bonus makes it a free round."""
    free_round = bool(values.pop("bonus", ""))
    uuid = values["uuid"]
    reference = UUID.read(uuid) or uuid
    return Result(provider=terms.provider, reference=reference, free_round=free_round, **values)


def _cancel(values: dict[str, Any], terms: Terms) -> Request:
    return Rollback(provider=terms.provider, reference=values["round"], **values)


_READ_REFUSALS: Final = (Verdict.PLAYER_UNKNOWN, Verdict.WALLET_UNKNOWN)

CHECK = Endpoint(
    path="/seamless/v3/check",
    summary="Is the player known, with a wallet in this currency?",
    fields=(SESSION, USER, MONEY.optional(Need.CHECKED), UNIQUE),
    make=_check,
    success=(BALANCE_IF_CLEAR,),
    refusals=(*_READ_REFUSALS, Verdict.SESSION_EXPIRED),
    reads=True,
)
BALANCE = Endpoint(
    path="/seamless/v3/balance",
    summary="The balance of a player's wallet.",
    fields=(
        SESSION._replace(to=""),
        USER,
        MONEY.optional(Need.CHECKED, "Currency of the wallet; absent: the player's only one."),
        UNIQUE,
    ),
    make=as_is(Look),
    success=(BALANCE_NOW,),
    refusals=_READ_REFUSALS,
    reads=True,
    shows_wallet=True,
)
BET = Endpoint(
    path="/seamless/v3/bet",
    summary="Take a stake.",
    fields=(
        SESSION,
        USER,
        MONEY,
        GAME_TYPE,
        GAME,
        GAME_NAME,
        ROUND_SEEN,
        BONUS_SEEN,
        TRANSACTION,
        STAKE,
        JACKPOT,
        WIN_SEEN,
        END_SEEN,
        UNIQUE,
    ),
    creates_obligation=True,
    make=_bet,
    success=(BALANCE_AFTER,),
    refusals=BET_REFUSALS,
)
WIN = Endpoint(
    path="/seamless/v3/win",
    summary="Pay a win of a round and settle its bet; a round may have several.",
    fields=(
        SESSION,
        USER,
        MONEY.optional(Need.STEERS, "Currency code of the game; absent: the round's."),
        GAME_TYPE,
        GAME,
        GAME_NAME,
        ROUND_SEEN,
        BONUS,
        TRANSACTION,
        WON,
        JACKPOT,
        WIN_SEEN,
        ROUND_ENDS,
        UNIQUE_WIN,
    ),
    make=_win,
    success=(BALANCE_AFTER,),
    refusals=RESULT_REFUSALS,
)
CANCEL = Endpoint(
    path="/seamless/v3/cancel",
    summary="Refund of a bet: give its stake back once. Of an unknown bet it is OK and moves nothing.",
    fields=(
        SESSION,
        USER,
        MONEY.optional(about="Says whose balance is shown where the bet is unknown."),
        GAME_TYPE,
        GAME,
        GAME_NAME,
        ROUND_SEEN,
        BONUS_SEEN,
        TRANSACTION._replace(about="Names the bet to undo."),
        STAKE.optional(Need.STEERS, "Amount to give back; absent: the bet's."),
        JACKPOT,
        WIN_SEEN,
        END_SEEN,
        UNIQUE,
    ),
    make=_cancel,
    success=(BALANCE_AFTER_CANCEL,),
    refusals=(
        Verdict.PLAYER_UNKNOWN,
        Verdict.FOREIGN_BET,
        Verdict.KEY_CONFLICT,
        Verdict.UNKNOWN_BET,
        Verdict.FIELD_UNREADABLE,
        Verdict.REFUND_AMOUNT,
        Verdict.BET_SETTLED,
    ),
)

ENDPOINTS: Final = (CHECK, BALANCE, BET, WIN, CANCEL)
