"""`caisse explain`: the story of every kind of id, after a play on a real server, on both engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from caisse.cli.demo.pages import PARTNER, TOKEN, Step, seamless
from caisse.store import search as finding
from tests.support.running import caisse, eventually, funding, furnished, pay, play, send, serving, sql


@pytest.fixture
def db(db_url: str) -> str:
    return furnished(db_url)


@pytest.fixture
def http(db: str, tmp_path: Path) -> Iterator[httpx2.Client]:
    """A server with the players ann and bob, who have 100.0 USD each."""
    with serving(db, tmp_path / "log") as client:
        send(client, *funding("ann"), *funding("bob"))
        yield client


def explained(db: str, id_: str, *words: str) -> Any:
    said = caisse("explain", id_, *words, "--db", db, "--json")
    assert said.code == 0, said
    return said.json


def told(db: str, id_: str, requests: int) -> Any:
    """The story once it has so many requests: repeats are written down about a second later."""

    def look() -> Any:
        story = caisse("explain", id_, "--db", db, "--json")
        return story.json if story.code == 0 and story.json["requests"] == requests else None

    return eventually(look, 30)


def outline(story: Any) -> list[tuple[str, str, str, str, int]]:
    return [
        (e["asked"]["for"], e["verdict"], e["rule"], e["answers"][0]["code"], e["count"])
        for e in story["events"]
    ]


def test_a_bet_with_its_refund_its_repeats_and_a_conflict_is_told_in_order(
    db: str, http: httpx2.Client
) -> None:
    bet, refund = play("Bet", "ann", "b-1", amount="10.0"), play("Refund", "ann", "b-1")
    conflict = play("Bet", "ann", "b-1", amount="11.0")
    answers = send(http, bet, refund, refund, refund, refund, conflict, play("Cancel", "bob", "b-1"))
    story = told(db, "b-1", 7)
    assert story["found_as"] == ["reference"]
    assert outline(story) == [
        ("bet", "ok", "R40", "0", 1),
        ("rollback", "ok", "R20", "0", 1),
        ("rollback", "ok", "R21", "0", 3),
        ("bet", "key_conflict", "R5", "7", 1),
        ("rollback", "foreign_bet", "R28", "7", 1),
    ]
    assert [[(r["amount"], r["balance"]) for r in e["rows"]] for e in story["events"]] == [
        *([("-10.0", "90.0")], [("10.0", "100.0")]),
        *([], [], []),
    ]
    assert story["moved"] == [{"partner": "demo", "user": "ann", "currency": "USD", "amount": "0.0"}]
    repeats = story["events"][2]
    assert repeats["first_rule"] == "R20"
    assert repeats["at"] <= repeats["last_at"]
    assert [e["asked"].get("amount") for e in story["events"]] == ["10.0", "10.0", None, "11.0", None]
    bodies = [json.loads(e["answers"][0]["body"]) for e in story["events"]]
    assert bodies == [answers[0], answers[1], answers[4], answers[5], answers[6]]
    assert [e["at"] for e in story["events"]] == sorted(e["at"] for e in story["events"])


def test_people_read_the_same(db: str, http: httpx2.Client) -> None:
    refund = play("Refund", "ann", "b-1", amount="10.0")
    send(http, play("Bet", "ann", "b-1", amount="10.0"), refund, refund, refund)
    told(db, "b-1", 4)
    out = caisse("explain", "b-1", "--db", db).out
    lines = [line.strip() for line in out.splitlines()]
    assert lines[0] == "found as reference: 4 requests, in order of time (UTC)"
    wanted = (
        "  /V4/Bet",
        "asked      bet of 10.0 USD; reference b-1; round r-1",
        "verdict    done",
        "rule R40   A bet opens its round",
        "bet, -10.0, balance 90.0 USD",
        'answered   {"transactionId":',
        "  /V4/Refund",
        "rule R20   The bet stood and was open",
        "refund of a bet, +10.0, balance 100.0 USD",
        "  /V4/Refund, again, 2 times",
        "verdict    the first answer again (done)",
        "rule R21",
        "first R20",
        "wrote      nothing",
        "moved in all: 0.0 USD for ann of partner demo",
    )
    place = 0
    for text in wanted:
        place = out.index(text, place)


def test_a_late_bet_after_its_tombstone_is_told(db: str, http: httpx2.Client) -> None:
    refund = play("Refund", "ann", "b-2", amount="10.0")
    late = play("Bet", "ann", "b-2", amount="10.0")
    send(http, refund, refund, late, late)
    story = told(db, "b-2", 4)
    assert outline(story) == [
        ("rollback", "tombstone", "R22", "0", 1),
        ("rollback", "tombstone", "R24", "0", 1),
        ("bet", "late_bet", "R23", "120", 1),
        ("bet", "late_bet", "R1", "120", 1),
    ]
    assert [e["flagged"] for e in story["events"]] == [False, False, True, False]
    assert story["moved"][0]["amount"] == "0.0"


def test_every_kind_of_id_leads_there(db: str, http: httpx2.Client) -> None:
    bet = play("Bet", "ann", "b-3", "r-3", amount="10.0")
    answer = send(http, bet, play("SessionExpired", "ann", sessionId="s-9"))[0]
    charge = pay("charge", "ann", currency="USD", amount="1.0")
    send(http, charge)
    uuids = [json.loads(step.body)["uuid"] for step in (bet, charge)]
    ids = {
        "transaction": answer["transactionId"],
        "uuid": uuids[0],
        "reference": "b-3",
        "round": "r-3",
        "session": "s-9",
        "user": "ann",
    }
    for kind, id_ in ids.items():
        story = explained(db, id_)
        assert story["found_as"] == [kind]
        assert all(e["user"] == "ann" for e in story["events"])
    for spelling in (uuids[1], uuids[1].upper(), answer["transactionId"].upper()):
        assert len(explained(db, spelling)["events"]) == 1
    assert [e["asked"]["for"] for e in explained(db, "ann")["events"]] == [
        *("create", "open_wallet", "charge", "bet", "session", "charge"),
    ]


def test_a_partners_own_transaction_id_leads_to_its_repeats_too(db: str, http: httpx2.Client) -> None:
    def charge(uuid: str, amount: str) -> Step:
        body = {"secureLogin": PARTNER, "token": TOKEN, "userId": "ann", "currency": "USD"}
        body |= {"TransactionId": "t-1", "uuid": uuid, "amount": amount}
        return Step("", "/charge", json.dumps(body), "")

    asked = [charge("u-1", "5.0"), charge("u-1", "5.0"), charge("u-2", "5.0"), charge("u-3", "6.0")]
    answers = send(http, *asked)
    story = told(db, "t-1", 4)
    assert story["found_as"] == ["partner's transaction"]
    assert [(e["verdict"], e["answers"][0]["code"], e["uuid"]) for e in story["events"]] == [
        ("ok", "0", "u-1"),
        ("ok", "0", "u-1"),
        ("already_transferred", "8", "u-2"),
        ("key_conflict", "25", "u-3"),
    ]
    assert [json.loads(e["answers"][0]["body"]) for e in story["events"]] == answers
    assert told(db, "u-2", 4)["found_as"] == ["uuid"]
    assert TOKEN not in json.dumps(story)


def test_what_a_refusal_rests_on_is_told_with_it(db: str, http: httpx2.Client) -> None:
    bet = play("Bet", "ann", "b-4", "r-4", amount="10.0")
    result = play("Result", "ann", "w-4", "r-4", amount="3.5", promoWinAmount="1.0", promoWinReference="p-4")
    paid = send(http, bet, result, play("Refund", "ann", "b-4"))[1]
    story = explained(db, "b-4")
    assert outline(story) == [
        ("bet", "ok", "R40", "0", 1),
        ("result", "ok", "R41", "0", 1),
        ("rollback", "bet_settled", "R26", "120", 1),
    ]
    assert {r["kind"] for r in story["events"][1]["rows"]} == {"result", "promo"}
    assert explained(db, "p-4")["events"] == explained(db, "w-4")["events"]
    assert json.loads(story["events"][1]["answers"][0]["body"]) == paid
    assert story["moved"][0]["amount"] == "-10.0"
    assert explained(db, "w-4")["moved"][0]["amount"] == "3.5"
    assert explained(db, paid["transactionId"])["moved"][0]["amount"] == "4.5"
    assert explained(db, "r-4")["moved"][0]["amount"] == "-5.5"
    orphan = play("Result", "ann", "w-5", "r-5", amount="3.5")
    gone = (play("Bet", "ann", "b-5", "r-5", amount="1.0"), play("Refund", "ann", "b-5"))
    send(http, *gone, orphan)
    assert [e["verdict"] for e in explained(db, "w-5")["events"]] == ["ok", "ok", "no_standing_bet"]


def test_a_round_that_was_never_opened_is_found_all_the_same(db: str, http: httpx2.Client) -> None:
    send(http, play("Bet", "ann", "b-6", "r-6", amount="999.0"))
    story = explained(db, "r-6")
    assert story["found_as"] == ["round"]
    assert outline(story) == [("bet", "insufficient", "R46", "1", 1)]


def test_a_live_session_leads_to_what_was_played_in_it(db: str, http: httpx2.Client) -> None:
    """Its bets and results, of each player whose newest it is; one that ended is found by its end."""
    first = play("Bet", "ann", "b-1", amount="1.0", sessionId="live")
    send(http, first, play("Result", "ann", "w-1", amount="2.0", sessionId="live"))
    send(http, play("Bet", "bob", "b-2", "r-2", amount="1.0", sessionId="live"))
    story = explained(db, "live")
    assert story["found_as"] == ["session"]
    assert [(e["user"], e["asked"]["for"]) for e in story["events"]] == [
        *(("ann", "bet"), ("ann", "result"), ("bob", "bet")),
    ]
    send(http, play("SessionExpired", "ann", sessionId="live"))
    assert [e["asked"]["for"] for e in explained(db, "live")["events"]][-1] == "session"


def test_a_round_id_that_players_share_leads_to_each_ones_round(db: str, http: httpx2.Client) -> None:
    send(
        http,
        play("Bet", "ann", "b-1", "table", amount="1.0"),
        play("Bet", "bob", "b-2", "table", amount="2.0"),
    )
    send(http, play("Result", "bob", "w-2", "table", amount="5.0"))
    story = explained(db, "table")
    assert [(m["user"], m["amount"]) for m in story["moved"]] == [("ann", "-1.0"), ("bob", "3.0")]
    assert (story["cut"], story["found_as"]) == (False, ["round"])


def test_an_id_is_looked_for_exactly_as_it_was_sent(db: str, http: httpx2.Client) -> None:
    for other in ("ann ", " ann", "ANN", "ann\t"):
        said = caisse("explain", other, "--db", db)
        assert (said.code, "nothing is known under" in said.error) == (1, True)


def test_what_is_told_of_a_round_says_where_a_result_is_not_near_its_bets(
    db: str, http: httpx2.Client
) -> None:
    """Results have no index of their own: those far from the opening are found if they are the newest."""
    send(http, play("Bet", "ann", "b-1", "long", amount="1.0"))
    count = finding.NEIGHBOURS // 2 + 1
    for n in range(count):
        send(
            http,
            pay("charge", "ann", currency="USD", amount="0.1"),
            pay("refund", "ann", currency="USD", amount="0.1"),
        )
        if n == count - 2:
            send(http, play("Result", "ann", "w-1", "long", amount="2.0"))
    story = explained(db, "long")
    assert (story["cut"], [e["asked"]["for"] for e in story["events"]]) == (False, ["bet", "result"])
    send(http, play("Result", "ann", "w-2", "long", amount="3.0"))
    story = explained(db, "long")
    assert story["cut"] is True
    assert [e["asked"]["reference"] for e in story["events"]] == ["b-1", "w-2"]


def test_a_refused_withdrawal_and_its_repeat_are_told_with_the_answer_of_their_door(
    db: str, http: httpx2.Client
) -> None:
    refund = pay("refund", "ann", currency="USD", amount="500.0")
    uuid = json.loads(refund.body)["uuid"]
    other = refund._replace(body=refund.body.replace("500.0", "400.0"))
    answers = send(http, refund, refund, other)
    story = told(db, uuid, 3)
    assert outline(story) == [
        ("withdraw", "insufficient", "R10", "3", 1),
        ("withdraw", "insufficient", "R1", "3", 1),
        ("withdraw", "key_conflict", "R5", "5", 1),
    ]
    assert [json.loads(e["answers"][0]["body"]) for e in story["events"]] == answers
    assert story["events"][0]["answers"][0]["text"] == "Not Enough Balance"


def test_every_answer_of_every_seamless_method_is_told_as_it_was_given(db: str, http: httpx2.Client) -> None:
    steps = [
        play("Bet", "ann", "b-7", "r-7", amount="10.0"),
        play("Result", "ann", "w-7", "r-7", amount="12.345678901234567891"),
        play("EndRound", "ann", "", "r-7"),
        play("BonusWin", "ann", "x-7", "r-7", amount="1.0", bonusCode="bonus"),
        play("JackPotWin", "ann", "x-8", "r-7", amount="1.0", jackpotId="jackpot"),
        play("PromoWin", "ann", "x-9", amount="1.0", campaignId="c", campaignType="t"),
        play("Cancel", "ann", "b-8"),
        play("SessionExpired", "ann", sessionId="s-7"),
        play("Bet", "ann", "b-9", amount="1.0", sessionId="s-7"),
    ]
    headers = {"Content-Type": "application/json"}
    given = [http.post(s.path, content=s.body.encode(), headers=headers).text for s in steps]
    events = explained(db, "ann")["events"][3:]
    assert [e["answers"][0]["body"] for e in events] == given


def test_the_answer_is_told_for_each_profile_it_may_have_been_given_under(
    db: str, http: httpx2.Client, tmp_path: Path
) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "own.toml").write_text('name = "own"\n[codes]\ninsufficient = 77\n')
    send(http, play("Bet", "ann", "b-10", amount="999.0"))
    words = ("connection", "add", "demo", "luckymonaco", "--profile", "own", "--profiles", str(folder))
    assert caisse(*words, "--db", db).code == 0
    answers = explained(db, "b-10", "--profiles", str(folder))["events"][0]["answers"]
    assert [(a["profiles"], a["code"]) for a in answers] == [(["lucky-monaco-v4"], "1"), (["own"], "77")]
    unknown = explained(db, "b-10")["events"][0]["answers"][1]
    assert unknown == {
        **{"profiles": ["own"], "status": None, "body": None, "code": None, "text": None},
        "why_not": "as a profile says that is not known here; see --profiles",
    }
    assert "see --profiles  (profile own)" in caisse("explain", "b-10", "--db", db).out


def test_one_partners_story_is_told_apart(db: str, http: httpx2.Client) -> None:
    assert caisse("partner", "add", "other", "--token", "other-token", "--db", db).code == 0
    step = pay("create", "ann", name="Another Ann")._replace(
        path="/user/create?partner_id=other&token=other-token"
    )
    eventually(lambda: send(http, step)[0]["status"] == "OK")
    assert {e["partner"] for e in explained(db, "ann")["events"]} == {"demo", "other"}
    assert {e["partner"] for e in explained(db, "ann", "--partner", "other")["events"]} == {"other"}
    said = caisse("explain", "bob", "--partner", "other", "--db", db)
    assert (said.code, "nothing of partner other is known under bob" in said.error) == (1, True)
    said = caisse("explain", "bob", "--partner", "nobody", "--db", db)
    assert (said.code, "'caisse partner add nobody'" in said.error) == (1, True)


def test_only_the_newest_of_a_busy_user_is_told_and_said_so(db: str, http: httpx2.Client) -> None:
    send(http, *(play("Bet", "bob", f"n-{n}", f"n-{n}", amount="0.1") for n in range(101)))
    story = explained(db, "bob")
    assert (story["cut"], len(story["events"]), story["moved"]) == (True, 100, None)
    assert story["events"][-1]["asked"]["reference"] == "n-100"
    out = caisse("explain", "bob", "--db", db).out
    assert ("there is more than is shown" in out, "moved in all" in out) == (True, False)


def test_just_as_many_rows_as_are_read_are_told_whole(db: str, http: httpx2.Client) -> None:
    send(http, *(play("Bet", "bob", f"n-{n}", f"n-{n}", amount="0.1") for n in range(97)))
    story = explained(db, "bob")
    assert (story["cut"], len(story["events"])) == (False, 100)
    assert story["moved"][0]["amount"] == "90.3"


def test_a_repeat_of_what_a_busy_user_did_long_ago_is_told_with_its_row(db: str, http: httpx2.Client) -> None:
    charge, other = (pay("charge", "ann", currency="USD", amount="1.0") for _ in range(2))
    uuid = json.loads(other.body)["uuid"]
    fields = {"secureLogin": PARTNER, "token": TOKEN, "userId": "ann", "currency": "USD", "amount": "5.0"}
    fourth = [
        Step("", "/charge", json.dumps({**fields, "TransactionId": "t-1", "uuid": uuid}), "")
        for uuid in ("u-1", "u-2")
    ]
    refund = play("Refund", "ann", "b-0", amount="1.0")
    old = [charge, other, fourth[0], refund]
    first = send(http, *old)
    send(http, *(pay("refund", "ann", currency="USD", amount="0.1") for _ in range(100)))
    again = send(http, charge, fourth[0], fourth[1], refund)
    assert again[:2] == [first[0], first[2]]

    def look() -> Any:
        story = explained(db, "ann")
        return story if sum(e["replay"] for e in story["events"]) == 4 else None

    story = eventually(look)
    replays = [e for e in story["events"] if e["replay"]]
    bodies = [json.loads(answer["body"]) for e in replays for answer in e["answers"]]
    assert sorted(map(str, bodies)) == sorted(map(str, again))
    shown = [e["uuid"] for e in story["events"] if not e["replay"]]
    assert (story["cut"], len(shown), uuid in shown) == (True, 103, False)
    assert caisse("explain", "ann", "--db", db).code == 0


def test_a_repeat_whose_row_is_not_there_is_told_without_its_answer(db: str, http: httpx2.Client) -> None:
    yes = "1" if db.startswith("sqlite") else "true"
    sql(
        db,
        "insert into attempt (partner, player, provider, reference, round, key, verdict, rule, fault, flag,"
        " replay, endpoint, uuid, content, count, first_at, last_at)"
        f" values ('demo', 'ann', '', '', '', 't:u-0', 'ok', 'R14', '', '', {yes}, '/user/charge', 'u-0',"
        """ '["charge","ann","USD","1.0"]', 1, 1, 1)""",
    )
    answers = explained(db, "u-0")["events"][0]["answers"]
    assert (answers[0]["body"], "was not read" in answers[0]["why_not"]) == (None, True)
    assert "was not read" in caisse("explain", "ann", "--db", db).out


def test_one_bet_of_a_great_round_is_told_without_a_false_sum(db: str, http: httpx2.Client) -> None:
    key = "the-key-of-the-later-edition"
    words = ("connection", "add", PARTNER, "luckymonaco", "--key", key, "--db", db)
    assert caisse(*words, "--profile", "lucky-monaco-v4-by-round").code == 0

    def asked(method: str, reference: str, round_: str, **fields: str) -> Step:
        step = play(method, "ann", reference, round_, **fields)
        return step._replace(path=f"/{key}{step.path}")

    small = [asked("Bet", f"t-{n}", "small", amount="0.25") for n in range(3)]
    great = [asked("Bet", f"g-{n}", "great", amount="0.5") for n in range(130)]
    eventually(lambda: send(http, small[0])[0]["error"] == 0)
    send(http, *small[1:], asked("Refund", "", "small"), *great, asked("Refund", "", "great"))
    sums = explained(db, "t-1")
    assert (sums["cut"], [m["amount"] for m in sums["moved"]]) == (False, ["0.0"])
    assert sum(len(e["rows"]) for e in sums["events"]) == 5
    again = send(http, *(asked("Cancel", reference, "great") for reference in ("g-3", "g-129")))
    assert [answer["error"] for answer in again] == [0, 0]
    for id_ in ("g-3", "g-129", "great"):
        story = explained(db, id_)
        assert (story["cut"], story["moved"]) == (True, None)
        out = caisse("explain", id_, "--db", db).out
        assert ("there is more than is shown" in out, "moved in all" in out) == (True, False)


def test_nothing_found_says_what_is_understood(db: str) -> None:
    said = caisse("explain", "no-such-thing", "--db", db)
    assert (said.code, said.out) == (1, "")
    for kind in ("transaction", "uuid", "reference", "round", "session", "TransactionId", "user"):
        assert kind in said.error


def test_the_key_of_a_connection_is_in_no_story(db: str, http: httpx2.Client) -> None:
    key = "the-secret-key-of-the-connection"
    words = ("connection", "add", "demo", "luckymonaco", "--key", "-", "--db", db)
    assert caisse(*words, stdin=f"{key}\n").code == 0
    bet = play("Bet", "ann", "b-11", amount="1.0")
    step = seamless("", "Bet", bet.body, "")._replace(path=f"/{key}/V4/Bet")
    eventually(lambda: send(http, step)[0]["error"] == 0)
    said = caisse("explain", "b-11", "--db", db, "--json")
    assert said.json["events"][0]["endpoint"] == "/V4/Bet"
    assert key not in said.out
