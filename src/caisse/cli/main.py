"""The entry point: which commands there are. It loads none of them, so that `caisse --help` is quick."""

import io
import sys

import click

from caisse.cli.lazy import LazyGroup

COMMANDS = {
    "serve": "Serve all doors until stopped.",
    "migrate": "Bring a database to this version.",
    "partner": "Partners and their tokens.",
    "connection": "Connections between partners and providers.",
    "player": "A player's wallets, open rounds and trail; freezing.",
    "attempts": "Traces of requests that left no row.",
    "game": "Games that a partner's players may not bet on.",
    "explain": "What happened to a request, round or user: any id.",
    "audit": "Recompute everything from the journal.",
    "backup": "Copy an SQLite database beside its server.",
    "profile": "Policy profiles: what contracts leave open.",
    "currencies": "The currencies that wallets may be held in.",
    "demo": "Play both refunds on an embedded database.",
    "config": "The settings in force.",
}
"""Name -> what it is for, in the order of `caisse --help`; each lives in the module of its name."""

EPILOG = """\b
Exit codes:
  0    done; for serve: stopped by a signal
  1    no: there are findings, no such player, it exists already
  2    wrong usage or settings
  3    the database cannot be used, or has another version
  70   serve: the writer died; start again
  130  interrupted

\b
Completion, in your shell's start-up file (zsh, fish: likewise):
  eval "$(_CAISSE_COMPLETE=bash_source caisse)"

NO_COLOR=1 in the environment switches colours off.
"""


@click.group(
    cls=LazyGroup,
    commands_about=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="caisse")
def cli() -> None:
    """A wallet service for online casinos: every refund exact, final and provable."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
