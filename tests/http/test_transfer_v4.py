"""The transfer door, edition 4, over HTTP: every endpoint, every code, and what `TransactionId` is for."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from caisse.dialects.transfer_v4.door import BASE
from caisse.dialects.transfer_v4.table import ENDPOINTS
from tests.support.cases import spelled
from tests.support.crowd import sent
from tests.support.editions import TRANSFERS, Account, account
from tests.support.rig import House, new_id
from tests.support.server import Answer, Call, new_uuid, number

DONE = {"error": "0", "description": "success"}
ATOM = "0.000000000000000001"
JSON = "application/json"

PARAMETER = ("7", "Missing or wrong parameter")
UNREADABLE = ("7", "Unreadable request")
LOGIN = ("4", "Wrong login or token")
CURRENCY = ("21", "Wrong or unsupported currency")
NOT_FOUND = ("7", "Transaction not found")
TOO_MUCH = ("7", "Balance limit exceeded")
ALREADY = ("8", "Transaction already exists, no action required")
UNKNOWN = ("17", "Player not found")
POOR = ("22", "Not enough balance")
FROZEN = ("23", "Player is frozen")
NO_WALLET = ("24", "Wallet not found")
CONFLICT = ("25", "Transaction id was used for another request")
EXISTS = ("26", "Already exists")
NO_SUCH_METHOD = ("1", "No such method")
POST_ONLY = ("1", "Only POST is answered")

is_time = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").fullmatch


def refused(answer: Answer, refusal: tuple[str, str], status: int = 200) -> None:
    """`error` as text and `description`, nothing else."""
    assert answer.status == status
    assert answer.headers["content-type"] == JSON
    assert tuple(answer.body) == ("error", "description")
    assert tuple(answer.body.values()) == refusal


# -- every endpoint's success, its fields in order --


def test_a_player_s_life_shows_every_endpoint_s_fields(house: House) -> None:
    """R10, R11; a balance is a JSON number with the canonical characters."""
    at = Account(house, new_id("p"), house.partner)
    who = {"userId": at.user, **DONE}
    assert list(at.told("/createuser", userNickname="Tess").items()) == list(who.items())
    for currency in ("usd", "BTC"):
        assert at.told("/createwallet", currency=currency) == who
    into = at.send("/charge", amount="300.050000000000000001", TransactionId=new_id("in"))
    assert list(into.body) == ["transactionId", "currency", "balance", "error", "description"]
    assert into.body["currency"] == "USD"
    assert b'"balance":300.050000000000000001,' in into.raw
    out = at.send("/refund", amount=number("300.050"), currency="usd")
    assert b'"balance":0.000000000000000001,' in out.raw
    whole = at.send("/refund", amount=ATOM)
    assert whole.raw.endswith(b'"balance":0.0,"error":"0","description":"success"}')
    assert list(at.told("/getBalance").items()) == [("balance", "0.0"), *DONE.items()]
    said = at.told("/userInfo")
    assert list(said) == ["userId", "at_create", "at_login", "wallet", "error", "description"]
    assert (said["userId"], said["wallet"]) == (at.user, {"BTC": "0.0", "USD": "0.0"})
    assert is_time(said["at_create"])
    assert said["at_login"] == said["at_create"]
    assert out.body["transactionId"] != into.body["transactionId"]


def test_both_editions_show_one_wallet(house: House) -> None:
    at = account(house, "300.0")
    assert at.balance() == "300.0"
    house.told(house.partner.charge(at.user, "0.5"))
    assert at.told("/getBalance")["balance"] == "300.5"
    assert house.told(house.partner.info(at.user)).body["name"] == at.user[:32]


# -- every refusal by the rules --


class Given(NamedTuple):
    """A call of an endpoint and its refusal; uuids, TransactionIds and `who` are those of the scene."""

    path: str
    fields: dict[str, Any]
    refusal: tuple[str, str]
    rule: str
    who: str = "ana"


IN = {"TransactionId": "in", "amount": "10.0"}
EUR = {"currency": "EUR"}
REFUSED: list[Given] = [
    Given("/createuser", {}, EXISTS, "R2"),
    Given("/createuser", {"uuid": "in"}, CONFLICT, "R5"),
    Given("/createwallet", {}, EXISTS, "R2"),
    Given("/createwallet", {}, UNKNOWN, "R8", "nobody"),
    Given("/createwallet", {**EUR, "uuid": "in"}, CONFLICT, "R5"),
    Given("/createwallet", {"currency": "QQQ"}, CURRENCY, "R1: behind the look-up"),
    Given("/charge", {"currency": "QQQ"}, CURRENCY, "R1: behind the look-up"),
    Given("/charge", {"currency": "JPY", "amount": "1.5"}, CURRENCY, "R1: decimals"),
    Given("/charge", {**IN, "currency": "QQQ"}, CONFLICT, "R5: before the currency table"),
    Given("/charge", {}, UNKNOWN, "R8", "nobody"),
    Given("/charge", EUR, NO_WALLET, "R2"),
    Given("/charge", {"amount": "99999999999999"}, TOO_MUCH, "R13"),
    Given("/charge", {"uuid": "in"}, CONFLICT, "R5: the uuid of another TransactionId"),
    Given("/charge", {**IN, "amount": "10.1"}, CONFLICT, "R5: another amount"),
    Given("/charge", {**IN, **EUR}, CONFLICT, "R5: another currency"),
    Given("/charge", IN, CONFLICT, "R5: another player", "ice"),
    Given("/charge", IN, ALREADY, "R3"),
    Given("/refund", IN, CONFLICT, "R5: a refund against a charge"),
    Given("/charge", {"TransactionId": "out", "amount": "10.0"}, CONFLICT, "R5: a charge against a refund"),
    Given("/refund", {"TransactionId": "out", "amount": "10.0"}, ALREADY, "R3"),
    Given("/refund", {}, UNKNOWN, "R8", "nobody"),
    Given("/refund", EUR, NO_WALLET, "R2"),
    Given("/refund", {"amount": "300." + ATOM[2:]}, POOR, "R10"),
    Given("/refund", {}, FROZEN, "R15", "ice"),
    Given("/refund", {"currency": "QQQ"}, NO_WALLET, "R1: nothing is taken on"),
    Given("/getBalance", {"currency": "QQQ"}, NO_WALLET, "R8: no such wallet"),
    Given("/userInfo", {}, UNKNOWN, "R8", "nobody"),
    Given("/transfer/UserInfo", {}, UNKNOWN, "R8", "nobody"),
    Given("/getBalance", {}, UNKNOWN, "R8", "nobody"),
    Given("/getBalance", EUR, NO_WALLET, "R8"),
    Given("/getTransferStatus", {}, UNKNOWN, "R8", "nobody"),
    Given("/getTransferStatus", {"TransactionId": "none"}, NOT_FOUND, "R8"),
    Given("/getTransferStatus", {"TransactionId": "in"}, NOT_FOUND, "R28: another player's", "ice"),
    Given("/getTransferStatus", {}, NOT_FOUND, "R8: none yet", "new"),
    Given("/getTransferStatus", {"TransactionId": "no wallet"}, NO_WALLET, "R2"),
    Given("/getTransferStatus", {"TransactionId": "no such money"}, CURRENCY, "R2"),
    Given("/getTransferStatus", {"TransactionId": "too much"}, TOO_MUCH, "R2"),
    Given("/getTransferStatus", {"TransactionId": "poor"}, POOR, "R2"),
    Given("/getTransferStatus", {"TransactionId": "frozen"}, FROZEN, "R15", "ice"),
]
FIRST: list[Given] = [
    Given("/charge", IN, ("0", "success"), ""),
    Given("/refund", {"TransactionId": "out", "amount": "10.0"}, ("0", "success"), ""),
    Given("/refund", {"TransactionId": "poor", "amount": "900"}, POOR, ""),
    Given("/charge", {"TransactionId": "no wallet", **EUR}, NO_WALLET, ""),
    Given("/charge", {"TransactionId": "no such money", "currency": "QQQ"}, CURRENCY, ""),
    Given("/charge", {"TransactionId": "too much", "amount": "99999999999999"}, TOO_MUCH, ""),
    Given("/refund", {"TransactionId": "frozen"}, FROZEN, "", "ice"),
]


class Scene(NamedTuple):
    tag: str
    players: dict[str, Account]

    def call(self, given: Given) -> Call:
        own = {
            name: f"{self.tag} {value}"
            for name, value in given.fields.items()
            if name in ("uuid", "TransactionId")
        }
        return self.players[given.who].call(given.path, **{**given.fields, **own})


@pytest.fixture(scope="module")
def scene(house: House) -> Scene:
    """Ana with 300.0 and some transfers, accepted and refused; Ice is frozen; New has moved nothing."""
    players = {"ana": account(house), "ice": account(house), "new": account(house, "")}
    players["nobody"] = Account(house, new_id("p"), house.partner)
    made = Scene(new_id("tx"), players)
    house.freeze(players["ice"].user)
    for given in FIRST:
        uuid = given.fields["TransactionId"]
        call = made.call(given._replace(fields={**given.fields, "uuid": uuid}))
        said = house.send(call).body
        assert (said["error"], said["description"]) == given.refusal
    return made


@pytest.mark.parametrize("given", REFUSED, ids=lambda g: f"{g.path[1:]} {g.refusal[0]} {g.rule} {g.who}")
def test_every_refusal_by_the_rules_has_its_code(house: House, scene: Scene, given: Given) -> None:
    """Asked twice, told twice; nothing moves."""
    call = scene.call(given)
    answer = house.send(call)
    if given.refusal == ALREADY:
        assert list(answer.body) == ["transactionId", "currency", "balance", "error", "description"]
        assert (answer.body["error"], answer.body["description"]) == ALREADY
    else:
        refused(answer, given.refusal)
    assert house.send(call).raw == answer.raw
    assert scene.players["ana"].balance() == "300.0"
    assert scene.players["ice"].balance() == "300.0"


# -- what is found before any rule is asked --

REQUIRED = [(e.path, f.name) for e in ENDPOINTS for f in e.fields if f.required]


@pytest.mark.parametrize(("path", "field"), REQUIRED)
def test_a_missing_field_is_7_and_named_or_a_wrong_login(house: House, path: str, field: str) -> None:
    """R7: the player does not exist, which is not looked at."""
    login = field in ("secureLogin", "token")
    missing: list[dict[str, Any]] = [{field: ...}, {field: None}]
    for fields in missing:
        call = Account(house, "nobody", house.partner).call(path, **fields)
        refused(house.send(call), LOGIN if login else (PARAMETER[0], f"{PARAMETER[1]}: {field}"))


@pytest.mark.parametrize("path", [p for p, fields in TRANSFERS.items() if "currency" in fields])
def test_a_wrong_currency_is_21(house: House, path: str) -> None:
    """One that is in no table is refused behind the look-up (R1)."""
    for value in ("", "US", "USDTT", "U$D", 840):
        call = Account(house, "nobody", house.partner).call(path, currency=value)
        refused(house.send(call), (CURRENCY[0], f"{CURRENCY[1]}: currency"))


NO_AMOUNTS = ["", "0", "0.0", "-1", "+1", "1e3", " 1", "01", "1.", ".5", "1" * 15, "0." + "1" * 19, True, []]
NO_NUMBERS = [number("0"), number("-1"), number("1e3"), number("1E-1"), number("1" * 15)]


@pytest.mark.parametrize("value", [*NO_AMOUNTS, *NO_NUMBERS], ids=spelled)
@pytest.mark.parametrize("path", ["/charge", "/refund"])
def test_no_amount_is_7(house: House, scene: Scene, path: str, value: Any) -> None:
    """R12."""
    answer = scene.players["ana"].send(path, amount=value)
    refused(answer, (PARAMETER[0], f"{PARAMETER[1]}: amount"))
    assert scene.players["ana"].balance() == "300.0"


NO_USERS: list[Any] = ["", "x" * 65, "a\x00", -421, ["a"]]
NO_TRANSACTIONS: list[Any] = ["x" * 129, "a\nb", 7.5, {}]
BAD: list[tuple[str, Any]] = [
    *[("userId", bad) for bad in NO_USERS],
    *[("uuid", bad) for bad in ("", "x" * 65, "é", "a\tb", 7)],
    *[("TransactionId", bad) for bad in NO_TRANSACTIONS],
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=spelled)
def test_a_bad_id_is_7(house: House, name: str, value: Any) -> None:
    call = Account(house, "nobody", house.partner).call("/charge", **{name: value})
    refused(house.send(call), (PARAMETER[0], f"{PARAMETER[1]}: {name}"))


@pytest.mark.parametrize("fields", [{"start": -1}, {"start": "x"}, {"limit": 0}, {"limit": 1001}])
def test_a_bad_page_of_the_log_is_7(house: House, fields: dict[str, Any]) -> None:
    answer = Account(house, "nobody", house.partner).send("/GetSlotLog", **fields)
    refused(answer, (PARAMETER[0], f"{PARAMETER[1]}: {next(iter(fields))}"))


@pytest.mark.parametrize("path", TRANSFERS)
@pytest.mark.parametrize(
    "wrong", ["nobody's name", "nobody's token", "another's token", "a token in the URL"]
)
def test_a_wrong_login_is_4_and_one_and_the_same(house: House, path: str, wrong: str) -> None:
    """R7."""
    token = house.secrets[-1].partner.token
    changes: dict[str, dict[str, Any]] = {
        "nobody's name": {"secureLogin": new_id("x")},
        "nobody's token": {"token": new_id("x")},
        "another's token": {"token": token},
        "a token in the URL": {"token": ...},
    }
    at = Account(house, "nobody", house.partner)
    call = at.call(path, **changes[wrong])
    if "URL" in wrong:
        call = call._replace(path=f"{call.path}?partner_id={at.partner.id}&token={at.partner.token}")
    refused(house.send(call), LOGIN)


BODIES = [b"", b"[]", b"null", b'"x"', b"{", b'{"uuid":"a","uuid":"a"}', b'{"uuid":"a","UUID":"b"}', b"\xff"]


@pytest.mark.parametrize("path", TRANSFERS)
def test_an_unreadable_body_is_7(house: House, path: str) -> None:
    for body in BODIES:
        refused(house.send(Call(BASE + path, body)), UNREADABLE)


def test_what_is_not_announced_as_json_or_too_long_is_7(house: House) -> None:
    at = account(house)
    call = at.call("/charge")
    refused(house.server.request("POST", *call, content_type="text/plain"), UNREADABLE)
    refused(house.send(at.call("/charge", note="x" * 17_000)), UNREADABLE)
    announced = house.server.request("POST", *call, content_type="application/json; charset=utf-8")
    assert announced.code == 0
    assert at.balance() == "310.0"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", TRANSFERS)
def test_another_method_is_405_with_allow(house: House, path: str, method: str) -> None:
    for base in ("", BASE):
        answer = house.server.request(method, base + path, b"{}", content_type=JSON)
        refused(answer, POST_ONLY, 405)
        assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("tail", ["/", "/withdraw", "/charge/", "/charge/x", "/GetSlotLogs"])
def test_an_unknown_path_under_the_base_is_404_in_this_door_s_shape(house: House, tail: str) -> None:
    refused(house.server.request("POST", BASE + tail, b"{}", content_type=JSON), NO_SUCH_METHOD, 404)


# -- TransactionId --


def test_R1_the_same_uuid_gets_the_first_answer_to_the_byte(house: House) -> None:
    at = account(house)
    calls = [at.call("/charge", amount="50"), at.call("/refund", amount="120.0"), at.call("/refund")]
    firsts = [house.send(call) for call in calls]
    assert at.balance() == "220.0"
    assert [house.send(call).raw for call in calls] == [first.raw for first in firsts]
    respelled = calls[0].body.replace(b'"50"', b"50.00").replace(b'"USD"', b'"usd"')
    assert house.send(Call(calls[0].path, respelled)).raw == firsts[0].raw
    assert at.balance() == "220.0"


@pytest.mark.parametrize("path", ["/charge", "/refund"])
def test_R3_a_new_uuid_after_a_success_is_8_with_the_first_id_currency_and_balance(
    house: House, path: str
) -> None:
    at = account(house)
    transfer = {"TransactionId": new_id("tx"), "amount": "10.0"}
    first = at.send(path, **transfer)
    at.told("/refund", amount="100.0")
    before = at.balance()
    for uuid in (new_id("u"), new_uuid()):
        call = at.call(path, **transfer, uuid=uuid)
        again = house.send(call)
        assert list(again.body.items()) == [
            *list(first.body.items())[:3],
            *zip(("error", "description"), ALREADY, strict=True),
        ]
        assert house.send(call).raw == again.raw
    assert at.balance() == before
    assert at.send(path, **transfer, uuid=new_id("u")).code == 8


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [({"amount": "300.5"}, POOR), ({"currency": "EUR"}, NO_WALLET)],
    ids=["not enough", "no wallet"],
)
def test_R2_a_new_uuid_after_a_refusal_is_that_refusal(
    house: House, fields: dict[str, Any], refusal: tuple[str, str]
) -> None:
    """Never 8, which would make the partner pay out; although it would succeed by now."""
    at = account(house)
    transfer = {"TransactionId": new_id("tx"), **fields}
    first = at.call("/refund", **transfer)
    refused(house.send(first), refusal)
    at.told("/createwallet", currency="EUR")
    for currency in ("USD", "EUR"):
        at.told("/charge", amount="100.0", currency=currency)
    refused(house.send(first), refusal)
    for _ in range(2):
        refused(at.send("/refund", **transfer), refusal)
    assert (at.balance(), at.balance("EUR")) == ("400.0", "100.0")
    at.told("/refund", **{**transfer, "TransactionId": new_id("tx")})


def test_R2_the_refusal_of_the_frozen_stays_when_they_are_released(house: House) -> None:
    """R15."""
    at = account(house)
    house.freeze(at.user)
    transfer = {"TransactionId": new_id("tx")}
    refused(at.send("/refund", **transfer), FROZEN)
    at.told("/charge", amount="5.0")
    house.freeze(at.user, frozen=False)
    refused(at.send("/refund", **transfer), FROZEN)
    at.told("/refund")
    assert at.balance() == "295.0"


def test_R5_other_content_is_25_and_claims_no_key(house: House) -> None:
    """R8: the right request under that uuid still succeeds."""
    at, other = account(house), account(house)
    at.told("/createwallet", currency="EUR")
    transfer = {"TransactionId": new_id("tx"), "amount": "10.0"}
    first = at.send("/charge", **transfer)
    uuids = [new_id("u") for _ in range(4)]
    refused(at.send("/charge", **{**transfer, "amount": "10." + ATOM[2:]}, uuid=uuids[0]), CONFLICT)
    refused(at.send("/charge", **transfer, currency="EUR", uuid=uuids[1]), CONFLICT)
    refused(at.send("/refund", **transfer, uuid=uuids[2]), CONFLICT)
    refused(other.send("/charge", **transfer, uuid=uuids[3]), CONFLICT)
    assert (at.balance(), at.balance("EUR"), other.balance()) == ("310.0", "0.0", "300.0")
    for uuid in uuids:
        assert at.send("/charge", amount="1.0", uuid=uuid).code == 0
    assert at.balance() == "314.0"
    assert at.send("/charge", **transfer).body["transactionId"] == first.body["transactionId"]


def test_R5_a_known_uuid_with_another_transaction_id_is_25(house: House) -> None:
    at, uuid = account(house), new_id("u")
    at.told("/charge", uuid=uuid)
    refused(at.send("/charge", uuid=uuid), CONFLICT)
    assert at.balance() == "310.0"


def test_R8_an_unknown_player_is_17_and_that_is_not_kept(house: House) -> None:
    at = Account(house, new_id("p"), house.partner)
    calls = [at.call("/createwallet"), at.call("/charge"), at.call("/refund")]
    for call in calls:
        refused(house.send(call), UNKNOWN)
    at.told("/createuser")
    for call in calls:
        house.told(call)
    assert at.balance() == "0.0"


def test_R6_many_at_once_move_money_once(house: House) -> None:
    """One uuid gets one answer; each other uuid is told 8; the money moves once whoever is first."""
    at = account(house)
    transfer = {"TransactionId": new_id("tx"), "amount": "7.0"}
    same = at.call("/charge", **transfer)
    answers = sent(house.server, [same] * 16 + [at.call("/charge", **transfer) for _ in range(16)])
    codes = sorted(answer.code for answer in answers)
    assert set(codes) == {0, 8}
    assert len({a.body["transactionId"] for a in answers}) == 1
    assert {a.body["balance"] for a in answers} == {"307.0"}
    assert len({a.raw for a in answers[:16]}) == 1
    assert at.balance() == "307.0"


def test_R3_transaction_ids_are_the_partner_s_own(house: House) -> None:
    """Another partner may use the same; and it is compared as it was sent."""
    at, stranger = account(house), account(house, partner=house.secrets[-1].partner)
    transfer = {"TransactionId": new_id("Tx"), "uuid": new_id("u")}
    assert at.told("/charge", **transfer)["balance"] == "310.0"
    assert stranger.told("/charge", **transfer)["balance"] == "310.0"
    capitals = {"TransactionId": transfer["TransactionId"].upper()}
    assert at.told("/charge", **capitals)["balance"] == "320.0"


def test_R3_both_editions_share_one_key_space_of_uuids(house: House) -> None:
    """R5; in any letter case, since edition 3 compares it so."""
    at, uuid = account(house), new_uuid()
    at.told("/charge", uuid=uuid.upper())
    assert house.send(house.partner.charge(at.user, "10.0", uuid)).code == 5
    old = new_uuid()
    house.told(house.partner.charge(at.user, "10.0", old))
    refused(at.send("/charge", uuid=old), CONFLICT)
    refused(at.send("/refund", uuid=old.upper()), CONFLICT)
    assert at.balance() == "320.0"


def test_a_uuid_is_any_printable_text_and_only_a_canonical_one_is_folded(house: House) -> None:
    at, uuid = account(house), new_uuid()
    transfer = {"TransactionId": new_id("tx")}
    first = at.send("/charge", **transfer, uuid=uuid)
    assert at.send("/charge", **transfer, uuid=uuid.upper()).raw == first.raw
    tag = new_id("u")
    for free in (f"{tag} ~!", tag + "a", tag + "A", tag.ljust(64, "x")):
        at.told("/charge", uuid=free)
    assert at.balance() == "350.0"


# -- getTransferStatus --


def test_the_status_of_a_transfer_is_signed_and_shows_the_balance_after_it(house: House) -> None:
    at = account(house)
    into = at.told("/charge", TransactionId=new_id("in"), amount="0.50")["transactionId"]
    out_id = new_id("out")
    out = at.told("/refund", TransactionId=out_id, amount=number("100.0"))["transactionId"]
    at.told("/charge", amount="7.0")
    said = at.told("/getTransferStatus", TransactionId=out_id)
    assert list(said) == ["transactionId", "currency", "amount", "balance", "error", "description"]
    assert list(said.values())[:4] == [out, "USD", "-100.0", "200.5"]
    assert out != into


def test_the_newest_transfer_is_a_charge_or_refund_of_either_edition_and_no_bet(house: House) -> None:
    at = account(house)
    tx = at.told("/charge", TransactionId=new_id("in"), amount="0.5")["transactionId"]
    house.told(house.game().bet(at.user, "10.0", new_id("b"), new_id("r")))
    newest = at.told("/getTransferStatus")
    assert (newest["transactionId"], newest["amount"], newest["balance"]) == (tx, "0.5", "300.5")
    house.told(house.partner.refund(at.user, "20.0"))
    newest = at.told("/getTransferStatus")
    assert (newest["amount"], newest["balance"]) == ("-20.0", "270.5")


def test_the_status_of_a_refused_transfer_is_its_refusal(house: House) -> None:
    at = account(house)
    refused(at.send("/refund", amount="900.0"), POOR)
    refused(at.send("/getTransferStatus"), POOR)
    at.told("/charge", amount="1.0")
    assert at.told("/getTransferStatus")["amount"] == "1.0"


def test_a_status_claims_no_key(house: House) -> None:
    at, tx = account(house), new_id("tx")
    refused(at.send("/getTransferStatus", TransactionId=tx, uuid=tx), NOT_FOUND)
    at.told("/charge", TransactionId=tx, uuid=tx)
    assert at.told("/getTransferStatus", TransactionId=tx, uuid=tx)["balance"] == "310.0"


# -- GetSlotLog --


def test_the_log_lists_rounds_oldest_first_and_is_empty_behind_the_last(house: House) -> None:
    partner, games = house.spare()
    at, game = account(house, partner=partner), games["lucky-monaco-v4"]
    other = house.player(partner=partner)
    empty = at.send("/GetSlotLog")
    assert empty.raw == b'{"logs":[],"error":"0","description":"success"}'
    for n, user in enumerate((at.user, other, at.user)):
        house.told(game.bet(user, f"{n + 1}.50", f"b{n}", f"r{n}"))
        house.told(game.result(user, f"{n}.0", f"w{n}", f"r{n}") if n < 2 else game.refund(user, "b2"))
    rows = [
        [0, "g1", "USD", "1.5", "0.0", "none", "0.0"],
        [1, "g1", "USD", "2.5", "1.0", "none", "0.0"],
        [2, "g1", "USD", "0.0", "0.0", "none", "0.0"],
    ]
    listing = {"start": 0, "limit": 9, "uuid": new_uuid()}
    assert house.logged(partner.log(listing), 3).body["logs"] == rows
    whole = {"userId": ..., "uuid": ...}
    assert at.told("/GetSlotLog", **whole)["logs"] == rows
    assert at.told("/GetSlotLog", start=1, limit=1, **whole)["logs"] == rows[1:2]
    assert at.told("/GetSlotLog", start="2", limit="1000", **whole)["logs"] == rows[2:]
    assert at.told("/GetSlotLog", start=3, **whole)["logs"] == []
    mine = [rows[0], [1, *rows[2][1:]]]
    assert at.told("/GetSlotLog")["logs"] == mine
    assert at.told("/GetSlotLog", start=1)["logs"] == mine[1:]
    assert at.told("/GetSlotLog", userId=other)["logs"] == [[0, *rows[1][1:]]]
    assert at.told("/GetSlotLog", userId="nobody")["logs"] == []
    assert at.balance() == "298.5"


# -- paths, letter case, amounts --


@pytest.mark.parametrize("path", TRANSFERS)
def test_the_base_and_the_root_serve_alike_in_any_letter_case(house: House, path: str) -> None:
    at = account(house)
    if path == "/createuser":
        at = at._replace(user=new_id("p"))
    more = {"currency": "EUR"} if path == "/createwallet" else {}
    call = at.call(path, "", **more)
    first = house.told(call)
    for way in (BASE + path, path.lower(), path.upper(), BASE.lower() + path.lower(), (BASE + path).upper()):
        assert house.told(Call(way, call.body)).raw == first.raw


def test_names_match_in_any_letter_case(house: House) -> None:
    at = account(house)
    call = at.call("/charge")
    first = house.told(call)
    for spell in (str.lower, str.upper):
        body = call.body
        for name in ("secureLogin", "token", "uuid", "userId", "currency", "TransactionId", "amount"):
            assert f'"{name}"'.encode() in body
            body = body.replace(f'"{name}"'.encode(), f'"{spell(name)}"'.encode())
        assert house.told(call._replace(body=body)).raw == first.raw
    twice = call.body[:-1] + b',"transactionid":"x"}'
    refused(house.send(call._replace(body=twice)), UNREADABLE)


@pytest.mark.parametrize("amount", ["10", "10.0", "10.00", number("10"), number("10.0")], ids=spelled)
@pytest.mark.parametrize("path", ["/charge", "/refund"])
def test_an_amount_is_text_or_a_number(house: House, path: str, amount: Any) -> None:
    """R5: all of these are one amount."""
    at, transfer = account(house), {"TransactionId": new_id("tx"), "uuid": new_id("u")}
    first = at.send(path, **transfer, amount=amount)
    assert first.code == 0
    assert at.send(path, **transfer, amount="10.000").raw == first.raw
    assert at.balance() == ("310.0" if path == "/charge" else "290.0")


@pytest.mark.parametrize("amount", [ATOM, "99999.89999999", "12345678901234.123456789012345678"])
def test_R13_a_balance_is_a_number_with_every_digit(house: House, amount: str) -> None:
    at = account(house, "")
    assert f'"balance":{amount},'.encode() in at.send("/charge", amount=number(amount)).raw
    assert f'"balance":{amount},'.encode() in at.send("/getBalance").raw
    assert f'"wallet":{{"USD":"{amount}"}}'.encode() in at.send("/userInfo").raw


def test_the_token_is_in_no_answer_and_not_in_the_log(house: House) -> None:
    at = account(house)
    for path in TRANSFERS:
        assert at.partner.token.encode() not in at.send(path).raw
    assert at.partner.token not in house.server.log
