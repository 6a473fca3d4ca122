"""Examples for every endpoint: requests and their answers, those of the contract's two pages to the letter.

Played in this order on a fresh server they give exactly these answers. What differs from server to server is
marked: `<TOKEN>` in a request is the partner's secret, `<time>` in an answer some time, and any other
`<name>` a transaction's id, under one name one and the same throughout. Data only.
"""

import json
from typing import Any, Final, NamedTuple

TIME: Final = "2026-01-31 18:30:00"
"""What documents show for a `<time>`."""


class Example(NamedTuple):
    """One request and its answer, as JSON text."""

    title: str
    path: str
    """The endpoint's, without what stands before it or behind it in a URL."""
    body: str
    answer: str


def shown_value(text: str) -> Any:
    """The object that a text of these spells, fit to be shown."""
    return json.loads(text.replace('"<time>"', f'"{TIME}"'))


_UUID: Final = "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e"


def _transfer(title: str, verb: str, number: int, body: str, answer: str = "") -> Example:
    """Edition 3 of the transfer door; `number` makes the uuid."""
    uuid = f'"uuid": "{_UUID}{number:02}"'
    said = f", {answer}" if answer else ""
    return Example(title, verb, f"{{{body}, {uuid}}}", f'{{"status": "OK", {uuid}{said}}}')


def _transfer_4(title: str, verb: str, number: int, body: str, answer: str) -> Example:
    """Edition 4 of the transfer door."""
    login = f'"secureLogin": "demo", "token": "<TOKEN>", "uuid": "{_UUID}{number:02}", "userId": "player7"'
    return Example(
        title,
        verb,
        f"{{{login}{body and ', '}{body}}}",
        f'{{{answer}, "error": "0", "description": "success"}}',
    )


def _play(title: str, method: str, number: int, body: str, answer: str = "") -> Example:
    """The seamless door, edition 4."""
    who = f'"uuid": "6e1f0c7a92d84b35b1c7d0e4f8a259{number:02}", "userId": "421", "providerId": "luckymonaco"'
    return Example(
        title,
        f"/V4/{method}",
        f"{{{who}, {body}}}",
        f'{{{answer}{answer and ", "}"error": 0, "description": "Success"}}',
    )


_TRANSFER: Final = (
    _transfer("A player", "/user/create", 1, '"id": "tester", "name": "Tester"'),
    _transfer("Another player", "/user/create", 2, '"id": "421", "name": "Player 421"'),
    _transfer("A wallet", "/user/create_wallet", 3, '"id": "tester", "currency": "USD"'),
    _transfer("Another wallet", "/user/create_wallet", 4, '"id": "421", "currency": "USD"'),
    _transfer(
        "300.0 USD",
        "/user/charge",
        5,
        '"id": "tester", "currency": "USD", "amount": "300.0"',
        '"currency": "USD", "amount": "300.0", "balance": "300.0"',
    ),
    _transfer(
        "Any spelling of an amount",
        "/user/charge",
        6,
        '"id": "421", "currency": "USD", "amount": 100',
        '"currency": "USD", "amount": "100.0", "balance": "100.0"',
    ),
    Example(
        "The contract's success example",
        "/user/refund",
        """{
    "id": "tester",
    "currency": "USD",
    "uuid" : "ab64cee3-f73b-4631-9abf-b1a09c1f9c36",
    "amount" : "200.0"
}""",
        """{
    "status": "OK",
    "uuid" : "ab64cee3-f73b-4631-9abf-b1a09c1f9c36",
    "currency": "USD",
    "amount" : "200.0",
    "balance" : "100.0"
}""",
    ),
    Example(
        "The contract's failed example, under a uuid of its own",
        "/user/refund",
        """{
    "id": "tester",
    "currency": "USD",
    "uuid" : "0d9a6f0e-5b7c-4c1e-8f53-2f6f3f1d7a10",
    "amount" : "200.0"
}""",
        """{
    "status": "Failed",
    "uuid" : "0d9a6f0e-5b7c-4c1e-8f53-2f6f3f1d7a10",
    "code" : 3,
    "reason" : "Not Enough Balance"
}""",
    ),
    _transfer("One wallet", "/user/balance", 7, '"id": "tester", "currency": "USD"', '"balance": "100.0"'),
    _transfer(
        "The player",
        "/user/info",
        8,
        '"id": "tester"',
        '"name": "Tester", "at_create": "<time>", "at_login": "<time>", "wallet": {"USD": "100.0"}',
    ),
)

_TRANSFER_4: Final = (
    _transfer_4("A player", "/createuser", 11, '"userNickname": "Seven"', '"userId": "player7"'),
    _transfer_4("A wallet", "/createwallet", 12, '"currency": "EUR"', '"userId": "player7"'),
    _transfer_4(
        "50.0 EUR",
        "/charge",
        13,
        '"currency": "EUR", "TransactionId": "in-1", "amount": "50.00"',
        '"transactionId": "<charge>", "currency": "EUR", "balance": 50.0',
    ),
    _transfer_4(
        "19.5 EUR",
        "/refund",
        14,
        '"currency": "EUR", "TransactionId": "out-1", "amount": 19.5',
        '"transactionId": "<refund>", "currency": "EUR", "balance": 30.5',
    ),
    _transfer_4(
        "The player",
        "/userInfo",
        15,
        "",
        '"userId": "player7", "at_create": "<time>", "at_login": "<time>", "wallet": {"EUR": "30.5"}',
    ),
    _transfer_4(
        "The player, as later editions show him",
        "/transfer/UserInfo",
        19,
        "",
        '"userId": "player7", "userNickname": "Seven", "dateTimeCreate": "<time>",'
        ' "dateTimeLogin": "<time>", "wallet": {"EUR": "30.5"}',
    ),
    _transfer_4("One wallet", "/getBalance", 16, '"currency": "EUR"', '"balance": 30.5'),
    _transfer_4(
        "The refund",
        "/getTransferStatus",
        17,
        '"TransactionId": "out-1"',
        '"transactionId": "<refund>", "currency": "EUR", "amount": "-19.5", "balance": 30.5',
    ),
)

_GAME: Final = '"gameId": "Im_60_tumblefortune", "roundId": "{round}"'
_BET: Final = (
    f'{_GAME}, "gamename": "Tumble Fortune", "amount": 10.0, "reference": "{{reference}}",'
    ' "sessionId": "session-1", "currency": "USD", "timeStamp": "1482429189000", "roundDetails": "spin"'
)


def _fill(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


_FIRST: Final = {"round": "5103188801", "reference": "585c1306f89c56f5ecfc2f5d"}
_SECOND: Final = {"round": "5103188802", "reference": "585c1306f89c56f5ecfc2f5e"}
_THIRD: Final = {"round": "5103188803", "reference": "585c1306f89c56f5ecfc2f5f"}

_SEAMLESS: Final = (
    _play("A known player", "Check", 1, '"currency": "USD", "sessionId": "session-1"'),
    _play(
        "The balance",
        "Balance",
        2,
        '"currency": "USD", "sessionId": "session-1"',
        '"currency": "USD", "cash": 100.0',
    ),
    _play(
        "A stake of 10.0",
        "Bet",
        3,
        _fill(_BET, **_FIRST),
        '"transactionId": "<bet 1>", "currency": "USD", "cash": 90.0',
    ),
    Example(
        "The contract's example: the bet is rolled back",
        "/V4/Refund",
        """{
    "reference": "585c1306f89c56f5ecfc2f5d",
    "gameId": "Im_60_tumblefortune",
    "providerId": "luckymonaco",
    "userId": "421",
    "roundid" : "5103188801",
    "roundDetails": "spin",
    "amount": 10.0,
    "timestamp": "1482429190374",
    "uuid": "4a5d375ac1311b04fba2ea66d067b8e5"
}""",
        """{
 "transactionId": "<transactionId>",
 "error": "0",
 "description": "Success"
 }""",
    ),
    _play(
        "Another stake",
        "Bet",
        4,
        _fill(_BET, **_SECOND),
        '"transactionId": "<bet 2>", "currency": "USD", "cash": 90.0',
    ),
    _play(
        "It is rolled back, too",
        "Cancel",
        5,
        '"gameId": "Im_60_tumblefortune", "gamename": "Tumble Fortune", "currency": "USD",'
        ' "reference": "585c1306f89c56f5ecfc2f5e", "sessionId": "session-1"',
        '"reference": "585c1306f89c56f5ecfc2f5e", "transactionId": "<cancel>", "currency": "USD",'
        ' "cash": 100.0',
    ),
    _play(
        "A third stake",
        "Bet",
        6,
        _fill(_BET, **_THIRD),
        '"transactionId": "<bet 3>", "currency": "USD", "cash": 90.0',
    ),
    _play(
        "It wins 25.5",
        "Result",
        7,
        _fill(_BET, round=_THIRD["round"], reference="585c1306f89c56f5ecfc2f60")
        .replace("10.0", "25.5")
        .replace("timeStamp", "timestamp"),
        '"transactionId": "<win>", "currency": "USD", "cash": 115.5',
    ),
    _play(
        "Its end",
        "EndRound",
        8,
        _fill(_GAME, **_THIRD) + ', "sessionId": "session-1", "win": 25.5',
        '"transactionId": "<end>", "currency": "USD", "cash": 115.5, "bonus": 0.0',
    ),
    _play(
        "A bonus of 5.0",
        "BonusWin",
        9,
        _fill(_GAME, **_THIRD) + ', "amount": 5.0, "reference": "585c1306f89c56f5ecfc2f61",'
        ' "timestamp": "1482429191000", "bonusCode": "welcome", "sessionId": "session-1"',
        '"transactionId": "<bonus>", "currency": "USD", "cash": 120.5, "bonus": 0.0',
    ),
    _play(
        "A jackpot of 1000.0",
        "JackPotWin",
        10,
        _fill(_GAME, **_THIRD) + ', "amount": 1000.0, "reference": "585c1306f89c56f5ecfc2f62",'
        ' "timestamp": "1482429191000", "jackpotId": "mega"',
        '"transactionId": "<jackpot>", "currency": "USD", "cash": 1120.5, "bonus": 0.0',
    ),
    _play(
        "A prize of 3.25",
        "PromoWin",
        11,
        '"amount": 3.25, "reference": "585c1306f89c56f5ecfc2f63", "timestamp": "1482429192000",'
        ' "campaignId": "summer", "campaignType": "tournament", "currency": "USD"',
        '"transactionId": "<promo>", "currency": "USD", "cash": 1123.75, "bonus": 0.0',
    ),
    _play("The session is over", "SessionExpired", 12, '"sessionId": "session-1"'),
)


def _play_3(title: str, verb: str, number: int, body: str, answer: str) -> Example:
    """The seamless door, edition 3."""
    uuid = f'"uuid": "5b0c1de2f3a44c6d8e9f0a1b2c3d4e{number:02}"'
    return Example(
        title,
        f"/seamless/v3/{verb}",
        f'{{"sid": "session-2", "userid": "421", "currency": "USD", {body}{uuid}}}',
        f'{{"status": "OK", "balance": "{answer}", {uuid}}}',
    )


_GAME_3: Final = '"gametype": "slot", "gameid": "Im_60_tumblefortune", "gamename": "Tumble Fortune", '

_SEAMLESS_3: Final = (
    _play_3("A known player", "check", 1, "", "1123.75"),
    _play_3("The balance", "balance", 2, "", "1123.75"),
    _play_3(
        "A stake of 1.5",
        "bet",
        3,
        f'{_GAME_3}"roundid": "77", "transaction": {{"id": "t-77", "amount": 1.5}}, ',
        "1122.25",
    ),
    _play_3(
        "It wins 4.0, and the round ends",
        "win",
        4,
        f'{_GAME_3}"roundid": "77", "transaction": {{"id": "t-77", "amount": 4.0, "is_end_round": "ok"}}, ',
        "1126.25",
    ),
    _play_3(
        "Another stake", "bet", 5, f'{_GAME_3}"transaction": {{"id": "t-78", "amount": 1.5}}, ', "1124.75"
    ),
    _play_3("It is rolled back", "cancel", 6, f'{_GAME_3}"transaction": {{"id": "t-78"}}, ', "1126.25"),
)

_ROWS: Final = """[
        [0, "Im_60_tumblefortune", "USD", "0.0", "0.0", "none", "0.0"],
        [1, "Im_60_tumblefortune", "USD", "0.0", "0.0", "none", "0.0"],
        [2, "Im_60_tumblefortune", "USD", "10.0", "25.5", "none", "0.0"],
        [3, "Im_60_tumblefortune", "USD", "0.0", "5.0", "none", "0.0"],
        [4, "Im_60_tumblefortune", "USD", "0.0", "0.0", "mega", "1000.0"],
        [5, "Im_60_tumblefortune", "USD", "1.5", "4.0", "none", "0.0"],
        [6, "Im_60_tumblefortune", "USD", "0.0", "0.0", "none", "0.0"]
    ]"""

_LOGS: Final = (
    _transfer("The rounds so far", "/log/slot", 9, '"start": 0, "limit": 100', f'"logs": {_ROWS}'),
    Example(
        "The rounds so far",
        "/GetSlotLog",
        f'{{"secureLogin": "demo", "token": "<TOKEN>", "uuid": "{_UUID}18", "start": 0, "limit": 100}}',
        f'{{"logs": {_ROWS}, "error": "0", "description": "success"}}',
    ),
)

EXAMPLES: Final[tuple[Example, ...]] = (*_TRANSFER, *_TRANSFER_4, *_SEAMLESS, *_SEAMLESS_3, *_LOGS)
