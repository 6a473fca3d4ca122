"""The table of the seamless door, edition 4: every method, its fields, its answer and its refusals.

`caisse.dialects.seamless_v4` serves it. What each code means is the contract's; which verdict gets which code
is written here.
"""

from collections.abc import Mapping
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
from caisse.dialects.table import Endpoint, Fault, Field, Make, Shown, Terms, plain
from caisse.dialects.values import AMOUNT, ANYTHING, CURRENCY, PRINTABLE, Wrong, text


class Refusal(NamedTuple):
    """What a refused answer says."""

    error: int
    description: str


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

_ID = text(128)
_USER = text(64)

PROVIDER = Field("providerId", "", _USER, "Id of the game provider; must be the connection's.")
USER = Field("userId", "user", _USER, "The player's id, given by the operator.")
UNIQUE = Field("uuid", "uuid", PRINTABLE, "Id of this request; recorded, no key.")
REFERENCE = Field("reference", "reference", _ID, "Unique reference of this transaction.")
BET_REFERENCE = Field("reference", "reference", _ID, "Reference of the bet to undo.")
MONEY = Field("currency", "currency", CURRENCY, "Currency code of the game.")
GAME = Field("gameId", "game", _ID, "Id of the game.")
GAME_NAME = Field("gamename", "", _ID, "Name of the game; recorded.", keep=True)
ROUND = Field("roundId", "round", _ID, "Id of the round.")
SESSION = Field("sessionId", "session", _ID, "Id of the game session.")
SESSION_SEEN = SESSION._replace(to="")
STAKE = Field("amount", "amount", AMOUNT, "The stake; zero for a free spin.")
WIN = Field("amount", "amount", AMOUNT, "The win; zero if there is none.")
TIME = Field("timestamp", "", ANYTHING, "When the provider processed it; recorded, never trusted.", keep=True)
ROUND_DETAILS = Field("roundDetails", "", ANYTHING, "About the round; recorded.", keep=True)
PLATFORM = Field(
    "platform", "", ANYTHING, "Channel the game is played on; recorded.", required=False, keep=True
)


def _recorded(name: str, about: str) -> Field:
    return Field(name, "", ANYTHING, about, required=False, keep=True)


TRANSACTION_ID = Shown("transactionId", {"type": "string"}, "Id in the wallet.", lambda t: t.row.id)
CURRENCY_OF_ROW = Shown("currency", {"type": "string"}, "Currency of the wallet.", lambda t: t.row.currency)
CASH_OF_ROW = Shown(
    "cash", {"type": "number"}, "Balance after it.", lambda t: msgspec.Raw(show(t.row.balance))
)
CURRENCY_ASKED = Shown("currency", {"type": "string"}, "As asked.", lambda t: t.request.currency)
CASH_NOW = Shown(
    "cash",
    {"type": "number"},
    "The balance.",
    lambda t: msgspec.Raw(show(t.seen.wallets[t.request.currency])),
)
BONUS = Shown(
    "bonus", {"type": "number"}, "Always zero: bonuses are paid as cash.", lambda t: msgspec.Raw("0.0")
)
REFERENCE_SENT = Shown("reference", {"type": "string"}, "The bet's reference.", lambda t: t.request.reference)

MOVED: Final = (TRANSACTION_ID, CURRENCY_OF_ROW, CASH_OF_ROW)
AWARDED: Final = (*MOVED, BONUS)


def _play(kind: type[Rollback | EndRound | ExpireSession]) -> Make:
    return lambda values, terms: kind(provider=terms.provider, **values)


def _bet(values: dict[str, Any], terms: Terms) -> Request:
    enabled = values["game"] not in terms.disabled_games
    return Bet(provider=terms.provider, game_enabled=enabled, **values)


def _result(values: dict[str, Any], terms: Terms) -> Request | Fault:
    """R41: a bonus code makes it a free round. R48: a promotional win may ride along; one of zero is none."""
    free_round = bool(values.pop("bonus", ""))
    reference, amount = values.pop("promo_reference", ""), values.pop("promo_amount", None)
    if amount and not reference:
        return Fault(Wrong.PARAMETER, "promoWinReference")
    if reference and amount is None:
        return Fault(Wrong.PARAMETER, "promoWinAmount")
    promo = Promo(reference, amount) if amount else None
    return Result(provider=terms.provider, free_round=free_round, promo=promo, **values)


def _refund(values: dict[str, Any], terms: Terms) -> Request | Fault:
    """By the bet's reference; by the round only where there is none and the profile allows it (R32)."""
    if "reference" in values:
        return Rollback(provider=terms.provider, **values)
    if not (terms.policy.refund_by_round and "round" in values):
        return Fault(Wrong.PARAMETER, "reference")
    values.pop("amount", None)
    return RollbackRound(provider=terms.provider, **values)


def _cancel(values: dict[str, Any], terms: Terms) -> Request:
    del values["currency"]  # the stored bet's counts
    return Rollback(provider=terms.provider, **values)


def _award(kind: Literal["bonus", "jackpot", "promo"]) -> Make:
    return lambda values, terms: Award(provider=terms.provider, kind=kind, **values)


_READ_REFUSALS: Final = (Verdict.PLAYER_UNKNOWN, Verdict.WALLET_UNKNOWN)
_AWARD_REFUSALS: Final = (
    Verdict.PLAYER_UNKNOWN,
    Verdict.KEY_CONFLICT,
    Verdict.FIELD_UNREADABLE,
    Verdict.WALLET_UNCLEAR,
)

CHECK = Endpoint(
    path="/V4/Check",
    summary="Is the player known, with a wallet in this currency?",
    fields=(PROVIDER, USER, MONEY, SESSION, UNIQUE),
    make=lambda values, terms: Look(provider=terms.provider, **values),
    refusals=(*_READ_REFUSALS, Verdict.SESSION_EXPIRED),
)
BALANCE = Endpoint(
    path="/V4/Balance",
    summary="The balance of a player's wallet.",
    fields=(PROVIDER, USER, MONEY, SESSION_SEEN, UNIQUE),
    make=plain(Look),
    success=(CURRENCY_ASKED, CASH_NOW),
    refusals=_READ_REFUSALS,
)
BET = Endpoint(
    path="/V4/Bet",
    summary="Take a stake.",
    fields=(
        *(PROVIDER, USER, UNIQUE, GAME, GAME_NAME, ROUND, STAKE, REFERENCE, SESSION, MONEY),
        *(TIME._replace(name="timeStamp"), ROUND_DETAILS),
        _recorded("bonusCode", "Bonus that the bet belongs to; recorded."),
        _recorded("jackpotContribution", "Share of the stake that feeds a jackpot; recorded."),
        _recorded("jackpotDetails", "About that jackpot; recorded."),
        _recorded("jackpotId", "Id of that jackpot; recorded."),
    ),
    takes_on=True,
    make=_bet,
    success=MOVED,
    refusals=(
        *(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT, Verdict.LATE_BET),
        *(Verdict.CURRENCY_UNSUPPORTED, Verdict.TOO_MANY_DECIMALS),
        *(Verdict.ROUND_CURRENCY, Verdict.ROUND_ENDED, Verdict.SESSION_EXPIRED, Verdict.WALLET_UNKNOWN),
        *(Verdict.PLAYER_FROZEN, Verdict.GAME_DISABLED, Verdict.ROUND_FULL, Verdict.INSUFFICIENT),
    ),
)
RESULT = Endpoint(
    path="/V4/Result",
    summary="Pay a round's win and settle its bets so far.",
    fields=(
        *(PROVIDER, USER, UNIQUE, GAME, GAME_NAME, ROUND, WIN, REFERENCE, MONEY, SESSION),
        *(TIME, ROUND_DETAILS),
        Field(
            "bonusCode",
            "bonus",
            _ID,
            "Bonus whose free round this is: no bet is needed.",
            required=False,
            keep=True,
        ),
        Field("promoWinAmount", "promo_amount", AMOUNT, "A promotional win paid with it.", required=False),
        Field("promoWinReference", "promo_reference", _ID, "Unique reference of that win.", required=False),
        _recorded("promoCampaignID", "Campaign of that win; recorded."),
        _recorded("promoCampaignType", "Type of that campaign; recorded."),
    ),
    make=_result,
    success=MOVED,
    refusals=(
        *(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT, Verdict.FIELD_UNREADABLE),
        *(Verdict.NO_STANDING_BET, Verdict.WALLET_UNCLEAR),
    ),
)
REFUND = Endpoint(
    path="/V4/Refund",
    summary="Roll a bet back: give its stake back once.",
    fields=(
        *(PROVIDER, USER, UNIQUE),
        BET_REFERENCE.optional("Reference of the bet to undo. Required unless the profile refunds by round."),
        *(GAME.optional(), ROUND.optional(), TIME.optional(), ROUND_DETAILS.optional()),
        Field("amount", "amount", AMOUNT, "Amount to give back; absent: the bet's.", required=False),
        *(_recorded("bonusCode", "Bonus that the bet belonged to; recorded."), PLATFORM),
    ),
    make=_refund,
    success=(TRANSACTION_ID,),
    refusals=(
        *(Verdict.PLAYER_UNKNOWN, Verdict.FOREIGN_BET, Verdict.KEY_CONFLICT, Verdict.UNKNOWN_BET),
        *(Verdict.FIELD_UNREADABLE, Verdict.REFUND_AMOUNT, Verdict.ROUND_WON, Verdict.BET_SETTLED),
    ),
)
CANCEL = Endpoint(
    path="/V4/Cancel",
    summary="Roll a bet back, as Refund does.",
    fields=(PROVIDER, USER, GAME, GAME_NAME, MONEY, BET_REFERENCE, UNIQUE, SESSION),
    make=_cancel,
    success=(REFERENCE_SENT,),
    refusals=(
        *(Verdict.PLAYER_UNKNOWN, Verdict.FOREIGN_BET, Verdict.KEY_CONFLICT, Verdict.UNKNOWN_BET),
        Verdict.BET_SETTLED,
    ),
)
END_ROUND = Endpoint(
    path="/V4/EndRound",
    summary="Close a round.",
    fields=(
        *(PROVIDER, USER, UNIQUE, GAME, ROUND, SESSION, PLATFORM),
        _recorded("win", "What the round won in all; recorded."),
    ),
    make=_play(EndRound),
    success=AWARDED,
    refusals=(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT),
)
BONUS_WIN = Endpoint(
    path="/V4/BonusWin",
    summary="Pay a bonus's win.",
    fields=(
        *(PROVIDER, USER, UNIQUE, GAME, ROUND, WIN, REFERENCE, TIME),
        Field("bonusCode", "name", _ID, "Id of the bonus."),
        *(SESSION, PLATFORM),
    ),
    make=_award("bonus"),
    success=AWARDED,
    refusals=_AWARD_REFUSALS,
)
JACKPOT_WIN = Endpoint(
    path="/V4/JackPotWin",
    summary="Pay a jackpot.",
    fields=(
        *(PROVIDER, USER, UNIQUE, GAME, ROUND, WIN, REFERENCE, TIME),
        Field("jackpotId", "name", _ID, "Id of the jackpot."),
        *(SESSION.optional(), PLATFORM),
    ),
    make=_award("jackpot"),
    success=AWARDED,
    refusals=_AWARD_REFUSALS,
)
PROMO_WIN = Endpoint(
    path="/V4/PromoWin",
    summary="Pay a promotional win.",
    fields=(
        *(PROVIDER, USER, UNIQUE, WIN, REFERENCE, TIME),
        Field("campaignId", "name", _ID, "Id of the campaign."),
        Field("campaignType", "", ANYTHING, "Type of the campaign; recorded.", keep=True),
        MONEY,
    ),
    make=_award("promo"),
    success=AWARDED,
    refusals=_AWARD_REFUSALS,
)
SESSION_EXPIRED = Endpoint(
    path="/V4/SessionExpired",
    summary="A game session is over: no more bets in it.",
    fields=(PROVIDER, SESSION, USER, UNIQUE),
    make=_play(ExpireSession),
    refusals=(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT),
)

ENDPOINTS: Final = (
    *(CHECK, BALANCE, BET, RESULT, REFUND, CANCEL, END_ROUND),
    *(BONUS_WIN, JACKPOT_WIN, PROMO_WIN, SESSION_EXPIRED),
)
