"""Run a generator in its own process: wrk where it is installed, else our own. The open model is our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from bench.load.client import DRAIN_SECONDS, Order, Tally
from bench.load.spec import Spec, texts

SCRIPT: Final = Path(__file__).with_name("wrk.lua")
GRACE_SECONDS: Final = DRAIN_SECONDS + 30


class LoadFailed(Exception):
    """The generator did not do its work, or an answer was wrong."""


class Closed(msgspec.Struct, frozen=True):
    """The generator for the closed model."""

    wrk: str | None

    @property
    def name(self) -> str:
        """As the report calls it."""
        return "wrk, 1 thread" if self.wrk else "the harness's own (one thread, epoll)"

    def run(self, order: Order) -> Tally:
        """Offer the load; LoadFailed unless every answer was right."""
        return checked(_wrk(self.wrk, order) if self.wrk else own(order))


def generator(named: str = "") -> Closed:
    """The one that is asked for, or the best there is."""
    if named not in ("", "wrk", "own"):
        raise LoadFailed(f"there is no generator {named}; there are wrk and own")
    path = None if named == "own" else shutil.which("wrk")
    if named == "wrk" and path is None:
        raise LoadFailed("wrk is not installed")
    return Closed(path)


def checked(tally: Tally) -> Tally:
    """The tally, if every request was answered and every answer right."""
    if tally.wrong or tally.lost:
        raise LoadFailed(
            f"{tally.wrong} wrong answers, {tally.lost} lost requests; the first: {tally.sample}"
        )
    return tally


def own(order: Order) -> Tally:
    """Our own generator, in a process of its own."""
    command = [sys.executable, "-m", "bench.load.client"]
    done = subprocess.run(
        command,
        input=msgspec.json.encode(order),
        capture_output=True,
        check=False,
        timeout=order.warm + order.seconds + GRACE_SECONDS,
    )
    if done.returncode:
        raise LoadFailed(done.stderr.decode(errors="replace"))
    return msgspec.json.decode(done.stdout, type=Tally)


def _wrk(program: str, order: Order) -> Tally:
    before = os.times()
    scheme = "https" if order.ca else "http"
    command = [program, "-t1", f"-c{order.connections}", f"-d{order.seconds:.0f}s", "--timeout", "10s"]
    done = subprocess.run(
        [*command, "-s", str(SCRIPT), f"{scheme}://127.0.0.1:{order.port}/"],
        env={**os.environ, **variables(order.spec)},
        capture_output=True,
        text=True,
        check=False,
        timeout=order.seconds + GRACE_SECONDS,
    )
    after = os.times()
    found = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not found:
        raise LoadFailed(f"wrk failed: {done.stdout}{done.stderr}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Tally(**json.loads(found[0].removeprefix("RESULT ")), sample=done.stderr, cpu=used)


def variables(spec: Spec) -> dict[str, str]:
    """A spec as wrk.lua reads it."""
    numbered = {
        f"BENCH_TEMPLATE{n}_{m}": text
        for n, under_heads in enumerate(texts(spec), 1)
        for m, text in enumerate(under_heads, 1)
    }
    expected = {f"BENCH_EXPECT{n}": text for n, text in enumerate(spec.expect, 1)}
    known = {"BENCH_KIND": spec.kind, "BENCH_RUN": spec.run, "BENCH_PLAYERS": str(spec.players)}
    counts = {"BENCH_HEADS": str(len(spec.heads)), "BENCH_LAG": str(spec.lag)}
    return numbered | expected | known | counts
