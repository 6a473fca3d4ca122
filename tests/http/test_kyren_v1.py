"""Kyren V1 over HTTP: each method's success, each refusal with its number, and the profiles that renumber."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from tests.support.rig import CLOSED_GAME, DECEMBER, DEFAULT, KYREN, OCTOBER, House, new_id
from tests.support.server import Answer, Call, packed

PLAYS: dict[str, dict[str, Any]] = {
    "/v1/Check": {},
    "/v1/Balance": {},
    "/v1/Bet": {"gameId": "g1", "roundId": "r1", "amount": "10", "reference": "b1", "currency": "USD"},
    "/v1/Result": {"roundId": "r1", "amount": "25.5", "reference": "w1", "currency": "USD"},
    "/v1/Refund": {"roundId": "r1"},
    "/v1/Cancel": {"reference": "b1"},
    "/v1/EndRound": {"roundId": "r1"},
    "/v1/SessionExpired": {"sessionId": "s1"},
}
"""The required fields, but for the three that all share."""


class Seat(NamedTuple):
    """A player at the table; ids become the player's own."""

    house: House
    user: str
    profile: str

    def call(self, path: str, **fields: Any) -> Call:
        named = {**PLAYS[path], **fields}
        for name in ("roundId", "reference", "sessionId"):
            if isinstance(named.get(name), str):
                named[name] = f"{self.user}-{named[name]}"
        shared = {"providerId": "Kyren", "userId": self.user, "uuid": secrets.token_hex(16)}
        return Call(self.house.game(self.profile).path + path, packed({**shared, **named}))

    def send(self, method: str, **fields: Any) -> Answer:
        return self.house.send(self.call(f"/v1/{method}", **fields))

    def told(self, method: str, **fields: Any) -> dict[str, Any]:
        return self.house.told(self.call(f"/v1/{method}", **fields)).body

    def balance(self) -> Decimal:
        return Decimal(self.house.balance(self.user))


def seat(house: House, profile: str = KYREN) -> Seat:
    return Seat(house, house.player(), profile)


SHOWN = {
    "Check": [],
    "Balance": ["currency", "cash"],
    "Bet": ["transactionId", "currency", "cash"],
    "Result": ["transactionId", "currency", "cash"],
    "Refund": ["transactionId"],
    "Cancel": ["transactionId", "currency", "cash"],
    "EndRound": ["currency", "cash"],
    "SessionExpired": [],
}


@pytest.mark.parametrize("method", SHOWN)
def test_each_method_succeeds_as_documented(house: House, method: str) -> None:
    at = seat(house)
    if method in ("Result", "Refund", "Cancel", "EndRound"):
        at.told("Bet")
    call = at.call(f"/v1/{method}")
    answer = house.told(call)
    assert list(answer.body) == [*SHOWN[method], "error", "description"]
    assert answer.body["error"] == ("0" if method == "Refund" else 0)
    if "cash" in answer.body:
        assert f'"cash":"{at.balance()}"'.encode() in answer.raw
    assert house.told(call).raw == answer.raw


class Given(NamedTuple):
    """A refusal: what the player did before, and what is asked then."""

    path: str
    code: int
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    fields: Mapping[str, Any] = MappingProxyType({})


Step = tuple[str, dict[str, Any]]
BET: Step = ("Bet", {})
WON: Step = ("Result", {})
EXPIRED: tuple[Step, ...] = (("SessionExpired", {}),)
GIVEN = [
    *(Given(path, 998, (), {"userId": "nobody"}) for path in PLAYS),
    *(Given(path, 54, (), {"providerId": "unlucky"}) for path in PLAYS),
    *(Given(path, 57, (), {"uuid": None}) for path in PLAYS),
    Given("/v1/Check", 52, (), {"currency": "EUR"}),
    Given("/v1/Check", 55, EXPIRED, {"sessionId": "s1"}),
    Given("/v1/Balance", 52, (), {"currency": "EUR"}),
    Given("/v1/Bet", 15, (), {"amount": "300.5"}),
    Given("/v1/Bet", 52, (), {"currency": "EUR"}),
    Given("/v1/Bet", 55, EXPIRED, {"sessionId": "s1"}),
    Given("/v1/Bet", 57, (BET,), {"amount": "11"}),
    Given("/v1/Bet", 58, (), {"gameId": CLOSED_GAME}),
    Given("/v1/Bet", 59, (), {"amount": "-1"}),
    Given("/v1/Bet", 999, (("Cancel", {}),)),
    Given("/v1/Result", 999),
    Given("/v1/Result", 52, (BET,), {"currency": "EUR"}),
    Given("/v1/Refund", 999, (BET, WON)),
    Given("/v1/Cancel", 999, (BET, WON)),
]


def asked(at: Seat, given: Given) -> Answer:
    for method, fields in given.before:
        at.told(method, **fields)
    return at.send(given.path.removeprefix("/v1/"), **given.fields)


@pytest.mark.parametrize("given", GIVEN, ids=[f"{g.path} {g.code}" for g in GIVEN])
@pytest.mark.parametrize("profile", [KYREN, DEFAULT])
def test_every_refusal_has_its_number_and_moves_nothing(house: House, given: Given, profile: str) -> None:
    """Whatever the connection's profile is."""
    at = seat(house, profile)
    for method, fields in given.before:
        at.told(method, **fields)
    before = at.balance()
    answer = asked(at, given._replace(before=()))
    assert answer.status == 200
    assert answer.body["error"] == (str(given.code) if given.path == "/v1/Refund" else given.code)
    assert at.balance() == before


def test_a_frozen_players_bet_is_56_and_gets_the_round_back_all_the_same(house: House) -> None:
    """R15, R30."""
    at = seat(house)
    at.told("Bet")
    house.freeze(at.user)
    assert at.send("Bet", reference="b2").code == 56
    at.told("Refund")
    assert at.balance() == 300


def test_a_session_is_the_player_s_own(house: House) -> None:
    """R4: another player's of the same id ends beside it."""
    one, other = seat(house), seat(house)
    one.told("SessionExpired")
    session = f"{one.user}-s1"
    body = {"providerId": "Kyren", "userId": other.user, "uuid": new_id("u"), "sessionId": session}
    path = f"{house.game(KYREN).path}/v1/SessionExpired"
    house.told(Call(path, packed(body)))


def test_a_refund_gives_the_whole_round_back_once_and_its_reference_claims_nothing(house: House) -> None:
    """R32: under the default profile, too."""
    at = seat(house, DEFAULT)
    at.told("Bet")
    at.told("Bet", reference="b2", amount=20)
    first = at.told("Refund", reference="b1")
    assert at.balance() == 300
    assert at.told("Refund", reference="another") == first
    assert at.balance() == 300
    assert at.send("Bet", reference="b3").code == 999
    at.told("Bet", reference="another", roundId="r2")
    assert at.balance() == 290


def test_what_is_no_method_and_no_post_has_this_editions_number(house: House) -> None:
    at = seat(house)
    base = house.game(KYREN).path
    lost = house.server.request("POST", f"{base}/v1/BonusWin", b"{}", content_type="application/json")
    assert (lost.status, lost.body) == (404, {"error": 998, "description": "No such method"})
    got = house.server.request("GET", at.call("/v1/Bet").path)
    assert (got.status, got.body["error"]) == (405, 998)
    unread = house.send(Call(f"{base}/v1/Bet", b"nonsense"))
    assert (unread.status, unread.body["error"]) == (200, 57)
    stranger = house.send(Call("/no-such-key-at-all/v1/Bet", b"{}"))
    assert (stranger.status, stranger.body["error"]) == (200, 54)


RENUMBERED = [
    *[
        (OCTOBER, "Bet", {"amount": "300.5"}, 1),
        (OCTOBER, "Result", {}, 999),
        (OCTOBER, "Bet", {"uuid": None}, 7),
    ],
    *[(profile, "Bet", {"amount": "300.5"}, 15) for profile in (DECEMBER, KYREN)],
    *[(profile, "Bet", {"amount": "-1"}, 59) for profile in (DECEMBER, KYREN)],
    *[(profile, "Bet", {"uuid": None}, 57) for profile in (DECEMBER, KYREN)],
    *[(profile, "Bet", {"userId": "nobody"}, 998) for profile in (DECEMBER, KYREN)],
    *[(profile, "Bet", {"providerId": "x"}, 54) for profile in (DECEMBER, KYREN)],
    *[(profile, "Result", {}, 999) for profile in (DECEMBER, KYREN)],
]


@pytest.mark.parametrize(("profile", "method", "fields", "code"), RENUMBERED)
def test_the_shipped_profiles_give_edition_4_their_numbers(
    house: House, profile: str, method: str, fields: dict[str, Any], code: int
) -> None:
    """The vendor sends again on all but its edition's final codes: a final refusal must have one of them."""
    user = house.player()
    own = {"reference": new_id("x"), "roundId": new_id("r")}
    answer = house.send(house.game(profile).play(method, user, **{**own, **fields}))
    assert (answer.status, answer.code) == (200, code)
    assert house.balance(user) == "300.0"
