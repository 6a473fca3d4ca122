"""R56: every request body that the vendor's pages ever showed moves its money, on both engines, over HTTP.

`tests/data/vendor-editions.json` holds them as shown: fields come and go, change their spelling, arrive as
text or as numbers. What a body names (player, round, reference …) is drawn anew for each test, under the name
that the body has; everything else is sent as it stands.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.rig import BY_ROUND, DEFAULT, KYREN, House, new_id
from tests.support.server import Answer, Call, Game, new_uuid, packed

SHOWN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "vendor-editions.json").read_text("utf-8")
)
FUNDS = Decimal(5000)
STAKE = Decimal(40)

V3_AMOUNTS = {"amount": "25.5", "jackpot": "5.5", "win": "20.0"}


class Case(NamedTuple):
    """One body, filled in, and who sends it where."""

    house: House
    endpoint: str
    user: str
    body: dict[str, Any]
    game: Game

    @property
    def named(self) -> dict[str, Any]:
        """The fields by their names in lower case."""
        return {name.lower(): value for name, value in self.body.items()}

    @property
    def call(self) -> Call:
        partner = self.house.partner
        if self.endpoint.startswith(("/user/", "/log/")):
            where = f"{self.endpoint}?partner_id={partner.id}&token={partner.token}"
        elif self.endpoint.startswith("v3 "):
            where = f"/seamless/v3/{self.endpoint[3:]}?authToken={self.game.path[1:]}"
        elif self.endpoint.startswith(("/V4/", "/v1/", "/Cancel")):
            where = self.game.path + self.endpoint
        else:
            where = self.endpoint
        return Call(where, packed(self.body))

    @property
    def balance(self) -> Decimal:
        return Decimal(self.house.balance(self.user))

    def bet(self, **more: Any) -> None:
        """A bet of this body's round and reference, as far as it names any."""
        named = self.named
        self.house.told(
            self.game.bet(
                self.user,
                str(STAKE),
                more.get("reference", new_id("b")),
                named.get("roundid", new_id("r")),
            )
        )


def filled(house: House, shown: dict[str, Any], user: str) -> dict[str, Any]:
    """The body with values of its own for what it names."""
    partner = house.partner
    canonical = shown["endpoint"].startswith(("/user/", "/log/"))
    own: dict[str, Any] = {
        "id": user,
        "userid": user,
        "uuid": new_uuid() if canonical else new_id("u"),
        "securelogin": partner.id,
        "token": partner.token,
        "sid": new_id("s"),
        "sessionid": new_id("s"),
        "reference": new_id("ref"),
        "roundid": new_id("r"),
        "transactionid": new_id("t"),
    }

    def value(name: str, sent: Any) -> Any:
        if name == "transaction":
            return {k: new_id("t") if k == "id" else V3_AMOUNTS[k] for k in sent}
        if name == "providerid":
            return sent.strip("<>")
        return own.get(name, sent)

    return {name: value(name.lower(), sent) for name, sent in shown["body"].items()}


def case(house: House, shown: dict[str, Any], funds: Decimal = FUNDS, profile: str = DEFAULT) -> Case:
    user = house.player(str(funds)) if funds else new_id("p")
    return Case(house, shown["endpoint"], user, filled(house, shown, user), house.game(profile))


def of(*endpoints: str) -> list[Any]:
    """Those bodies, each named after its endpoint, edition and number."""
    return [
        pytest.param(shown, id=f"{shown['endpoint']} {shown['edition']} {number}")
        for number, shown in enumerate(SHOWN)
        if shown["endpoint"] in endpoints
    ]


TESTED: set[str] = set()


def bodies(*endpoints: str) -> pytest.MarkDecorator:
    TESTED.update(endpoints)
    return pytest.mark.parametrize("shown", of(*endpoints))


def moves(case: Case, amount: Decimal) -> Answer:
    """It succeeds and moves that much; again, it gets the same answer and moves nothing (R1)."""
    before = case.balance
    first = case.house.told(case.call)
    assert case.balance == before + amount
    again = case.house.told(case.call)
    assert {k: v for k, v in again.body.items() if k != "retransmission"} == first.body
    assert case.balance == before + amount
    return first


def amount_of(case: Case) -> Decimal:
    return Decimal(str(case.named["amount"]))


def test_every_body_is_played() -> None:
    assert len(SHOWN) == 69
    assert {shown["endpoint"] for shown in SHOWN} == TESTED


@bodies("/V4/Bet")
def test_a_bet_takes_its_stake(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    said = moves(made, -amount_of(made)).body
    assert (said["currency"], Decimal(said["cash"])) == ("USD", FUNDS - 100)


@bodies("/V4/Result")
def test_a_result_pays_its_win(house: House, shown: dict[str, Any]) -> None:
    """An automatic closing, which has no session, too."""
    made = case(house, shown)
    made.bet()
    said = moves(made, amount_of(made)).body
    assert Decimal(said["cash"]) == FUNDS - STAKE + 10


@bodies("/V4/Cancel", "/Cancel")
def test_a_cancel_gives_the_bet_back(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    made.bet(reference=made.named["reference"])
    said = moves(made, STAKE).body
    assert list(said) == ["reference", "transactionId", "currency", "cash", "error", "description"]
    assert (said["reference"], said["currency"]) == (made.named["reference"], "USD")
    assert Decimal(said["cash"]) == FUNDS


@bodies("/V4/Refund")
def test_a_refund_gives_the_bet_or_the_round_back(house: House, shown: dict[str, Any]) -> None:
    """The edition of 2025 names the round, and a reference of its own (R32)."""
    by_round = shown["edition"] >= "2025"
    made = case(house, shown, profile=BY_ROUND if by_round else DEFAULT)
    if by_round:
        made.bet()
        made.bet()
        moves(made, 2 * STAKE)
        return
    made.bet(reference=made.named["reference"])
    moves(made, Decimal(str(made.named.get("amount", STAKE))))


@bodies("/V4/EndRound")
def test_an_end_closes_its_round_and_pays_nothing(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    made.bet()
    said = moves(made, Decimal(0)).body
    assert (said["currency"], Decimal(said["cash"])) == ("USD", FUNDS - STAKE)
    late = house.send(made.game.bet(made.user, "1.0", new_id("b"), made.named["roundid"]))
    assert late.code == 120


@bodies("/V4/BonusWin", "/V4/JackPotWin", "/V4/PromoWin")
def test_an_award_is_paid(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    moves(made, amount_of(made))


@bodies("/V4/Balance")
def test_a_balance_is_shown(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    said = moves(made, Decimal(0)).body
    assert (said["currency"], Decimal(said["cash"])) == ("USD", FUNDS)


@bodies("/v1/Bet", "/v1/Result")
@pytest.mark.parametrize("profile", [KYREN, DEFAULT])
def test_kyrens_bodies_move_their_money_on_its_own_paths(
    house: House, shown: dict[str, Any], profile: str
) -> None:
    """The provider is called Stella there (R33); cash is text."""
    made = case(house, shown, profile=profile)
    if shown["endpoint"] == "/v1/Bet":
        said = moves(made, -amount_of(made)).body
    else:
        made.bet()
        said = moves(made, amount_of(made)).body
    assert isinstance(json.loads(house.send(made.call).raw)["cash"], str)
    assert Decimal(said["cash"]) == made.balance


@pytest.mark.parametrize("shown", of("/v1/Bet", "/v1/Result"))
def test_and_on_those_of_edition_4(house: House, shown: dict[str, Any]) -> None:
    made = case(house, {**shown, "endpoint": shown["endpoint"].replace("/v1/", "/V4/")})
    sign = -1 if shown["endpoint"] == "/v1/Bet" else 1
    if sign > 0:
        made.bet()
    moves(made, sign * amount_of(made))


@bodies("v3 bet", "v3 win", "v3 cancel", "v3 balance", "v3 check")
def test_edition_3s_bodies_move_their_money(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    verb, amount = shown["endpoint"][3:], Decimal(0)
    own = made.body.get("transaction", {}).get("id", "")
    bet = {"userid": made.user, "currency": "USD", "transaction": {"id": own, "amount": str(STAKE)}}
    if verb in ("win", "cancel"):
        where = f"/seamless/v3/bet?authToken={made.game.path[1:]}"
        house.told(Call(where, packed({**bet, "uuid": new_id("u")})))
        amount = STAKE if verb == "cancel" else Decimal(V3_AMOUNTS["amount"])
    elif verb == "bet":
        amount = -Decimal(V3_AMOUNTS["amount"])
    said = moves(made, amount).body
    assert Decimal(said["balance"]) == made.balance


@bodies("/user/charge", "/charge", "/transfer/DepositBalance")
def test_a_charge_puts_money_in(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    said = moves(made, amount_of(made)).body
    assert Decimal(said["balance"]) == made.balance


@bodies("/user/refund", "/refund", "/tranfer/WithdrawlBalance")
def test_a_refund_takes_money_out(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    said = moves(made, -amount_of(made)).body
    assert Decimal(said["balance"]) == made.balance


@bodies("/user/create", "/createuser")
def test_a_player_is_created(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown, funds=Decimal(0))
    first = house.told(made.call)
    assert house.told(made.call).raw == first.raw
    house.told(house.partner.wallet(made.user))
    assert made.balance == 0
    assert house.told(house.partner.info(made.user)).body["name"] in ("kim test", "tester1")


@bodies("/user/create_wallet", "/createwallet")
def test_a_wallet_is_opened(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown, funds=Decimal(0))
    house.told(house.partner.create(made.user))
    first = house.told(made.call)
    assert house.told(made.call).raw == first.raw
    assert made.balance == 0


@bodies("/user/info", "/user/balance", "/userInfo", "/getBalance")
def test_a_player_is_shown(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    said = moves(made, Decimal(0)).body
    assert Decimal(said["balance"] if "balance" in said else said["wallet"]["USD"]) == FUNDS


@bodies("/getTransferStatus")
def test_the_newest_transfer_is_shown(house: House, shown: dict[str, Any]) -> None:
    made = case(house, shown)
    said = moves(made, Decimal(0)).body
    assert (Decimal(said["amount"]), Decimal(said["balance"])) == (FUNDS, FUNDS)


@bodies("/log/slot", "/GetSlotLog")
def test_a_log_is_listed(house: House, shown: dict[str, Any]) -> None:
    """Page 100 is past the last round: a refusal in edition 3, an empty page in edition 4."""
    made = case(house, shown)
    answer = house.send(made.call)
    assert answer.status == 200
    assert answer.code == 3 or answer.body["logs"] is not None


@pytest.mark.parametrize("base", ["", "/IntegrationService/v4/http/CasinoGameAPI"])
def test_the_later_transfer_paths_serve_the_same_wallets(house: House, base: str) -> None:
    user, partner = new_id("p"), house.partner

    def told(path: str, **fields: Any) -> dict[str, Any]:
        login = {"secureLogin": partner.id, "token": partner.token, "userId": user}
        return house.told(Call(f"{base}{path}", packed({**login, **fields}))).body

    told("/transfer/CreateUser", userNickname="Nick", uuid=new_id("u"))
    told("/transfer/CreateWallet", currency="USD", uuid=new_id("u"))
    put = told(
        "/transfer/DepositBalance", currency="USD", transactionId=new_id("t"), amount="50.5", uuid=new_id("u")
    )
    assert put["balance"] == "50.5"
    for number, path in enumerate(("/transfer/WithdrawlBalance", "/tranfer/WithdrawlBalance"), 1):
        money = {"currency": "USD", "transactionId": new_id("t"), "amount": 10, "uuid": new_id("u")}
        out = told(path, **money)
        assert told(path, **money) == out
        assert Decimal(house.balance(user)) == Decimal("50.5") - 10 * number
    info = told("/transfer/UserInfo")
    names = ["userId", "userNickname", "dateTimeCreate", "dateTimeLogin", "wallet", "error", "description"]
    assert list(info) == names
    assert (info["userId"], info["userNickname"], info["wallet"]) == (user, "Nick", {"USD": "30.5"})
    assert told("/transfer/GetBalance", currency="USD")["balance"] == "30.5"
    status = told("/transfer/GetTransferInfo")
    assert (status["amount"], status["balance"]) == ("-10.0", "30.5")
