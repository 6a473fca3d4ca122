"""Trials of mutants: does the suite of the core notice the change? Each in a process of its own.

`python -m tests.mutation.trials` is the nursery. It reads a mutant's name from each line of its input. For
each it forks a child, which imports the core with that one change and runs the suite until a first test
fails. It has imported the test tools already, and nothing of caisse: so a trial takes little more than its
tests.

    .venv/bin/python -m tests.mutation.trials --survivors core/rules/play     # which of theirs live
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Self

import hypothesis
import pytest

from tests.mutation import mutants

ROOT = Path(__file__).resolve().parents[2]
SUITE = (
    *("test_rules_transfer", "test_rules_rollback", "test_rules_rounds", "test_rules_bookkeeping"),
    *("test_small_changes", "test_money", "test_audit", "test_audit_words", "test_explaining"),
    *("test_currencies", "test_core_properties"),
)
"""The core's own tests: quick ones first, those that draw their examples last."""
CPU_SECONDS = 60
"""Of one trial: a mutant that never ends is noticed, too. The whole suite takes ten."""


class Outcome(NamedTuple):
    """What became of a mutant."""

    name: str
    noticed_by: str
    """The first test that failed; empty: it lives."""


class Nursery:
    """A process that tries mutants, one after another."""

    def __init__(self, suite: Sequence[str] = SUITE) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutation.trials", *suite],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def begin(self, name: str) -> None:
        """Try this one; `outcome` waits for it."""
        assert self._process.stdin is not None
        print(name, file=self._process.stdin, flush=True)

    def outcome(self) -> Outcome:
        """Of the mutant that was begun last."""
        assert self._process.stdout is not None
        return Outcome(*json.loads(self._process.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module of the core with one change in it."""

    def __init__(self, name: str) -> None:
        module = name.partition(":")[0].partition(".")[0]
        self._name = "caisse." + module.replace("/", ".")
        self._tree = mutants.tree_of(module, name)

    def find_spec(self, name: str, path: object, target: object = None) -> Any:
        if name != self._name:
            return None
        return importlib.util.spec_from_loader(name, self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, f"<{self._name}, changed>", "exec"), module.__dict__)


class FirstFailure:
    """A plugin that knows which test failed first."""

    test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.test = self.test or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.test = self.test or f"{report.nodeid}: cannot be imported"


def _serve(suite: Sequence[str]) -> None:
    files = [f"tests/core/{name}.py" for name in suite]
    for line in sys.stdin:
        name = line.rstrip("\n")
        print(json.dumps([name, _tried(name, files)]), flush=True)


def _tried(name: str, files: Sequence[str]) -> str:
    """The test that noticed; empty if none did."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        _try(name, files, tell)
    os.close(tell)
    with os.fdopen(told) as answer:
        noticed = answer.read()
    _, status = os.waitpid(child, 0)
    return noticed if status == 0 else f"it never ends, or ends Python: status {status}"


def _try(name: str, files: Sequence[str], tell: int) -> None:
    """In the child: does not return."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    failure = FirstFailure()
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "--no-header"]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        if name:
            sys.meta_path.insert(0, Changed(name))
        once = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # a failing example is found: enough
        hypothesis.settings.register_profile("trial", derandomize=True, database=None, phases=once)
        hypothesis.settings.load_profile("trial")
        for file in files:  # one by one: a mutant seldom sees more than the first few
            code = pytest.main([*options, file], plugins=[failure])
            if code:
                break
    os.write(tell, (failure.test or (f"pytest: {code}" if code else "")).encode())
    os._exit(0)


def tried(names: Iterable[str], suite: Sequence[str] = SUITE) -> Iterator[Outcome]:
    """One after another."""
    with Nursery(suite) as nursery:
        for name in names:
            nursery.begin(name)
            yield nursery.outcome()


def _tell_survivors(modules: Sequence[str]) -> None:
    names = [name for module in modules or mutants.modules() for name in mutants.names(module)]
    lives = 0
    for outcome in tried(names):
        lives += not outcome.noticed_by
        print(f"{outcome.noticed_by or 'LIVES'}\t{outcome.name}", flush=True)
    print(f"{len(names)} mutants, {lives} live")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--survivors"]:
        _tell_survivors(sys.argv[2:])
    else:
        _serve(sys.argv[1:])
