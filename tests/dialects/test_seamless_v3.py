"""The seamless door, edition 3: bytes to Request, decision to bytes, every word (wire.md 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from caisse.audit.audit import Totals
from caisse.core.book import wants
from caisse.core.money import UNIT, show
from caisse.core.policy import Policy
from caisse.core.requests import Bet, Look, Result, Rollback
from caisse.dialects.seamless_v3.door import SeamlessV3
from caisse.dialects.wire.door import Answer
from caisse.ids import id_source
from tests.support.harness import KEY, Desk, Said, asked, funded, packed, play_body, told, uuid
from tests.support.harness import world as world_
from tests.support.ledger import Account, audited

DOOR = SeamlessV3()
QUERY = f"authToken={KEY}"
SHARED = {"sid": "s1", "userid": "421", "currency": "USD", "uuid": "u-1"}
GAME = {"gametype": "slots", "gameid": "g1", "gamename": "Game"}
PLAYED = {**SHARED, **GAME}


def full(verb: str, changes: dict[str, Any]) -> bytes:
    """A body with every required field; `id`, `amount` … go into `transaction`, `...` leaves a field out."""
    inner = {
        name: changes.pop(name)
        for name in ("id", "amount", "jackpot", "win", "is_end_round")
        if name in changes
    }
    fields: dict[str, Any] = dict(SHARED)
    if verb in ("bet", "win", "cancel"):
        amount = {} if verb == "cancel" else {"amount": "10.0"}
        fields = {**PLAYED, "transaction": {"id": "r1", **amount, **inner}}
        fields["transaction"] = {k: v for k, v in fields["transaction"].items() if v is not ...}
    return packed({name: value for name, value in {**fields, **changes}.items() if value is not ...})


def called(verb: str, **changes: Any) -> Said:
    return Said(f"/seamless/v3/{verb}", full(verb, changes), QUERY)


def answered(desk: Desk, verb: str, **changes: Any) -> Answer:
    return desk.send(DOOR, called(verb, **changes))


def said(desk: Desk, verb: str, **changes: Any) -> dict[str, Any]:
    answer = answered(desk, verb, **changes)
    assert answer.status == 200
    return told(answer)


def ok(balance: str, uuid: str = "u-1", *, again: bool = False) -> Answer:
    mark = ',"retransmission":true' if again else ""
    return Answer(200, f'{{"status":"OK","balance":"{balance}","uuid":"{uuid}"{mark}}}'.encode())


_ALL: dict[str, Any] = {"id": "t1", "partner": "demo", "user": "421", "uuid": "u-1"}
_PLAY: dict[str, Any] = {**_ALL, "provider": "luckymonaco", "session": "s1", "round": "r1", "game": "g1"}
_TEN = {"currency": "USD", "amount": 10 * UNIT}
_KEPT = '{"gametype":"slots","gamename":"Game"}'
REQUESTS: list[tuple[str, dict[str, Any], Any]] = [
    (
        "check",
        {},
        Look(**_ALL, endpoint="/seamless/v3/check", provider="luckymonaco", session="s1", currency="USD"),
    ),
    ("balance", {"currency": "usd"}, Look(**_ALL, endpoint="/seamless/v3/balance", currency="USD")),
    ("bet", {}, Bet(**_PLAY, endpoint="/seamless/v3/bet", reference="r1", details=_KEPT, **_TEN)),
    (
        "bet",
        {"amount": 10, "roundid": 77, "bonus": "b", "is_end_round": "ok"},
        Bet(
            **_PLAY,
            endpoint="/seamless/v3/bet",
            reference="r1",
            **_TEN,
            details='{"gametype":"slots","gamename":"Game","roundid":77,"bonus":"b",'
            '"transaction.is_end_round":"ok"}',
        ),
    ),
    (
        "win",
        {},
        Result(**_PLAY, endpoint="/seamless/v3/win", reference="u-1", details=_KEPT, **_TEN),
    ),
    (
        "win",
        {"jackpot": "4.0", "win": 6.0, "is_end_round": "OK", "bonus": "free-1"},
        Result(
            **_PLAY,
            endpoint="/seamless/v3/win",
            reference="u-1",
            **_TEN,
            closes=True,
            free_round=True,
            details='{"gametype":"slots","gamename":"Game","bonus":"free-1",'
            '"transaction.jackpot":"4.0","transaction.win":6.0,"transaction.is_end_round":"OK"}',
        ),
    ),
    (
        "cancel",
        {},
        Rollback(**_PLAY, endpoint="/seamless/v3/cancel", reference="r1", currency="USD", details=_KEPT),
    ),
    (
        "cancel",
        {"amount": "10", "sid": ..., "gametype": ..., "gameid": ..., "gamename": ...},
        Rollback(
            **{**_PLAY, "session": "", "game": ""}, endpoint="/seamless/v3/cancel", reference="r1", **_TEN
        ),
    ),
]


@pytest.mark.parametrize(("verb", "changes", "request_"), REQUESTS)
def test_each_verb_makes_its_request(verb: str, changes: dict[str, Any], request_: Any) -> None:
    assert asked(DOOR, called(verb, **changes), world_()) == request_


def test_names_match_in_any_letter_case_inside_the_transaction_too() -> None:
    spelled = {name.upper(): value for name, value in PLAYED.items()}
    sent = packed({**spelled, "Transaction": {"ID": "r1", "Amount": 10, "note": 1}, "extra": []})
    assert asked(DOOR, Said("/Seamless/V3/BET", sent, QUERY), world_()) == REQUESTS[2][2]


def test_a_profile_s_aliases_count_here_too() -> None:
    where = world_(policy=Policy(spellings={"account": "userid", "txn": "transaction.id"}))
    sent = packed({**PLAYED, "userid": None, "account": "421", "txn": "r1", "transaction": {"amount": 10}})
    sent = sent.replace(b'"userid": null, ', b"")
    assert asked(DOOR, Said("/seamless/v3/bet", sent, QUERY), where) == REQUESTS[2][2]


def test_a_game_s_life_byte_for_byte() -> None:
    """R40, R42, R43, R41: several wins of one round are each paid; `amount` contains the jackpot."""
    desk = funded("421")
    assert answered(desk, "check") == ok("300.0")
    assert answered(desk, "balance", uuid="u-2") == ok("300.0", "u-2")
    assert answered(desk, "bet", amount="10.000000000000000001", uuid="u-3") == ok(
        "289.999999999999999999", "u-3"
    )
    assert answered(desk, "win", amount=25.5, jackpot=20, win=5.5, uuid="u-4") == ok(
        "315.499999999999999999", "u-4"
    )
    assert answered(desk, "win", amount=25.5, uuid="u-5") == ok("340.999999999999999999", "u-5")
    assert answered(desk, "win", amount="0", is_end_round="ok", uuid="u-6") == ok(
        "340.999999999999999999", "u-6"
    )
    assert desk.book.rounds["demo", "luckymonaco", "421", "r1"].state == "ended"
    assert answered(desk, "win", amount="0.5", uuid="u-7") == ok("341.499999999999999999", "u-7")
    assert answered(desk, "cancel", id="r9", uuid="u-8") == ok("341.499999999999999999", "u-8")


def test_a_repeat_gets_the_first_answer_marked_whatever_the_profile_says() -> None:
    """R1, R2, R21, R24: balance and all, after it changed; refusals too."""
    for policy in (Policy(), Policy(retransmission=True)):
        desk = funded("421").under(policy)
        story: list[tuple[str, dict[str, Any]]] = [
            ("bet", {}),
            ("bet", {"id": "poor", "amount": "900"}),
            ("win", {"uuid": "u-2"}),
            ("win", {"uuid": "u-3", "is_end_round": "ok"}),
            ("cancel", {"uuid": "u-4"}),
            ("cancel", {"id": "unknown"}),
            ("bet", {"id": "r2"}),
            ("cancel", {"id": "r2"}),
        ]
        firsts = [answered(desk, verb, **dict(changes)) for verb, changes in story]
        for (verb, changes), first in zip(story, firsts, strict=True):
            again = answered(desk, verb, **dict(changes))
            assert again == Answer(200, first.body[:-1] + b',"retransmission":true}'), (verb, changes)


def test_a_repeat_with_another_uuid_tells_that_uuid() -> None:
    desk = funded("421")
    answered(desk, "bet")
    assert answered(desk, "bet", uuid="u-2") == ok("290.0", "u-2", again=True)


class TestWins:
    """Several wins share a round, told apart by their uuid; R5 holds for each."""

    def test_the_uuid_alone_is_a_wins_key(self) -> None:
        """R4: whatever the ids hold; the same uuid in another round is another request's (R5)."""
        desk = funded("421")
        pairs = [("a", "b"), ("a:b", "c"), ("a", "b:c"), ("a", "d"), ("b", "a:b"), ("b:c", "e")]
        for id_, number in pairs:
            answered(desk, "bet", id=id_, amount="1")
            assert "retransmission" not in said(desk, "win", id=id_, uuid=number, amount="1")
        answered(desk, "bet", id="other", amount="1")
        assert said(desk, "win", id="other", uuid="b", amount="1")["status"] == "TRANSACTION_CONFLICT"
        assert said(desk, "balance")["balance"] == "301.0"

    def test_a_canonical_uuid_is_the_same_in_any_letter_case(self) -> None:
        desk = funded("421")
        answered(desk, "bet")
        upper = uuid(1).replace("-4", "-A").upper()
        assert said(desk, "win", uuid=upper)["balance"] == "300.0"
        assert answered(desk, "win", uuid=upper.lower()) == ok("300.0", upper.lower(), again=True)

    def test_another_amount_under_the_same_uuid_is_a_conflict(self) -> None:
        """R5: nothing moves, the first verdict stands."""
        desk = funded("421")
        answered(desk, "bet")
        answered(desk, "win")
        assert said(desk, "win", amount="11.0") == {"status": "TRANSACTION_CONFLICT", "uuid": "u-1"}
        assert answered(desk, "win") == ok("300.0", again=True)

    def test_a_bonus_is_paid_without_a_bet(self) -> None:
        """R41."""
        desk = funded("421")
        assert said(desk, "win", bonus="")["status"] == "BET_NOT_FOUND"
        assert answered(desk, "win", id="r2", bonus="free-1", uuid="u-2") == ok("310.0", "u-2")


class TestCancel:
    """R20, R22, R23, R24, R25: it undoes the bet of that transaction, once; of an unknown one it is OK."""

    def test_the_stake_comes_back_once(self) -> None:
        desk = funded("421")
        answered(desk, "bet")
        assert answered(desk, "cancel") == ok("300.0")
        assert answered(desk, "cancel", uuid="u-2") == ok("300.0", "u-2", again=True)

    def test_an_unknown_transaction_is_ok_and_keeps_its_balance_for_ever(self) -> None:
        """R1, R22, R23: in the currency that was asked about, though the balance changes."""
        desk = funded("421")
        assert answered(desk, "cancel", id="late") == ok("300.0")
        assert said(desk, "bet", id="late")["status"] == "BET_CANCELLED"
        answered(desk, "bet")
        assert answered(desk, "cancel", id="late") == ok("300.0", again=True)

    def test_a_currency_without_a_wallet_has_a_balance_of_nothing_and_audits(self) -> None:
        """R52: the tombstone's currency is shown, and read by no rule."""
        desk = funded("421", where=replace(world_(), new_id=id_source()))
        assert answered(desk, "cancel", currency="EUR") == ok("0.0")
        assert answered(desk, "cancel", id="r2", currency="USD") == ok("300.0")
        assert desk.book.players["demo", "421"].wallets.keys() == {"USD"}
        assert findings(desk) == []

    def test_a_bet_that_was_refused_gives_nothing_back(self) -> None:
        """R27."""
        desk = funded("421")
        assert said(desk, "bet", amount="900")["status"] == "INSUFFICIENT_FUNDS"
        assert answered(desk, "cancel") == ok("300.0")

    def test_another_edition_s_tombstone_has_no_balance_to_tell(self) -> None:
        """R24: the row of its Refund, which names no currency, is the answer."""
        desk = funded("421")
        desk.play("Refund", play_body("Refund", reference="r1"))
        assert said(desk, "cancel") == {"status": "OK", "uuid": "u-1", "retransmission": True}

    def test_the_editions_share_bets(self) -> None:
        """R4, R20: the same keys, so a later edition's Refund undoes an older one's bet."""
        desk = funded("421")
        answered(desk, "bet")
        assert desk.play("Refund", play_body("Refund", reference="r1"))["error"] == "0"
        assert answered(desk, "cancel") == ok("300.0", again=True)

    def test_a_profile_may_refuse_what_is_unknown(self) -> None:
        desk = funded("421").under(Policy(unknown_bet=17))
        assert said(desk, "cancel") == {"status": "BET_NOT_FOUND", "uuid": "u-1"}


def findings(desk: Desk) -> list[Any]:
    rounds = list(desk.book.rounds.values())
    account = Account("demo", "421", desk.book.players["demo", "421"], rounds)
    totals = Totals()
    return [*audited(desk.book.appended, account, totals), *totals.end()]


def test_what_a_request_loads_is_its_round_and_keys() -> None:
    """R26: a cancel finds its round through the bet, a win is told by its round."""
    bet, cancel = asked(DOOR, called("bet"), world_()), asked(DOOR, called("cancel"), world_())
    wanted = wants([bet, cancel])
    assert wanted.rounds == [("demo", "luckymonaco", "421", "r1")]
    assert wanted.rolled_back == [("demo", bet.key)]


def test_show_is_what_balances_are_told_with() -> None:
    """R13: a win past 14 digits is paid, and told in full."""
    desk = funded("421", amount="99999999999999.000000000000000001")
    answered(desk, "bet", amount="0")
    balance = show(99_999_999_999_999 * UNIT + 1 + 10 * UNIT)
    assert said(desk, "win")["balance"] == balance == "100000000000009.000000000000000001"
