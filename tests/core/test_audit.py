"""Each invariant of the audit finds the corruption it is there for, and sound books give no finding."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from caisse.core.audit import CHECKS, Account, Totals
from caisse.core.book import Round
from caisse.core.entries import NO_HEAD, Entry, Kind, sealed
from caisse.core.money import UNIT
from caisse.core.requests import Request
from caisse.core.verdicts import Verdict
from tests.core.ledger import (
    OTHER,
    Ledger,
    audited,
    award,
    bet,
    charge,
    create,
    end_round,
    freeze,
    funded,
    open_wallet,
    promo,
    result,
    rollback,
    rollback_round,
    traffic,
    withdraw,
)

STORY: list[Request] = [
    *(charge("50.0"), withdraw("20.0"), withdraw("900.0"), open_wallet("EUR")),
    *(bet("10.0"), bet("20.0", "bet-2"), rollback("bet-2"), result("25.0", promo=promo())),
    *(bet("5.0", "bet-3", "r2"), bet("6.0", "bet-4", "r2"), rollback_round("r2"), rollback_round("r3")),
    *(award("jackpot", round="r1"), award("bonus", round="r1", currency="USD"), end_round(), freeze()),
]
# Row numbers in tester's journal; 1 to 3 are the player, the wallet and 300.0.
CHARGE, WITHDRAW, REFUSED, BET, BET_2, ROLLBACK = 4, 5, 6, 8, 9, 10
PROMO, RESULT, BY_ROUND, UNDONE_3, UNDONE_4, END = 11, 12, 15, 16, 17, 21


class Books:
    """One player's rows and heads, to be corrupted."""

    def __init__(self) -> None:
        ledger = funded()
        for request in STORY:
            ledger.ask(request)
        self.rows = list(ledger.rows_of())
        account = ledger.account()
        assert account.player is not None
        self.player = account.player
        self.rounds = {r.id: r for r in account.rounds}

    def row(self, seq: int) -> Entry:
        return next(row for row in self.rows if row.seq == seq)

    def change(self, seq: int, **fields: Any) -> None:
        """Change a row, and nothing that would hide it."""
        self.rows = [msgspec.structs.replace(r, **fields) if r.seq == seq else r for r in self.rows]

    def turn(self, round_: str, **fields: Any) -> None:
        self.rounds[round_] = msgspec.structs.replace(self.rounds[round_], **fields)

    def add(self, like: int, **fields: Any) -> None:
        """Append a copy of a row, numbered and sealed as it should be."""
        last = self.rows[-1]
        row = msgspec.structs.replace(self.row(like), seq=last.seq + 1, **fields)
        self.rows.append(row)

    def cover_up(self, *, balances: bool = False) -> None:
        """What someone would do who can write everything: number and chain anew, balances too if asked."""
        head, rows, sums = NO_HEAD, [], dict.fromkeys(("", "USD", "EUR", "GBP"), 0)
        for seq, row in enumerate(self.rows, 1):
            sums[row.currency] += row.amount
            new = msgspec.structs.replace(
                row, seq=seq, balance=sums[row.currency] if balances else row.balance
            )
            rows.append(sealed(head, new))
            head = rows[-1].hash
        self.rows, self.player.seq, self.player.head = rows, len(rows), head
        if balances:
            self.player.wallets = {code: sums[code] for code in self.player.wallets}

    def checks(self) -> set[str]:
        """The names of the checks that find something."""
        account = Account("demo", "tester", self.player, list(self.rounds.values()))
        totals = Totals()
        return {f.check for f in [*audited(self.rows, account, totals), *totals.end()]}


def test_sound_books_give_no_finding() -> None:
    assert Books().checks() == set()


def test_sealing_sound_books_anew_gives_the_same_books() -> None:
    books, again = Books(), Books()
    again.rows = list(books.rows)
    again.cover_up(balances=True)
    assert again.rows == books.rows
    assert again.checks() == set()


def test_every_check_is_proven_below() -> None:
    assert set(CHECKS) | {"double entry"} == set().union(*(wanted for _, wanted in CORRUPTIONS.values()))


Corrupt = Callable[[Books], Any]


def swap(books: Books) -> None:
    books.rows[4], books.rows[5] = books.rows[5], books.rows[4]


def delete(seq: int) -> Corrupt:
    return lambda books: books.rows.remove(books.row(seq))


def delete_last(books: Books) -> None:
    books.rows.pop()
    books.player.seq = books.rows[-1].seq


def undo_again(books: Books) -> None:
    books.add(ROLLBACK, key="rollback:lucky:again")
    books.turn("r1", standing=0, staked=books.rounds["r1"].staked - 20 * UNIT)


def covered(corrupt: Corrupt, *, balances: bool = False) -> Corrupt:
    """The corruption, and then everything that hides it from the checks that only look at the surface."""

    def both(books: Books) -> None:
        corrupt(books)
        books.cover_up(balances=balances)

    return both


def wallet(**held: int) -> Corrupt:
    return lambda books: books.player.wallets.update(held)


CORRUPTIONS: dict[str, tuple[Corrupt, set[str]]] = {
    "an amount": (
        lambda b: b.change(CHARGE, amount=51 * UNIT), {"chain", "balances", "moves", "double entry"}
    ),
    "an amount and what was asked": (
        lambda b: b.change(CHARGE, amount=51 * UNIT, asked=51 * UNIT), {"chain", "balances", "double entry"}
    ),
    "an amount, covered up": (
        covered(lambda b: b.change(CHARGE, amount=51 * UNIT, asked=51 * UNIT), balances=True), set()
    ),
    "a balance in the journal": (lambda b: b.change(CHARGE, balance=1), {"chain", "balances"}),
    "a balance in the journal, sealed": (covered(lambda b: b.change(CHARGE, balance=1)), {"balances"}),
    "a word": (lambda b: b.change(CHARGE, uuid="another"), {"chain"}),
    "the time": (lambda b: b.change(CHARGE, at=1), {"chain"}),
    "a fingerprint": (lambda b: b.change(CHARGE, fingerprint=bytes(16)), {"chain"}),
    "a hash": (lambda b: b.change(CHARGE, hash=bytes(32)), {"chain"}),
    "the last row's hash": (lambda b: b.change(len(b.rows), hash=bytes(32)), {"chain"}),
    "the head's hash": (lambda b: setattr(b.player, "head", bytes(32)), {"chain"}),
    "the head's number": (lambda b: setattr(b.player, "seq", 20), {"sequence"}),
    "a row deleted": (delete(CHARGE), {"sequence", "chain", "balances", "double entry"}),
    "a row that moved nothing deleted": (delete(REFUSED), {"sequence", "chain"}),
    "the last row deleted": (lambda b: b.rows.pop(), {"sequence", "chain"}),
    "the last row deleted, the head edited": (
        delete_last, {"chain"}
    ),
    "a row deleted, covered up": (covered(delete(CHARGE)), {"balances", "rounds", "double entry"}),
    "two rows swapped": (swap, {"sequence", "chain", "balances"}),
    "a row twice": (lambda b: b.rows.append(b.rows[-1]), {"sequence", "chain"}),
    "all rows deleted": (
        lambda b: b.rows.clear(), {"sequence", "chain", "balances", "rounds", "double entry"}
    ),
    "no head": (lambda b: setattr(b, "player", None), {"sequence", "balances", "double entry"}),
    "a wallet richer": (wallet(USD=999 * UNIT), {"balances", "double entry"}),
    "a wallet poorer by an atom": (
        lambda b: b.player.wallets.update(USD=b.player.wallets["USD"] - 1), {"balances", "double entry"}
    ),
    "an empty wallet deleted": (lambda b: b.player.wallets.pop("EUR"), {"balances"}),
    "a wallet deleted": (lambda b: b.player.wallets.pop("USD"), {"balances", "double entry"}),
    "an empty wallet never opened": (wallet(GBP=0), {"balances"}),
    "a wallet never opened": (wallet(GBP=UNIT), {"balances", "double entry"}),
    "money in the wrong wallet": (
        lambda b: b.player.wallets.update(USD=0, EUR=b.player.wallets["USD"]), {"balances", "double entry"}
    ),
    "a movement without its wallet": (
        covered(lambda b: b.add(CHARGE, key="t:9", currency="GBP", amount=1, asked=1, balance=1)),
        {"balances", "double entry"},
    ),
    "a movement below zero": (
        covered(lambda b: b.add(WITHDRAW, key="t:9", amount=-900 * UNIT, asked=900 * UNIT), balances=True),
        {"balances"},
    ),
    "a refusal that moves money": (
        covered(lambda b: b.change(REFUSED, amount=-20 * UNIT), balances=True), {"moves"}
    ),
    "a verdict that is not kept": (
        covered(lambda b: b.change(REFUSED, verdict=Verdict.KEY_CONFLICT)), {"moves"}
    ),
    "a charge that takes": (
        covered(lambda b: b.change(CHARGE, amount=-50 * UNIT), balances=True), {"moves"}
    ),
    "a withdrawal that gives": (
        covered(lambda b: b.change(WITHDRAW, amount=20 * UNIT), balances=True), {"moves"}
    ),
    "an end of round that pays": (
        covered(lambda b: b.change(END, amount=UNIT, asked=UNIT), balances=True), {"moves", "double entry"}
    ),
    "another amount than was asked": (
        covered(lambda b: b.change(CHARGE, asked=49 * UNIT)), {"moves"}
    ),
    "a kind": (covered(lambda b: b.change(CHARGE, kind=Kind.WITHDRAW)), {"moves"}),
    "a bet rolled back twice": (
        covered(lambda b: b.add(ROLLBACK, key="rollback:lucky:again"), balances=True), {"rollbacks", "rounds"}
    ),
    "a bet rolled back twice, its round too": (
        covered(undo_again, balances=True),
        {"rollbacks"},
    ),
    "a rollback of a bet undone by round": (
        covered(lambda b: b.add(UNDONE_3, key="rollback:lucky:again"), balances=True), {"rollbacks", "rounds"}
    ),
    "a rollback of no bet": (
        covered(lambda b: b.change(ROLLBACK, reference="bet-7")), {"rollbacks"}
    ),
    "a rollback of another provider's bet": (
        covered(lambda b: b.change(ROLLBACK, provider="second", round="")), {"rollbacks", "rounds"}
    ),
    "a rollback of a refused bet": (
        covered(lambda b: b.change(BET_2, verdict=Verdict.INSUFFICIENT, amount=0), balances=True),
        {"rollbacks", "rounds"},
    ),
    "a rollback of more than the stake": (
        covered(lambda b: b.change(ROLLBACK, amount=21 * UNIT, asked=21 * UNIT), balances=True),
        {"rollbacks", "rounds"},
    ),
    "a round's state": (lambda b: b.turn("r1", state="open"), {"rounds"}),
    "a refunded round's state": (lambda b: b.turn("r2", state="ended"), {"rounds"}),
    "an unknown round's state": (lambda b: b.turn("r3", state="open"), {"rounds"}),
    "a round's bets": (lambda b: b.turn("r1", standing=2), {"rounds"}),
    "a round's settlement": (lambda b: b.turn("r1", settled_seq=0), {"rounds"}),
    "a round's stakes": (lambda b: b.turn("r1", staked=1), {"rounds"}),
    "a round's win": (lambda b: b.turn("r1", won=1), {"rounds"}),
    "a round's jackpot": (lambda b: b.turn("r1", jackpot=0), {"rounds"}),
    "a round's currency": (lambda b: b.turn("r1", currency="EUR"), {"rounds"}),
    "a round deleted": (lambda b: b.rounds.pop("r2"), {"rounds"}),
    "a round invented": (
        lambda b: b.rounds.update(r9=msgspec.structs.replace(b.rounds["r3"], id="r9")), {"rounds"}
    ),
    "a bet moved to another round": (covered(lambda b: b.change(BET, round="r2")), {"rounds"}),
}  # fmt: skip


@pytest.mark.parametrize(("corrupt", "wanted"), CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
def test_a_planted_corruption_is_found_by_the_right_checks(corrupt: Corrupt, wanted: set[str]) -> None:
    books = Books()
    corrupt(books)
    assert books.checks() == wanted


def test_the_story_is_where_the_numbers_say() -> None:
    books = Books()
    kinds = {
        **{CHARGE: Kind.CHARGE, WITHDRAW: Kind.WITHDRAW, REFUSED: Kind.WITHDRAW, BET: Kind.BET},
        **{BET_2: Kind.BET, ROLLBACK: Kind.ROLLBACK, RESULT: Kind.RESULT, PROMO: Kind.PROMO},
        **{BY_ROUND: Kind.ROUND_ROLLBACK, UNDONE_3: Kind.ROLLBACK, UNDONE_4: Kind.ROLLBACK},
    }
    assert {seq: books.row(seq).kind for seq in kinds} == kinds
    assert books.row(END).kind is Kind.END_ROUND


def test_a_finding_names_the_player_and_the_row() -> None:
    books = Books()
    books.change(CHARGE, balance=1)
    account = Account("demo", "tester", books.player, list(books.rounds.values()))
    finding = audited(books.rows, account, Totals())[0]
    assert (finding.partner, finding.player) == ("demo", "tester")
    assert f"row {CHARGE}" in finding.text


def test_another_players_round_is_a_finding() -> None:
    ledger = funded()
    ledger.ask(bet())
    stranger: list[Round] = ledger.account().rounds
    account = msgspec.structs.replace(ledger.account(OTHER), rounds=stranger)
    assert {f.check for f in audited(ledger.rows_of(OTHER), account, Totals())} == {"rounds"}


def test_money_that_moved_between_two_wallets_is_found_though_the_total_is_right() -> None:
    ledger = funded()
    ledger.book.players["demo", "tester"].wallets["USD"] -= UNIT
    ledger.book.players["demo", OTHER].wallets["USD"] += UNIT
    assert [(f.check, f.player) for f in ledger.findings()] == [("balances", "tester"), ("balances", OTHER)]


def test_a_player_without_rows_is_sound_only_as_long_as_there_is_none() -> None:
    ledger = Ledger([create()])
    account = msgspec.structs.replace(ledger.account(), player=None)
    assert {f.check for f in audited(ledger.rows, account, Totals())} == {"sequence"}
    assert audited([], Account("demo", "nobody", None, []), Totals())[0].check == "sequence"


@pytest.mark.parametrize("seed", range(3))
def test_any_single_edit_of_a_long_journal_is_found(seed: int) -> None:
    """Change one field of one row at random, many times: never unseen."""
    chance, ledger = Random(seed), Ledger()
    for request in traffic(chance, 300):
        ledger.ask(request)
    names = [name for name in Entry.__struct_fields__ if name not in ("partner", "player")]
    account, rows = ledger.account("ann"), ledger.rows_of("ann")
    assert audited(rows, account, Totals()) == []
    for _ in range(60):
        at, name = chance.randrange(len(rows)), chance.choice(names)
        value = getattr(rows[at], name)
        other = chance.choice(rows)
        if getattr(other, name) != value:
            edited = [*rows]
            edited[at] = msgspec.structs.replace(rows[at], **{name: getattr(other, name)})
            assert "chain" in {f.check for f in audited(edited, account, Totals())}
