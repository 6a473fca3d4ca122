"""The figures of long runs: kept beside the demo's files, and written into the document that shows them."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from tests.torture.toolbox import Run

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "var" / "torture"
DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


class Result(msgspec.Struct, frozen=True):
    """One long run."""

    harness: str
    engine: str
    claim: str
    seed: int
    day: str
    seconds: int
    rounds: int
    faults: dict[str, int]
    figures: dict[str, int]
    findings: list[str]

    @classmethod
    def of(cls, name: str, claim: str, run: Run, seconds: float) -> Result:
        """What a run came to."""
        return cls(
            harness=name,
            engine=run.engine,
            claim=claim,
            seed=run.seed,
            day=time.strftime("%Y-%m-%d", time.gmtime()),
            seconds=round(seconds),
            rounds=run.done,
            faults=dict(run.faults),
            figures=dict(run.figures),
            findings=run.findings,
        )


def save(result: Result) -> Path:
    """One file for each harness and engine: the last run counts."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{result.harness}{'.' if result.engine else ''}{result.engine}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    return file


def write_docs() -> str:
    """Put the last runs' table between the document's marks."""
    results = [msgspec.json.decode(file.read_bytes(), type=Result) for file in sorted(RESULTS.glob("*.json"))]
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{after}")
    return f"{len(results)} runs in {DOCUMENT}"


def table(results: list[Result]) -> str:
    """A row for each run: what was done to it, what was seen, what was found."""
    head = "| harness | engine | time | rounds | faults that happened | seen meanwhile | findings |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for r in results:
        faults, figures = _counts(r.faults), _counts(r.figures)
        lines.append(
            f"| `{r.harness}` | {r.engine or '–'} | {_time(r.seconds)} | {r.rounds:,} | {faults or '–'} |"
            f" {figures or '–'} | {len(r.findings)} |"
        )
    return "\n".join(lines)


def _time(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} × {what}" for what, n in sorted(counts.items()))
