"""Servers without their second of imports: forked from one process that has done these, and nothing else.

Such a server is `python -m caisse` with the same words, environment, files and folder, and a process of its
own: it gets signals, is stopped, killed and buried as any other. It differs in its line in the list of
processes. Only where forking is safe after imports, which is Linux.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

POSSIBLE = sys.platform == "linux"
IMPORTED = ("caisse.cli.failures", "caisse.cli.output", "caisse.cli.commands.serve", "structlog.dev")


class Forked:
    """A running server: what of `subprocess.Popen` one needs."""

    def __init__(self, words: Sequence[str], log: IO[bytes], env: Mapping[str, str]) -> None:
        its_input, input_ = os.pipe()
        self._line, its_line = os.pipe()
        self.stdin = os.fdopen(input_, "wb")
        self.returncode: int | None = None
        with tempfile.TemporaryFile() as request:
            request.write(json.dumps([words, dict(env), os.getcwd()]).encode())
            request.flush()
            socket.send_fds(_parent(), [b"!"], [request.fileno(), its_input, log.fileno(), its_line])
        os.close(its_input)
        os.close(its_line)
        self.pid = self._read()

    def _read(self) -> int:
        told = os.read(self._line, 4)
        if len(told) < 4:
            raise ChildProcessError("the process that forks servers has ended")
        return int.from_bytes(told, "big", signed=True)

    def poll(self) -> int | None:
        """Its exit status, once it has ended."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; negative: the signal that killed it."""
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("caisse", timeout or 0)
            self.returncode = self._read()
            os.close(self._line)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@functools.cache
def _parent() -> socket.socket:
    """The line to the process that forks; it ends when this one does, however."""
    ours, its = socket.socketpair()
    command = [sys.executable, "-m", __name__]
    with its:
        process = subprocess.Popen(command, stdin=its.fileno(), start_new_session=True)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def main() -> None:
    """Fork a server for each request, until the line ends."""
    for name in IMPORTED:
        importlib.import_module(name)
    line = socket.socket(fileno=os.dup(0))
    while True:
        asked, files, _, _ = socket.recv_fds(line, 1, 4)
        if not asked:
            return
        if os.fork() == 0:
            line.close()
            _watch(*files)
        for file in files:
            os.close(file)
        _bury()


def _bury() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _watch(request: int, input_: int, log: int, line: int) -> None:
    """Fork once more: one is the server, the other tells its end."""
    if (pid := os.fork()) == 0:
        os.close(line)
        _serve(request, input_, log)
    for file in (request, input_, log):
        os.close(file)
    os.write(line, pid.to_bytes(4, "big", signed=True))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(line, status.to_bytes(4, "big", signed=True))
    os._exit(0)


def _serve(request: int, input_: int, log: int) -> None:
    """What `python -m caisse` does."""
    with os.fdopen(request, "rb") as asked:
        asked.seek(0)
        words, env, folder = json.load(asked)
    for file, place in ((input_, 0), (log, 1), (log, 2)):
        os.dup2(file, place)
    os.close(input_)
    os.close(log)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["caisse", *words]
    from caisse.cli.main import cli

    cli(prog_name="caisse")


if __name__ == "__main__":
    main()
