"""A check is worth what it finds: right wallets of several styles pass all, each wrong one fails what is
meant for it.
"""

from __future__ import annotations

import pytest

from caisse_kit.checks.all import CHECKS, SEAMLESS, TRANSFER, checks_for
from caisse_kit.policy import PROFILES, Policy
from caisse_kit.runner import Run
from caisse_kit.wallets.door import Door, KyrenDoor
from caisse_kit.wallets.mutants import MUTANTS
from caisse_kit.wallets.seamless import Style, Wallet
from caisse_kit.wallets.transfer import Api
from caisse_kit.wallets.trying import try_wallet

PATIENT = 10.0
"""Right wallets have the vendor's own time, so that a busy machine is no finding."""

LENIENT = Policy(final=("0", "1", "120", "3"))
"""A policy that leaves every choice open; one of the styles takes 3 for final."""

STYLES: dict[str, Style] = {
    "plain": Style(),
    "refuses more": Style(
        unknown_bet="unknown",
        exact_refunds=True,
        codes={"unknown": 3, "late_bet": 3, "no_bet": 120, "settled": 120, "conflict": 7, "round_ended": 3},
    ),
    "forgives more": Style(late_bet="ok", return_settled=True, cash_as_text=True, errors_as_text=True),
}

ABOUT_FORM = ("amounts", "malformed", "protocol", "timing", "security", "reading")
"""Groups in which an operator's choices about money make no difference."""

ABOUT_ROUNDS = ("rollback", "order", "repetition", "concurrency", "players", "policies")
ABOUT_KYREN = (
    "reading",
    "betting",
    "results",
    "rollback",
    "repetition",
    "fields",
    "amounts",
    "protocol",
    "policies",
)
"""Groups in which an edition or a profile makes a difference; `make kit-matrix` runs them all."""


def findings(run: Run) -> dict[str, str]:
    return {result.id: result.message for result in run.failed()}


@pytest.mark.parametrize("style", STYLES)
def test_a_right_wallet_passes_whatever_its_style(style: str) -> None:
    checks = [check for check in SEAMLESS if style == "plain" or check.group not in ABOUT_FORM]
    run = try_wallet(Door(Wallet(STYLES[style])), "seamless-v4", checks, LENIENT, timeout=PATIENT)
    assert findings(run) == {}


def test_a_right_wallet_by_round_passes() -> None:
    policy = PROFILES["lucky-monaco-v4-by-round"]
    checks = [check for check in SEAMLESS if check.group in ABOUT_ROUNDS]
    run = try_wallet(Door(Wallet(Style(by_round=True))), "seamless-v4", checks, policy, timeout=PATIENT)
    assert findings(run) == {}


def test_a_right_wallet_of_kyren_passes() -> None:
    door = KyrenDoor(Wallet(Style(by_round=True, cash_as_text=True)))
    checks = [check for check in checks_for("kyren-v1") if check.group in ABOUT_KYREN]
    run = try_wallet(door, "kyren-v1", checks, PROFILES["kyren-v1"], timeout=PATIENT)
    assert findings(run) == {}


@pytest.mark.parametrize("dialect", ["transfer-v3", "transfer-v4"])
def test_a_right_transfer_api_passes(dialect: str) -> None:
    assert findings(try_wallet(Api(), dialect, TRANSFER, timeout=PATIENT)) == {}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_wallet_fails_the_checks_that_are_meant_for_it(name: str) -> None:
    mutant = MUTANTS[name]
    meant = [CHECKS[check] for check in mutant.checks]
    dialects = ("transfer-v3", "transfer-v4") if mutant.dialect == "transfer" else ("seamless-v4",)
    runs = [try_wallet(mutant.make(), dialect, meant, PROFILES[mutant.profile]) for dialect in dialects]
    found = {result.id for run in runs for result in run.failed()}
    assert found == set(mutant.checks)


def test_each_check_is_meant_for_a_wrong_wallet() -> None:
    meant = {check for mutant in MUTANTS.values() for check in mutant.checks}
    assert meant == set(CHECKS)


def test_there_are_enough_of_both() -> None:
    assert len(SEAMLESS) + len(TRANSFER) == len(CHECKS) >= 90
    assert len(MUTANTS) >= 40


def test_each_check_and_each_wrong_wallet_is_described() -> None:
    for check in CHECKS.values():
        for text in (check.proves, check.money):
            assert text[0].isalnum(), check.id  # an amount or a path may begin a sentence
            assert text.endswith("."), check.id
    assert all(mutant.wrong.endswith(".") for mutant in MUTANTS.values())
