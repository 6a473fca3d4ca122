"""`caisse serve`: run the server until a signal stops it."""

import errno
import logging
import os
import signal
import socket
import threading
from functools import partial
from typing import Any

import click
import uvloop
from click.core import ParameterSource

from caisse import build
from caisse.cli import logs, options
from caisse.cli.failures import BadSetting, Dead, Failed, NoDatabase
from caisse.settings import Settings

log = logging.getLogger("caisse.serve")


@click.command
@options.serving
@click.option(
    "--until-eof", is_flag=True, help="Stop also when standard input ends, as when the parent process dies."
)
def serve(until_eof: bool, **given: Any) -> None:
    """Serve the transfer and the seamless doors until SIGTERM or SIGINT.

    At start it makes an SQLite database, or brings it to this version; PostgreSQL needs `caisse migrate`. The
    log goes to standard error, as JSON lines unless that is a terminal; the line whose event is "ready" has
    the server's url.
    """
    if until_eof:
        threading.Thread(target=_stop_at_eof, daemon=True).start()
    logs.start()
    settings = settings_of(given)
    _warn_of_shown_password(settings.db)
    try:
        uvloop.run(build.serve(settings, partial(_announce, settings)))
    except build.WriterDied as error:
        raise Dead(f"{error}; start the server again") from error
    except OSError as error:
        raise _cannot_start(error, settings) from error


def settings_of(given: dict[str, Any]) -> Settings:
    """From the options."""
    return Settings(
        db=given["url"],
        host=given["host"],
        port=given["port"],
        writers=given["writers"],
        profiles=given["profiles"],
        currencies=given["currencies"],
        proxies=given["proxies"],
    )


def _warn_of_shown_password(url: str) -> None:
    given = click.get_current_context().get_parameter_source("url")
    if given is ParameterSource.COMMANDLINE and options.masked(url) != url:
        log.warning("the list of processes shows the password in --db: give the URL as CAISSE_DB instead")


def _announce(settings: Settings, port: int) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    log.info("ready", extra={"url": f"http://{host}:{port}", "db": options.masked(settings.db)})
    if not build.is_loopback(settings.host):
        log.warning(
            "reachable from other machines, and tokens travel in URLs: let only a proxy with TLS reach it;"
            " keyless connections are not answered"
        )


def _stop_at_eof() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _cannot_start(error: OSError, settings: Settings) -> Failed:
    where = f"{settings.host} port {settings.port}"
    if error.errno == errno.EADDRINUSE:
        return Failed(f"{where} is taken: stop what listens there, or choose another --port")
    if error.filename is not None:
        return NoDatabase(f"cannot use the database: {error}. Is --db right?")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return BadSetting(f"cannot listen on {settings.host}: not an address of this machine; see --host")
    return BadSetting(f"cannot listen on {where}: {error.strerror or error}; see --host and --port")
