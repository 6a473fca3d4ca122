"""`caisse demo`: both refunds, played on an embedded database by a real server."""

import asyncio
import os
import shlex
import shutil
import signal
import sys
from pathlib import Path

import click
from rich.console import Console

from caisse.cli import options
from caisse.cli.commands.audit import audited, summary
from caisse.cli.commands.connection import new_connection, store_connection
from caisse.cli.commands.partner import new_partner
from caisse.cli.database import to_write
from caisse.cli.demo.pages import PAGES, PARTNER, PROVIDER, REPEATS, SETTING, TOKEN, Step
from caisse.cli.demo.play import Player
from caisse.cli.demo.server import Running, server
from caisse.cli.failures import Failed, NoDatabase
from caisse.cli.secret import Secret
from caisse.store.sqlite.file import lock_file


@click.command
@click.option(
    "--once", is_flag=True, help="Stop after the last answer; exit code 0 only if all were as documented."
)
@click.option(
    "--port",
    type=click.IntRange(0, options.MAX_PORT),
    default=0,
    help="Port to listen on.  [default: a free one]",
)
@click.option(
    "--var",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Directory for the demo's database and log; an older demo's are removed.",
)
def demo(once: bool, port: int, var: Path) -> None:
    """Play both refunds on an embedded database, show each request and answer, then stay up.

    Partner "demo" with token "demo-token", a keyless connection of luckymonaco, the players tester and 421.
    An operator can do all of this by commands and requests.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    console = Console(highlight=False, soft_wrap=True)
    database = _fresh(var)
    url = f"sqlite:///{database}"
    asyncio.run(_populate(url))
    with server(url, port, database.with_suffix(".log")) as running:
        problem = _play(running.url, url, console)
        if not once:
            _stay(running, url, console)
    if problem:
        raise Failed(problem)


def _fresh(var: Path) -> Path:
    """A path for the database, where none is any more."""
    path = var / "demo.db"
    try:
        var.mkdir(parents=True, exist_ok=True)
        lock = lock_file(path)
        for suffix in ("", "-wal", "-shm", ".lock"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        os.close(lock)
    except OSError as error:
        raise NoDatabase(f"cannot use {var}: {error}; choose another --var") from error
    return path


async def _populate(url: str) -> None:
    async with to_write(url) as db:
        await new_partner(db, PARTNER, Secret(TOKEN, made=False))
        await store_connection(db, new_connection(PARTNER, PROVIDER, None))


def _play(http: str, url: str, console: Console) -> str | None:
    """Play everything and audit the books; what was not as it should be."""
    with Player(http, console) as player:
        _act(player, console, "What both pages take for granted", SETTING)
        _act(player, console, "The pages' own examples", PAGES)
        _act(player, console, "What happens to requests in the wild", REPEATS)
    report = audited(url)
    console.print(f"Audit: {summary(report)}: {report.findings_total or 'no'} findings", style="bold")
    right = f"{player.played - player.wrong} of {player.played} answers as documented\n"
    console.print(right, style="bold red" if player.wrong else "bold green")
    if player.wrong or report.findings_total:
        return f"{player.wrong} answers not as documented, {report.findings_total} audit findings"
    return None


def _act(player: Player, console: Console, title: str, steps: tuple[Step, ...]) -> None:
    console.print(f"{title}\n{'=' * len(title)}\n", style="bold magenta")
    for step in steps:
        player.play(step)


def _stay(running: Running, url: str, console: Console) -> None:
    """Until Ctrl-C, or until the server is stopped by somebody else."""
    try:
        for line in _next_steps(running.url, url):
            console.print(line, markup=False)
        code = running.process.wait()
    except KeyboardInterrupt:
        console.print("\nstopping")
    else:
        raise Failed(f"the server ended by itself with exit code {code}; its log is beside its database")


def _next_steps(http: str, url: str) -> list[str]:
    caisse, db = _this_program(), shlex.quote(url)
    body = '{"id":"tester","currency":"USD","amount":"40.0","uuid":"3f1c9a44-7f0e-4d58-9a0c-5d2e8b7a6c11"}'
    return [
        f"The server stays up until Ctrl-C. What it answers: {http}/docs\n",
        "Next, in another terminal:\n",
        f"  curl '{http}/user/refund?partner_id={PARTNER}&token={TOKEN}' \\",
        f"    -H 'Content-Type: application/json' -d '{body}'\n",
        f"  {caisse} player show demo tester --db {db}\n",
        f"  {caisse} explain 585c1306f89c56f5ecfc2f5d --db {db}\n",
        f"  {caisse} audit --db {db}\n",
    ]


def _this_program() -> str:
    """How this program is called from here."""
    if shutil.which("caisse"):
        return "caisse"
    called = Path(sys.argv[0])
    return shlex.quote(str(called)) if called.name == "caisse" else f"{sys.executable} -m caisse"
