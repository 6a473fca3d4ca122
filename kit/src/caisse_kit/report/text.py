"""A run on a terminal: first what a manager asks, then each finding with what it means and how to see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from caisse_kit.runner import Result, Run
from caisse_kit.stage import plain_seconds

MARKS = {"passed": "[green]passed[/]", "failed": "[red]FAILED[/]", "not run": "[dim]not run[/]"}
SHOWN_EXCHANGES = 12


def print_summary(run: Run, console: Console) -> None:
    """The verdict, the policy in words, and every finding."""
    counts = Counter(result.outcome for result in run.results)
    console.print()
    console.print(f"[bold]{escape(verdict(run))}[/]", highlight=False)
    console.print(
        f"{counts['passed']} passed, {counts['failed']} failed, {counts['not run']} not run; "
        f"{run.dialect}, profile {run.profile}, seed {run.seed}, {plain_seconds(run.seconds)}, "
        f"slowest answer {run.slowest_milliseconds:.0f} ms",
        highlight=False,
    )
    if run.policy:
        console.print("\n[bold]What this wallet decided where the contract leaves a choice[/]")
        for sentence in run.policy:
            console.print(f"  {escape(sentence)}", highlight=False)
    for result in run.failed():
        print_finding(result, console)
    missing = Counter(r.message for r in run.results if r.outcome == "not run")
    if missing:
        console.print("\n[bold]Not run[/]")
        for reason, count in missing.most_common():
            console.print(f"  {count} × {escape(reason)}", highlight=False)


def verdict(run: Run) -> str:
    """One sentence for a manager."""
    must, should = len(run.failed("MUST")), len(run.failed("SHOULD"))
    if must:
        return f"This wallet is not ready: {must} of its faults can make the money wrong."
    if should:
        return (
            f"The money is right in every check that was run; {should} points will cost retries or disputes."
        )
    if any(result.outcome == "passed" for result in run.results):
        return "This wallet passed every check that was run."
    return "No check was run."


def print_finding(result: Result, console: Console) -> None:
    """One check that failed."""
    console.print(f"\n[red]{result.severity}[/] [bold]{escape(result.id)}[/]  ({escape(result.rule)})")
    for label, text in (("claim", result.proves), ("seen", result.message), ("money", result.money)):
        console.print(f"  {label:<6} {escape(text)}", highlight=False)


def print_exchanges(result: Result, console: Console, limit: int = SHOWN_EXCHANGES) -> None:
    """The last exchanges of a check, as curl lines with their answers."""
    left_out = len(result.exchanges) - limit
    if left_out > 0:
        console.print(f"  … {left_out} earlier exchanges; --json has them all", highlight=False)
    for exchange in result.exchanges[-limit:]:
        note = f"  # {exchange.note}" if exchange.note else ""
        console.print(f"  $ {exchange.curl()}{note}", highlight=False, markup=False, soft_wrap=True)
        shown = f"HTTP {exchange.status} {exchange.answer}" if exchange.status else "no answer"
        console.print(f"    {shown}", highlight=False, markup=False, soft_wrap=True)


def line_of(result: Result) -> str:
    """One check, for the live list."""
    seen = f"  {escape(result.message)}" if result.outcome == "failed" else ""
    return f"{MARKS[result.outcome]}  {escape(result.id)}{seen}"


def checks_table(rows: Sequence[tuple[str, ...]], columns: tuple[str, ...]) -> Table:
    """A plain table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table
