"""`caisse-kit explain`: what a check proves, and what its failure means."""

from __future__ import annotations

import click

from caisse_kit.checks.all import CHECKS
from caisse_kit.cli.options import terminal
from caisse_kit.report.text import checks_table
from caisse_kit.wallets.mutants import MUTANTS


@click.command()
@click.argument("name", required=False, metavar="[ID]")
def explain(name: str | None) -> None:
    """What the check ID proves; without ID, a list of all."""
    console = terminal()
    if name is None:
        rows = [(check.id, check.severity.value, check.proves) for check in CHECKS.values()]
        console.print(checks_table(rows, ("CHECK", "SEVERITY", "PROVES")))
        return
    if name not in CHECKS:
        near = [known for known in CHECKS if name in known or known.partition(".")[0] == name]
        hint = f" Did you mean {', '.join(near[:8])}?" if near else " `caisse-kit explain` lists all."
        raise click.UsageError(f"no check is called {name}.{hint}")
    check = CHECKS[name]
    wrong = [f"{mutant.name}: {mutant.wrong}" for mutant in MUTANTS.values() if name in mutant.checks]
    facts = [
        ("check", check.id),
        ("proves", check.proves),
        ("severity", check.severity.value),
        ("a failure means", check.money),
        ("rule", check.rule),
        ("source", check.source),
        ("needs", ", ".join(check.needs) or "nothing more"),
        ("wrong wallets", "\n".join(wrong)),
    ]
    for label, text in facts:
        console.print(f"{label:<16} {text}", highlight=False, markup=False)
