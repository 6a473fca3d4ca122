"""The seamless door, edition 3: every refusal, and what could not be heard (wire.md 4)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.currencies.table import DEFAULT, with_overrides
from caisse.dialects.seamless_v3.table import ENDPOINTS, WORDS, WRONG
from caisse.dialects.wire.door import Answer, Question
from caisse.dialects.wire.values import Wrong
from tests.dialects.test_seamless_v3 import DOOR, PLAYED, QUERY, REQUESTS, answered, called, said
from tests.support.harness import KEY, Desk, Said, ask, asked, connection, funded, packed, play_body, uuid
from tests.support.harness import world as world_


def refusals() -> Desk:
    """421 has an open bet, a settled one, an ended round, another's round and an expired session."""
    desk = funded("421", "7", "frozen", amount="100.0")
    desk.transfer("create_wallet", {"id": "421", "currency": "EUR", "uuid": uuid(2000)})
    desk.freeze("frozen")
    for verb, changes in (
        ("bet", {"id": "open"}),
        ("bet", {"id": "settled"}),
        ("win", {"id": "settled"}),
        ("win", {"id": "ended", "bonus": "b", "is_end_round": "ok", "uuid": "u-2"}),
        ("bet", {"id": "foreign", "userid": "7"}),
        ("cancel", {"id": "early"}),
    ):
        assert said(desk, verb, **changes)["status"] == "OK", (verb, changes)
    desk.play("SessionExpired", play_body("SessionExpired", sessionId="s-expired"))
    return desk


GIVEN: list[tuple[str, dict[str, Any], str, str]] = [
    ("check", {"userid": "nobody"}, "USER_NOT_FOUND", "R8"),
    ("check", {"currency": "GBP"}, "WALLET_NOT_FOUND", "R40"),
    ("check", {"currency": "ZZZ"}, "WALLET_NOT_FOUND", "R1"),
    ("balance", {"currency": "ZZZ"}, "WALLET_NOT_FOUND", "R1"),
    ("check", {"sid": "s-expired"}, "SESSION_EXPIRED", "R47"),
    ("balance", {"userid": "nobody"}, "USER_NOT_FOUND", "R8"),
    ("balance", {"currency": "GBP"}, "WALLET_NOT_FOUND", "R40"),
    ("bet", {"userid": "nobody"}, "USER_NOT_FOUND", "R8"),
    ("bet", {"id": "open", "amount": "11"}, "TRANSACTION_CONFLICT", "R5"),
    ("bet", {"id": "early"}, "BET_CANCELLED", "R23"),
    ("bet", {"id": "foreign"}, "TRANSACTION_CONFLICT", "R5: the round has one bet, and it is another's"),
    ("bet", {"id": "ended"}, "ROUND_ENDED", "R47"),
    ("bet", {"sid": "s-expired"}, "SESSION_EXPIRED", "R47"),
    ("bet", {"currency": "GBP"}, "WALLET_NOT_FOUND", "R40"),
    ("bet", {"currency": "ZZZ"}, "INVALID_CURRENCY", "R1: behind the look-up"),
    ("bet", {"currency": "JPY", "amount": "1.5"}, "INVALID_AMOUNT", "R1: behind the look-up"),
    ("bet", {"id": "open", "currency": "ZZZ"}, "TRANSACTION_CONFLICT", "R5 before the currency table"),
    ("bet", {"userid": "frozen"}, "USER_FROZEN", "R15"),
    ("bet", {"gameid": "off"}, "GAME_DISABLED", "R30"),
    ("bet", {"amount": "100.5"}, "INSUFFICIENT_FUNDS", "R46"),
    ("win", {"userid": "nobody"}, "USER_NOT_FOUND", "R8"),
    ("win", {"id": "foreign"}, "BET_NOT_FOUND", "R40, R41: rounds are the player's own"),
    ("win", {"id": "open", "currency": "EUR"}, "WALLET_NOT_FOUND", "R8: the round is in USD"),
    ("win", {"id": "open", "currency": "ZZZ"}, "WALLET_NOT_FOUND", "R8"),
    ("win", {"id": "open", "currency": "DOLLARS"}, "INVALID_PARAMETER", "R56"),
    ("win", {"id": "r9"}, "BET_NOT_FOUND", "R41"),
    ("win", {"id": "r9", "currency": "GBP", "bonus": "b"}, "WALLET_NOT_FOUND", "R40"),
    ("cancel", {"userid": "nobody"}, "USER_NOT_FOUND", "R22"),
    ("cancel", {"id": "foreign"}, "INVALID_TRANSACTION", "R28"),
    ("cancel", {"id": "early", "userid": "7"}, "TRANSACTION_CONFLICT", "R5"),
    ("cancel", {"id": "open", "amount": "10.5"}, "INVALID_AMOUNT", "R25"),
    ("cancel", {"id": "open", "amount": 0}, "INVALID_AMOUNT", "R25"),
    ("cancel", {"id": "open", "amount": "ten"}, "INVALID_PARAMETER", "R56"),
    ("cancel", {"id": "settled"}, "BET_SETTLED", "R26"),
]


@pytest.mark.parametrize(("verb", "changes", "word", "rule"), GIVEN)
def test_every_refusal_by_the_rules_has_its_word(
    verb: str, changes: dict[str, Any], word: str, rule: str
) -> None:
    """HTTP 200, `status` and `uuid` only."""
    desk = refusals()
    desk.where = world_(connection(disabled_games=frozenset({"off"})))
    answer = answered(desk, verb, **{**changes, "uuid": "u-9"})
    assert answer == Answer(200, f'{{"status":"{word}","uuid":"u-9"}}'.encode()), rule


def test_a_cancel_gives_back_the_bet_s_currency_whatever_it_names() -> None:
    """R25, R56: the stored bet is the truth."""
    desk = refusals()
    before = desk.book.players["demo", "421"].wallets["USD"]
    assert said(desk, "cancel", id="open", currency="ZZZ", uuid="u-9")["status"] == "OK"
    assert desk.book.players["demo", "421"].wallets["USD"] == before + 10 * UNIT


def test_a_refused_currency_stays_refused_and_a_done_bet_stays_done() -> None:
    """R1, R2: after the currency table changed, both ways."""
    desk = funded("421")
    on, off = desk.where, world_()
    object.__setattr__(off, "currencies", with_overrides(DEFAULT, [{"code": "USD", "enabled": False}]))
    done = answered(desk, "bet")
    desk.where = off
    assert answered(desk, "bet") == Answer(200, done.body[:-1] + b',"retransmission":true}')
    assert said(desk, "bet", id="r2")["status"] == "INVALID_CURRENCY"
    assert said(desk, "win", amount="5.0", uuid="u-2")["balance"] == "295.0"
    desk.where = on
    assert said(desk, "bet", id="r2")["status"] == "INVALID_CURRENCY"
    assert said(desk, "balance")["balance"] == "295.0"


NO_TRANSACTIONS: list[Any] = [..., None, "r1", [], {}, [{"id": "r1"}]]
NO_AMOUNTS: list[Any] = ["", "-1", -1, "1e3", "01", "1" * 15, True, []]
NO_IDS: list[Any] = [..., None, "", -7, 5.0, 10**128, "x" * 129, "a\x00"]
BAD_FIELDS: list[tuple[str, dict[str, Any], str]] = [
    *(("bet", {name: ...}, "PARAMETER") for name in ("userid", "currency", "transaction")),
    *(("bet", {"transaction": bad}, "PARAMETER") for bad in NO_TRANSACTIONS),
    *(("bet", {"id": bad}, "PARAMETER") for bad in NO_IDS),
    ("bet", {"amount": ...}, "PARAMETER"),
    *(("bet", {"amount": bad}, "AMOUNT") for bad in NO_AMOUNTS),
    *(("check", {"currency": bad}, "PARAMETER") for bad in ("US", "USDTT", 840)),
    *(("cancel", {name: ...}, "PARAMETER") for name in ("userid", "id")),
]


@pytest.mark.parametrize(("verb", "changes", "word"), BAD_FIELDS)
def test_a_bad_field_has_its_word(verb: str, changes: dict[str, Any], word: str) -> None:
    """R7, R12: nothing is asked."""
    answer = ask(DOOR, called(verb, **dict(changes)), world_())
    assert answer == Answer(200, f'{{"status":"INVALID_{word}","uuid":"u-1"}}'.encode())


@pytest.mark.parametrize("bad", [..., None, "", 7, "é", "x" * 65])
def test_an_unreadable_uuid_is_answered_with_an_empty_one(bad: Any) -> None:
    answer = ask(DOOR, called("bet", uuid=bad), world_())
    assert answer == Answer(200, b'{"status":"INVALID_PARAMETER","uuid":""}')


@pytest.mark.parametrize(
    "empty", [{"is_end_round": ""}, {"is_end_round": None}, {"bonus": ""}, {"roundid": ""}]
)
def test_an_empty_optional_field_is_as_good_as_absent(empty: dict[str, Any]) -> None:
    assert asked(DOOR, called("win", **empty), world_()) == asked(DOOR, called("win"), world_())


BET = called("bet")
UNHEARD: list[tuple[dict[str, Any], int, str, str]] = [
    *(({"query": query}, 401, "UNAUTHORIZED", "u-1") for query in ("", "authToken=", "authToken=wrong")),
    ({"query": f"token={KEY}"}, 401, "UNAUTHORIZED", "u-1"),
    ({"query": f"AUTHTOKEN={KEY}"}, 401, "UNAUTHORIZED", "u-1"),
    ({"query": f"{QUERY}&{QUERY}"}, 401, "UNAUTHORIZED", "u-1"),
    ({"query": "", "body": b"nonsense"}, 401, "UNAUTHORIZED", ""),
    ({"method": "GET"}, 405, "BAD_REQUEST", ""),
    ({"content_type": "text/plain"}, 415, "BAD_REQUEST", ""),
    ({"body": b""}, 400, "BAD_REQUEST", ""),
    ({"body": b"[]"}, 400, "BAD_REQUEST", ""),
    ({"body": BET.body.replace(b"{", b'{"UserID":"422",', 1)}, 400, "BAD_REQUEST", ""),
    ({"body": BET.body.replace(b'"id"', b'"ID":"r2","id"')}, 400, "BAD_REQUEST", ""),
    ({"body": BET.body.replace(b'"id"', b'"id":"r1","id"')}, 400, "BAD_REQUEST", ""),
    ({"body": BET.body.replace(b"{", b'{"Transaction":{},', 1)}, 400, "BAD_REQUEST", ""),
    ({"body": BET.body.replace(b"{", b'{"Transaction":1,', 1)}, 400, "BAD_REQUEST", ""),
]


@pytest.mark.parametrize(("changes", "status", "word", "uuid_told"), UNHEARD)
def test_what_could_not_be_heard_has_its_own_status(
    changes: dict[str, Any], status: int, word: str, uuid_told: str
) -> None:
    """R7: no verdict, nothing implied."""
    answer = ask(DOOR, replace(BET, **changes), world_())
    assert isinstance(answer, Answer)
    assert answer[:2] == (status, f'{{"status":"{word}","uuid":"{uuid_told}"}}'.encode())


def test_a_field_of_the_transaction_does_not_stand_beside_it() -> None:
    sent = packed({**PLAYED, "transaction.id": "r2", "transaction": {"id": "r1", "amount": 10}})
    assert asked(DOOR, Said("/seamless/v3/bet", sent, QUERY), world_()) == REQUESTS[2][2]


def test_the_connection_s_networks_count() -> None:
    where = world_(connection(networks=("198.51.100.0/24",)))
    assert told_status(ask(DOOR, BET, where)) == 401
    assert isinstance(ask(DOOR, replace(BET, peer="198.51.100.7"), where), Question)


def told_status(outcome: Any) -> int:
    assert isinstance(outcome, Answer)
    return outcome.status


def test_no_verdict_is_503_with_the_request_s_uuid() -> None:
    unavailable = Answer(503, b'{"status":"TEMPORARY_ERROR","uuid":"u-1"}', (("Retry-After", "1"),))
    outcome = ask(DOOR, BET, world_())
    assert isinstance(outcome, Question)
    assert outcome.answer(None) == unavailable
    assert ask(DOOR, BET, world_(connection(profile="gone"))) == unavailable


@pytest.mark.parametrize(
    ("status", "word"), [(401, "UNAUTHORIZED"), (403, "FORBIDDEN"), (503, "TEMPORARY_ERROR")]
)
def test_the_server_s_own_failures_have_the_door_s_shape(status: int, word: str) -> None:
    assert json.loads(DOOR.reject(status)) == {"status": word, "uuid": ""}
    assert json.loads(DOOR.reject(413)) == {"status": "BAD_REQUEST", "uuid": ""}
    assert DOOR.status(status) == status


@pytest.mark.parametrize(
    "path", ["/", "", "/seamless/v3", "/seamless/v3/", "/seamless/v3/refund", "/v3/bet", "/x/seamless/v3/bet"]
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert DOOR.find(path) is None


def test_nothing_tells_the_token() -> None:
    assert KEY not in repr(ask(DOOR, BET, world_()))


def test_every_refusal_that_can_occur_has_a_word_and_every_word_can_occur() -> None:
    assert {verdict for endpoint in ENDPOINTS for verdict in endpoint.refusals} == set(WORDS)
    assert set(WRONG) == set(Wrong)


few = st.sampled_from
calls = st.tuples(
    few(["check", "balance", "bet", "win", "cancel"]),
    st.fixed_dictionaries(
        {},
        optional={
            "userid": few(["421", "7", "nobody"]),
            "id": few(["r1", "r2"]),
            "amount": few(["0", "10.0", "60"]),
            "uuid": few(["u-1", "u-2"]),
            "currency": few(["USD", "EUR"]),
            "gameid": few(["g1", "g2"]),
            "bonus": few(["b"]),
            "is_end_round": few(["ok"]),
        },
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(calls, max_size=25), few(["refuse", "absorb"]), few(["refuse", "return_stake"]))
def test_whatever_is_decided_can_be_told(sent: list[Any], late: Any, settled: Any) -> None:
    """Any order of calls: each refusal is one that its endpoint lists; R1: a repeat gets the first answer."""
    desk = funded("421", "7", amount="100.0").under(Policy(late_bet=late, settled_bet=settled))
    desk.freeze("7")
    for verb, changes in sent:
        first, again = (said(desk, verb, **dict(changes)) for _ in range(2))
        first.pop("retransmission", None)
        again.pop("retransmission", None)
        assert first == again


anything = st.none() | st.text() | st.integers() | st.floats() | st.dictionaries(st.text(), st.text())
names = st.sampled_from([*PLAYED, "Transaction", "transaction", "transaction.id", "roundid", "bonus"])


@given(st.dictionaries(names, anything), st.sampled_from(["check", "balance", "bet", "win", "cancel"]))
def test_no_fields_raise(changes: dict[str, Any], verb: str) -> None:
    ask(DOOR, called(verb, **changes), world_())


@given(st.binary(max_size=120), st.text(max_size=40), st.text(max_size=40))
def test_no_bytes_raise(sent: bytes, query: str, path: str) -> None:
    DOOR.find(path)
    for said_ in (replace(BET, body=sent), replace(BET, query=query)):
        assert told_status(ask(DOOR, said_, world_())) in (200, 400, 401)
