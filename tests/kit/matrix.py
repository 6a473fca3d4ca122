"""All checks against all wrong wallets: `make kit-matrix`, some minutes. Prints who fails what.

Ends with 1 if a wrong wallet passes a check that is meant for it, or if a check is failed by none.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from caisse_kit.checks.all import CHECKS, SEAMLESS, TRANSFER
from caisse_kit.policy import PROFILES
from caisse_kit.wallets.mutants import MUTANTS
from caisse_kit.wallets.trying import try_wallet


def main() -> int:
    failed_by: dict[str, list[str]] = defaultdict(list)
    missed = []
    for mutant in MUTANTS.values():
        transfer = mutant.dialect == "transfer"
        found: set[str] = set()
        for dialect in ("transfer-v3", "transfer-v4") if transfer else ("seamless-v4",):
            checks = TRANSFER if transfer else SEAMLESS
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
    return 1 if missed or lonely else 0


if __name__ == "__main__":
    sys.exit(main())
