"""Options that several commands share, and what they become."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from rich.console import Console

from caisse_kit.target import DIALECTS, SEAMLESS_DIALECTS, Target, looks_like_production

TOKEN_VARIABLE = "CAISSE_KIT_TOKEN"  # noqa: S105 - its name
RESTART_SECONDS = 120
PIPE_COLUMNS = 240

TARGET_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("url"),
    click.option("--dialect", type=click.Choice(DIALECTS), default="seamless-v4", show_default=True),
    click.option("--provider", default="", help="The provider's name at this wallet (seamless)."),
    click.option("--user", default="", help="A test player with money in it (seamless)."),
    click.option("--second-user", default="", help="Another one, for checks with two players (seamless)."),
    click.option("--currency", default="", help="The players' currency, such as USD."),
    click.option("--game", default="kit-game", help="A game that the wallet accepts."),
    click.option("--session", default="kit-session", help="A session that it accepts."),
    click.option("--partner", default="", help="The partner's id (transfer)."),
    click.option(
        "--token",
        default="",
        help=f"The partner's token (transfer); - reads it from standard input. Better: {TOKEN_VARIABLE}.",
    ),
    click.option("--stake", default="1", show_default=True, help="What a bet of a check costs."),
    click.option("--timeout", default=10.0, help="How long the provider waits, in seconds; 10."),
    click.option("--production", is_flag=True, help="It is meant, although it looks like production."),
)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """All of them, in their order."""
    for option in reversed(TARGET_OPTIONS):
        command = option(command)
    return command


def target_of(given: dict[str, Any]) -> Target:
    """What the options say. Takes them out of `given`; raises UsageError for what does not fit together."""
    names = ("url", "dialect", "provider", "user", "second_user", "currency", "game", "session", "partner")
    named = {name: given.pop(name) for name in names}
    named["token"] = token_of(given.pop("token"))
    named["stake"] = stake_of(given.pop("stake"))
    named["timeout"] = given.pop("timeout")
    if not named["url"].startswith(("http://", "https://")):
        raise click.UsageError("the URL must begin with http:// or https://")
    needed = ("provider", "user", "currency")
    if named["dialect"] not in SEAMLESS_DIALECTS:
        needed = ("partner", "token", "currency")
    if missing := [f"--{name}" for name in needed if not named[name]]:
        raise click.UsageError(f"{named['dialect']} needs {', '.join(missing)}")
    if named["second_user"] and named["second_user"] == named["user"]:
        raise click.UsageError("--user and --second-user must be two players")
    if looks_like_production(named["url"]) and not given.pop("production"):
        raise click.UsageError(
            "this URL looks like production, and the kit moves money; for a test system, add --production"
        )
    given.pop("production", None)
    return Target(**named)


def token_of(text: str) -> str:
    """The token itself: as given, from standard input, or from the environment."""
    if text == "-":
        return sys.stdin.readline().strip()
    return text or os.environ.get(TOKEN_VARIABLE, "")


def stake_of(text: str) -> Decimal:
    """An amount above 0. Raises UsageError."""
    try:
        stake = Decimal(text)
    except InvalidOperation:
        stake = Decimal(0)
    if not stake.is_finite() or stake <= 0:
        raise click.UsageError("--stake must be an amount above 0")
    return stake


def restarter(command: str) -> Callable[[], None] | None:
    """What restarts the wallet: a line for the shell."""
    if not command:
        return None

    def restart() -> None:
        subprocess.run(command, shell=True, check=True, timeout=RESTART_SECONDS)  # noqa: S602 - the user's own

    return restart


def terminal() -> Console:
    """Where a command writes. A pipe gets whole lines, however long."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPE_COLUMNS, soft_wrap=True)
