"""The transfer door, edition 3: bytes to Request, decision to bytes, every refusal (wire.md 1)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisse.core.money import UNIT
from caisse.core.requests import Charge, CreatePlayer, Look, OpenWallet, Withdraw
from caisse.dialects.wire.door import Answer, Question
from tests.support.harness import (
    SEED_REFUND,
    TOKEN_QUERY,
    TRANSFER,
    UUID,
    Desk,
    Said,
    ask,
    asked,
    funded,
    packed,
    told,
    uuid,
    without_key,
    world,
)

REFUND = Said("/user/refund", SEED_REFUND, TOKEN_QUERY)
NEW: dict[str, Any] = {"name": "Tess", "name_key": b""}
BASE: dict[str, Any] = {"id": "t1", "partner": "demo", "user": "tester", "uuid": UUID}
MONEY: dict[str, Any] = {"currency": "USD", "amount": 200 * UNIT}


def test_the_seed_s_request_gets_the_seed_s_success_byte_for_byte() -> None:
    """R10, and the key order of the seed's example."""
    desk = funded("tester", amount="300.0")
    assert desk.send(TRANSFER, REFUND) == Answer(
        200,
        b'{"status":"OK","uuid":"ab64cee3-f73b-4631-9abf-b1a09c1f9c36",'
        b'"currency":"USD","amount":"200.0","balance":"100.0"}',
    )


def test_the_seed_s_request_gets_the_seed_s_failure_byte_for_byte() -> None:
    """R10: not covered by the balance."""
    desk = funded("tester", amount="199.999999999999999999")
    assert desk.send(TRANSFER, REFUND) == Answer(
        200,
        b'{"status":"Failed","uuid":"ab64cee3-f73b-4631-9abf-b1a09c1f9c36",'
        b'"code":3,"reason":"Not Enough Balance"}',
    )


@pytest.mark.parametrize(
    ("verb", "fields", "request_"),
    [
        (
            "create",
            {"name": "Tess"},
            CreatePlayer(**BASE, **NEW, endpoint="/user/create"),
        ),
        (
            "create_wallet",
            {"currency": "usd"},
            OpenWallet(**BASE, endpoint="/user/create_wallet", currency="USD"),
        ),
        ("info", {}, Look(**BASE, endpoint="/user/info")),
        ("balance", {"currency": "USD"}, Look(**BASE, endpoint="/user/balance", currency="USD")),
        (
            "charge",
            {"currency": "USD", "amount": 200},
            Charge(**BASE, endpoint="/user/charge", **MONEY),
        ),
        (
            "refund",
            {"CURRENCY": "USD", "Amount": "200.00", "note": ["ignored"]},
            Withdraw(**BASE, endpoint="/user/refund", **MONEY),
        ),
    ],
)
def test_each_endpoint_makes_its_request(verb: str, fields: dict[str, Any], request_: Any) -> None:
    body = packed({"id": "tester", "uuid": UUID.upper(), **fields})
    assert without_key(asked(TRANSFER, Said(f"/user/{verb}", body, TOKEN_QUERY))) == request_


def test_every_success_in_the_order_of_the_table() -> None:
    desk = Desk()
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("create", {"name": "Tess"}, ""),
        ("create_wallet", {"currency": "USD"}, ""),
        ("create_wallet", {"currency": "BTC"}, ""),
        (
            "charge",
            {"currency": "USD", "amount": "300.050"},
            '"currency":"USD","amount":"300.05","balance":"300.05"',
        ),
        ("balance", {"currency": "usd"}, '"balance":"300.05"'),
        (
            "info",
            {},
            '"name":"Tess","at_create":"2023-11-14 22:13:20","at_login":"2023-11-14 22:13:20",'
            '"wallet":{"BTC":"0.0","USD":"300.05"}',
        ),
        (
            "refund",
            {"currency": "USD", "amount": 300.05},
            '"currency":"USD","amount":"300.05","balance":"0.0"',
        ),
    ]
    for n, (verb, fields, shown) in enumerate(steps):
        body = packed({"id": "tester", "uuid": uuid(n), **fields})
        answer = desk.send(TRANSFER, Said(f"/user/{verb}", body, TOKEN_QUERY))
        more = f",{shown}" if shown else ""
        assert answer.body.decode() == f'{{"status":"OK","uuid":"{uuid(n)}"{more}}}'


def test_a_replay_gets_the_same_bytes_after_the_balance_changed() -> None:
    """R1, R2: the first answer, balance and all; a refusal too."""
    desk = funded("tester")
    first = desk.send(TRANSFER, REFUND)
    refused = desk.send(TRANSFER, Said("/user/refund", SEED_REFUND.replace(b"9c36", b"9c37"), TOKEN_QUERY))
    desk.transfer("charge", {"id": "tester", "currency": "USD", "amount": "1000", "uuid": uuid(1)})
    assert desk.send(TRANSFER, REFUND) == first
    again = desk.send(TRANSFER, Said("/user/refund", SEED_REFUND.replace(b"9c36", b"9c37"), TOKEN_QUERY))
    assert again == refused
    assert b'"code":3' in again.body


def test_the_uuid_is_one_key_in_any_letter_case_and_comes_back_as_sent() -> None:
    """R3: compared in lower case; each sender sees the spelling it used."""
    desk = funded("tester")
    desk.send(TRANSFER, REFUND)
    upper = replace(REFUND, body=SEED_REFUND.replace(UUID.encode(), UUID.upper().encode()))
    said = told(desk.send(TRANSFER, upper))
    assert (said["uuid"], said["balance"]) == (UUID.upper(), "100.0")
    assert desk.decisions[-1].replay


def failed(code: int, reason: str) -> dict[str, Any]:
    return {"status": "Failed", "code": code, "reason": reason}


REFUSALS = [
    ("create", {"id": "tester", "name": "x"}, failed(2, "Duplicate ID")),
    ("create_wallet", {"id": "tester", "currency": "USD"}, failed(2, "Already Create")),
    ("create_wallet", {"id": "nobody", "currency": "USD"}, failed(4, "User Not Found")),
    ("info", {"id": "nobody"}, failed(4, "User Not Found")),
    ("balance", {"id": "nobody", "currency": "USD"}, failed(4, "User Not Found")),
    ("balance", {"id": "tester", "currency": "EUR"}, failed(2, "Have no Wallet")),
    ("charge", {"id": "nobody", "currency": "USD", "amount": "1"}, failed(4, "User Not Found")),
    ("charge", {"id": "tester", "currency": "EUR", "amount": "1"}, failed(2, "Have no Wallet")),
    ("refund", {"id": "nobody", "currency": "USD", "amount": "1"}, failed(4, "User Not Found")),
    ("refund", {"id": "tester", "currency": "EUR", "amount": "1"}, failed(2, "Have no Wallet")),
    ("refund", {"id": "tester", "currency": "ZZZ", "amount": "1"}, failed(2, "Have no Wallet")),
    ("balance", {"id": "tester", "currency": "ZZZ"}, failed(2, "Have no Wallet")),
    ("create_wallet", {"id": "tester", "currency": "ZZZ"}, failed(1, "Invalid Parameter")),
    ("charge", {"id": "tester", "currency": "ZZZ", "amount": "1"}, failed(1, "Invalid Parameter")),
    ("charge", {"id": "tester", "currency": "JPY", "amount": "1.5"}, failed(1, "Invalid Parameter")),
    ("refund", {"id": "tester", "currency": "USD", "amount": "300.1"}, failed(3, "Not Enough Balance")),
    ("refund", {"id": "frozen", "currency": "USD", "amount": "1"}, failed(6, "User Is Frozen")),
    (
        "charge",
        {"id": "tester", "currency": "USD", "amount": "99999999999999"},
        failed(7, "Balance Limit Exceeded"),
    ),
    (
        "refund",
        {"id": "tester", "currency": "USD", "amount": "1", "uuid": uuid(1002)},
        failed(5, "UUID Already Used"),
    ),
]


@pytest.mark.parametrize(("verb", "fields", "said"), REFUSALS)
def test_every_refusal_by_the_rules_has_its_code_and_reason(
    verb: str, fields: dict[str, Any], said: dict[str, Any]
) -> None:
    """R1, R5, R8, R10, R13, R15: HTTP 200, since a verdict was given."""
    desk = funded("tester", "frozen")
    desk.freeze("frozen")
    body = {"uuid": UUID, **fields}
    answer = desk.send(TRANSFER, Said(f"/user/{verb}", packed(body), TOKEN_QUERY))
    assert answer.status == 200
    assert told(answer) == said | {"uuid": body["uuid"]}
    assert list(told(answer)) == ["status", "uuid", "code", "reason"]


GOOD: dict[str, Any] = {"id": "tester", "currency": "USD", "amount": "1", "uuid": UUID}
NO_AMOUNTS: list[Any] = [
    *(
        ...,
        None,
        "",
        "0",
        "0.0",
        0,
        "-1",
        -1,
        "+1",
        "1e3",
        "01",
        ".5",
        "1.",
        "1,5",
        " 1",
        "1 ",
        "1_0",
        "\uff11",
    ),
    *("NaN", "0x1", True, [], {}, "1" * 15, "0." + "1" * 19),
]
BAD_FIELDS: list[dict[str, Any]] = [
    *({"id": bad} for bad in (..., None, "", "x" * 33, "a\x00b", "a\tb", -7, 5.0, 10**32, True, ["a"])),
    *({"currency": bad} for bad in (..., None, "", "US", "USDTT", "U$D", 840)),
    *({"amount": bad} for bad in NO_AMOUNTS),
]


@pytest.mark.parametrize("changes", BAD_FIELDS)
def test_a_bad_field_is_an_invalid_parameter(changes: dict[str, Any]) -> None:
    """R7, R12: code 1 with HTTP 200 before any state is read; nothing is asked."""
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    assert ask(TRANSFER, Said("/user/refund", packed(body), TOKEN_QUERY), world()) == Answer(
        200,
        f'{{"status":"Failed","uuid":"{UUID}","code":1,"reason":"Invalid Parameter"}}'.encode(),
    )


@pytest.mark.parametrize("digits", ["-0", "-0.0", "0.0", "0e0", "1e2", "1E2", "100000000000000", "9" * 400])
def test_a_bad_number_token_is_an_invalid_parameter(digits: str) -> None:
    """R12, from the token's own characters."""
    body = f'{{"id":"tester","currency":"USD","amount":{digits},"uuid":"{UUID}"}}'.encode()
    answer = ask(TRANSFER, Said("/user/refund", body, TOKEN_QUERY), world())
    assert isinstance(answer, Answer)
    assert (answer.status, told(answer)["code"]) == (200, 1)


@pytest.mark.parametrize("bad", [..., None, "", 7, UUID[:-1], UUID.replace("-", ""), "g" + UUID[1:]])
def test_an_unreadable_uuid_is_answered_with_an_empty_one(bad: Any) -> None:
    body = {name: value for name, value in {**GOOD, "uuid": bad}.items() if value is not ...}
    answer = ask(TRANSFER, Said("/user/refund", packed(body), TOKEN_QUERY), world())
    assert answer == Answer(200, b'{"status":"Failed","uuid":"","code":1,"reason":"Invalid Parameter"}')


BAD_REQUEST = (11, "Bad Request")
UNAUTHORIZED = (8, "Unauthorized")
UNHEARD: list[tuple[dict[str, Any], int, tuple[int, str], str]] = [
    ({"query": ""}, 401, UNAUTHORIZED, UUID),
    ({"query": "partner_id=demo&token=wrong"}, 401, UNAUTHORIZED, UUID),
    ({"query": "partner_id=nobody&token=demo-token"}, 401, UNAUTHORIZED, UUID),
    ({"query": "partner_id=demo&token=other-token"}, 401, UNAUTHORIZED, UUID),
    ({"query": "", "body": b"nonsense"}, 401, UNAUTHORIZED, ""),
    ({"method": "GET"}, 405, BAD_REQUEST, ""),
    ({"method": "post"}, 405, BAD_REQUEST, ""),
    ({"content_type": ""}, 415, BAD_REQUEST, ""),
    ({"content_type": "text/plain"}, 415, BAD_REQUEST, ""),
    ({"content_type": "application/jsonp"}, 415, BAD_REQUEST, ""),
    ({"body": b""}, 400, BAD_REQUEST, ""),
    ({"body": b"[]"}, 400, BAD_REQUEST, ""),
    ({"body": SEED_REFUND + b"}"}, 400, BAD_REQUEST, ""),
    ({"body": SEED_REFUND.replace(b"{", b'{"id":"x",')}, 400, BAD_REQUEST, ""),
    ({"body": SEED_REFUND.replace(b"{", b'{"ID":"Tester",')}, 400, BAD_REQUEST, ""),
    ({"body": SEED_REFUND.replace(b"tester", b"t\xff")}, 400, BAD_REQUEST, ""),
]


@pytest.mark.parametrize(("changes", "status", "failure", "sent"), UNHEARD)
def test_what_could_not_be_heard_has_its_own_status(
    changes: dict[str, Any], status: int, failure: tuple[int, str], sent: str
) -> None:
    """R7: no verdict, nothing implied. Wrong token and unknown partner: one and the same answer."""
    answer = ask(TRANSFER, replace(REFUND, **changes), world())
    assert isinstance(answer, Answer)
    assert answer.status == status
    assert told(answer) == failed(*failure) | {"uuid": sent}
    assert answer.headers == ((("Allow", "POST"),) if status == 405 else ())


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON", "application/json ;charset=UTF-8"],
)
def test_parameters_of_the_content_type_do_not_matter(content_type: str) -> None:
    assert asked(TRANSFER, replace(REFUND, content_type=content_type)).user == "tester"


def test_no_verdict_is_503_with_the_request_s_uuid() -> None:
    outcome = ask(TRANSFER, REFUND, world())
    assert isinstance(outcome, Question)
    assert outcome.answer(None) == Answer(
        503,
        f'{{"status":"Failed","uuid":"{UUID}","code":10,"reason":"Temporarily Unavailable"}}'.encode(),
        (("Retry-After", "1"),),
    )


@pytest.mark.parametrize(
    ("status", "code"), [(400, 11), (401, 8), (403, 9), (404, 11), (405, 11), (413, 11), (431, 11), (503, 10)]
)
def test_the_server_s_own_failures_have_the_door_s_shape(status: int, code: int) -> None:
    said = json.loads(TRANSFER.reject(status))
    assert list(said) == ["status", "uuid", "code", "reason"]
    assert (said["status"], said["uuid"], said["code"]) == ("Failed", "", code)
    assert TRANSFER.status(status) == status


@pytest.mark.parametrize("path", ["/", "/user", "/user/", "/user/refund/", "/User/refund", "/V4/Refund", ""])
def test_other_paths_lead_nowhere(path: str) -> None:
    assert TRANSFER.find(path) is None


@settings(deadline=None)
@given(st.binary(max_size=120), st.text(max_size=30))
def test_no_bytes_raise(body: bytes, query: str) -> None:
    for sent in (replace(REFUND, body=body), replace(REFUND, query=query)):
        outcome = ask(TRANSFER, sent, world())
        assert isinstance(outcome, Answer)
        assert outcome.status in (200, 400, 401)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from([*GOOD, "ID", "x"]), st.none() | st.text() | st.integers() | st.floats())
)
def test_no_fields_raise(changes: dict[str, Any]) -> None:
    ask(TRANSFER, replace(REFUND, body=packed(GOOD | changes)), world())


def test_no_answer_tells_a_token() -> None:
    for query in ("partner_id=demo&token=s3cret", TOKEN_QUERY):
        outcome = ask(TRANSFER, replace(REFUND, query=query), world())
        assert "s3cret" not in repr(outcome)
        assert "demo-token" not in repr(outcome)
