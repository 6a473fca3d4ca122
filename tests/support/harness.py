"""What the dialects' tests share: calls as a server hands them over, and the rules on a book in memory."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from caisse.core.book import Book, wants
from caisse.core.entries import Decision
from caisse.core.parties import Connection, Parties, Partner, secret_hash
from caisse.core.policy import Policy
from caisse.core.requests import CreatePlayer, SetFrozen
from caisse.core.rules.decide import decide
from caisse.core.verdicts import ACCEPTED
from caisse.currencies.table import DEFAULT, with_overrides
from caisse.dialects.seamless_v4.door import SeamlessV4
from caisse.dialects.transfer_v3.door import TransferV3
from caisse.dialects.wire.auth import Access
from caisse.dialects.wire.door import Answer, Context, Door, Question, RoundsQuery, Unread
from caisse.dialects.wire.table import Endpoint

TOKEN_QUERY = "partner_id=demo&token=demo-token"
KEY = "k" * 43
UUID = "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"
SEED_REFUND = b"""{
    "id": "tester",
    "currency": "USD",
    "uuid" : "ab64cee3-f73b-4631-9abf-b1a09c1f9c36",
    "amount" : "200.0"
}"""
SEED_ROLLBACK = b"""{
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
TRANSFER, SEAMLESS = TransferV3(), SeamlessV4()


@dataclass(frozen=True)
class Said:
    """A call: what the HTTP server would hand over."""

    path: str
    body: bytes = b"{}"
    query: str = ""
    method: str = "POST"
    content_type: str = "application/json"
    peer: str = "203.0.113.9"
    local: bool = False
    authorization: str = ""


def connection(**changes: Any) -> Connection:
    fields: dict[str, Any] = {
        "id": "c1",
        "partner": "demo",
        "provider": "luckymonaco",
        "key_hash": secret_hash(KEY),
        "networks": (),
        "profile": "lucky-monaco-v4",
    }
    return Connection(**(fields | changes))


def world(*connections: Connection, policy: Policy | None = None, loopback: bool = True) -> Context:
    ids = (f"t{n}" for n in itertools.count(1))
    partners = (
        Partner("demo", (secret_hash("demo-token"),)),
        Partner("other", (secret_hash("other-token"),)),
    )
    return Context(
        access=Access(Parties(partners, connections or (connection(),))),
        currencies=with_overrides(DEFAULT, [{"code": "JPY", "max_decimals": 0}]),
        policies={"lucky-monaco-v4": policy or Policy()},
        new_id=lambda: next(ids),
        loopback=loopback,
    )


def taken(door: Door, call: Said, where: Context) -> Question | RoundsQuery | Unread | Answer:
    route = door.find(call.path)
    assert route is not None, call.path
    return door.take(route, call, where)


def ask(door: Door, call: Said, where: Context) -> Question | RoundsQuery | Answer:
    """As `taken`; of a request that could not be read its answer."""
    outcome = taken(door, call, where)
    return outcome.answer if isinstance(outcome, Unread) else outcome


def without_key(request: Any) -> Any:
    """The same but for a new player's key, which is random (R59)."""
    if isinstance(request, CreatePlayer):
        assert len(request.name_key) == 16
        return msgspec.structs.replace(request, name_key=b"")
    return request


def endpoint_of(door: Door, call: Said) -> Endpoint:
    route = door.find(call.path)
    assert route is not None, call.path
    return route.endpoint


def asked(door: Door, call: Said, where: Context | None = None) -> Any:
    """The Request that a call becomes."""
    outcome = ask(door, call, where or world())
    assert isinstance(outcome, Question), outcome
    return outcome.request


@dataclass
class Desk:
    """Both doors over one book in memory: what a server does, one request after another.

    A verdict that the endpoint does not list fails the test.
    """

    where: Context = field(default_factory=world)
    book: Book = field(default_factory=Book)
    now: int = 1_700_000_000_000_000
    decisions: list[Decision] = field(default_factory=list)

    def send(self, door: Door, call: Said) -> Answer:
        outcome = ask(door, call, self.where)
        if isinstance(outcome, Answer):
            return outcome
        assert isinstance(outcome, Question), "a listing has no verdict"
        request = outcome.request
        for key in wants([request]).whole_rounds:
            self.book.round_rows.setdefault(key, [])
        decision = decide(request, self.book, outcome.policy, self.now)
        assert decision.verdict in (*endpoint_of(door, call).refusals, *ACCEPTED), (call.path, decision)
        self.book.take(decision)
        self.decisions.append(decision)
        return outcome.answer(decision)

    def transfer(self, verb: str, fields: Mapping[str, Any] | bytes) -> dict[str, Any]:
        return told(self.send(TRANSFER, Said(f"/user/{verb}", packed(fields), TOKEN_QUERY)))

    def play(self, method: str, fields: Mapping[str, Any] | bytes) -> dict[str, Any]:
        return told(self.send(SEAMLESS, Said(f"/{KEY}/V4/{method}", packed(fields))))

    def under(self, policy: Policy) -> Desk:
        """The same book under another profile."""
        return replace(self, where=world(policy=policy))

    def freeze(self, user: str) -> None:
        request = SetFrozen(
            id="f", partner="demo", user=user, uuid="", endpoint="cli", frozen=True, reason="r", by="b"
        )
        self.book.take(decide(request, self.book, Policy(), self.now))


def packed(fields: Mapping[str, Any] | bytes) -> bytes:
    return fields if isinstance(fields, bytes) else json.dumps(fields).encode()


def told(answer: Answer) -> dict[str, Any]:
    said = json.loads(answer.body)
    assert isinstance(said, dict)
    return said


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def funded(*users: str, amount: str = "300.0", where: Context | None = None) -> Desk:
    """A desk at which these players hold that much USD."""
    desk = Desk(where or world())
    for n, user in enumerate(users):
        for step, (verb, fields) in enumerate(
            [
                ("create", {"name": user}),
                ("create_wallet", {"currency": "USD"}),
                ("charge", {"currency": "USD", "amount": amount}),
            ]
        ):
            said = desk.transfer(verb, {"id": user, "uuid": uuid(1000 + 10 * n + step), **fields})
            assert said["status"] == "OK", said
    return desk


FULL: dict[str, dict[str, Any]] = {
    "Check": {"currency": "USD", "sessionId": "s1"},
    "Balance": {"currency": "USD", "sessionId": "s1"},
    "Bet": {
        **{"gameId": "g1", "gamename": "Game", "roundId": "r1", "amount": 10.0, "reference": "b1"},
        **{"sessionId": "s1", "currency": "USD", "timeStamp": "1482429190374", "roundDetails": "spin"},
    },
    "Result": {
        **{"gameId": "g1", "gamename": "Game", "roundId": "r1", "amount": 25.5, "reference": "w1"},
        **{"sessionId": "s1", "currency": "USD", "timestamp": "1482429190374", "roundDetails": ["spin", 1]},
    },
    "Refund": {"reference": "b1"},
    "Cancel": {
        **{"gameId": "g1", "gamename": "Game", "currency": "USD", "reference": "b1", "sessionId": "s1"},
    },
    "EndRound": {"gameId": "g1", "roundId": "r1", "sessionId": "s1"},
    "BonusWin": {
        **{"gameId": "g1", "roundId": "r1", "amount": "5", "reference": "bw1", "timestamp": "1"},
        **{"bonusCode": "bonus-1", "sessionId": "s1"},
    },
    "JackPotWin": {
        **{"gameId": "g1", "roundId": "r1", "amount": 7, "reference": "jw1", "timestamp": "1"},
        "jackpotId": "jackpot-1",
    },
    "PromoWin": {
        **{"amount": 3.25, "reference": "pw1", "timestamp": "1", "campaignId": "camp-1"},
        **{"campaignType": "T", "currency": "USD"},
    },
    "SessionExpired": {"sessionId": "s1"},
}
"""For each seamless method a body with every required field, but for the three that all share."""


def play_body(method: str, **changes: Any) -> dict[str, Any]:
    shared = {"providerId": "luckymonaco", "userId": "421", "uuid": "4a5d375ac1311b04fba2ea66d067b8e5"}
    body = {**shared, **FULL[method], **changes}
    return {name: value for name, value in body.items() if value is not ...}


def played(method: str, body: Mapping[str, Any] | bytes | None = None) -> Said:
    """A call of a seamless method under the connection's key, with a full body unless another is given."""
    return Said(f"/{KEY}/V4/{method}", packed(play_body(method) if body is None else body))
