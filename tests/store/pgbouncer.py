"""A real PgBouncer in front of the suite's PostgreSQL, to kill and to start again."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.support.distribution import program
from tests.support.postgres import (
    directory_for,
    free_port,
    spawn,
    unprivileged_account,
    wait_for,
)

SECONDS = 30


class PgBouncer:
    """As it is shipped but for its addresses, and for the settings given here."""

    def __init__(self, server: str, of_database: str = "", **settings: str) -> None:
        """`server`: the URL of a database of the server behind. `of_database`: settings of `[databases]`."""
        self._program = program("pgbouncer")
        self._server = urlsplit(server)
        self._of_database = of_database
        self._settings = settings
        self._account = unprivileged_account()
        self.port = free_port()
        self.folder = directory_for(self._account)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, db: str, query: str = "") -> str:
        """The address of a database through it."""
        parts = urlsplit(db)
        return parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.port}", query=query).geturl()

    def file(self, name: str, content: bytes) -> Path:
        """One that its account can read."""
        path = self.folder / name
        path.write_bytes(content)
        if self._account is not None:
            shutil.chown(path, self._account)
        path.chmod(0o600)
        return path

    def start(self) -> Self:
        users = self.file("users", f'"{self._server.username}" ""\n'.encode())
        own = {"listen_addr": "127.0.0.1", "listen_port": str(self.port), "unix_socket_dir": ""}
        settings = {**own, "auth_type": "trust", "auth_file": str(users), **self._settings}
        behind = f"host={self._server.hostname} port={self._server.port} {self._of_database}"
        lines = ["[databases]", f"* = {behind}", "[pgbouncer]", *(f"{n} = {v}" for n, v in settings.items())]
        ini = self.file("ini", "\n".join([*lines, ""]).encode())
        with (self.folder / "log").open("ab") as log:
            self._process = spawn([self._program, ini], self._account, stderr=log)
        wait_for(self._listens, SECONDS, lambda: f"PgBouncer does not listen:\n{self.log}")
        return self

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    @property
    def log(self) -> str:
        """All that it ever wrote."""
        return (self.folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """kill -9: every connection through it is cut."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(SECONDS)
        self._process = None

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
