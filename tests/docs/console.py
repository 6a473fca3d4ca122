"""Playing the console blocks of a document: commands run, their output is held against what it shows.

A line that begins with `$ ` is a command, continued by lines that begin with `> `; what follows is its
output. There `…` stands for anything. Ids and times that differ from run to run are compared by their shape.
All blocks of a document are one session of bash, in one folder; a `caisse serve` goes on in the background.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.docs.documents import Block
from tests.support.running import environment

SECONDS = 30
PORT = "8080"
"""The port that documents show."""
END = "the-command-ended-with"

SHAPES = {
    "<id>": re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    "<connection>": re.compile(r"(?<![-\w])[0-9a-f]{12}(?![-\w])"),
    "<time>": re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?"),
}

CURL = """#!{python}
\"\"\"As much of curl as the documents need, so that no test asks for a program that may be missing.\"\"\"
import sys, httpx2
from argparse import ArgumentParser
p = ArgumentParser()
p.add_argument("-s", action="store_true")
p.add_argument("-w", default="")
p.add_argument("-H", dest="headers", action="append", default=[])
p.add_argument("-d", dest="data")
p.add_argument("url")
a = p.parse_args()
headers = dict(h.split(": ", 1) for h in a.headers)
with httpx2.Client(trust_env=False) as http:
    reply = http.request("GET" if a.data is None else "POST", a.url, content=a.data, headers=headers)
sys.stdout.write(reply.text + a.w.replace("\\\\n", "\\n"))
"""


class Command(NamedTuple):
    """One command of a document, and what it is said to print."""

    line: int
    text: str
    output: str


def commands(block: Block) -> Iterator[Command]:
    """AssertionError if a block begins with something else."""
    lines = block.text.splitlines()
    at = 0
    while at < len(lines):
        assert lines[at].startswith("$ "), f"{block.path}:{block.line + 1 + at}: no command"
        first, words = at, [lines[at][2:]]
        at += 1
        while at < len(lines) and (lines[at] == ">" or lines[at].startswith("> ")):
            words.append(lines[at][2:])
            at += 1
        shown = at
        while at < len(lines) and not lines[at].startswith("$ "):
            at += 1
        yield Command(block.line + 1 + first, "\n".join(words), "\n".join(lines[shown:at]))


def shape(output: str) -> str:
    """Output without what differs from run to run."""
    for name, pattern in SHAPES.items():
        output = pattern.sub(name, output)
    return "\n".join(line.rstrip() for line in output.strip().splitlines())


def agrees(documented: str, printed: str) -> bool:
    parts = shape(documented).split("…")
    return re.fullmatch(r".*?".join(map(re.escape, parts)), shape(printed), re.DOTALL) is not None


class Console:
    """A session of bash in which `caisse` is the one under test."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        programs = folder / "bin"
        programs.mkdir()
        (programs / "curl").write_text(CURL.format(python=sys.executable))
        (programs / "curl").chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env=environment({"PATH": path, "CAISSE_PORT": str(self.port), "COLUMNS": "200"}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> tuple[int, str]:
        """The exit code, and all that was printed."""
        if command.startswith("caisse serve"):
            command = (
                f"{command} >serve.log 2>&1 & "
                "for n in $(seq 200); do grep -q '\"ready\"' serve.log && break; sleep 0.05; done"
            )
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.write(f"{command.replace(PORT, str(self.port))}\necho {END} $?\n")
        self._bash.stdin.flush()
        printed = ""
        watch = threading.Timer(SECONDS, self._bash.kill)
        watch.start()
        try:
            for line in self._bash.stdout:
                before, found, code = line.partition(END)
                printed += before
                if found:
                    return int(code), printed.replace(str(self.port), PORT)
        finally:
            watch.cancel()
        raise AssertionError(f"bash ended, or {SECONDS} s passed, in {command!r}: {printed}")

    def end(self) -> None:
        """Stop what goes on in the background, then the session."""
        if self._bash.poll() is None:
            self._bash.communicate("kill $(jobs -p) 2>/dev/null; wait\n", timeout=SECONDS)


@contextmanager
def console(folder: Path) -> Iterator[Console]:
    made = Console(folder)
    try:
        yield made
    finally:
        made.end()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
