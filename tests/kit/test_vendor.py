"""The mock of the vendor's own side, as its pages describe it, and with a wallet that its refunds go to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from caisse_client import Client, SeamlessV4
from caisse_kit.cli.mock_vendor import refund_to, rounds_of
from caisse_kit.simulation.book import Book
from caisse_kit.vendor_mock import GameRound, VendorMock
from caisse_kit.wallets.door import Door
from caisse_kit.wallets.seamless import Wallet
from caisse_kit.wallets.server import served
from tests.kit.test_simulate import against

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
D = Decimal


def game_round(number: int, user: str = "ana", minutes: int = 0, **more: Any) -> GameRound:
    at = NOON + timedelta(minutes=minutes)
    shared = {"game": "g1", "currency": "USD", "bet": D(10), "win": D("2.5"), "balance": D(90), "at": at}
    return GameRound(number, f"r{number}", f"b{number}", user, **{**shared, **more})


class Desk:
    """Asks the mock."""

    def __init__(self, vendor: VendorMock, url: str) -> None:
        self.vendor = vendor
        self.url = url

    def ask(self, path: str, **fields: Any) -> dict[str, Any]:
        answer = self.post(path, **fields)
        assert answer.status_code == 200
        return dict(answer.json())

    def post(self, path: str, **fields: Any) -> httpx2.Response:
        body = {"secureLogin": "acme", "token": "secret-token", "uuid": "u", **fields}
        return httpx2.post(self.url + path, json=body, trust_env=False)


@pytest.fixture
def desk() -> Iterator[Desk]:
    vendor = VendorMock("acme", "secret-token", lambda played: played.user == "ana")
    with served(vendor) as server:
        yield Desk(vendor, server.url)


def test_a_game_is_launched_and_closed(desk: Desk) -> None:
    asked = {"userId": "ana", "gameId": "g1", "sessionId": "s", "language": "en", "currency": "USD"}
    told = desk.ask("/StartGame", **asked, betLimit="1")
    assert (told["error"], told["gameURL"].startswith("https://games.example/g1?launch=")) == ("0", True)
    assert desk.vendor.sessions == {"ana": "s"}
    assert desk.ask("/CloseSession", userId="ana")["error"] == "0"
    assert desk.vendor.sessions == {}
    assert desk.ask("/StartGame", **{**asked, "currency": ""})["error"] == "7"
    assert desk.ask("/HealthCheck")["error"] == "0"


def test_a_wrong_login_is_4_and_a_wrong_path_404(desk: Desk) -> None:
    assert desk.ask("/HealthCheck", token="other")["error"] == "4"
    assert desk.post("/Nothing").status_code == 404


def test_rounds_are_told_one_by_one_and_in_pages(desk: Desk) -> None:
    for number in range(5):
        desk.vendor.play(game_round(number, minutes=number, user="ana" if number % 2 == 0 else "ben"))
    told = desk.ask("/history/GetRoundStatus", roundId=2)
    assert (told["betAmount"], told["winAmount"], told["roundStatus"]) == ("10.0", "2.5", "Completed")
    assert desk.ask("/history/GetRoundStatus", roundId=99)["error"] == "7"
    span = {"dateStart": "2026-03-01 21:00:00", "dateEnd": "2026-03-01 21:04:00", "timeZone": "GMT+09:00"}
    first = desk.ask("/history/GetGameRounds", **span, page=1, limit=3)
    second = desk.ask("/history/GetGameRounds", **span, page=2, limit=3)
    assert first["totalRounds"] == second["totalRounds"] == 4
    assert [r["roundId"] for r in (*first["rounds"], *second["rounds"])] == [0, 1, 2, 3]
    assert first["rounds"][0]["dateTime"] == "2026-03-01 12:00:00"
    ana = desk.ask("/history/GetGameRounds", **span, userId="ana", page=1, limit=1000)
    assert [r["roundId"] for r in ana["rounds"]] == [0, 2]
    assert desk.ask("/history/GetGameRounds", **span, page=1, limit=1001)["error"] == "7"


def test_a_round_is_cancelled_only_when_its_refund_succeeded(desk: Desk) -> None:
    desk.vendor.play(game_round(1))
    desk.vendor.play(game_round(2, user="ben"))
    desk.vendor.play(game_round(3, status="InProgress"))
    for number, user in ((1, "ana"), (2, "ben")):
        assert desk.ask("/CancelRound", roundId=number, userId=user)["error"] == "0"
    assert desk.ask("/history/GetRoundStatus", roundId=1)["roundStatus"] == "Cancelled"
    assert desk.ask("/history/GetRoundStatus", roundId=2)["roundStatus"] == "CancelInProcess"
    assert desk.ask("/CancelRound", roundId=3, userId="ana")["error"] == "7"
    assert desk.ask("/CancelRound", roundId=1, userId="ben")["error"] == "7"


def test_the_feed_goes_on_from_its_point(desk: Desk) -> None:
    begin = int(NOON.timestamp() * 1000)
    for number, minutes in enumerate((0, 9, 10, 25)):
        desk.vendor.play(game_round(number, minutes=minutes))
    seen, point = [], begin
    for _ in range(3):
        lines = desk.post("/datafeeds/transactions", timePoint=point).text.splitlines()
        point = int(lines[0].removeprefix("#timepoint = "))
        seen.append([int(line.split(",")[0]) for line in lines[2:]])
    assert seen == [[0, 1], [2], [3]]
    assert point == begin + 30 * 60_000


def test_cancelling_a_round_gives_the_stake_back_in_the_operators_wallet() -> None:
    wallet = Wallet()
    with served(Door(wallet)) as operator, Client(operator.url) as client:
        client.send(SeamlessV4("luckymonaco").bet("ana", "USD", D(10), "b1", "r1", "g1"))
        vendor = VendorMock("acme", "secret-token", refund_to(operator.url, "luckymonaco"))
        vendor.play(game_round(1))
        with served(vendor) as server:
            assert Desk(vendor, server.url).ask("/CancelRound", roundId=1, userId="ana")["error"] == "0"
        assert vendor.rounds[1].status == "Cancelled"
        assert wallet.balances["ana", "USD"] == 1000 * 10**18
    assert refund_to("", "luckymonaco")(game_round(1)) is False


def test_the_rounds_of_a_simulation_are_the_vendors_rounds(tmp_path: Path) -> None:
    outcome = against(Door(Wallet()), tmp_path / "book")
    rounds = rounds_of(Book(tmp_path / "book"), "USD")
    assert outcome.agrees
    assert {played.status for played in rounds} >= {"Completed"}
    booked = sum(m.effect for m in Book(tmp_path / "book").messages.values())
    assert sum(played.win - played.bet for played in rounds) == booked
