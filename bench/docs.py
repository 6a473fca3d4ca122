"""Refresh the generated block of docs/performance.md from a results file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench.report import figures
from bench.results import Run

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN: Final = "<!-- figures: written by `make bench-docs`, not by hand -->"
END: Final = "<!-- end of figures -->"


def with_figures(page: str, run: Run) -> str:
    """The page with its block replaced. ValueError if it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks its markers {BEGIN!r} and {END!r}")
    versions = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    machine = "; ".join(run.machine.values())
    head = f"Measured {run.when} by `make bench` ({run.form} form). {machine}. {versions}."
    sync = f"One 8 KiB write with fdatasync: {1000 * run.sync_seconds:.2f} ms."
    return f"{before}{BEGIN}\n\n{head} {sync}\n\n{figures(run)}\n\n{END}{after}"


def refresh(run: Run) -> None:
    """Write the page anew."""
    PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), run), encoding="utf-8")
