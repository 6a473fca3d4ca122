"""What is no verdict: each door tells it in its own shape, and it leaves nothing behind (R7)."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest

from tests.support.rig import DEFAULT, House, add_connections, connection, new_id, secret
from tests.support.server import PLAY, Answer, Call, Partner, new_uuid, packed

VERBS = ("create", "create_wallet", "info", "balance", "charge", "refund")
FIELDS = {"id": "nobody", "name": "x", "currency": "USD", "amount": "1.0", "uuid": ""}
JSON = "application/json"
LIMIT = 16 * 1024

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "a space": b" ",
    "no JSON": b"id=x&amount=1",
    "XML": b"<refund/>",
    "half an object": b'{"id":"x"',
    "two objects": b"{}{}",
    "an array": b"[]",
    "text": b'"x"',
    "a number": b"1",
    "null": b"null",
    "true": b"true",
    "no UTF-8": b'{"id":"\xff"}',
    "overlong UTF-8": b'{"id":"\xc0\xaf"}',
    "UTF-16": '{"id":"x"}'.encode("utf-16"),
    "compressed": gzip.compress(b"{}"),
    "NaN": b'{"amount":NaN}',
    "a raw control character": b'{"id":"a\x01"}',
    "single quotes": b"{'id':'x'}",
    "a comma too many": b'{"id":"x",}',
    "a comment": b'{"id":"x"/**/}',
    "a leading zero": b'{"amount":01}',
    "a name twice": b'{"id":"x","id":"y"}',
    "half a surrogate": b'{"id":"\\ud800"}',
    "too deep": b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "too deep, of objects": b'{"x":' * 2000 + b"1" + b"}" * 2000,
}


READ: dict[str, bytes] = {
    "a byte order mark": b'\xef\xbb\xbf{"id":"x"}',
    "a name twice, inside": b'{"x":[{"a":1,"\\u0061":2}]}',
}
"""Read as far as anything in it is needed: then fields are missing."""


def failed(answer: Answer, status: int, code: int, uuid: str = "") -> None:
    """The transfer door's shape."""
    assert answer.status == status, answer
    said = answer.body
    assert list(said) == ["status", "uuid", "code", "reason"]
    assert (said["status"], said["uuid"], said["code"]) == ("Failed", uuid, code)
    assert answer.headers["content-type"] == JSON


def error(answer: Answer, status: int, code: int) -> None:
    """The seamless door's shape."""
    assert answer.status == status, answer
    said = answer.body
    assert int(said["error"]) == code
    assert said["description"]
    assert set(said) <= {"error", "description", "reference"}
    assert answer.headers["content-type"] == JSON


# -- the transfer door --


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_body_is_400_on_the_transfer_door(house: House, name: str) -> None:
    failed(house.send(house.partner.call("refund", UNREADABLE[name])), 400, 11)


@pytest.mark.parametrize("name", READ)
def test_a_body_is_read_as_far_as_it_is_needed(house: House, name: str) -> None:
    """R56."""
    failed(house.send(house.partner.call("refund", READ[name])), 200, 1)
    error(house.send(house.game().call("Bet", READ[name])), 200, 7)


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_partner_and_a_wrong_token_get_one_and_the_same_answer(house: House, verb: str) -> None:
    body = packed({**FIELDS, "uuid": new_uuid()})
    strangers = [
        *(Partner(house.partner.id, token) for token in ("wrong", "", house.partner.token + "x", "x" * 3000)),
        *(Partner(id_, house.partner.token) for id_ in ("stranger", "", house.partner.id.upper())),
        Partner(house.partner.id, house.partner.token.upper()),
        Partner(house.partner.id, "%zz"),
    ]
    answers = [house.send(partner.call(verb, body)) for partner in strangers]
    failed(answers[0], 401, 8, json.loads(body)["uuid"])
    assert {(answer.status, answer.raw) for answer in answers} == {(401, answers[0].raw)}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?partner_id={p}",
        "?token={t}",
        "?partner_id={p}&token={t}&token={t}",
        "?partner_id={p}&Token={t}",
        "?partner_id={p}&partner_id={p}&token={t}",
        "?partner_id={p}&token={t}%20",
        "?partner_id={p};token={t}",
    ],
)
def test_a_query_without_both_once_is_401(house: House, query: str) -> None:
    uuid = new_uuid()
    target = "/user/info" + query.format(p=house.partner.id, t=house.partner.token)
    failed(house.send(Call(target, packed({"id": "x", "uuid": uuid}))), 401, 8, uuid)


def test_a_query_may_be_escaped_and_hold_more(house: House) -> None:
    id_, token = house.partner
    escaped = "".join(f"%{ord(letter):02x}" for letter in token)
    path = f"/user/info?x=1&token={escaped}&partner_id={id_}&y"
    assert house.send(Call(path, packed({"id": "x", "uuid": new_uuid()}))).code == 4


def test_a_token_in_the_authorization_header_moves_money(house: House) -> None:
    """An addition to edition 3. A token in the query wins, and nothing moves without a right one."""
    partner, server = house.partner, house.server
    user, query = house.player("5.0"), f"?partner_id={partner.id}"

    def charged(query: str, token: str) -> int:
        body = packed({"id": user, "currency": "USD", "amount": "1.0", "uuid": new_uuid()})
        path = f"/user/charge{query}"
        return server.request("POST", path, body, Content_Type=JSON, Authorization=f"Bearer {token}").status

    assert charged(query, partner.token) == 200
    assert charged(query, "wrong") == 401
    assert charged(query, f"{partner.token}, Bearer {partner.token}") == 401
    assert charged(f"{query}&token=wrong", partner.token) == 401
    assert house.balance(user) == "6.0"


def test_an_unreadable_body_with_a_wrong_token_is_401(house: House) -> None:
    """Who may not ask is not told how."""
    failed(house.send(Partner(house.partner.id, "wrong").call("refund", b"{")), 401, 8)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405_with_allow_on_the_transfer_door(house: House, verb: str, method: str) -> None:
    answer = house.server.request(method, house.partner.call(verb, b"").path, b"{}", content_type=JSON)
    failed(answer, 405, 11)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "kind", ["text/plain", "", "application/x-www-form-urlencoded", "application/json5", "text/json"]
)
def test_another_content_type_is_415_on_the_transfer_door(house: House, kind: str) -> None:
    call = house.partner.call("balance", {**FIELDS, "uuid": new_uuid()})
    failed(house.server.request("POST", *call, content_type=kind), 415, 11)


def test_no_content_type_is_415(house: House) -> None:
    call = house.partner.call("balance", {**FIELDS, "uuid": new_uuid()})
    failed(house.server.request("POST", *call), 415, 11)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"]
)
def test_a_charset_is_fine(house: House, kind: str) -> None:
    call = house.partner.call("info", {"id": "nobody", "uuid": new_uuid()})
    assert house.server.request("POST", *call, content_type=kind).code == 4


def test_a_body_past_16_KiB_is_413_on_the_transfer_door(house: House) -> None:
    body = packed({**FIELDS, "uuid": new_uuid()})
    fits = house.send(house.partner.call("balance", body + b" " * (LIMIT - len(body))))
    assert fits.code == 4
    failed(house.send(house.partner.call("balance", body + b" " * (LIMIT - len(body) + 1))), 413, 11)


@pytest.mark.parametrize(
    "path", ["/user/", "/user/Refund", "/user/refund/", "/user/rollback", "/user/refund/x"]
)
def test_an_unknown_verb_is_404_in_the_transfer_doors_shape(house: House, path: str) -> None:
    failed(house.server.request("POST", path, b"{}", content_type=JSON), 404, 11)


# -- the seamless door --


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_body_is_200_with_7_on_the_seamless_door(house: House, name: str) -> None:
    error(house.send(house.game().call("Bet", UNREADABLE[name])), 200, 7)


@pytest.mark.parametrize("method", PLAY)
def test_every_methods_refusals_of_the_unreadable_have_its_own_shape(house: House, method: str) -> None:
    """Refund's code is text, Cancel's answer carries a reference."""
    for call in (
        house.game().call(method, b"{"),
        house.game().call(method, b"{}"),
        Call(f"/x/V4/{method}", b"{"),
    ):
        answer = house.send(call)
        error(answer, 200, 4 if call.path.startswith("/x/") else 7)
        assert type(answer.body["error"]) is (str if method == "Refund" else int)
        assert ("reference" in answer.body) == (method == "Cancel")


@pytest.mark.parametrize("kind", ["text/plain", ""])
def test_another_content_type_is_7_on_the_seamless_door(house: House, kind: str) -> None:
    call = house.game().refund("nobody", new_id("b"))
    error(house.server.request("POST", *call, content_type=kind), 200, 7)


def test_a_body_past_16_KiB_is_7_on_the_seamless_door(house: House) -> None:
    call = house.game().refund("nobody", new_id("b"))
    fits = house.send(call._replace(body=call.body + b" " * (LIMIT - len(call.body))))
    error(fits, 200, 100)
    error(house.send(call._replace(body=call.body + b" " * (LIMIT - len(call.body) + 1))), 200, 7)


@pytest.mark.parametrize("method", ["Refund", "Cancel"])
def test_a_body_past_16_KiB_is_answered_in_the_methods_own_shape(house: House, method: str) -> None:
    """As any other body that cannot be read: code as text on Refund, a reference on Cancel."""
    unreadable = house.send(house.game().call(method, b"{"))
    answer = house.send(house.game().call(method, b"{" + b" " * LIMIT + b"}"))
    assert (answer.status, answer.raw) == (200, unreadable.raw)


@pytest.mark.parametrize("method", PLAY)
@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
def test_another_method_is_405_with_allow_on_the_seamless_door(house: House, method: str, verb: str) -> None:
    answer = house.server.request(verb, house.game().path + "/V4/" + method, b"{}", content_type=JSON)
    error(answer, 405, 100)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("tail", ["/V4/Rollback", "/V4/", "/V4/Refund/", "/V4/Refund/x"])
@pytest.mark.parametrize("keyed", [True, False])
def test_an_unknown_method_is_404_in_the_seamless_doors_shape(house: House, tail: str, keyed: bool) -> None:
    path = (house.game().path if keyed else "") + tail
    error(house.server.request("POST", path, b"{}", content_type=JSON), 404, 100)


def test_a_connection_of_an_address_that_may_not_call_is_4(own_house: House) -> None:
    """Its networks are part of the connection: nothing tells an intruder that the key is right."""
    keys = {"right": secret("key"), "wrong": secret("key")}
    made = [
        connection(own_house.partner.id, keys["right"], DEFAULT, ["127.0.0.0/8", "::1/128"]),
        connection(own_house.partner.id, keys["wrong"], DEFAULT, ["203.0.113.0/24"]),
    ]
    asyncio.run(add_connections(own_house.db, *made))
    with own_house.server:
        answers = {name: own_house.send(_check(own_house, key)) for name, key in keys.items()}
        nobody = own_house.send(_check(own_house, "no-such-key"))
    assert answers["right"].code == 100
    assert answers["wrong"].raw == nobody.raw


def _check(house: House, key: str) -> Call:
    call = house.game().play("Check", "nobody")
    return call._replace(path=f"/{key}/V4/Check")


# -- elsewhere --


@pytest.mark.parametrize(
    "path", ["/x", "/V5/Refund", "/user", "//user/refund", "/a/b/V4/Refund", "/%75ser/refund"]
)
def test_elsewhere_is_404(house: House, path: str) -> None:
    answer = house.server.request("POST", path, b"{}", content_type=JSON)
    assert answer.status == 404
    assert answer.body


def test_health_and_metrics_are_told(house: House) -> None:
    health = house.server.request("GET", "/healthz")
    assert (health.status, health.body["status"]) == (200, "ok")
    metrics = house.server.request("GET", "/metrics")
    assert metrics.status == 200
    assert b"caisse_http_requests_total" in metrics.raw
    assert house.server.request("POST", "/healthz").status == 405


# -- R7: nothing is left behind --


def bad_calls(house: House) -> list[tuple[str, Call, dict[str, Any]]]:
    """(method, call, headers) of what cannot be read or may not ask: each of a player that exists."""
    user = house.player()
    game, partner, stranger = house.game(), house.partner, Partner(house.partner.id, "wrong")
    reference, json_ = new_id("b"), {"content_type": JSON}
    calls: list[tuple[str, Call, dict[str, Any]]] = []
    for body in (*UNREADABLE.values(), *READ.values()):
        calls += [("POST", partner.call(verb, body), json_) for verb in VERBS]
        calls += [("POST", game.call(method, body), json_) for method in PLAY]
    for spell in (partner.charge, partner.refund):
        calls += [("POST", spell(user, amount), json_) for amount in ("0", "-1", "1e2", "x", None)]
        calls += [("POST", spell(user, "1.0", uuid=uuid), json_) for uuid in ("x", " ", "0" * 32)]
        calls += [("POST", spell(user, "1.0", currency=c), json_) for c in ("QQQQQ", "", 7)]
    good = [
        partner.charge(user),
        partner.refund(user),
        partner.wallet(user, "EUR"),
        partner.create(new_id("p")),
    ]
    for call in good:
        calls += [("GET", call, json_), ("POST", call, {}), ("POST", call, {"content_type": "text/plain"})]
        calls += [("POST", Call(call.path.replace("token=", "token=x"), call.body), json_)]
        calls += [("POST", Call(call.path.split("?")[0], call.body), json_)]
        calls += [("POST", Call(call.path, call.body + b" " * LIMIT), json_)]
    calls += [("POST", stranger.charge(user), json_)]
    plays = [
        *[game.bet(user, "1.0", reference, "r1"), game.refund(user, reference), game.cancel(user, reference)],
        *[game.play("EndRound", user), game.play("BonusWin", user), game.play("SessionExpired", user)],
    ]
    for call in plays:
        calls += [
            ("GET", call, json_),
            ("POST", call, {}),
            ("POST", Call("/x" + call.path, call.body), json_),
        ]
        calls += [("POST", Call(call.path.replace("/key", "/yek"), call.body), json_)]
        calls += [("POST", Call(call.path, call.body + b" " * LIMIT), json_)]
        calls += [("POST", Call(call.path, call.body.replace(b"luckymonaco", b"unlucky")), json_)]
        calls += [("POST", Call(call.path, call.body[:-1] + b',"USERID":"x"}'), json_)]
        calls += [("POST", Call(call.path, call.body.replace(b'"uuid"', b'"no"')), json_)]
    calls += [("POST", game.bet(user, amount, reference, "r1"), json_) for amount in ("-1", "1e2", "x", None)]
    calls += [("POST", game.bet(user, "1.0", ref, "r1"), json_) for ref in ("", "x" * 129, "a\u0000")]
    return calls


def test_R7_what_cannot_be_read_or_may_not_ask_leaves_nothing_behind(own_house: House) -> None:
    """But for its attempts, if somebody asked who may (R58).

    Looked at after an orderly end, so that nothing is still on its way to the tables.
    """
    server = own_house.server.start()
    calls = bad_calls(own_house)
    assert server.stop() == 0
    before = own_house.counts()
    server.start()
    for method, call, headers in calls:
        answer = server.request(method, *call, **headers)
        assert answer.status < 500, (call, answer)
        assert answer.status != 200 or answer.code in (1, 2, 4, 7, 10), (call, answer)
    assert server.stop() == 0
    after = own_house.counts()
    assert after.pop("attempt") > before.pop("attempt")
    assert after == before
