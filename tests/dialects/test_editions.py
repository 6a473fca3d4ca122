"""R56: what deciding needs is read strictly, whatever else came is recorded; ids, spellings, evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisse.core.money import UNIT
from caisse.core.requests import Result, Rollback
from caisse.dialects import recording
from caisse.dialects.kyren_v1.door import KyrenV1
from caisse.dialects.references import MANUALS
from caisse.dialects.seamless_v3.door import SeamlessV3
from caisse.dialects.transfer_v4.door import TransferV4
from caisse.dialects.wire.door import Answer, Door, Question, Unread
from caisse.dialects.wire.table import Endpoint, Need
from tests.support.harness import (
    KEY,
    SEAMLESS,
    TOKEN_QUERY,
    TRANSFER,
    Said,
    ask,
    asked,
    connection,
    funded,
    packed,
    play_body,
    played,
    taken,
    told,
    uuid,
    world,
)

V3, V4 = SeamlessV3(), TransferV4()
KYREN = KyrenV1()
DOORS: dict[str, Door] = {"seamless-v4": SEAMLESS, "seamless-v3": V3, "kyren-v1": KYREN}
GOOD: dict[str, Any] = {
    "uuid": "u-1",
    "amount": "10.0",
    "currency": "USD",
    "transaction.amount": "10.0",
    "providerId": "luckymonaco",
}
"""A good value of each needed field that is no plain id."""


def call(door: str, endpoint: Endpoint, fields: dict[str, Any]) -> Said:
    if door == "seamless-v3":
        inner = {k.partition(".")[2]: v for k, v in fields.items() if "." in k}
        outer = {k: v for k, v in fields.items() if "." not in k}
        return Said(endpoint.path, packed({**outer, "transaction": inner}), f"authToken={KEY}")
    return Said(f"/{KEY}{endpoint.path}", packed(fields))


def bare(endpoint: Endpoint) -> dict[str, Any]:
    """Nothing but what deciding needs."""
    body = {f.name: GOOD.get(f.name, "x1") for f in endpoint.fields if f.required}
    return body | ({"reference": "b1"} if endpoint.path == "/V4/Refund" else {})


PLAYS = [
    pytest.param(manual.id, endpoint, id=endpoint.path)
    for manual in MANUALS
    if manual.profiled
    for endpoint in manual.endpoints
]
ODD: list[Any] = [
    7,
    -1,
    1.5,
    True,
    False,
    [],
    {},
    ["x"],
    {"a": {"b": [1]}},
    "x" * 5000,
    "a\x00",
    "\ud800",
    10**200,
]


@pytest.mark.parametrize(("door", "endpoint"), PLAYS)
def test_what_deciding_does_not_need_is_never_a_reason_to_refuse(door: str, endpoint: Endpoint) -> None:
    """R56: absent, or anything at all, or there twice with two values."""
    assert isinstance(ask(DOORS[door], call(door, endpoint, bare(endpoint)), world()), Question)
    for field in endpoint.fields:
        if field.need is not Need.RECORDED:
            continue
        for odd in ODD:
            sent = call(door, endpoint, bare(endpoint) | {field.name: odd})
            request = asked(DOORS[door], sent)
            details = getattr(request, "details", "")
            assert len(details.encode()) <= recording.LIMIT
            if field.to == "" and not endpoint.reads:
                assert field.name in json.loads(details)
        name = field.name.rpartition(".")[2]
        for again in (name, name.upper()):
            twice = call(door, endpoint, bare(endpoint) | {field.name: "one"})
            body = twice.body.replace(f'"{name}": "one"'.encode(), f'"{name}":"one","{again}":"two"'.encode())
            question = ask(DOORS[door], replace(twice, body=body), world())
            assert isinstance(question, Question), (field.name, again)


@pytest.mark.parametrize(("door", "endpoint"), PLAYS)
def test_what_deciding_needs_may_be_there_twice_but_not_with_two_values(
    door: str, endpoint: Endpoint
) -> None:
    for field in endpoint.fields:
        if not field.required:
            continue
        name = field.name.rpartition(".")[2]
        good = call(door, endpoint, bare(endpoint))
        value = json.dumps(bare(endpoint)[field.name])
        for spelling, other, fine in (
            (name.upper() + "x", '"other"', True),
            (name.swapcase(), value, True),
            (name.swapcase(), '"7"', False),
            (name, value, False),
        ):
            body = good.body.replace(
                f'"{name}": {value}'.encode(), f'"{name}":{value},"{spelling}":{other}'.encode()
            )
            assert body != good.body
            outcome = ask(DOORS[door], replace(good, body=body), world())
            assert isinstance(outcome, Question) == fine, (spelling, other)


STEERING: list[tuple[str, dict[str, Any], str]] = [
    ("Refund", {"amount": "ten"}, "amount"),
    ("Refund", {"amount": ""}, "amount"),
    ("Refund", {"amount": -1, "roundId": "r1"}, "amount"),
    ("Result", {"currency": 840}, "currency"),
    ("Result", {"currency": "DOLLARS"}, "currency"),
    ("Result", {"promoWinAmount": "x", "promoWinReference": "p"}, "promoWinAmount"),
    ("Result", {"promoWinAmount": "1"}, "promoWinReference"),
    ("Result", {"promoWinAmount": "1", "promoWinReference": ["p"]}, "promoWinReference"),
    ("Result", {"promoWinReference": "p"}, "promoWinAmount"),
    ("BonusWin", {"currency": []}, "currency"),
    ("JackPotWin", {"currency": "US"}, "currency"),
]


@pytest.mark.parametrize(("method", "changes", "field"), STEERING)
def test_an_optional_field_that_steers_money_and_cannot_be_read_is_named_to_the_rules(
    method: str, changes: dict[str, Any], field: str
) -> None:
    """R56, R8: refused behind the look-up, so that a repeat of what was done gets its answer."""
    request = asked(SEAMLESS, played(method, play_body(method, **changes)))
    assert request.unreadable == field
    if isinstance(request, Result):
        assert request.promo_unreadable == field.startswith("promo")
        assert request.promo is None


@pytest.mark.parametrize(("verb", "changes"), [("cancel", {"amount": "x"}), ("win", {"currency": "DOLLARS"})])
def test_so_it_is_in_edition_3(verb: str, changes: dict[str, Any]) -> None:
    amount = {"amount": changes.get("amount", "10.0")}
    body = {"userid": "421", "uuid": "u-1", "transaction": {"id": "r1", **amount}, **changes}
    body.pop("amount", None)
    request = asked(V3, Said(f"/seamless/v3/{verb}", packed(body), f"authToken={KEY}"))
    assert request.unreadable == {"cancel": "transaction.amount", "win": "currency"}[verb]


@pytest.mark.parametrize("digits", ["0", "421", "5103188801", "9" * 64])
def test_an_id_may_be_a_json_integer(digits: str) -> None:
    """Its digits are the id, exactly, up to the id's limit of length."""
    body = packed(play_body("Bet")).replace(b'"421"', digits.encode())
    bet = asked(
        SEAMLESS, played("Bet", body.replace(b'"b1"', digits.encode()).replace(b'"s1"', digits.encode()))
    )
    assert (bet.user, bet.reference, bet.session) == (digits, digits, digits)
    long = digits * 2
    again = asked(SEAMLESS, played("Bet", body.replace(b'"r1"', (b"1" + long.encode())[:128])))
    assert again.round == ("1" + long)[:128]
    three = {"userid": "U", "uuid": "u", "currency": "USD", "transaction": {"id": "T", "amount": 1}}
    sent = packed(three).replace(b'"U"', digits.encode()).replace(b'"T"', digits.encode())
    assert asked(V3, Said("/seamless/v3/bet", sent, f"authToken={KEY}")).round == digits


@pytest.mark.parametrize("bad", ["5.0", "1e3", "-7", "-0", "1" * 65, "true", "[1]"])
def test_other_numbers_are_no_ids(bad: str) -> None:
    body = packed(play_body("Bet")).replace(b'"421"', bad.encode())
    assert b'"error":7' in str_of(ask(SEAMLESS, played("Bet", body), world()))


def test_the_transfer_doors_ids_may_be_integers_too() -> None:
    sent = packed({"id": 7, "currency": "USD", "amount": 1, "uuid": uuid(1)})
    assert asked(TRANSFER, Said("/user/refund", sent, TOKEN_QUERY)).user == "7"
    four = {"secureLogin": "demo", "token": "demo-token", "userId": 7, "TransactionId": 12345678, "uuid": "u"}
    charge = asked(V4, Said("/charge", packed({**four, "currency": "USD", "amount": "1000"})))
    assert (charge.user, charge.transaction, charge.amount) == ("7", "12345678", 1000 * UNIT)


def test_a_byte_order_mark_before_a_body_is_skipped() -> None:
    body = b"\xef\xbb\xbf" + packed(play_body("Bet"))
    assert asked(SEAMLESS, played("Bet", body)) == asked(SEAMLESS, played("Bet"))


def test_a_free_text_is_a_uuid_on_the_v4_doors() -> None:
    text = "random generated uuid4"
    assert asked(SEAMLESS, played("Bet", play_body("Bet", uuid=text))).uuid == text
    body = {"secureLogin": "demo", "token": "demo-token", "userId": "7"}
    assert asked(V4, Said("/userInfo", packed({**body, "uuid": text}))).uuid == text
    assert asked(V4, Said("/userInfo", packed(body))).uuid == ""


@pytest.mark.parametrize("value", ["ok", "OK", True, "true", 1])
def test_these_end_a_round(value: Any) -> None:
    assert win(value).closes


@pytest.mark.parametrize(
    "value", ["no", False, "false", 0, 2, "1", "yes", "ok ", [], {"ok": True}, None, "", 1.0]
)
def test_anything_else_is_recorded_and_ends_nothing(value: Any) -> None:
    request = win(value)
    assert not request.closes
    if value not in (None, ""):
        assert json.loads(request.details)["transaction.is_end_round"] == value


def win(ends: Any) -> Any:
    inner = {"id": "r1", "amount": 1, "is_end_round": ends}
    sent = packed({"userid": "421", "uuid": "u-1", "transaction": inner})
    return asked(V3, Said("/seamless/v3/win", sent, f"authToken={KEY}"))


# -- what is recorded --

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(["gamename", "roundDetails", "platform", "win"]), values, min_size=1))
def test_what_is_recorded_is_json_of_at_most_4_kib_with_every_field(fields: dict[str, Any]) -> None:
    text = recording.recorded(fields)
    assert len(text.encode()) <= recording.LIMIT
    assert json.loads(text).keys() == fields.keys()
    if len(json.dumps(fields, ensure_ascii=False)) < 2000:
        assert json.loads(text) == fields


def test_of_a_long_field_the_beginning_is_kept_and_the_short_ones_whole() -> None:
    details = {"desc": ["x" * 9_000]}
    text = recording.recorded({"gamename": "Game", "roundDetails": details, "platform": "web"})
    kept = json.loads(text)
    assert (kept["gamename"], kept["platform"]) == ("Game", "web")
    assert kept["roundDetails"].startswith('{"desc":["xxx')
    assert len(kept["roundDetails"]) > 1_900


# -- evidence of what could not be read (R58) --


def unread(door: Door, sent: Said) -> Unread:
    outcome = taken(door, sent, world())
    assert isinstance(outcome, Unread), outcome
    assert "demo-token" not in repr(outcome)
    assert KEY not in repr(outcome)
    return outcome


def str_of(outcome: Any) -> bytes:
    assert isinstance(outcome, Answer)
    return outcome.body


def test_a_request_that_was_authenticated_but_could_not_be_read_tells_what_could() -> None:
    body = play_body("Result", amount="ten")
    found = unread(SEAMLESS, played("Result", body))
    assert found[1:] == ("demo", "luckymonaco", "/V4/Result", "421", body["uuid"], "w1", "r1", "amount")
    assert told(found.answer) == {"error": 10, "description": "Invalid amount: amount"}
    none = unread(SEAMLESS, played("Bet", b"nonsense"))
    assert none[1:] == ("demo", "luckymonaco", "/V4/Bet", "", "", "", "", "body")
    text = unread(SEAMLESS, replace(played("Bet"), content_type="text/plain"))
    assert text.fault == "content-type"
    other = unread(SEAMLESS, played("Refund", play_body("Refund", providerId="unlucky")))
    assert (other.fault, other.reference, told(other.answer)["error"]) == ("providerId", "b1", "4")
    odd = unread(SEAMLESS, played("Bet", play_body("Bet", userId=["x"], reference=7)))
    assert (odd.player, odd.reference, odd.fault) == ("", "7", "userId")


def test_so_does_every_door() -> None:
    win = packed({"userid": "421", "uuid": "u-1", "transaction": {"id": "r1", "amount": "ten"}})
    three = unread(V3, Said("/seamless/v3/win", win, f"authToken={KEY}"))
    assert three[1:] == (
        "demo",
        "luckymonaco",
        "/seamless/v3/win",
        "421",
        "u-1",
        "",
        "r1",
        "transaction.amount",
    )
    refund = packed({"id": "ana", "currency": "USD", "amount": -1, "uuid": uuid(1)})
    found = unread(TRANSFER, Said("/user/refund", refund, TOKEN_QUERY))
    assert found[1:] == ("demo", "", "/user/refund", "ana", uuid(1), "", "", "amount")
    assert unread(TRANSFER, Said("/user/refund", b"[]", TOKEN_QUERY)).fault == "body"
    four = {
        "secureLogin": "demo",
        "token": "demo-token",
        "userId": "ana",
        "TransactionId": "t-1",
        "uuid": "u",
    }
    charge = unread(V4, Said("/transfer/DepositBalance", packed({**four, "currency": "USD", "amount": "x"})))
    assert charge[1:] == ("demo", "", "/charge", "ana", "u", "t-1", "", "amount")
    kyren = unread(KYREN, Said(f"/{KEY}/v1/EndRound", packed({"userId": "421", "providerId": "luckymonaco"})))
    assert (kyren.endpoint, kyren.fault) == ("/v1/EndRound", "uuid")


def test_a_read_and_a_stranger_leave_nothing() -> None:
    for door, sent in (
        (SEAMLESS, played("Balance", b"{}")),
        (TRANSFER, Said("/user/info", b"{}", TOKEN_QUERY)),
        (TRANSFER, Said("/log/slot", b"{}", TOKEN_QUERY)),
        (SEAMLESS, Said("/wrong-key-of-some-length/V4/Bet", b"{}")),
        (TRANSFER, Said("/user/refund", b"{}", "partner_id=demo&token=wrong")),
    ):
        assert isinstance(taken(door, sent, world()), Answer)


# -- names of the provider (R33) --


@pytest.mark.parametrize("name", ["luckymonaco", "LuckyMonaco", "Stella", "KYREN"])
def test_further_names_of_a_provider_mean_the_one_provider_of_the_keys(name: str) -> None:
    where = world(connection(also=("stella", "kyren")))
    request = asked(SEAMLESS, played("Refund", play_body("Refund", providerId=name)), where)
    assert isinstance(request, Rollback)
    assert request.provider == "luckymonaco"
    keyless = world(
        connection(key_hash=b"", also=("stella", "kyren")), connection(key_hash=b"", id="c2", provider="x")
    )
    local = Said("/V4/Refund", packed(play_body("Refund", providerId=name)), peer="127.0.0.1", local=True)
    assert asked(SEAMLESS, local, keyless).provider == "luckymonaco"


def test_any_other_name_is_error_4() -> None:
    where = world(connection(also=("stella",)))
    answer = ask(SEAMLESS, played("Refund", play_body("Refund", providerId="kyren")), where)
    assert b'"error":"4"' in str_of(answer)


# -- the token in a header --


@pytest.mark.parametrize(
    ("query", "header", "right"),
    [
        ("partner_id=demo", "Bearer demo-token", True),
        ("partner_id=demo", "bearer  demo-token ", True),
        ("partner_id=demo", "Bearer other-token", False),
        ("partner_id=demo", "Basic demo-token", False),
        ("partner_id=demo", "demo-token", False),
        ("partner_id=demo", "", False),
        ("", "Bearer demo-token", False),
        ("partner_id=demo&token=wrong", "Bearer demo-token", False),
        ("partner_id=demo&token=", "Bearer demo-token", False),
        ("partner_id=demo&t%6Fken=wrong", "Bearer demo-token", False),
        ("partner_id=demo&partner_id=demo", "Bearer demo-token", False),
        (TOKEN_QUERY, "Bearer wrong", True),
    ],
)
def test_the_token_may_come_in_a_header_instead_of_the_query(query: str, header: str, right: bool) -> None:
    sent = packed({"id": "ana", "currency": "USD", "amount": 1, "uuid": uuid(1)})
    outcome = ask(TRANSFER, Said("/user/refund", sent, query, authorization=header), world())
    assert isinstance(outcome, Question) == right
    if not right:
        assert b'"code":8' in str_of(outcome)


# -- Balance without a currency --


def test_a_balance_without_currency_is_that_of_the_only_wallet_or_a_missing_parameter() -> None:
    desk = funded("421")
    body = play_body("Balance", currency=...)
    assert desk.play("Balance", body)["cash"] == 300.0
    three = packed({"userid": "421", "uuid": "u-1"})
    balance = Said("/seamless/v3/balance", three, f"authToken={KEY}")
    assert desk.send(V3, balance).body == b'{"status":"OK","balance":"300.0","uuid":"u-1"}'
    desk.transfer("create_wallet", {"id": "421", "currency": "EUR", "uuid": uuid(7)})
    assert desk.play("Balance", body) == {"error": 7, "description": "Missing or bad parameter: currency"}
    assert desk.send(V3, balance).body == b'{"status":"INVALID_PARAMETER","uuid":"u-1"}'
    check = desk.send(V3, replace(balance, path="/seamless/v3/check"))
    assert check.body == b'{"status":"OK","uuid":"u-1"}'
    assert desk.play("Check", play_body("Check", currency=...)) == {"error": 0, "description": "Success"}
