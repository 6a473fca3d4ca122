"""Options and arguments that several commands share, and the types that check them.

A message about a secret never repeats it.
"""

import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from caisse.settings import DEFAULT_DB, Settings, is_kubernetes
from caisse.store import opening

F = TypeVar("F", bound=Callable[..., Any])

_authority = re.compile(r"[a-z]+://(?:[^/?#]*@)?(?P<hosts>[^/?#]*)").match
_host = re.compile(r"(?:\[[^\]/]+\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?").fullmatch
_control = re.compile(r"[\x00-\x1f\x7f-\x9f]").search
_password = re.compile(r"(?<=://)([^:/?]*):.*@|(?<=password=)[^&]*")

MAX_PORT: Final = 65_535


def masked(url: str) -> str:
    """A database URL as it may be shown."""
    return _password.sub(lambda found: f"{found[1]}:***@" if found[1] is not None else "***", url)


def _hosts_are_well_spelled(url: str) -> bool:
    found = _authority(url)
    hosts = [_host(host) for host in found["hosts"].split(",")] if found else []
    return all(host and int(host["port"] or 0) <= MAX_PORT for host in hosts)


class Checked(click.ParamType[str]):
    """Text that a function accepts, changed or not, or refuses with ValueError."""

    def __init__(self, name: str, check: Callable[[str], str]) -> None:
        self.name = name
        self._check = check

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Click's hook."""
        try:
            return self._check(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _database_url(text: str) -> str:
    if opening.sqlite_path(text) is None and not _hosts_are_well_spelled(text):
        raise ValueError(
            "the host or port of the URL cannot be read; write special characters of a password as %XX"
        )
    return text


def _partner_id(text: str) -> str:
    if not 0 < len(text) <= 32 or not text.isprintable() or " " in text or ":" in text:
        raise ValueError("a partner's id is 1 to 32 printable characters, without spaces and colons")
    return text


def _provider_id(text: str) -> str:
    lower = text.lower()
    if not re.fullmatch(r"[a-z0-9_.-]{1,32}", lower):
        raise ValueError("a provider's id is 1 to 32 letters, digits, '_', '.' or '-'")
    return lower


def _game_id(text: str) -> str:
    if not 0 < len(_any_id(text)) <= 128 or _control(text):
        raise ValueError("a game's id is 1 to 128 characters, none of them a control character")
    return text


def _words(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= 200 or not text.isprintable():
        raise ValueError("it must be 1 to 200 printable characters, without line breaks")
    return text


def _any_id(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("this is not UTF-8") from None
    return text


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("not a network such as 203.0.113.0/24, 203.0.113.7 or 2001:db8::/32") from None


class Networks(click.ParamType[tuple[str, ...]]):
    """Networks with commas between; not every address there is."""

    name = "cidr,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Click's hook."""
        if isinstance(value, tuple):
            return value
        networks = tuple(NETWORK.convert(part.strip(), param, ctx) for part in value.split(",") if value)
        if any(network.endswith("/0") for network in networks):
            self.fail("a /0 network trusts every address: any caller could forge its own", param, ctx)
        return networks


DATABASE: Final = Checked("url", _database_url)
PARTNER: Final = Checked("partner", _partner_id)
PROVIDER: Final = Checked("provider", _provider_id)
ANY_ID: Final = Checked("id", _any_id)
GAME: Final = Checked("game", _game_id)
WORDS: Final = Checked("text", _words)
NETWORK: Final = Checked("cidr", _network)


class PortOption(click.Option):
    """`--port`, whose variable Kubernetes sets to `tcp://…` for a service called caisse."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Click's hook."""
        value = super().resolve_envvar_value(ctx)
        return None if value and is_kubernetes("CAISSE_PORT", value) else value


database: Final = click.option(
    "--db",
    "url",
    type=DATABASE,
    envvar="CAISSE_DB",
    default=DEFAULT_DB,
    show_default=True,
    show_envvar=True,
    help="Database: sqlite:///path/to/file or postgresql://user@host/name.",
)

as_json: Final = click.option(
    "--json", "as_json", is_flag=True, help="Answer in JSON, for programs, on standard output."
)

token: Final = click.option(
    "--token",
    envvar="CAISSE_TOKEN",
    show_envvar=True,
    help="The token; '-' reads it from standard input. Without it a random one is made.",
)

profiles: Final = click.option(
    "--profiles",
    type=click.Path(path_type=Path),
    envvar="CAISSE_PROFILES",
    show_envvar=True,
    metavar="DIR",
    help="Folder with policy profiles of your own, one TOML file each.",
)

currencies: Final = click.option(
    "--currencies",
    type=click.Path(path_type=Path),
    envvar="CAISSE_CURRENCIES",
    show_envvar=True,
    metavar="FILE",
    help="TOML file with currencies to add, change or remove.",
)

_defaults: Final = Settings()

_serving: Final = (
    database,
    click.option(
        "--host",
        envvar="CAISSE_HOST",
        default=_defaults.host,
        show_default=True,
        show_envvar=True,
        help="Address to listen on.",
    ),
    click.option(
        "--port",
        cls=PortOption,
        type=click.IntRange(0, MAX_PORT),
        envvar="CAISSE_PORT",
        default=_defaults.port,
        show_default=True,
        show_envvar=True,
        help="Port to listen on; 0 takes a free one.",
    ),
    click.option(
        "--writers",
        type=click.IntRange(1, 64),
        envvar="CAISSE_WRITERS",
        default=_defaults.writers,
        show_default=True,
        show_envvar=True,
        help="Database connections that commit in parallel (PostgreSQL; SQLite has one).",
    ),
    profiles,
    currencies,
    click.option(
        "--proxies",
        type=Networks(),
        envvar="CAISSE_PROXIES",
        default=_defaults.proxies,
        show_envvar=True,
        metavar="CIDR,…",
        help="Proxies whose X-Forwarded-For is believed; without it none is.",
    ),
)


def serving(command: F) -> F:
    """All options that say how a server runs."""
    for option in reversed(_serving):
        command = option(command)
    return command
