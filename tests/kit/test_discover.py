"""What a wallet decided where the contract leaves a choice is found out, and told in words."""

from __future__ import annotations

from caisse_kit.discover import discover
from caisse_kit.policy import Policy
from caisse_kit.target import Target
from caisse_kit.wallets.door import Door
from caisse_kit.wallets.mutants import MUTANTS
from caisse_kit.wallets.seamless import Style, Wallet
from caisse_kit.wallets.server import Handles, served
from caisse_kit.wallets.trying import target_of
from tests.kit.test_wallets import STYLES
from tests.support.rig import DEFAULT, PROVIDER, House


def found(door: Handles) -> tuple[Policy, str]:
    with served(door) as server:
        policy, words = discover(target_of(server, "seamless-v4", timeout=10))
    return policy, "\n".join(words)


def test_a_strict_wallet_is_found_out() -> None:
    policy, words = found(Door(Wallet(STYLES["refuses more"])))
    assert (policy.unknown_bet, policy.late_bet) == ("3", "refuse")
    assert (policy.settled_bet, policy.refund_amount) == ("refuse", "exact")
    assert "A refund of a bet that never came: refused with 3 unknown." in words
    assert "A repeated bet, after another one: tells the balance of the first answer." in words


def test_a_forgiving_wallet_is_found_out() -> None:
    policy, words = found(Door(Wallet(STYLES["forgives more"])))
    assert (policy.unknown_bet, policy.late_bet) == ("success", "absorb")
    assert (policy.settled_bet, policy.refund_amount) == ("return_stake", "at_most")
    assert "A bet that comes after its refund: accepted, and no money is taken." in words


def test_a_wallet_by_round_is_found_out() -> None:
    policy, words = found(Door(Wallet(Style(by_round=True))))
    assert policy.refund_by_round
    assert "undoes the open bets of that round" in words


def test_an_answer_that_the_money_contradicts_is_told() -> None:
    _, words = found(MUTANTS["loses-tombstones"].make())
    assert "accepted, and no money is taken — BUT the balance changed by -1 instead of 0" in words


def test_the_server_of_this_repository_is_found_out(house: House) -> None:

    target = Target(
        url=house.server.url + house.game(DEFAULT).path,
        dialect="seamless-v4",
        currency="USD",
        user=house.player("1000.0"),
        second_user=house.player("1000.0"),
        provider=PROVIDER,
    )
    policy, _ = discover(target)
    assert (policy.unknown_bet, policy.late_bet) == ("success", "refuse")
    assert (policy.settled_bet, policy.refund_amount) == ("refuse", "at_most")
    assert not policy.refund_by_round
