"""The partner's side of a transfer API, as checks use it. It makes players of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from caisse_client import Client, Request, TransferV3, TransferV4, new_uuid
from caisse_client.money import text_of
from caisse_kit.check import Failed
from caisse_kit.reply import Reply
from caisse_kit.stage import Stage, must_be_refused, must_succeed, plain
from caisse_kit.target import Target

VERBS = {
    "transfer-v3": {
        "create": "/user/create",
        "wallet": "/user/create_wallet",
        "info": "/user/info",
        "balance": "/user/balance",
        "charge": "/user/charge",
        "refund": "/user/refund",
        "log": "/log/slot",
    },
    "transfer-v4": {
        "create": "/createuser",
        "wallet": "/createwallet",
        "info": "/userInfo",
        "balance": "/getBalance",
        "charge": "/charge",
        "refund": "/refund",
        "status": "/getTransferStatus",
        "log": "/GetSlotLog",
    },
}


@dataclass(frozen=True)
class Order:
    """A request of the partner, and the reply to it."""

    verb: str
    fields: Mapping[str, Any]
    reply: Reply

    @property
    def ok(self) -> bool:
        """Done, now or before: edition 4's 8 says that no action is required."""
        return self.reply.ok or self.repeated

    @property
    def repeated(self) -> bool:
        return self.reply.status == 200 and self.reply.code == "8" and "error" in (self.reply.fields or {})

    @property
    def balance(self) -> Decimal | None:
        return self.reply.amount("balance")


class Bank(Stage):
    """One check's play with a player that it makes."""

    def __init__(self, target: Target, client: Client, run: str, chance: random.Random) -> None:
        super().__init__(target, client, run, chance)
        self.edition = 3 if target.dialect == "transfer-v3" else 4
        self.currency = target.currency
        self.stake = target.stake
        if target.dialect == "transfer-v3":
            self.door: TransferV3 | TransferV4 = TransferV3(target.partner, target.token)
        else:
            self.door = TransferV4(target.partner, target.token, base="")
        self.paths = VERBS[target.dialect]

    # Sending

    def request(self, verb: str, fields: Mapping[str, Any]) -> Request:
        return self.door.request(self.paths[verb], fields)

    def send(self, verb: str, fields: Mapping[str, Any]) -> Order:
        return Order(verb, fields, self.exchange(self.request(verb, fields)))

    def again(self, order: Order, **changed: Any) -> Order:
        """The same request, or with some fields changed."""
        return self.send(order.verb, {**order.fields, **changed})

    def player(self, funds: Decimal | int = 0) -> str:
        """A new player with a wallet and that much in it."""
        user = f"kit{self.chance.randrange(16**8):08x}{self.new('p')[-14:]}".replace("-", "")[:32]
        self.took(self.send("create", self.fields(user, name="Kit")), "a new player")
        self.took(self.send("wallet", self.fields(user, currency=self.currency)), "a player's first wallet")
        if funds:
            self.took(self.charge(user, Decimal(funds)), "a charge")
        return user

    def fields(self, user: str, **named: Any) -> dict[str, Any]:
        """A body's fields in this edition's spelling."""
        own = {"id": user} if self.edition == 3 else {"userId": user}
        if self.edition == 4 and "name" in named:
            named["userNickname"] = named.pop("name")
        return {**own, "uuid": new_uuid(), **named}

    def money_fields(self, user: str, amount: Decimal | int, **more: Any) -> dict[str, Any]:
        named: dict[str, Any] = {"currency": self.currency, "amount": text_of(amount)}
        if self.edition == 4:
            named["TransactionId"] = self.new("tx")
        return self.fields(user, **{**named, **more})

    def charge(self, user: str, amount: Decimal | int, **more: Any) -> Order:
        """Money in."""
        return self.send("charge", self.money_fields(user, amount, **more))

    def refund(self, user: str, amount: Decimal | int, **more: Any) -> Order:
        """Money out."""
        return self.send("refund", self.money_fields(user, amount, **more))

    def read(self, user: str, **more: Any) -> Order:
        return self.send("balance", self.fields(user, currency=self.currency, **more))

    def balance(self, user: str) -> Decimal:
        order = self.read(user)
        if not order.ok or order.balance is None:
            raise Failed(f"the balance cannot be read: {order.reply}")
        return order.balance

    # Expecting

    def took(self, order: Order, why: str = "") -> Order:
        """It must be a success."""
        must_succeed(order.verb, order.ok, order.reply, why)
        return order

    def refused(self, order: Order, why: str = "") -> Order:
        """It must be a refusal that the partner can read."""
        must_be_refused(order.verb, order.ok, order.reply, why)
        return order

    def holds(self, user: str, amount: Decimal | int, why: str) -> None:
        """The player must have exactly so much."""
        now = self.balance(user)
        if now != amount:
            raise Failed(f"{why}: the balance must be {plain(Decimal(amount))}, and it is {plain(now)}")
