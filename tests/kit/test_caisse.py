"""The server of this repository, on both engines, passes every check."""

from __future__ import annotations

from caisse_kit.checks.all import SEAMLESS, TRANSFER
from caisse_kit.policy import PROFILES
from caisse_kit.runner import Run, run_checks
from caisse_kit.target import Target
from tests.support.rig import BY_ROUND, DEFAULT, PROVIDER, House, new_id

LATER = 0.1

ABOUT_ROUNDS = ("rollback", "repetition", "policies")
ORDERS = (
    "order.refund-first",
    "order.result-after-rollback",
    "order.bet-in-refunded-round",
    "fields.minimal-refund",
)
"""Groups and checks in which a Refund by round differs."""


def is_about_rounds(check: str) -> bool:
    return check.partition(".")[0] in ABOUT_ROUNDS or check in ORDERS


def seamless(house: House, profile: str) -> Run:
    users = [house.player("1000.0", user=new_id("kit-p")) for _ in range(2)]
    target = Target(
        url=house.server.url + house.game(profile).path,
        dialect="seamless-v4",
        currency="USD",
        user=users[0],
        second_user=users[1],
        provider=PROVIDER,
        later=LATER,
        restart=lambda: None,
    )
    checks = [check for check in SEAMLESS if profile == DEFAULT or is_about_rounds(check.id)]
    return run_checks(target, checks, PROFILES[profile])


def failures(run: Run) -> dict[str, str]:
    return {result.id: result.message for result in run.failed()}


def test_the_seamless_door_passes(house: House) -> None:
    assert failures(seamless(house, DEFAULT)) == {}


def test_the_seamless_door_passes_under_the_profile_by_round(house: House) -> None:
    assert failures(seamless(house, BY_ROUND)) == {}


def test_the_transfer_door_passes_in_both_editions(house: House) -> None:
    for dialect in ("transfer-v3", "transfer-v4"):
        target = Target(
            url=house.server.url,
            dialect=dialect,
            currency="USD",
            partner=house.partner.id,
            token=house.partner.token,
            later=LATER,
            restart=lambda: None,
        )
        assert failures(run_checks(target, TRANSFER, PROFILES[DEFAULT])) == {}
