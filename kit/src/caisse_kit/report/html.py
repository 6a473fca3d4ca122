"""A run as one HTML file that needs nothing else: no scripts, no other host."""

from __future__ import annotations

from collections import Counter
from html import escape
from itertools import groupby

from caisse_kit.report.text import verdict
from caisse_kit.runner import Result, Run
from caisse_kit.stage import plain_seconds
from caisse_kit.tape import Exchange

SHOWN_EXCHANGES = 20

STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --good: #2e7d32; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; }
h2 { margin-top: 2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .6rem; vertical-align: top; border-bottom: 1px solid var(--line); }
pre { background: #8882; padding: .6rem; font-size: .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.failed { color: var(--bad); font-weight: 600; }
.passed { color: var(--good); }
.not-run { opacity: .6; }
article { border-left: 4px solid var(--bad); padding-left: 1rem; margin: 1.5rem 0; }
article.SHOULD, article.INFO { border-color: #ef6c00; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; }
"""


def page(run: Run) -> str:
    """The whole file."""
    counts = Counter(result.outcome for result in run.results)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Wallet check: {escape(run.url)}</title><style>{STYLE}</style></head><body>
<h1>{escape(verdict(run))}</h1>
<p>{counts["passed"]} passed, {counts["failed"]} failed, {counts["not run"]} not run. {escape(run.url)},
{escape(run.dialect)}, profile {escape(run.profile)}, seed {run.seed}, {escape(run.started)},
{plain_seconds(run.seconds)}, slowest answer {run.slowest_milliseconds:.0f} ms.</p>
{_groups(run)}
{_policy(run)}
{_findings(run)}
{_all(run)}
</body></html>
"""


def _groups(run: Run) -> str:
    rows = []
    for name, results in groupby(run.results, key=lambda result: result.id.partition(".")[0]):
        counts = Counter(result.outcome for result in results)
        cells = "".join(f'<td class="{_class(kind)}">{counts[kind] or ""}</td>' for kind in KINDS)
        rows.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    head = "".join(f"<th>{kind}</th>" for kind in ("group", *KINDS))
    return f"<h2>By group</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


KINDS = ("passed", "failed", "not run")


def _policy(run: Run) -> str:
    if not run.policy:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in run.policy)
    return f"<h2>What this wallet decided where the contract leaves a choice</h2><ul>{items}</ul>"


def _findings(run: Run) -> str:
    found = run.failed()
    if not found:
        return ""
    return "<h2>Findings</h2>" + "".join(map(_finding, found))


def _finding(result: Result) -> str:
    shown = "\n\n".join(map(_exchange, result.exchanges[-SHOWN_EXCHANGES:]))
    left_out = max(0, len(result.exchanges) - SHOWN_EXCHANGES)
    more = f" (the last {SHOWN_EXCHANGES} of {len(result.exchanges)})" if left_out else ""
    facts = (
        ("Claim", result.proves),
        ("Seen", result.message),
        ("What it means for the money", result.money),
        ("Rule", f"{result.rule}; {result.source}"),
    )
    told = "".join(f"<dt>{label}</dt><dd>{escape(text)}</dd>" for label, text in facts)
    name = escape(result.id)
    return (
        f'<article class="{result.severity}" id="{name}"><h3>{result.severity} {name}</h3><dl>{told}</dl>'
        f"<details><summary>Exchanges{more}</summary><pre>{escape(shown)}</pre></details></article>"
    )


def _exchange(exchange: Exchange) -> str:
    note = f"  # {exchange.note}" if exchange.note else ""
    answer = f"HTTP {exchange.status} {exchange.answer}" if exchange.status else "no answer"
    return f"$ {exchange.curl()}{note}\n{answer}"


def _all(run: Run) -> str:
    rows = "".join(
        f'<tr><td class="{_class(r.outcome)}">{r.outcome}</td><td>{escape(r.id)}</td><td>{r.severity}</td>'
        f"<td>{escape(r.proves)}</td></tr>"
        for r in run.results
    )
    return f"<h2>All checks</h2><table>{rows}</table>"


def _class(outcome: str) -> str:
    return outcome.replace(" ", "-")
