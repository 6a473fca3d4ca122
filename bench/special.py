"""What only caisse is asked: start-up, latency, connections, servers, nginx, a long journal, and an audit."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import msgspec

from bench.contenders.caisse import Caisse, OnPostgres
from bench.contenders.contender import OverHttp, Task
from bench.contenders.nginx import behind_nginx, missing
from bench.fill import fill
from bench.load.client import Tally
from bench.plan import Plan
from bench.results import NGINX, NO_PROXY, Latency, Run, Sample
from bench.world import NotReady

WARM = 2
"""Seconds at a rate before those that count."""
ROWS_A_SECOND = 200_000
"""A journal gets one second of load for so many rows before it is measured.

It was just filled and checkpointed. The first refund that needs a page of an index reads it from the file,
and on PostgreSQL writes all of it to the log; a server at work pays that once a page between two checkpoints.
"""


def starts(contender: Caisse, plan: Plan, run: Run) -> None:
    """From starting the process to the first answered refund."""
    run.starts[contender.name] = [contender.start_seconds() for _ in range(plan.starts)]


def open_model(contender: Caisse, plan: Plan, run: Run) -> None:
    """Latency at shares of the peak: that of the same minute, since a machine's speed changes."""
    if not plan.shares:
        return
    with contender.running() as running:
        for share in plan.shares:
            rate = share * running.measure(_task(plan, plan.spread)).rate
            os.sync()  # what the peak and other contenders left for the disk to write is none of this rate's
            tally = running.at_rate(rate, _task(plan, plan.open_seconds)._replace(warm=WARM))
            run.latencies.append(_latency(contender.name, share, rate, tally))


def _latency(contender: str, share: float, rate: float, tally: Tally) -> Latency:
    times, late = sorted(tally.latencies), sorted(tally.late)

    def at(ordered: list[float], part: float) -> float:
        return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else 0.0

    return Latency(
        contender=contender,
        share=share,
        rate=rate,
        answered=len(times),
        p50=at(times, 0.5),
        p99=at(times, 0.99),
        p999=at(times, 0.999),
        worst=times[-1],
        late_p99=at(late, 0.99),
    )


def widths(contender: Caisse, plan: Plan, run: Run) -> None:
    """How the number of connections changes the rate."""
    for wide in plan.widths:
        with contender.serving() as server:
            running: OverHttp = contender.over_http(server, wide)
            sample = running.measure(_task(plan, plan.other))
        run.samples.append(_renamed(sample, f"spread, {wide} connections"))


def processes(contender: Caisse, plan: Plan, run: Run) -> None:
    """Several servers on one database, each with its share of the connections; SQLite has one by design."""
    if not isinstance(contender, OnPostgres):
        return
    for count in plan.processes:
        with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
            servers = [stack.enter_context(contender.serving()) for _ in range(count)]
            share = contender.world.connections // count
            loads = [contender.over_http(server, share) for server in servers]
            jobs = [pool.submit(load.measure, _task(plan, plan.spread)) for load in loads]
            samples = [job.result() for job in jobs]
        together = msgspec.structs.replace(
            samples[0], answers=sum(s.answers for s in samples), seconds=max(s.seconds for s in samples)
        )
        run.samples.append(_renamed(together, f"spread, {count} servers"))


def through_nginx(contender: Caisse, plan: Plan, run: Run) -> None:
    """What a user will see: the same server asked directly, then through nginx with TLS."""
    if not isinstance(contender, OnPostgres):
        return
    if program := missing():
        run.notes.append(f"Refunds through nginx with TLS were not measured: {program} was not installed.")
        return
    folder = contender.world.folder / "nginx"
    with contender.serving("--proxies", "127.0.0.1") as server, behind_nginx(server, folder) as front:
        for workload, asked in ((NO_PROXY, server), (NGINX, front)):
            running = contender.over_http(asked)
            sample = running.measure(_task(plan, plan.spread))
            run.samples.append(_renamed(sample, workload))
        if plan.shares:
            rate = sample.rate / 2
            tally = running.at_rate(rate, _task(plan, plan.open_seconds)._replace(warm=WARM))
            run.latencies.append(_latency(f"{contender.name} through nginx with TLS", 0.5, rate, tally))


def rows(contender: Caisse, plan: Plan, run: Run) -> None:
    """The same refunds on journals of different lengths, in turn."""
    if not plan.rows:
        return
    filled: list[tuple[int, Caisse]] = []
    for count in plan.rows:
        other = contender.again(f"{contender.name}-{count}")
        other.prepare()
        fill(other, count)
        run.row_bytes[contender.name] = other.disk_bytes() / count
        filled.append((count, other))
    for count, other in filled:
        _settle(other, plan, count // ROWS_A_SECOND)
    for number in range(plan.rounds):
        for count, other in filled:
            with other.running() as running:
                sample = running.measure(_task(plan, plan.spread)._replace(round=number))
            run.samples.append(_renamed(sample, f"{count} rows", contender.name))


def _settle(contender: Caisse, plan: Plan, seconds: int) -> None:
    if seconds:
        with contender.running() as running:
            running.measure(_task(plan, seconds)._replace(warm=0))


def audit(contender: Caisse, plan: Plan, run: Run) -> None:
    """After all that load, every row and balance is recomputed."""
    if not plan.audit:
        return
    report = contender.audit()
    findings = report.get("findings_total", len(report.get("findings", ())))
    if findings:
        raise NotReady(f"the audit after the run has {findings} findings")
    run.notes.append(f"{contender.name}: audited after the run, no findings.")


def _task(plan: Plan, seconds: float) -> Task:
    """Refunds over all players, with the heads that lead."""
    return Task("spread", 0, plan.warm, seconds, plan.heads[0])


def _renamed(sample: Sample, workload: str, contender: str = "") -> Sample:
    return msgspec.structs.replace(sample, workload=workload, contender=contender or sample.contender)
