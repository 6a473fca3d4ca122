"""R1–R15: keys, finality, and the money of the transfer door. Each case names its rule."""

from __future__ import annotations

from typing import Any

import pytest

from caisse.core.entries import Kind
from caisse.core.money import LIMIT, UNIT
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.verdicts import UNKEPT, Verdict
from tests.support.ledger import (
    NOW,
    OTHER,
    Case,
    Ledger,
    again,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    freeze,
    funded,
    look,
    look_transfer,
    open_wallet,
    play,
    promo,
    result,
    rollback,
    rollback_round,
    withdraw,
)

ATOM = "0.000000000000000001"
HIGHEST = "99999999999999.999999999999999999"
TO_THE_LIMIT = "99999999999699.999999999999999999"  # on top of 300.0

V = Verdict
CASES = {
    "R10 covered": Case([], withdraw("200.0"), V.OK, "100.0", rule="R10"),
    "R10 an atom": Case([], withdraw(ATOM), V.OK, "299.999999999999999999"),
    "R10 an atom too much": Case([], withdraw("300." + ATOM[2:]), V.INSUFFICIENT, "300.0", rule="R10"),
    "R10 the most that can be asked": Case([], withdraw(HIGHEST), V.INSUFFICIENT, "300.0"),
    "R10 nothing left": Case([withdraw("300.0")], withdraw(ATOM), V.INSUFFICIENT, "0.0"),
    "R10 no more than what bets left": Case([bet("10.0")], withdraw("290.1"), V.INSUFFICIENT, "290.0"),
    "R11 the whole balance": Case([], withdraw("300.0"), V.OK, "0.0", rule="R10"),
    "R11 the whole after bet and win": Case([bet("10.0"), result("25.0")], withdraw("315.0"), V.OK, "0.0"),
    "R14 a charge": Case([], charge("0.05"), V.OK, "300.05", rule="R14"),
    "R13 up to the limit": Case([], charge(TO_THE_LIMIT), V.OK, HIGHEST),
    "R13 an atom past it": Case([charge(TO_THE_LIMIT)], charge(ATOM), V.BALANCE_LIMIT, HIGHEST, rule="R13"),
    "R13 far past it": Case([charge(TO_THE_LIMIT)], charge(HIGHEST), V.BALANCE_LIMIT, HIGHEST),
    "R13 again room": Case([charge(TO_THE_LIMIT), withdraw(ATOM)], charge(ATOM), V.OK, HIGHEST),
    "R13 a win is paid past it": Case(
        [bet("10.0"), charge("99999999999709.0")], result(HIGHEST), V.OK, "199999999999998.999999999999999999"
    ),
    "R13 a rollback is paid past it": Case(
        [bet("10.0"), charge("99999999999709.0")], rollback(), V.OK, "100000000000009.0"
    ),
    "R13 an award is paid past it": Case(
        [charge(TO_THE_LIMIT)], award("jackpot"), V.OK, "100000000000006." + "9" * 18
    ),
    "R13 a balance past it can be taken out": Case(
        [charge(TO_THE_LIMIT), award("bonus", HIGHEST)], withdraw(HIGHEST), V.OK, HIGHEST
    ),
    "R13 no charge onto a balance past it": Case(
        [charge(TO_THE_LIMIT), award("bonus", "1.0")],
        charge(ATOM),
        V.BALANCE_LIMIT,
        "100000000000000." + "9" * 18,
    ),
    "R8 a charge without its wallet is kept": Case(
        [], charge(currency="EUR"), V.WALLET_UNKNOWN, "300.0", rule="R8"
    ),
    "R8 a withdrawal without its wallet is kept": Case(
        [], withdraw("1.0", currency="EUR"), V.WALLET_UNKNOWN, "300.0"
    ),
    "R54 one currency does not cover another": Case(
        [open_wallet("EUR")], withdraw("1.0", currency="EUR"), V.INSUFFICIENT, "300.0"
    ),
    "R3 a second player of that id": Case([], create(name="Else"), V.DUPLICATE_PLAYER, "300.0"),
    "R3 a second wallet of that currency": Case([], open_wallet(), V.DUPLICATE_WALLET, "300.0"),
    "R3 a wallet": Case([], open_wallet("BTC"), V.OK, "300.0"),
    "R15 frozen: charge": Case([freeze()], charge("1.0"), V.OK, "301.0"),
    "R15 frozen: withdraw": Case([freeze()], withdraw("1.0"), V.PLAYER_FROZEN, "300.0", rule="R15"),
    "R15 frozen: withdraw more than there is": Case([freeze()], withdraw("900.0"), V.PLAYER_FROZEN, "300.0"),
    "R15 frozen: withdraw from no wallet": Case(
        [freeze()], withdraw(currency="EUR"), V.WALLET_UNKNOWN, "300.0"
    ),
    "R15 frozen: bet": Case([freeze()], bet("1.0"), V.PLAYER_FROZEN, "300.0", rule="R15"),
    "R15 frozen: bet of zero": Case([freeze()], bet("0"), V.PLAYER_FROZEN, "300.0"),
    "R15 frozen: result": Case([bet("10.0"), freeze()], result("25.0"), V.OK, "315.0"),
    "R15 R30 frozen: rollback": Case([bet("10.0"), freeze()], rollback(), V.OK, "300.0"),
    "R15 R30 frozen: tombstone": Case([freeze()], rollback(), V.TOMBSTONE, "300.0"),
    "R15 R30 frozen: rollback of the round": Case(
        [bet("10.0"), freeze()], rollback_round(), V.OK, "300.0", rows=2
    ),
    "R15 frozen: end of round": Case([bet("10.0"), freeze()], end_round(), V.OK, "290.0"),
    "R15 frozen: bonus": Case([freeze()], award("bonus"), V.OK, "307.0"),
    "R15 frozen: jackpot": Case([freeze()], award("jackpot"), V.OK, "307.0"),
    "R15 frozen: promo": Case([freeze()], award("promo"), V.OK, "307.0"),
    "R15 frozen: wallet": Case([freeze()], open_wallet("EUR"), V.OK, "300.0"),
    "R15 released: withdraw": Case([freeze(), freeze(False)], withdraw("1.0"), V.OK, "299.0"),
    "R15 released: bet": Case([freeze(), freeze(False)], bet("1.0"), V.OK, "299.0"),
    "R15 the other player is not frozen": Case([freeze(user=OTHER)], bet("1.0"), V.OK, "299.0"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_case(case: Case) -> None:
    play(case)


# For each kind: what must be asked before it is accepted, the request, and all that R5 calls its content.
KINDS: dict[str, tuple[list[Request], Any, list[dict[str, Any]]]] = {
    "create": ([], create(user="newcomer"), [{"name": "Else"}, {"user": "somebody"}]),
    "open_wallet": ([], open_wallet("EUR"), [{"currency": "BTC"}, {"user": OTHER}]),
    "charge": ([], charge(), [{"amount": 1}, {"currency": "EUR"}, {"user": OTHER}]),
    "withdraw": ([], withdraw(), [{"amount": 1}, {"currency": "EUR"}, {"user": OTHER}]),
    "bet": (
        [],
        bet(),
        [{"amount": 1}, {"currency": "EUR"}, {"round": "r2"}, {"user": OTHER}],
    ),
    "result": (
        [bet()],
        result(),
        [{"amount": 1}, {"round": "r2"}, {"promo": promo()}, {"user": OTHER}],
    ),
    "result with a promotional win": (
        [bet()],
        result(promo=promo()),
        [{"promo": None}, {"promo": promo("6.0")}, {"promo": promo("5.0", "promo-2")}],
    ),
    "end_round": ([bet()], end_round(), []),
    "bonus": ([], award("bonus"), [{"amount": 1}, {"currency": "USD"}, {"user": OTHER}]),
    "jackpot": ([], award("jackpot"), [{"amount": 1}, {"currency": "USD"}, {"user": OTHER}]),
    "promo": ([], award("promo", currency="USD"), [{"amount": 1}, {"currency": "EUR"}, {"user": OTHER}]),
    "session": ([], expire_session(), []),
    "tombstone": ([], rollback(), [{"user": OTHER}]),
    "closed round": ([], rollback_round(), []),
}
OTHERS: list[Any] = [
    pytest.param(before, request_, change, id=f"R5 {name}: another {next(iter(change))}")
    for name, (before, request_, changes) in KINDS.items()
    for change in changes
]


@pytest.mark.parametrize(("before", "first", "change"), OTHERS)
def test_the_same_key_with_other_content_moves_nothing_and_the_first_verdict_stands(
    before: list[Request], first: Any, change: dict[str, Any]
) -> None:
    ledger = funded()
    for request in before:
        ledger.ask(request)
    verdict = ledger.ask(first)
    ledger.ask(create(user="somebody")) if "somebody" in change.values() else None
    books, rows = ledger.balances(), list(ledger.rows)
    other = ledger.ask(again(first, **change))
    assert other.verdict is Verdict.KEY_CONFLICT
    assert (other.rule, other.row, other.rows) == ("R5", None, ())
    assert (ledger.balances(), ledger.rows) == (books, rows)
    assert (ledger.ask(again(first)).verdict, ledger.ask(again(first)).row) == (verdict.verdict, verdict.row)
    assert ledger.findings() == []


PLAYED = ("bet", "result", "bonus", "tombstone")


def not_content(name: str) -> list[dict[str, Any]]:
    """What R5 does not name, as far as a kind of request has it."""
    changes: list[dict[str, Any]] = [{"endpoint": "/elsewhere"}]
    if name not in ("create", "open_wallet", "charge", "withdraw"):
        changes.append({"uuid": "another"})
    if name in PLAYED:
        changes += [{"session": "another"}, {"details": '{"a": 1}'}]
    if name == "bonus":
        changes.append({"name": "another"})
    if name == "tombstone":
        changes += [{"amount": 1}, {"round": "r9"}, {"game": "dice"}]
    return changes


NOT_CONTENT: list[Any] = [
    pytest.param(before, request_, change, id=f"R5 {name}: another {next(iter(change))}")
    for name, (before, request_, _) in KINDS.items()
    for change in not_content(name)
]


@pytest.mark.parametrize(("before", "first", "change"), NOT_CONTENT)
def test_what_is_no_content_may_differ_under_one_key(
    before: list[Request], first: Any, change: dict[str, Any]
) -> None:
    ledger = funded()
    for request in before:
        ledger.ask(request)
    verdict, rows = ledger.ask(first), list(ledger.rows)
    second = ledger.ask(again(first, **change))
    assert (second.verdict, second.row, second.replay) == (verdict.verdict, verdict.row, True)
    assert ledger.rows == rows


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (charge("1.0", uuid="u"), withdraw("1.0", uuid="u")),
        (withdraw("1.0", uuid="u"), charge("1.0", uuid="u")),
        (create(user="u", uuid="u"), open_wallet("EUR", uuid="u")),
        (open_wallet("EUR", uuid="u"), charge("1.0", currency="EUR", uuid="u")),
    ],
)
def test_R5_the_verb_is_content(first: Request, second: Request) -> None:
    ledger = funded()
    ledger.ask(first)
    books, rows = ledger.balances(), list(ledger.rows)
    assert ledger.ask(second).verdict is Verdict.KEY_CONFLICT
    assert (ledger.balances(), ledger.rows) == (books, rows)


NAMESPACES: list[Any] = [
    bet("1.0", "x"),
    result("1.0", "x"),
    award("bonus", "1.0", "x"),
    award("jackpot", "1.0", "x"),
    award("promo", "1.0", "x"),
    end_round(),
    expire_session("x"),
    charge("1.0", uuid="x"),
]


def test_R4_every_kind_and_provider_has_a_name_space_of_its_own() -> None:
    ledger = funded()
    for request in NAMESPACES:
        assert ledger.ask(request).verdict is Verdict.OK
    for request in NAMESPACES[:-1]:
        assert ledger.ask(again(request, provider="second")).verdict is Verdict.OK
    assert ledger.balance() == "307.0"  # twice -1 +1 +1 +1 +1, then the charge
    assert ledger.findings() == []


def test_R3_a_key_is_the_partners_own() -> None:
    ledger = funded()
    for request in (create(), open_wallet(), charge("8.0", uuid="u", transaction="t"), bet("3.0", "x")):
        ledger.ask(request)
        assert ledger.ask(again(request, partner="second")).verdict is Verdict.OK
    assert ledger.balance() == "305.0"
    assert ledger.balance(partner="second") == "5.0"
    assert ledger.findings() == []


def test_R2_a_refusal_sticks_after_the_money_came() -> None:
    ledger = funded()
    late = withdraw("400.0")
    refused = ledger.ask(late)
    ledger.ask(charge("500.0"))
    second = ledger.ask(again(late))
    assert (second.verdict, second.row, second.rows) == (Verdict.INSUFFICIENT, refused.row, ())
    assert refused.row is not None
    assert (refused.row.amount, refused.row.asked, refused.row.balance) == (0, 400 * UNIT, 300 * UNIT)
    assert ledger.balance() == "800.0"


def test_R1_the_first_answer_for_ever_whatever_happened_since() -> None:
    ledger = funded()
    asked = withdraw("200.0")
    first = ledger.ask(asked)
    for request in (charge("5.0"), withdraw("100.0"), freeze(), bet("1.0")):
        ledger.ask(request)
    for _ in range(3):
        second = ledger.ask(again(asked), now=NOW + 10**12)
        assert (second.verdict, second.row, second.replay) == (Verdict.OK, first.row, True)
    assert first.row is not None
    assert (first.row.balance, first.row.id, first.row.at) == (100 * UNIT, asked.id, NOW)


REQUESTS: list[Request] = [
    *(open_wallet(), charge(), withdraw(), freeze(), look(), look("USD"), look_transfer("t")),
    *(bet(), result(), rollback(), rollback_round(), end_round(), expire_session()),
    *(award("bonus"), award("jackpot"), award("promo")),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: type(r).__name__)
def test_R8_nothing_is_kept_for_a_player_that_does_not_exist(request_: Request) -> None:
    ledger = funded()
    rows, books = list(ledger.rows), ledger.balances()
    decision = ledger.ask(again(request_, user="nobody"), Policy(unknown_bet=7, refund_by_round=True))
    assert (decision.verdict, decision.row, decision.rows) == (Verdict.PLAYER_UNKNOWN, None, ())
    assert (ledger.rows, ledger.balances()) == (rows, books)
    assert ("demo", "nobody") not in ledger.book.players


@pytest.mark.parametrize("request_", REQUESTS[1:3] + REQUESTS[7:10], ids=lambda r: type(r).__name__)
def test_R8_a_player_created_later_may_use_the_key(request_: Any) -> None:
    ledger = funded()
    asked = again(request_, user="late")
    assert ledger.ask(asked).verdict is Verdict.PLAYER_UNKNOWN
    ledger.ask(create(user="late"))
    assert ledger.ask(again(asked)).verdict not in (Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT)
    assert ledger.findings() == []


class TestTransactionIds:
    """R3: what transfer V4 adds, a second key of the partner's own."""

    @pytest.mark.parametrize(("request_", "after"), [(charge, "310.0"), (withdraw, "290.0")])
    def test_the_same_uuid_gets_the_first_answer(self, request_: Any, after: str) -> None:
        ledger = play(Case([], request_("10.0", transaction="t1"), Verdict.OK, after))
        assert ledger.rows[-1].second_key == "x:t1"

    @pytest.mark.parametrize(("request_", "after"), [(charge, "310.0"), (withdraw, "290.0")])
    def test_a_new_uuid_after_a_success_is_told_that_it_exists(self, request_: Any, after: str) -> None:
        ledger, asked = funded(), request_("10.0", transaction="t1")
        first, rows = ledger.ask(asked), list(ledger.rows)
        for uuid in ("new", "newer", "new"):
            second = ledger.ask(again(asked, uuid=uuid))
            assert (second.verdict, second.row, second.replay) == (
                Verdict.ALREADY_TRANSFERRED,
                first.row,
                True,
            )
        assert (ledger.balance(), ledger.rows) == (after, rows)
        assert ledger.ask(again(asked)).verdict is Verdict.OK

    def test_a_new_uuid_after_a_refusal_gets_that_refusal(self) -> None:
        ledger, asked = funded(), withdraw("400.0", transaction="t1")
        first = ledger.ask(asked)
        ledger.ask(charge("500.0"))
        rows = list(ledger.rows)
        second = ledger.ask(again(asked, uuid="new"))
        assert (second.verdict, second.row, second.replay) == (Verdict.INSUFFICIENT, first.row, True)
        assert (ledger.balance(), ledger.rows) == ("800.0", rows)

    @pytest.mark.parametrize(
        "second",
        [
            charge("10.1", transaction="t1"),
            charge("10.0", transaction="t1", user=OTHER),
            charge("10.0", transaction="t1", currency="EUR"),
            withdraw("10.0", transaction="t1"),
            charge("10.0", transaction="t2", uuid="u1"),
            charge("10.0", uuid="u1"),
            withdraw("10.0", transaction="t1", uuid="u1"),
        ],
        ids=["amount", "player", "currency", "charge against refund", "other id", "no id", "verb, same uuid"],
    )
    def test_other_content_is_refused(self, second: Request) -> None:
        ledger = funded()
        ledger.ask(open_wallet("EUR"))
        ledger.ask(charge("10.0", transaction="t1", uuid="u1"))
        books, rows = ledger.balances(), list(ledger.rows)
        decision = ledger.ask(second)
        assert (decision.verdict, decision.rows) == (Verdict.KEY_CONFLICT, ())
        assert (ledger.balances(), ledger.rows) == (books, rows)

    def test_without_a_transaction_id_two_uuids_are_two_transfers(self) -> None:
        ledger = funded()
        ledger.ask(charge("10.0"))
        ledger.ask(charge("10.0"))
        assert ledger.balance() == "320.0"

    def test_it_can_be_looked_up_by_its_player_alone(self) -> None:
        ledger = funded()
        first = ledger.ask(withdraw("10.0", transaction="t1"))
        rows = list(ledger.rows)
        assert ledger.ask(look_transfer("t1")).row == first.row
        for unknown in (look_transfer("t2"), look_transfer("t1", user=OTHER)):
            assert ledger.ask(unknown).verdict is Verdict.TRANSFER_UNKNOWN
        assert ledger.rows == rows

    def test_without_an_id_the_newest_is_looked_up_be_it_refused(self) -> None:
        ledger = Ledger([create(), open_wallet()])
        assert ledger.ask(look_transfer("")).verdict is Verdict.TRANSFER_UNKNOWN
        for request in (charge("10.0"), withdraw("3.0"), withdraw("99.0")):
            transfer = ledger.ask(request)
            ledger.ask(open_wallet("EUR"))
            told = ledger.ask(look_transfer(""))
            assert (told.verdict, told.row, told.rows) == (transfer.verdict, transfer.row, ())

    def test_without_an_id_the_players_newest_is_shown(self) -> None:
        ledger = funded()
        ledger.ask(charge("10.0", transaction="t1"))
        newest = ledger.ask(withdraw("900.0", transaction="t2"))
        ledger.ask(bet())
        rows = list(ledger.rows)
        shown = ledger.ask(look_transfer(""))
        assert (shown.verdict, shown.row) == (Verdict.INSUFFICIENT, newest.row)
        assert ledger.ask(look_transfer("", user=OTHER)).row == ledger.rows_of(OTHER)[-1]
        ledger.ask(create(user="poor"))
        assert ledger.ask(look_transfer("", user="poor")).verdict is Verdict.TRANSFER_UNKNOWN
        assert ledger.rows[:-1] == rows


class TestReading:
    """R3: reads claim no key and write nothing; they see what was decided before them."""

    def test_a_look_sees_the_decisions_before_it(self) -> None:
        ledger = funded()
        ledger.ask(withdraw("120.0"))
        rows = list(ledger.rows)
        seen = ledger.ask(look("USD")).seen
        assert seen is not None
        assert (seen.name, seen.wallets, seen.frozen) == ("Tester", {"USD": 180 * UNIT}, False)
        ledger.ask(charge("1.0"))
        assert seen.wallets == {"USD": 180 * UNIT}
        assert ledger.rows[:-1] == rows

    def test_a_wallet_that_is_not_there_is_said_so(self) -> None:
        ledger = funded()
        decision = ledger.ask(look("EUR"))
        assert (decision.verdict, decision.seen, decision.rows) == (Verdict.WALLET_UNKNOWN, None, ())

    def test_a_session_that_expired_is_said_so(self) -> None:
        ledger = funded()
        ledger.ask(expire_session("s1"))
        for session, verdict in (("s1", Verdict.SESSION_EXPIRED), ("s2", Verdict.OK), ("", Verdict.OK)):
            assert ledger.ask(look(provider="lucky", session=session)).verdict is verdict
        assert ledger.ask(look(provider="second", session="s1")).verdict is Verdict.OK

    def test_freezing_and_the_newest_session_show(self) -> None:
        ledger = funded()
        for request, at in ((bet(session="s1"), 5), (bet(reference="b2", session="s1"), 6), (freeze(), 7)):
            ledger.ask(request, now=NOW + at)
        seen = ledger.ask(look()).seen
        assert seen is not None
        assert (seen.frozen, seen.created_at, seen.login_at) == (True, NOW, NOW + 5)


def test_R15_freezing_twice_is_written_twice_and_moves_nothing() -> None:
    ledger = funded()
    for frozen in (True, True, False, False):
        assert ledger.ask(freeze(frozen)).verdict is Verdict.OK
    kinds = [Kind.FREEZE, Kind.FREEZE, Kind.RELEASE, Kind.RELEASE]
    assert [row.kind for row in ledger.rows[-4:]] == kinds
    assert {(row.name, row.details) for row in ledger.rows[-4:]} == {("a person", "asked to")}
    assert (ledger.balance(), ledger.findings()) == ("300.0", [])


def test_R13_the_limit_is_that_of_fourteen_digits() -> None:
    ledger = Ledger([create(), open_wallet()])
    assert ledger.ask(again(charge(), amount=LIMIT)).verdict is Verdict.BALANCE_LIMIT
    assert ledger.ask(again(charge(), amount=LIMIT - 1)).verdict is Verdict.OK


def test_the_verdicts_that_are_not_kept_are_the_listed_ones() -> None:
    """R8: by R5, R25, R28, R56, what is owed without a clear wallet, and the unknown player."""
    assert {
        Verdict.PLAYER_UNKNOWN,
        Verdict.FOREIGN_BET,
        Verdict.KEY_CONFLICT,
        Verdict.ALREADY_TRANSFERRED,
        Verdict.FIELD_UNREADABLE,
        Verdict.MONEY_STANDS,
        Verdict.REFUND_AMOUNT,
        Verdict.WALLET_UNCLEAR,
        Verdict.TRANSFER_UNKNOWN,
    } == UNKEPT


def test_R5_a_promo_row_of_a_result_is_told_apart_by_its_amount() -> None:
    ledger = funded()
    ledger.ask(bet())
    ledger.ask(result(promo=promo("5.0")))
    rows = list(ledger.rows)
    assert ledger.ask(award("promo", "5.1", "promo-1", currency="USD")).verdict is Verdict.KEY_CONFLICT
    assert ledger.rows == rows
