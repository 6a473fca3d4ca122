"""R1–R15 over HTTP: the transfer door's keys, amounts and refusals. Each case names its rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cases import (
    Case,
    bet,
    charge,
    create,
    freeze,
    info,
    of_other,
    play_case,
    play_once,
    read,
    refund,
    release,
    result,
    same_answers,
    seat,
    spelled,
    unkept,
    wallet,
    withdraw,
)
from tests.support.rig import House, new_id
from tests.support.server import Partner, new_uuid, number

ALL_BUT_AN_ATOM = "99999999999699.999999999999999999"
TOO_MUCH = "99999999999999.0"
ATOM = "0.000000000000000001"

CASES: dict[str, Case] = {
    "R1 a charge again": Case([(charge("50.0", "c"), 0), (charge("50.0", "c"), 0)], "350.0"),
    "R1 a refund again": Case([(withdraw("50.0", "w"), 0), (withdraw("50.0", "w"), 0)], "250.0"),
    "R1 a refund again, when the balance has changed": Case(
        [(withdraw("200.0", "w"), 0), (withdraw("100.0", "v"), 0), (withdraw("200.0", "w"), 0)], "0.0"
    ),
    "R1 a wallet again": Case([(wallet(), 0), (wallet(), 0)], "300.0"),
    "R1 a currency that is not in the table is 1, for good": Case(
        [(charge("5.0", "c", "QQQ"), 1), (wallet("QQQ"), 1), (charge("5.0", "c"), unkept(5))], "300.0"
    ),
    "R1 more decimals than the currency has is 1": Case(
        [
            *[(wallet("JPY"), 0), (charge("5.5", "c", "JPY"), 1), (charge("5", "d", "JPY"), 0)],
            (withdraw("0.5", "w", "JPY"), 0),
        ],
        "300.0",
    ),
    "R1 a key is looked up before the currency table": Case(
        [(charge("5.0", "c"), 0), (charge("5.0", "c", "QQQ"), unkept(5)), (charge("5.0", "c"), 0)], "305.0"
    ),
    "R1 money out of a wallet that is not there is 2": Case([(withdraw("5.0", "w", "QQQ"), 2)], "300.0"),
    "R2 a refusal for want of money stays": Case(
        [(withdraw("301.0", "w"), 3), (charge("10.0", "c"), 0), (withdraw("301.0", "w"), 3)], "310.0"
    ),
    "R2 a refusal for want of a wallet stays": Case(
        [
            *[(charge("5.0", "c", "EUR"), 2), (withdraw("5.0", "w", "EUR"), 2), (wallet("EUR"), 0)],
            *[(charge("5.0", "c", "EUR"), 2), (withdraw("5.0", "w", "EUR"), 2)],
            *[(charge("5.0", "c2", "EUR"), 0), (withdraw("5.0", "w2", "EUR"), 0)],
        ],
        "300.0",
    ),
    "R2 a refusal of a duplicate stays": Case(
        [(create(uuid="a"), 2), (wallet("USD", "b"), 2), (create(uuid="a"), 2), (wallet("USD", "b"), 2)],
        "300.0",
    ),
    "R2 a refusal of the frozen stays": Case(
        [(freeze, None), (withdraw("5.0", "w"), 6), (release, None), (withdraw("5.0", "w"), 6)], "300.0"
    ),
    "R3 a read claims no key": Case([(read("k"), 0), (info("k"), 0), (charge("5.0", "k"), 0)], "305.0"),
    "R3 a read under a used key reads": Case([(charge("5.0", "k"), 0), (read("k"), 0)], "305.0"),
    "R5 another amount": Case([(charge("5.0", "k"), 0), (charge("6.0", "k"), unkept(5))], "305.0"),
    "R5 another currency": Case(
        [(wallet(), 0), (charge("5.0", "k"), 0), (charge("5.0", "k", "EUR"), unkept(5))], "305.0"
    ),
    "R5 another player": Case(
        [(charge("5.0", "k"), 0), (of_other(charge("5.0", "k")), unkept(5))], "305.0"
    ),
    "R5 another verb": Case(
        [
            (charge("5.0", "k"), 0),
            (withdraw("5.0", "k"), unkept(5)),
            (wallet("EUR", "k"), unkept(5)),
            (create(uuid="k"), unkept(5)),
        ],
        "305.0",
    ),
    "R5 another name": Case([(create(uuid="k"), 2), (create(name="X", uuid="k"), unkept(5))], "300.0"),
    "R5 another wallet": Case([(wallet("EUR", "k"), 0), (wallet("BTC", "k"), unkept(5))], "300.0"),
    "R5 other content after a refusal": Case(
        [(withdraw("301.0", "k"), 3), (withdraw("1.0", "k"), unkept(5))], "300.0"
    ),
    "R5 the first verdict stands after other content": Case(
        [(charge("5.0", "k"), 0), (charge("6.0", "k"), unkept(5)), (charge("5.0", "k"), 0)], "305.0"
    ),
    "R8 other content claims no key": Case(
        [(charge("5.0", "k"), 0), (withdraw("5.0", "k"), unkept(5)), (withdraw("5.0", "l"), 0)], "300.0"
    ),
    "R10 the balance covers it": Case([(withdraw("299.999999999999999999", "w"), 0)], ATOM),
    "R10 the balance lacks an atom": Case([(withdraw("300.000000000000000001", "w"), 3)], "300.0"),
    "R10 never below zero": Case(
        [(withdraw("200.0", "w"), 0), (withdraw("200.0", "v"), 3), (withdraw("100.0", "u"), 0)], "0.0"
    ),
    "R11 the whole balance": Case([(withdraw("300.0", "w"), 0), (withdraw(ATOM, "v"), 3)], "0.0"),
    "R13 up to 14 digits": Case([(charge(ALL_BUT_AN_ATOM, "c"), 0)], "99999999999999.999999999999999999"),
    "R13 not past 14 digits": Case(
        [(charge(ALL_BUT_AN_ATOM, "c"), 0), (charge(ATOM, "d"), 7), (withdraw(ATOM, "w"), 0)],
        "99999999999999.999999999999999998",
    ),
    "R13 the refused charge stays refused": Case(
        [(charge(TOO_MUCH, "c"), 7), (withdraw("300.0", "w"), 0), (charge(TOO_MUCH, "c"), 7)],
        "0.0",
    ),
    "R13 a win is paid past 14 digits": Case(
        [(charge(ALL_BUT_AN_ATOM, "c"), 0), (bet(ATOM), 0), (result("99999999999999.0"), 0)],
        "199999999999998.999999999999999998",
    ),
    "R13 a rollback is paid past 14 digits": Case(
        [(bet("200.0"), 0), (charge("99999999999899.0", "c"), 0), (refund(), 0)], "100000000000199.0"
    ),
    "R13 18 decimals add up exactly": Case(
        [(charge("0.1", "a"), 0), (charge("0.2", "b"), 0), (charge("0.000000000000000003", "c"), 0)],
        "300.300000000000000003",
    ),
    "R14 bets and transfers on one wallet": Case(
        [(bet("100.0"), 0), (withdraw("150.0", "w"), 0), (result("5.5"), 0), (withdraw("60.0", "v"), 3)],
        "55.5",
    ),
    "R15 the frozen can be charged": Case([(freeze, None), (charge("5.0", "c"), 0)], "305.0"),
    "R15 the frozen cannot withdraw": Case([(freeze, None), (withdraw("5.0", "w"), 6)], "300.0"),
    "R15 the frozen cannot bet": Case([(freeze, None), (bet(), 6)], "300.0"),
    "R15 the frozen are paid and refunded": Case(
        [(bet(), 0), (bet("20.0", "b2", "r2"), 0), (freeze, None), (result(), 0), (refund("b2"), 0)],
        "315.0",
    ),
    "R15 the released can withdraw": Case(
        [(freeze, None), (release, None), (withdraw("5.0", "w"), 0)], "295.0"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_rules_of_the_transfer_door(house: House, name: str) -> None:
    play_case(house, CASES[name])


# -- R1 across spellings: what is the same request --


@pytest.mark.parametrize("amount", ["5", "5.0", "5.00", "5.000000000000000000", number("5"), number("5.00")])
@pytest.mark.parametrize("currency", ["USD", "usd", "Usd"])
def test_R5_content_is_compared_after_parsing(house: House, amount: Any, currency: str) -> None:
    user, uuid = house.player(), new_uuid()
    first = house.told(house.partner.charge(user, "5.0", uuid))
    again = house.told(house.partner.charge(user, amount, uuid, currency))
    assert again.raw == first.raw
    assert house.balance(user) == "305.0"


@pytest.mark.parametrize(
    "names", ["id currency amount uuid", "ID CURRENCY AMOUNT UUID", "Id currenCy aMount Uuid"]
)
@pytest.mark.parametrize("extra", [{}, {"extra": 1, "session": {"a": [None, 1.5]}}], ids=["plain", "extra"])
def test_R1_a_repeat_spelled_otherwise_gets_the_same_bytes(
    house: House, names: str, extra: dict[str, Any]
) -> None:
    user, uuid = house.player(), new_uuid()
    first = house.told(house.partner.charge(user, "5.0", uuid))
    body = dict(zip(names.split(), (user, "USD", "5.0", uuid), strict=True))
    assert house.told(house.partner.call("charge", {**extra, **body})).raw == first.raw


def test_R3_keys_are_within_the_partner(house: House) -> None:
    uuid, users = new_uuid(), []
    for partner in (house.partner, house.spare().partner):
        user = house.player("10.0", partner=partner, user="both")
        house.told(partner.charge(user, "5.0", uuid))
        users.append(house.balance(user, partner=partner))
    assert users == ["15.0", "15.0"]


def test_R3_a_partner_sees_only_its_own_players(house: House) -> None:
    user, stranger = house.player(), house.spare().partner
    for call in (stranger.info(user), stranger.balance(user), stranger.charge(user), stranger.refund(user)):
        assert house.send(call).code == 4
    assert house.balance(user) == "300.0"


# -- R12 and the types of the other fields --

NO_AMOUNTS: list[Any] = [
    *["0", "0.0", "0.000000000000000000", "-1", "+1", "1e2", "1E2", "abc", "", " 1", "1 ", "1.", ".5", "01"],
    *["1_0", "1,0", "0x10", "NaN", "Infinity", "-0", "\u0661", "\uff11", "1\u0000", "9" * 5000],
    *["100000000000000", "100000000000000.0", "1.0000000000000000001", "1" + "0" * 40],
    *[number(text) for text in ("0", "0.0", "-1", "-0", "-0.0", "1e2", "1E+2", "1e-2", "100000000000000")],
    *[number("1.0000000000000000001"), number("9" * 400), None, True, [], ["1"], {}, {"a": 1}, ...],
]


@pytest.mark.parametrize("verb", ["charge", "refund"])
@pytest.mark.parametrize("amount", NO_AMOUNTS, ids=spelled)
def test_R12_no_amount_is_an_invalid_parameter_before_any_state_is_read(
    house: House, verb: str, amount: Any
) -> None:
    """For an unknown player too."""
    fields = {"id": "nobody", "currency": "USD", "amount": amount, "uuid": new_uuid()}
    answer = house.send(house.partner.call(verb, fields))
    assert (answer.status, answer.body["code"], answer.body["reason"]) == (200, 1, "Invalid Parameter")
    assert answer.body["uuid"] == fields["uuid"]


AMOUNTS: list[tuple[Any, str]] = [
    *[("200", "200.0"), ("200.00", "200.0"), ("0.05", "0.05"), ("0.050", "0.05"), (ATOM, ATOM)],
    *[("99999999999999.999999999999999999", "99999999999999.999999999999999999"), ("1023", "1023.0")],
    *[(number("200"), "200.0"), (number("200.0"), "200.0"), (number("0.1"), "0.1"), (number(ATOM), ATOM)],
    *[(number("99999999999999.999999999999999999"), "99999999999999.999999999999999999")],
    (number("0.100000000000000005"), "0.100000000000000005"),
]


@pytest.mark.parametrize(("amount", "shown"), AMOUNTS, ids=spelled)
def test_R13_an_amount_keeps_every_digit_on_its_way(house: House, amount: Any, shown: str) -> None:
    user = house.player("")
    said = house.told(house.partner.charge(user, amount)).body
    assert (said["amount"], said["balance"]) == (shown, shown)
    said = house.told(house.partner.refund(user, amount)).body
    assert (said["amount"], said["balance"]) == (shown, "0.0")


BAD_FIELDS: dict[str, list[Any]] = {
    "id": [..., None, "", -7, 7.5, True, [], {}, "x" * 33, "a\u0000b", "a\nb", "\u007f"],
    "currency": [..., None, "", "US", "USDTX", "U$D", 840, "\u0430ud", "us d"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n in BAD_FIELDS for v in BAD_FIELDS[n]], ids=spelled)
def test_a_bad_field_is_an_invalid_parameter(house: House, name: str, value: Any) -> None:
    fields = {"id": "nobody", "currency": "USD", "amount": "1.0", "uuid": new_uuid(), name: value}
    answer = house.send(house.partner.call("refund", fields))
    assert (answer.status, answer.body["code"]) == (200, 1)
    assert answer.body["uuid"] == fields["uuid"]


@pytest.mark.parametrize("name", [..., None, "", 7, "x" * 33, "a\tb"], ids=spelled)
def test_a_bad_name_is_an_invalid_parameter(house: House, name: Any) -> None:
    user = new_id("p")
    assert house.send(house.partner.call("create", {"id": user, "name": name, "uuid": new_uuid()})).code == 1
    assert house.send(house.partner.info(user)).code == 4


@pytest.mark.parametrize(
    "user", ["x" * 31, "\u00e9\u6f22\U0001f600", "a'b\"c", "a b", "%00", "--;", "\\", "."]
)
def test_a_user_id_is_kept_exactly_as_sent(house: House, user: str) -> None:
    user = user if len(user) > 30 else new_id("")[1:9] + user
    house.player("1.0", user=user)
    assert house.balance(user) == "1.0"
    for other in {user + " ", user.upper(), user.swapcase()} - {user}:
        if len(other) <= 32:
            assert house.send(house.partner.info(other)).code == 4


TWO_SPELLINGS = [
    b'{"id":"a","ID":"b","currency":"USD","uuid":"%b"}',
    b'{"id":"a","id":"a","currency":"USD","uuid":"%b"}',
    b'{"id":"a","currency":"USD","uuid":"%b","Currency":"EUR"}',
]
ONE_VALUE = [
    b'{"id":"a","ID":"a","currency":"USD","uuid":"%b"}',
    b'{"id":"a","currency":"USD","uuid":"%b","Currency":"usd"}',
    b'{"id":"a","currency":"USD","uuid":"%b","x":{"y":1,"y":2}}',
]


@pytest.mark.parametrize("body", TWO_SPELLINGS)
def test_a_field_that_is_spelled_twice_is_refused(house: House, body: bytes) -> None:
    answer = house.send(house.partner.call("balance", body % new_uuid().encode()))
    assert (answer.status, answer.body["status"], answer.body["code"]) == (400, "Failed", 11)


@pytest.mark.parametrize("body", ONE_VALUE)
def test_R56_two_spellings_that_say_the_same_do_no_harm(house: House, body: bytes) -> None:
    """Nor does what is not read at all."""
    assert house.send(house.partner.call("balance", body % new_uuid().encode())).code == 4


# -- R1 over the life of a server --


def test_R1_after_a_restart_every_answer_is_the_same_to_the_byte(own_house: House) -> None:
    server = own_house.server.start()
    played = [p for case in CASES.values() for p in play_once(seat(own_house, case.profile), case)]
    before = own_house.counts()["journal"]
    server.kill()
    server.start()
    same_answers(own_house, played)
    assert server.stop() == 0
    server.start()
    same_answers(own_house, played)
    assert own_house.counts()["journal"] == before
    own_house.audit()


@pytest.mark.parametrize("bad", ["amount", "uuid", "currency"])
def test_R7_an_unreadable_request_claims_no_key(house: House, bad: str) -> None:
    user, uuid = house.player(), new_uuid()
    fields = {"id": user, "currency": "USD", "amount": "5.0", "uuid": uuid}
    assert house.send(house.partner.call("charge", {**fields, bad: "?"})).code == 1
    house.told(house.partner.call("charge", fields))
    assert house.balance(user) == "305.0"


def test_R7_a_wrong_token_claims_no_key(house: House) -> None:
    user, uuid = house.player(), new_uuid()
    stranger = Partner(house.partner.id, "wrong")
    assert house.send(stranger.charge(user, "5.0", uuid)).status == 401
    assert house.told(house.partner.charge(user, "5.0", uuid)).body["balance"] == "305.0"
