"""How the wallets here read requests and write answers: names in any case, values strict, amounts exact."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from caisse_kit.wallets.money import units, written
from caisse_kit.wallets.seamless import Asked, Verdict, Wallet

METHODS = {
    name.lower(): name
    for name in (
        *("Check", "Balance", "Bet", "Result", "Refund", "Cancel", "EndRound"),
        *("BonusWin", "JackPotWin", "PromoWin", "SessionExpired"),
    )
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "Bet": ("gameId", "roundId", "amount", "reference", "currency"),
    "Result": ("roundId", "amount", "reference"),
    "Refund": ("reference",),
    "Cancel": ("reference",),
    "EndRound": ("roundId",),
    "BonusWin": ("amount", "reference"),
    "JackPotWin": ("amount", "reference"),
    "PromoWin": ("amount", "reference", "currency"),
    "SessionExpired": ("sessionId",),
}
SHARED = ("providerId", "userId", "uuid")
IDS = ("userId", "uuid", "reference", "roundId", "gameId", "sessionId", "bonusCode", "providerId", "currency")
LONGEST_ID = 128
LARGEST_BODY = 64 * 1024
CODES = {
    "ok": 0,
    "insufficient": 1,
    "no_wallet": 2,
    "login": 4,
    "parameter": 7,
    "foreign_bet": 7,
    "amount": 10,
    "refund_amount": 10,
    "player_unknown": 100,
}
FINAL = 120
WITH_CASH = ("Balance", "Bet", "Result", "Cancel", "EndRound", "BonusWin", "JackPotWin", "PromoWin")


class Reading(NamedTuple):
    """An HTTP request as the door gets it."""

    method: str
    path: str
    content_type: str
    body: bytes


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Unreadable(Exception):
    """The word of a refusal before any rule is asked."""


class Door:
    """One wallet's edition V4, below a path that holds its key."""

    key = "a-test-key"
    base = "v4"
    provider = "luckymonaco"
    takes_incomplete = False
    reads_chunks = True
    largest_body = LARGEST_BODY

    def __init__(self, wallet: Wallet) -> None:
        self.wallet = wallet

    @property
    def path(self) -> str:
        return f"/{self.key}"

    def handle(self, reading: Reading) -> Answer:
        """What the server calls for each request."""
        parts = reading.path.partition("?")[0].strip("/").split("/")
        method = self.method_of(parts)
        if method is None:
            return Answer(404, b'{"error":7,"description":"no such method"}')
        if reading.method != "POST":
            return Answer(405, b'{"error":7,"description":"POST only"}')
        if not self.opens(parts[0]):
            return self.write(method, Verdict("login"))
        try:
            asked = self.read(method, reading)
        except Unreadable as error:
            return self.write(method, Verdict(str(error)))
        return self.write(method, self.wallet.decide(asked), asked)

    # What wrong doors change

    def decided(self, reading: Reading, connection: socket.socket) -> None:
        """Between the verdict and its answer there is nothing to do."""

    def method_of(self, parts: list[str]) -> str | None:
        if len(parts) == 2 and parts[1].lower() == "cancel":
            return "Cancel"
        return METHODS.get(parts[2].lower()) if len(parts) == 3 and parts[1].lower() == self.base else None

    def opens(self, key: str) -> bool:
        return key == self.key

    def read(self, method: str, reading: Reading) -> Asked:
        if len(reading.body) > self.largest_body or not self.is_json(reading.content_type):
            raise Unreadable("parameter")
        fields = self.fields(self.parsed(reading.body))
        for name in (*SHARED, *self.required(method)):
            if fields.get(name) is None:
                raise Unreadable("parameter")
        ids = {name: self.identifier(fields[name]) for name in IDS if fields.get(name) is not None}
        if not self.is_provider(ids["providerId"]):
            raise Unreadable("login")
        amount = None if fields.get("amount") is None else self.amount(fields["amount"])
        return Asked(
            method=method,
            user=ids["userId"],
            uuid=ids["uuid"],
            reference=ids.get("reference", ""),
            round=ids.get("roundId", ""),
            currency=ids.get("currency", "").upper(),
            amount=amount,
            session=ids.get("sessionId", ""),
            bonus=ids.get("bonusCode", ""),
            promo=self.promo(fields),
            raw=fields,
        )

    def required(self, method: str) -> tuple[str, ...]:
        if method == "Refund" and self.wallet.style.by_round:
            return ("roundId",)
        return REQUIRED.get(method, ())

    def is_json(self, content_type: str) -> bool:
        return content_type.partition(";")[0].strip().lower() == "application/json"

    def parsed(self, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(
                body.decode("utf-8-sig"),
                parse_float=self.decimal,
                parse_constant=_refuse_constant,
                object_pairs_hook=self.pairs,
            )
        except (ValueError, RecursionError):
            raise Unreadable("parameter") from None
        if not isinstance(found, dict):
            raise Unreadable("parameter")
        return found

    def decimal(self, text: str) -> object:
        """A number with its own characters: `1e3` stays what it is, and is no amount."""
        return text if re.search("[eE]", text) else Decimal(text)

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    def fields(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Under the names that this door uses, whatever their case."""
        known = {
            name.lower(): name for name in (*IDS, "amount", "promoWinAmount", "promoWinReference", "win")
        }
        return {known.get(name.lower(), name): value for name, value in found.items()}

    def identifier(self, value: object) -> str:
        """Text, or a whole number's digits."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise Unreadable("parameter")
        text = str(value)
        if not 0 < len(text) <= LONGEST_ID or not text.isprintable():
            raise Unreadable("parameter")
        return text

    def is_provider(self, name: str) -> bool:
        return name.lower() == self.provider

    def amount(self, value: object) -> int:
        found = units(value)
        if found is None:
            raise Unreadable("amount")
        return found

    def promo(self, fields: Mapping[str, Any]) -> tuple[str, int] | None:
        if fields.get("promoWinAmount") is None or fields.get("promoWinReference") is None:
            return None
        return self.identifier(fields["promoWinReference"]), self.amount(fields["promoWinAmount"])

    def write(self, method: str, verdict: Verdict, asked: Asked | None = None) -> Answer:
        body = self.answer(method, verdict, asked)
        text = json.dumps({k: v for k, v in body.items() if not isinstance(v, Exact)})
        exact = "".join(f', "{k}": {v}' for k, v in body.items() if isinstance(v, Exact))
        return Answer(self.status(verdict), (text[:-1] + exact + "}").encode())

    def status(self, verdict: Verdict) -> int:
        return 200

    def answer(self, method: str, verdict: Verdict, asked: Asked | None) -> dict[str, object]:
        code = self.code(verdict)
        as_text = self.wallet.style.errors_as_text or method == "Refund"
        body: dict[str, object] = {"error": str(code) if as_text else code, "description": verdict.word}
        if code == 0 and method not in ("Check", "SessionExpired"):
            body |= self.told(method, verdict)
        if method == "Cancel":
            body["reference"] = asked.reference if asked else ""
        return body

    def code(self, verdict: Verdict) -> int:
        return self.wallet.style.codes.get(verdict.word, CODES.get(verdict.word, FINAL))

    def told(self, method: str, verdict: Verdict) -> dict[str, object]:
        told: dict[str, object] = {} if method == "Balance" else {"transactionId": verdict.transaction}
        if method in WITH_CASH:
            told |= {"currency": verdict.currency, "cash": self.cash(verdict.balance)}
        if method in ("EndRound", "BonusWin", "JackPotWin", "PromoWin"):
            told["bonus"] = self.cash(0)
        return told

    def cash(self, amount: int) -> object:
        text = written(amount)
        return text if self.wallet.style.cash_as_text else Exact(text)


class Exact(str):
    """Characters of a JSON number."""

    __slots__ = ()


class KyrenDoor(Door):
    """Edition Kyren V1."""

    base = "v1"
    provider = "kyren"

    def code(self, verdict: Verdict) -> int:
        return KYREN_CODES.get(super().code(verdict), super().code(verdict))


KYREN_CODES = {
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


def _refuse_constant(name: str) -> object:
    raise ValueError(name)
