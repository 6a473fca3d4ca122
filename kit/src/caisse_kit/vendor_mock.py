"""The vendor's own side, as its pages describe it, for integrators without access to the real one.

Game launch, round status, game rounds, cancelling a round (which sends a Refund to the operator's wallet),
health, and the feed of transactions. In memory. Rounds come from `play`, which a test or `simulate` calls.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hmac import compare_digest
from typing import Any

from caisse_client.money import text_of
from caisse_kit.wallets.door import Answer, Reading

UTC_FORM = "%Y-%m-%d %H:%M:%S"
MOST_ROUNDS = 1000
FEED_MINUTES = 10


@dataclass
class GameRound:
    """One round as the vendor knows it."""

    id: int
    name: str
    """The round's id in the wallet's messages."""
    reference: str
    """Its bet's."""
    user: str
    game: str
    currency: str
    bet: Decimal
    win: Decimal
    balance: Decimal
    at: datetime
    status: str = "Completed"


class Refused(Exception):
    """An error code and what it says."""

    def __init__(self, error: int, description: str) -> None:
        super().__init__(description)
        self.error = error


Refund = Callable[[GameRound], bool]
"""Sends a Refund of the round to the operator's wallet; True if that was a success."""


class VendorMock:
    """What an operator can ask the vendor."""

    path = ""
    takes_incomplete = False
    reads_chunks = True

    def __init__(
        self, partner: str, token: str, refund: Refund, launch_url: str = "https://games.example"
    ) -> None:
        self.rounds: dict[int, GameRound] = {}
        self.sessions: dict[str, str] = {}
        self._partner = partner
        self._token = token
        self._refund = refund
        self._launch_url = launch_url
        self._lock = threading.Lock()
        self._calls: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "/startgame": self._start_game,
            "/closesession": self._close_session,
            "/history/getroundstatus": self._round_status,
            "/history/getgamerounds": self._game_rounds,
            "/cancelround": self._cancel_round,
            "/healthcheck": lambda fields: {},
        }

    def decided(self, reading: Reading, connection: socket.socket) -> None:
        """Between the verdict and its answer there is nothing to do."""

    def play(self, played: GameRound) -> None:
        """A round that was played."""
        with self._lock:
            self.rounds[played.id] = played

    def handle(self, reading: Reading) -> Answer:
        """What the server calls for each request."""
        path = reading.path.partition("?")[0].lower()
        call = self._calls.get(path)
        if reading.method != "POST" or (call is None and path != "/datafeeds/transactions"):
            return Answer(405 if call else 404, b'{"error":"7","description":"no such call"}')
        try:
            fields = json.loads(reading.body or b"{}")
            if not isinstance(fields, dict):
                raise Refused(7, "not an object")
            self._let_in(fields)
            if call is None:
                return Answer(200, self._feed(fields).encode(), "text/csv")
            body = {**call(fields), "error": "0", "description": "success"}
        except Refused as refused:
            body = {"error": str(refused.error), "description": str(refused)}
        except ValueError:
            body = {"error": "7", "description": "a parameter is missing or wrong"}
        return Answer(200, json.dumps(body).encode())

    def _let_in(self, fields: Mapping[str, Any]) -> None:
        right = compare_digest(str(fields.get("token", "")).encode(), self._token.encode())
        if fields.get("secureLogin") != self._partner or not right:
            raise Refused(4, "login")

    def _start_game(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        user, session = _text(fields, "userId"), _text(fields, "sessionId")
        for name in ("gameId", "language", "currency"):
            _text(fields, name)
        with self._lock:
            self.sessions[user] = session
        return {"gameURL": f"{self._launch_url}/{_text(fields, 'gameId')}?launch={secrets.token_urlsafe(16)}"}

    def _close_session(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.sessions.pop(_text(fields, "userId"), None)
        return {}

    def _round_status(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        found = self._round(fields)
        return {
            "roundId": str(found.id),
            "betAmount": text_of(found.bet),
            "winAmount": text_of(found.win),
            "currency": found.currency,
            "roundStatus": found.status,
        }

    def _game_rounds(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        zone = zone_of(str(fields.get("timeZone", "GMT+00:00")))
        begin, end = (
            datetime.strptime(_text(fields, name), UTC_FORM).replace(tzinfo=zone)
            for name in ("dateStart", "dateEnd")
        )
        page, limit = int(fields.get("page", 1)), int(fields.get("limit", MOST_ROUNDS))
        if not (page >= 1 and 1 <= limit <= MOST_ROUNDS):
            raise Refused(7, "page or limit")
        asked = {"user": fields.get("userId"), "game": fields.get("gameId")}
        with self._lock:
            found = [
                r
                for r in sorted(self.rounds.values(), key=lambda r: (r.at, r.id))
                if begin <= r.at < end and all(v in (None, "", getattr(r, k)) for k, v in asked.items())
            ]
        shown = found[(page - 1) * limit : page * limit]
        return {"totalRounds": len(found), "rounds": [_row(r) for r in shown]}

    def _cancel_round(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The Refund is sent first; only its success makes the round cancelled."""
        found = self._round(fields)
        if found.user != _text(fields, "userId"):
            raise Refused(7, "another player's round")
        if found.status not in ("Completed", "CancelInProcess", "Cancelled"):
            raise Refused(7, f"the round is {found.status}")
        if found.status != "Cancelled":
            found.status = "CancelInProcess"
            if self._refund(found):
                found.status = "Cancelled"
        return {"roundId": str(found.id)}

    def _feed(self, fields: Mapping[str, Any]) -> str:
        """Rounds from a point on, ten minutes at most; the first line is the point for the next call."""
        now = int(time.time() * 1000)
        begin = int(fields.get("timePoint") or now)
        end = min(now, begin + FEED_MINUTES * 60_000)
        with self._lock:
            rows = [r for r in self.rounds.values() if begin <= int(r.at.timestamp() * 1000) < end]
        lines = [f"#timepoint = {end}", "roundId,userId,gameId,currency,bet,win,status,at"]
        for r in sorted(rows, key=lambda r: (r.at, r.id)):
            moment = int(r.at.timestamp() * 1000)
            money = f"{text_of(r.bet)},{text_of(r.win)}"
            lines.append(f"{r.id},{r.user},{r.game},{r.currency},{money},{r.status},{moment}")
        return "\n".join(lines) + "\n"

    def _round(self, fields: Mapping[str, Any]) -> GameRound:
        found = self.rounds.get(int(_text(fields, "roundId")))
        if found is None:
            raise Refused(7, "no such round")
        return found


def zone_of(text: str) -> timezone:
    """`GMT+09:00`. Raises ValueError."""
    if not text.startswith("GMT") or len(text) != 9:
        raise ValueError(text)
    sign = -1 if text[3] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[4:6]), minutes=int(text[7:9])))


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise Refused(7, f"{name} is missing or wrong")
    return str(value)


def _row(r: GameRound) -> dict[str, Any]:
    return {
        "dateTime": r.at.astimezone(UTC).strftime(UTC_FORM),
        "gameId": r.game,
        "gameName": r.game,
        "roundId": r.id,
        "userId": r.user,
        "currency": r.currency,
        "betAmount": text_of(r.bet),
        "winAmount": text_of(r.win),
        "balance": text_of(r.balance),
        "roundStatus": r.status,
        "roundDetails": "",
    }
