"""A wallet that answers nonsense is found to be wrong; it never breaks the kit."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from caisse_kit.check import Failed
from caisse_kit.checks.all import SEAMLESS, TRANSFER
from caisse_kit.discover import discover
from caisse_kit.policy import PROFILES
from caisse_kit.report.files import junit, read_json, write_json
from caisse_kit.report.html import page
from caisse_kit.runner import UNFORESEEN
from caisse_kit.simulation.run import CannotBegin, simulate
from caisse_kit.simulation.sender import Faults
from caisse_kit.wallets.door import Answer, Door, Reading
from caisse_kit.wallets.seamless import Wallet
from caisse_kit.wallets.server import served
from caisse_kit.wallets.transfer import Api
from caisse_kit.wallets.trying import target_of, try_wallet

VALUES = (
    *(
        b"null",
        b"true",
        b'""',
        b"[]",
        b"{}",
        b"-1",
        b"1e400",
        b"1e999999999",
        b"1e-999999999",
        b'"NaN"',
        b"99999999999999999999999999999999.9",
    ),
    *(b'"\\ud800"', b'"\\u0000<script>alert(1)</script>"', b"0", b'"0"', b"0.000000000000000000000000001"),
)
NAMES = (
    b"error",
    b"cash",
    b"transactionId",
    b"currency",
    b"description",
    b"status",
    b"balance",
    b"uuid",
    b"code",
)
BODIES = (b"", b"\xff\xfe\x00", b"[]", b"null", b"{", b'"text"', b"[" * 10000, b"<html>no</html>", b"{}")


def nonsense(chance: random.Random) -> Answer:
    if chance.random() < 0.3:
        return Answer(chance.choice((200, 204, 302, 404, 500, 503)), chance.choice(BODIES))
    fields = b",".join(b'"%s":%s' % (name, chance.choice(VALUES)) for name in NAMES)
    return Answer(200, b"{%s}" % fields, chance.choice(("application/json", "text/html", "")))


class Nonsense(Door):
    """Right at first, and then more and more often wrong in any way."""

    def __init__(self, seed: int, share: float) -> None:
        super().__init__(Wallet())
        self.chance = random.Random(seed)
        self.share = share

    def handle(self, reading: Reading) -> Answer:
        right = super().handle(reading)
        return nonsense(self.chance) if self.chance.random() < self.share else right

    def decided(self, reading: Reading, connection: socket.socket) -> None:
        """Nothing more."""


class NonsenseApi(Api):
    """The same for transfers."""

    def __init__(self, seed: int, share: float) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.share = share

    def handle(self, reading: Reading) -> Answer:
        right = super().handle(reading)
        return nonsense(self.chance) if self.chance.random() < self.share else right


SLOW = ("timing", "concurrency")


@pytest.mark.parametrize(("seed", "share"), [(1, 0.02), (2, 0.3), (3, 1.0)])
def test_checks_end_with_findings_and_reports(seed: int, share: float, tmp_path: Path) -> None:
    checks = [check for check in SEAMLESS if check.group not in SLOW and "permutations" not in check.id]
    run = try_wallet(Nonsense(seed, share), "seamless-v4", checks, PROFILES["lucky-monaco-v4"])
    assert run.exit_code == 1
    assert [r.message for r in run.results if UNFORESEEN in r.message] == []
    write_json(run, tmp_path / "run.json")
    assert read_json(tmp_path / "run.json") == run
    assert b"<testsuite" in junit(run)
    assert "<script" not in page(run)
    for dialect in ("transfer-v3", "transfer-v4"):
        moved = try_wallet(NonsenseApi(seed, share), dialect, TRANSFER)
        assert [r.message for r in moved.results if UNFORESEEN in r.message] == []


@pytest.mark.parametrize("seed", range(3))
def test_discovery_and_simulation_end(seed: int, tmp_path: Path) -> None:
    with served(Nonsense(seed, 0.2)) as server:
        target = target_of(server, "seamless-v4")
        with suppress(Failed):
            assert discover(target)[1]
        play = simulate(
            target,
            ["ana", "ben"],
            tmp_path / "book",
            seconds=0.3,
            sessions=2,
            faults=Faults(crash=0.05),
            policy=PROFILES["lucky-monaco-v4"],
            seed=seed,
        )
        with suppress(CannotBegin):
            assert asyncio.run(play).figures.sent > 0
