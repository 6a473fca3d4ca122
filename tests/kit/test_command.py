"""The command as an operator's engineer uses it: exit codes, reports, replay, comparison, refusals; and no
secrets.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from caisse_kit.cli.main import cli
from caisse_kit.target import looks_like_production
from caisse_kit.wallets.door import Door
from caisse_kit.wallets.mutants import MUTANTS
from caisse_kit.wallets.seamless import Wallet
from caisse_kit.wallets.server import Handles, WalletServer, served
from caisse_kit.wallets.transfer import TOKEN, Api
from tests.support.server import until

PLAYERS = ("--provider", "luckymonaco", "--user", "ana", "--second-user", "ben", "--currency", "USD")


def kit(*words: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(cli, list(words))


@pytest.fixture(scope="module")
def right() -> Iterator[WalletServer]:
    with served(Door(Wallet())) as server:
        yield server


def wrong(name: str) -> Handles:
    return MUTANTS[name].make()


def test_a_right_wallet_exits_0_and_its_policy_is_told_in_words(right: WalletServer) -> None:
    said = kit("check", right.url, *PLAYERS, "--only", "betting", "--only", "rollback.*")
    assert said.exit_code == 0, said.output
    assert "This wallet passed every check that was run." in said.output
    assert "A bet that comes after its refund: refused with 120 late_bet." in said.output
    assert "A rollback of a bet that has a result: refused with 120 settled." in said.output
    assert "A refund that names less than its bet: is accepted and gives that much." in said.output


def test_a_wrong_wallet_exits_1_and_is_reported_in_every_form_without_the_key(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "html")}
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    with served(wrong("pays-twice")) as server:
        said = kit("check", server.url, *PLAYERS, "--only", "repetition.result*", "--seed", "7", *options)
        key = server.url.rpartition("/")[2]
    assert said.exit_code == 1, said.output
    assert "This wallet is not ready: 2 of its faults can make the money wrong." in said.output
    assert "the balance must be 1001, and it is 1005 (4 too much)" in said.output
    assert "curl -sS -X POST" in said.output
    for text in (said.output, *(path.read_text("utf-8") for path in paths.values())):
        assert key not in text
        assert "repetition.result" in text
    suite = ET.fromstring(paths["junit"].read_bytes())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    run = json.loads(paths["json"].read_bytes())
    assert (run["seed"], run["profile"]) == (7, "auto")
    assert len(run["results"][0]["exchanges"]) >= 5
    page = paths["html"].read_text("utf-8")
    assert "<script" not in page
    assert "http-equiv" not in page


def test_a_check_is_replayed_with_all_its_exchanges(right: WalletServer) -> None:
    said = kit("check", right.url, *PLAYERS, "--replay", "order.refund-first", "--quiet")
    assert said.exit_code == 0, said.output
    lines = [line for line in said.output.splitlines() if line.startswith("  $ curl")]
    sent = " ".join(line.split("/V4/")[1].split("'")[0] for line in lines)
    assert sent == "Balance Refund Bet Balance Bet Bet Balance Balance"


def test_a_named_profile_is_held_against_the_wallet() -> None:
    with served(wrong("absorbs-late-bets")) as server:
        assert kit("check", server.url, *PLAYERS, "--only", "policies.late-bet").exit_code == 0
        strict = kit(
            *("check", server.url, *PLAYERS, "--profile", "lucky-monaco-v4", "--only", "policies.late-bet")
        )
    assert strict.exit_code == 1
    assert "the profile lucky-monaco-v4 says a refusal" in strict.output


def test_a_transfer_api_is_checked_with_its_token_from_the_environment() -> None:
    with served(Api()) as server:
        said = kit(
            *("check", server.url, "--dialect", "transfer-v3", "--partner", "acme", "--currency", "USD"),
            *("--only", "transfer-money"),
            CAISSE_KIT_TOKEN=TOKEN,
        )
    assert said.exit_code == 0, said.output
    assert TOKEN not in said.output


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["http://127.0.0.1:1/k", *PLAYERS], "the balance cannot be read: no answer"),
        (["ftp://host", *PLAYERS], "must begin with http"),
        (["http://127.0.0.1:1", "--user", "ana"], "seamless-v4 needs --provider, --currency"),
        (["http://127.0.0.1:1", "--dialect", "transfer-v4"], "needs --partner, --token, --currency"),
        (["https://wallet.casino.com/k", *PLAYERS], "looks like production"),
        (["http://127.0.0.1:1", *PLAYERS, "--stake", "-1"], "--stake must be an amount"),
        (["http://127.0.0.1:1", *PLAYERS, "--only", "nonsense"], "no check is called nonsense"),
        (["http://127.0.0.1:1", *PLAYERS, "--second-user", "ana"], "must be two players"),
    ],
)
def test_what_cannot_be_checked_exits_2_and_says_why(words: list[str], complaint: str) -> None:
    said = kit("check", *words)
    assert (said.exit_code, complaint in said.output) == (2, True), said.output


def test_a_player_without_money_exits_2(right: WalletServer) -> None:
    said = kit("check", right.url, *PLAYERS, "--stake", "11")
    assert (said.exit_code, "ana has 1000.0 USD; 1100 are needed" in said.output) == (2, True), said.output


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1:80/k",
            "http://localhost",
            "http://10.1.2.3",
            "http://[::1]:8080",
            "http://wallet",
        ),
        *("https://test.casino.com", "https://wallet-staging.casino.com", "https://uat2.casino.com"),
    ],
)
def test_test_systems_are_known_by_their_names(url: str) -> None:
    assert not looks_like_production(url)


@pytest.mark.parametrize(
    "url", ["https://casino.com/k", "https://8.8.8.8", "https://contest.com", "https://devon.com"]
)
def test_everything_else_looks_like_production(url: str) -> None:
    assert looks_like_production(url)


def test_two_reports_are_compared(right: WalletServer, tmp_path: Path) -> None:
    good, bad = str(tmp_path / "good.json"), str(tmp_path / "bad.json")
    only = ("--only", "betting.zero", "--only", "betting.takes-stake", "--quiet")
    assert kit("check", right.url, *PLAYERS, *only, "--json", good).exit_code == 0
    with served(wrong("no-free-spins")) as server:
        assert kit("check", server.url, *PLAYERS, *only, "--json", bad).exit_code == 1
    worse, better = kit("compare", good, bad), kit("compare", bad, good)
    assert (worse.exit_code, better.exit_code, kit("compare", good, good).exit_code) == (1, 0, 0)
    assert "betting.zero" in worse.output
    assert "passed → failed" in worse.output
    assert "betting.takes-stake" not in worse.output
    assert kit("compare", good, str(tmp_path / "none.json")).exit_code == 2


def test_checks_and_mutants_are_explained() -> None:
    said = kit("explain", "order.refund-first")
    assert said.exit_code == 0
    assert "nobody will ever give it back" in said.output
    assert "loses-tombstones" in said.output
    assert "rollback.refund" in kit("explain", "rollback").output
    assert "repetition.refund" in kit("explain").output
    assert "loses-tombstones" in kit("mutant").output
    assert kit("mutant", "nonsense").exit_code == 2


def test_an_interrupted_check_exits_130() -> None:
    with served(wrong("sluggish")) as server:
        command = [sys.executable, "-m", "caisse_kit", "check", server.url, *PLAYERS]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: server.door.wallet.transactions > 3, "the check did not begin")  # type: ignore[attr-defined]
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, "interrupted" in said, "Traceback" in said) == (130, True, False), said


def test_a_mutant_is_served_and_a_restart_is_its_signal(tmp_path: Path) -> None:
    """In processes of their own: what a person types."""
    served_by = subprocess.Popen(
        [sys.executable, "-m", "caisse_kit", "mutant", "forgets-at-restart"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert served_by.stdout is not None
        url = served_by.stdout.readline().split()[-1]
        restart = ("--restart-command", f"kill -HUP {served_by.pid}")
        command = ("check", url, *PLAYERS, "--only", "repetition.after-restart", "--only", "repetition.bet")
        said = kit(*command, *restart)
        assert said.exit_code == 1, said.output
        assert "1 passed, 1 failed" in said.output
        assert "needs --restart-command" in kit(*command).output
        assert kit(*command, "--restart-command", "false").exit_code == 2
    finally:
        served_by.terminate()
        served_by.wait(10)
