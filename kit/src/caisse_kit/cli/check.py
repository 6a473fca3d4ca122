"""`caisse-kit check`: run the checks, show them, write reports."""

from __future__ import annotations

import fnmatch
import random
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from caisse_kit.check import AnyCheck, Failed
from caisse_kit.checks.all import checks_for
from caisse_kit.cli.options import restarter, target_of, target_options, terminal
from caisse_kit.discover import discover
from caisse_kit.policy import PROFILES, Policy
from caisse_kit.report.files import junit, write_json
from caisse_kit.report.html import page
from caisse_kit.report.text import line_of, print_exchanges, print_summary
from caisse_kit.runner import Result, Run, preflight, run_checks
from caisse_kit.target import Target

AUTO = "auto"


@click.command()
@target_options
@click.option(
    "--profile",
    type=click.Choice([AUTO, *PROFILES]),
    default=AUTO,
    show_default=True,
    help="What the contract's open questions must be answered with; auto finds out.",
)
@click.option(
    "--only", multiple=True, metavar="PATTERN", help="Checks or groups, such as order or rollback.*."
)
@click.option("--replay", default="", metavar="ID", help="Run one check and show all its exchanges.")
@click.option("--seed", type=int, default=None, help="For everything that is chosen at random.")
@click.option("--later", default=3.0, show_default=True, help="How long a late repeat waits, in seconds.")
@click.option("--callers", default=8, show_default=True, help="How many requests are sent at once.")
@click.option("--restart-command", default="", help="A line for the shell that restarts the wallet.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write everything as JSON.")
@click.option("--junit", "junit_path", type=click.Path(path_type=Path), help="Write JUnit XML.")
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Write one HTML file.")
@click.option("--quiet", is_flag=True, help="Show the summary alone.")
def check(**given: Any) -> None:
    """Check any wallet at URL. It must be a test system: money moves there.

    Seamless wallets need --provider, --user and --currency, and better --second-user. The players are the
    kit's alone while it runs; each has 100 stakes or more, and ends with what it had, if the wallet is
    right.
    """
    target = replace(
        target_of(given),
        later=given["later"],
        callers=max(2, given["callers"]),
        restart=restarter(given["restart_command"]),
    )
    checks = chosen(checks_for(target.dialect), given["only"], given["replay"])
    console = terminal()
    seed = random.randrange(10**6) if given["seed"] is None else given["seed"]  # noqa: S311 - no secret
    try:
        preflight(target)
        policy, words = policy_for(target, given["profile"])
        run = shown(target, checks, policy, words, seed, console, quiet=given["quiet"])
    except Failed as failed:
        raise NothingToCheck(str(failed)) from None
    except subprocess.SubprocessError:
        raise NothingToCheck("the restart command failed") from None
    print_summary(run, console)
    for result in run.results if given["replay"] else run.failed()[:3]:
        console.print(f"\n[bold]{result.id}[/], as it was sent and answered")
        print_exchanges(result, console, limit=10**6 if given["replay"] else 6)
    write(run, given)
    raise SystemExit(run.exit_code)


class NothingToCheck(click.ClickException):
    """The wallet cannot be reached, or does not know the player."""

    exit_code = 2


def chosen(checks: Sequence[AnyCheck], only: Sequence[str], replay: str) -> list[AnyCheck]:
    """The checks that the options name. Raises UsageError if there are none."""
    patterns = [replay] if replay else list(only)
    if not patterns:
        return list(checks)
    found = [c for c in checks if any(fnmatch.fnmatch(c.id, p) or c.group == p for p in patterns)]
    if not found:
        raise click.UsageError(f"no check is called {', '.join(patterns)}; `caisse-kit explain` lists them")
    return found


def policy_for(target: Target, profile: str) -> tuple[Policy, list[str]]:
    """The policy to hold the wallet against, and its sentences. Raises Failed."""
    if not target.seamless:
        return Policy(), []
    return discover(target) if profile == AUTO else (PROFILES[profile], [])


def shown(
    target: Target,
    checks: Sequence[AnyCheck],
    policy: Policy,
    words: list[str],
    seed: int,
    console: Console,
    *,
    quiet: bool,
) -> Run:
    """Run them with a live list on a terminal; in a pipe, a line for each that failed."""
    if quiet:
        return run_checks(target, checks, policy, seed=seed, words=words)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("checking", total=len(checks))

        def tell(result: Result) -> None:
            progress.update(task, advance=1, description=result.id)
            if console.is_terminal or result.outcome == "failed":
                console.print(line_of(result), highlight=False)

        return run_checks(target, checks, policy, seed=seed, words=words, progress=tell)


def write(run: Run, given: dict[str, Any]) -> None:
    """The reports that were asked for."""
    if given["json_path"]:
        write_json(run, given["json_path"])
    if given["junit_path"]:
        given["junit_path"].write_bytes(junit(run))
    if given["html_path"]:
        given["html_path"].write_text(page(run), encoding="utf-8")
