"""What the audit says, word for word: each check of single rows, with a row it is content with beside it."""

from __future__ import annotations

from typing import Any

import pytest

from caisse.audit.checks import anchored, balances, decisions, moves, rollbacks, unfinished
from caisse.audit.history import Anchor, Claim, Past
from caisse.audit.stored import FORMS, Played, Row
from caisse.audit.verdicts import BEYOND, MOST_BETS, verdicts
from caisse.core.money import UNIT

BET_KEY = "bet:lucky:b1"


def row(kind: str = "bet", **fields: Any) -> Row:
    """An accepted row without a movement, the player's eighth."""
    plain: dict[str, Any] = dict.fromkeys(Row.__struct_fields__, "")
    plain |= {
        **{"partner": "demo", "player": "ann", "seq": 8, "id": "d8", "part": 0, "kind": kind},
        **{"verdict": "ok", "currency": "USD", "provider": "lucky", "reference": "b1", "round": "r1"},
        **{"fingerprint": b"", "hash": b"h", "at": 1, "moved": 0, "after": 0, "wanted": 0, "details": "{}"},
    }
    made = plain | fields
    rules = FORMS[kind].verdicts.get(made["verdict"], ()) if kind in FORMS else ()
    return Row(**({"rule": min(rules, default="")} | {k: v for k, v in made.items() if k != "rule" or v}))


def played(**fields: Any) -> Played:
    return Played("demo", "ann", "lucky", "r1", **({"currency": "USD"} | fields))


def claim(kind: str = "ok", **fields: Any) -> Claim:
    plain = {"seq": 3, "kind": kind, "stake": 5 * UNIT, "currency": "USD", "round": "r1", "game": ""}
    return Claim(**(plain | fields))


def past(*, round_: Played | None = None, bet: Claim | None = None, held: int = 0, **fields: Any) -> Past:
    """Seven rows, a wallet in USD."""
    made = Past(fields.pop("anchor", None))
    made.seq, made.opened, made.last = 7, {"USD"}, row("charge", seq=7, id="d7")
    made.sums["USD"] = held
    for name, value in fields.items():
        assert hasattr(made, name)
        setattr(made, name, value)
    if round_:
        made.rounds["lucky", "r1"] = round_
    if bet:
        made.claims[BET_KEY] = bet
    return made


def said(check: Any, seen: Row, before: Past) -> list[str]:
    texts: list[str] = []
    check(seen, before, texts.append)
    return texts


ANCHOR = Anchor("demo", "ann", 8, b"h")
SECOND: dict[str, Any] = {"part": 1, "id": "d7"}
OPEN = played(standing=1)

SAID: dict[str, tuple[Any, Row, Past, str]] = {
    "an anchor that is met": (anchored, row(), past(anchor=ANCHOR), ""),
    "another row's anchor": (anchored, row(seq=9, hash=b"x"), past(anchor=ANCHOR), ""),
    "an anchor that is not met": (
        anchored,
        row(hash=b"x"),
        past(anchor=ANCHOR),
        "row 8 (d8) is not the one of the anchor: it, or a row before it, was rewritten",
    ),
    "a part without a first": (
        decisions, row(part=1), past(last=None), "row 8 is part 1 of d8, without the part before it"
    ),
    "a part of another decision": (
        decisions, row(part=1), past(), "row 8 is part 1 of d8, without the part before it"
    ),
    "a part after a hole": (
        decisions, row(part=2, id="d7"), past(), "row 8 is part 2 of d7, without the part before it"
    ),
    "a part that cannot follow": (
        decisions, row(**SECOND), past(), "row 8: a bet cannot follow a charge in one decision"
    ),
    "a part that follows": (
        decisions, row("rollback", **SECOND), past(last=row("rollback", seq=7, id="d7")), ""
    ),
    **{
        f"a part of another {name}": (
            decisions,
            row("rollback", **SECOND, **{name: 2 if name == "at" else "x"}),
            past(last=row("rollback", seq=7, id="d7")),
            "row 8 has another time, endpoint, uuid, provider or verdict than the part before it",
        )
        for name in ("at", "endpoint", "uuid", "provider", "verdict")
    },
    "a decision twice": (
        decisions,
        row(id="d7"),
        past(),
        "row 8 begins a decision under the id of the row before it, d7",
    ),
    "an unknown kind": (moves, row("gift"), past(), "row 8 is of the unknown kind 'gift'"),
    "a verdict that no such row keeps": (
        moves,
        row(verdict="key_conflict"),
        past(),
        "row 8 keeps the verdict 'key_conflict', which no bet leaves behind",
    ),
    "a rule that does not give it": (
        moves, row(rule="R10"), past(), "row 8 says that R10 gave ok to a bet, which it does not"
    ),
    "a refusal that moves": (
        moves,
        row(verdict="insufficient", moved=-UNIT, wanted=UNIT),
        past(),
        "row 8 was refused (insufficient) but moves -1.0",
    ),
    "a bet that gives": (
        moves, row(moved=UNIT, wanted=UNIT), past(), "row 8 moves 1.0: not a legal move for bet"
    ),
    "an end that takes": (
        moves, row("end_round", moved=-UNIT), past(), "row 8 moves -1.0: not a legal move for end_round"
    ),
    "a movement of less": (
        moves, row(moved=-UNIT, wanted=2 * UNIT), past(), "row 8 moves -1.0 where 2.0 was asked"
    ),
    "a negative wish": (
        moves, row(verdict="insufficient", wanted=-UNIT), past(), "row 8 was asked for -1.0"
    ),
    "a movement as asked": (moves, row(moved=-UNIT, wanted=UNIT), past(), ""),
    "a movement without a wallet": (
        balances,
        row(moved=UNIT, after=UNIT, currency="EUR"),
        past(),
        "row 8 moves EUR, of which no wallet was opened",
    ),
    "a movement of no currency": (
        balances,
        row(moved=UNIT, after=UNIT, currency=""),
        past(),
        "row 8 moves no currency, of which no wallet was opened",
    ),
    "a wrong sum": (
        balances,
        row(moved=UNIT, after=5 * UNIT),
        past(held=UNIT),
        "row 8 says 5.0 USD, the rows add up to 2.0",
    ),
    "below zero": (
        balances, row(moved=-UNIT, after=-UNIT), past(), "row 8 takes USD below zero, to -1.0"
    ),
    "down to zero": (balances, row(moved=-UNIT), past(held=UNIT), ""),
    "a beginning that is none": (
        verdicts, row(seq=1), past(seq=0), "row 1: a player begins with being created, once"
    ),
    "a beginning that was refused": (
        verdicts,
        row("create", seq=1, verdict="duplicate_player"),
        past(seq=0),
        "row 1: a player begins with being created, once",
    ),
    "a second beginning": (
        verdicts, row("create"), past(), "row 8: a player begins with being created, once"
    ),
    "the beginning": (verdicts, row("create", seq=1), past(seq=0), ""),
}  # fmt: skip

CLAIMED: dict[str, tuple[Row, Past, str]] = {
    "no such wallet": (row(currency="EUR"), past(), "there was no EUR wallet"),
    "no wallet at all": (row(currency=""), past(), "there was no such wallet"),
    "a wallet twice": (row("open_wallet"), past(), "the wallet was open already"),
    "a wallet": (row("open_wallet", currency="EUR"), past(), ""),
    "a charge to the limit": (
        row("charge", wanted=1), past(held=BEYOND - 1), "the balance passes 14 digits"
    ),
    "a charge just below": (row("charge", wanted=1), past(held=BEYOND - 2), ""),
    "a charge that was too fine": (row("charge", verdict="too_many_decimals", wanted=1), past(), ""),
    "a charge of an unknown wallet that was too fine": (
        row("charge", verdict="wallet_unknown", currency="EUR", wanted=1), past(), ""
    ),
    "a withdrawal of more": (
        row("withdraw", wanted=UNIT), past(held=UNIT - 1), "there were only 0.999999999999999999"
    ),
    "a lack of money while frozen": (
        row("withdraw", verdict="insufficient", wanted=UNIT), past(frozen=True), "the player was frozen"
    ),
    "a withdrawal while frozen": (row("withdraw"), past(frozen=True), "the player was frozen"),
    "a withdrawal": (row("withdraw"), past(), ""),
    "a bet while frozen": (row(), past(frozen=True), "the player was frozen"),
    "a bet after the session": (
        row(session="s1"), past(over={("lucky", "s1")}), "the session s1 was over"
    ),
    "a bet after another's session": (row(session="s1"), past(over={("other", "s1")}), ""),
    "a bet of no session": (row(), past(over={("lucky", "")}), ""),
    "a bet after the round": (row(), past(round_=played(state="ended")), "the round was ended"),
    "a bet after a rollback": (
        row(), past(round_=played(state="refunded")), "its bet or round was rolled back before it came"
    ),
    "a bet too many": (row(), past(round_=played(bets=MOST_BETS)), "its round held 1,000 bets"),
    "the last bet of a round": (row(), past(round_=played(bets=MOST_BETS - 1)), ""),
    "a round that was not full": (
        row(verdict="round_full"), past(round_=played(bets=999)), "its round did not hold 1,000 bets"
    ),
    "a round that was full": (row(verdict="round_full"), past(round_=played(bets=MOST_BETS)), ""),
    "a full round after its end": (
        row(verdict="round_full"), past(round_=played(bets=MOST_BETS, state="ended")), "the round was ended"
    ),
    "a game that was off": (row(verdict="game_disabled"), past(), ""),
    "a game that was off while frozen": (
        row(verdict="game_disabled"), past(frozen=True), "the player was frozen"
    ),
    "a currency that was off, in an ended round": (
        row(verdict="currency_unsupported"), past(round_=played(state="ended")), ""
    ),
    "a currency that was off, in a round rolled back": (
        row(verdict="currency_unsupported"),
        past(round_=played(state="refunded")),
        "its bet or round was rolled back before it came",
    ),
    "forgotten with money": (row("forget", currency=""), past(held=1), "money stood"),
    "forgotten with an open bet": (
        row("forget", currency=""),
        past(round_=OPEN, bet=claim(), bets={("lucky", "r1"): [BET_KEY]}),
        "a bet was open",
    ),
    "forgotten after the round's end": (
        row("forget", currency=""),
        past(round_=played(standing=1, settled_seq=4), bet=claim(), bets={("lucky", "r1"): [BET_KEY]}),
        "",
    ),
    "an award in another currency than the round's": (
        row("bonus"), past(round_=played(currency="EUR")), "its round is in EUR"
    ),
    "an award without its wallet": (row("bonus", currency="EUR"), past(), "there was no EUR wallet"),
    "a bet in another currency": (row(), past(round_=played(currency="EUR")), "its round is in EUR"),
    "a bet in a round of none yet": (row(), past(round_=played(currency="")), ""),
    "a result without a bet": (row("result"), past(), "no bet of its round stood"),
    "a result after the bets": (
        row("result"), past(round_=played(standing=0)), "no bet of its round stood"
    ),
    "a free round's result": (row("result", details='{"bonus_code":"x"}'), past(), ""),
    "a result": (row("result"), past(round_=OPEN), ""),
    "a result in another currency": (
        row("result"), past(round_=played(standing=1, currency="EUR")), "its round is in EUR"
    ),
    "a wallet that was not there twice": (
        row("open_wallet", verdict="duplicate_wallet", currency="EUR"), past(), "there was no such wallet"
    ),
    "a wallet that was there": (row("open_wallet", verdict="duplicate_wallet"), past(), ""),
    "an unknown wallet that was there": (row(verdict="wallet_unknown"), past(), "there was a USD wallet"),
    "an unknown wallet": (row(verdict="wallet_unknown", currency="EUR"), past(), ""),
    "a limit that was not": (
        row("charge", verdict="balance_limit", wanted=UNIT),
        past(held=UNIT),
        "the balance would have been 2.0",
    ),
    "a limit": (row("charge", verdict="balance_limit", wanted=1), past(held=BEYOND - 1), ""),
    "a lack that was none": (
        row(verdict="insufficient", wanted=UNIT), past(held=UNIT), "there were 1.0"
    ),
    "a lack": (row(verdict="insufficient", wanted=UNIT), past(held=UNIT - 1), ""),
    "no frost": (row(verdict="player_frozen"), past(), "the player was not frozen"),
    "frost": (row(verdict="player_frozen"), past(frozen=True), ""),
    "a session that was not over": (
        row(verdict="session_expired", session="s1"), past(), "the session s1 was not over"
    ),
    "a session that was over": (
        row(verdict="session_expired", session="s1"), past(over={("lucky", "s1")}), ""
    ),
    "another currency that is the same": (
        row(verdict="round_currency"), past(round_=OPEN), "its round is in that currency"
    ),
    "another currency": (row(verdict="round_currency"), past(round_=played(currency="EUR")), ""),
    "an end that was not": (row(verdict="round_ended"), past(round_=OPEN), "the round was not ended"),
    "an end of no round": (row(verdict="round_ended"), past(), "the round was not ended"),
    "an end": (row(verdict="round_ended"), past(round_=played(state="ended")), ""),
    "a late bet of an open round": (
        row(verdict="late_bet"), past(round_=OPEN), "its round was not rolled back"
    ),
    "a late bet of no round": (row(verdict="late_bet"), past(), "its round was not rolled back"),
    "a late bet of a round": (row(verdict="late_bet"), past(round_=played(state="refunded")), ""),
    "a late bet before its tombstone": (
        row(verdict="absorbed", key="late:lucky:b1"), past(), "no tombstone of b1 came before"
    ),
    "no money after its tombstone": (
        row(verdict="insufficient", key="late:lucky:b1", wanted=UNIT),
        past(bet=claim("tombstone")),
        "its bet or round was rolled back before it came",
    ),
    "a late bet after a bet": (
        row(verdict="late_bet", key="late:lucky:b1"), past(bet=claim()), "no tombstone of b1 came before"
    ),
    "a late bet": (row(verdict="late_bet", key="late:lucky:b1"), past(bet=claim("tombstone")), ""),
    "a bet that stood": (
        row("result", verdict="no_standing_bet"), past(round_=OPEN), "a bet of its round stood"
    ),
    "no bet that stood": (row("result", verdict="no_standing_bet"), past(round_=played()), ""),
    "no bet of no round": (row("result", verdict="no_standing_bet"), past(), ""),
    "a round that is unknown": (row("round_rollback"), past(), "the round was unknown"),
    "a settled round that is unknown": (
        row("round_rollback", verdict="bet_settled"), past(), "the round was unknown"
    ),
    "a round that is known": (
        row("round_rollback", verdict="tombstone"), past(round_=OPEN), "the round was known"
    ),
    "a round": (row("round_rollback"), past(round_=OPEN), ""),
    "an unknown round": (row("round_rollback", verdict="unknown_bet"), past(), ""),
    "a round with a win, rolled back": (
        row("round_rollback"), past(round_=played(won=1)), "a win of the round was paid"
    ),
    "a round with a jackpot": (
        row("round_rollback", verdict="round_won"), past(round_=played(jackpot=1)), ""
    ),
    "a round without a win": (
        row("round_rollback", verdict="round_won"), past(round_=OPEN), "no win of the round was paid"
    ),
    "a settled round that was open": (
        row("round_rollback", verdict="bet_settled"),
        past(round_=OPEN, bet=claim(), bets={("lucky", "r1"): [BET_KEY]}),
        "an unsettled bet of the round stood, or none at all",
    ),
    "a settled round": (
        row("round_rollback", verdict="bet_settled"),
        past(round_=played(standing=1, settled_seq=4), bet=claim(), bets={("lucky", "r1"): [BET_KEY]}),
        "",
    ),
}  # fmt: skip

ROLLED_BACK: dict[str, tuple[Row, Past, str]] = {
    "no bet": (row("rollback"), past(), "rolls back b1, which is no accepted bet before it"),
    "a refused bet": (
        row("rollback"), past(bet=claim("refused")), "rolls back b1, which is no accepted bet before it"
    ),
    "twice": (
        row("rollback", moved=5 * UNIT), past(bet=claim(decided=True)), "rolls back b1 a second time"
    ),
    **{
        f"another {name}": (
            row("rollback", moved=5 * UNIT, **{name: "x"}),
            past(bet=claim()),
            "names another currency, round or game than the bet b1",
        )
        for name in ("currency", "round", "game")
    },
    "settled, in no round": (
        row("rollback", verdict="bet_settled"),
        past(bet=claim()),
        "says that b1 was settled, which it was not",
    ),
    "settled before the bet": (
        row("rollback", verdict="bet_settled"),
        past(bet=claim(), round_=played(settled_seq=3)),
        "says that b1 was settled, which it was not",
    ),
    "settled": (
        row("rollback", verdict="bet_settled"), past(bet=claim(), round_=played(settled_seq=4)), ""
    ),
    "too much": (
        row("rollback", moved=6 * UNIT), past(bet=claim()), "gives back 6.0 of a stake of 5.0"
    ),
    "nothing": (row("rollback"), past(bet=claim()), "gives back 0.0 of a stake of 5.0"),
    "less, in a round's": (
        row("rollback", moved=UNIT, part=1), past(bet=claim()), "gives back 1.0 of a stake of 5.0"
    ),
    "less": (row("rollback", moved=1), past(bet=claim()), ""),
    "all": (row("rollback", moved=5 * UNIT, part=1), past(bet=claim()), ""),
    "a free bet": (row("rollback"), past(bet=claim(stake=0)), ""),
    "an unknown bet that is known": (
        row("tombstone", key=BET_KEY), past(bet=claim()), "says that b1 is unknown: row 3 knows it"
    ),
    "an unknown bet": (row("tombstone", key=BET_KEY), past(), ""),
    "a refused bet that was not": (
        row("tombstone", key="rollback:lucky:b1"),
        past(bet=claim()),
        "says that b1 was refused, which it was not",
    ),
    "a refused bet that is unknown": (
        row("tombstone", key="rollback:lucky:b1"), past(), "says that b1 was refused, which it was not"
    ),
    "a bet that was refused": (
        row("tombstone", key="rollback:lucky:b1"), past(bet=claim("refused")), ""
    ),
}  # fmt: skip


@pytest.mark.parametrize(("check", "seen", "before", "wanted"), SAID.values(), ids=SAID.keys())
def test_a_row_is_told_wrong_for_what_it_is(check: Any, seen: Row, before: Past, wanted: str) -> None:
    assert said(check, seen, before) == ([wanted] if wanted else [])


@pytest.mark.parametrize(("seen", "before", "wanted"), CLAIMED.values(), ids=CLAIMED.keys())
def test_a_verdict_is_held_against_the_past(seen: Row, before: Past, wanted: str) -> None:
    text = f"row 8 ({seen.kind}) says {seen.verdict}, but {wanted}"
    assert said(verdicts, seen, before) == ([text] if wanted else [])


@pytest.mark.parametrize(("seen", "before", "wanted"), ROLLED_BACK.values(), ids=ROLLED_BACK.keys())
def test_a_rollback_is_held_against_its_bet(seen: Row, before: Past, wanted: str) -> None:
    assert said(rollbacks, seen, before) == ([f"row 8 {wanted}"] if wanted else [])


def test_bets_that_a_rounds_rollback_leaves_out_are_named_three_at_most() -> None:
    text = "row 7 ends a round's rollback that leaves out b1, b2, b3"
    keys = {f"b{n}" for n in range(1, 5)}
    before = past(owed=set(keys))
    assert said(rollbacks, row("charge"), before) == [text]
    assert said(rollbacks, row("charge"), before) == []
    assert said(rollbacks, row("end_round", part=1), past(owed=set(keys))) == []
    texts: list[str] = []
    unfinished(past(owed=keys), texts.append)
    unfinished(past(), texts.append)
    assert texts == [text]


def test_a_bet_that_is_given_back_is_owed_no_longer() -> None:
    before = past(owed={BET_KEY, "bet:lucky:b2"}, bet=claim())
    assert said(rollbacks, row("rollback", part=1, moved=5 * UNIT), before) == []
    assert before.owed == {"bet:lucky:b2"}
