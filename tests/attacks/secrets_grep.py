"""Every secret that there is, looked for in everything that is written down, told or shown."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.http.test_secrets import noise
from tests.support.postgres import run as run_program
from tests.support.rig import House, secret
from tests.support.server import Answer, Game, Partner, Server, environment, until
from tests.torture.toolbox import START, Harness, Run

FROM_ENVIRONMENT = """
import sys
at = sys.argv.index("--db")
del sys.argv[at:at + 2]
"""
"""The database's URL, with its password, comes as CAISSE_DB: processes are listed with their arguments."""

Places = dict[str, bytes]
"""Where secrets are looked for -> all that stands there."""


def attack(run: Run) -> None:
    """Use every secret rightly and wrongly, and fail in every way; then look for them everywhere."""
    house = run.house()
    password = secret("password")
    url = _with_password(run, house, password)
    server = Server("-", run.new_folder(), CAISSE_DB=url, CAISSE_PROFILES=str(house.profiles))
    server.program = ["-c", FROM_ENVIRONMENT + run.plant + START]
    house.servers[:] = [server]
    run.keep(server)
    guesses = secret("guess"), secret("guess")
    hidden = {
        "a token": house.partner.token,
        "a key": house.game().path[1:],
        "the database's password": password,
        **{"a guessed token": guesses[0], "a guessed key": guesses[1]},
    }
    for number in run.rounds():
        answers = noise(house) + guessed(house, guesses)
        places = {**shown(run), "the answers": b"\n".join(map(_bytes, answers))}
        places["what commands say"] = b"".join(complaints(run, url, password))
        if run.engine == "postgres" and number == 1:
            lose_the_database(run, server)
        places |= {"the log": server.log.encode(), "the tables": stored(run, house)}
        run.find(*found(hidden, places), *blind(house, server, places))
        run.fault("requests with a secret in them", len(answers))
        run.saw("places looked at", len(places))
        run.saw("KiB looked through", sum(map(len, places.values())) // 1024)
    server.stop()
    run.audit(house.db)


def _with_password(run: Run, house: House, password: str) -> str:
    """A role that logs in by password, and a database that writes down all it is asked, values too."""
    if run.engine == "sqlite":
        return house.db
    run.postgres.sql(f"create role keeper superuser login password '{password}'")
    run.postgres.sql("alter system set log_statement = 'all'")
    run.postgres.sql("select pg_reload_conf()")
    parts = urlsplit(house.db)
    return parts._replace(netloc=f"keeper:{password}@127.0.0.1:{parts.port}").geturl()


def guessed(house: House, wrong: tuple[str, str]) -> list[Answer]:
    """What is wrong today was right somewhere, or is a slip of the pen away from it."""
    token, key = wrong
    calls = [Partner(house.partner.id, token).info("nobody"), Game(f"/{key}").play("Check", "nobody")]
    return [house.send(call) for call in calls]


def shown(run: Run) -> Places:
    """What other users of the machine and of the database see."""
    listed = [word for p in psutil.process_iter(["cmdline"]) for word in p.info["cmdline"] or ()]
    places = {"the processes": "\n".join(listed).encode(errors="replace")}
    if run.engine == "postgres":
        asked = run.postgres.sql("select query, application_name from pg_stat_activity")
        places["pg_stat_activity"] = asked.encode()
    return places


def complaints(run: Run, url: str, password: str) -> Iterator[bytes]:
    """A command that shows its settings, and one that cannot reach its database."""
    lost = f"postgresql://keeper:{password}@127.0.0.1:1/lost"
    for words, db in ((["config", "show"], lost if run.engine == "sqlite" else url), (["audit"], lost)):
        command = [sys.executable, "-c", run.plant + START, *words]
        done = subprocess.run(command, env=environment(CAISSE_DB=db), capture_output=True)
        yield done.stdout + done.stderr


def lose_the_database(run: Run, server: Server) -> None:
    """Until the server complains of it."""
    run.postgres.stop("immediate")
    until(lambda: "cannot be read again" in server.log, "the server does not miss its database")
    run.postgres.start()
    run.fault("database taken away")


def stored(run: Run, house: House) -> bytes:
    """Every byte of the files, or what pg_dump and the database's own log of statements say."""
    if run.engine == "sqlite":
        file = Path(house.db.removeprefix("sqlite:///"))
        return b"".join(part.read_bytes() for part in file.parent.glob(file.name + "*"))
    folder = run.postgres.directory
    assert folder is not None
    dumped = run_program([run.postgres.bin("pg_dump"), "--inserts", house.db], account=None)
    statements = (folder / "log").read_text(errors="replace")
    assert "insert into" in statements.lower(), "the database does not write down its statements"
    return (dumped + statements).encode()


def found(hidden: Mapping[str, str], places: Places) -> list[str]:
    return [f"{what} in {place}" for what, text in hidden.items() for place, all_ in places.items()
            if text.encode() in all_]  # fmt: skip


def blind(house: House, server: Server, places: Places) -> list[str]:
    """Places in which not even that stands which must; looking there would prove nothing."""
    expected = {
        "the log": server.url,
        "the tables": house.partner.id,
        "the answers": "caisse_http_requests_total",
        "the processes": "--until-eof",
        "what commands say": "db",
    }
    return [f"nothing is seen in {p}" for p, text in expected.items() if text.encode() not in places[p]]


def _bytes(answer: Answer) -> bytes:
    return repr((answer.raw, dict(answer.headers))).encode()


def _logs(what: str) -> str:
    return f"""
import logging
from caisse.web.app import App
real = App.__call__
def call(self, exchange):
    logging.getLogger("caisse.web").info("asked: %s", exchange.{what})
    real(self, exchange)
App.__call__ = call
"""


SHOWS_PASSWORD = """
from caisse.cli import options
options.masked = lambda url: url
"""
KEEPS_QUERY = """
import msgspec
from caisse.dialects.wire.door import Question
from caisse.dialects.transfer_v3.door import TransferV3
real = TransferV3.take
def take(self, route, call, world):
    asked = real(self, route, call, world)
    if type(asked) is Question:
        asked = asked._replace(request=msgspec.structs.replace(asked.request, endpoint=call.query))
    return asked
TransferV3.take = take
"""
COUNTS_BY_PATH = """
from prometheus_client.metrics_core import CounterMetricFamily
from caisse.web import pages
from caisse.web.app import App
paths, real, collect = set(), App.__call__, pages._Collector._http
def call(self, exchange):
    paths.add(exchange.path)
    real(self, exchange)
def told(self):
    yield from collect(self)
    family = CounterMetricFamily("caisse_paths", "Paths", labels=["path"])
    for path in paths:
        family.add_metric([path], 1)
    yield family
App.__call__, pages._Collector._http = call, told
"""

HARNESS = Harness(
    claim="no token, key or database password is in a log, answer, metric, table, statement or process list",
    attack=attack,
    rounds=1,
    plants={
        "logs the query string": _logs("query"),
        "logs the path": _logs("path"),
        "shows the database's password": SHOWS_PASSWORD,
        "keeps the query string in the journal": KEEPS_QUERY,
        "counts requests by path": COUNTS_BY_PATH,
    },
    weight=0.5,
)
