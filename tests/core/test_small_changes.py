"""What only a small change of the core would break: each of these is the first to notice one.

Found by trying every mutant of the core (tests/mutation/mutation.py) and looking at those that lived.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from caisse.core.attempts import Attempts
from caisse.core.book import Book, Player, Wants
from caisse.core.entries import MOVES, Entry, Kind
from caisse.core.parties import secret_hash
from caisse.core.policy import DEFAULT_POLICY, Policy, in_words
from caisse.core.requests import Award, Rollback, fingerprint, name_hash
from caisse.core.verdicts import Verdict
from caisse.story.events import Event, events, moved
from caisse.story.words import asked_in_words, row_in_words
from tests.support.ledger import (
    NOW,
    OTHER,
    PARTNER,
    PLAYER,
    PROVIDER,
    Ledger,
    again,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    forget,
    freeze,
    funded,
    look,
    look_transfer,
    open_wallet,
    promo,
    result,
    rollback,
    rollback_round,
    withdraw,
)

PLAIN: dict[str, Any] = {
    "id": "i",
    "partner": PARTNER,
    "user": PLAYER,
    "uuid": "u",
    "endpoint": "d",
    "provider": PROVIDER,
}


# Rollbacks


@pytest.mark.parametrize(("amount", "asked"), [(None, 0), ("5.0", 5 * 10**18)])
def test_R22_a_tombstone_tells_the_amount_that_was_asked_for(amount: str | None, asked: int) -> None:
    row = funded().ask(rollback(amount=amount)).rows[0]
    assert (row.asked, row.amount, row.currency) == (asked, 0, "")


def test_R32_every_row_of_a_rounds_refund_cites_it() -> None:
    ledger = funded()
    ledger.ask(bet())
    ledger.ask(bet(reference="bet-2"))
    assert [row.rule for row in ledger.ask(rollback_round()).rows] == ["R32"] * 3


@pytest.mark.parametrize(
    ("before", "currency"),
    [([bet(), open_wallet("EUR")], "USD"), ([open_wallet("EUR")], "EUR"), ([], "USD")],
    ids=["the round's", "no round: the first by name", "the only one"],
)
def test_R43_the_end_of_a_round_tells_a_balance(before: list[Any], currency: str) -> None:
    ledger = funded()
    for request in before:
        ledger.ask(request)
    assert ledger.ask(end_round()).rows[0].currency == currency


def test_R43_a_round_ends_for_a_player_without_a_wallet() -> None:
    row = Ledger([create()]).ask(end_round()).rows[0]
    assert (row.verdict, row.currency, row.balance) == (Verdict.OK, "", 0)


# What a request looks at


def test_R48_R43_a_result_that_brings_nothing_along_looks_for_nothing_more() -> None:
    alone = result()
    assert (alone.promo_key, alone.end_key, alone.lookups) == ("", "", (alone.key,))
    laden = result(promo=promo(), closes=True)
    assert laden.lookups == (laden.key, laden.promo_key, laden.end_key)


def test_what_a_request_does_not_say_is_empty() -> None:
    undo = Rollback(**PLAIN, reference="b")
    assert (undo.currency, undo.amount, undo.round, undo.game, undo.session, undo.details) == (
        "",
        None,
        *[""] * 4,
    )
    award = Award(**PLAIN, reference="a", amount=1, kind="promo")
    assert (award.currency, award.name, award.round, award.game) == ("", "", "", "")


@pytest.mark.parametrize("field", range(7))
def test_wanting_anything_is_wanting(field: int) -> None:
    """A rolled-back bet alone is no want: its row is among the entries."""
    lists: list[Any] = [[] for _ in range(7)]
    assert not Wants(*lists)
    lists[field] = [("demo", "key")]
    assert bool(Wants(*lists)) is (field != 3)


def test_a_round_that_was_loaded_is_seen() -> None:
    ledger, book = funded(), Book()
    ledger.ask(bet())
    book.add_round(ledger.round())
    assert book.rounds == ledger.book.rounds


@pytest.mark.parametrize(
    ("request_", "claims"),
    [
        (look("USD"), ()),
        (look_transfer("t"), ()),
        (create(uuid="u"), ("t:u",)),
        (charge(uuid="u", transaction="t"), ("t:u", "x:t")),
        (bet(reference="b"), (bet(reference="b").key,)),
        (result(promo=promo()), (result().key, result(promo=promo()).promo_key)),
        (result(closes=True), (result().key, end_round().key)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_R3_only_what_changes_something_claims_a_key(request_: Any, claims: tuple[str, ...]) -> None:
    assert request_.claims == claims


def test_a_round_that_changes_is_to_be_stored() -> None:
    ledger = funded()
    ledger.ask(bet())
    assert ledger.book.touched_rounds == {(PARTNER, PROVIDER, PLAYER, "r1")}


def test_a_round_that_a_refusal_leaves_as_it_was_is_not_stored_again() -> None:
    ledger = funded()
    ledger.ask(bet())
    ledger.book.touched_rounds.clear()
    assert ledger.ask(bet("1000.0", "bet-2")).verdict is Verdict.INSUFFICIENT
    assert ledger.balance() == "290.0"
    assert ledger.book.touched_rounds == set()


@pytest.mark.parametrize("read", [look("USD"), look_transfer("t")], ids=lambda read: type(read).__name__)
def test_a_read_has_no_key(read: Any) -> None:
    assert read.key == ""


# Heads


def test_R51_a_new_player_stands_before_the_first_row_and_was_not_loaded() -> None:
    new = Player(partner=PARTNER, id=PLAYER, name="n", name_key=b"", created_at=1, login_at=1, wallets={})
    assert (new.seq, new.loaded_seq) == (0, 0)
    made = Ledger([create()]).book.players[PARTNER, PLAYER]
    assert (made.seq, made.loaded_seq) == (1, 0)


def test_a_settled_head_is_as_stored() -> None:
    player = funded().book.players[PARTNER, PLAYER]
    assert player.loaded_seq == 0
    player.settle()
    assert player.loaded_seq == player.seq == 3


# What the journal stores for ever


def test_R51_the_texts_of_verdicts_and_kinds_never_change() -> None:
    assert [verdict.value for verdict in Verdict] == [
        *("ok", "player_unknown", "foreign_bet", "key_conflict", "already_transferred", "field_unreadable"),
        *("duplicate_player", "duplicate_wallet", "money_stands", "tombstone", "unknown_bet", "absorbed"),
        *("late_bet", "refund_amount", "round_won", "bet_settled", "currency_unsupported"),
        *("too_many_decimals", "round_currency", "no_standing_bet", "round_ended", "session_expired"),
        *("wallet_unknown", "wallet_unclear", "player_frozen", "game_disabled", "balance_limit"),
        *("round_full", "insufficient", "transfer_unknown"),
    ]
    assert [kind.value for kind in Kind] == [
        *("create", "open_wallet", "freeze", "release", "forget", "charge", "withdraw", "bet", "result"),
        *("rollback", "tombstone", "round_rollback", "end_round", "bonus", "jackpot", "promo", "session"),
    ]


def test_a_secret_is_found_again_by_its_hash() -> None:
    """The hashes are stored: another way to make them would lock everybody out."""
    assert secret_hash("secret").hex() == "29407b34e399e2f6e900ba3fca57537ec5e4fa3cfe71157ada333fe5549af9cf"
    assert secret_hash("secret") != secret_hash("Secret")


def test_R50_the_legal_moves_are_these() -> None:
    assert {kind: (move.sign, move.contra) for kind, move in MOVES.items()} == {
        Kind.CHARGE: (+1, "partner:{partner}:funds"),
        Kind.WITHDRAW: (-1, "partner:{partner}:funds"),
        Kind.BET: (-1, "provider:{provider}:stakes"),
        Kind.ROLLBACK: (+1, "provider:{provider}:stakes"),
        Kind.RESULT: (+1, "provider:{provider}:wins"),
        Kind.BONUS: (+1, "provider:{provider}:awards"),
        Kind.JACKPOT: (+1, "provider:{provider}:awards"),
        Kind.PROMO: (+1, "provider:{provider}:awards"),
    }


def test_R1_R4_the_keys_that_requests_claim_never_change() -> None:
    """A stored key must be found again by every later version."""
    asked = {
        "t:u": (create(uuid="u"), open_wallet(uuid="u"), charge(uuid="u"), withdraw(uuid="u")),
        "bet:lucky:x": (bet(reference="x"),),
        "result:lucky:x": (result(reference="x"),),
        "rollback:lucky:x": (rollback("x"),),
        "unround:lucky:6:tester:r": (rollback_round("r"),),
        "end:lucky:6:tester:r": (end_round("r"),),
        "promo:lucky:x": (award("promo", reference="x"),),
        "session:lucky:6:tester:s": (expire_session("s"),),
        "freeze:i": (freeze(id="i"),),
        "forget:i": (forget(id="i"),),
    }
    for key, requests in asked.items():
        assert {request.key for request in requests} == {key}
    laden = result(promo=promo(reference="p"), closes=True, round="r")
    assert (laden.promo_key, laden.end_key) == ("promo:lucky:p", "end:lucky:6:tester:r")
    session = "session:lucky:6:tester:s"
    assert bet(reference="x", session="s").lookups == ("bet:lucky:x", "late:lucky:x", session)
    assert charge(uuid="u", transaction="t").lookups == ("t:u", "x:t")
    by_bet, by_round = ("rollback:lucky:x", "bet:lucky:x"), "unround:lucky:6:tester:r"
    assert rollback("x").lookups == by_bet
    assert rollback("x", round="r").lookups == (*by_bet, by_round)
    assert rollback_round("r", reference="x").lookups == (by_round, *by_bet)


def test_R5_what_counts_as_content_never_changes() -> None:
    """Fingerprints of it are stored."""
    money = (PLAYER, "USD", "1.0")
    hashed = name_hash("N", bytes(range(16)))
    assert hashed == "2828b1ee075a08a23c4ee99b9d44f2f7"
    assert create(name="N", name_key=bytes(range(16))).content == ("create", PLAYER, hashed)
    assert open_wallet("EUR").content == ("open_wallet", PLAYER, "EUR")
    assert charge("1.0").content == ("charge", *money)
    assert withdraw("1.0").content == ("withdraw", *money)
    assert bet("1.0").content == (*money, "r1")
    assert result("1.0").content == (PLAYER, "1.0", "r1")
    assert result("1.0", promo=promo("5.0", "p")).content == (PLAYER, "1.0", "r1", "p", "5.0")
    assert award("bonus", "1.0").content == (PLAYER, "1.0")
    assert award("bonus", "1.0", currency="USD").content == (PLAYER, "1.0", "USD")
    for request in (rollback(), rollback_round(), expire_session(), end_round()):
        assert request.content == (PLAYER,)
    assert fingerprint(("a",)).hex() == "f53b3155b302982e196b7645b7b614b1"


# Reading


def test_a_read_cites_its_rule() -> None:
    ledger = funded()
    ledger.ask(expire_session("s1"))
    over = look("USD", provider=PROVIDER, session="s1")
    asked = (look(), look("EUR"), over, look_transfer("unknown"), look(user="nobody"))
    assert [ledger.ask(request).rule for request in asked] == ["R9", "R8", "R47", "R8", "R8"]


# Stories


def story(*requests: Any) -> list[Event]:
    """Of a funded player, without the funding."""
    ledger = funded()
    for request in requests:
        ledger.ask(request)
    return events(ledger.rows_of(), [])[3:]


@pytest.mark.parametrize(
    ("before", "flagged"),
    [([], True), ([bet()], False)],
    ids=["R41 a result without a bet", "R41 a result"],
)
def test_what_a_person_should_look_at_is_flagged(before: list[Any], flagged: bool) -> None:
    last = story(*before, result())[-1]
    assert last.flagged is flagged
    assert last.decision.rows == last.rows
    assert (last.decision.verdict, last.decision.row, last.decision.replay) == (
        last.verdict,
        last.rows[0],
        False,
    )


def test_R48_the_event_of_a_result_is_the_result_whatever_came_along() -> None:
    event = story(bet(), result(promo=promo(), closes=True))[-1]
    assert [row.kind for row in event.rows] == [Kind.PROMO, Kind.RESULT, Kind.END_ROUND]
    assert [row.rule for row in event.rows] == ["R48", "R41", "R43"]
    assert [row.reference for row in event.rows] == ["promo-1", "res-1", ""]
    assert event.row is event.rows[1]
    assert (event.kind, event.asked["reference"]) == (Kind.RESULT, "res-1")


def test_R54_only_what_moves_money_in_a_currency_is_summed() -> None:
    ledger = funded()
    ledger.ask(open_wallet("EUR"))
    ledger.ask(rollback())
    ledger.ask(bet("0.0", reference="bet-2"))
    assert moved(ledger.rows_of()) == {(PARTNER, PLAYER, "USD"): 300 * 10**18}
    assert moved(ledger.rows_of()[:2]) == {}


def arrived(*requests: Any) -> list[Event]:
    """What is told of requests that left no row."""
    ledger, attempts = funded(), Attempts(room=10)
    for request in requests:
        attempts.note(request, ledger.ask(request), NOW)
    return events(ledger.rows_of(), attempts.take())[len(ledger.rows_of()) :]


DONE: list[tuple[Any, dict[str, str]]] = [
    (charge("2.0", transaction="t"), {"amount": "2.0", "currency": "USD", "transaction": "t"}),
    (withdraw("2.0"), {"amount": "2.0", "currency": "USD"}),
    (open_wallet("EUR"), {"currency": "EUR"}),
    (create(name="N"), {}),
    (bet("0.0"), {"amount": "0.0", "currency": "USD", "reference": "bet-1", "round": "r1"}),
    (rollback("b", "2.0"), {"reference": "b"}),
    (rollback_round("r"), {"round": "r"}),
    (end_round("r"), {"round": "r"}),
    (expire_session("s"), {"session": "s"}),
    (award("promo", reference="a"), {"amount": "7.0", "reference": "a"}),
]


@pytest.mark.parametrize(("request_", "asked"), DONE, ids=[type(one[0]).__name__ for one in DONE])
def test_a_repeat_is_told_with_what_was_asked_and_the_row_it_was_answered_from(
    request_: Any, asked: dict[str, str]
) -> None:
    (event,) = arrived(request_, again(request_))[-1:]
    provider = {"provider": PROVIDER} if hasattr(request_, "provider") else {}
    assert (event.asked, event.count, event.replay) == ({**asked, **provider}, 1, True)
    assert event.row is not None
    assert event.row.id == request_.id
    assert event.first_rule == event.row.rule
    assert event.rule == {"Rollback": "R24", "EndRound": "R43"}.get(type(request_).__name__, "R1")


def test_a_repeat_whose_row_is_not_at_hand_is_told_by_the_rule_of_its_kind() -> None:
    ledger, attempts = funded(), Attempts(room=10)
    for request in (bet(), rollback(), charge("2.0")):
        ledger.ask(request)
        attempts.note(again(request), ledger.ask(again(request)), NOW)
    told = events([], attempts.take())
    assert [(event.rule, event.row) for event in told] == [("R1", None), ("R21", None), ("R1", None)]


def test_a_repeat_is_told_with_its_own_row_among_many() -> None:
    """Neither another player's, nor the row of another bet."""
    ledger, attempts = funded(), Attempts(room=10)
    asked = [bet("1.0", f"b-{n}") for n in range(3)] + [charge("1.0"), charge("1.0", user=OTHER)]
    for request in asked:
        ledger.ask(request)
    for request in asked:
        attempts.note(again(request), ledger.ask(again(request)), NOW)
    told = {event.uuid: event.row for event in events(ledger.rows, attempts.take()) if event.replay}
    assert [(row := told[r.uuid]) and row.id for r in asked] == [r.id for r in asked]


def test_what_a_person_did_is_told_with_who_and_why() -> None:
    assert story(freeze())[-1].asked == {"reason": "asked to", "by": "a person"}
    assert story(open_wallet("EUR"))[-1].asked == {"currency": "EUR"}
    assert story(end_round())[-1].asked == {"round": "r1", "game": "slot", "provider": PROVIDER}


def test_attempts_that_find_no_room_are_counted() -> None:
    ledger, attempts = funded(), Attempts(room=1)
    assert (attempts.dropped, len(attempts)) == (0, 0)
    for reference in ("b-1", "b-2", "b-3"):
        ledger.ask(rollback(reference))
        attempts.note(rollback(reference), ledger.ask(rollback(reference)), NOW)
    assert (attempts.dropped, len(attempts)) == (2, 1)


# Profiles


@pytest.mark.parametrize(
    ("code", "read"), [(0, False), (1, True), (9999, True), (10_000, False), (-1, False)]
)
def test_R22_a_code_of_a_profile_is_never_0_and_of_four_digits_at_most(code: int, read: bool) -> None:
    if read:
        assert msgspec.convert({"unknown_bet": code}, Policy).unknown_bet == code
        return
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"unknown_bet": code}, Policy)


def test_the_defaults_are_those_of_the_contract() -> None:
    """R1, R22, R23, R25, R26, R32."""
    told = [(key, value) for key, value, _ in in_words(DEFAULT_POLICY)]
    assert (DEFAULT_POLICY.name, told) == (
        "lucky-monaco-v4",
        [
            ("unknown_bet", "success"),
            ("late_bet", "refuse"),
            ("refund_amount", "at_most"),
            ("settled_bet", "refuse"),
            ("refund_by_round", "false"),
            ("retransmission", "false"),
            ("codes", "none"),
            ("renumber", "none"),
            ("spellings", "none"),
        ],
    )
    words = "A refund of a bet that never came moves nothing and is answered with success (R22)."
    assert in_words(DEFAULT_POLICY)[0][2] == words


def test_every_key_of_a_profile_is_told_as_it_is() -> None:
    policy = Policy(
        unknown_bet=17,
        late_bet="absorb",
        refund_amount="exact",
        settled_bet="return_stake",
        refund_by_round=True,
        retransmission=True,
        codes={"insufficient": 50, "late_bet": 6},
        renumber={"100": 998},
        spellings={"stake": "amount"},
    )
    said = in_words(policy)
    assert [value for _, value, _ in said] == [
        *("17", "absorb", "exact", "return_stake", "true", "true"),
        *("insufficient = 50, late_bet = 6", "100 = 998", "stake = amount"),
    ]
    assert (
        said[0][2] == "A refund of a bet that never came moves nothing and is answered with error 17 (R22)."
    )


# Words


def words(request: Any) -> str:
    return asked_in_words(story(request)[-1])


def test_what_was_asked_is_told_with_its_money() -> None:
    assert words(charge("2.5", transaction="t-1")) == "charge (money in) of 2.5 USD; transaction t-1"
    assert words(open_wallet("EUR")) == "open a wallet in EUR"
    assert words(rollback("b-1", "2.0")) == f"refund of a bet of 2.0; reference b-1; provider {PROVIDER}"
    assert words(end_round()) == f"end of a round; round r1; game slot; provider {PROVIDER}"


def row_words(row: Entry) -> str:
    before, _, after = row_in_words(row).partition(f", transaction {row.id}: ")
    return f"{before} / {after}"


def test_a_row_is_told_with_its_movement_and_the_balance_after_it() -> None:
    ledger = funded()
    rows = [*ledger.rows_of(), *ledger.ask(withdraw("1.0")).rows, *ledger.ask(bet("0.0")).rows]
    rows += ledger.ask(rollback("b-9")).rows
    rows += ledger.ask(charge("0.000000000000000001")).rows
    assert [row_words(row) for row in rows] == [
        f"row 1 of {PLAYER} / create the player, nothing moved",
        f"row 2 of {PLAYER} / open a wallet, nothing moved, balance 0.0 USD",
        f"row 3 of {PLAYER} / charge (money in), +300.0, balance 300.0 USD",
        f"row 4 of {PLAYER} / refund (money out), -1.0, balance 299.0 USD",
        f"row 5 of {PLAYER} / bet, nothing moved, balance 299.0 USD",
        f"row 6 of {PLAYER} / refund of an unknown bet, nothing moved",
        f"row 7 of {PLAYER} / charge (money in), +0.000000000000000001, balance 299.000000000000000001 USD",
    ]
