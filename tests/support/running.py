"""Running the real `caisse`, in this process or as one of its own, and seeing what it says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import psutil
from click.testing import CliRunner

from caisse.cli.demo.pages import PARTNER, PROVIDER, TOKEN, Step, seamless, transfer
from caisse.cli.main import cli
from caisse.store import opening
from tests.support.server import Server

PROGRAM = Path(sys.executable).with_name("caisse")
SECONDS = 60
PROCESSES = (("serve",), ("demo",))
"""Commands that are never run in this process."""


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line that says what was wrong."""
        assert "Traceback" not in self.err
        return self.err.strip().splitlines()[-1]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's, without the settings of caisse's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAISSE_")}
    return {**kept, **(extra or {})}


def caisse(
    *words: str, env: Mapping[str, str] | None = None, stdin: str = "", cwd: Path | None = None
) -> Said:
    """Run a command to its end in this process: what it says and does is the same, without half a second.

    What stays up, or has signals and logs of a whole process, is run as a `program` even so.
    """
    if words[:1] in PROCESSES:
        return program(*words, env=env, stdin=stdin, cwd=cwd)
    ours = {name: None for name in os.environ if name.startswith("CAISSE_")}
    before = _files()
    with contextlib.chdir(cwd or "."):
        done = CliRunner().invoke(
            cli, words, env={**ours, **(env or {})}, input=stdin, prog_name=PROGRAM.name
        )
    assert _files() <= before, f"caisse {' '.join(words)} left files open"
    return Said(done.exit_code, done.stdout, done.stderr + _bug(done.exception))


def _files() -> Counter[str]:
    """What this process has open: a command that leaves a database open would lock it for the next."""
    return Counter(file.path for file in psutil.Process().open_files())


def _bug(error: BaseException | None) -> str:
    """What an interpreter writes at its end of what nobody caught."""
    return (
        "" if error is None or isinstance(error, SystemExit) else "".join(traceback.format_exception(error))
    )


def program(
    *words: str, env: Mapping[str, str] | None = None, stdin: str = "", cwd: Path | None = None
) -> Said:
    """Run a command to its end as a process of its own: where the process itself is the claim.

    So too while this process has the database open by another library than apsw, such as sqlite3: SQLite's
    locks belong to a process, and closing a file drops those of all libraries.
    """
    done = subprocess.run(
        [PROGRAM, *words],
        env=environment(env),
        input=stdin,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def ready(db: str) -> str:
    """The URL of a database that was migrated by command."""
    assert caisse("migrate", "--db", db).code == 0
    return db


@contextmanager
def serving(db: str, log: Path, *options: str) -> Iterator[httpx2.Client]:
    """A client of a server on a migrated database."""
    server = Server(db, log.parent, log=log.name, options=options).start()
    try:
        with httpx2.Client(base_url=server.url, trust_env=False, verify=False) as http:
            yield http
    finally:
        server.stop()


def send(http: httpx2.Client, *steps: Step) -> list[Any]:
    """The answers to requests."""
    headers = {"Content-Type": "application/json"}
    return [http.post(s.path, content=s.body.encode(), headers=headers).json() for s in steps]


def sql(db: str, statement: str) -> list[Sequence[Any]]:
    """Run a statement as nobody but an attacker or a repair would."""

    async def run() -> list[Sequence[Any]]:
        database = await opening.database(db)
        try:
            return await database.fetch(statement)
        finally:
            await database.close()

    return asyncio.run(run())


def furnished(db: str) -> str:
    """The URL of a database with the demo's partner and its keyless connection."""
    ready(db)
    assert caisse("partner", "add", PARTNER, "--token", TOKEN, "--db", db).code == 0
    assert caisse("connection", "add", PARTNER, PROVIDER, "--keyless", "--db", db).code == 0
    return db


def pay(verb: str, user: str, **fields: Any) -> Step:
    """A call of the partner's on the transfer door, edition 3."""
    body = {"id": user, "uuid": str(uuid.uuid4()), **fields}
    return transfer("", verb, json.dumps(body), "")


def funding(user: str, amount: str = "100.0") -> list[Step]:
    """What gives a new player a wallet with so much USD."""
    return [
        pay("create", user, name=user),
        pay("create_wallet", user, currency="USD"),
        pay("charge", user, currency="USD", amount=amount),
    ]


def play(method: str, user: str, reference: str = "", round_: str = "r-1", **fields: Any) -> Step:
    """A call of the game's on the seamless door, edition 4."""
    body = {
        **{
            "uuid": uuid.uuid4().hex,
            "userId": user,
            "providerId": PROVIDER,
            "gameId": "g-1",
            "gamename": "G",
        },
        **{"roundId": round_, "currency": "USD", "sessionId": "s-1", "roundDetails": "spin"},
        **{"timestamp": "1482429189000", **({"reference": reference} if reference else {}), **fields},
    }
    return seamless("", method, json.dumps(body), "")


def eventually(look: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What a look gives, once it gives something: within the time in which changes must take effect."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.1)
    return found
