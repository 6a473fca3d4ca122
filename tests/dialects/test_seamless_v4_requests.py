"""The seamless door, edition 4: bytes to Request, decision to bytes, every code (wire.md 3)."""

from __future__ import annotations

from typing import Any

import pytest

from caisse.core.money import UNIT
from caisse.core.policy import Policy
from caisse.core.requests import (
    Award,
    Bet,
    EndRound,
    ExpireSession,
    Look,
    Promo,
    Result,
    Rollback,
    RollbackRound,
)
from caisse.dialects.wire.door import Answer
from tests.support.harness import (
    SEAMLESS,
    SEED_ROLLBACK,
    ask,
    asked,
    connection,
    funded,
    play_body,
    played,
    told,
    world,
)

UUID = "4a5d375ac1311b04fba2ea66d067b8e5"
BASE: dict[str, Any] = {"id": "t1", "partner": "demo", "user": "421", "uuid": UUID}
PLAY: dict[str, Any] = {**BASE, "provider": "luckymonaco"}
SPUN: dict[str, Any] = {**PLAY, "round": "r1", "game": "g1"}


SEED_REQUEST = Rollback(
    **BASE,
    provider="luckymonaco",
    endpoint="/V4/Refund",
    reference="585c1306f89c56f5ecfc2f5d",
    round="5103188801",
    game="Im_60_tumblefortune",
    amount=10 * UNIT,
    details='{"timestamp":"1482429190374","roundDetails":"spin"}',
)


def test_the_seed_s_request_is_a_rollback() -> None:
    """Its `roundid` is roundId; its amount 10.0 is read from the characters."""
    assert asked(SEAMLESS, played("Refund", SEED_ROLLBACK)) == SEED_REQUEST


def test_the_seed_s_request_gets_the_seed_s_answer_byte_for_byte() -> None:
    """R20, R21: text "0", a real transaction id; again, the same bytes."""
    desk = funded("421", amount="100.0")
    bet = play_body("Bet", reference="585c1306f89c56f5ecfc2f5d", roundId="5103188801")
    assert desk.play("Bet", bet)["cash"] == 90.0
    answer = desk.send(SEAMLESS, played("Refund", SEED_ROLLBACK))
    assert answer == Answer(200, b'{"transactionId":"t5","error":"0","description":"Success"}')
    assert desk.send(SEAMLESS, played("Refund", SEED_ROLLBACK)) == answer
    assert desk.play("Balance", play_body("Balance"))["cash"] == 100.0


DETAILS = '{"gamename":"Game","%s":"1482429190374","roundDetails":%s}'
MAKES: list[tuple[str, dict[str, Any], Any]] = [
    ("Check", {}, Look(**PLAY, endpoint="/V4/Check", currency="USD", session="s1")),
    ("Balance", {"currency": "usd"}, Look(**BASE, endpoint="/V4/Balance", currency="USD")),
    (
        "Bet",
        {},
        Bet(
            **SPUN,
            **dict[str, Any](endpoint="/V4/Bet", session="s1", reference="b1", currency="USD"),
            amount=10 * UNIT,
            details=DETAILS % ("timeStamp", '"spin"'),
        ),
    ),
    (
        "Result",
        {},
        Result(
            **SPUN,
            **dict[str, Any](endpoint="/V4/Result", session="s1", reference="w1", currency="USD"),
            amount=255 * UNIT // 10,
            details=DETAILS % ("timestamp", '["spin",1]'),
        ),
    ),
    ("Refund", {}, Rollback(**PLAY, endpoint="/V4/Refund", reference="b1")),
    (
        "Refund",
        {"amount": 0, "roundId": "", "platform": "web", "bonusCode": None},
        Rollback(**PLAY, endpoint="/V4/Refund", reference="b1", amount=0, details='{"platform":"web"}'),
    ),
    (
        "Cancel",
        {},
        Rollback(
            **PLAY,
            **dict[str, Any](endpoint="/V4/Cancel", session="s1", reference="b1", game="g1", currency="USD"),
            details='{"gamename":"Game"}',
        ),
    ),
    (
        "EndRound",
        {"win": 1.50},
        EndRound(**SPUN, endpoint="/V4/EndRound", session="s1", details='{"win":1.5}'),
    ),
    (
        "BonusWin",
        {},
        Award(
            **SPUN,
            **{"endpoint": "/V4/BonusWin", "session": "s1", "reference": "bw1", "name": "bonus-1"},
            kind="bonus",
            amount=5 * UNIT,
            details='{"timestamp":"1"}',
        ),
    ),
    (
        "JackPotWin",
        {},
        Award(
            **SPUN,
            **{"endpoint": "/V4/JackPotWin", "reference": "jw1", "name": "jackpot-1"},
            kind="jackpot",
            amount=7 * UNIT,
            details='{"timestamp":"1"}',
        ),
    ),
    (
        "PromoWin",
        {},
        Award(
            **PLAY,
            **{"endpoint": "/V4/PromoWin", "reference": "pw1", "name": "camp-1", "currency": "USD"},
            kind="promo",
            amount=325 * UNIT // 100,
            details='{"timestamp":"1","campaignType":"T"}',
        ),
    ),
    ("SessionExpired", {}, ExpireSession(**PLAY, endpoint="/V4/SessionExpired", session="s1")),
]


@pytest.mark.parametrize(("method", "changes", "request_"), MAKES)
def test_each_method_makes_its_request(method: str, changes: dict[str, Any], request_: Any) -> None:
    body = play_body(method, **changes)
    assert asked(SEAMLESS, played(method, body)) == request_
    shouted = {name.upper(): value for name, value in body.items()}
    assert asked(SEAMLESS, played(method.upper(), shouted)) == request_


def test_a_result_with_a_bonus_code_is_a_free_round() -> None:
    """R41; an empty code is none."""
    free = asked(SEAMLESS, played("Result", play_body("Result", bonusCode="b")))
    assert free.free_round
    assert free.details.endswith(',"bonusCode":"b"}')
    assert not asked(SEAMLESS, played("Result", play_body("Result", bonusCode=""))).free_round


@pytest.mark.parametrize(
    ("amount", "reference", "promo"),
    [
        ("2.5", "p1", Promo("p1", 25 * UNIT // 10)),
        (2.5, "p1", Promo("p1", 25 * UNIT // 10)),
        (0, "p1", None),
        (0, "", None),
        (..., ..., None),
        (None, "", None),
    ],
)
def test_a_promotional_win_rides_in_a_result(amount: Any, reference: Any, promo: Promo | None) -> None:
    """R48."""
    body = play_body("Result", promoWinAmount=amount, promoWinReference=reference)
    assert asked(SEAMLESS, played("Result", body)).promo == promo


def test_a_disabled_game_is_told_to_the_rules() -> None:
    """R30."""
    where = world(connection(disabled_games=frozenset({"g1"})))
    assert not asked(SEAMLESS, played("Bet"), where).game_enabled
    assert asked(SEAMLESS, played("Bet", play_body("Bet", gameId="g2")), where).game_enabled


def test_a_refund_with_a_round_and_no_amount_undoes_its_round_where_the_profile_says_so() -> None:
    """R32: its own reference is recorded."""
    body = play_body("Refund", reference=..., roundId="r1")
    by_round = world(policy=Policy(refund_by_round=True))
    request = RollbackRound(**PLAY, endpoint="/V4/Refund", round="r1")
    assert asked(SEAMLESS, played("Refund", body), by_round) == request
    for amount in (3, "three", ""):
        assert asked(SEAMLESS, played("Refund", body | {"amount": amount}), by_round).round == "r1"
    own = asked(SEAMLESS, played("Refund", body | {"reference": "b1"}), by_round)
    assert (type(own), own.round, own.reference) == (RollbackRound, "r1", "b1")
    no_id = asked(SEAMLESS, played("Refund", body | {"reference": ["b1"]}), by_round)
    assert (no_id.reference, no_id.details) == ("", '{"reference":["b1"]}')
    by_bet = asked(SEAMLESS, played("Refund", body | {"reference": "b1", "amount": "3"}), by_round)
    assert isinstance(by_bet, Rollback)
    assert (by_bet.reference, by_bet.amount, by_bet.round) == ("b1", 3 * UNIT, "r1")
    unread = asked(SEAMLESS, played("Refund", body | {"reference": "b1", "amount": "three"}), by_round)
    assert (type(unread), unread.unreadable) == (Rollback, "amount")
    for where, fields in ((world(), body), (by_round, play_body("Refund", reference=""))):
        answer = ask(SEAMLESS, played("Refund", fields), where)
        assert answer == Answer(200, b'{"error":"7","description":"Missing or bad parameter: reference"}')


def test_aliases_of_the_profile_are_further_spellings() -> None:
    policy = Policy(spellings={"txId": "reference", "player": "userid"})
    body = play_body("Refund", reference=..., userId=..., TXID="b1", player="421")
    assert asked(SEAMLESS, played("Refund", body), world(policy=policy)).reference == "b1"
    same = asked(SEAMLESS, played("Refund", body | {"reference": "b1"}), world(policy=policy))
    assert same.reference == "b1"
    twice = ask(SEAMLESS, played("Refund", body | {"reference": "b2"}), world(policy=policy))
    assert isinstance(twice, Answer)
    assert told(twice)["error"] == "7"


REQUIRED = {
    "Check": "providerId userId uuid",
    "Balance": "providerId userId uuid",
    "Bet": "uuid userId gameId roundId amount reference providerId currency",
    "Result": "uuid userId roundId amount reference providerId",
    "Refund": "userId reference providerId uuid",
    "Cancel": "userId providerId reference uuid",
    "EndRound": "uuid userId roundId providerId",
    "BonusWin": "uuid userId amount reference providerId",
    "JackPotWin": "uuid userId amount reference providerId",
    "PromoWin": "uuid userId amount reference providerId currency",
    "SessionExpired": "providerId sessionId userId uuid",
}
"""R56: what deciding needs."""


@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method, names in REQUIRED.items() for name in names.split()]
)
def test_every_field_that_deciding_needs_is_required(method: str, name: str) -> None:
    """R7: missing or null is error 7, and nothing is asked."""
    for missing in (..., None):
        answer = ask(SEAMLESS, played(method, play_body(method, **{name: missing})), world())
        assert isinstance(answer, Answer)
        assert (answer.status, str(told(answer)["error"])) == (200, "7")
        assert told(answer)["description"].endswith(": " + name)


NO_AMOUNTS: list[Any] = ["", "-1", -1, "1e2", "01", True, [], "1" * 15, "0." + "1" * 19]

BAD: list[tuple[str, dict[str, Any], int]] = [
    *(("Bet", {"amount": bad}, 10) for bad in NO_AMOUNTS),
    *(("Bet", {"currency": bad}, 7) for bad in ("", "US", "USDTT", 840)),
    *(("Bet", {"userId": bad}, 7) for bad in ("", "x" * 65, -7, 5.0, 10**64, True, "a\x00", "a\n", "\ud800")),
    *(("Bet", {"uuid": bad}, 7) for bad in ("", "x" * 65, "é", 1)),
    *(("Bet", {name: "x" * 129}, 7) for name in ("reference", "roundId", "gameId")),
    *(("Bet", {name: 10**128}, 7) for name in ("reference", "roundId", "gameId")),
    ("Bet", {"providerId": 7}, 7),
    *(("Balance", {"currency": bad}, 7) for bad in ("US", 840)),
]


@pytest.mark.parametrize(("method", "changes", "code"), BAD)
def test_a_bad_value_has_its_code(method: str, changes: dict[str, Any], code: int) -> None:
    """R7: 10 for an amount, else 7."""
    answer = ask(SEAMLESS, played(method, play_body(method, **changes)), world())
    assert isinstance(answer, Answer)
    assert (answer.status, str(told(answer)["error"])) == (200, str(code))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"currency": "JPY", "amount": 1.5}, "decimals"),
        ({"currency": "JPY", "amount": 2}, ""),
        ({"currency": "ZZZ"}, "currency"),
        ({"currency": "zzzz"}, "currency"),
    ],
)
def test_what_the_currency_table_says_is_told_to_the_rules(changes: dict[str, Any], said: str) -> None:
    """R1: a guard behind the look-up, no form."""
    assert asked(SEAMLESS, played("Bet", play_body("Bet", **changes))).unsupported == said


@pytest.mark.parametrize("length", [1, 64])
def test_the_longest_ids_are_read(length: int) -> None:
    body = play_body("Bet", userId="u" * length, reference="r" * 2 * length, uuid="~" * length)
    assert asked(SEAMLESS, played("Bet", body)).user == "u" * length
