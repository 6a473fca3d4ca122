"""The other edition of each door: how a partner calls transfer V4, and a game seamless V3."""

from __future__ import annotations

from typing import Any, NamedTuple

from caisse.dialects.transfer_v4.door import BASE
from tests.support.rig import House, new_id
from tests.support.server import Answer, Call, Game, Partner, packed

MONEY = {"currency": "USD", "TransactionId": "", "amount": "10.0"}

TRANSFERS: dict[str, dict[str, Any]] = {
    "/createuser": {},
    "/createwallet": {"currency": "USD"},
    "/charge": MONEY,
    "/refund": MONEY,
    "/userInfo": {},
    "/transfer/UserInfo": {},
    "/getBalance": {"currency": "USD"},
    "/getTransferStatus": {},
    "/GetSlotLog": {"start": 0, "limit": 10},
}
"""Transfer V4: for each endpoint the required fields, but for those that all share. An id that is empty here
is drawn anew for each call."""

GAME = {"gametype": "slot", "gameid": "g1", "gamename": "Game"}
INNER = ("id", "amount", "jackpot", "win", "is_end_round")

PLAYS: dict[str, dict[str, Any]] = {
    "/seamless/v3/check": {},
    "/seamless/v3/balance": {},
    "/seamless/v3/bet": {**GAME, "amount": "10.0"},
    "/seamless/v3/win": {**GAME, "amount": "25.0"},
    "/seamless/v3/cancel": {},
}
"""Seamless V3: the same."""


class Account(NamedTuple):
    """A player as transfer V4 calls it."""

    house: House
    user: str
    partner: Partner

    def call(self, path: str, base: str = BASE, **fields: Any) -> Call:
        """A call with every required field; those given change it, and `...` leaves one out."""
        login = {"secureLogin": self.partner.id, "token": self.partner.token}
        named = {**TRANSFERS[path], **fields}
        if named.get("TransactionId") == "":
            named["TransactionId"] = new_id("tx")
        return Call(base + path, packed({**login, "uuid": new_id("u"), "userId": self.user, **named}))

    def send(self, path: str, base: str = BASE, **fields: Any) -> Answer:
        return self.house.send(self.call(path, base, **fields))

    def told(self, path: str, **fields: Any) -> dict[str, Any]:
        """What must succeed."""
        return self.house.told(self.call(path, **fields)).body

    def balance(self, currency: str = "USD") -> str:
        """As the older edition tells it."""
        return self.house.balance(self.user, currency, self.partner)


def account(house: House, funds: str = "300.0", partner: Partner | None = None) -> Account:
    """A new player with that much USD, made through this edition."""
    made = Account(house, new_id("p"), partner or house.partner)
    made.told("/createuser")
    made.told("/createwallet")
    if funds:
        made.told("/charge", amount=funds)
    return made


class Gambler(NamedTuple):
    """A player as seamless V3 calls it; ids of rounds and sessions become the player's own."""

    house: House
    user: str
    game: Game

    def own(self, name: str) -> str:
        return f"{self.user}-{name}"

    def call(self, path: str, **fields: Any) -> Call:
        """A call with every required field; `id`, `amount` … go into `transaction`."""
        named = {"sid": "s1", "id": "r1", **PLAYS[path], **fields}
        for name in ("sid", "id"):
            if isinstance(named[name], str) and named[name]:
                named[name] = self.own(named[name])
        inner = {name: named.pop(name) for name in INNER if name in named}
        if "amount" in PLAYS[path] or path.endswith("/cancel"):
            named = {"transaction": {k: v for k, v in inner.items() if v is not ...}, **named}
        shared = {"userid": self.user, "currency": "USD", "uuid": new_id("u")}
        return Call(f"{path}?authToken={self.game.path[1:]}", packed({**shared, **named}))

    def send(self, verb: str, **fields: Any) -> Answer:
        return self.house.send(self.call(f"/seamless/v3/{verb}", **fields))

    def said(self, verb: str, **fields: Any) -> dict[str, Any]:
        answer = self.send(verb, **fields)
        assert answer.status == 200
        return answer.body

    def balance(self, currency: str = "USD") -> str:
        return self.house.balance(self.user, currency)


def gambler(house: House, profile: str = "", funds: str = "300.0") -> Gambler:
    """A new player with that much USD."""
    return Gambler(house, house.player(funds), house.game(profile) if profile else house.game())
