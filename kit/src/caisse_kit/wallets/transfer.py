"""A right transfer API in memory, editions 3 and 4. The wrong ones are this one with one method changed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from hmac import compare_digest
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from caisse_kit.wallets.door import LARGEST_BODY, Answer, Door, Exact, Reading, Unreadable
from caisse_kit.wallets.money import UNIT, written
from caisse_kit.wallets.seamless import Wallet

LIMIT = 10**14 * UNIT
"""The first balance with more than 14 digits before the point."""
CURRENCIES = ("USD", "EUR")
UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
PARTNER, TOKEN = "acme", "a-test-token-0001"

VERBS_V3 = {
    "/user/create": "create",
    "/user/create_wallet": "wallet",
    "/user/info": "info",
    "/user/balance": "balance",
    "/user/charge": "charge",
    "/user/refund": "refund",
    "/log/slot": "log",
}
VERBS_V4 = {
    "/createuser": "create",
    "/createwallet": "wallet",
    "/userinfo": "info",
    "/getbalance": "balance",
    "/charge": "charge",
    "/refund": "refund",
    "/gettransferstatus": "status",
    "/getslotlog": "log",
}
CODES_V3 = {
    "parameter": (1, "Invalid Parameter"),
    "duplicate": (2, "Duplicate ID"),
    "no_wallet": (2, "Have no Wallet"),
    "insufficient": (3, "Not Enough Balance"),
    "player_unknown": (4, "User Not Found"),
    "conflict": (5, "UUID Already Used"),
    "limit": (7, "Balance Limit Exceeded"),
    "login": (8, "Unauthorized"),
    "unknown": (3, "Have No Additional Record"),
}
CODES_V4 = {
    "parameter": "7",
    "again": "8",
    "login": "4",
    "player_unknown": "17",
    "insufficient": "22",
    "no_wallet": "24",
    "conflict": "25",
    "duplicate": "26",
    "limit": "7",
    "unknown": "7",
}


class Order(NamedTuple):
    """One request, read."""

    verb: str
    user: str
    uuid: str
    currency: str = ""
    amount: int = 0
    transaction: str = ""
    name: str = ""

    @property
    def content(self) -> tuple[object, ...]:
        return (self.verb, self.user, self.currency, self.amount, self.name)


class Done(NamedTuple):
    """What was decided, and what the answer tells."""

    word: str
    order: Order
    balance: int = 0
    transaction: str = ""


class Api:
    """Both editions on one set of players."""

    path = ""
    takes_incomplete = False
    reads_chunks = True

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.names: dict[str, str] = {}
        self.wallets: dict[tuple[str, str], int] = {}
        self.kept: dict[tuple[str, str], Done] = {}
        self.transactions = 0
        self._reader = Door(Wallet())

    def decided(self, reading: Reading, connection: object) -> None:
        """Between the verdict and its answer there is nothing to do."""

    def handle(self, reading: Reading) -> Answer:
        """What the server calls for each request."""
        parts = urlsplit(reading.path)
        edition = 3 if parts.path in VERBS_V3 else 4
        verb = VERBS_V3.get(parts.path) or VERBS_V4.get(parts.path.lower())
        if verb is None or reading.method != "POST":
            return Answer(404 if verb is None else 405, b'{"error":"not found"}')
        try:
            fields = self.fields(reading)
            if not self.opens(*self.login(edition, parts.query, fields)):
                return self.refusal(edition, "login", "", 401 if edition == 3 else 200)
            order = self.read(edition, verb, fields)
        except Unreadable as error:
            return self.refusal(edition, str(error), "")
        return self.write(edition, self.decide(order))

    # What wrong ones change

    def login(self, edition: int, query: str, fields: Mapping[str, Any]) -> tuple[str, str]:
        if edition == 3:
            named = parse_qs(query)
            return named.get("partner_id", [""])[0], named.get("token", [""])[0]
        return str(fields.get("secureLogin", "")), str(fields.get("token", ""))

    def opens(self, partner: str, token: str) -> bool:
        return partner == PARTNER and compare_digest(token.encode(), TOKEN.encode())

    def fields(self, reading: Reading) -> dict[str, Any]:
        if len(reading.body) > LARGEST_BODY:
            raise Unreadable("parameter")
        return self._reader.parsed(reading.body)

    def read(self, edition: int, verb: str, fields: Mapping[str, Any]) -> Order:
        user = self.text(fields, "id" if edition == 3 else "userId")
        uuid = self.text(fields, "uuid")
        if edition == 3 and not UUID.fullmatch(uuid):
            raise Unreadable("parameter")
        named: dict[str, Any] = {}
        if verb in ("wallet", "balance", "charge", "refund"):
            named["currency"] = self.text(fields, "currency").upper()
            if named["currency"] not in CURRENCIES:
                raise Unreadable("parameter")
        if verb in ("charge", "refund"):
            named["amount"] = self.amount(fields.get("amount"))
        if edition == 4 and (verb in ("charge", "refund") or fields.get("TransactionId") is not None):
            named["transaction"] = self.text(fields, "TransactionId")
        if verb == "create":
            named["name"] = str(fields.get("name" if edition == 3 else "userNickname") or user)
        return Order(verb, user, uuid.lower() if edition == 3 else uuid, **named)

    def text(self, fields: Mapping[str, Any], name: str) -> str:
        return self._reader.identifier(fields.get(name))

    def amount(self, value: object) -> int:
        found = self._reader.amount(value)
        if found <= 0:
            raise Unreadable("parameter")
        return found

    def lock(self, order: Order) -> AbstractContextManager[object]:
        return self._lock

    def decide(self, order: Order) -> Done:
        """One request after all those before it."""
        with self.lock(order):
            if order.verb != "create" and order.user not in self.names:
                return Done("player_unknown", order)
            if order.verb in ("info", "balance", "status", "log"):
                return self.tell(order)
            if earlier := self.earlier(order):
                return earlier
            done = self.judge(order)
            self.keep(order, done)
            return done

    def earlier(self, order: Order) -> Done | None:
        for key in self.keys(order):
            if first := self.kept.get(key):
                if first.order.content != order.content:
                    return Done("conflict", order)
                return self.repeat(order, first, key)
        return None

    def repeat(self, order: Order, first: Done, key: tuple[str, str]) -> Done:
        """By the partner's own id under another uuid: it was done before, and nothing is to be done."""
        again = key[0] == "transaction" and first.word == "ok"
        return first._replace(word="again") if again else first

    def keys(self, order: Order) -> list[tuple[str, str]]:
        own = [("transaction", order.transaction)] if order.transaction else []
        return [("uuid", order.uuid), *own]

    def keep(self, order: Order, done: Done) -> None:
        for key in self.keys(order):
            self.kept[key] = done

    def judge(self, order: Order) -> Done:
        purse = (order.user, order.currency)
        if order.verb == "create":
            return self.create(order)
        if order.verb == "wallet":
            word = "duplicate" if purse in self.wallets else "ok"
            self.wallets.setdefault(purse, 0)
            return Done(word, order)
        if purse not in self.wallets:
            return Done("no_wallet", order)
        return self.charge(order) if order.verb == "charge" else self.refund(order)

    def create(self, order: Order) -> Done:
        if order.user in self.names:
            return Done("duplicate", order)
        self.names[order.user] = order.name
        return Done("ok", order)

    def charge(self, order: Order) -> Done:
        if self.wallets[order.user, order.currency] + order.amount >= LIMIT:
            return self.say(order, "limit")
        return self.move(order, order.amount)

    def refund(self, order: Order) -> Done:
        if not self.covers(order):
            return self.say(order, "insufficient")
        return self.move(order, -order.amount)

    def covers(self, order: Order) -> bool:
        return self.wallets[order.user, order.currency] >= order.amount

    def move(self, order: Order, by: int) -> Done:
        self.wallets[order.user, order.currency] += by
        return self.say(order, "ok")

    def say(self, order: Order, word: str) -> Done:
        self.transactions += 1
        held = self.wallets[order.user, order.currency]
        return Done(word, order, held, f"X{self.transactions:08}")

    def tell(self, order: Order) -> Done:
        if order.verb == "balance":
            held = self.wallets.get((order.user, order.currency))
            return Done("no_wallet", order) if held is None else Done("ok", order, held)
        if order.verb == "status":
            first = self.kept.get(("transaction", order.transaction))
            return Done("unknown", order) if first is None else first._replace(order=order)
        return Done("ok", order)

    def write(self, edition: int, done: Done) -> Answer:
        if done.word not in ("ok", "again"):
            return self.refusal(edition, done.word, done.order.uuid)
        body: dict[str, object] = {"status": "OK", "uuid": done.order.uuid}
        if edition == 4:
            body = {"error": CODES_V4.get(done.word, "0"), "description": done.word}
        return self.encode({**body, **self.told(edition, done)})

    def told(self, edition: int, done: Done) -> dict[str, object]:
        order, balance = done.order, self.balance(edition, done.balance)
        if order.verb == "balance":
            return {"balance": balance}
        if order.verb in ("charge", "refund"):
            moved = {"currency": order.currency, "balance": balance}
            if edition == 3:
                return {**moved, "amount": written(order.amount)}
            return {**moved, "transactionId": done.transaction}
        if order.verb == "status":
            return self.status(done, balance)
        if order.verb == "info":
            held = {
                purse[1]: written(amount) for purse, amount in self.wallets.items() if purse[0] == order.user
            }
            times = {"at_create": "2026-01-01 00:00:00", "at_login": "2026-01-01 00:00:00"}
            return {"wallet": held, "name": self.names[order.user], **times, "userId": order.user}
        return {"logs": []} if order.verb == "log" else {}

    def status(self, done: Done, balance: object) -> dict[str, object]:
        first = self.kept["transaction", done.order.transaction].order
        sign = "-" if first.verb == "refund" else ""
        told: dict[str, object] = {"transactionId": done.transaction, "currency": first.currency}
        return {**told, "amount": sign + written(first.amount), "balance": balance}

    def balance(self, edition: int, amount: int) -> object:
        return written(amount) if edition == 3 else Exact(written(amount))

    def refusal(self, edition: int, word: str, uuid: str, status: int = 200) -> Answer:
        code, reason = CODES_V3.get(word, (1, word))
        if edition == 3:
            return self.encode({"status": "Failed", "uuid": uuid, "code": code, "reason": reason}, status)
        return self.encode({"error": CODES_V4.get(word, "7"), "description": word})

    def encode(self, body: Mapping[str, object], status: int = 200) -> Answer:
        text = json.dumps({k: v for k, v in body.items() if not isinstance(v, Exact)})
        exact = "".join(f', "{k}": {v}' for k, v in body.items() if isinstance(v, Exact))
        return Answer(status, (text[:-1] + exact + "}").encode())
