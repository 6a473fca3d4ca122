"""The seamless door, edition 4: decision to bytes, every code of the rules (wire.md 3)."""

from __future__ import annotations

from typing import Any

import pytest

from caisse.core.policy import Policy
from caisse.dialects.wire.door import Answer
from tests.support.harness import SEAMLESS, Desk, connection, funded, play_body, played, told, uuid, world

DONE = '"error":0,"description":"Success"'
SUCCESSES: list[tuple[str, dict[str, Any], str]] = [
    ("Check", {}, DONE),
    (
        "Balance",
        {},
        '"currency":"USD","cash":99999999999999.000000000000000001,"error":0,"description":"Success"',
    ),
    (
        "Bet",
        {"amount": "0.000000000000000001"},
        '"transactionId":"#","currency":"USD","cash":99999999999999.0,',
    ),
    ("Result", {"amount": 0}, '"transactionId":"#","currency":"USD","cash":99999999999999.0,'),
    (
        "Result",
        {"amount": "1", "reference": "w2"},
        '"transactionId":"#","currency":"USD","cash":100000000000000.0,',
    ),
    ("EndRound", {}, '"transactionId":"#","currency":"USD","cash":100000000000000.0,"bonus":0.0,'),
    ("BonusWin", {}, '"transactionId":"#","currency":"USD","cash":100000000000005.0,"bonus":0.0,'),
    ("JackPotWin", {}, '"transactionId":"#","currency":"USD","cash":100000000000012.0,"bonus":0.0,'),
    ("PromoWin", {}, '"transactionId":"#","currency":"USD","cash":100000000000015.25,"bonus":0.0,'),
    ("SessionExpired", {}, DONE),
    ("Refund", {"reference": "b9"}, '"transactionId":"#","error":"0","description":"Success"'),
    (
        "Cancel",
        {"reference": "b8"},
        '"reference":"b8","transactionId":"#","currency":"USD","cash":100000000000015.25,',
    ),
    (
        "Cancel",
        {"reference": "b7", "currency": ...},
        '"reference":"b7","transactionId":"#","currency":"","cash":0.0,',
    ),
    (
        "Balance",
        {"currency": ...},
        '"currency":"USD","cash":100000000000015.25,"error":0,"description":"Success"',
    ),
]


def test_every_success_in_the_order_of_the_table() -> None:
    """R22, R42, R43, R44; cash with exactly the canonical characters, past 14 digits too (R13)."""
    desk = funded("421", amount="99999999999999.000000000000000001")
    for method, changes, shown in SUCCESSES:
        answer = desk.send(SEAMLESS, played(method, play_body(method, **changes)))
        row = desk.decisions[-1].row
        shown = shown.replace("#", row.id if row else "") + DONE * shown.endswith(",")
        assert answer == Answer(200, f"{{{shown}}}".encode()), method


HISTORY: list[tuple[str, dict[str, Any]]] = [
    ("Bet", {"reference": "b1"}),
    ("Bet", {"reference": "settled", "roundId": "r-settled"}),
    ("Result", {"roundId": "r-settled"}),
    ("Bet", {"reference": "b-foreign", "roundId": "r-foreign", "userId": "7"}),
    ("Bet", {"reference": "ended", "roundId": "r-ended"}),
    ("EndRound", {"roundId": "r-ended"}),
    ("Refund", {"reference": "early"}),
    ("SessionExpired", {"sessionId": "s-expired"}),
    ("BonusWin", {"roundId": "r1"}),
]


def refusals() -> Desk:
    """421 has an open bet, a settled one, an ended round and another's, an expired session."""
    desk = funded("421", "7", "frozen", "poor", amount="100.0")
    desk.transfer("create_wallet", {"id": "421", "currency": "EUR", "uuid": uuid(2000)})
    desk.freeze("frozen")
    for method, changes in HISTORY:
        assert desk.play(method, play_body(method, **changes))["error"] in (0, "0"), (method, changes)
    return desk


GIVEN: list[tuple[str, dict[str, Any], int, str]] = [
    ("Bet", {"userId": "nobody"}, 100, "R8"),
    ("Refund", {"userId": "nobody"}, 100, "R22"),
    ("Check", {"userId": "nobody"}, 100, "R8"),
    ("Bet", {"reference": "b1", "amount": 11}, 7, "R5, so that it is cancelled"),
    ("Bet", {"reference": "b2", "currency": "EUR"}, 2, "R40"),
    ("Bet", {"reference": "b2", "roundId": "r9", "currency": "GBP"}, 2, "R40"),
    ("Bet", {"reference": "b2", "roundId": "r9", "currency": "ZZZ"}, 2, "R1: behind the look-up"),
    ("Bet", {"reference": "b2", "roundId": "r9", "currency": "JPY", "amount": "1.5"}, 10, "R1"),
    ("Bet", {"reference": "b1", "currency": "ZZZ"}, 7, "R5 before the currency table"),
    ("Bet", {"reference": "b2", "roundId": "r-ended"}, 120, "R47"),
    ("Bet", {"reference": "b2", "sessionId": "s-expired"}, 5, "R47"),
    ("Bet", {"reference": "b2", "roundId": "r9", "userId": "frozen"}, 6, "R15"),
    ("Bet", {"reference": "b2", "roundId": "r9", "gameId": "off"}, 8, "R30"),
    ("Bet", {"reference": "b2", "amount": "1000"}, 1, "R46"),
    ("Bet", {"reference": "early", "roundId": "r9"}, 120, "R23"),
    ("Result", {"roundId": "r9"}, 120, "R5"),
    ("Result", {"reference": "w9", "roundId": "r9"}, 120, "R41"),
    ("Result", {"reference": "w9", "roundId": "r-foreign"}, 120, "R40, R41: rounds are the player's own"),
    ("Result", {"reference": "w9", "currency": "EUR"}, 2, "R8: the round is in USD"),
    ("Result", {"reference": "w9", "currency": "ZZZ"}, 2, "R8"),
    ("Result", {"reference": "w9", "currency": "DOLLARS"}, 7, "R56"),
    ("Result", {"reference": "w9", "promoWinReference": "p"}, 7, "R56: half of a promotional win"),
    ("Refund", {"reference": "b1", "amount": 10.5}, 10, "R25"),
    ("Refund", {"reference": "b1", "amount": 0}, 10, "R25"),
    ("Refund", {"reference": "b1", "amount": "ten"}, 7, "R56"),
    ("Refund", {"reference": "settled"}, 120, "R26"),
    ("Refund", {"reference": "b-foreign"}, 7, "R28"),
    ("Refund", {"reference": "early", "userId": "7"}, 120, "R5"),
    ("Cancel", {"reference": "settled"}, 120, "R26"),
    ("Cancel", {"reference": "b-foreign"}, 7, "R28"),
    ("BonusWin", {"amount": 6}, 120, "R5"),
    ("BonusWin", {"reference": "bw9", "roundId": "r9"}, 2, "two wallets, and no round tells which"),
    ("BonusWin", {"reference": "bw9", "currency": "EUR"}, 2, "R8: the round is in USD"),
    ("BonusWin", {"reference": "bw9", "currency": "DOLLARS"}, 7, "R56"),
    ("JackPotWin", {"currency": "ZZZ", "roundId": ...}, 2, "R8"),
    ("PromoWin", {"currency": "GBP"}, 2, "R44"),
    ("Balance", {"currency": "GBP"}, 2, "R40"),
]


@pytest.mark.parametrize(("method", "changes", "code", "rule"), GIVEN)
def test_every_refusal_by_the_rules_has_its_code(
    method: str, changes: dict[str, Any], code: int, rule: str
) -> None:
    """HTTP 200, `error` and `description` only; Cancel the reference too; Refund's error is text."""
    desk = refusals()
    desk.where = world(connection(disabled_games=frozenset({"off"})))
    body = play_body(method, **changes)
    answer = desk.send(SEAMLESS, played(method, body))
    said = told(answer)
    assert (answer.status, said["error"]) == (200, str(code) if method == "Refund" else code), rule
    assert list(said) == ["reference"] * (method == "Cancel") + ["error", "description"]
    assert said.get("reference") == (body["reference"] if method == "Cancel" else None)


def test_rounds_and_sessions_are_the_player_s_own() -> None:
    """R4, R40: another player's claims nothing; R5: of an end only the player counts."""
    desk = refusals()
    for method, changes in (
        ("Bet", {"reference": "b2", "roundId": "r-foreign"}),
        ("EndRound", {"roundId": "r-foreign"}),
        ("EndRound", {"roundId": "r-ended", "gameId": "g2"}),
        ("SessionExpired", {"sessionId": "s-expired", "userId": "7"}),
    ):
        assert desk.play(method, play_body(method, **changes))["error"] == 0, (method, changes)
    mine, other = (desk.book.rounds["demo", "luckymonaco", user, "r-foreign"] for user in ("421", "7"))
    assert (mine.state, mine.standing, other.state, other.standing) == ("ended", 1, "open", 1)
    assert desk.play("Bet", play_body("Bet", reference="b3", userId="7", roundId="r-foreign"))["cash"] == 80.0
    assert desk.play("Balance", play_body("Balance"))["cash"] == 90.5


def test_the_profile_chooses_the_code_of_an_unknown_bet() -> None:
    """R22; under another profile the verdict that was given stands (R1)."""
    desk = funded("421").under(Policy(unknown_bet=17))
    assert desk.play("Refund", play_body("Refund"))["error"] == "17"
    assert desk.play("Cancel", play_body("Cancel"))["error"] == 17
    assert desk.under(Policy()).play("Cancel", play_body("Cancel"))["error"] == 120
    mapped = desk.under(Policy(unknown_bet=17, codes={"unknown_bet": 18}))
    assert mapped.play("Cancel", play_body("Cancel"))["error"] == 18


def test_the_profile_s_codes_replace_the_table_s() -> None:
    desk = funded("421").under(Policy(codes={"insufficient": 50, "key_conflict": 99}))
    assert desk.play("Bet", play_body("Bet", amount=1000))["error"] == 50
    assert desk.play("Bet", play_body("Bet", amount=1))["error"] == 99


def test_an_absorbed_bet_is_answered_as_a_success() -> None:
    """R23: nothing is charged."""
    desk = funded("421").under(Policy(late_bet="absorb"))
    desk.play("Refund", play_body("Refund"))
    said = desk.play("Bet", play_body("Bet"))
    assert (said["error"], said["cash"]) == (0, 300.0)


def test_a_replay_is_marked_where_the_profile_says_so_and_else_the_same_bytes() -> None:
    """R1: refusals too."""
    for policy, mark in ((Policy(), b""), (Policy(retransmission=True), b',"retransmission":true')):
        desk = funded("421").under(policy)
        for amount in (10, 1000):
            sent = played("Bet", play_body("Bet", amount=amount, reference=f"b{amount}"))
            first = desk.send(SEAMLESS, sent)
            assert desk.send(SEAMLESS, sent) == Answer(200, first.body[:-1] + mark + b"}")
