"""Each invariant of the audit finds the corruption it is there for, and sound books give no finding."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from caisse.core.audit import CHECKS, Totals
from caisse.core.audit_checks import ACCEPTED, CLAIMS, NEED_WALLET, verdicts
from caisse.core.audit_past import Anchor, Past
from caisse.core.audited import AMOUNTS, FORMS, HEAD, JOURNAL, Played, Row, head_of, units
from caisse.core.book import Round
from caisse.core.entries import MOVES, NO_HEAD, Entry, Kind, sealed
from caisse.core.money import UNIT
from caisse.core.requests import Request
from caisse.core.verdicts import UNKEPT, Verdict
from tests.core.ledger import (
    NOW,
    OTHER,
    POLICIES,
    USERS,
    Account,
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
    stored,
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
PROMO, RESULT, BY_ROUND, UNDONE_3, UNDONE_4, JACKPOT, END = 11, 12, 15, 16, 17, 19, 21


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
        self.anchor: Anchor | None = None

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
        account = Account("demo", "tester", self.player, list(self.rounds.values()), self.anchor)
        totals = Totals()
        return {f.check for f in [*audited(self.rows, account, totals), *totals.end()]}


def test_sound_books_give_no_finding() -> None:
    assert Books().checks() == set()


@pytest.mark.parametrize("index", [0, CHARGE, -1])
def test_an_anchor_that_the_chain_meets_gives_no_finding(index: int) -> None:
    """At the first row, at one between, at the last."""
    books = Books()
    row = books.rows[index]
    books.anchor = Anchor("demo", "tester", row.seq, row.hash)
    assert books.checks() == set()


def test_sealing_sound_books_anew_gives_the_same_books() -> None:
    books, again = Books(), Books()
    again.rows = list(books.rows)
    again.cover_up(balances=True)
    assert again.rows == books.rows
    assert again.checks() == set()


def test_every_check_is_proven_below() -> None:
    assert set(CHECKS) | {"double entry"} == set().union(*(wanted for _, wanted in CORRUPTIONS.values()))


Corrupt = Callable[[Books], Any]


def head(name: str, value: Any) -> Corrupt:
    return lambda books: setattr(books.player, name, value)


def turned(name: str, value: Any) -> Corrupt:
    return lambda books: books.turn("r1", **{name: value})


def leave_out(books: Books) -> None:
    """The round's last bet is not given back, and everything agrees to it."""
    books.rows.remove(books.row(UNDONE_4))
    books.turn("r2", standing=1, staked=6 * UNIT)
    for later in ("r3", "r1"):
        kept = books.rounds[later]
        moved = {n: getattr(kept, n) - (getattr(kept, n) > UNDONE_4) for n in ("settled_seq", "opened_seq")}
        books.turn(later, **moved)


def rewrite(books: Books) -> None:
    """What no check can see that has only the tables: another name, another session, all hashes anew."""
    books.anchor = Anchor("demo", "tester", CHARGE, books.row(CHARGE).hash)
    books.change(WITHDRAW - 2, details="x")
    books.cover_up()


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


def forged(seq: int) -> Corrupt:
    return lambda books: books.change(seq, fingerprint=bytes(16))


def wallet(**held: int) -> Corrupt:
    return lambda books: books.player.wallets.update(held)


CORRUPTIONS: dict[str, tuple[Corrupt, set[str]]] = {
    "an amount": (
        lambda b: b.change(CHARGE, amount=51 * UNIT), {"chain", "balances", "moves", "double entry"}
    ),
    "an amount and what was asked": (
        lambda b: b.change(CHARGE, amount=51 * UNIT, asked=51 * UNIT),
        {"balances", "chain", "double entry", "words"},
    ),
    "an amount, covered up": (
        covered(lambda b: b.change(CHARGE, amount=51 * UNIT, asked=51 * UNIT), balances=True), {"words"}
    ),
    "a balance in the journal": (lambda b: b.change(CHARGE, balance=1), {"chain", "balances"}),
    "a balance in the journal, sealed": (covered(lambda b: b.change(CHARGE, balance=1)), {"balances"}),
    "a word": (lambda b: b.change(CHARGE, uuid="another"), {"chain", "words"}),
    "the time": (lambda b: b.change(CHARGE, at=1), {"chain"}),
    "a fingerprint": (lambda b: b.change(CHARGE, fingerprint=bytes(16)), {"chain", "words"}),
    "a hash": (lambda b: b.change(CHARGE, hash=bytes(32)), {"chain"}),
    "the last row's hash": (lambda b: b.change(len(b.rows), hash=bytes(32)), {"chain"}),
    "the head's hash": (lambda b: setattr(b.player, "head", bytes(32)), {"chain"}),
    "the head's number": (lambda b: setattr(b.player, "seq", 20), {"sequence"}),
    "a row deleted": (delete(CHARGE), {"sequence", "chain", "balances", "double entry"}),
    "a row that moved nothing deleted": (delete(REFUSED), {"sequence", "chain"}),
    "the last row deleted": (lambda b: b.rows.pop(), {"chain", "player", "sequence"}),
    "the last row deleted, the head edited": (
        delete_last, {"chain", "player"}
    ),
    "a row deleted, covered up": (covered(delete(CHARGE)), {"balances", "rounds", "double entry"}),
    "two rows swapped": (swap, {"sequence", "chain", "balances"}),
    "a row twice": (lambda b: b.rows.append(b.rows[-1]), {"chain", "decisions", "sequence"}),
    "all rows deleted": (
        lambda b: b.rows.clear(), {"balances", "chain", "double entry", "player", "rounds", "sequence"}
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
        {"balances", "double entry", "verdicts", "words"},
    ),
    "a movement below zero": (
        covered(lambda b: b.add(WITHDRAW, key="t:9", amount=-900 * UNIT, asked=900 * UNIT), balances=True),
        {"balances", "verdicts", "words"},
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
        covered(lambda b: b.change(CHARGE, asked=49 * UNIT)), {"moves", "words"}
    ),
    "a kind": (covered(lambda b: b.change(CHARGE, kind=Kind.WITHDRAW)), {"moves", "words"}),
    "a bet rolled back twice": (
        covered(lambda b: b.add(ROLLBACK, key="rollback:lucky:again"), balances=True),
        {"rollbacks", "rounds", "words"},
    ),
    "a bet rolled back twice, its round too": (
        covered(undo_again, balances=True),
        {"rollbacks", "words"},
    ),
    "a rollback of a bet undone by round": (
        covered(lambda b: b.add(UNDONE_3, key="rollback:lucky:again"), balances=True),
        {"decisions", "rollbacks", "rounds", "words"},
    ),
    "a rollback of no bet": (
        covered(lambda b: b.change(ROLLBACK, reference="bet-7")), {"rollbacks", "words"}
    ),
    "a rollback of another provider's bet": (
        covered(lambda b: b.change(ROLLBACK, provider="second", round="")), {"rollbacks", "rounds", "words"}
    ),
    "a rollback of a refused bet": (
        covered(lambda b: b.change(BET_2, verdict=Verdict.INSUFFICIENT, amount=0), balances=True),
        {"rollbacks", "rounds", "verdicts"},
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
    **{
        f"a player's {name}": (head(name, value), {"player"})
        for name, value in {
            "name": "x", "created_at": 1, "login_at": 1, "session": "s9", "frozen": False
        }.items()
    },
    **{
        f"a round's {name}": (turned(name, value), {"rounds"})
        for name, value in {
            "game": "x", "opened_seq": 1, "opened_at": 1, "opened_id": "x", "jackpot_id": "x"
        }.items()
    },
    "a decision under another's id": (
        covered(lambda b: b.change(BET_2, id=b.row(BET).id)), {"decisions"}
    ),
    "a part that begins nothing": (covered(lambda b: b.change(BET_2, part=1)), {"decisions"}),
    "a part of another time": (covered(lambda b: b.change(RESULT, at=1)), {"decisions"}),
    "a part that cannot follow": (covered(lambda b: b.change(PROMO, kind=Kind.CHARGE, key="t:p", uuid="p")), {
        "decisions", "words",
    }),
    "a round's rollback that leaves a bet out": (covered(leave_out, balances=True), {"rollbacks"}),
    "a rollback in another currency": (covered(lambda b: b.change(ROLLBACK, game="x")), {"rollbacks"}),
    "a rollback of less, in a round's": (
        covered(lambda b: b.change(UNDONE_4, amount=UNIT, asked=UNIT), balances=True), {"rollbacks", "rounds"}
    ),
    "a key": (covered(lambda b: b.change(BET_2, key="bet:lucky:other")), {"words", "rollbacks"}),
    **{
        f"the fingerprint of a {kind}": (covered(forged(seq)), {"words"})
        for kind, seq in {
            "bet": BET, "rollback": ROLLBACK, "result": RESULT, "jackpot": JACKPOT, "end": END
        }.items()
    },
    "a second key": (covered(lambda b: b.change(BET, second_key="x:1")), {"words"}),
    "a refusal for lack of money that was there": (
        covered(lambda b: b.change(REFUSED, asked=UNIT)), {"verdicts", "words"}
    ),
    "an unknown kind": (covered(lambda b: b.change(END, kind="gift")), {"moves", "rounds"}),
    "an unknown verdict": (covered(lambda b: b.change(END, verdict="fine")), {"moves", "rounds"}),
    "an anchor that the chain does not meet": (
        lambda b: setattr(b, "anchor", Anchor("demo", "tester", CHARGE, bytes(32))), {"anchor"}
    ),
    "an anchor beyond the last row": (
        lambda b: setattr(b, "anchor", Anchor("demo", "tester", 999, bytes(32))), {"anchor"}
    ),
    "history rewritten after an anchor": (rewrite, {"anchor"}),
    "a bet moved to another round": (
        covered(lambda b: b.change(BET, round="r2")), {"rollbacks", "rounds", "verdicts", "words"}
    ),
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
        JACKPOT: Kind.JACKPOT,
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


ENDINGS: dict[str, tuple[Corrupt, list[str]]] = {
    "a time": (covered(lambda b: b.turn("r1", opened_at=1)), [
        f"round r1 of lucky, opened by row {BET}: opened_at is 1, not {NOW}"
    ]),
    "a wallet": (lambda b: b.player.wallets.pop("EUR"), [
        f"the EUR wallet holds nothing, the journal says 0.0 (row {END + 1})"
    ]),
    "a wallet's balance": (lambda b: b.player.wallets.update(EUR=UNIT), [
        f"the EUR wallet holds 1.0, the journal says 0.0 (row {END + 1})", "EUR accounts sum to 1.0, not 0.0"
    ]),
    "a time in the chain": (lambda b: b.change(CHARGE, at=1), [
        f"row {CHARGE} (CHARGE) does not match its hash: it, or the row before it, was changed"
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("corrupt", "wanted"), ENDINGS.values(), ids=ENDINGS.keys())
def test_a_corruption_is_told_once_and_in_so_many_words(corrupt: Corrupt, wanted: list[str]) -> None:
    books, totals = Books(), Totals()
    corrupt(books)
    account = Account("demo", "tester", books.player, list(books.rounds.values()))
    found = [*audited(books.rows, account, totals), *totals.end()]
    assert [f.text.replace(books.row(CHARGE).id, "CHARGE") for f in found] == wanted
    assert {f.player for f in found if f.check == "double entry"} <= {""}


def test_a_rounds_rollback_at_the_very_end_is_held_to_its_bets() -> None:
    books = Books()
    leave_out(books)
    books.rows = books.rows[:UNDONE_3]
    books.cover_up(balances=True)
    assert "rollbacks" in books.checks()


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


def test_every_verdict_that_claims_something_is_found_out_where_it_is_not_so() -> None:
    """Give each row of a long history each other verdict of its kind, and see which lies are found."""
    chance, ledger, found_out = Random(7), Ledger(), set()
    for request in traffic(chance, 3_000):
        ledger.ask(request, chance.choice(POLICIES))
    for user in USERS:
        past = Past()
        for row in map(stored, ledger.rows_of(user)):
            assert not lies(row, past)
            for verdict in FORMS[row.kind].verdicts - {row.verdict}:
                moved = FORMS[row.kind].sign * row.wanted if verdict == "ok" else 0
                after = past.sums[row.currency] + moved
                lie = msgspec.structs.replace(row, verdict=verdict, moved=moved, after=after)
                found_out |= {(verdict, row.kind if verdict == "ok" else "") for _ in lies(lie, past)}
            past.take(row)
    told = {(verdict, "") for verdict in CLAIMS if verdict != "ok"}
    assert found_out >= told | {("ok", kind) for kind in {*ACCEPTED, *NEED_WALLET} - {"rollback"}}


def lies(row: Row, past: Past) -> list[str]:
    said: list[str] = []
    verdicts(row, past, said.append)
    return said


def test_the_audit_knows_every_kind_every_move_and_every_verdict_that_is_kept() -> None:
    """It has them from docs/journal.md; this is the only place where both lists meet."""
    assert FORMS.keys() == {kind.value for kind in Kind}
    assert {kind: form.sign for kind, form in FORMS.items() if form.sign} == {
        kind.value: move.sign for kind, move in MOVES.items()
    }
    kept = {verdict.value for verdict in Verdict} - {verdict.value for verdict in UNKEPT}
    assert set().union(*(form.verdicts for form in FORMS.values())) == kept
    assert Entry.__struct_fields__ == JOURNAL
    assert Played.__struct_fields__ == Round.__struct_fields__


@pytest.mark.parametrize(
    "text", ["1x.0y", "NaN", "1e3", "", ".5", "1.", "01.0", "+1.0", "1_0.0", "\u0661.0", "1.0\n"]
)
def test_text_that_is_no_number_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        units(text)


@pytest.mark.parametrize(("text", "wanted"), [("1.0", UNIT), ("-0.050", -UNIT // 20), ("7", 7 * UNIT)])
def test_amounts_are_read_as_every_engine_spells_them(text: str, wanted: int) -> None:
    assert units(text) == wanted


def test_a_head_and_a_row_are_read_as_any_engine_gives_them() -> None:
    """SQLite has no truth values, and amounts come as text."""
    head = head_of(("demo", "ann", "Ann", 1, 2, "s", 0, 3, b"h", '{"USD":"1.5","EUR":"0.0"}'))
    assert (head.frozen, head.wallets) == (False, {"USD": 3 * UNIT // 2, "EUR": 0})
    assert head.frozen is False
    assert (HEAD[-1], len(HEAD)) == ("balances", 10)
    assert [JOURNAL.index(name) for name in AMOUNTS] == [10, 11, 12]


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
