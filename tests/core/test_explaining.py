"""Everything that can be decided has words: every rule, verdict and kind; and stories are in order."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from caisse import core
from caisse.core.attempts import MINUTE, Attempts
from caisse.core.entries import Kind
from caisse.core.requests import Look, LookTransfer, SetFrozen
from caisse.core.verdicts import Verdict
from caisse.story.events import AGAIN, PLAYS, events, moved
from caisse.story.words import KINDS, RULES, VERDICTS, asked_in_words, row_in_words, verdict_in_words
from tests.support.ledger import (
    NOW,
    OTHER,
    Ledger,
    again,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    funded,
    open_wallet,
    result,
    rollback,
    rollback_round,
    traffic,
    withdraw,
)

CORE = Path(core.__file__).parent


def cited() -> Iterator[str]:
    """Every text that names a rule and nothing else, in the core and in the story of a repeat."""
    for path in [*CORE.rglob("*.py"), CORE.parent / "story" / "events.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and re.fullmatch(r"R\d+", str(node.value)):
                yield str(node.value)


def test_every_rule_that_is_cited_has_a_sentence() -> None:
    assert set(cited()) == set(RULES)
    assert all(text.endswith(".") and text[0].isupper() for text in RULES.values())


def test_every_verdict_and_every_kind_has_a_text() -> None:
    assert set(VERDICTS) == set(Verdict)
    assert set(KINDS) == set(Kind)
    assert set(PLAYS.values()) | {Kind.TOMBSTONE} == set(Kind) - {
        *(Kind.CREATE, Kind.OPEN_WALLET, Kind.FREEZE, Kind.RELEASE, Kind.FORGET),
        *(Kind.CHARGE, Kind.WITHDRAW),
    }
    assert set(AGAIN.values()) <= set(RULES)


def test_refund_says_which_of_its_two_meanings_it_has() -> None:
    """Money out of a wallet, or a bet given back: house words in every text."""
    assert KINDS[Kind.WITHDRAW] == "refund (money out)"
    assert [KINDS[k] for k in (Kind.ROLLBACK, Kind.ROUND_ROLLBACK)] == [
        "refund of a bet",
        "refund of a round",
    ]
    assert not [text for text in (*RULES.values(), *KINDS.values()) if "withdraw" in text.lower()]


@pytest.mark.parametrize(
    "request_",
    [
        *(bet(reference="a:b:c", round="r:1"), rollback("a:b:c"), result(reference="::", round=":")),
        *(end_round("b:c", user="a"), end_round("c", user="a:b"), rollback_round("3:x", user="1:9")),
        *(expire_session("s:1", user="2:a:"), award(reference="x:y:z")),
    ],
)
def test_ids_that_hold_colons_are_told_as_they_came(request_: Any) -> None:
    """A repeat is known by its key alone: whose round, session or reference it names can be read from it."""
    asked = create(user=request_.user)
    ledger, attempts = Ledger([asked, open_wallet(user=request_.user)]), Attempts(room=10)
    played(ledger, attempts, request_, again(request_))
    first, second = events(ledger.rows_of(request_.user), attempts.take())[-2:]
    named = ("provider", "reference", "round", "session")
    told = {name: value for name, value in second.asked.items() if name in named}
    assert told.items() <= {name: getattr(request_, name, "") for name in named}.items()
    assert (second.replay, second.row, first.kind) == (True, first.row, second.kind)


def played(ledger: Ledger, attempts: Attempts, *requests: object) -> None:
    for request in requests:
        attempts.note(request, ledger.ask(request), NOW + 1)  # type: ignore[arg-type]


def test_a_repeat_is_told_with_the_rule_and_the_row_of_the_first() -> None:
    ledger, attempts = funded(), Attempts(room=10)
    undo = rollback("b-1")
    played(ledger, attempts, bet("10.0", reference="b-1"), undo, again(undo), again(undo))
    told = events(ledger.rows_of("tester"), attempts.take())
    assert [(event.kind, event.rule, event.first_rule, event.count) for event in told[-3:]] == [
        (Kind.BET, "R40", "R40", 1),
        (Kind.ROLLBACK, "R20", "R20", 1),
        (Kind.ROLLBACK, "R21", "R20", 2),
    ]
    assert told[-1].row is told[-2].row
    assert verdict_in_words(told[-1]) == "the first answer again (done)"


def test_a_refused_amount_is_told_though_it_is_no_content_of_a_rollback() -> None:
    ledger, attempts = funded(), Attempts(room=10)
    played(ledger, attempts, bet("10.0", reference="b-1"))
    played(ledger, attempts, *(rollback("b-1", amount, uuid="u") for amount in ("11.0", "12.0", "12.0")))
    told = events([], attempts.take())
    assert [(event.asked["amount"], event.rule, event.count) for event in told] == [
        ("11.0", "R25", 1),
        ("12.0", "R25", 2),
    ]


def test_a_transfer_is_found_again_by_the_transaction_of_its_partner() -> None:
    ledger, attempts = funded(), Attempts(room=10)
    played(ledger, attempts, charge("1.0", uuid="u-1", transaction="t-1"))
    played(ledger, attempts, charge("1.0", uuid="u-2", transaction="t-1"))
    played(ledger, attempts, withdraw("1.0", uuid="u-3", transaction="t-1"))
    lines = attempts.take()
    assert {line.key for line in lines} == {"x:t-1"}
    told = events(ledger.rows_of("tester"), lines)[-2:]
    assert [(event.verdict, event.rule, event.asked["transaction"]) for event in told] == [
        (Verdict.ALREADY_TRANSFERRED, "R3", "t-1"),
        (Verdict.KEY_CONFLICT, "R5", "t-1"),
    ]
    assert told[0].row is ledger.rows[-1]


def test_a_players_rows_keep_their_order_whatever_the_clocks_said() -> None:
    ledger = funded()
    late, early = (msgspec.structs.replace(ledger.rows_of("tester")[n], at=at) for n, at in ((1, 9), (2, 5)))
    other = msgspec.structs.replace(ledger.rows_of(OTHER)[0], at=7)
    assert [event.row for event in events([early, other, late], [])] == [other, late, early]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_was_decided_can_be_told(seed: int) -> None:
    """Any traffic: every request is in the story once, each repeat has its row, the money is the ledger's."""
    ledger, attempts = Ledger([]), Attempts(room=10_000)
    kept = 0
    for number, request in enumerate(traffic(Random(seed), 1_500)):
        decision = ledger.ask(request)
        attempts.note(request, decision, NOW + number * MINUTE)
        kept += bool(decision.rows) or not isinstance(request, Look | LookTransfer | SetFrozen)
    told = events(ledger.rows, attempts.take())
    assert sum(event.count for event in told) == kept
    for event in told:
        assert event.replay == (event.row is not None and not event.rows)
        assert event.rule in RULES
        assert asked_in_words(event)
        assert all(row_in_words(row) for row in event.rows)
    assert {key: amount for key, amount in moved(ledger.rows).items() if amount} == {
        key: amount for key, amount in ledger.balances().items() if amount
    }
