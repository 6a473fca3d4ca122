"""R57: which rows of the slot log fall due, and the audit's own reading of them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from caisse.audit.round_log import Claimed, Logged, Moved, check_log, check_player
from caisse.core.entries import Kind
from caisse.core.money import show
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.round_log import Due
from tests.support.ledger import (
    PLAYER,
    Ledger,
    award,
    bet,
    charge,
    create,
    end_round,
    funded,
    open_wallet,
    result,
    rollback,
    rollback_round,
)

RETURN = Policy(settled_bet="return_stake")
Row = tuple[str, str, str, str]
"""Staked, won, name and amount of a jackpot."""


def content(due: Due) -> Row:
    return show(due.staked), show(due.won), due.jackpot_id, show(due.jackpot)


def jackpot(amount: str = "7.0", reference: str = "jack-1", **given: Any) -> Any:
    return award("jackpot", amount, reference, round="r1", **given)


def bonus(amount: str = "3.0", reference: str = "bonus-1", **given: Any) -> Any:
    return award("bonus", amount, reference, round="r1", **given)


CASES: dict[str, tuple[list[Any], list[Row]]] = {
    "an open round is not listed": ([bet(), bet("5.0", "bet-2")], []),
    "a result lists the round": ([bet(), result("25.0")], [("10.0", "25.0", "", "0.0")]),
    "a result of nothing lists it, too": ([bet(), result("0.0")], [("10.0", "0.0", "", "0.0")]),
    "several bets are one row": ([bet(), bet("5.0", "bet-2"), result()], [("15.0", "25.0", "", "0.0")]),
    "a free spin is a row of nothing": ([bet("0.0"), result("0.0")], [("0.0", "0.0", "", "0.0")]),
    "an end lists the round": ([bet(), end_round()], [("10.0", "0.0", "", "0.0")]),
    "a result and then the end are one row": ([bet(), result(), end_round()], [("10.0", "25.0", "", "0.0")]),
    "a result that closes is one row": ([bet(), result(closes=True)], [("10.0", "25.0", "", "0.0")]),
    "a later win is a further row": (
        [bet(), result(), result("4.0", "res-2")],
        [("10.0", "25.0", "", "0.0"), ("0.0", "4.0", "", "0.0")],
    ),
    "a later result of nothing is none": (
        [bet(), result(), result("0.0", "res-2")],
        [("10.0", "25.0", "", "0.0")],
    ),
    "a win after the end is a further row": (
        [bet(), end_round(), result()],
        [("10.0", "0.0", "", "0.0"), ("0.0", "25.0", "", "0.0")],
    ),
    "a later bet comes with its result": (
        [bet(), result(), bet("5.0", "bet-2"), result("1.0", "res-2")],
        [("10.0", "25.0", "", "0.0"), ("5.0", "1.0", "", "0.0")],
    ),
    "a later bet that is rolled back is nothing": (
        [bet(), result(), bet("5.0", "bet-2"), rollback("bet-2")],
        [("10.0", "25.0", "", "0.0")],
    ),
    "a round wholly rolled back is listed": (
        [bet(), bet("5.0", "bet-2"), rollback(), rollback("bet-2")],
        [("0.0", "0.0", "", "0.0")],
    ),
    "half of it is not": ([bet(), bet("5.0", "bet-2"), rollback()], []),
    "less given back is what was staked": ([bet(), rollback(amount="4.0")], [("6.0", "0.0", "", "0.0")]),
    "a round's refund is one row": (
        [bet(), bet("5.0", "bet-2"), rollback_round()],
        [("0.0", "0.0", "", "0.0")],
    ),
    "an open bet's refund by round, after a result, is nothing": (
        [bet(), result(), bet("5.0", "bet-2"), bet("6.0", "bet-3"), rollback_round()],
        [("10.0", "25.0", "", "0.0")],
    ),
    "a jackpot before the result comes with it": (
        [bet(), jackpot(), result()],
        [("10.0", "25.0", "campaign", "7.0")],
    ),
    "a jackpot after it is a further row": (
        [bet(), result(), jackpot()],
        [("10.0", "25.0", "", "0.0"), ("0.0", "0.0", "campaign", "7.0")],
    ),
    "the next row does not name the jackpot again": (
        [bet(), result(), jackpot(), bonus()],
        [("10.0", "25.0", "", "0.0"), ("0.0", "0.0", "campaign", "7.0"), ("0.0", "3.0", "", "0.0")],
    ),
    "an award shows itself alone": (
        [bet(), result(), bet("5.0", "bet-2"), bonus(), rollback("bet-2")],
        [("10.0", "25.0", "", "0.0"), ("0.0", "3.0", "", "0.0")],
    ),
    "a round that was only ended is not listed": ([end_round()], []),
    "nor one only refunded": ([rollback_round()], []),
    "nor an award's round": ([bonus(), jackpot()], []),
    "nor a refused bet's": ([bet("301.0"), result()], []),
    "a free round is listed": ([result(free_round=True)], [("0.0", "25.0", "", "0.0")]),
    "a repeat lists nothing again": ([bet(), result(), result()], [("10.0", "25.0", "", "0.0")]),
}


def played(requests: list[Any], policy: Policy = DEFAULT_POLICY) -> Ledger:
    ledger = funded()
    for request in requests:
        ledger.ask(request, policy)
    return ledger


@pytest.mark.parametrize("name", CASES)
def test_what_falls_due(name: str) -> None:
    requests, rows = CASES[name]
    ledger = played(requests)
    assert [content(due) for due in ledger.book.due] == rows
    assert audit_of(ledger) == []


def test_a_settled_stake_that_is_given_back_is_a_row_below_zero() -> None:
    ledger = played([bet(), result(), rollback()], RETURN)
    assert [content(due)[:2] for due in ledger.book.due] == [("10.0", "25.0"), ("-10.0", "0.0")]
    assert audit_of(ledger) == []


def test_a_row_tells_its_round_and_journal_row() -> None:
    ledger = played([bet(), result()])
    (due,) = ledger.book.due
    row = ledger.rows[-1]
    assert row.kind is Kind.RESULT
    assert (due.partner, due.player, due.seq, due.at) == (row.partner, row.player, row.seq, row.at)
    assert (due.provider, due.round, due.game, due.currency) == ("lucky", "r1", "slot", "USD")


def audit_of(ledger: Ledger, due: list[Due] | None = None) -> list[str]:
    """What the audit has against a player's rows, which all wait."""
    moves = [
        Moved(r.seq, r.kind, r.verdict, r.provider, r.round, r.game, r.currency, r.amount, r.name)
        for r in ledger.rows_of(PLAYER)
        if r.round
    ]
    claimed = [
        Claimed(r.provider, r.id, r.logged, r.logged_staked, r.logged_won, r.logged_jackpot)
        for r in ledger.book.rounds.values()
        if r.player == PLAYER
    ]
    rows = [d for d in (ledger.book.due if due is None else due) if d.player == PLAYER]
    return check_player(moves, [], list(map(logged, rows)), claimed)


def logged(due: Due, number: int | None = None) -> Logged:
    words = (due.seq, due.provider, due.round, due.game, due.currency)
    return Logged(number, (*words, due.staked, due.won, due.jackpot_id, due.jackpot))


@pytest.mark.parametrize("seed", range(60))
def test_rows_add_up_and_the_audit_reads_the_same(seed: int) -> None:
    """Whatever is played: what the log has of a round is the sum of its rows, all of it once it is over."""
    chance = Random(seed)
    ledger = Ledger([create(), open_wallet(), charge("1000.0")])
    policy = chance.choice([DEFAULT_POLICY, RETURN])
    for number in range(60):
        round_ = f"r{chance.randint(1, 4)}"
        reference = f"ref-{chance.randint(1, 12)}"
        request: Any = chance.choice(
            [
                *[bet(f"{number}.5", reference, round_)] * 4,
                *[result(f"{chance.randint(0, 3)}.0", f"res-{number}", round_)] * 2,
                *[rollback(reference)] * 2,
                end_round(round_),
                rollback_round(round_),
                award("jackpot", "2.0", f"j-{number}", round=round_),
                award("bonus", f"{chance.randint(1, 2)}.0", f"b-{number}", round=round_),
            ]
        )
        ledger.ask(request, policy)
    assert audit_of(ledger) == []
    assert len({(d.player, d.seq) for d in ledger.book.due}) == len(ledger.book.due)
    for played_ in ledger.book.rounds.values():
        rows = [d for d in ledger.book.due if d.round == played_.id]
        sums = [sum(d.staked for d in rows), sum(d.won for d in rows), sum(d.jackpot for d in rows)]
        assert sums == [played_.logged_staked, played_.logged_won, played_.logged_jackpot]
        assert played_.logged == bool(rows)
        if played_.currency and not played_.standing:
            assert sums[0] == played_.staked
        if played_.logged:
            assert sums[1:] == [played_.won, played_.jackpot]


def test_the_audit_names_what_is_missing_doubled_or_changed() -> None:
    ledger = played([bet(), result(), result("4.0", "res-2")])
    first, second = ledger.book.due
    missing = audit_of(ledger, [first])
    assert missing == [
        f"journal row {second.seq} should be in the log or its queue as round r1 of lucky: 0.0, 4.0, 0.0 USD"
    ]
    assert audit_of(ledger, [first, second, second]) == ["the log has a row twice"]
    assert audit_of(ledger, [second, first]) == ["the log has its rows in another order than the journal"]
    assert len(audit_of(ledger, [first, second, first, second])) == 1
    moves = [Moved(1, "bet", "ok", "lucky", "r1", "g", "USD", -5, "")]
    assert check_player(moves, [], [], [Claimed("lucky", "r1", True, 0, 0, 0)]) != []
    assert check_player([], [], [logged(first)], []) != []
    numbers = [logged(first, 0), logged(second, 2)]
    assert check_player([], numbers, [], [])[0] == "the log's row 1 of the player has the number 2"


def test_the_audit_of_numbers() -> None:
    assert list(check_log(3, 0, 2, 3)) == []
    assert list(check_log(3, 0, 3, 4)) == ["3 rows are numbered from 0 to 3"]
    assert list(check_log(3, 1, 3, 4)) == ["3 rows are numbered from 1 to 3"]
    assert list(check_log(3, 0, 2, 2)) == ["the last row is number 2, the head says that 2 is next"]
    assert list(check_log(1, 0, 0, None)) == ["the last row is number 0, the head says that None is next"]
