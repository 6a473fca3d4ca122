"""A real server process, and what a partner and a game provider send to it.

`Partner` and `Game` only spell calls; `Server.send` sends one and `crowd.crowd` many at once. So a call can
be kept and sent again, which is what most of this suite is about.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import httpx2
import msgspec

from tests.support.forked import POSSIBLE, Forked
from tests.support.postgres import wait_for

START_SECONDS = 30
PATIENCE = 60.0
JSON = {"content-type": "application/json"}
CAISSE = ["-m", "caisse"]

Process = subprocess.Popen[bytes] | Forked

_ready = re.compile(r'"event": "ready".*?"url": "([^"]+)"').search


class Call(NamedTuple):
    """One request, ready to be sent again to the byte."""

    path: str
    body: bytes


class Answer(NamedTuple):
    status: int
    raw: bytes
    headers: Mapping[str, str] = {}

    @property
    def body(self) -> dict[str, Any]:
        """The object it holds; decimal numbers with their own characters."""
        said = json.loads(self.raw, parse_float=str)
        assert isinstance(said, dict)
        return said

    @property
    def code(self) -> int:
        """0 for success, else the refusal's code, on either door."""
        said = self.body
        if "error" in said:
            return int(said["error"])
        return 0 if said["status"] == "OK" else int(said["code"])


class DidNotStart(Exception):
    """The server ended before it was ready."""

    def __init__(self, status: int, log: str) -> None:
        super().__init__(f"exit status {status}: {log}")
        self.status = status
        self.log = log


def environment(**more: str) -> dict[str, str]:
    """Ours, without the settings of caisse that it may hold."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CAISSE_")} | more


class Server:
    """`caisse serve` on a free port, its log in a file. It dies with this process, too."""

    def __init__(
        self,
        db: str,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: str = "",
        options: Sequence[str] = (),
        **settings: str,
    ) -> None:
        self.db = db
        self.url = ""
        self.program: list[str] | None = None
        """What Python runs: a planted bug is another program. None is caisse, already imported (`Forked`)."""
        self._host = host
        self._port = port
        self._settings = settings
        self._log = folder / (log or f"server-{secrets.token_hex(4)}.log")
        self._options = options
        self._process: Process | None = None
        self._read = 0

    def start(self) -> Self:
        """Start it, again after it ended; returns when it takes requests."""
        words = ["serve", "--until-eof", "--db", self.db, "--host", self._host, "--port", str(self._port)]
        words += self._options
        self._log.touch()
        self._read = len(self.log)
        with self._log.open("ab") as log:
            self._process = self._started(words, log, environment(**self._settings))
        wait_for(self._is_ready, START_SECONDS, lambda: f"the server does not answer:\n{self.log}")
        return self

    def _started(self, words: list[str], log: IO[bytes], env: dict[str, str]) -> Process:
        if POSSIBLE and self.program is None:
            return Forked(words, log, env)
        command = [sys.executable, *(self.program or CAISSE), *words]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=env)

    def _is_ready(self) -> bool:
        assert self._process is not None
        found = _ready(self.log, self._read)
        if found is not None:
            self.url = found[1].replace("0.0.0.0", "127.0.0.1")
            return True
        status = self._process.poll()
        if status is not None:
            self._forget()
            raise DidNotStart(status, self.log[self._read :])
        return False

    @property
    def log(self) -> str:
        """All that it ever wrote."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)
        self._forget()

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Ask it to end, without waiting."""
        assert self._process is not None
        self._process.send_signal(number)

    def close_input(self) -> None:
        """What its parent's death does."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        status = self._process.wait(PATIENCE)
        self._forget()
        return status

    def stop(self) -> int:
        self.signal()
        return self.wait()

    def _forget(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.runs:
            self.kill()

    @cached_property
    def client(self) -> httpx2.Client:
        # No server here has TLS: certificates, which take a while to read, are of no use.
        return httpx2.Client(timeout=PATIENCE, trust_env=False, verify=False)

    def request(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> Answer:
        """Any request; underscores in a header's name stand for hyphens."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        got = self.client.request(method, self.url + path, content=body, headers=names)
        return Answer(got.status_code, got.content, dict(got.headers))

    def send(self, call: Call) -> Answer:
        """POST a call as a well-behaved client does."""
        return self.request("POST", *call, content_type="application/json")


def packed(fields: Mapping[str, Any] | bytes) -> bytes:
    """JSON; bytes as they are. A field whose value is `...` is left out, a `Raw` keeps its characters."""
    if isinstance(fields, bytes):
        return fields
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not ...})


def number(text: str) -> msgspec.Raw:
    """A JSON number of exactly these characters."""
    return msgspec.Raw(text)


def new_uuid() -> str:
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


class Partner(NamedTuple):
    """A partner's back end on the transfer door, V3."""

    id: str
    token: str

    def call(self, verb: str, fields: Mapping[str, Any] | bytes) -> Call:
        return Call(f"/user/{verb}?partner_id={self.id}&token={self.token}", packed(fields))

    def log(self, fields: Mapping[str, Any]) -> Call:
        """`/log/slot`."""
        return Call(f"/log/slot?partner_id={self.id}&token={self.token}", packed(fields))

    def create(self, user: str, name: str = "Name", uuid: str = "", **more: Any) -> Call:
        return self.call("create", {"id": user, "name": name, "uuid": uuid or new_uuid(), **more})

    def wallet(self, user: str, currency: str = "USD", uuid: str = "", **more: Any) -> Call:
        fields = {"id": user, "currency": currency, "uuid": uuid or new_uuid()}
        return self.call("create_wallet", {**fields, **more})

    def charge(
        self, user: str, amount: Any = "10.0", uuid: str = "", currency: Any = "USD", **more: Any
    ) -> Call:
        fields = {"id": user, "currency": currency, "amount": amount, "uuid": uuid or new_uuid()}
        return self.call("charge", {**fields, **more})

    def refund(
        self, user: str, amount: Any = "10.0", uuid: str = "", currency: Any = "USD", **more: Any
    ) -> Call:
        fields = {"id": user, "currency": currency, "amount": amount, "uuid": uuid or new_uuid()}
        return self.call("refund", {**fields, **more})

    def info(self, user: str, uuid: str = "", **more: Any) -> Call:
        return self.call("info", {"id": user, "uuid": uuid or new_uuid(), **more})

    def balance(self, user: str, currency: Any = "USD", uuid: str = "", **more: Any) -> Call:
        fields = {"id": user, "currency": currency, "uuid": uuid or new_uuid()}
        return self.call("balance", {**fields, **more})


PLAY: dict[str, dict[str, Any]] = {
    "Check": {"currency": "USD", "sessionId": "s1"},
    "Balance": {"currency": "USD", "sessionId": "s1"},
    "Bet": {
        **{"gameId": "g1", "gamename": "Game", "roundId": "r1", "amount": "10.0", "reference": "b1"},
        **{"sessionId": "s1", "currency": "USD", "timeStamp": "1482429190374", "roundDetails": "spin"},
    },
    "Result": {
        **{"gameId": "g1", "gamename": "Game", "roundId": "r1", "amount": "25.5", "reference": "w1"},
        **{"currency": "USD", "timestamp": "1482429190374", "roundDetails": "spin", "sessionId": "s1"},
    },
    "Refund": {"reference": "b1"},
    "Cancel": {"gameId": "g1", "gamename": "Game", "currency": "USD", "reference": "b1", "sessionId": "s1"},
    "EndRound": {"gameId": "g1", "roundId": "r1", "sessionId": "s1"},
    "BonusWin": {
        **{"gameId": "g1", "roundId": "r1", "amount": "5.0", "reference": "a1", "timestamp": "1"},
        **{"bonusCode": "bonus-1", "sessionId": "s1"},
    },
    "JackPotWin": {
        **{"gameId": "g1", "roundId": "r1", "amount": "7.0", "reference": "a1", "timestamp": "1"},
        "jackpotId": "jackpot-1",
    },
    "PromoWin": {
        **{"amount": "3.25", "reference": "a1", "timestamp": "1", "campaignId": "camp-1"},
        **{"campaignType": "T", "currency": "USD"},
    },
    "SessionExpired": {"sessionId": "s1"},
}
"""For each method of the seamless door its required fields, but for the three that all share."""


class Game(NamedTuple):
    """A provider on the seamless door, V4; `path` is what stands before `/V4`."""

    path: str
    provider: str = "luckymonaco"

    def call(self, method: str, fields: Mapping[str, Any] | bytes) -> Call:
        return Call(f"{self.path}/V4/{method}", packed(fields))

    def play(self, method: str, user: str, **fields: Any) -> Call:
        """A call with every required field; those given change it, and `...` leaves one out."""
        shared = {"providerId": self.provider, "userId": user, "uuid": secrets.token_hex(16)}
        return self.call(method, {**shared, **PLAY[method], **fields})

    def bet(self, user: str, amount: Any, reference: str, round_: str, **more: Any) -> Call:
        return self.play("Bet", user, amount=amount, reference=reference, roundId=round_, **more)

    def result(self, user: str, amount: Any, reference: str, round_: str, **more: Any) -> Call:
        return self.play("Result", user, amount=amount, reference=reference, roundId=round_, **more)

    def refund(self, user: str, reference: str, **more: Any) -> Call:
        return self.play("Refund", user, reference=reference, **more)

    def cancel(self, user: str, reference: str, **more: Any) -> Call:
        return self.play("Cancel", user, reference=reference, **more)

    def balance(self, user: str, currency: str = "USD") -> Call:
        return self.play("Balance", user, currency=currency)


def until(condition: Any, complaint: str, seconds: float = PATIENCE) -> None:
    """Wait for something that must come; how long it takes is nobody's claim."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.1)
