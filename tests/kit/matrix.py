"""All checks against all wrong wallets: `make kit-matrix`, some minutes. Prints who fails what.

Ends with 1 if a right wallet fails anything, if a wrong wallet passes a check that is meant for it, or if a
check is failed by none.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from caisse_kit.checks.all import CHECKS, SEAMLESS, TRANSFER, checks_for
from caisse_kit.policy import PROFILES, Policy
from caisse_kit.wallets.door import Door, KyrenDoor
from caisse_kit.wallets.mutants import MUTANTS
from caisse_kit.wallets.seamless import Style, Wallet
from caisse_kit.wallets.server import Handles
from caisse_kit.wallets.transfer import Api
from caisse_kit.wallets.trying import try_wallet
from tests.kit.test_wallets import LENIENT, STYLES

WAITING = {"timing", "concurrency"}
"""Groups whose wrong wallets wait at each request: they meet these checks alone."""

RIGHT: list[tuple[str, Handles, str, Policy]] = [
    ("plain", Door(Wallet()), "seamless-v4", PROFILES["lucky-monaco-v4"]),
    *((name, Door(Wallet(style)), "seamless-v4", LENIENT) for name, style in STYLES.items()),
    ("by round", Door(Wallet(Style(by_round=True))), "seamless-v4", PROFILES["lucky-monaco-v4-by-round"]),
    ("kyren", KyrenDoor(Wallet(Style(by_round=True))), "kyren-v1", PROFILES["kyren-v1"]),
    *((dialect, Api(), dialect, Policy()) for dialect in ("transfer-v3", "transfer-v4")),
]


def right_ones() -> list[str]:
    """What the right wallets fail, which must be nothing."""
    found = []
    for name, door, dialect, policy in RIGHT:
        run = try_wallet(door, dialect, checks_for(dialect), policy, timeout=10.0)
        print(f"right, {name}: {len(run.failed())} of {len(run.results)} failed", flush=True)
        found += [f"{name}: {result.id}: {result.message}" for result in run.failed()]
    return found


def main() -> int:
    wrong_findings = right_ones()
    failed_by: dict[str, list[str]] = defaultdict(list)
    missed = []
    for mutant in MUTANTS.values():
        transfer = mutant.dialect == "transfer"
        found: set[str] = set()
        for dialect in ("transfer-v3", "transfer-v4") if transfer else ("seamless-v4",):
            checks = TRANSFER if transfer else SEAMLESS
            if (groups := {CHECKS[check].group for check in mutant.checks}) <= WAITING:
                checks = tuple(check for check in checks if check.group in groups)
            run = try_wallet(mutant.make(), dialect, checks, PROFILES[mutant.profile])
            found |= {result.id for result in run.failed()}
        for check in found:
            failed_by[check].append(mutant.name)
        missed += [(mutant.name, check) for check in mutant.checks if check not in found]
        print(f"{mutant.name:<32} fails {len(found):>3}: {', '.join(sorted(found))}", flush=True)
    for check in CHECKS:
        print(f"{check:<40} failed by {len(failed_by[check]):>3}")
    lonely = [check for check in CHECKS if not failed_by[check]]
    print(f"{len(MUTANTS)} wrong wallets, {len(CHECKS)} checks; missed: {missed}; failed by none: {lonely}")
    print("\n".join(wrong_findings))
    return 1 if missed or lonely or wrong_findings else 0


if __name__ == "__main__":
    sys.exit(main())
