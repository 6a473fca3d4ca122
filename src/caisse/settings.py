"""The settings of a server: one frozen value, read once from flags and the environment.

Every `CAISSE_…` variable is known here; an unknown one is an error, since a misspelt setting that is
silently ignored is a setting that is not in force.
"""

import re
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


_kubernetes: Final = (
    (r"CAISSE_(\w+_)?SERVICE_HOST", r"[0-9a-fA-F.:]+"),
    (r"CAISSE_(\w+_)?SERVICE_PORT(_\w+)?", r"[0-9]{1,5}"),
    (r"CAISSE_(\w+_)?PORT(_[0-9]+_(TCP|UDP|SCTP))?", r"(tcp|udp|sctp)://[0-9a-fA-F.:\[\]]+"),
    (r"CAISSE_(\w+_)?PORT_[0-9]+_(TCP|UDP|SCTP)_PROTO", r"tcp|udp|sctp"),
    (r"CAISSE_(\w+_)?PORT_[0-9]+_(TCP|UDP|SCTP)_PORT", r"[0-9]{1,5}"),
    (r"CAISSE_(\w+_)?PORT_[0-9]+_(TCP|UDP|SCTP)_ADDR", r"[0-9a-fA-F.:]+"),
)
"""What Kubernetes puts into a pod's environment for a service called caisse, or caisse-…: name and value."""


def is_kubernetes(name: str, value: str) -> bool:
    """Whether a variable says where a service of Kubernetes is, and so is no setting."""
    return any(
        re.fullmatch(of_name, name, re.ASCII) and re.fullmatch(of_value, value)
        for of_name, of_value in _kubernetes
    )


def refuse_unknown(environment: Mapping[str, str]) -> None:
    """BadSettings for a `CAISSE_…` variable that means nothing."""
    unknown = sorted(
        name
        for name, value in environment.items()
        if name.startswith("CAISSE_") and name not in VARIABLES and not is_kubernetes(name, value)
    )
    if unknown:
        known = ", ".join(VARIABLES)
        raise BadSettings(f"unknown setting {unknown[0]} in the environment; known are {known}")
