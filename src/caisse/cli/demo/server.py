"""The demo's server: a child process that ends with the demo, however the demo ends."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from caisse.cli.failures import Failed

START_SECONDS: Final = 30.0
"""After this a server that says nothing is given up."""
STOP_SECONDS: Final = 20.0
"""After this it is killed: longer than it takes to answer what it has begun."""
LOOK_SECONDS: Final = 0.02
"""How often its log is looked at."""


class Running(NamedTuple):
    """A server that takes requests."""

    process: subprocess.Popen[bytes]
    url: str


@contextmanager
def server(db: str, port: int, log: Path, *options: str) -> Iterator[Running]:
    """Run `caisse serve` on a database, with its log in a file; `options` as on the command line."""
    command = [sys.executable, "-m", "caisse", "serve", "--until-eof", "--db", db]
    with log.open("wb") as stderr:
        child = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--host", "127.0.0.1", "--port", str(port), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={name: value for name, value in os.environ.items() if not name.startswith("CAISSE_")},
            # A Ctrl-C is the demo's; the server sees its standard input end.
            start_new_session=True,
        )
    try:
        yield Running(child, _url(child, log))
    finally:
        _stop(child)


def _url(child: subprocess.Popen[bytes], log: Path) -> str:
    """The URL that the server's log names once it takes requests: no other server's can be meant."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = child.poll() is not None
        lines = log.read_text(errors="replace").splitlines()
        for line in lines:
            if url := _ready(line):
                return url
        if ended:
            raise Failed(f"the server did not start: {lines[-1] if lines else 'it logged nothing'}")
        time.sleep(LOOK_SECONDS)
    raise Failed(f"the server did not start within {START_SECONDS:.0f} seconds; see {log}")


def _ready(line: str) -> str | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record["url"] if isinstance(record, dict) and record.get("event") == "ready" else None


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.stdin:
        child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        child.kill()
        child.wait()
