"""Wallets that are wrong about odd input, about their answers, and about time."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any

from caisse_kit.wallets.crashing import Crash, Crashing
from caisse_kit.wallets.door import Answer, Door, Reading, Unreadable
from caisse_kit.wallets.money import units
from caisse_kit.wallets.mutant import fails
from caisse_kit.wallets.seamless import Asked, Verdict
from caisse_kit.wallets.server import is_gone


@fails("malformed.wrong-types")
class TurnsIntoText(Door):
    """Ids of any type are turned into text."""

    def identifier(self, value: object) -> str:
        return super().identifier(value if isinstance(value, str | int) else json.dumps(value, default=str))


@fails("malformed.empty-ids")
class EmptyIdsAreIds(Door):
    """An empty id is an id."""

    def identifier(self, value: object) -> str:
        return "" if value == "" else super().identifier(value)


@fails("malformed.claims-no-key")
class BrokenClaimsKeys(Door):
    """A request with a broken amount is remembered under its reference."""

    def amount(self, value: object) -> int:
        return units(value) if units(value) is not None else -1  # type: ignore[return-value]

    def read(self, method: str, reading: Reading) -> Asked:
        asked = super().read(method, reading)
        if asked.amount == -1:
            self.wallet.kept[method, asked.reference] = ((), Verdict("amount"))
            raise Unreadable("amount")
        return asked


@fails("malformed.refund-of-nothing")
class RefundsNothing(Door):
    """A refund that names nothing is a success."""

    def required(self, method: str) -> tuple[str, ...]:
        return () if method == "Refund" else super().required(method)


@fails("malformed.byte-order-mark")
class NoByteOrderMark(Door):
    """A byte order mark is no JSON."""

    def parsed(self, body: bytes) -> dict[str, Any]:
        if body.startswith(b"\xef\xbb\xbf"):
            raise Unreadable("parameter")
        return super().parsed(body)


@fails("protocol.refusal-status")
class RefusesWith400(Door):
    """A refusal is HTTP 400."""

    def status(self, verdict: Verdict) -> int:
        return 200 if self.code(verdict) == 0 else 400


@fails("protocol.unreadable-status")
class UnreadableIs400(Door):
    """What cannot be read is HTTP 400."""

    def status(self, verdict: Verdict) -> int:
        return 400 if verdict.word == "parameter" else 200


@fails("protocol.error-field")
class ErrorWords(Door):
    """`error` is a word."""

    def answer(self, method: str, verdict: Verdict, asked: Asked | None) -> dict[str, object]:
        body = super().answer(method, verdict, asked)
        return body if self.code(verdict) == 0 else {**body, "error": verdict.word}


@fails("protocol.content-type")
class PlainText(Door):
    """Answers are announced as plain text."""

    def write(self, method: str, verdict: Verdict, asked: Asked | None = None) -> Answer:
        return super().write(method, verdict, asked)._replace(content_type="text/plain")


@fails("protocol.get")
class GetIsPost(Door):
    """GET is served as POST is."""

    def handle(self, reading: Reading) -> Answer:
        return super().handle(reading._replace(method="POST"))


@fails("protocol.charset")
class NoCharset(Door):
    """The content type must be spelled in one way."""

    def is_json(self, content_type: str) -> bool:
        return content_type == "application/json"


@fails("protocol.chunked")
class NoChunks(Door):
    """A body in chunks is not read."""

    reads_chunks = False


@fails("protocol.unknown-method")
class AnyMethod(Door):
    """A method that does not exist is answered with success."""

    def method_of(self, parts: list[str]) -> str | None:
        return super().method_of(parts) or "Check"


@fails("protocol.cancel-echo")
class CancelSaysOk(Door):
    """Cancel answers its reference and nothing else."""

    def told(self, method: str, verdict: Verdict) -> dict[str, object]:
        return {} if method == "Cancel" else super().told(method, verdict)


@fails("timing.lost-bet", "timing.lost-result", "timing.lost-rollback")
class ForgetsWhoHangsUp(Door):
    """The key is forgotten if the caller has hung up before the answer; the money has moved."""

    def decided(self, reading: Reading, connection: socket.socket) -> None:
        if reading.path.endswith("Balance"):
            return
        gone = False
        for _ in range(10):
            time.sleep(0.02)
            gone = gone or is_gone(connection)
        if not gone:
            return
        self.wallet.kept.popitem()
        for bet in self.wallet.bets.values():
            bet.undone = None
        if reading.path.endswith("Bet"):
            self.wallet.bets.popitem()


@fails("timing.incomplete-body")
class ActsOnHalves(Door):
    """A body that ended before its length is acted on if it looks whole."""

    takes_incomplete = True


@fails("timing.in-time", "timing.pace", "timing.pace-together")
class Slow(Door):
    """Every answer takes longer than the provider waits."""

    seconds = 1.5

    def decided(self, reading: Reading, connection: socket.socket) -> None:
        time.sleep(self.seconds)


@fails("timing.pace", "timing.pace-together")
class Sluggish(Door):
    """Answers take their time, one after another."""

    def handle(self, reading: Reading) -> Answer:
        with self.wallet.lock(Asked("Check", "ana")):
            time.sleep(0.15)
            return super().handle(reading)


@fails("security.wrong-key")
class AnyKey(Door):
    """The key in the URL is not looked at."""

    def opens(self, key: str) -> bool:
        return True


@fails("security.quotes")
class Injectable(Crashing):
    """Ids are pasted into statements: a quote finds the first player, or fails."""

    def identifier(self, value: object) -> str:
        text = super().identifier(value)
        if "' OR '1'='1" in text:
            return "ana"
        if "'" in text or '"' in text:
            raise Crash
        return text


@fails("security.no-traces")
class ShowsTraces(Door):
    """A refusal shows the program's trace."""

    def answer(self, method: str, verdict: Verdict, asked: Asked | None) -> dict[str, object]:
        body = super().answer(method, verdict, asked)
        return body if asked else {**body, "detail": 'Traceback (most recent call last):\n File "w.py"'}


@fails("security.huge-body")
class ReadsAnything(Door):
    """A body of any size is read."""

    largest_body = 10**9


@fails("security.control-characters")
class AnyCharacter(Door):
    """Ids may hold line feeds and other control characters."""

    def identifier(self, value: object) -> str:
        return super().identifier(re.sub(r"[\x00-\x1f]", "?", value) if isinstance(value, str) else value)


@fails("policies.final-codes", "betting.insufficient-code")
class CodesOfItsOwn(Door):
    """Every refusal has a code that the provider does not take for final."""

    def code(self, verdict: Verdict) -> int:
        return 0 if super().code(verdict) == 0 else 7
