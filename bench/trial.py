"""A wallet over HTTP is tried before it is measured: the money moves right, once, and in any order.

The same calls for all of them, so nobody is fast by leaving something out.
"""

from __future__ import annotations

import http.client
import json
import secrets
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from bench.workloads import AMOUNT, TOO_MUCH, WIN, Doors
from bench.world import NotReady

PLAYER: Final = "p000000"
SUCCESS: Final = "0"
SHORT: Final = "1"


class Caller:
    """One provider's calls for one player, and one partner's."""

    def __init__(self, port: int, doors: Doors) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self._doors = doors
        self._run = secrets.token_hex(6)

    def refund(self, uuid: str, amount: str = AMOUNT) -> dict[str, Any]:
        """Money out of the wallet."""
        asked = {"id": PLAYER, "currency": "USD", "amount": amount, "uuid": uuid}
        return self._post(f"/user/refund{self._doors.query}", json.dumps(asked))

    def play(self, verb: str, bet: int, amount: str = "") -> dict[str, Any]:
        """Bet, Result or Refund of the bet of a number, each bet in a round of its own."""
        name = f"{self._run}-{bet}"
        fields = {
            **{"providerId": "luckymonaco", "userId": PLAYER, "uuid": str(uuid4()), "gameId": "g1"},
            **{"roundId": f"r{name}", "reference": f"w{name}" if verb == "Result" else f"b{name}"},
        }
        text = json.dumps(fields if verb == "Refund" else fields | {"currency": "USD"})
        if amount:
            text = f'{text[:-1]}, "amount": {amount}}}'
        return self._post(f"{self._doors.seamless}/V4/{verb}", text)

    def _post(self, path: str, body: str) -> dict[str, Any]:
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse().read()
        try:
            return dict(json.loads(answer, parse_float=Decimal))
        except ValueError:
            raise NotReady(f"{path} was answered with {answer[:500]!r}") from None


def trial(port: int, doors: Doors) -> None:
    """Play each case once. NotReady at the first answer that is not right."""
    caller = Caller(port, doors)
    stake, win = Decimal(AMOUNT), Decimal(WIN)
    cash = _cash(caller.play("Bet", 0, AMOUNT))

    def expect(case: str, answer: dict[str, Any], error: str = SUCCESS, moved: Decimal | None = None) -> None:
        nonlocal cash
        cash += moved or 0
        right = str(answer.get("error")) == error if error else str(answer.get("error")) != SUCCESS
        if not right or (moved is not None and _cash(answer) != cash):
            raise NotReady(f"{case}: {answer}, and {cash} was to be left")

    none = Decimal()
    expect("a bet again", caller.play("Bet", 0, AMOUNT), moved=none)
    expect("another bet under its reference", caller.play("Bet", 0, WIN), error="")
    expect("its result", caller.play("Result", 0, WIN), moved=win)
    expect("the result again", caller.play("Result", 0, WIN), moved=none)
    expect("a bet of more than there is", caller.play("Bet", 1, TOO_MUCH), error=SHORT)
    expect("that again", caller.play("Bet", 1, TOO_MUCH), error=SHORT)
    expect("a second bet", caller.play("Bet", 2, AMOUNT), moved=-stake)
    expect("its rollback", caller.play("Refund", 2))
    expect("the rollback again", caller.play("Refund", 2))
    expect("a rollback before its bet", caller.play("Refund", 3))
    expect("the bet after its rollback", caller.play("Bet", 3, AMOUNT), error="")
    expect("a bet after all that", caller.play("Bet", 4, AMOUNT), moved=none)  # one given back, one taken

    uuid, too_much = str(uuid4()), str(uuid4())
    for case, answer, balance in (
        ("a refund", caller.refund(uuid), cash - stake),
        ("the refund again", caller.refund(uuid), cash - stake),
        ("a refund of more than there is", caller.refund(too_much, TOO_MUCH), None),
        ("that again", caller.refund(too_much, TOO_MUCH), None),
        ("another refund", caller.refund(str(uuid4())), cash - 2 * stake),
    ):
        status = ("Failed", None) if balance is None else ("OK", balance)
        found = answer.get("balance")
        if (answer.get("status"), None if found is None else Decimal(found)) != status:
            raise NotReady(f"{case}: {answer}, expected {status}")


def _cash(answer: dict[str, Any]) -> Decimal:
    try:
        return Decimal(answer["cash"])
    except KeyError:
        raise NotReady(f"an answer without the balance: {answer}") from None
