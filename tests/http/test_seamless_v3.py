"""The seamless door, edition 3, over HTTP: every verb and word, wins told apart by uuid, repeats marked."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from caisse.dialects.seamless_v3.table import ENDPOINTS
from tests.support.cases import spelled
from tests.support.crowd import sent
from tests.support.editions import PLAYS, Gambler, gambler
from tests.support.rig import BY_ROUND, CLOSED_GAME, RIVAL, House, new_id
from tests.support.server import Answer, Call, new_uuid, number, packed

VERBS = [path.rpartition("/")[2] for path in PLAYS]
ATOM = "0.000000000000000001"
JSON = "application/json"


def word(answer: Answer, status: str, http: int = 200) -> None:
    """`status` and `uuid`, and the mark of a repeat; nothing else."""
    assert answer.status == http, answer
    assert answer.headers["content-type"] == JSON
    assert answer.body["status"] == status, answer
    assert list(answer.body)[:2] == ["status", "uuid"]
    assert set(answer.body) <= {"status", "uuid", "retransmission"}


def repeated(house: House, call: Call, first: Answer) -> None:
    """R1: the first answer to the byte, but for the mark."""
    assert house.send(call).raw == first.raw[:-1] + b',"retransmission":true}'


# -- every verb's success --


def test_a_game_s_life(house: House) -> None:
    """R40, R42, R41, R43: `status`, `balance` as text and the request's `uuid`, in this order."""
    at = gambler(house)
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("check", {}, "300.0"),
        ("balance", {"currency": "usd"}, "300.0"),
        ("bet", {"amount": "10." + ATOM[2:]}, "289.999999999999999999"),
        ("win", {"amount": number("25.50"), "jackpot": 20, "win": 5.5}, "315.499999999999999999"),
        ("win", {"amount": "0"}, "315.499999999999999999"),
        ("bet", {"id": "r2", "amount": number("5")}, "310.499999999999999999"),
        ("cancel", {"id": "r2"}, "315.499999999999999999"),
        ("bet", {"id": "r3", "amount": 0}, "315.499999999999999999"),
        ("win", {"id": "r3", "amount": ATOM, "is_end_round": "ok"}, "315.5"),
        ("cancel", {"id": "unheard of", "sid": ...}, "315.5"),
        ("balance", {}, "315.5"),
    ]
    for verb, fields, balance in steps:
        uuid = new_id("u")
        answer = at.send(verb, **fields, uuid=uuid)
        said = f'{{"status":"OK","balance":"{balance}","uuid":"{uuid}"}}'.encode()
        assert (answer.status, answer.raw) == (200, said), verb
    assert at.balance() == "315.5"


def test_a_balance_is_of_the_currency_that_is_asked_for(house: House) -> None:
    """R54."""
    at = gambler(house)
    house.told(house.partner.wallet(at.user, "EUR"))
    house.told(house.partner.charge(at.user, "50.0", currency="EUR"))
    assert at.said("bet", currency="eur")["balance"] == "40.0"
    assert at.said("balance", currency="EUR")["balance"] == "40.0"
    assert at.said("win", currency="EUR", amount="1.0")["balance"] == "41.0"
    assert (at.balance(), at.balance("EUR")) == ("300.0", "41.0")


# -- every refusal by the rules --


class Given(NamedTuple):
    """A call of a verb, and the word that refuses it."""

    verb: str
    fields: dict[str, Any]
    word: str
    rule: str
    kept: bool = True
    who: str = "ana"
    profile: str = ""


EUR = {"currency": "EUR"}
GBP = {"currency": "GBP"}
QQQ = {"currency": "QQQ"}
NOBODY: dict[str, Any] = {"kept": False, "who": "nobody"}
REFUSED: list[Given] = [
    Given("check", {}, "USER_NOT_FOUND", "R8", **NOBODY),
    Given("check", GBP, "WALLET_NOT_FOUND", "R40", kept=False),
    Given("check", QQQ, "WALLET_NOT_FOUND", "R1", kept=False),
    Given("check", {"sid": "expired"}, "SESSION_EXPIRED", "R47", kept=False),
    Given("balance", {}, "USER_NOT_FOUND", "R8", **NOBODY),
    Given("balance", GBP, "WALLET_NOT_FOUND", "R40", kept=False),
    Given("balance", QQQ, "WALLET_NOT_FOUND", "R1", kept=False),
    Given("bet", {"id": "n1"}, "USER_NOT_FOUND", "R8", **NOBODY),
    Given("bet", {"id": "open", "amount": "11"}, "TRANSACTION_CONFLICT", "R5: amount", kept=False),
    Given("bet", {"id": "open", **QQQ}, "TRANSACTION_CONFLICT", "R5: before the table", kept=False),
    Given("bet", {"id": "n12", **QQQ}, "INVALID_CURRENCY", "R1"),
    Given("bet", {"id": "n13", "currency": "JPY", "amount": "1.5"}, "INVALID_AMOUNT", "R1"),
    Given("bet", {"id": "open", **EUR}, "TRANSACTION_CONFLICT", "R5: currency", kept=False),
    Given("bet", {"id": "open"}, "TRANSACTION_CONFLICT", "R5: player", kept=False, who="bob"),
    Given("bet", {"id": "early"}, "BET_CANCELLED", "R23"),
    Given("bet", {"id": "in euros"}, "INVALID_CURRENCY", "R40"),
    Given("bet", {"id": "ended"}, "ROUND_ENDED", "R47"),
    Given("bet", {"id": "n2", "sid": "expired"}, "SESSION_EXPIRED", "R47"),
    Given("bet", {"id": "n3", **GBP}, "WALLET_NOT_FOUND", "R40"),
    Given("bet", {"id": "n4"}, "USER_FROZEN", "R15", who="ice"),
    Given("bet", {"id": "n5", "gameid": CLOSED_GAME}, "GAME_DISABLED", "R30"),
    Given("bet", {"id": "n6", "amount": "300." + ATOM[2:]}, "INSUFFICIENT_FUNDS", "R46"),
    Given("win", {"id": "n7"}, "USER_NOT_FOUND", "R8", **NOBODY),
    Given("win", {"id": "won", "uuid": "won"}, "TRANSACTION_CONFLICT", "R5: amount", kept=False),
    Given("win", {"id": "open"}, "BET_NOT_FOUND", "R41: rounds are the player's own (R40)", who="bob"),
    Given("win", {"id": "open", **EUR}, "WALLET_NOT_FOUND", "R8: not the round's", kept=False),
    Given("win", {"id": "open", **QQQ}, "WALLET_NOT_FOUND", "R8: no such currency", kept=False),
    Given("win", {"id": "open", "currency": "DOLLARS"}, "INVALID_PARAMETER", "R56", kept=False),
    Given("win", {"id": "n8"}, "BET_NOT_FOUND", "R41"),
    Given("win", {"id": "cancelled"}, "BET_NOT_FOUND", "R41: all rolled back"),
    Given("win", {"id": "early"}, "BET_NOT_FOUND", "R41: never taken"),
    Given("win", {"id": "n9", **GBP, "bonus": "free"}, "WALLET_NOT_FOUND", "R8", kept=False),
    Given("cancel", {"id": "n10"}, "USER_NOT_FOUND", "R22", **NOBODY),
    Given("cancel", {"id": "open"}, "INVALID_TRANSACTION", "R28", kept=False, who="bob"),
    Given("cancel", {"id": "early"}, "TRANSACTION_CONFLICT", "R5: player", kept=False, who="bob"),
    Given("cancel", {"id": "open", "amount": "10." + ATOM[2:]}, "INVALID_AMOUNT", "R25: more", kept=False),
    Given("cancel", {"id": "open", "amount": 0}, "INVALID_AMOUNT", "R25: nothing", kept=False),
    Given("cancel", {"id": "open", "amount": 9}, "INVALID_AMOUNT", "R25: less", kept=False, profile="exact"),
    Given("cancel", {"id": "open", "amount": "x"}, "INVALID_PARAMETER", "R56", kept=False),
    Given("cancel", {"id": "open", "amount": number("-10")}, "INVALID_PARAMETER", "R56: less", kept=False),
    Given("cancel", {"id": "won"}, "BET_SETTLED", "R26"),
    Given("cancel", {"id": "n11"}, "BET_NOT_FOUND", "R22", profile="code"),
]


class Scene(NamedTuple):
    """Everybody's ids are those of Ana: what differs is who asks."""

    tag: str
    players: dict[str, Gambler]

    def call(self, given: Given) -> Call:
        at = self.players[given.who]
        if given.profile:
            at = at._replace(game=at.house.game(given.profile))
        own = {name: f"{self.tag} {given.fields[name]}" for name in ("uuid",) if name in given.fields}
        return at._replace(user=self.tag).call(
            f"/seamless/v3/{given.verb}", **{"userid": at.user, **given.fields, **own}
        )

    def balances(self) -> list[str]:
        return [self.players[name].balance() for name in ("ana", "bob", "ice")]


@pytest.fixture(scope="module")
def scene(house: House) -> Scene:
    """Ana with 300.0 and rounds in every state, Bob, frozen Ice, and somebody who is not there."""
    players = {name: gambler(house) for name in ("ana", "bob", "ice")}
    players["nobody"] = players["ana"]._replace(user=new_id("p"))
    made, ana = Scene(new_id("scene"), players), players["ana"]
    house.freeze(players["ice"].user)
    house.told(house.partner.wallet(ana.user, "EUR"))
    house.told(house.partner.charge(ana.user, "50.0", currency="EUR"))
    for verb, fields in (
        ("bet", {"id": "open"}),
        ("bet", {"id": "won"}),
        ("win", {"id": "won", "amount": "20.0", "uuid": "won"}),
        ("win", {"id": "ended", "amount": "0", "bonus": "free", "is_end_round": "ok"}),
        ("bet", {"id": "cancelled"}),
        ("cancel", {"id": "cancelled"}),
        ("cancel", {"id": "early"}),
    ):
        answer = house.send(made.call(Given(verb, fields, "OK", "")))
        assert answer.body["status"] == "OK", (fields, answer)
    # By the later edition, where a bet has a name of its own.
    own = f"{made.tag}-in euros"
    house.told(house.game().bet(ana.user, "1.0", new_id("b"), own, currency="EUR"))
    house.told(house.game().play("SessionExpired", ana.user, sessionId=f"{made.tag}-expired"))
    return made


@pytest.mark.parametrize("given", REFUSED, ids=lambda g: f"{g.verb} {g.word} {g.rule}")
def test_every_refusal_by_the_rules_has_its_word(house: House, scene: Scene, given: Given) -> None:
    """R2, R8: asked again it is marked if it was kept; nothing moves."""
    before = scene.balances()
    call = scene.call(given)
    answer = house.send(call)
    word(answer, given.word)
    assert answer.body["uuid"] == json.loads(call.body)["uuid"]
    assert "retransmission" not in answer.body
    if given.kept:
        repeated(house, call, answer)
    else:
        assert house.send(call).raw == answer.raw
    assert scene.balances() == before == ["300.0"] * 3


# -- what is found before any rule is asked --

REQUIRED = [(e.path, f.name) for e in ENDPOINTS for f in e.fields if f.required]


@pytest.mark.parametrize(("path", "field"), REQUIRED)
def test_a_missing_field_is_an_invalid_parameter(house: House, path: str, field: str) -> None:
    """R7: the player does not exist, which is not looked at."""
    at, name = Gambler(house, "nobody", house.game()), field.removeprefix("transaction.")
    for value in (..., None):
        word(house.send(at.call(path, **{name: value})), "INVALID_PARAMETER")


NO_IDS: list[Any] = ["", -7, 5.5, [], "x" * 129]
NO_USERS: list[Any] = ["", -421, "x" * 65, "a\x00"]
NO_UUIDS: list[Any] = ["", 7, "é", "x" * 65]
NO_TRANSACTIONS: list[Any] = ["r1", [], {}, [{"id": "r1"}]]
NO_STAKES: list[Any] = ["", "-1", "1e3", "01", "1" * 15, True, []]
BAD: list[tuple[str, str, Any, str]] = [
    *[("bet", "userid", bad, "PARAMETER") for bad in NO_USERS],
    *[("bet", "uuid", bad, "PARAMETER") for bad in NO_UUIDS],
    *[("bet", "id", bad, "PARAMETER") for bad in NO_IDS],
    *[("bet", "transaction", bad, "PARAMETER") for bad in NO_TRANSACTIONS],
    *[("check", "currency", bad, "PARAMETER") for bad in ("US", "USDTT", 840)],
    *[("bet", "amount", bad, "AMOUNT") for bad in NO_STAKES],
    *[("win", "amount", bad, "AMOUNT") for bad in (number("-1"), number("1e3"), number("1" * 15))],
]


@pytest.mark.parametrize(("verb", "name", "value", "what"), BAD, ids=spelled)
def test_a_bad_field_has_its_word(house: House, verb: str, name: str, value: Any, what: str) -> None:
    """R7, R12."""
    at = Gambler(house, "nobody", house.game())
    word(at.send(verb, **{name: value}), f"INVALID_{what}")


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_token_is_401_and_one_and_the_same(house: House, verb: str) -> None:
    """R7: the answer tells the request's uuid; a key of the other door is none here."""
    at = gambler(house)
    path, body = at.call(f"/seamless/v3/{verb}")
    key = at.game.path[1:]
    bare, uuid = path.partition("?")[0], json.loads(body)["uuid"]
    queries = [
        *("", "?", "?authToken=", "?authToken=wrong", f"?token={key}", f"?AUTHTOKEN={key}"),
        *(f"?authToken={key}x", f"?authToken={key}&authToken={key}", f"?authToken={house.partner.token}"),
    ]
    for query in queries:
        answer = house.send(Call(bare + query, body))
        word(answer, "UNAUTHORIZED", 401)
        assert answer.body["uuid"] == uuid
    assert at.balance() == "300.0"


BODIES = [b"", b"[]", b"null", b"{", b'{"uuid":"a","uuid":"a"}', b'{"uuid":"a","UUID":"b"}', b"\xff"]
BODIES += [b'{"transaction":{"id":"a","ID":"b"}}', b'{"transaction":{},"Transaction":{}}']


@pytest.mark.parametrize("path", PLAYS)
def test_an_unreadable_body_is_400(house: House, path: str) -> None:
    where = Gambler(house, "nobody", house.game()).call(path).path
    for body in BODIES:
        if b'"transaction"' not in body or path.endswith(("bet", "win", "cancel")):
            word(house.send(Call(where, body)), "BAD_REQUEST", 400)


def test_failures_keep_their_http_status(house: House) -> None:
    at = gambler(house)
    call = at.call("/seamless/v3/bet")
    word(house.server.request("POST", *call, content_type="text/plain"), "BAD_REQUEST", 415)
    word(house.send(call._replace(body=call.body + b" " * 17_000)), "BAD_REQUEST", 413)
    for tail in ("refund", "", "bet/"):
        word(house.send(Call(f"/seamless/v3/{tail}", b"{}")), "BAD_REQUEST", 404)
    assert at.balance() == "300.0"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_405_with_allow(house: House, verb: str, method: str) -> None:
    answer = house.server.request(method, f"/seamless/v3/{verb}", b"{}", content_type=JSON)
    word(answer, "BAD_REQUEST", 405)
    assert answer.headers["allow"] == "POST"


# -- repeats --


@pytest.mark.parametrize("profile", ["", "marked"])
def test_R1_a_repeat_gets_the_first_answer_marked_whatever_the_profile_says(
    house: House, profile: str
) -> None:
    """R2, R21, R24: balance and all, after it changed; refusals too."""
    at = gambler(house, profile)
    story: list[tuple[str, dict[str, Any]]] = [
        *[("bet", {}), ("bet", {"id": "poor", "amount": "900"}), ("win", {"amount": "1.0"})],
        *[("win", {"amount": "1.0", "is_end_round": "ok"}), ("cancel", {}), ("cancel", {"id": "unknown"})],
        *[("bet", {"id": "unknown"}), ("bet", {"id": "r2"}), ("cancel", {"id": "r2"})],
    ]
    calls = [at.call(f"/seamless/v3/{verb}", **fields) for verb, fields in story]
    firsts = [house.send(call) for call in calls]
    words = [first.body["status"] for first in firsts]
    assert words == [
        *["OK", "INSUFFICIENT_FUNDS", "OK", "OK", "BET_SETTLED", "OK", "BET_CANCELLED", "OK", "OK"]
    ]
    house.told(house.partner.charge(at.user, "1000.0"))
    before = at.balance()
    for call, first in zip(calls, firsts, strict=True):
        repeated(house, call, first)
    assert at.balance() == before == "1292.0"


@pytest.mark.parametrize("verb", ["bet", "cancel"])
def test_a_repeat_with_another_uuid_tells_that_uuid(house: House, verb: str) -> None:
    """R4, R21: `transaction.id` is the key, uuid is none."""
    at = gambler(house)
    at.said("bet")
    at.said(verb)
    balance = at.balance()
    uuid = new_id("u")
    said = at.said(verb, uuid=uuid)
    assert said == {"status": "OK", "balance": balance, "uuid": uuid, "retransmission": True}
    assert at.balance() == balance == ("290.0" if verb == "bet" else "300.0")


def test_R6_many_at_once_have_one_effect(house: House) -> None:
    """One bet, one win and one cancel, each sent many times at once."""
    at = gambler(house)
    for verb, fields, balance in (
        ("bet", {}, "290.0"),
        ("win", {"amount": "7.0"}, "297.0"),
        ("bet", {"id": "r2"}, "287.0"),
        ("cancel", {"id": "r2"}, "297.0"),
    ):
        call = at.call(f"/seamless/v3/{verb}", **fields)
        answers = [answer.body for answer in sent(house.server, [call] * 16)]
        marks = [answer.pop("retransmission", False) for answer in answers]
        assert sorted(marks) == [False] + [True] * 15
        assert all(answer == answers[0] for answer in answers)
        assert answers[0]["balance"] == balance
    assert at.balance() == "297.0"


# -- several wins of one transaction --


def test_several_wins_are_told_apart_by_their_uuid_and_each_is_paid_once(house: House) -> None:
    """R4, R42."""
    at = gambler(house)
    at.said("bet")
    wins = [at.call("/seamless/v3/win", amount="2.5", uuid=new_id("u")) for _ in range(3)]
    balances = [house.send(win).body["balance"] for win in wins]
    assert balances == ["292.5", "295.0", "297.5"]
    for win, balance in zip(wins, balances, strict=True):
        said = house.send(win).body
        assert (said["balance"], said["retransmission"]) == (balance, True)
    assert at.balance() == "297.5"


def test_R4_a_win_s_uuid_is_its_key_in_whatever_round(house: House) -> None:
    """R5: in another round it is another request's; under a uuid of its own that win is paid."""
    at, uuid = gambler(house), new_id("u")
    for round_ in ("r1", "r2"):
        at.said("bet", id=round_)
    assert at.said("win", uuid=uuid, amount="1.0")["balance"] == "281.0"
    word(at.send("win", id="r2", uuid=uuid, amount="1.0"), "TRANSACTION_CONFLICT")
    assert at.balance() == "281.0"
    assert at.said("win", id="r2", amount="1.0")["balance"] == "282.0"


def test_R40_a_round_of_the_same_id_is_each_player_s_own(house: House) -> None:
    """A live table's round; its bets come through the later edition, with names of their own."""
    ana, bob = gambler(house), gambler(house)
    round_ = new_id("table")
    for at in (ana, bob):
        house.told(at.game.bet(at.user, "10.0", new_id("b"), round_))
        win = at._replace(user=round_[:-2]).call("/seamless/v3/win", id=round_, userid=at.user, amount="4.0")
        body = json.loads(win.body)
        body["transaction"]["id"] = round_
        assert house.send(Call(win.path, packed(body))).body["balance"] == "294.0"
    assert (ana.balance(), bob.balance()) == ("294.0", "294.0")


def test_R5_the_game_does_not_count(house: House) -> None:
    at = gambler(house)
    at.said("bet")
    assert at.said("bet", gameid="g2")["retransmission"] is True
    assert at.balance() == "290.0"


def test_a_canonical_uuid_is_one_win_in_any_letter_case(house: House) -> None:
    at, uuid = gambler(house), new_uuid()
    at.said("bet")
    at.said("win", uuid=uuid)
    again = at.said("win", uuid=uuid.upper())
    assert (again["uuid"], again["retransmission"]) == (uuid.upper(), True)
    assert at.balance() == "315.0"


def test_R5_another_amount_under_a_win_s_uuid_is_a_conflict(house: House) -> None:
    at, uuid = gambler(house), new_id("u")
    at.said("bet")
    first = at.call("/seamless/v3/win", uuid=uuid)
    answer = house.send(first)
    word(at.send("win", uuid=uuid, amount="26.0"), "TRANSACTION_CONFLICT")
    repeated(house, first, answer)
    assert at.balance() == "315.0"


def test_the_amount_contains_the_jackpot(house: House) -> None:
    """What `jackpot` and `win` say is recorded and moves nothing."""
    at = gambler(house)
    at.said("bet")
    assert at.said("win", amount="100.0", jackpot="90.0", win="10.0")["balance"] == "390.0"
    assert at.balance() == "390.0"


def test_R41_a_bonus_is_paid_without_a_bet(house: House) -> None:
    at = gambler(house)
    word(at.send("win"), "BET_NOT_FOUND")
    word(at.send("win", bonus=""), "BET_NOT_FOUND")
    assert at.said("win", bonus="free-1", id="r2")["balance"] == "325.0"
    assert at.balance() == "325.0"


# -- the end of a round --


@pytest.mark.parametrize("end", ["ok", "OK", True, "true", 1])
def test_R43_is_end_round_closes_the_round_for_bets_and_not_for_wins(house: House, end: str) -> None:
    """R47: seen by the later edition too, whose bet in that round is refused."""
    at = gambler(house)
    at.said("bet")
    assert at.said("win", is_end_round=end, amount="5.0")["balance"] == "295.0"
    late = house.game().bet(at.user, "1.0", new_id("b"), at.own("r1"))
    assert house.send(late).code == 120
    word(at.send("cancel"), "BET_SETTLED")
    assert at.said("win", amount="0.5")["balance"] == "295.5"
    assert at.balance() == "295.5"


@pytest.mark.parametrize("end", [..., "", None, "no", False, 0, ["ok"]])
def test_a_round_stays_open_without_it(house: House, end: Any) -> None:
    at = gambler(house)
    at.said("bet")
    at.said("win", is_end_round=end, amount="5.0")
    house.told(house.game().bet(at.user, "1.0", new_id("b"), at.own("r1")))
    assert at.balance() == "294.0"


def test_on_a_bet_it_ends_nothing(house: House) -> None:
    at = gambler(house)
    at.said("bet", is_end_round="ok")
    assert at.said("win")["balance"] == "315.0"
    assert at.balance() == "315.0"


# -- cancel --


def test_R20_a_known_bet_comes_back_once(house: House) -> None:
    """R21, R41: and its round can win nothing more."""
    at = gambler(house)
    at.said("bet")
    assert at.said("cancel")["balance"] == "300.0"
    for _ in range(2):
        assert at.said("cancel")["retransmission"] is True
    word(at.send("win"), "BET_NOT_FOUND")
    assert at.balance() == "300.0"


def test_R22_an_unknown_transaction_is_ok_and_R23_its_bet_is_not_taken_later(house: House) -> None:
    """R24."""
    at = gambler(house)
    before = house.counts()["journal"]
    call = at.call("/seamless/v3/cancel")
    first = house.send(call)
    assert first.body == {"status": "OK", "balance": "300.0", "uuid": json.loads(call.body)["uuid"]}
    repeated(house, call, first)
    assert house.counts()["journal"] == before + 1
    word(at.send("bet"), "BET_CANCELLED")
    word(at.send("win"), "BET_NOT_FOUND")
    assert at.balance() == "300.0"


def test_R23_a_late_bet_may_be_absorbed(house: House) -> None:
    at = gambler(house, "absorb")
    at.said("cancel")
    assert at.said("bet")["balance"] == "300.0"
    word(at.send("win"), "BET_NOT_FOUND")
    assert at.balance() == "300.0"


@pytest.mark.parametrize(
    ("profile", "amount", "balance"),
    [("", number("4.0"), "294.0"), ("", "10.00", "300.0"), ("exact", "10", "300.0"), ("", ..., "300.0")],
    ids=["less", "equal", "exact", "none"],
)
def test_R25_what_is_given_back(house: House, profile: str, amount: Any, balance: str) -> None:
    at = gambler(house, profile)
    at.said("bet")
    assert at.said("cancel", amount=amount)["balance"] == balance
    at.said("cancel")
    assert at.balance() == balance


def test_R26_the_stake_of_a_settled_bet_where_the_profile_says_so(house: House) -> None:
    at = gambler(house, "return")
    at.said("bet")
    at.said("win", is_end_round="ok")
    assert at.said("cancel")["balance"] == "325.0"
    assert at.balance() == "325.0"


def test_R27_a_refused_bet_gives_nothing_back(house: House) -> None:
    at = gambler(house)
    word(at.send("bet", amount="301.0"), "INSUFFICIENT_FUNDS")
    assert at.said("cancel")["balance"] == "300.0"
    word(at.send("bet", amount="301.0"), "INSUFFICIENT_FUNDS")
    assert at.balance() == "300.0"


def test_R28_another_player_s_bet_is_refused_and_not_shown(house: House) -> None:
    """R8: nor does that stand in the way of its own player."""
    at, other = gambler(house), gambler(house)
    at.said("bet")
    call = at.call("/seamless/v3/cancel", userid=other.user)
    answer = house.send(call)
    word(answer, "INVALID_TRANSACTION")
    assert at.user.encode() not in answer.raw
    assert (at.balance(), other.balance()) == ("290.0", "300.0")
    assert at.said("cancel")["balance"] == "300.0"


def test_R30_frozen_expired_disabled_do_not_stand_in_the_way(house: House) -> None:
    """R15."""
    at = gambler(house)
    for round_ in ("r1", "r2"):
        at.said("bet", id=round_)
    house.freeze(at.user)
    house.told(house.game().play("SessionExpired", at.user, sessionId=at.own("s1")))
    assert at.said("cancel", gameid=CLOSED_GAME)["balance"] == "290.0"
    assert at.said("win", id="r2", amount="5.0")["balance"] == "295.0"
    word(at.send("bet", id="r3"), "SESSION_EXPIRED")
    assert at.balance() == "295.0"


# -- beside the later edition --


def test_R4_the_editions_share_bets_and_providers_do_not(house: House) -> None:
    """R20, R29: the later edition's Refund undoes this one's bet, and its cancel that one's."""
    at = gambler(house)
    at.said("bet")
    house.told(house.game().refund(at.user, at.own("r1")))
    again = at.said("cancel")
    assert (again["balance"], again["retransmission"]) == ("300.0", True)
    house.told(house.game().bet(at.user, "20.0", at.own("r2"), new_id("r")))
    assert at.said("cancel", id="r2")["balance"] == "300.0"
    rival = at._replace(game=house.game(RIVAL))
    assert "retransmission" not in rival.said("bet")
    assert at.balance() == "290.0"
    house.told(house.game(RIVAL).refund(at.user, at.own("r1")))
    assert at.balance() == "300.0"


def test_a_tombstone_of_the_later_edition_names_no_currency_and_so_tells_no_balance(house: House) -> None:
    at = gambler(house)
    house.told(house.game().refund(at.user, at.own("r1")))
    uuid = new_id("u")
    assert at.said("cancel", uuid=uuid) == {"status": "OK", "uuid": uuid, "retransmission": True}
    word(at.send("bet"), "BET_CANCELLED")


def test_R32_a_round_that_was_refunded_takes_no_late_bet(house: House) -> None:
    at = gambler(house, BY_ROUND)
    at.said("bet")
    house.told(at.game.play("Refund", at.user, reference=..., roundId=at.own("r1")))
    assert at.balance() == "300.0"
    house.told(at.game.play("Refund", at.user, reference=..., roundId=at.own("r2")))
    word(at.send("bet", id="r2"), "BET_CANCELLED")
    assert at.balance() == "300.0"


# -- spellings --


@pytest.mark.parametrize("verb", VERBS)
def test_paths_and_names_match_in_any_letter_case(house: House, verb: str) -> None:
    at = gambler(house)
    if verb == "win":
        at.said("bet")
    call = at.call(f"/seamless/v3/{verb}")
    first = house.send(call)
    assert first.body["status"] == "OK"
    bare, _, query = call.path.partition("?")
    body = call.body
    for name in ("sid", "userid", "currency", "uuid", "gameid", "transaction", "id", "amount"):
        body = body.replace(f'"{name}"'.encode(), f'"{name.upper()}"'.encode())
    marks = b"" if verb in ("check", "balance") else b',"retransmission":true'
    for way in (bare.upper(), bare.title(), bare):
        assert house.send(Call(f"{way}?{query}", body)).raw == first.raw[:-1] + marks + b"}"


def test_a_profile_s_aliases_are_understood(house: House) -> None:
    """`account` stands for `userId`, which this edition spells `userid`."""
    at = gambler(house, "worded")
    call = at.call("/seamless/v3/bet", userid=..., account=at.user)
    assert house.send(call).body["status"] == "OK"
    assert at.balance() == "290.0"


@pytest.mark.parametrize("amount", ["10", "10.00", number("10"), number("10.0")], ids=spelled)
def test_an_amount_is_text_or_a_number(house: House, amount: Any) -> None:
    """R5: all of these are one amount; R45: and zero is one too."""
    at = gambler(house)
    assert at.said("bet", amount=amount)["balance"] == "290.0"
    assert at.said("bet", amount="10.000")["retransmission"] is True
    assert at.said("bet", amount="0", id="r2")["balance"] == "290.0"


@pytest.mark.parametrize(("bonus", "roundid"), [(..., ...), ("", ""), (None, None), ("b-1", 77), (1, ["77"])])
def test_what_is_only_recorded_may_be_there_or_not(house: House, bonus: Any, roundid: Any) -> None:
    at = gambler(house)
    assert at.said("bet", bonus=bonus, roundid=roundid)["balance"] == "290.0"


def test_the_token_is_in_no_answer_and_not_in_the_log(house: House) -> None:
    at = gambler(house)
    key = at.game.path[1:]
    for verb in VERBS:
        assert key.encode() not in at.send(verb).raw
    house.send(Call(f"/seamless/v3/bet?authToken={key}", packed({})))
    assert key not in house.server.log
