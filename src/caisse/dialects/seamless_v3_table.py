"""The table of the seamless door, edition 3: every verb, its fields, its answer and its words.

`caisse.dialects.seamless_v3` serves it. A name with a dot is a field of the object before the dot. In this
edition `transaction.id` names the round and its one bet; each win of a round has its own `uuid`.
"""

from collections.abc import Mapping
from typing import Any, Final

from caisse.core.money import show
from caisse.core.requests import Bet, Look, Request, Result, Rollback
from caisse.core.verdicts import Verdict
from caisse.dialects.table import Endpoint, Field, Shown, Terms, plain
from caisse.dialects.values import (
    AMOUNT,
    ANYTHING,
    BALANCE_SCHEMA,
    CURRENCY,
    PRINTABLE,
    UUID,
    Type,
    Wrong,
    text,
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
    Verdict.ROUND_FOREIGN: "INVALID_TRANSACTION",
    Verdict.FOREIGN_BET: "INVALID_TRANSACTION",
    Verdict.KEY_CONFLICT: "TRANSACTION_CONFLICT",
    Verdict.UNKNOWN_BET: "BET_NOT_FOUND",
    Verdict.NO_STANDING_BET: "BET_NOT_FOUND",
    Verdict.LATE_BET: "BET_CANCELLED",
    Verdict.BET_SETTLED: "BET_SETTLED",
    Verdict.ROUND_ENDED: "ROUND_ENDED",
}
"""Verdict -> what its `status` says."""

JOIN: Final = "\N{MIDDLE DOT}"
"""Between a win's round and its uuid, which is ASCII and cannot hold it: so no two pairs read alike."""

_ID = text(128)


def _read_ok(value: object) -> bool | None:
    return True if isinstance(value, str) and value.lower() == "ok" else None


ENDS = Type(_read_ok, {"type": "string", "enum": ["ok"]})

SESSION = Field("sid", "session", _ID, "Id of the game session.")
USER = Field("userid", "user", text(64), "The player's id, given by the operator.")
MONEY = Field("currency", "currency", CURRENCY, "Currency code of the game.")
GAME_TYPE = Field("gametype", "", _ID, "Type of the game; recorded.", keep=True)
GAME = Field("gameid", "game", _ID, "Id of the game.")
GAME_NAME = Field("gamename", "", _ID, "Name of the game; recorded.", keep=True)
ROUND_SEEN = Field("roundid", "", ANYTHING, "The game's own number of the round; recorded.", False, True)
BONUS = Field("bonus", "bonus", _ID, "Bonus whose free round this is: a win needs no bet.", False, True)
TRANSACTION = Field("transaction.id", "round", _ID, "Names the round and its one bet.")
STAKE = Field("transaction.amount", "amount", AMOUNT, "The stake; zero for a free spin.")
WON = Field("transaction.amount", "amount", AMOUNT, "The win, a jackpot included; zero if there is none.")
JACKPOT = Field("transaction.jackpot", "", ANYTHING, "Share of a jackpot in it; recorded.", False, True)
WIN_SEEN = Field("transaction.win", "", ANYTHING, "What was won without a jackpot; recorded.", False, True)
ROUND_ENDS = Field(
    "transaction.is_end_round",
    "closes",
    ENDS,
    "`ok`: the round ends with this win; recorded only on bet and cancel.",
    False,
)
UNIQUE = Field("uuid", "uuid", PRINTABLE, "Id of this request, told again in its answer.")
UNIQUE_WIN = UNIQUE._replace(about="Id of this win: one for each win of a round.")


BALANCE_NOW = Shown(
    "balance", BALANCE_SCHEMA, "The balance.", lambda t: show(t.seen.wallets[t.request.currency])
)
BALANCE_AFTER = Shown(
    "balance",
    BALANCE_SCHEMA,
    "Balance after it; absent where another edition's cancel of an unknown bet named no currency.",
    lambda t: show(t.row.balance) if t.row.currency else None,
)


def _check(values: dict[str, Any], terms: Terms) -> Request:
    return Look(provider=terms.provider, **values)


def _bet(values: dict[str, Any], terms: Terms) -> Request:
    values.pop("bonus", "")
    enabled = values["game"] not in terms.disabled_games
    return Bet(provider=terms.provider, reference=values["round"], game_enabled=enabled, **values)


def _win(values: dict[str, Any], terms: Terms) -> Request:
    """R41: a bonus makes it a free round."""
    free_round = bool(values.pop("bonus", ""))
    uuid = values["uuid"]
    reference = values["round"] + JOIN + (UUID.read(uuid) or uuid)
    return Result(provider=terms.provider, reference=reference, free_round=free_round, **values)


def _cancel(values: dict[str, Any], terms: Terms) -> Request:
    return Rollback(provider=terms.provider, reference=values["round"], **values)


_READ_REFUSALS: Final = (Verdict.PLAYER_UNKNOWN, Verdict.WALLET_UNKNOWN)

CHECK = Endpoint(
    path="/seamless/v3/check",
    summary="Is the player known, with a wallet in this currency?",
    fields=(SESSION, USER, MONEY, UNIQUE),
    make=_check,
    success=(BALANCE_NOW,),
    refusals=(*_READ_REFUSALS, Verdict.SESSION_EXPIRED),
)
BALANCE = Endpoint(
    path="/seamless/v3/balance",
    summary="The balance of a player's wallet.",
    fields=(SESSION._replace(to=""), USER, MONEY, UNIQUE),
    make=plain(Look),
    success=(BALANCE_NOW,),
    refusals=_READ_REFUSALS,
)
BET = Endpoint(
    path="/seamless/v3/bet",
    summary="Take a stake.",
    fields=(
        *(SESSION, USER, MONEY, GAME_TYPE, GAME, GAME_NAME, ROUND_SEEN),
        BONUS._replace(about="Bonus that the bet belongs to; recorded."),
        *(TRANSACTION, STAKE, JACKPOT, WIN_SEEN, ROUND_ENDS._replace(to="", keep=True), UNIQUE),
    ),
    takes_on=True,
    make=_bet,
    success=(BALANCE_AFTER,),
    refusals=(
        *(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT, Verdict.LATE_BET, Verdict.ROUND_FOREIGN),
        *(Verdict.ROUND_CURRENCY, Verdict.ROUND_ENDED, Verdict.SESSION_EXPIRED, Verdict.WALLET_UNKNOWN),
        *(Verdict.PLAYER_FROZEN, Verdict.GAME_DISABLED, Verdict.INSUFFICIENT),
    ),
)
WIN = Endpoint(
    path="/seamless/v3/win",
    summary="Pay a win of a round and settle its bet; a round may have several.",
    fields=(
        *(SESSION, USER, MONEY, GAME_TYPE, GAME, GAME_NAME, ROUND_SEEN, BONUS),
        *(TRANSACTION, WON, JACKPOT, WIN_SEEN, ROUND_ENDS, UNIQUE_WIN),
    ),
    make=_win,
    success=(BALANCE_AFTER,),
    refusals=(
        *(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT, Verdict.ROUND_FOREIGN, Verdict.ROUND_CURRENCY),
        *(Verdict.NO_STANDING_BET, Verdict.WALLET_UNKNOWN),
    ),
)
CANCEL = Endpoint(
    path="/seamless/v3/cancel",
    summary="Roll a bet back: give its stake back once. Of an unknown bet it is OK and moves nothing.",
    fields=(
        *(SESSION.optional(), USER, MONEY, GAME_TYPE.optional(), GAME.optional(), GAME_NAME.optional()),
        *(ROUND_SEEN, BONUS._replace(to="", about="Bonus that the bet belonged to; recorded.")),
        TRANSACTION._replace(about="Names the bet to undo."),
        STAKE.optional("Amount to give back; absent: the bet's."),
        *(JACKPOT, WIN_SEEN, ROUND_ENDS._replace(to="", keep=True), UNIQUE),
    ),
    make=_cancel,
    success=(BALANCE_AFTER,),
    refusals=(
        *(Verdict.PLAYER_UNKNOWN, Verdict.FOREIGN_BET, Verdict.KEY_CONFLICT, Verdict.UNKNOWN_BET),
        *(Verdict.REFUND_AMOUNT, Verdict.BET_SETTLED),
    ),
)

ENDPOINTS: Final = (CHECK, BALANCE, BET, WIN, CANCEL)
