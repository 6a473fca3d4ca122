"""Pointing the kit at the wallets here, in this process: with short waits, since nothing is far away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from caisse_kit.check import AnyCheck
from caisse_kit.policy import PROFILES, Policy
from caisse_kit.runner import Run, run_checks
from caisse_kit.target import Target
from caisse_kit.wallets.server import Handles, WalletServer, served
from caisse_kit.wallets.transfer import PARTNER, TOKEN

TIMEOUT_SECONDS = 1.0
LATER_SECONDS = 0.15


def try_wallet(
    door: Handles,
    dialect: str,
    checks: Sequence[AnyCheck],
    policy: Policy = PROFILES["lucky-monaco-v4"],
    *,
    timeout: float = TIMEOUT_SECONDS,
) -> Run:
    """Serve it, run these checks against it, and stop it."""
    with served(door) as server:
        return run_checks(target_of(server, dialect, timeout), checks, policy)


def target_of(server: WalletServer, dialect: str, timeout: float = TIMEOUT_SECONDS) -> Target:
    """The players and logins that the wallets here know."""
    transfer = dialect.startswith("transfer")
    return Target(
        url=server.url,
        dialect=dialect,
        currency="USD",
        user="" if transfer else "ana",
        second_user="" if transfer else "ben",
        provider="kyren" if dialect == "kyren-v1" else "luckymonaco",
        partner=PARTNER if transfer else "",
        token=TOKEN if transfer else "",
        timeout=timeout,
        later=LATER_SECONDS,
        restart=restarter(server.door),
    )


def restarter(door: Handles) -> Callable[[], None]:
    """What a restart is: a wallet that keeps its books remembers all, one that does not has `restart`."""
    wallet = getattr(door, "wallet", door)
    restart = getattr(wallet, "restart", None)
    return restart if callable(restart) else lambda: None
