"""The seamless door, edition 4: who may call, what cannot be read, which path leads where (wire.md 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisse.dialects.wire.door import Answer, Question, Unauthorized
from tests.support.harness import (
    FULL,
    KEY,
    SEAMLESS,
    Said,
    ask,
    asked,
    connection,
    packed,
    play_body,
    played,
    told,
    world,
)

LOGIN_REFUSED = b'{"error":4,"description":"Login, key or address refused"}'


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"path": f"/{KEY}x/V4/Bet"}, world()),
        ({"path": "/V4/Bet"}, world()),
        ({}, world(connection(networks=("10.0.0.0/8",)))),
        ({}, world(connection(provider="other"))),
        ({"body": b"nonsense", "path": "/wrong/V4/Bet"}, world()),
    ],
)
def test_a_wrong_key_address_or_provider_is_error_4(changes: dict[str, Any], where: Any) -> None:
    """R33; HTTP 200, and whether the body could be read is not told."""
    answer = ask(SEAMLESS, replace(played("Bet"), **changes), where)
    assert answer == Answer(200, LOGIN_REFUSED)


def test_the_provider_is_compared_without_letter_case() -> None:
    """R33."""
    request = asked(SEAMLESS, played("Bet", play_body("Bet", providerId="LuckyMonaco")))
    assert request.provider == "luckymonaco"


def test_only_a_wrong_key_or_address_counts_as_a_guess() -> None:
    """R33. A wrong providerId under a right key has the same answer, but nobody tried a key: else a sender
    that spells a provider wrongly would be slowed as one who guesses. It is the type that tells, which `==`
    does not see.
    """
    wrong_key = ask(SEAMLESS, replace(played("Bet"), path="/wrong/V4/Bet"), world())
    elsewhere = ask(SEAMLESS, played("Bet"), world(connection(networks=("10.0.0.0/8",))))
    wrong_provider = ask(SEAMLESS, played("Bet", play_body("Bet", providerId="other")), world())
    assert wrong_key == elsewhere == wrong_provider == Answer(200, LOGIN_REFUSED)
    assert (type(wrong_key), type(elsewhere), type(wrong_provider)) == (Unauthorized, Unauthorized, Answer)


KEYLESS = connection(key_hash=b"", id="local")
HERE = replace(played("Bet"), path="/V4/Bet", peer="127.0.0.1", local=True)


def test_without_a_key_only_this_machine_itself_may_call() -> None:
    """A connection configured so, a server on loopback, a caller that the HTTP server found to be local."""
    where = world(connection(), KEYLESS)
    assert asked(SEAMLESS, HERE, where).user == "421"
    assert asked(SEAMLESS, replace(HERE, peer="::1"), where).user == "421"
    for sent, there in [
        (replace(HERE, local=False), where),
        (HERE, world(connection(), KEYLESS, loopback=False)),
        (HERE, world(connection())),
        (replace(HERE, body=packed(play_body("Bet", providerId="other"))), where),
    ]:
        assert ask(SEAMLESS, sent, there) == Answer(200, LOGIN_REFUSED)


def test_several_keyless_connections_are_told_apart_by_provider() -> None:
    second = connection(key_hash=b"", id="second", provider="second", partner="other")
    where = world(KEYLESS, second)
    assert asked(SEAMLESS, HERE, where).partner == "demo"
    body = packed(play_body("Bet", providerId=..., PROVIDERID="Second"))
    assert asked(SEAMLESS, replace(HERE, body=body), where).partner == "other"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"uuid":1,"uuid":1}', b'{"userId":"b1","USERID":"b2"}'])
def test_an_unreadable_body_is_error_7_with_http_200(body: bytes) -> None:
    shown = [("Bet", b'{"error":7'), ("Refund", b'{"error":"7"'), ("Cancel", b'{"reference":"","error":7')]
    for method, start in shown:
        answer = ask(SEAMLESS, played(method, body), world())
        assert answer == Answer(200, start + b',"description":"Unreadable request"}')
    no_json = ask(SEAMLESS, replace(played("Bet"), content_type="text/plain"), world())
    assert no_json == Answer(200, b'{"error":7,"description":"Unreadable request"}')


def test_another_method_is_405() -> None:
    answer = ask(SEAMLESS, replace(played("Bet"), method="GET"), world())
    assert isinstance(answer, Answer)
    assert (answer.status, told(answer)["error"], answer.headers) == (405, 100, (("Allow", "POST"),))


@pytest.mark.parametrize(
    ("method", "start"),
    [
        ("Bet", '{"error":100'),
        ("Refund", '{"error":"100"'),
        ("EndRound", '{"error":130'),
        ("Cancel", '{"reference":"b1","error":100'),
        ("Balance", '{"error":100'),
    ],
)
def test_no_verdict_is_503_and_asks_to_send_again(method: str, start: str) -> None:
    outcome = ask(SEAMLESS, played(method, play_body(method)), world())
    assert isinstance(outcome, Question)
    told_ = f'{start},"description":"Temporarily unavailable, send the same request again"}}'
    assert outcome.answer(None) == Answer(503, told_.encode(), (("Retry-After", "1"),))
    lost = world(connection(profile="gone"))
    assert ask(SEAMLESS, played(method, play_body(method)), lost) == outcome.answer(None)


@pytest.mark.parametrize(
    ("status", "told_as", "code"),
    [(404, 404, 100), (405, 405, 100), (503, 503, 100), (413, 200, 7), (431, 200, 7), (403, 200, 4)],
)
def test_the_server_s_own_failures_have_the_door_s_shape(status: int, told_as: int, code: int) -> None:
    said = told(Answer(status, SEAMLESS.reject(status)))
    assert (SEAMLESS.status(status), list(said), said["error"]) == (told_as, ["error", "description"], code)


@pytest.mark.parametrize(
    ("path", "method", "secret"),
    [
        ("/V4/Refund", "/V4/Refund", ""),
        ("/v4/refund", "/V4/Refund", ""),
        ("/Key/V4/Refund", "/V4/Refund", "Key"),
        ("/Key/v4/JACKPOTWIN", "/V4/JackPotWin", "Key"),
        ("/V4/V4/Bet", "/V4/Bet", "V4"),
        ("/\udcff/V4/Bet", "/V4/Bet", "\udcff"),
    ],
)
def test_paths_lead_to_methods_and_keep_the_key_s_case(path: str, method: str, secret: str) -> None:
    route = SEAMLESS.find(path)
    assert route is not None
    assert (route.endpoint.path, route.secret) == (method, secret)
    assert secret not in repr(route) or secret in method
    assert not isinstance(ask(SEAMLESS, Said(path), world()), Question)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "V4/Bet",
        "/V4",
        "/V4/",
        "/V4/Bet/",
        "/V5/Bet",
        "/V4/Bets",
        "//V4/Bet",
        "/a/b/V4/Bet",
        "k/V4/Bet",
    ],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert SEAMLESS.find(path) is None


@settings(deadline=None)
@given(st.binary(max_size=120), st.sampled_from(sorted(FULL)))
def test_no_bytes_raise(body: bytes, method: str) -> None:
    outcome = ask(SEAMLESS, played(method, body), world())
    assert isinstance(outcome, Answer)
    assert outcome.status == 200


def test_no_answer_tells_a_key() -> None:
    for sent in (played("Bet"), played("Bet", b""), played("Cancel", {"providerId": "x"})):
        assert KEY not in repr(ask(SEAMLESS, sent, world()))
