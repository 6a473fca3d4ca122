"""The two pages of the contract to the letter, and every sibling endpoint beside them, on both doors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.rig import House, new_id
from tests.support.server import PLAY, Answer, Game, Partner, new_uuid, number, packed

REFUND_BALANCE = b"""{
    "id": "tester",
    "currency": "USD",
    "uuid" : "ab64cee3-f73b-4631-9abf-b1a09c1f9c36",
    "amount" : "200.0"
}"""
REFUND = b"""{
    "reference": "585c1306f89c56f5ecfc2f5d",
    "gameId": "Im_60_tumblefortune",
    "providerId": "luckymonaco",
    "userId": "421",
    "roundid" : "5103188801",
    "roundDetails": "spin",
    "amount": 10.0,
    "timestamp": "1482429190374",
    "uuid": "4a5d375ac1311b04fba2ea66d067b8e5"
}"""
SEED_UUID = "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"
BET = "585c1306f89c56f5ecfc2f5d"
ROUND = "5103188801"
UUID_SENT = "0c0ffee0-0000-4000-8000-00000000abcd"

is_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def json_answer(answer: Answer) -> bytes:
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.raw)
    return answer.raw


def seed_bet(user: str, game: Game) -> Any:
    return game.bet(user, number("10.0"), BET, ROUND, gameId="Im_60_tumblefortune", currency="USD")


# -- the first seed: /user/refund --


def test_the_first_seed_is_answered_as_on_its_page(house: House) -> None:
    partner = house.spare().partner
    house.player(partner=partner, user="tester")
    call = partner.call("refund", REFUND_BALANCE)
    expected = (
        b'{"status":"OK","uuid":"ab64cee3-f73b-4631-9abf-b1a09c1f9c36","currency":"USD",'
        b'"amount":"200.0","balance":"100.0"}'
    )
    assert json_answer(house.send(call)) == expected
    assert json_answer(house.send(call)) == expected
    assert house.balance("tester", partner=partner) == "100.0"


def test_the_first_seed_fails_as_on_its_page(house: House) -> None:
    partner = house.spare().partner
    house.player("199.999999999999999999", partner=partner, user="tester")
    call = partner.call("refund", REFUND_BALANCE)
    expected = (
        b'{"status":"Failed","uuid":"ab64cee3-f73b-4631-9abf-b1a09c1f9c36","code":3,'
        b'"reason":"Not Enough Balance"}'
    )
    assert json_answer(house.send(call)) == expected
    assert house.balance("tester", partner=partner) == "199.999999999999999999"


def test_the_seeds_uuid_is_one_key_on_all_of_the_partners_endpoints(house: House) -> None:
    """R3: the vendor's examples all show one uuid; played in a row, the second is another request's."""
    partner = house.spare().partner
    house.player("", partner=partner, user="tester")
    house.told(partner.charge("tester", "300.0", uuid=SEED_UUID))
    assert house.send(partner.call("refund", REFUND_BALANCE)).code == 5
    assert house.balance("tester", partner=partner) == "300.0"


# -- the second seed: /V4/Refund --


def test_the_second_seed_is_answered_as_on_its_page(house: House) -> None:
    partner, games = house.spare()
    game = games["lucky-monaco-v4"]
    house.player(partner=partner, user="421")
    house.told(seed_bet("421", game))
    assert house.balance("421", partner=partner) == "290.0"
    call = game.call("Refund", REFUND)
    raw = json_answer(house.send(call))
    said = Answer(200, raw).body
    assert list(said.items()) == [
        ("transactionId", said["transactionId"]),
        ("error", "0"),
        ("description", "Success"),
    ]
    assert is_uuid(said["transactionId"])
    assert raw == packed(said)
    assert house.balance("421", partner=partner) == "300.0"
    assert json_answer(house.send(call)) == raw
    assert house.balance("421", partner=partner) == "300.0"


def test_the_second_seed_for_an_unknown_bet_does_nothing_and_succeeds(house: House) -> None:
    """The page's second note (R22), and what it leaves open: the bet that comes later is not taken (R23)."""
    partner, games = house.spare()
    game = games["lucky-monaco-v4"]
    house.player(partner=partner, user="421")
    first = house.told(game.call("Refund", REFUND))
    assert list(first.body) == ["transactionId", "error", "description"]
    assert house.send(seed_bet("421", game)).code == 120
    assert house.balance("421", partner=partner) == "300.0"
    assert house.told(game.call("Refund", REFUND)).raw == first.raw


def test_the_second_seeds_refund_has_a_transaction_id_of_its_own(house: House) -> None:
    """R20: neither the bet's nor another refund's."""
    game, user = house.game(), house.player()
    own = [new_id("b"), new_id("b"), new_id("unknown")]
    bets = [house.told(game.bet(user, "1.0", ref, new_id("r"))) for ref in own[:2]]
    refunds = [house.told(game.refund(user, ref)) for ref in own]
    assert len({answer.body["transactionId"] for answer in bets + refunds}) == 5


# -- the first seed's siblings: every row of the transfer door --


def test_create_succeeds_once(house: House) -> None:
    user = new_id("p")
    answer = house.send(house.partner.create(user))
    assert list(answer.body) == ["status", "uuid"]
    assert answer.body["status"] == "OK"
    again = house.send(house.partner.create(user))
    assert (again.body["code"], again.body["reason"]) == (2, "Duplicate ID")
    assert list(again.body) == ["status", "uuid", "code", "reason"]


def test_create_wallet_succeeds_once_for_each_currency(house: House) -> None:
    user = house.player("")
    euro = house.send(house.partner.wallet(user, "EUR"))
    assert list(euro.body.items()) == [("status", "OK"), ("uuid", euro.body["uuid"])]
    again = house.send(house.partner.wallet(user, "EUR"))
    assert (again.body["status"], again.body["code"], again.body["reason"]) == ("Failed", 2, "Already Create")


def test_info_shows_the_player_and_all_wallets(house: House) -> None:
    user, uuid = house.player("12.50"), new_uuid()
    house.told(house.partner.wallet(user, "BTC"))
    said = house.told(house.partner.info(user, uuid)).body
    assert list(said) == ["status", "uuid", "name", "at_create", "at_login", "wallet"]
    assert (said["uuid"], said["name"], said["wallet"]) == (uuid, "Name", {"BTC": "0.0", "USD": "12.5"})
    for moment in (said["at_create"], said["at_login"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", moment)
    assert said["at_create"] == said["at_login"]


def test_info_of_a_player_without_wallets(house: House) -> None:
    user = new_id("p")
    house.told(house.partner.create(user))
    assert house.told(house.partner.info(user)).body["wallet"] == {}


def test_at_login_is_the_newest_sessions_start(house: House) -> None:
    user = house.player()
    created = house.told(house.partner.info(user)).body["at_create"]
    house.told(house.game().bet(user, "1.0", new_id("b"), new_id("r"), sessionId=new_id("s")))
    said = house.told(house.partner.info(user)).body
    assert said["at_create"] == created
    assert said["at_login"] >= created


def test_balance_shows_one_wallet(house: House) -> None:
    user, uuid = house.player("0.050"), new_uuid()
    said = house.told(house.partner.balance(user, uuid=uuid)).body
    assert list(said.items()) == [("status", "OK"), ("uuid", uuid), ("balance", "0.05")]


def test_charge_shows_what_came_and_what_is_there(house: House) -> None:
    user, uuid = house.player("1.5"), new_uuid()
    said = house.told(house.partner.charge(user, "2.250", uuid)).body
    assert list(said.items()) == [
        *[("status", "OK"), ("uuid", uuid), ("currency", "USD")],
        *[("amount", "2.25"), ("balance", "3.75")],
    ]


Spell = Callable[[Partner, str], Any]


def test_the_log_lists_rounds_oldest_first_and_ends(house: House) -> None:
    """R57: in the order in which they were over; an open one is not listed."""
    partner, games = house.spare()
    game, user, uuid = games["lucky-monaco-v4"], house.player(partner=partner), new_uuid()
    listing = {"start": 0, "limit": 2, "uuid": uuid}
    empty = house.send(partner.log(listing))
    assert (empty.body["code"], empty.body["reason"]) == (3, "Have No Additional Record")
    for n in range(4):
        house.told(game.bet(user, f"{n + 1}.50", f"b{n}", f"r{n}"))
    house.told(game.refund(user, "b2"))
    house.told(game.bet(user, "1.0", "b4", "r0"))
    house.told(game.result(user, "4.0", "w0", "r0"))
    house.told(game.play("EndRound", user, roundId="r1"))
    answer = house.logged(partner.log(listing), 2)
    assert list(answer.body.items()) == [
        *[("status", "OK"), ("uuid", uuid)],
        (
            "logs",
            [
                [0, "g1", "USD", "0.0", "0.0", "none", "0.0"],
                [1, "g1", "USD", "2.5", "4.0", "none", "0.0"],
            ],
        ),
    ]
    rest = house.logged(partner.log({**listing, "start": 2}), 1).body["logs"]
    assert rest == [[2, "g1", "USD", "2.5", "0.0", "none", "0.0"]]
    assert house.send(partner.log({**listing, "start": 3})).code == 3
    assert house.told(partner.log(listing)).raw == answer.raw
    house.told(game.result(user, "0.5", "w1", "r1"))
    later = house.logged(partner.log({**listing, "start": 3}), 1).body["logs"]
    assert later == [[3, "g1", "USD", "0.0", "0.5", "none", "0.0"]]
    assert house.told(partner.log(listing)).raw == answer.raw


@pytest.mark.parametrize(
    "fields", [{"start": -1}, {"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"start": ...}]
)
def test_a_bad_page_of_the_log_is_an_invalid_parameter(house: House, fields: dict[str, Any]) -> None:
    answer = house.send(house.partner.log({"start": 0, "limit": 1, "uuid": new_uuid(), **fields}))
    assert (answer.status, answer.code) == (200, 1)


ABOUT_A_WALLET: dict[str, Spell] = {
    "balance": lambda partner, user: partner.balance(user, "EUR"),
    "charge": lambda partner, user: partner.charge(user, currency="EUR"),
    "refund": lambda partner, user: partner.refund(user, currency="EUR"),
}
ABOUT_A_PLAYER: dict[str, Spell] = {
    "create_wallet": lambda partner, user: partner.wallet(user),
    "info": lambda partner, user: partner.info(user),
    **ABOUT_A_WALLET,
}


@pytest.mark.parametrize("verb", ABOUT_A_WALLET)
def test_without_that_wallet_there_is_no_wallet(house: House, verb: str) -> None:
    answer = house.send(ABOUT_A_WALLET[verb](house.partner, house.player("")))
    assert (answer.status, answer.body["code"], answer.body["reason"]) == (200, 2, "Have no Wallet")


@pytest.mark.parametrize("verb", ABOUT_A_PLAYER)
def test_an_unknown_user_is_not_found_and_that_is_not_kept(house: House, verb: str) -> None:
    """R8."""
    user = new_id("p")
    call = ABOUT_A_PLAYER[verb](house.partner, user)
    answer = house.send(call)
    assert (answer.status, answer.body["code"], answer.body["reason"]) == (200, 4, "User Not Found")
    house.told(house.partner.create(user))
    if verb != "create_wallet":
        house.told(house.partner.wallet(user, "EUR"))
        house.told(house.partner.charge(user, "50.0", currency="EUR"))
    assert house.send(call).code == 0


@pytest.mark.parametrize("verb", ["create", *ABOUT_A_PLAYER])
@pytest.mark.parametrize(
    "uuid", [..., "", "x", UUID_SENT[:-1], UUID_SENT.replace("-", ""), UUID_SENT + "0", 7, None]
)
def test_an_unreadable_uuid_is_answered_with_an_empty_one(house: House, verb: str, uuid: Any) -> None:
    fields = {"id": "x", "name": "x", "currency": "USD", "amount": "1.0", "uuid": uuid}
    answer = house.send(house.partner.call(verb, fields))
    expected = b'{"status":"Failed","uuid":"","code":1,"reason":"Invalid Parameter"}'
    assert (answer.status, answer.raw) == (200, expected)


@pytest.mark.parametrize("verb", ["create", *ABOUT_A_PLAYER])
def test_the_answers_uuid_is_the_requests(house: House, verb: str) -> None:
    uuid = new_uuid()
    fields = {"id": new_id("p"), "name": "x", "currency": "USD", "amount": "1.0", "uuid": uuid}
    assert house.send(house.partner.call(verb, fields)).body["uuid"] == uuid


def test_a_uuid_in_capitals_is_the_same_key(house: House) -> None:
    user, uuid = house.player("10.0"), new_uuid()
    house.told(house.partner.charge(user, "5.0", uuid))
    house.told(house.partner.charge(user, "5.0", uuid.upper()))
    assert house.balance(user) == "15.0"


# -- the second seed's siblings: every method of the seamless door --

SHOWN = {
    "Check": [],
    "Balance": ["currency", "cash"],
    "Bet": ["transactionId", "currency", "cash"],
    "Result": ["transactionId", "currency", "cash"],
    "Refund": ["transactionId"],
    "Cancel": ["reference", "transactionId", "currency", "cash"],
    "EndRound": ["transactionId", "currency", "cash", "bonus"],
    "BonusWin": ["transactionId", "currency", "cash", "bonus"],
    "JackPotWin": ["transactionId", "currency", "cash", "bonus"],
    "PromoWin": ["transactionId", "currency", "cash", "bonus"],
    "SessionExpired": [],
}
CASH_AFTER = {
    **{"Balance": "290.0", "Bet": "280.0", "Result": "315.5", "EndRound": "290.0", "Cancel": "300.0"},
    **{"BonusWin": "295.0", "JackPotWin": "297.0", "PromoWin": "293.25"},
}


def fresh(method: str) -> dict[str, Any]:
    """New ids for what a call of this method names."""
    return {name: new_id(name) for name in ("reference", "roundId", "sessionId") if name in PLAY[method]}


@pytest.mark.parametrize("method", SHOWN)
def test_each_method_succeeds_as_documented(house: House, method: str) -> None:
    game, user = house.game(), house.player()
    own = {"reference": new_id("x"), "roundId": new_id("r"), "sessionId": new_id("s")}
    house.told(game.bet(user, "10.0", own["reference"], own["roundId"]))
    if method == "Bet":
        own["reference"] = new_id("b")
    fields = {name: value for name, value in own.items() if name in PLAY[method]}
    answer = house.told(game.play(method, user, **fields))
    said = answer.body
    assert list(said) == [*SHOWN[method], "error", "description"]
    assert (said["error"], said["description"]) == ("0" if method == "Refund" else 0, "Success")
    if "cash" in said:
        assert (said["currency"], said["cash"]) == ("USD", CASH_AFTER[method])
        assert b'"cash":' + CASH_AFTER[method].encode() in answer.raw
    if "bonus" in said:
        assert b'"bonus":0.0' in answer.raw
    if method == "Cancel":
        assert said["reference"] == own["reference"]


def refused(answer: Answer, method: str, code: int) -> None:
    """A refusal carries its code as text on Refund, as a number elsewhere; Cancel's the reference too."""
    assert answer.status == 200
    said = answer.body
    assert said["error"] == (str(code) if method == "Refund" else code), said
    assert list(said) == [*(["reference"] if method == "Cancel" else []), "error", "description"]


@pytest.mark.parametrize("method", SHOWN)
def test_an_unknown_player_is_100_on_every_method(house: House, method: str) -> None:
    """R22: never 0; this door creates no players."""
    user = new_id("p")
    refused(house.send(house.game().play(method, user, **fresh(method))), method, 100)
    assert house.send(house.partner.info(user)).code == 4


@pytest.mark.parametrize("method", SHOWN)
def test_another_provider_is_refused_on_every_method(house: House, method: str) -> None:
    """R33."""
    user = house.player("")
    refused(house.send(house.game().play(method, user, providerId="unlucky", **fresh(method))), method, 4)


@pytest.mark.parametrize("method", ["Check", "Balance", "Bet", "Result", "SessionExpired"])
def test_the_providers_letter_case_does_not_matter(house: House, method: str) -> None:
    """R33."""
    game, user = house.game(), house.player()
    fields = fresh(method)
    if method == "Result":
        house.told(game.bet(user, "1.0", new_id("b"), fields["roundId"]))
    house.told(game.play(method, user, providerId="LuckyMonaco", **fields))


@pytest.mark.parametrize("method", SHOWN)
def test_a_wrong_key_is_refused_with_4(house: House, method: str) -> None:
    user = house.player("")
    for path in ("/no-such-key-at-all", ""):
        refused(house.send(Game(path).play(method, user, **fresh(method))), method, 4)


NEEDED = {
    "Check": "",
    "Balance": "",
    "Bet": "gameId roundId amount reference currency",
    "Result": "roundId amount reference",
    "Refund": "reference",
    "Cancel": "reference",
    "EndRound": "roundId",
    "BonusWin": "amount reference",
    "JackPotWin": "amount reference",
    "PromoWin": "amount reference currency",
    "SessionExpired": "sessionId",
}
"""R56: what deciding needs, besides these of every method."""
MISSING = [
    (m, name) for m, names in NEEDED.items() for name in ["providerId", "userId", "uuid", *names.split()]
]
SPARED = [(m, name) for m, names in NEEDED.items() for name in PLAY[m] if name not in names.split()]


@pytest.mark.parametrize(("method", "name"), MISSING)
def test_a_missing_field_is_a_bad_parameter(house: House, method: str, name: str) -> None:
    answer = house.send(house.game().play(method, "anybody", **{name: ...}))
    refused(answer, method, 7)


@pytest.mark.parametrize(("method", "name"), SPARED)
def test_R56_any_other_field_may_be_left_out(house: House, method: str, name: str) -> None:
    game, user, own = house.game(), house.player(), fresh(method)
    if method == "Result":
        house.told(game.bet(user, "10.0", new_id("b"), own["roundId"]))
    cash = house.told(game.play(method, user, **{**own, name: ...})).body.get("cash")
    assert cash in (None, house.balance(user), "0.0" if name == "currency" else None)


@pytest.mark.parametrize(
    "method", ["Check", "Balance", "Bet", "Result", "BonusWin", "JackPotWin", "PromoWin"]
)
def test_an_unknown_currency_is_2(house: House, method: str) -> None:
    """R1, R8: behind the look-up of the player; what is owed is paid when the right one is named."""
    game, user, own = house.game(), house.player(), fresh(method)
    if method == "Result":
        house.told(game.bet(user, "10.0", new_id("b"), own["roundId"]))
    before = house.balance(user)
    refused(house.send(game.play(method, user, **own, currency="QQQ")), method, 2)
    assert house.balance(user) == before
    if method not in ("Bet", "Check", "Balance"):
        assert house.told(game.play(method, user, **own, currency="USD")).body["cash"] != before


def test_a_cancel_gives_back_the_bet_s_currency_whatever_it_names(house: House) -> None:
    """R25, R56."""
    game, user, reference = house.game(), house.player(), new_id("b")
    house.told(game.bet(user, "10.0", reference, new_id("r")))
    assert house.told(game.cancel(user, reference, currency="QQQ")).body["cash"] == "300.0"
    assert house.balance(user) == "300.0"


@pytest.mark.parametrize("method", ["Check", "Balance", "Bet", "PromoWin"])
def test_a_wallet_that_the_player_does_not_have_is_2(house: House, method: str) -> None:
    user = house.player()
    refused(house.send(house.game().play(method, user, currency="EUR", **fresh(method))), method, 2)


@pytest.mark.parametrize("path", ["/v4/refund", "/V4/REFUND", "/v4/Refund"])
def test_a_methods_letter_case_does_not_matter(house: House, path: str) -> None:
    game, user = house.game(), house.player()
    call = game.refund(user, new_id("b"))
    first = house.told(call)
    assert house.told(call._replace(path=game.path + path)).raw == first.raw
