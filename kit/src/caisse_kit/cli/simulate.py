"""`caisse-kit simulate`: the provider as load and chaos, and a reconciliation at the end."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from caisse_kit.check import Failed
from caisse_kit.cli.check import AUTO, NothingToCheck, policy_for
from caisse_kit.cli.options import target_of, target_options, terminal
from caisse_kit.policy import PROFILES
from caisse_kit.report.text import checks_table
from caisse_kit.simulation.run import CannotBegin, Outcome
from caisse_kit.simulation.run import simulate as run_simulation
from caisse_kit.simulation.sender import Faults, Figures

RATE = click.FloatRange(0, 1)


@click.command()
@target_options
@click.option("--also", multiple=True, metavar="USER", help="A further player.")
@click.option("--seconds", default=10.0, show_default=True, help="How long to play.")
@click.option("--sessions", default=8, show_default=True, help="How many sessions play at once.")
@click.option("--profile", type=click.Choice([AUTO, *PROFILES]), default=AUTO, show_default=True)
@click.option("--seed", type=int, default=None, help="For everything that is chosen at random.")
@click.option("--repeat", type=RATE, default=0.05, help="Sent twice at once.")
@click.option("--reorder", type=RATE, default=0.05, help="A bet that its cancel overtakes.")
@click.option("--drop", type=RATE, default=0.05, help="The answer is lost.")
@click.option("--delay", type=RATE, default=0.05, help="Sent up to 0.2 s later.")
@click.option("--crash", type=RATE, default=0.001, help="The provider crashes and resumes.")
@click.option("--record", type=click.Path(path_type=Path), help="Keep the provider's own book here.")
def simulate(**given: Any) -> None:
    """Play against the seamless wallet at URL as a provider with a bad network does, then compare the books.

    Exits with 1 if a player's balance differs, if a win or a rollback was refused, or had no final answer.
    """
    target = target_of(given)
    if not target.seamless:
        raise click.UsageError("simulate plays against seamless wallets")
    users = [user for user in (target.user, target.second_user, *given["also"]) if user]
    seed = random.randrange(10**6) if given["seed"] is None else given["seed"]  # noqa: S311 - no secret
    faults = Faults(*(given[name] for name in ("repeat", "reorder", "drop", "delay", "crash")))
    console = terminal()
    try:
        policy, _ = policy_for(target, given["profile"])
        with tempfile.TemporaryDirectory() as folder, Live(console=console, transient=True) as live:
            begun = time.monotonic()

            def watch(figures: Figures) -> None:
                live.update(line(figures, time.monotonic() - begun))

            path = given["record"] or Path(folder, "book.jsonl")
            outcome = asyncio.run(
                run_simulation(
                    target,
                    users,
                    path,
                    seconds=given["seconds"],
                    sessions=given["sessions"],
                    faults=faults,
                    policy=policy,
                    seed=seed,
                    watch=watch,
                )
            )
    except (CannotBegin, Failed) as error:
        raise NothingToCheck(str(error)) from None
    tell(outcome, console, seed)
    raise SystemExit(0 if outcome.agrees else 1)


def line(figures: Figures, seconds: float) -> str:
    """What is seen while it runs."""
    newest = sorted(figures.waits[-500:])
    middle = newest[len(newest) // 2] * 1000 if newest else 0.0
    faults = sum(figures.faults.values())
    return (
        f"{seconds:5.0f} s  {figures.sent} requests, {figures.sent / max(seconds, 0.1):.0f}/s, "
        f"median {middle:.1f} ms, {faults} faults, {figures.silent} without an answer"
    )


def tell(outcome: Outcome, console: Console, seed: int) -> None:
    """The figures, and whether the books agree."""
    console.print(line(outcome.figures, outcome.seconds), highlight=False)
    told = {**outcome.counts, **{f"fault: {name}": n for name, n in sorted(outcome.figures.faults.items())}}
    rows = [(name, str(count)) for name, count in told.items()]
    console.print(checks_table(rows, ("WHAT", "COUNT")))
    for difference in outcome.differences:
        console.print(
            f"[red]DIFFERS[/] {difference.user}: the provider's book says {difference.due}, "
            f"the wallet {difference.held}",
            highlight=False,
        )
    for message in outcome.owed[:10]:
        console.print(f"[red]REFUSED[/] {message.verb} {message.reference}: {message.code}", highlight=False)
    for message in outcome.open[:10]:
        console.print(f"[red]NO FINAL ANSWER[/] {message.verb} {message.reference}", highlight=False)
    ending = "The books agree." if outcome.agrees else "The books do not agree."
    console.print(f"[bold]{ending}[/] seed {seed}", highlight=False)
