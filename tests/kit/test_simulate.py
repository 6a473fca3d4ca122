"""The simulated provider: right wallets agree with its book under every fault, wrong ones do not."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner

from caisse_kit.cli.main import cli
from caisse_kit.policy import Policy
from caisse_kit.simulation.book import Book
from caisse_kit.simulation.run import Outcome, simulate
from caisse_kit.simulation.sender import Faults
from caisse_kit.target import Target
from caisse_kit.wallets.door import Door, KyrenDoor
from caisse_kit.wallets.mutants import MUTANTS
from caisse_kit.wallets.seamless import Style, Wallet
from caisse_kit.wallets.server import Handles, served
from caisse_kit.wallets.trying import target_of
from tests.support.rig import PROVIDER, House
from tests.support.server import until

FAULTS = Faults(repeat=0.1, reorder=0.1, drop=0.1, delay=0.05, crash=0.02)
SECONDS = 1.5


def play(target: Target, path: Path, seconds: float = SECONDS, seed: int = 1) -> Outcome:
    users = [target.user, target.second_user]
    return asyncio.run(
        simulate(target, users, path, seconds=seconds, sessions=4, faults=FAULTS, policy=Policy(), seed=seed)
    )


def against(door: Handles, path: Path, dialect: str = "seamless-v4") -> Outcome:
    with served(door) as server:
        return play(target_of(server, dialect, timeout=10), path)


def test_a_right_wallet_agrees_with_the_book(tmp_path: Path) -> None:
    outcome = against(Door(Wallet()), tmp_path / "book")
    assert outcome.agrees, (outcome.differences, outcome.owed, outcome.open)
    assert outcome.counts["Bet done"] > 5
    assert sum(outcome.figures.faults.values()) > 3
    outcome = against(Door(Wallet(Style(late_bet="ok", return_settled=True))), tmp_path / "other")
    assert outcome.agrees, (outcome.differences, outcome.owed, outcome.open)
    outcome = against(KyrenDoor(Wallet(Style(by_round=True))), tmp_path / "kyren", "kyren-v1")
    assert outcome.agrees, (outcome.differences, outcome.owed, outcome.open)


def test_this_server_agrees_with_the_book(house: House, tmp_path: Path) -> None:
    target = Target(
        url=house.server.url + house.game().path,
        dialect="seamless-v4",
        currency="USD",
        user=house.player("1000.0"),
        second_user=house.player("1000.0"),
        provider=PROVIDER,
    )
    outcome = play(target, tmp_path / "book")
    assert outcome.differences == []
    assert outcome.open == []


@pytest.mark.parametrize("name", ["bets-twice", "pays-twice", "loses-tombstones"])
def test_a_wrong_wallet_does_not_agree(name: str, tmp_path: Path) -> None:
    """However slow the machine: each part of a second goes on in the same book until the fault was met."""
    with served(MUTANTS[name].make()) as server:
        target, seeds = target_of(server, "seamless-v4", timeout=10), count()
        until(
            lambda: not play(target, tmp_path / "book", seconds=0.5, seed=next(seeds)).agrees,
            f"{name} still agrees with the book",
        )


def test_a_provider_that_died_goes_on_from_its_book(tmp_path: Path) -> None:
    """A bet and a result were written down, and nobody knows whether they arrived: neither is lost or
    doubled.
    """
    wallet = Wallet()
    with served(Door(wallet)) as server:
        target = target_of(server, "seamless-v4", timeout=10)
        play(target, tmp_path / "book", seconds=0.5)
        book = Book(tmp_path / "book")
        finished = [m for m in book.messages.values() if m.verb == "Result" and m.state == "done"]
        for message in finished[:3]:
            book.settle(message, "new")
        book.close()
        before = sum(wallet.balances.values())
        assert len(list(Book(tmp_path / "book").unfinished())) == len(finished[:3])
        again = play(target, tmp_path / "book", seconds=0.01)
        assert again.agrees, again
        moved = Decimal(sum(wallet.balances.values()) - before) / 10**18
        later = {m.id: m for m in Book(tmp_path / "book").messages.values()}
        assert all(later[m.id].state == "done" for m in finished[:3])
        new = sum(m.effect for m in later.values() if m.id > max(book.messages))
        assert moved == new


def test_the_command_tells_figures_and_exits_by_the_books() -> None:
    words = ["--provider", "luckymonaco", "--user", "ana", "--second-user", "ben", "--currency", "USD"]
    words += ["--seconds", "1", "--seed", "3", "--drop", "0.2"]
    for name, code in (("", 0), ("pays-twice", 1)):
        with served(MUTANTS[name].make() if name else Door(Wallet())) as server:
            said = CliRunner().invoke(cli, ["simulate", server.url, *words])
        assert said.exit_code == code, said.output
        assert ("The books agree." if code == 0 else "The books do not agree.") in said.output
        assert "fault: drop" in said.output
