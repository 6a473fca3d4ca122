"""The seamless edition Kyren V1: `POST /<key>/v1/<Method>`.

As edition 4, but for this: `cash` is text, a Refund undoes the player's whole round, there are no award
methods, and the codes have other numbers.
"""

from typing import Final

from caisse.core.requests import Look
from caisse.core.verdicts import Verdict
from caisse.dialects.wire.seamless import (
    BET_REFERENCE,
    BET_REFUSALS,
    BONUS_CODE,
    CANCEL_REFUSALS,
    CASH_NOW_AS_TEXT,
    CASH_OF_ROW_AS_TEXT,
    CURRENCY_OF_ROW,
    CURRENCY_SHOWN,
    GAME,
    GAME_NAME,
    MONEY,
    MONEY_SEEN,
    OF_BETS,
    ONE_WALLET,
    OWN_REFUSALS,
    PROVIDER,
    READ_REFUSALS,
    REFERENCE,
    RESULT_REFUSALS,
    ROUND,
    ROUND_DETAILS,
    ROUND_NOT_ENDED,
    ROUND_REFUND_REFUSALS,
    SESSION,
    STAKE,
    TIME,
    TRANSACTION_ID,
    UNIQUE,
    USER,
    WIN,
    WON,
    Edition,
    Method,
    bet,
    cancel,
    end_round,
    expire_session,
    look,
    refund_round,
    result,
)
from caisse.dialects.wire.seamless_door import SeamlessDoor
from caisse.dialects.wire.table import Need, as_is

CODES: Final = {
    1: 15,
    2: 52,
    3: 53,
    4: 54,
    5: 55,
    6: 56,
    7: 57,
    8: 58,
    10: 59,
    50: 60,
    100: 998,
    120: 999,
    130: 997,
}
"""Code of edition 4 -> its number here."""

NAME: Final = GAME_NAME._replace(name="gameName")
MOVED: Final = (TRANSACTION_ID, CURRENCY_OF_ROW, CASH_OF_ROW_AS_TEXT)

CHECK = Method(
    path="/v1/Check",
    summary="Is the player known, with a wallet in this currency?",
    fields=(PROVIDER, USER, UNIQUE, MONEY.optional(Need.CHECKED), SESSION.optional()),
    make=look,
    refusals=(*READ_REFUSALS, Verdict.SESSION_EXPIRED),
    reads=True,
)
BALANCE = Method(
    path="/v1/Balance",
    summary="The balance of a player's wallet.",
    fields=(PROVIDER, USER, UNIQUE, ONE_WALLET, SESSION.optional()._replace(to="")),
    make=as_is(Look),
    success=(CURRENCY_SHOWN, CASH_NOW_AS_TEXT),
    refusals=READ_REFUSALS,
    reads=True,
    shows_wallet=True,
)
BET = Method(
    path="/v1/Bet",
    summary="Take a stake.",
    fields=(
        PROVIDER,
        USER,
        UNIQUE,
        GAME,
        ROUND,
        STAKE,
        REFERENCE,
        MONEY,
        SESSION.optional(),
        NAME,
        TIME,
        ROUND_DETAILS,
        BONUS_CODE._replace(about="Bonus that the bet belongs to; recorded."),
    ),
    creates_obligation=True,
    make=bet,
    success=MOVED,
    refusals=BET_REFUSALS,
    own_refusals=OF_BETS,
)
RESULT = Method(
    path="/v1/Result",
    summary="Pay a round's win and settle its bets so far.",
    fields=(
        PROVIDER,
        USER,
        UNIQUE,
        ROUND,
        WIN,
        REFERENCE,
        GAME.optional(),
        MONEY.optional(Need.STEERS, "Currency code of the game; absent: the round's."),
        SESSION.optional(),
        NAME,
        TIME,
        ROUND_DETAILS,
    ),
    make=result,
    success=MOVED,
    refusals=RESULT_REFUSALS,
)
REFUND = Method(
    path="/v1/Refund",
    summary="Refund of a round: give the stakes of its open bets back once.",
    fields=(
        PROVIDER,
        USER,
        UNIQUE,
        ROUND,
        REFERENCE.optional(about="The refund's own reference; recorded, no key."),
        GAME.optional(),
        NAME,
        MONEY_SEEN,
        BONUS_CODE,
    ),
    make=refund_round,
    success=(TRANSACTION_ID,),
    refusals=ROUND_REFUND_REFUSALS,
    error_is_text=True,
)
CANCEL = Method(
    path="/v1/Cancel",
    summary="Refund of a bet: roll it back, give its stake back once.",
    fields=(
        PROVIDER,
        USER,
        BET_REFERENCE,
        UNIQUE,
        ROUND.optional(),
        SESSION.optional(),
        GAME.optional(),
        NAME,
        MONEY.optional(about="Currency of the bet; says whose balance is shown where the bet is unknown."),
    ),
    make=cancel,
    success=MOVED,
    refusals=CANCEL_REFUSALS,
)
END_ROUND = Method(
    path="/v1/EndRound",
    summary="Close a round.",
    fields=(PROVIDER, USER, UNIQUE, ROUND, GAME.optional(), SESSION.optional(), MONEY_SEEN, WON),
    make=end_round,
    success=(CURRENCY_OF_ROW, CASH_OF_ROW_AS_TEXT),
    refusals=OWN_REFUSALS,
    no_verdict=ROUND_NOT_ENDED,
)
SESSION_EXPIRED = Method(
    path="/v1/SessionExpired",
    summary="A game session is over: no more bets in it.",
    fields=(PROVIDER, SESSION, USER, UNIQUE),
    make=expire_session,
    refusals=OWN_REFUSALS,
)

ENDPOINTS: Final = (CHECK, BALANCE, BET, RESULT, REFUND, CANCEL, END_ROUND, SESSION_EXPIRED)


class KyrenV1(SeamlessDoor):
    """The door itself."""

    edition = Edition("v1", ENDPOINTS, CODES)
