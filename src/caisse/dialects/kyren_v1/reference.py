"""The manual of the seamless edition Kyren V1, with its examples."""

from typing import Final

from caisse.dialects.examples import Example
from caisse.dialects.kyren_v1.door import KyrenV1
from caisse.dialects.wire.reference_seamless import seamless_manual


def _play(title: str, method: str, number: int, body: str, answer: str = "", error: str = "0") -> Example:
    who = f'"uuid": "9d27c1b0e6f84a53a1d2c3b4f5e690{number:02}", "userId": "421", "providerId": "luckymonaco"'
    return Example(
        title,
        f"/v1/{method}",
        f"{{{who}, {body}}}",
        f'{{{answer}{answer and ", "}"error": {error}, "description": "Success"}}',
    )


_TABLE: Final = '"gameId": "6_speed_baccarat1", "gameName": "Speed Baccarat 1", "sessionId": "session-3"'
_BET: Final = (
    f'{_TABLE}, "currency": "USD", "timestamp": "1765324800000",'
    ' "roundDetails": {"type": "bet", "desc": [{"banker": 10}, {"tie": 3}]}'
)

_EXAMPLES: Final = (
    _play("A known player", "Check", 1, '"currency": "USD", "sessionId": "session-3"'),
    _play("The balance", "Balance", 2, '"sessionId": "session-3"', '"currency": "USD", "cash": "1126.25"'),
    _play(
        "A stake of 13.0",
        "Bet",
        3,
        f'"roundId": "v1-1", "reference": "v1-bet-1", "amount": "13", {_BET}',
        '"transactionId": "<v1 bet 1>", "currency": "USD", "cash": "1113.25"',
    ),
    _play(
        "It wins 31.0",
        "Result",
        4,
        f'"roundId": "v1-1", "reference": "v1-win-1", "amount": "31.0", {_BET}',
        '"transactionId": "<v1 win>", "currency": "USD", "cash": "1144.25"',
    ),
    _play(
        "Its end",
        "EndRound",
        5,
        '"roundId": "v1-1", "gameId": "6_speed_baccarat1", "win": "31.0"',
        '"currency": "USD", "cash": "1144.25"',
    ),
    _play(
        "Another stake",
        "Bet",
        6,
        f'"roundId": "v1-2", "reference": "v1-bet-2", "amount": 20, {_BET}',
        '"transactionId": "<v1 bet 2>", "currency": "USD", "cash": "1124.25"',
    ),
    _play(
        "Its round is refunded",
        "Refund",
        7,
        '"roundId": "v1-2", "reference": "v1-refund-1", "currency": "USD"',
        '"transactionId": "<v1 refund>"',
        error='"0"',
    ),
    _play(
        "A third stake",
        "Bet",
        8,
        f'"roundId": "v1-3", "reference": "v1-bet-3", "amount": 4.25, {_BET}',
        '"transactionId": "<v1 bet 3>", "currency": "USD", "cash": "1140.0"',
    ),
    _play(
        "The bet is refunded",
        "Cancel",
        9,
        f'"reference": "v1-bet-3", "roundId": "v1-3", "currency": "USD", {_TABLE}',
        '"transactionId": "<v1 cancel>", "currency": "USD", "cash": "1144.25"',
    ),
    _play("The session is over", "SessionExpired", 10, '"sessionId": "session-3"'),
)

KYREN_V1: Final = seamless_manual(
    KyrenV1(),
    "kyren-v1",
    "Seamless wallet, Kyren V1",
    "As the seamless wallet's edition 4, but `cash` is text, a Refund gives back every open bet of a round,"
    " and the codes have other numbers. A status other than 200 means that no verdict was given; so does"
    " `error` 54 under 200, or 57 for a body that could not be read.",
    _EXAMPLES,
)
