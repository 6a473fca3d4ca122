"""The suite's PostgreSQL is a real one: durable, recovering from a crash, and gone at the end."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.support import postgres as harness
from tests.support.postgres import Borrowed, Postgres, PostgresError, directory_for, unprivileged_account

ROOT = Path(__file__).parents[1]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A directory that PostgreSQL's account can use, which tmp_path is not when we are root."""
    path = directory_for(unprivileged_account())
    yield path
    shutil.rmtree(path)


async def value(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_the_server_answers(postgres: Postgres | Borrowed) -> None:
    assert "PostgreSQL" in str(asyncio.run(value(postgres.url(), "select version()")))


def test_every_database_is_fresh(postgres: Postgres | Borrowed) -> None:
    first, second = postgres.create_database(), postgres.create_database()
    asyncio.run(value(first, "create table mark ()"))
    assert first != second
    assert asyncio.run(value(second, "select to_regclass('mark')")) is None


def test_both_engines_get_an_address(db_url: str) -> None:
    assert db_url.startswith(("sqlite:////", "postgresql://"))


def test_the_programs_are_at_hand(postgres: Postgres | Borrowed) -> None:
    for name in ("postgres", "initdb", "pg_ctl", "pgbench", "pg_basebackup"):
        assert postgres.bin(name).is_file()


def test_it_is_durable_and_survives_a_crash_with_what_it_had_committed() -> None:
    with Postgres() as server:
        assert (server.sql("show fsync"), server.sql("show synchronous_commit")) == ("on", "on")
        server.sql("create table kept as select 42 as answer")
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        server.kill_postmaster()
        assert len(processes) > 1
        assert all(map(harness.has_ended, processes))
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            asyncio.run(value(server.url(), "select 1"))
        server.start()
        assert asyncio.run(value(server.url(), "select answer from kept")) == 42


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_it_stops_in_every_mode_and_starts_again(mode: str) -> None:
    with Postgres() as server:
        server.stop(mode)
        with pytest.raises(PostgresError, match="not running"):
            server.stop(mode)
        server.start()
        assert server.sql("select 1") == "1"


def test_nothing_is_left_when_it_ends() -> None:
    with Postgres() as server:
        postmaster, directory = psutil.Process(server.pid), server.directory
    assert not postmaster.is_running()
    assert directory is not None
    assert not directory.exists()


def test_it_ends_even_when_its_owner_is_killed(scratch: Path) -> None:
    program = """
import time, tests.support.postgres
with tests.support.postgres.Postgres() as server:
    print(server.pid, flush=True)
    time.sleep(600)
"""
    environment = {**os.environ, "TMPDIR": str(scratch)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        postmaster = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
    harness.wait_for(lambda: harness.has_ended(postmaster), 30, lambda: "the server outlives its owner")


def test_it_never_runs_as_root() -> None:
    with Postgres() as server:
        assert psutil.Process(server.pid).uids().real != 0


def test_programs_beyond_the_reach_of_its_account_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under /root: pytest's own directories are closed to others."""
    for part in harness.site_packages().glob(f"{harness.PACKAGE}*"):
        (tmp_path / part.name).symlink_to(part)
    monkeypatch.setattr(harness, "site_packages", lambda: tmp_path)
    account = unprivileged_account()
    programs = harness.programs_for.__wrapped__(account)
    assert programs.is_relative_to(tmp_path) == (account is None)
    assert harness.can_run(programs / "postgres", account)


def test_it_runs_for_an_ordinary_user(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root becomes that user in a forked child; for anybody else the child is himself."""
    account = unprivileged_account()
    programs = harness.programs_for(account)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(harness, "programs_for", lambda _: programs)
    monkeypatch.setattr(harness, "unprivileged_account", lambda: None)
    child = os.fork()
    if child == 0:
        os._exit(exit_code_of(answers_as, account))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def answers_as(account: str | None) -> None:
    """Become the account for good, then start a server and ask it something."""
    if account is not None:
        entry = pwd.getpwnam(account)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    with Postgres() as server:
        assert server.sql("select 1") == "1"
        assert psutil.Process(server.pid).uids().real == os.geteuid()


def exit_code_of(function: Callable[[str | None], None], argument: str | None) -> int:
    try:
        function(argument)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
