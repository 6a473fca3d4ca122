"""What is remembered of requests that left no row (R58), its bounds, and what a person must look at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from caisse.core.attempts import LINES_A_MINUTE, MINUTE, Attempt, Attempts
from caisse.core.verdicts import Verdict
from tests.support.ledger import (
    NOW,
    OTHER,
    PARTNER,
    PROVIDER,
    Ledger,
    again,
    award,
    bet,
    charge,
    create,
    freeze,
    funded,
    look,
    promo,
    result,
    rollback,
    rollback_round,
    withdraw,
)


def noted(*requests: Any, ledger: Ledger | None = None) -> list[Attempt]:
    """The lines that the requests leave, one after another."""
    ledger, attempts = ledger or funded(), Attempts(room=10)
    for request in requests:
        attempts.note(request, ledger.ask(request), NOW)
    return attempts.take()


def unread(attempts: Attempts, now: int = NOW, **given: str) -> None:
    fields = {"partner": PARTNER, "provider": PROVIDER, "endpoint": "/V4/Result", "fault": "amount"}
    attempts.unread(**(fields | given), now=now)


def counts(lines: Iterable[Attempt]) -> dict[str, int]:
    """Requests by the rule of their line."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.rule] = sums.get(line.rule, 0) + line.count
    return sums


def test_R58_a_request_that_could_not_be_read_leaves_its_ids_and_the_field_at_fault() -> None:
    attempts = Attempts(room=10)
    for _ in range(2):
        unread(attempts, player="ann", uuid="u-1", reference="w-1", round="r-1")
    (line,) = attempts.take()
    assert (line.partner, line.provider, line.endpoint) == (PARTNER, PROVIDER, "/V4/Result")
    assert (line.player, line.uuid, line.reference, line.round) == ("ann", "u-1", "w-1", "r-1")
    assert (line.fault, line.verdict, line.rule, line.key, line.count) == ("amount", "", "R7", "", 2)


@pytest.mark.parametrize("odd", ["\x00", "\x1f", "\x7f", "\ud800", "a" * 200])
def test_R58_ids_of_what_could_not_be_read_can_always_be_stored(odd: str) -> None:
    attempts = Attempts(room=10)
    unread(attempts, player=odd, uuid=odd, reference=odd, round=odd)
    (line,) = attempts.take()
    for text in (line.player, line.uuid, line.reference, line.round):
        assert len(text.encode()) <= 128
        assert text in ("", "a" * 128)


def test_R58_an_unkept_refusal_of_an_unknown_player_leaves_its_line() -> None:
    (line,) = noted(bet(user="nobody", reference="b-9", round="r-9"))
    assert (line.player, line.verdict, line.reference, line.round) == (
        "nobody",
        "player_unknown",
        "b-9",
        "r-9",
    )
    assert (line.provider, line.flag, line.fault, line.replay) == (PROVIDER, "", "", False)


def test_R58_a_read_a_first_request_and_an_operators_command_leave_none() -> None:
    assert noted(look(), charge("1.0"), bet(), look(user="nobody"), freeze(user="nobody")) == []


def test_R25_a_repeat_with_another_amount_is_recorded_and_flagged() -> None:
    undo = rollback("b-1", "10.0")
    requests = [bet("10.0", "b-1"), undo, again(undo)]
    requests += [
        again(rollback("b-1", asked), uuid=undo.uuid) for asked in ("99999.0", "10.0", None, "4.0", "4.0")
    ]
    ledger = funded()
    before = ledger.balances()
    lines = noted(*requests, ledger=ledger)
    assert [(line.flag, json.loads(line.content), line.count) for line in lines] == [
        ("", ["tester"], 3),
        ("R25", ["tester", "99999.0"], 1),
        ("R25", ["tester", "4.0"], 2),
    ]
    assert {line.verdict for line in lines} == {"ok"}
    assert ledger.balances() == before


def test_R25_a_partial_refund_repeated_with_the_whole_stake_is_flagged() -> None:
    lines = noted(bet("10.0", "b-1"), rollback("b-1", "4.0"), rollback("b-1", "10.0"))
    assert [(line.flag, json.loads(line.content)) for line in lines] == [("R25", ["tester", "10.0"])]


@pytest.mark.parametrize(
    ("first", "second", "flag"),
    [(None, "10.0", ""), ("10.0", "10.0", ""), ("10.0", "11.0", "R25"), ("10.0", None, "")],
)
def test_R25_of_an_unknown_bet_only_two_amounts_differ(
    first: str | None, second: str | None, flag: str
) -> None:
    (line,) = noted(rollback("b-1", first), rollback("b-1", second))
    assert (line.verdict, line.flag) == ("tombstone", flag)


def test_R25_a_refused_amount_is_no_flag_since_its_sender_knows() -> None:
    (line,) = noted(bet("10.0", "b-1"), rollback("b-1", "11.0"))
    assert (line.verdict, line.flag, json.loads(line.content)) == ("refund_amount", "", ["tester", "11.0"])


def test_R5_a_repeated_result_that_brings_a_promotional_win_and_is_refused_is_flagged() -> None:
    paid = result("25.0")
    lines = noted(
        bet(), paid, again(result("26.0"), uuid="u-2"), again(result("26.0", promo=promo()), uuid="u-3")
    )
    assert [(line.verdict, line.uuid, line.flag) for line in lines] == [
        ("key_conflict", "u-2", ""),
        ("key_conflict", "u-3", "R5"),
    ]


def test_R8_what_is_owed_and_was_refused_without_a_row_is_flagged() -> None:
    """Whatever the reason; but for a player that does not exist."""
    ledger = funded()
    foreign = noted(bet(user=OTHER), rollback(), ledger=ledger)
    assert [(line.verdict, line.flag) for line in foreign] == [("foreign_bet", "")]
    attempts = Attempts(room=10)
    decision = ledger.ask(rollback("bet-1"))
    for request in (award(), result(), withdraw("1.0")):
        attempts.note(request, decision, NOW)
    assert [line.flag for line in attempts.take()] == ["R28", "R28", ""]
    assert [line.flag for line in noted(award(user="nobody"), result(user="nobody"))] == ["", ""]


def test_R59_no_name_of_a_player_stands_in_an_attempt() -> None:
    first = create(user="new", name="Ann Example")
    other = again(first, name="Bea Example")
    lines = noted(first, again(first), other, create(user="tester", name="Cid Example"))
    assert [(line.verdict, line.replay) for line in lines] == [("ok", True), ("key_conflict", False)]
    assert "Example" not in repr(lines)
    assert len({line.content for line in lines}) == 2


def test_R59_a_name_that_is_another_s_is_one_line_however_often_it_comes() -> None:
    """Though each request brings a key of its own; none of two lines shows that their names are the same."""
    first = create(user="new", name="Ann Example", uuid="u-1")
    others = [create(user="new", name="Bea Example", uuid="u-1") for _ in range(3)]
    (line,) = noted(first, *others)[:1]
    assert (line.verdict, line.count) == ("key_conflict", 3)
    (elsewhere,) = noted(first, create(user="new", name="Bea Example", uuid="u-1"))
    assert elsewhere.content != line.content


def test_R1_a_refund_that_another_profile_answered_is_noted_under_the_key_of_that_answer() -> None:
    """Else the audit would miss the row that was repeated."""
    by_bet, by_round = rollback(round="r1"), rollback_round(reference="bet-1")
    for first, second in ((by_bet, by_round), (rollback_round(reference="own"), rollback("own", round="r1"))):
        ledger = funded()
        ledger.ask(bet())
        ledger.ask(first)
        (line,) = noted(second, ledger=ledger)
        assert (line.replay, line.key) == (True, first.key)


def test_R58_beyond_600_lines_a_minute_there_is_one_counted_line_for_each_endpoint_and_fault() -> None:
    attempts = Attempts(room=10_000)
    for number in range(LINES_A_MINUTE + 100):
        unread(attempts, NOW + number, uuid=f"u-{number}")
    unread(attempts, NOW + 800, uuid="u", fault="currency")
    unread(attempts, NOW + 900, uuid="u", endpoint="/V4/Bet")
    lines = attempts.take()
    assert len(lines) == LINES_A_MINUTE + 3
    assert counts(lines) == {"R7": 600, "R58": 102}
    beyond = [line for line in lines if line.rule == "R58"]
    assert [(line.endpoint, line.fault, line.count) for line in beyond] == [
        ("/V4/Result", "amount", 100),
        ("/V4/Result", "currency", 1),
        ("/V4/Bet", "amount", 1),
    ]
    assert all((line.player, line.uuid, line.reference, line.round) == ("", "", "", "") for line in beyond)


def test_R58_lines_that_were_written_count_and_a_new_minute_has_new_ones() -> None:
    attempts = Attempts(room=10_000)
    for number in range(LINES_A_MINUTE):
        unread(attempts, NOW, uuid=f"u-{number}")
        attempts.take()
    unread(attempts, NOW + MINUTE - 1, uuid="x")
    unread(attempts, NOW + MINUTE, uuid="y")
    assert [(line.rule, line.uuid) for line in attempts.take()] == [("R58", ""), ("R7", "y")]


def test_R58_one_connections_flood_costs_others_nothing() -> None:
    attempts = Attempts(room=10_000)
    for number in range(LINES_A_MINUTE + 1):
        unread(attempts, uuid=f"u-{number}")
    unread(attempts, uuid="x", provider="")
    unread(attempts, uuid="y", provider="rival")
    unread(attempts, uuid="z", partner="other")
    assert [line.uuid for line in attempts.take()][-3:] == ["x", "y", "z"]


def test_R58_equal_requests_are_one_line_even_beyond_the_limit() -> None:
    ledger, attempts = funded(), Attempts(room=10_000)
    first = charge("1.0")
    ledger.ask(first)
    for number in range(LINES_A_MINUTE):
        unread(attempts, uuid=f"u-{number}", provider="")
    for _ in range(3):
        attempts.note(again(first), ledger.ask(again(first)), NOW)
    last = attempts.take()[-1]
    assert (last.rule, last.verdict, last.replay, last.count) == ("R58", Verdict.OK.value, True, 3)


def test_lines_given_back_come_again_and_without_room_they_are_counted() -> None:
    attempts = Attempts(room=2)
    for uuid in ("u-1", "u-2"):
        unread(attempts, uuid=uuid)
    lines = attempts.take()
    unread(attempts, uuid="u-3")
    attempts.give_back(lines)
    assert (len(attempts), attempts.dropped) == (2, 1)
    assert [line.uuid for line in attempts.take()] == ["u-1", "u-3"]
