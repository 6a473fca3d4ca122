"""The settings of a server: one frozen value, read once from flags and the environment.

Every `CAISSE_…` variable is known here; an unknown one is an error, since a misspelt setting that is
silently ignored is a setting that is not in force.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

DEFAULT_DB: Final = "sqlite:///var/caisse.db"

VARIABLES: Final[Mapping[str, str]] = {
    "CAISSE_DB": "database URL: sqlite:///path/to/file or postgresql://user@host/name",
    "CAISSE_HOST": "address to listen on",
    "CAISSE_PORT": "port to listen on",
    "CAISSE_WRITERS": "database connections that commit side by side (PostgreSQL; SQLite has one)",
    "CAISSE_PROFILES": "folder with policy profiles of your own, one TOML file each",
    "CAISSE_CURRENCIES": "TOML file with currencies to add, change or remove",
    "CAISSE_PROXIES": "networks of the proxies whose X-Forwarded-For is believed, with commas between",
    "CAISSE_TOKEN": "a partner's token, for `partner add` and `partner token add`",
    "CAISSE_KEY": "a connection's key, for `connection add`",
}
"""Name -> meaning. The last two are secrets, read by the commands that are given one, never by the server."""


class BadSettings(ValueError):
    """A setting that cannot be; the text names it and says what would do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `caisse serve` runs with."""

    db: str = DEFAULT_DB
    host: str = "127.0.0.1"
    port: int = 8080
    writers: int = 2
    profiles: Path | None = None
    currencies: Path | None = None
    proxies: tuple[str, ...] = ()


def refuse_unknown(environment: Mapping[str, str]) -> None:
    """BadSettings for a `CAISSE_…` variable that means nothing."""
    unknown = sorted(name for name in environment if name.startswith("CAISSE_") and name not in VARIABLES)
    if unknown:
        known = ", ".join(VARIABLES)
        raise BadSettings(f"unknown setting {unknown[0]} in the environment; known are {known}")
