"""The table of the transfer door, edition 4: every endpoint, its fields, its answer and its refusals.

`caisse.dialects.transfer_v4.door` serves it. The codes up to 21 are the contract's, the others ours; which
verdict gets which code is written here.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from caisse.core.money import show
from caisse.core.requests import Charge, Look, LookTransfer, OpenWallet, Request, Withdraw
from caisse.core.verdicts import Verdict
from caisse.dialects.transfer_v3.door import AT_CREATE, AT_LOGIN, create_player
from caisse.dialects.wire.slot_log import LIMIT, LOGS, START, no_request
from caisse.dialects.wire.table import Endpoint, Field, Need, Shown, Terms, as_is
from caisse.dialects.wire.values import (
    BALANCE_SCHEMA,
    CURRENCY,
    POSITIVE,
    PRINTABLE,
    UUID,
    Type,
    Wrong,
    ident,
    text,
)

LONGEST_NAME: Final = 32
"""Characters of a player's name."""


class Refusal(NamedTuple):
    """What a refused answer says."""

    error: str
    description: str


SUCCESS: Final = Refusal("0", "success")
NO_VERDICT: Final = Refusal("1", "Temporarily unavailable, send the same request again")
LOGIN: Final = Refusal("4", "Wrong login or token")
NO_SUCH_METHOD: Final = Refusal("1", "No such method")
POST_ONLY: Final = Refusal("1", "Only POST is answered")
UNREADABLE: Final = Refusal("7", "Unreadable request")

WRONG: Final[Mapping[Wrong, Refusal]] = {
    Wrong.PARAMETER: Refusal("7", "Missing or wrong parameter"),
    Wrong.AMOUNT: Refusal("7", "Missing or wrong parameter"),
    Wrong.CURRENCY: Refusal("21", "Wrong or unsupported currency"),
}
"""What is wrong with a field -> its code."""

REFUSALS: Final[Mapping[Verdict, Refusal]] = {
    Verdict.BALANCE_LIMIT: Refusal("7", "Balance limit exceeded"),
    Verdict.TRANSFER_UNKNOWN: Refusal("7", "Transaction not found"),
    Verdict.ALREADY_TRANSFERRED: Refusal("8", "Transaction already exists, no action required"),
    Verdict.PLAYER_UNKNOWN: Refusal("17", "Player not found"),
    Verdict.CURRENCY_UNSUPPORTED: WRONG[Wrong.CURRENCY],
    Verdict.TOO_MANY_DECIMALS: WRONG[Wrong.CURRENCY],
    Verdict.INSUFFICIENT: Refusal("22", "Not enough balance"),
    Verdict.PLAYER_FROZEN: Refusal("23", "Player is frozen"),
    Verdict.WALLET_UNKNOWN: Refusal("24", "Wallet not found"),
    Verdict.KEY_CONFLICT: Refusal("25", "Transaction id was used for another request"),
    Verdict.DUPLICATE_PLAYER: Refusal("26", "Already exists"),
    Verdict.DUPLICATE_WALLET: Refusal("26", "Already exists"),
}
"""Verdict -> its code."""


def _read_unique(value: object) -> Any:
    return UUID.read(value) or PRINTABLE.read(value)


UNIQUE_ID = Type(_read_unique, PRINTABLE.schema)
"""1 to 64 printable ASCII characters. A canonical uuid is read as lower case, since edition 3, which shares
the keys with this one, compares it so (R3).
"""

_SECRET: Final = Type(lambda value: value, {"type": "string", "minLength": 1})

LOGIN_NAME = Field("secureLogin", "", _SECRET, "Partner id.")
TOKEN = Field("token", "", _SECRET._replace(schema={**_SECRET.schema, "format": "password"}), "The token.")
UNIQUE = Field("uuid", "uuid", UNIQUE_ID, "Unique id of this request; sent again, it gets the first answer.")
UNIQUE_READ = UNIQUE.optional(Need.CHECKED, "Id of this request.")
USER = Field("userId", "user", ident(64), "The player's id, given by the partner.")
NICKNAME = Field(
    "userNickname", "name", text(LONGEST_NAME), "The player's name; absent: the id.", Need.CHECKED
)
MONEY = Field("currency", "currency", CURRENCY._replace(wrong=Wrong.CURRENCY), "Currency code of the wallet.")
TRANSACTION = Field("TransactionId", "transaction", ident(128), "The partner's own id of this transfer.")
WANTED = TRANSACTION.optional(Need.CHECKED, "Absent: the player's newest transfer.")
AMOUNT_IN = Field("amount", "amount", POSITIVE, "Amount to add.")
AMOUNT_OUT = Field("amount", "amount", POSITIVE, "Amount to take.")

_CASH: Final = {"type": "number", "minimum": 0}


def _cash(amount: int) -> msgspec.Raw:
    """A JSON number with exactly the canonical characters."""
    return msgspec.Raw(show(amount))


USER_ID = Shown("userId", {"type": "string"}, "The player's id.", lambda t: t.echo.user)
TRANSACTION_ID = Shown("transactionId", {"type": "string"}, "Id in the wallet.", lambda t: t.row.id)
CURRENCY_OF_ROW = Shown("currency", {"type": "string"}, "Currency of the wallet.", lambda t: t.row.currency)
BALANCE_OF_ROW = Shown("balance", _CASH, "The wallet's balance after it.", lambda t: _cash(t.row.balance))

MOVED: Final = (TRANSACTION_ID, CURRENCY_OF_ROW, BALANCE_OF_ROW)
STATUS: Final = (
    TRANSACTION_ID,
    CURRENCY_OF_ROW,
    Shown(
        "amount",
        {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)\.[0-9]{1,18}$"},
        "What moved: positive into the wallet, negative out of it.",
        lambda t: show(t.row.amount),
    ),
    BALANCE_OF_ROW,
)
WALLET = Shown(
    "wallet",
    {"type": "object", "additionalProperties": BALANCE_SCHEMA},
    "Currency code -> balance.",
    lambda t: {code: show(balance) for code, balance in sorted(t.seen.wallets.items())},
)
INFO: Final = (USER_ID, AT_CREATE, AT_LOGIN, WALLET)
LATER_INFO: Final = (
    USER_ID,
    Shown("userNickname", {"type": "string"}, "The player's name.", lambda t: t.seen.name),
    AT_CREATE._replace(name="dateTimeCreate"),
    AT_LOGIN._replace(name="dateTimeLogin"),
    WALLET,
)
BALANCE: Final = (Shown("balance", _CASH, "The balance.", lambda t: _cash(t.seen.wallets[t.echo.currency])),)


def _create(values: dict[str, Any], terms: Terms) -> Request:
    values.setdefault("name", values["user"][:LONGEST_NAME])
    return create_player(values, terms)


_COMMON: Final = (LOGIN_NAME, TOKEN, UNIQUE, USER)
_COMMON_READ: Final = (LOGIN_NAME, TOKEN, UNIQUE_READ, USER)
_CHARGE_REFUSALS: Final = (
    *(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT, Verdict.ALREADY_TRANSFERRED),
    *(Verdict.CURRENCY_UNSUPPORTED, Verdict.TOO_MANY_DECIMALS),
    *(Verdict.WALLET_UNKNOWN, Verdict.BALANCE_LIMIT),
)
_REFUND_REFUSALS: Final = (
    *(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT, Verdict.ALREADY_TRANSFERRED, Verdict.WALLET_UNKNOWN),
    *(Verdict.PLAYER_FROZEN, Verdict.INSUFFICIENT),
)

CREATE_USER = Endpoint(
    path="/createuser",
    also=("/transfer/CreateUser",),
    summary="Create a player.",
    fields=(*_COMMON, NICKNAME),
    make=_create,
    success=(USER_ID,),
    refusals=(Verdict.KEY_CONFLICT, Verdict.DUPLICATE_PLAYER),
)
CREATE_WALLET = Endpoint(
    path="/createwallet",
    also=("/transfer/CreateWallet",),
    summary="Open a player's wallet in a currency.",
    fields=(*_COMMON, MONEY),
    creates_obligation=True,
    make=as_is(OpenWallet),
    success=(USER_ID,),
    refusals=(
        Verdict.PLAYER_UNKNOWN,
        Verdict.KEY_CONFLICT,
        Verdict.DUPLICATE_WALLET,
        Verdict.CURRENCY_UNSUPPORTED,
    ),
)
CHARGE = Endpoint(
    path="/charge",
    also=("/transfer/DepositBalance",),
    summary="Put money into a player's wallet.",
    fields=(*_COMMON, MONEY, TRANSACTION, AMOUNT_IN),
    creates_obligation=True,
    make=as_is(Charge),
    success=MOVED,
    refusals=_CHARGE_REFUSALS,
)
REFUND = Endpoint(
    path="/refund",
    also=("/transfer/WithdrawlBalance", "/tranfer/WithdrawlBalance"),
    summary="Refund (money out): take money out of a player's wallet (Refund Balance).",
    fields=(*_COMMON, MONEY, TRANSACTION, AMOUNT_OUT),
    make=as_is(Withdraw),
    success=MOVED,
    refusals=_REFUND_REFUSALS,
)
USER_INFO = Endpoint(
    path="/userInfo",
    summary="Show a player and all wallets.",
    fields=_COMMON_READ,
    make=as_is(Look),
    success=INFO,
    refusals=(Verdict.PLAYER_UNKNOWN,),
    reads=True,
)
LATER_USER_INFO = Endpoint(
    path="/transfer/UserInfo",
    summary="Show a player and all wallets, as later editions do.",
    fields=_COMMON_READ,
    make=as_is(Look),
    success=LATER_INFO,
    refusals=(Verdict.PLAYER_UNKNOWN,),
    reads=True,
)
GET_BALANCE = Endpoint(
    path="/getBalance",
    also=("/transfer/GetBalance",),
    summary="Show the balance of a player's wallet.",
    fields=(*_COMMON_READ, MONEY),
    make=as_is(Look),
    success=BALANCE,
    refusals=(Verdict.PLAYER_UNKNOWN, Verdict.WALLET_UNKNOWN),
    reads=True,
)
TRANSFER_STATUS = Endpoint(
    path="/getTransferStatus",
    also=("/transfer/GetTransferInfo",),
    summary="What became of a charge or refund; a refused one is told by its refusal.",
    fields=(*_COMMON_READ, WANTED),
    make=as_is(LookTransfer),
    success=STATUS,
    refusals=(
        *(Verdict.CURRENCY_UNSUPPORTED, Verdict.TOO_MANY_DECIMALS),
        *(Verdict.PLAYER_UNKNOWN, Verdict.TRANSFER_UNKNOWN, Verdict.WALLET_UNKNOWN, Verdict.PLAYER_FROZEN),
        *(Verdict.BALANCE_LIMIT, Verdict.INSUFFICIENT),
    ),
    reads=True,
)
SLOT_LOG = Endpoint(
    path="/GetSlotLog",
    summary="A page of the game rounds of the partner's players, oldest first.",
    fields=(
        *(LOGIN_NAME, TOKEN, UNIQUE_READ),
        USER.optional(
            Need.CHECKED, "Whose rows, which have an index of their own; absent: those of all players."
        ),
        *(START, LIMIT),
    ),
    make=no_request,
    success=(LOGS,),
    reads=True,
)

ENDPOINTS: Final = (
    *(CREATE_USER, CREATE_WALLET, CHARGE, REFUND),
    *(USER_INFO, LATER_USER_INFO, GET_BALANCE, TRANSFER_STATUS, SLOT_LOG),
)
