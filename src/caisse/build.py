"""Assembly: from settings to a running server. The only place where all parts meet."""

import asyncio
import gc
import logging
import resource
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from caisse.core.parties import Connection, Parties
from caisse.core.policy import Policy
from caisse.currencies import reader as currencies
from caisse.dialects.policies import policies
from caisse.dialects.references import MANUALS
from caisse.dialects.wire.auth import Access
from caisse.dialects.wire.door import Context, Door
from caisse.ids import id_source
from caisse.jobs.round_log import Numbering
from caisse.settings import Settings
from caisse.store import directory, migrate, opening, schema
from caisse.store.api import Database
from caisse.store.listing import RoundPages
from caisse.store.sqlite.file import lock_file, readable_by_others, sync_earlier
from caisse.web import pages
from caisse.web.apidocs.documents import documents
from caisse.web.app import App
from caisse.web.proxies import Proxies
from caisse.web.server.http import Server
from caisse.writer.writer import Writer, clock

log = logging.getLogger("caisse")

REFRESH_SECONDS: Final = 2.0
"""How often partners and connections are read again: a revoked token must stop working within 5 seconds."""
READ_SECONDS: Final = 5.0
"""For a look at them, and for closing its connection: a dead machine never says that it is dead."""
DRAIN_SECONDS: Final = 15.0
"""How long a stop waits for requests under way: longer than the writer's patience."""

SWITCH_SECONDS: Final = 0.000_5
"""How long a thread, such as that of SQLite's commits, may wait for the interpreter while the loop has work.
Measured on SQLite against the usual 5 ms: 3 % more refunds, and a fifth off the median latency.
"""

DOORS: Final[tuple[Door, ...]] = tuple(manual.door for manual in MANUALS)


class WriterDied(Exception):
    """The writer ended by itself: nothing may be answered any more, the process must start again."""


def _nobody_waits(port: int) -> None:
    """The default of `serve`'s `ready`."""


async def serve(settings: Settings, ready: Callable[[int], None] = _nobody_waits) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called with the port once requests are taken.

    Unavailable, WrongVersion or BadUrl if the database cannot be used; WriterDied if it must be restarted.
    """
    path = opening.sqlite_path(settings.db)
    if path is not None:
        lock_file(path)
        sync_earlier(path)
        for file in readable_by_others(path):
            log.warning("other users of this machine may read %s: chmod 600 %s", file, shlex.quote(str(file)))
    db = await opening.database(settings.db)
    try:
        if path is not None:
            await migrate.migrate(db, settings.db, clock())
        await migrate.check_version(db, settings.db)
        await schema.refuse_missing(db)
        parties = await directory.parties(db)
    except BaseException:
        await db.close()
        raise
    ledgers = [opening.ledger(settings.db) for _ in range(1 if path else settings.writers)]
    rounds, numbering = RoundPages(settings.db), Numbering(settings.db)
    await asyncio.gather(rounds.open(), numbering.open(), *(ledger.open() for ledger in ledgers))
    await _serve(settings, parties, db, Writer(ledgers), rounds, numbering, ready)


async def _serve(
    settings: Settings,
    parties: Parties,
    db: Database,
    writer: Writer,
    rounds: RoundPages,
    numbering: Numbering,
    ready: Callable[[int], None],
) -> None:
    """With everything open that needs a file: clients may take all that are left."""
    allow_connections()
    freeze_gc()
    sys.setswitchinterval(SWITCH_SECONDS)
    app = App(DOORS, writer, make_world(parties, settings), rounds.read, Proxies(settings.proxies))
    _warn_of_unknown_profiles(parties.connections, app.world.policies)
    server = Server(app, app.reject)
    app.pages |= {
        "/": pages.greeting,
        "/healthz": pages.health(server, writer),
        "/metrics": pages.metrics(server, writer, app.guesses),
    }
    app.pages |= documents(app.world.policies.values())
    writing = asyncio.create_task(writer.run())
    refreshing = asyncio.create_task(_refresh(app, settings.db, db, parties))
    logging_rounds = asyncio.create_task(numbering.run())
    stop = _stop_signal()
    await server.start(settings.host, settings.port)
    log.info("listening on %s port %d", settings.host, server.port)
    ready(server.port)
    await asyncio.wait({writing, logging_rounds, stop}, return_when=asyncio.FIRST_COMPLETED)
    refreshing.cancel()
    for task in (writing, logging_rounds):
        if task.done():
            raise WriterDied(f"the writer ended: {task.exception()!r}")
    logging_rounds.cancel()
    log.info("stopping; requests that wait: %d", writer.waiting)
    await server.drain(DRAIN_SECONDS)
    writer.close()
    await writing
    await numbering.close()
    await rounds.close()


def make_world(parties: Parties, settings: Settings) -> Context:
    """What the doors may look at, from what the store says now."""
    return Context(
        access=Access(parties),
        currencies=currencies.table(settings.currencies),
        policies=policies(settings.profiles),
        new_id=id_source(),
        loopback=is_loopback(settings.host),
    )


def _warn_of_unknown_profiles(connections: Iterable[Connection], known: Mapping[str, Policy]) -> None:
    """The doors give their calls no verdict: an answer under another profile would be final, and wrong."""
    for c in connections:
        if c.profile not in known:
            log.warning(
                "connection %s of partner %s has the profile %s, which this server does not know: its calls"
                " are told 503 until the server is started again, --profiles naming the folder that has it",
                *(c.id, c.partner, c.profile),
            )


async def _refresh(app: App, url: str, opened: Database, known: Parties) -> None:
    """Follow partners, tokens and connections. While the database is away, what was known stays in force."""
    db: Database | None = opened
    away = False
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            db = db or await opening.database(url)
            async with asyncio.timeout(READ_SECONDS):
                parties = await directory.parties(db)
        except Exception as error:
            log.warning("partners and connections cannot be read again: %s", str(error) or "no answer")
            away = True
            await _discard(db)
            db = None
            continue
        if away:
            away = False
            log.info("the database is back: partners and connections are read again")
        if parties != known:
            _warn_of_unknown_profiles(set(parties.connections) - set(known.connections), app.world.policies)
            known = parties
            app.world = replace(app.world, access=Access(parties))


async def _discard(db: Database | None) -> None:
    """Close what may be broken already; a new connection takes its place."""
    with suppress(Exception):
        async with asyncio.timeout(READ_SECONDS):
            if db is not None:
                await db.close()


def _stop_signal() -> asyncio.Future[None]:
    """A future that is done at the first SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()

    def on_signal() -> None:
        if not stop.done():
            stop.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    return stop


def is_loopback(host: str) -> bool:
    """Whether a server bound to this host can be reached from this machine only."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def freeze_gc() -> None:
    """Requests make no cycles, but what lanes remember takes long to search: 70 ms, while everybody waits.

    What was made at start is never looked at again. The limit is above all that lanes can remember, so only
    a library that leaks brings the collector to work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000)


def allow_connections() -> None:
    """Raise the soft limit of open files to the hard one: each connection is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
