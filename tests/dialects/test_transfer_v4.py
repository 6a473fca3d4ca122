"""The transfer door, edition 4: bytes to Request, decision to bytes, every code (wire.md 2)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisse.core.money import UNIT
from caisse.core.requests import Charge, CreatePlayer, Look, LookTransfer, OpenWallet, Withdraw
from caisse.dialects.transfer_v4.door import BASE, TransferV4
from caisse.dialects.transfer_v4.table import ENDPOINTS, REFUSALS, WRONG
from caisse.dialects.wire.door import Answer, Question
from caisse.dialects.wire.values import Wrong
from tests.support.harness import Desk, Said, ask, asked, funded, packed, told, uuid, without_key, world

DOOR = TransferV4()
LOGIN = {"secureLogin": "demo", "token": "demo-token"}
SHARED = {**LOGIN, "uuid": "u-1", "userId": "tester"}
MONEY = {"currency": "USD", "TransactionId": "tx-1", "amount": "200.0"}
DONE = '"error":"0","description":"success"'

_NEW: dict[str, Any] = {"endpoint": "/createuser", "name_key": b""}
_BASE: dict[str, Any] = {"id": "t1", "partner": "demo", "user": "tester", "uuid": "u-1"}
_MOVED: dict[str, Any] = {"currency": "USD", "amount": 200 * UNIT, "transaction": "tx-1"}


def body(fields: dict[str, Any]) -> bytes:
    return packed({name: value for name, value in {**SHARED, **fields}.items() if value is not ...})


def called(verb: str, **fields: Any) -> Said:
    return Said(f"/{verb}", body(fields))


def answered(desk: Desk, verb: str, **fields: Any) -> Answer:
    return desk.send(DOOR, called(verb, **fields))


def said(desk: Desk, verb: str, **fields: Any) -> dict[str, Any]:
    answer = answered(desk, verb, **fields)
    assert answer.status == 200
    return told(answer)


def bytes_of(desk: Desk, shown: str) -> Answer:
    """An answer that shows this, `#` standing for the id of the row just written."""
    row = desk.decisions[-1].row
    return Answer(200, f"{{{shown.replace('#', row.id if row else '')}}}".encode())


REQUESTS: list[tuple[str, dict[str, Any], Any]] = [
    ("createuser", {}, CreatePlayer(**_BASE, **_NEW, name="tester")),
    (
        "createuser",
        {"userNickname": "Tess"},
        CreatePlayer(**_BASE, **_NEW, name="Tess"),
    ),
    (
        "createuser",
        {"userNickname": ""},
        CreatePlayer(**_BASE, **_NEW, name="tester"),
    ),
    (
        "createuser",
        {"userId": "x" * 64},
        CreatePlayer(**{**_BASE, "user": "x" * 64}, **_NEW, name="x" * 32),
    ),
    ("createwallet", {"currency": "usd"}, OpenWallet(**_BASE, endpoint="/createwallet", currency="USD")),
    ("charge", MONEY, Charge(**_BASE, endpoint="/charge", **_MOVED)),
    ("refund", {**MONEY, "amount": 200}, Withdraw(**_BASE, endpoint="/refund", **_MOVED)),
    ("userInfo", {}, Look(**_BASE, endpoint="/userInfo")),
    ("getBalance", {"currency": "USD"}, Look(**_BASE, endpoint="/getBalance", currency="USD")),
    ("getTransferStatus", {}, LookTransfer(**_BASE, endpoint="/getTransferStatus")),
    (
        "getTransferStatus",
        {"TransactionId": "tx-1"},
        LookTransfer(**_BASE, endpoint="/getTransferStatus", transaction="tx-1"),
    ),
]


@pytest.mark.parametrize(("verb", "fields", "request_"), REQUESTS)
def test_each_endpoint_makes_its_request(verb: str, fields: dict[str, Any], request_: Any) -> None:
    assert without_key(asked(DOOR, called(verb, **fields))) == request_


@pytest.mark.parametrize("path", [f"{BASE}/charge", f"{BASE}/CHARGE", "/Charge", f"{BASE.lower()}/charge"])
def test_the_base_and_the_root_serve_alike_in_any_letter_case(path: str) -> None:
    assert asked(DOOR, Said(path, body(MONEY))) == asked(DOOR, called("charge", **MONEY))


@pytest.mark.parametrize(
    "path", ["/", "", "/charge/", f"{BASE}", f"/x{BASE}/charge", "/user/charge", "/V4/Bet"]
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert DOOR.find(path) is None


def test_names_match_in_any_letter_case() -> None:
    spelled = {"securelogin": "demo", "TOKEN": "demo-token", "UUID": "u-1", "userid": "tester"}
    sent = packed({**spelled, "Currency": "USD", "transactionId": "tx-1", "AMOUNT": 200.0, "note": [1]})
    assert asked(DOOR, Said("/charge", sent)) == asked(DOOR, called("charge", **MONEY))


def test_every_success_in_the_order_of_the_table() -> None:
    """R10; a balance is a JSON number with the canonical characters, the status's amount signed text."""
    desk = Desk()
    times = '"at_create":"2023-11-14 22:13:20","at_login":"2023-11-14 22:13:20"'
    money = {"currency": "USD"}
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("createuser", {}, '"userId":"tester"'),
        ("createwallet", money, '"userId":"tester"'),
        ("createwallet", {"currency": "BTC"}, '"userId":"tester"'),
        (
            "charge",
            {**money, "TransactionId": "in", "amount": "300.050000000000000001"},
            '"transactionId":"#","currency":"USD","balance":300.050000000000000001',
        ),
        (
            "refund",
            {**money, "TransactionId": "out", "amount": 200},
            '"transactionId":"#","currency":"USD","balance":100.050000000000000001',
        ),
        ("getBalance", {"currency": "usd"}, '"balance":100.050000000000000001'),
        (
            "userInfo",
            {},
            f'"userId":"tester",{times},"wallet":{{"BTC":"0.0","USD":"100.050000000000000001"}}',
        ),
        (
            "transfer/UserInfo",
            {"uuid": ...},
            '"userId":"tester","userNickname":"tester","dateTimeCreate":"2023-11-14 22:13:20",'
            '"dateTimeLogin":"2023-11-14 22:13:20","wallet":{"BTC":"0.0","USD":"100.050000000000000001"}',
        ),
        (
            "getTransferStatus",
            {"TransactionId": "in"},
            '"transactionId":"#","currency":"USD","amount":"300.050000000000000001",'
            '"balance":300.050000000000000001',
        ),
        (
            "getTransferStatus",
            {},
            '"transactionId":"#","currency":"USD","amount":"-200.0","balance":100.050000000000000001',
        ),
    ]
    for n, (verb, fields, shown) in enumerate(steps):
        answer = answered(desk, verb, **{"uuid": f"u-{n}", **fields})
        assert answer == bytes_of(desk, f"{shown},{DONE}"), verb


def accounts() -> Desk:
    """`tester` and `frozen` with 300.0 USD; `tester` has made the transfers `in`, `out`, `odd` and `poor`."""
    desk = funded("tester", "frozen")
    money = {"currency": "USD"}
    assert said(desk, "charge", **money, TransactionId="in", amount="10", uuid="in")["error"] == "0"
    assert said(desk, "refund", **money, TransactionId="out", amount="10", uuid="out")["error"] == "0"
    odd = {"currency": "ZZZ", "TransactionId": "odd", "amount": "1", "uuid": "odd"}
    assert said(desk, "charge", **odd)["error"] == "21"
    assert said(desk, "refund", **money, TransactionId="poor", amount="900", uuid="poor")["error"] == "22"
    desk.freeze("frozen")
    return desk


USD = {"currency": "USD", "TransactionId": "tx-1", "amount": "1"}
EUR = {**USD, "currency": "EUR"}
NOBODY = {"userId": "nobody"}
UNKNOWN = ("17", "Player not found")
NO_WALLET = ("24", "Wallet not found")
CONFLICT = ("25", "Transaction id was used for another request")
EXISTS = ("26", "Already exists")
UNSUPPORTED = ("21", "Wrong or unsupported currency")
GIVEN: list[tuple[str, dict[str, Any], tuple[str, str], str]] = [
    ("createuser", {}, EXISTS, "R2"),
    ("createuser", {"uuid": "in"}, CONFLICT, "R5"),
    ("createwallet", {"currency": "USD"}, EXISTS, "R2"),
    ("createwallet", {"currency": "EUR", **NOBODY}, UNKNOWN, "R8"),
    ("createwallet", {"currency": "EUR", "uuid": "in"}, CONFLICT, "R5"),
    ("createwallet", {"currency": "ZZZ"}, UNSUPPORTED, "R1: behind the look-up"),
    ("charge", {**USD, "currency": "ZZZ"}, UNSUPPORTED, "R1: behind the look-up"),
    ("charge", {**USD, "currency": "JPY", "amount": "1.5"}, UNSUPPORTED, "R1: V4 21"),
    ("charge", {**USD, "currency": "ZZZ", "TransactionId": "in"}, CONFLICT, "R5 before the currency table"),
    ("getTransferStatus", {"TransactionId": "odd"}, UNSUPPORTED, "R2"),
    ("charge", {**USD, **NOBODY}, UNKNOWN, "R8"),
    ("charge", EUR, NO_WALLET, "R8"),
    ("charge", {**USD, "amount": "99999999999999"}, ("7", "Balance limit exceeded"), "R13"),
    ("charge", {**USD, "uuid": "in"}, CONFLICT, "R5: the uuid of another TransactionId"),
    ("charge", {**USD, "TransactionId": "in"}, CONFLICT, "R5: another amount"),
    ("charge", {**USD, "TransactionId": "in", "amount": "10", "userId": "frozen"}, CONFLICT, "R5"),
    ("refund", {**USD, "TransactionId": "in", "amount": "10"}, CONFLICT, "R5: a charge against a refund"),
    ("refund", {**USD, **NOBODY}, UNKNOWN, "R8"),
    ("refund", EUR, NO_WALLET, "R8"),
    ("refund", {**USD, "amount": "300.1"}, ("22", "Not enough balance"), "R10"),
    ("refund", {**USD, "userId": "frozen"}, ("23", "Player is frozen"), "R15"),
    ("userInfo", NOBODY, UNKNOWN, "R8"),
    ("getBalance", {"currency": "USD", **NOBODY}, UNKNOWN, "R8"),
    ("getBalance", {"currency": "EUR"}, NO_WALLET, "R8"),
    ("getTransferStatus", NOBODY, UNKNOWN, "R8"),
    ("getTransferStatus", {"TransactionId": "none"}, ("7", "Transaction not found"), "R8"),
    ("getTransferStatus", {"TransactionId": "in", "userId": "frozen"}, ("7", "Transaction not found"), "R8"),
    ("getTransferStatus", {"TransactionId": "poor"}, ("22", "Not enough balance"), "R2"),
    ("getTransferStatus", {}, ("22", "Not enough balance"), "R2: the newest was refused"),
]


@pytest.mark.parametrize(("verb", "fields", "refusal", "rule"), GIVEN)
def test_every_refusal_by_the_rules_has_its_code(
    verb: str, fields: dict[str, Any], refusal: tuple[str, str], rule: str
) -> None:
    """HTTP 200, `error` as text and `description`, nothing else."""
    error, description = refusal
    answer = answered(accounts(), verb, **fields)
    assert answer == Answer(200, f'{{"error":"{error}","description":"{description}"}}'.encode()), rule


def test_a_frozen_player_s_transfer_is_told_as_refused() -> None:
    """R15: the status of a refused transfer is its refusal."""
    desk = accounts()
    assert said(desk, "refund", **USD, userId="frozen")["error"] == "23"
    assert said(desk, "getTransferStatus", TransactionId="tx-1", userId="frozen")["error"] == "23"


class TestTransactionIds:
    """R3: `TransactionId` is a key of its own beside the uuid; money moves once."""

    def test_the_same_uuid_gets_the_first_answer_byte_for_byte(self) -> None:
        """R1, after the balance changed."""
        desk = funded("tester")
        first = answered(desk, "charge", **MONEY)
        answered(desk, "refund", **USD | {"TransactionId": "tx-2"}, uuid="u-2")
        assert answered(desk, "charge", **{**MONEY, "amount": 200.00, "currency": "usd"}) == first
        assert told(first)["balance"] == 500.0

    def test_a_new_uuid_after_a_success_is_8_with_the_first_id_currency_and_balance(self) -> None:
        desk = funded("tester")
        first = answered(desk, "charge", **MONEY)
        answered(desk, "refund", **USD | {"TransactionId": "tx-2"}, uuid="u-2")
        already = b'"error":"8","description":"Transaction already exists, no action required"}'
        for number in ("u-3", "u-4", "u-3"):
            again = answered(desk, "charge", **MONEY, uuid=number)
            assert again == Answer(200, first.body.removesuffix(f"{DONE}}}".encode()) + already)
        assert said(desk, "getBalance", currency="USD")["balance"] == 499.0

    def test_a_new_uuid_after_a_refusal_is_that_refusal(self) -> None:
        """R2: never 8, which would make the partner pay out; a charge in between changes nothing."""
        desk = funded("tester")
        big = {**MONEY, "amount": "300.5"}
        first = answered(desk, "refund", **big)
        assert told(first)["error"] == "22"
        said(desk, "charge", **USD | {"TransactionId": "tx-2"}, uuid="u-2")
        assert answered(desk, "refund", **big, uuid="u-3") == first
        assert answered(desk, "refund", **big) == first
        assert said(desk, "getBalance", currency="USD")["balance"] == 301.0

    def test_a_refusal_by_content_claims_no_key(self) -> None:
        """R8: the right request under that uuid still succeeds."""
        desk = accounts()
        assert said(desk, "charge", **{**USD, "TransactionId": "in"}, uuid="u-9")["error"] == "25"
        assert said(desk, "charge", **USD, uuid="u-9")["error"] == "0"


UUID = "AB64CEE3-F73B-4631-9ABF-B1A09C1F9C36"


def test_both_editions_share_one_key_space() -> None:
    """R3, R5: a uuid of edition 3 is taken here, in any letter case, and the other way round."""
    desk = funded("tester")
    said(desk, "charge", **MONEY, uuid=UUID)
    same = {"id": "tester", "currency": "USD", "amount": "200.0", "uuid": UUID.lower()}
    assert desk.transfer("charge", same)["code"] == 5
    assert said(desk, "charge", **USD, uuid=uuid(1000))["error"] == "25"


def test_a_canonical_uuid_is_one_key_in_any_letter_case_and_other_text_is_not() -> None:
    desk = funded("tester")
    first = answered(desk, "charge", **MONEY, uuid=UUID)
    assert answered(desk, "charge", **MONEY, uuid=UUID.lower()) == first
    for number, id_ in enumerate(("F" * 32, "f" * 32)):
        assert said(desk, "charge", **USD | {"TransactionId": f"f{number}"}, uuid=id_)["error"] == "0"


GOOD = {**SHARED, **MONEY}
PARAMETER, CURRENCY = "7", "21"
NO_AMOUNTS: list[Any] = [..., None, "", "0", 0, "-1", -1, "1e3", "01", "1" * 15, "0." + "1" * 19, True, []]
BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    *(({"userId": bad}, PARAMETER) for bad in (..., None, "", "x" * 65, "a\x00b", -7, 10**64, ["a"])),
    *(({"uuid": bad}, PARAMETER) for bad in (..., None, "", "x" * 65, "é", "a\tb", 7)),
    *(({"TransactionId": bad}, PARAMETER) for bad in (..., None, "", "x" * 129, "a\nb", 7.5)),
    *(({"amount": bad}, PARAMETER) for bad in NO_AMOUNTS),
    *(({"currency": bad}, PARAMETER) for bad in (..., None)),
    *(({"currency": bad}, CURRENCY) for bad in ("", "US", "USDTT", "U$D", 840)),
]
SAYS = {PARAMETER: "Missing or wrong parameter", CURRENCY: "Wrong or unsupported currency"}


@pytest.mark.parametrize(("changes", "code"), BAD_FIELDS)
def test_a_bad_field_has_its_code_and_is_named(changes: dict[str, Any], code: str) -> None:
    """R7, R12: before any state is read; the value is not repeated."""
    wrong = next(iter(changes))
    answer = ask(DOOR, called("charge", **{**MONEY, **changes}), world())
    assert answer == Answer(200, f'{{"error":"{code}","description":"{SAYS[code]}: {wrong}"}}'.encode())


@pytest.mark.parametrize("name", ["x" * 33, "a\x07", 5, ["a"]])
def test_a_nickname_is_checked_where_it_is_sent(name: Any) -> None:
    answer = ask(DOOR, called("createuser", userNickname=name), world())
    assert isinstance(answer, Answer)
    assert told(answer)["description"].endswith(": userNickname")


CHARGE = called("charge", **MONEY)
WRONG_LOGIN = b'{"error":"4","description":"Wrong login or token"}'
UNREADABLE = b'{"error":"7","description":"Unreadable request"}'


@pytest.mark.parametrize(
    "changes",
    [
        *({"secureLogin": bad} for bad in (..., None, "", "nobody", "other", 7, ["demo"])),
        *({"token": bad} for bad in (..., None, "", "wrong", "other-token", 7, "x" * 9_000, "\u00e9")),
        {"token": "wrong", "userId": ..., "amount": "nonsense"},
    ],
)
def test_a_wrong_login_is_one_and_the_same_4(changes: dict[str, Any]) -> None:
    """R7: whatever else is wrong with the body; a token in the URL does not count."""
    sent = Said("/charge", body({**MONEY, **changes}), "partner_id=demo&token=demo-token")
    assert ask(DOOR, sent, world()) == Answer(200, WRONG_LOGIN)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": b""},
        {"body": b"[]"},
        {"body": CHARGE.body + b"}"},
        {"body": CHARGE.body.replace(b"{", b'{"uuid":"u-1",')},
        {"body": CHARGE.body.replace(b"{", b'{"UUID":"u-2",')},
        {"body": CHARGE.body.replace(b"tester", b"t\xff")},
        {"content_type": "text/plain"},
        {"content_type": ""},
    ],
)
def test_an_unreadable_body_is_7(changes: dict[str, Any]) -> None:
    assert ask(DOOR, replace(CHARGE, **changes), world()) == Answer(200, UNREADABLE)


def test_only_post_is_allowed() -> None:
    answer = ask(DOOR, replace(CHARGE, method="GET"), world())
    assert isinstance(answer, Answer)
    assert (answer.status, told(answer)["error"], answer.headers) == (405, "1", (("Allow", "POST"),))


def test_no_verdict_is_503_with_error_1() -> None:
    outcome = ask(DOOR, CHARGE, world())
    assert isinstance(outcome, Question)
    assert outcome.answer(None) == Answer(
        503,
        b'{"error":"1","description":"Temporarily unavailable, send the same request again"}',
        (("Retry-After", "1"),),
    )


@pytest.mark.parametrize(
    ("status", "told_as", "code"),
    [
        *((status, 200, "7") for status in (400, 408, 413, 415, 431)),
        *((status, 200, "4") for status in (401, 403)),
        *((status, status, "1") for status in (404, 405, 500, 503)),
    ],
)
def test_the_server_s_own_failures_have_the_door_s_shape(status: int, told_as: int, code: str) -> None:
    failure = json.loads(DOOR.reject(status))
    assert (DOOR.status(status), list(failure), failure["error"]) == (told_as, ["error", "description"], code)


def test_nothing_tells_a_token() -> None:
    desk = funded("tester")
    for token in ("demo-token", "s3cret"):
        outcome = ask(DOOR, called("charge", **MONEY, token=token), world())
        assert token not in repr(outcome)
    answered(desk, "charge", **MONEY)
    assert "demo-token" not in repr(desk.book.appended)


def test_every_refusal_that_can_occur_has_a_code_and_every_code_can_occur() -> None:
    assert {verdict for endpoint in ENDPOINTS for verdict in endpoint.refusals} == set(REFUSALS)
    assert set(WRONG) == set(Wrong)


anything = st.none() | st.text() | st.integers() | st.floats() | st.lists(st.text())


@given(st.dictionaries(st.sampled_from([*GOOD, "TOKEN", "start", "x"]), anything), st.sampled_from(REQUESTS))
def test_no_fields_raise(changes: dict[str, Any], request_: Any) -> None:
    ask(DOOR, Said(f"/{request_[0]}", packed({**GOOD, **changes})), world())


@given(st.binary(max_size=120), st.text(max_size=40))
def test_no_bytes_raise(sent: bytes, path: str) -> None:
    DOOR.find(path)
    outcome = ask(DOOR, replace(CHARGE, body=sent), world())
    assert isinstance(outcome, Answer)
    assert outcome.status == 200
