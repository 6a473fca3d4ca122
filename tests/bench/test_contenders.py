"""The peers move the money right: how that is tried before they are measured, and looked at afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench.contenders.contender import DOORS, Task
from bench.contenders.pgbench import Pgbench
from bench.contenders.textbook import Textbook
from bench.load.drive import generator
from bench.load.heads import NONE
from bench.trial import trial
from bench.world import NotReady, World
from tests.support.postgres import Postgres

PEERS = Path(__file__).parents[2] / ".venv-bench/bin/python"
"""The environment of `make bench`, which alone has the peers' packages."""

FAULTS = {
    "pays a result twice": "the result again",
    "takes a bet twice": "a bet again",
    "forgets what a reference was for": "another bet under its reference",
    "lends": "a bet of more than there is",
    "decides a refusal again": "that again",
    "gives a bet back twice": "a bet after all that",
    "gives nothing back": "a bet after all that",
    "forgets a rollback without a bet": "the bet after its rollback",
    "refunds twice": "the refund again",
    "refunds more than there is": "a refund of more than there is",
}


class Wallet:
    """One player's, in memory, with one fault or none."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.cash = Decimal(100)
        self.seen: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {}

    def answer(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        verb = path.partition("?")[0].rpartition("/")[2]
        key = (verb, asked.get("reference") or asked["uuid"])
        amount = Decimal(str(asked.get("amount", 0)))
        if key in self.seen and not self.decides_again(verb, key):
            before, answer = self.seen[key]
            wrong_use = amount != before and self.fault != "forgets what a reference was for"
            return {"error": 120} if wrong_use else answer
        made = getattr(self, verb.lower())(key[1], amount)
        self.seen[key] = (amount, made)
        return dict(made)

    def decides_again(self, verb: str, key: tuple[str, str]) -> bool:
        return (self.fault, verb) in {
            ("pays a result twice", "Result"),
            ("takes a bet twice", "Bet"),
            ("gives a bet back twice", "Refund"),
            ("refunds twice", "refund"),
        } or (self.fault == "decides a refusal again" and self.seen[key][1].get("error") == 1)

    def bet(self, reference: str, amount: Decimal) -> dict[str, Any]:
        if ("Refund", reference) in self.seen and self.fault != "forgets a rollback without a bet":
            return {"error": 120}
        if amount > self.cash and self.fault != "lends":
            if self.fault == "decides a refusal again":
                self.cash += amount
            return {"error": 1}
        return self.moved(-amount)

    def result(self, reference: str, amount: Decimal) -> dict[str, Any]:
        return self.moved(amount)

    def refund(self, reference: str, amount: Decimal) -> dict[str, Any]:
        if ("Bet", reference) in self.seen or not amount:  # a bet's, not the wallet's
            back = self.seen.get(("Bet", reference), (0, {}))[0]
            self.cash += 0 if self.fault == "gives nothing back" else back
            return {"error": "0"}
        if amount > self.cash and self.fault != "refunds more than there is":
            return {"status": "Failed", "code": 3}
        self.cash -= amount
        return {"status": "OK", "balance": str(self.cash)}

    def moved(self, amount: Decimal) -> dict[str, Any]:
        self.cash += amount
        return {"error": 0, "cash": float(self.cash)}


@contextmanager
def serving(wallet: Wallet) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps(wallet.answer(self.path, asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_right_wallet_passes_the_trial() -> None:
    with serving(Wallet()) as port:
        trial(port, DOORS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_wallet_is_not_measured(fault: str) -> None:
    with serving(Wallet(fault)) as port, pytest.raises(NotReady, match=f"^{FAULTS[fault]}: "):
        trial(port, DOORS)


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def pgbench(own: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Pgbench:
    folder = tmp_path_factory.mktemp("pgbench")
    contender = Pgbench(World(folder, own, generator("own"), 20, 8))
    contender.form = 8
    contender.prepare()
    with pytest.MonkeyPatch.context() as patch, contender.running() as running:
        patch.setattr("bench.contenders.pgbench.UNDER_WAY", 16)
        for workload in ("spread", "mix", "hot"):
            sample = running.measure(Task(workload, 0, 0, 1))
            assert (sample.answers, sample.heads) == (contender.answered[-1], NONE)
    return contender


def test_pgbench_does_the_work_of_the_mix(pgbench: Pgbench) -> None:
    """Bets, results and rollbacks in rounds; each answer one row; balances that the rows add up to."""
    assert "each answer has its row" in pgbench.books()
    rows = pgbench.world.sql(
        pgbench.db,
        "select count(*) filter (where amount = -1), count(*) filter (where amount = 0.9),"
        " count(*) filter (where amount = 1) from journal where round is not null",
    )
    bets, results, rollbacks = map(int, rows.split("|"))
    assert bets + results + rollbacks == pgbench.answered[1]
    assert results > 10 * rollbacks > 0
    # Of the first rounds of each client, 2 for each of 8, the bet and one more have no end yet.
    assert bets - results - rollbacks == 2 * 16


@pytest.mark.parametrize(
    "fault",
    [
        "update wallet set balance = balance + 1 where player = 3",
        "update round set won = 0.8 where round = (select min(round) from round where won is not null)",
        "update round set undone = false where undone",
        "delete from journal where id = (select min(id) from journal)",
    ],
)
def test_pgbench_with_wrong_books_fails(
    pgbench: Pgbench, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = pgbench.world.database.create_database()
    original, copy = (urlsplit(url).path.lstrip("/") for url in (pgbench.db, copied))
    pgbench.world.database.sql(f"drop database {copy}")
    pgbench.world.database.sql(f"create database {copy} template {original}")
    monkeypatch.setattr(pgbench, "db", copied)
    assert pgbench.books()
    pgbench.world.sql(pgbench.db, fault)
    with pytest.raises(NotReady, match="rows for"):
        pgbench.books()


def test_the_textbook_does_the_work_of_the_mix_where_its_packages_are(
    own: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make bench` has them, and does the same: the trial before, the books after."""
    for python in [PEERS] if PEERS.exists() else []:
        monkeypatch.setattr("sys.executable", str(python))
        contender = Textbook(World(tmp_path, own, generator("own"), 20, 4))
        contender.form = contender.form._replace(workers=1, connections=4)
        contender.prepare()
        with contender.running() as running:
            for workload in contender.workloads:
                assert running.measure(Task(workload, 0, 0, 2)).answers > 0
        assert "every wallet and every round" in contender.books()
        kinds = "select string_agg(distinct kind, ' ' order by kind) from play where moved <> 0"
        assert contender.world.sql(contender.db, kinds) == "bet result rollback"
        for fault in (
            "update round set paid = paid + 0.1 where id = (select max(id) from round where paid > 0)",
            "update wallet set balance = balance + 1 where \"user\" = 'p000003'",
        ):
            contender.world.sql(contender.db, fault)
            with pytest.raises(NotReady, match="not what their rows add up to"):
                contender.books()
