"""`caisse-kit mutant`: serve a wallet that is wrong in one way, or a right one."""

from __future__ import annotations

import signal
from typing import Any

import click

from caisse_kit.cli.options import terminal
from caisse_kit.report.text import checks_table
from caisse_kit.wallets.door import Door
from caisse_kit.wallets.mutants import MUTANTS
from caisse_kit.wallets.seamless import Wallet
from caisse_kit.wallets.server import Handles, WalletServer
from caisse_kit.wallets.transfer import PARTNER, TOKEN, Api
from caisse_kit.wallets.trying import restarter

RIGHT: dict[str, Any] = {"right": lambda: Door(Wallet()), "right-transfer": Api}


@click.command()
@click.argument("name", required=False)
@click.option("--port", default=0, help="Where on this machine; 0: any free one.")
def mutant(name: str | None, port: int) -> None:
    """Serve the wrong wallet NAME on this machine; without NAME, a list. `right` and `right-transfer` are
    right ones.

    SIGHUP restarts the wallet: `--restart-command 'kill -HUP PID'`.
    """
    console = terminal()
    if name is None:
        rows = [(found.name, found.wrong, ", ".join(found.checks)) for found in MUTANTS.values()]
        console.print(checks_table(rows, ("MUTANT", "WHAT IT DOES WRONG", "MEANT FOR")))
        return
    if name not in MUTANTS and name not in RIGHT:
        near = [known for known in MUTANTS if name in known]
        raise click.UsageError(
            f"no mutant is called {name}." + (f" Did you mean {', '.join(near)}?" if near else "")
        )
    door: Handles = (RIGHT[name] if name in RIGHT else MUTANTS[name].make)()
    transfer = isinstance(door, Api)
    restart = restarter(door)
    with WalletServer(door, port) as server:
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: restart())
        say = f"--dialect transfer-v3 --partner {PARTNER} --token {TOKEN} --currency USD"
        if not transfer:
            say = "--provider luckymonaco --user ana --second-user ben --currency USD"
        print(f"serving {name} at {server.url}\ncaisse-kit check {server.url} {say}", flush=True)
        try:
            server.serve_forever(0.1)
        except KeyboardInterrupt:
            raise SystemExit(0) from None
