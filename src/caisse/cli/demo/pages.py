"""What the demo plays: the requests and answers of the contract's two pages, to the letter, and what follows.

`<name>` in an answer stands for some text that the contract leaves open; under one name it is one and the
same text throughout. Data only.
"""

from typing import Final, NamedTuple

PARTNER: Final = "demo"
TOKEN: Final = "demo-token"  # noqa: S105 - public: it opens the demo's own database only
PROVIDER: Final = "luckymonaco"


class Step(NamedTuple):
    """One request and the answer that is documented for it."""

    title: str
    path: str
    body: str
    answer: str


def transfer(title: str, verb: str, body: str, answer: str) -> Step:
    """A call of the partner's, which says who it is in the URL's query."""
    return Step(title, f"/user/{verb}?partner_id={PARTNER}&token={TOKEN}", body, answer)


def seamless(title: str, method: str, body: str, answer: str) -> Step:
    """A call of the game's."""
    return Step(title, f"/V4/{method}", body, answer)


WITHDRAWAL: Final = """{
    "id": "tester",
    "currency": "USD",
    "uuid" : "ab64cee3-f73b-4631-9abf-b1a09c1f9c36",
    "amount" : "200.0"
}"""

WITHDRAWN: Final = """{
    "status": "OK",
    "uuid" : "ab64cee3-f73b-4631-9abf-b1a09c1f9c36",
    "currency": "USD",
    "amount" : "200.0",
    "balance" : "100.0"
}"""

NOT_ENOUGH: Final = """{
    "status": "Failed",
    "uuid" : "ab64cee3-f73b-4631-9abf-b1a09c1f9c36",
    "code" : 3,
    "reason" : "Not Enough Balance"
}"""

ROLLBACK: Final = """{
    "reference": "585c1306f89c56f5ecfc2f5d",
    "gameId": "Im_60_tumblefortune",
    "providerId": "luckymonaco",
    "userId": "421",
    "roundid" : "5103188801",
    "roundDetails": "spin",
    "amount": 10.0,
    "timestamp": "1482429190374",
    "uuid": "4a5d375ac1311b04fba2ea66d067b8e5"
}"""

ROLLED_BACK: Final = """{
 "transactionId": "<transactionId>",
 "error": "0",
 "description": "Success"
 }"""

BET: Final = """{
    "uuid": "6e1f0c7a92d84b35b1c7d0e4f8a25936",
    "userId": "421",
    "gameId": "Im_60_tumblefortune",
    "gamename": "Tumble Fortune",
    "roundId": "5103188801",
    "amount": 10.0,
    "reference": "585c1306f89c56f5ecfc2f5d",
    "sessionId": "demo-session",
    "providerId": "luckymonaco",
    "currency": "USD",
    "timeStamp": "1482429189000",
    "roundDetails": "spin"
}"""

# The page shows one uuid for both of its examples; two requests need two.
_PAGE_UUID: Final = "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"
_FRESH_UUID: Final = "0d9a6f0e-5b7c-4c1e-8f53-2f6f3f1d7a10"
_BET: Final = "585c1306f89c56f5ecfc2f5d"
_NO_BET: Final = "585c1306f89c56f5ecfc2f5e"

SETTING: Final = (
    transfer(
        "the player tester",
        "create",
        '{"id": "tester", "name": "Tester", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e01"}',
        '{"status": "OK", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e01"}',
    ),
    transfer(
        "a wallet in USD",
        "create_wallet",
        '{"id": "tester", "currency": "USD", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e02"}',
        '{"status": "OK", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e02"}',
    ),
    transfer(
        "300.0 USD in it",
        "charge",
        '{"id": "tester", "currency": "USD", "amount": "300.0",'
        ' "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e03"}',
        '{"status": "OK", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e03", "currency": "USD",'
        ' "amount": "300.0", "balance": "300.0"}',
    ),
    transfer(
        "the player 421",
        "create",
        '{"id": "421", "name": "Player 421", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e04"}',
        '{"status": "OK", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e04"}',
    ),
    transfer(
        "a wallet in USD",
        "create_wallet",
        '{"id": "421", "currency": "USD", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e05"}',
        '{"status": "OK", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e05"}',
    ),
    transfer(
        "100.0 USD in it",
        "charge",
        '{"id": "421", "currency": "USD", "amount": "100.0", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e06"}',
        '{"status": "OK", "uuid": "8c2f6a52-3f0b-4f4e-9a55-0c1f4b6d7e06", "currency": "USD",'
        ' "amount": "100.0", "balance": "100.0"}',
    ),
    seamless(
        "a bet of 10.0",
        "Bet",
        BET,
        '{"transactionId": "<bet>", "currency": "USD", "cash": 90.0, "error": 0, "description": "Success"}',
    ),
)
"""How the players come to their money, and one of them to a bet."""

PAGES: Final = (
    transfer("Refund Balance, the page's success example", "refund", WITHDRAWAL, WITHDRAWN),
    transfer(
        "Refund Balance, the page's failed example: 100.0 USD are left",
        "refund",
        WITHDRAWAL.replace(_PAGE_UUID, _FRESH_UUID),
        NOT_ENOUGH.replace(_PAGE_UUID, _FRESH_UUID),
    ),
    seamless("Refund, the page's example: the bet of 10.0 is rolled back", "Refund", ROLLBACK, ROLLED_BACK),
)
"""The examples of the two pages."""

REPEATS: Final = (
    transfer("The first request again: the first answer, no money moves", "refund", WITHDRAWAL, WITHDRAWN),
    seamless("The bet's refund again: the same transaction, no money moves", "Refund", ROLLBACK, ROLLED_BACK),
    seamless(
        "Its refund under another uuid: still the same transaction",
        "Refund",
        ROLLBACK.replace("4a5d375ac1311b04fba2ea66d067b8e5", "4a5d375ac1311b04fba2ea66d067b8e6"),
        ROLLED_BACK,
    ),
    seamless(
        "A refund of a bet that never came: success, remembered, no money moves",
        "Refund",
        ROLLBACK.replace(_BET, _NO_BET),
        ROLLED_BACK.replace("<transactionId>", "<tombstone>"),
    ),
    seamless(
        "Then that bet comes late: refused, since nobody would ever give it back",
        "Bet",
        BET.replace(_BET, _NO_BET),
        '{"error": 120, "description": "<refusal>"}',
    ),
    seamless(
        "The player's balance: as before the bet",
        "Balance",
        '{"providerId": "luckymonaco", "userId": "421", "currency": "USD", "sessionId": "demo-session",'
        ' "uuid": "c0a8d2f1e5b94d7690f3a1b2c4d5e6f7"}',
        '{"currency": "USD", "cash": 100.0, "error": 0, "description": "Success"}',
    ),
)
"""What providers and networks do to the same requests."""
