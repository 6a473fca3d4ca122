"""The Markdown report of a run, from its saved results alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from bench.load.heads import PLAIN
from bench.ratios import over, ratios
from bench.results import NGINX, NO_PROXY, Run, Sample

ABOUT = {
    "caisse-pg": "caisse on PostgreSQL, over HTTP",
    "caisse-sqlite": "caisse on SQLite, over HTTP",
    "pgbench": "bare PostgreSQL: pgbench, a prepared statement a refund or play; no HTTP, rules, answer",
    "ceiling": "caisse's HTTP server with the same answer and no ledger: the limit, no wallet",
    "textbook": "FastAPI, SQLAlchemy 2 async ORM, asyncpg, uvicorn; over HTTP",
    "django-hordak": "called in process, no HTTP: favours it",
    "django-paystack-wallet": "called in process, no HTTP: favours it",
}
WORKLOADS = {
    "spread": "refunds over all players",
    "hot": "one hot player",
    "repeats": "each uuid eight times",
    "refusals": "refusals",
    "mix": "a game's mix",
}
USER = {NO_PROXY: "directly, without TLS", NGINX: "through nginx with TLS"}
GROUPS = ("server", "database", "generator")


def markdown(run: Run, chart: str) -> str:
    """Everything, ending in a line break."""
    parts = [
        f"# caisse: benchmark of {run.when} ({run.form})",
        f"![refunds a second]({chart})",
        figures(run),
        _durability(run),
        _machine(run),
        _bullets("What was tried to find each peer's best", run.searches),
        _bullets("Notes", run.notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def figures(run: Run) -> str:
    """The tables alone: what docs/performance.md carries."""
    parts = [
        _rates(run),
        _plain(run),
        _user(run),
        _ratios(run),
        _cpu(run),
        _stages(run),
        _latencies(run),
        _sizes(run),
        _starts(run),
    ]
    return "\n\n".join(part for part in parts if part)


def contenders(run: Run) -> list[str]:
    """In the order of the tables."""
    seen = {s.contender for s in run.samples}
    return [name for name in ABOUT if name in seen]


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], below: str = "") -> str:
    lines = [f"**{title}**", "", _row(head), _row(["---"] + ["--:"] * (len(head) - 1)), *map(_row, rows)]
    return "\n".join([*lines, "", below] if below else lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _bullets(title: str, items: Sequence[str]) -> str:
    return "\n".join([f"**{title}**", "", *(f"* {item}" for item in items)]) if items else ""


def _rates(run: Run) -> str:
    rows = []
    for name in contenders(run):
        rates = [_rate(run, name, workload) for workload in WORKLOADS]
        rows.append([f"{name}: {ABOUT[name]}", *rates, _spread(run, name)])
    head = ["answers a second, median", *WORKLOADS.values(), "lowest to highest, over all players"]
    below = (
        f"Rounds in turn: {len({s.round for s in run.samples})}; {run.players:,} players; {run.lead} heads;"
        f" load by {run.generator}; every answer was looked at and right. Refusals of the in-process peers"
        " write nothing; all others' are rows."
    )
    return _table("Throughput", head, rows, below)


def _rate(run: Run, name: str, workload: str) -> str:
    rate = run.rate(name, workload)
    return "" if rate is None else f"{rate:,.0f}"


def _spread(run: Run, name: str) -> str:
    rates = run.rates(name, "spread").values()
    setups = {s.setup for s in run.of(name, "spread")}
    return f"{min(rates):,.0f} to {max(rates):,.0f} ({', '.join(setups)})" if rates else ""


def _plain(run: Run) -> str:
    """What equal heads flatter."""
    names = [n for n in contenders(run) if run.lead != PLAIN and run.rate(n, "spread", PLAIN) is not None]
    shown = [w for w in WORKLOADS if any(run.rate(n, w, PLAIN) for n in names)]
    rows = [[name, *(_flattered(run, name, workload) for workload in shown)] for name in names]
    head = ["answers a second, median (÷ varied heads)", *(WORKLOADS[w] for w in shown)]
    below = (
        "Every request under one and the same head of three short lines, as no client and no proxy sends it."
    )
    return _table("The same with plain heads, all equal", head, rows, below) if rows else ""


def _flattered(run: Run, name: str, workload: str) -> str:
    rate = run.rate(name, workload, PLAIN)
    factor = over(run.rates(name, workload, PLAIN), run.rates(name, workload))
    return "" if rate is None or factor is None else f"{rate:,.0f} ({factor:.2f})"


def _user(run: Run) -> str:
    """Refunds as a user sends them."""
    rows = []
    for workload, what in USER.items():
        samples = run.of("caisse-pg", workload)
        if samples:
            micros = [_micros(samples, group) for group in (*GROUPS, "proxy")]
            rows.append([what, _rate(run, "caisse-pg", workload), *micros])
    head = ["refunds over all players, caisse-pg", "a second", *(f"{g}, CPU µs" for g in (*GROUPS, "proxy"))]
    below = (
        "The same server, one after the other. nginx as in operations, with connections that are kept and a"
        " certificate of its own; it, the generator's TLS, the server and the database share these cores. wrk"
        " opens its connections, and shakes hands on each, within the time that is measured."
    )
    return _table("What a user will see", head, rows, below) if rows else ""


def _ratios(run: Run) -> str:
    marks = {True: "yes", False: "**no**", None: ""}
    rows = [[r.figure, r.target, r.shown, marks[r.reached]] for r in ratios(run)]
    return _table("To reach", ["figure", "to reach", "this run", "reached"], rows)


def _cpu(run: Run) -> str:
    rows = []
    for name in contenders(run):
        samples = run.of(name, "spread")
        rows.append([name, *(_micros(samples, group) for group in GROUPS), _syncs(samples), _rss(samples)])
    head = [
        "refunds over all players",
        *(f"{g}, CPU µs per answer" for g in GROUPS),
        "refunds per log sync",
        "MiB",
    ]
    below = (
        "The generator is not the limit where it costs less than the server and the ceiling is far above."
        " MiB: resident memory of the server's processes at the end of a round, shared pages counted in each."
    )
    return _table("CPU and memory", head, rows, below)


def _micros(samples: Sequence[Sample], group: str) -> str:
    found = [s.micros(group) for s in samples if group in s.cpu]
    return f"{median(found):.1f}" if found else ""


def _syncs(samples: Sequence[Sample]) -> str:
    found = [s.answers / s.syncs for s in samples if s.syncs]
    return f"{median(found):.1f}" if found else ""


def _rss(samples: Sequence[Sample]) -> str:
    found = [s.rss for s in samples if s.rss]
    return f"{median(found) / 2**20:.0f}" if found else ""


def _stages(run: Run) -> str:
    if not run.stages:
        return ""
    names = list(next(iter(run.stages.values())))
    rows = [[name, *(f"{stages[name]:.1f}" for stages in run.stages.values())] for name in names]
    below = (
        "HTTP: the ceiling's server. Parsing, deciding, answering: timed alone, in process. Store, writer,"
        " loop: the rest of the server's measured CPU. Waiting: wall clock in which the server used none."
    )
    return _table("Where a refund's time goes in the server, µs", ["stage", *run.stages], rows, below)


def _latencies(run: Run) -> str:
    if not run.latencies:
        return ""
    rows = [
        [
            f"{x.contender}, {x.share:.0%} of peak ({x.rate:,.0f} /s)",
            *(f"{1000 * t:.2f}" for t in (x.p50, x.p99, x.p999, x.worst, x.late_p99)),
        ]
        for x in run.latencies
    ]
    below = "Open model, random arrivals; from the intended sending, so a stall of the server counts in full."
    head = ["latency, ms", "p50", "p99", "p99.9", "worst", "generator late, p99"]
    return _table("Latency at a fixed rate", head, rows, below)


def _sizes(run: Run) -> str:
    """Journal lengths and numbers of connections: the workloads that only caisse takes."""
    others = sorted({s.workload for s in run.samples} - {*WORKLOADS, *USER}, key=_number)
    names = [name for name in contenders(run) if any(run.rate(name, w) for w in others)]
    rows = [[w, *(_rate(run, name, w) for name in names)] for w in others]
    below = "; ".join(f"{name}: {size:,.0f} bytes on the disk a row" for name, size in run.row_bytes.items())
    title = "Journal length, connections and servers, refunds a second"
    return _table(title, ["", *names], rows, below) if rows else ""


def _number(workload: str) -> tuple[bool, int]:
    digits = "".join(filter(str.isdigit, workload))
    return workload.endswith("rows"), int(digits or 0)


def _starts(run: Run) -> str:
    if not run.starts:
        return ""
    rows = [[name, f"{1000 * median(times):.0f}"] for name, times in run.starts.items()]
    return _table("Start-up", ["from starting the process to the first answered refund", "ms"], rows)


def _durability(run: Run) -> str:
    found = _bullets("Durability, as the harness found it", [f"{n}: {d}" for n, d in run.durability.items()])
    sync = f"One write of 8 KiB with fdatasync on this disk takes {1000 * run.sync_seconds:.2f} ms (median)."
    return f"{found}\n\n{sync}"


def _machine(run: Run) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    facts = [f"{name}: {what}" for name, what in run.machine.items()]
    took = f"took {run.seconds / 60:.1f} minutes; generator, servers and database share these cores"
    return _bullets("Machine and versions", [*facts, versions, took])
