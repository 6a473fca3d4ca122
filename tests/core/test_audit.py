"""Each invariant of the audit finds the corruption it is there for, and sound books give no finding."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from caisse.audit.audit import CHECKS, Totals
from caisse.audit.findings import OF_THE_ROW, Finding, Findings
from caisse.audit.history import Anchor, Past
from caisse.audit.stored import AMOUNTS, FORMS, HEAD, JOURNAL, Played, Row, head_of, units
from caisse.audit.verdicts import GUARDS, verdicts
from caisse.core.book import Round
from caisse.core.entries import MOVES, NO_HEAD, Entry, Kind, sealed
from caisse.core.money import UNIT
from caisse.core.requests import ForgetPlayer, Request, fingerprint
from caisse.core.verdicts import UNKEPT, Verdict
from caisse.store import columns
from tests.support.ledger import (
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
    fresh,
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


def forget() -> ForgetPlayer:
    who = {"partner": "demo", "user": "tester", "uuid": "", "endpoint": "caisse player forget"}
    return ForgetPlayer(id=fresh(), **who, reason="asked to", by="a person")


def test_a_forgotten_player_is_sound_without_a_name_and_a_finding_with_one() -> None:
    """R59: forgetting is a row; a name that was emptied by hand has none."""
    ledger = Ledger([create(), open_wallet()])
    ledger.ask(forget())
    assert ledger.findings() == []
    player = ledger.book.players["demo", "tester"]
    assert (player.name, player.name_key) == ("", b"")
    for name, key in (("Tester", bytes(16)), ("Tester", b""), ("", bytes(16))):
        player.name, player.name_key = name, key
        assert [f.check for f in ledger.findings()] == ["player"]


def test_no_finding_repeats_a_name() -> None:
    books = Books()
    books.player.name = "Somebody Else"
    account = Account("demo", "tester", books.player, list(books.rounds.values()))
    (found,) = audited(books.rows, account, Totals())
    assert "Somebody" not in found.text
    assert "Tester" not in found.text


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
    """Those that the store feeds are proven on real tables: `tests/torture/corruptions.py`."""
    of_players = {name for name, check in CHECKS.items() if not check.table}
    assert of_players == set().union(*(wanted for _, wanted in CORRUPTIONS.values()))


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
    """What no check can see that has only the tables: another endpoint, all hashes anew."""
    books.anchor = Anchor("demo", "tester", CHARGE, books.row(CHARGE).hash)
    books.change(WITHDRAW - 2, endpoint="/another")
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


def nameless(books: Books) -> None:
    books.player.name, books.player.name_key = "", b""


def forgotten(books: Books) -> None:
    books.add(
        END + 1, id=fresh(), kind=Kind.FORGET, rule="R59", key=f"forget:{books.rows[-1].id}",
        uuid="", name="me", details="a reason", fingerprint=fingerprint(()),
    )  # fmt: skip
    last = books.rows[-1]
    books.rows[-1] = msgspec.structs.replace(last, key=f"forget:{last.id}")
    nameless(books)


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
        covered(lambda b: b.change(REFUSED, verdict=Verdict.KEY_CONFLICT)), {"moves", "verdicts"}
    ),
    "a charge that takes": (
        covered(lambda b: b.change(CHARGE, amount=-50 * UNIT), balances=True), {"moves"}
    ),
    "a withdrawal that gives": (
        covered(lambda b: b.change(WITHDRAW, amount=20 * UNIT), balances=True), {"moves"}
    ),
    "an end of round that pays": (
        covered(lambda b: b.change(END, amount=UNIT, asked=UNIT), balances=True),
        {"moves", "double entry", "words"},
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
        {"moves", "rollbacks", "rounds", "verdicts"},
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
            "name": "x", "name_key": bytes(16), "created_at": 1, "login_at": 1, "session": "s9",
            "frozen": False,
        }.items()
    },
    **{
        f"a round's {name}": (turned(name, value), {"rounds"})
        for name, value in {
            "bets": 3,
            "game": "x", "opened_seq": 1, "opened_at": 1, "opened_id": "x", "jackpot_id": "x"
        }.items()
    },
    "a decision under another's id": (
        covered(lambda b: b.change(BET_2, id=b.row(BET).id)), {"decisions"}
    ),
    "a part that begins nothing": (covered(lambda b: b.change(BET_2, part=1)), {"decisions"}),
    "a part of another time": (covered(lambda b: b.change(RESULT, at=1)), {"decisions"}),
    "a part that cannot follow": (covered(lambda b: b.change(PROMO, kind=Kind.CHARGE, key="t:p", uuid="p")), {
        "decisions", "moves", "words",
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
    "a refusal under another name": (
        covered(lambda b: b.change(REFUSED, verdict=Verdict.PLAYER_FROZEN, rule="R15")), {"verdicts"}
    ),
    "a refusal for what a configuration says, where none is asked": (
        covered(lambda b: b.change(REFUSED, verdict=Verdict.CURRENCY_UNSUPPORTED, rule="R1")),
        {"moves", "verdicts"},
    ),
    "a rule": (covered(lambda b: b.change(CHARGE, rule="R10")), {"moves"}),
    "a transaction's id that is none": (covered(lambda b: b.change(CHARGE, id="x")), {"words"}),
    "a word that such a row has not": (covered(lambda b: b.change(CHARGE, round="r1")), {"words"}),
    "a second key that is none": (covered(lambda b: b.change(CHARGE, second_key="y:1")), {"words"}),
    "a name's hash": (covered(lambda b: b.change(1, name=b"x".hex() * 16)), {"words", "player"}),
    "a name emptied by hand": (nameless, {"player"}),
    "a name's key emptied by hand": (lambda b: setattr(b.player, "name_key", b""), {"player"}),
    "a name's key of another length": (lambda b: setattr(b.player, "name_key", bytes(99)), {"player"}),
    "forgotten with money, by hand": (covered(forgotten), {"verdicts"}),
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
            for verdict in FORMS[row.kind].verdicts.keys() - {row.verdict}:
                moved = FORMS[row.kind].sign * row.wanted if verdict == "ok" else 0
                after = past.sums[row.currency] + moved
                lie = msgspec.structs.replace(row, verdict=verdict, moved=moved, after=after)
                found_out |= {(verdict, row.kind if verdict == "ok" else "") for _ in lies(lie, past)}
            past.take(row)
    provable = {v for guards in GUARDS.values() for g in guards if g.applies for v in g.verdicts}
    accepted = {kind for kind in GUARDS if kind not in RARELY_REFUSED}
    assert found_out >= {(v, "") for v in provable - {"round_full"}} | {("ok", kind) for kind in accepted}


RARELY_REFUSED = {"rollback", "bonus", "jackpot", "promo", "forget"}
"""Kinds of which this traffic leaves no refused row, so that none can be called accepted."""


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
    logged = [name for name in Round.__struct_fields__ if name.startswith("logged")]
    assert [*Played.__struct_fields__, *logged] == [*Round.__struct_fields__]  # the slot log's own audit


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
    head = head_of(("demo", "ann", "Ann", b"k", 1, 2, "s", 0, 3, b"h", '{"USD":"1.5","EUR":"0.0"}'))
    assert (head.frozen, head.wallets) == (False, {"USD": 3 * UNIT // 2, "EUR": 0})
    assert head.frozen is False
    assert (HEAD[-1], len(HEAD)) == ("balances", 11)
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


BALANCES = {
    "as it is written": ('{"USD":"1.0","EUR":"0.5"}', True),
    "no wallets": ("{}", True),
    "pairs": ('[["USD","1.0"]]', False),
    "no pairs": ("[]", False),
    "a currency twice": ('{"USD":"1.0","USD":"1.0"}', False),
    "a number": ('{"USD":1.0}', False),
    "a list": ('{"USD":["1.0"]}', False),
    "an object": ('{"USD":{"a":"1.0"}}', False),
    "nothing": ('{"USD":null}', False),
    "a space": ('{"USD": "1.0"}', False),
    "a line's end": ('{"USD":"1.0"}\n', False),
    "spare zeros": ('{"USD":"1.00"}', True),
    "no decimals": ('{"USD":"1"}', True),
    "no amount": ('{"USD":"1e3"}', False),
    "a quote": ('{"U\\"D":"1.0"}', False),
    "an escape": ('{"US\\u0044":"1.0"}', False),
    "a text": ('"USD"', False),
    "a broken text": ("{", False),
}


@pytest.mark.parametrize(("balances", "sound"), BALANCES.values(), ids=BALANCES.keys())
def test_the_audit_and_the_server_read_wallets_alike(balances: str, sound: bool) -> None:
    """What the audit reads the server reads, to the same amounts; what means two things neither does."""
    values = ("demo", "ann", "Ann", bytes(16), 1, 2, "s", False, 3, bytes(32), balances)
    if not sound:
        for read in (head_of, columns.player_of):
            with pytest.raises(ValueError, match=r"balances|wallets|amount|[Ee]xpect|malformed|truncated"):
                read(values)
        return
    assert columns.player_of(values).wallets == head_of(values).wallets


# Findings that follow from others


def folded(books: Books) -> Findings:
    account = Account("demo", "tester", books.player, list(books.rounds.values()), books.anchor)
    totals, found = Totals(), Findings()
    for finding in audited(books.rows, account, totals):
        found.add(finding)
    found.finish()
    for finding in totals.end():
        found.add_late(finding)
    return found


class Played1000(Books):
    """A thousand rows more, each with a balance of its own."""

    def __init__(self) -> None:
        super().__init__()
        ledger = funded()
        for request in (*STORY, freeze(False), *(charge("1.0") for _ in range(1_000))):
            ledger.ask(request)
        self.rows, self.player = list(ledger.rows_of()), ledger.book.players["demo", "tester"]
        self.rounds = {r.id: r for r in ledger.account().rounds}


def test_one_tampered_row_is_one_finding_with_its_consequences() -> None:
    books = Played1000()
    books.change(CHARGE, amount=51 * UNIT)
    found = folded(books)
    (only,) = found.listed
    assert (only.check, only.player, only.row, found.total) == ("chain", "tester", CHARGE, 1)
    assert "moves 51.0 where 50.0 was asked" in only.text
    assert only.also["balances"] > 1_000
    assert only.also["double entry"] == 1
    assert found.consequences == only.consequences == sum(only.also.values())
    assert found.broken == {"chain", *only.also}


@pytest.mark.parametrize("name", ["amount", "balance", "hash", "fingerprint", "at", "id", "kind", "key"])
def test_whatever_column_of_one_row_was_changed_it_is_one_finding(name: str) -> None:
    books = Played1000()
    value = getattr(books.row(BET), name)
    other = {"kind": Kind.CHARGE, "id": fresh(), "key": "bet:lucky:x"}.get(
        name, bytes(len(value)) if isinstance(value, bytes) else value
    )
    books.change(BET, **{name: other + 1 if isinstance(other, int) else other})
    (only,) = folded(books).listed
    assert only.row == BET


@pytest.mark.parametrize("seq", [1, CHARGE, BET, 500])
def test_a_row_that_was_cut_out_is_one_finding(seq: int) -> None:
    books = Played1000()
    books.rows.remove(books.row(seq))
    (only,) = folded(books).listed
    assert (only.check, only.row) == ("sequence", seq + 1)


def test_the_newest_rows_cut_off_are_one_finding() -> None:
    books = Played1000()
    del books.rows[20:]
    (only,) = folded(books).listed
    assert only.check == "sequence"
    assert only.consequences > 1


def test_two_tampered_rows_are_two_findings() -> None:
    books = Played1000()
    books.change(CHARGE, at=1)
    books.change(500, at=1)
    assert [(f.check, f.row) for f in folded(books).listed] == [("chain", CHARGE), ("chain", 500)]


def test_what_is_wrong_with_heads_alone_is_listed_each_for_itself() -> None:
    books = Books()
    books.turn("r1", won=1)
    books.turn("r2", state="open")
    books.player.created_at = 1
    books.player.wallets["USD"] += 1
    found = folded(books)
    assert [f.check for f in found.listed] == ["rounds", "rounds", "balances", "player"]
    assert [f.also for f in found.listed][2] == {"double entry": 1}


def test_one_players_findings_explain_nothing_of_anothers() -> None:
    found = Findings()
    for player in ("ann", "bob"):
        found.add(Finding("chain", "demo", player, "row 4", 4))
        found.add(Finding("balances", "demo", player, "row 9", 9))
        found.finish()
    assert [(f.player, f.also) for f in found.listed] == [("ann", {"balances": 1}), ("bob", {"balances": 1})]


def test_a_sum_that_no_players_finding_explains_stands_for_itself() -> None:
    found = Findings()
    found.add(Finding("chain", "demo", "ann", "row 4", 4))
    found.finish()
    found.add_late(Finding("double entry", "demo", "", "USD"))
    found.add_late(Finding("keys", "demo", "ann", "twice"))
    assert [f.check for f in found.listed] == ["chain", "double entry"]
    assert found.listed[0].also == {"keys": 1}


def test_a_broken_ledger_does_not_fill_the_memory() -> None:
    found = Findings()
    for number in range(5_000):
        found.add(Finding("chain", "demo", "ann", "x", 2 * number + 1))
        found.add(Finding("rounds", "demo", "ann", "x"))
    found.finish()
    for _ in range(5_000):
        found.add(Finding("rounds", "demo", "bob", "x"))
    found.finish()
    assert (len(found.listed), found.total, found.consequences) == (1_000, 10_000, 5_000)


def test_checks_of_single_rows_are_checks() -> None:
    assert set(CHECKS) > OF_THE_ROW
