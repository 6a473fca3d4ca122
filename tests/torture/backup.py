"""Copies taken under load, as the document says: what was acknowledged before is in them, and they serve."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from caisse.store.api import Unavailable
from tests.support import postgres
from tests.support.crowd import CLIENTS, sent
from tests.support.record import Intent, Storm
from tests.support.rig import House
from tests.support.server import DidNotStart, Server, environment, until
from tests.torture.toolbox import START, Harness, Run

VERDICTS = (50, 500)
"""After how many verdicts of a round the copy is begun: between these."""
GO_ON = 100
"""Verdicts that must come besides."""
NEWEST = 2_000
"""Acknowledged verdicts that are looked for in a copy: it is the newest that it could miss."""

KEEPS_THE_FIRST = """
import shutil
from pathlib import Path
from caisse.store.sqlite import backup

real = backup._copy

def copy(source, partial, progress):
    first = Path(f"{source}.first")
    if not first.exists():
        real(source, first, progress)
    shutil.copyfile(first, partial)

backup._copy = copy
"""
"""Hands out the first copy for ever: sound books, and the newest verdicts are missing."""


class NoCopy(Exception):
    """The command refused."""


def _by_command(run: Run, house: House, stack: ExitStack) -> str:
    target = Path(stack.enter_context(tempfile.TemporaryDirectory()), "copy.db")
    program = ["-c", run.plant + START] if run.plant else ["-m", "caisse"]
    command = [sys.executable, *program, "backup", "--db", house.db, str(target)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoCopy(f"caisse backup ended with {done.returncode}: {done.stderr}")
    run.saw("caisse backup under load, restored")
    return f"sqlite:///{target}"


def _by_base_backup(run: Run, house: House, stack: ExitStack) -> str:
    """The whole server, restored by starting another one on the copy."""
    copy = stack.enter_context(postgres.Copy(run.postgres))
    run.saw("pg_basebackup under load, restored")
    return copy.url(urlsplit(house.db).path[1:])


def _by_dump(run: Run, house: House, stack: ExitStack) -> str:
    """One database, restored into an empty one."""
    file = Path(stack.enter_context(tempfile.TemporaryDirectory()), "dump")
    postgres.run([run.postgres.bin("pg_dump"), "--format=custom", "-f", file, house.db], account=None)
    restored = run.postgres.create_database()
    restore = run.postgres.bin("pg_restore")
    postgres.run([restore, "--exit-on-error", "-d", restored, file], account=None)
    run.saw("pg_dump under load, restored")
    return restored


WAYS: dict[str, list[Callable[[Run, House, ExitStack], str]]] = {
    "sqlite": [_by_command],
    "postgres": [_by_base_backup, _by_dump],
}
"""How a copy is taken, in turn; the resources it needs end with the round."""


def attack(run: Run) -> None:
    """Under load take a copy, restore it elsewhere, and hold it against what was acknowledged before."""
    house = run.house()
    server = house.server.start()
    storm = Storm(house, run.seed)
    for number in run.rounds():
        way = WAYS[run.engine][number % len(WAYS[run.engine])]
        with ExitStack() as stack:
            taking = Taking(run, storm, lambda way=way, stack=stack: way(run, house, stack))  # type: ignore[misc]
            storm.beside(taking)
            storm.heal()
            if taking.copy:
                try:
                    _look_into(run, house, taking.copy, taking.before[-NEWEST:])
                except (Unavailable, DidNotStart) as error:
                    run.find(f"the copy cannot be used: {error}")
    run.find(*storm.record.findings(storm.balances()))
    run.saw("requests", len(storm.record.intents))
    server.stop()
    run.audit(house.db)


class Taking:
    """Takes a copy amid the load, and knows what was acknowledged before."""

    def __init__(self, run: Run, storm: Storm, take: Callable[[], str]) -> None:
        self._run, self._storm, self._take = run, storm, take
        self.before: list[Intent] = []
        self.copy = ""

    def __call__(self) -> None:
        """Runs beside the storm."""
        self._more(self._run.chance.randint(*VERDICTS))
        self.before = [intent for intent in self._storm.record.intents if intent.answers]
        try:
            self.copy = self._take()
        except NoCopy as error:
            self._run.find(str(error))
        self._more(GO_ON)

    def _more(self, verdicts: int) -> None:
        wanted = self._storm.record.verdicts + verdicts
        until(lambda: self._storm.record.verdicts >= wanted, "no verdicts come")


def _look_into(run: Run, house: House, copy: str, before: Sequence[Intent]) -> None:
    """Its books are right, each request of before is a repeat to it, and new ones succeed."""
    run.audit(copy)
    with Server(copy, house.folder, CAISSE_PROFILES=str(house.profiles)) as server:
        for intent, answer in zip(before, sent(server, [i.call for i in before]), strict=True):
            if answer.raw != intent.answers[0].raw:
                run.find(f"{intent.key}: told {intent.answers[0].raw!r}, the copy says {answer.raw!r}")
        new = [house.partner.charge(before[-1].user) for _ in range(CLIENTS)]
        refused = [answer for answer in sent(server, new) if (answer.status, answer.code) != (200, 0)]
        run.find(*(f"the copy does not serve: {answer}" for answer in refused))
        server.stop()
    run.saw("acknowledged verdicts looked for in copies", len(before))
    run.audit(copy)


HARNESS = Harness(
    claim="a copy taken under load has all that was acknowledged before it was begun, and serves",
    attack=attack,
    faultless=True,
    plants={"hands out an older copy": KEEPS_THE_FIRST},
)
