"""The address of a PostgreSQL database, as libpq writes it: hosts, and parameters behind the question mark.

Each parameter is passed to the driver, done by caisse itself, or ignored for a stated reason. Any other one
is refused by name: the driver would send it to the server as a setting, and a pooler would refuse that.
"""

import os
import re
import ssl
from typing import Final
from urllib.parse import parse_qsl, urlencode

import msgspec

SCHEMES: Final = ("postgresql://", "postgres://")

PASSED: Final = frozenset(
    {
        *("user", "password", "passfile", "dbname", "service", "krbsrvname", "gsslib"),
        *("sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl", "sslnegotiation"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version"),
    }
)
"""Understood by the driver."""
DONE: Final = frozenset(
    {
        *("host", "port", "target_session_attrs", "connect_timeout", "channel_binding"),
        *("options", "application_name", "fallback_application_name"),
    }
)
"""Understood here."""
IGNORED: Final = {
    # Every wait of a server has a deadline of its own, so a dead host is noticed without these.
    "keepalives": None,
    "keepalives_idle": None,
    "keepalives_interval": None,
    "keepalives_count": None,
    "tcp_user_timeout": None,
    # All hosts are asked, and the primary is taken.
    "load_balance_hosts": None,
    # Always UTF-8.
    "client_encoding": None,
    # The driver does neither; who demands one of them is refused.
    "gssencmode": {"disable", "prefer"},
    "gssdelegation": {"0"},
    "sslcompression": {"0"},
    "sslsni": {"1"},
}
"""Without an effect -> the values for which that is true; None: any."""

ATTRIBUTES: Final = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")

_parts = re.compile(
    r"(?P<scheme>[a-z]+://)(?P<login>[^@/?#]*@)?(?P<hosts>[^/?#]*)(?P<path>[^?#]*)(?P<query>.*)", re.S
)

_setting = re.compile(r"\s*(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)(?=\s|$)", re.S)


class BadUrl(ValueError):
    """A database URL that cannot be used; the text says what would do, and repeats no password."""


class Conninfo(msgspec.Struct, frozen=True):
    """What a URL asks for."""

    hosts: dict[str, str]
    """Host as written -> the URL of this host alone, for the driver."""
    attributes: str
    """libpq's `target_session_attrs`."""
    seconds: float | None
    """Time limit to connect to one host; None: caisse's own."""
    application: str
    """`application_name`; empty if the URL has none."""
    settings: dict[str, str]
    """Of the server, by `options`; they are made after connecting."""
    startup: dict[str, str]
    """What is sent while connecting. Empty unless asked for: poolers refuse what they do not know."""
    tls: ssl.SSLContext | None
    """The server's certificate is checked against the system's authorities; None: as `sslmode` says."""


def parse(url: str) -> Conninfo:
    """BadUrl for what cannot be read, or is not understood."""
    found = _parts.fullmatch(url)
    if found is None or found["scheme"] not in SCHEMES:
        raise BadUrl("a PostgreSQL URL is postgresql://user@host/name")
    given = _parameters(found["query"])
    attributes = given.get("target_session_attrs") or os.environ.get("PGTARGETSESSIONATTRS") or "any"
    if attributes not in ATTRIBUTES:
        raise BadUrl(f"target_session_attrs is one of {', '.join(ATTRIBUTES)}")
    tls = _certificates(given)
    settings = _settings(given.get("options", ""))
    passed = {name: value for name, value in given.items() if name in PASSED}
    hosts = found["hosts"] or given.get("host") or os.environ.get("PGHOST", "")
    ports = "" if found["hosts"] else given.get("port", "")
    return Conninfo(
        hosts=_each_alone(found, hosts, ports, passed),
        attributes=attributes,
        seconds=_seconds(given.get("connect_timeout", "")),
        application=given.get("application_name") or given.get("fallback_application_name", ""),
        settings=settings or {},
        startup={"options": given["options"]} if settings is None else {},
        tls=tls,
    )


def _parameters(query: str) -> dict[str, str]:
    try:
        given = dict(parse_qsl(query[1:], keep_blank_values=True, strict_parsing=True)) if query[1:] else {}
    except ValueError:
        raise BadUrl("the parameters of the URL cannot be read: name=value, with & between them") from None
    for name, value in given.items():
        if name in IGNORED:
            values = IGNORED[name]
            if values is not None and value not in values:
                raise BadUrl(f"caisse's driver cannot do {name}={value}: only {' or '.join(sorted(values))}")
        elif name not in PASSED | DONE:
            raise BadUrl(
                f"the parameter {name!r} of the URL is not understood."
                " A setting of the server is written as options=-c%20name%3Dvalue"
            )
    return given


def _each_alone(found: re.Match[str], hosts: str, ports: str, passed: dict[str, str]) -> dict[str, str]:
    before, query = found["scheme"] + (found["login"] or ""), urlencode(passed)
    after = found["path"] + (f"?{query}" if query else "")
    if not hosts:
        return {"": before + after}
    names = hosts.split(",")
    numbers = ports.split(",") if ports else []
    if len(numbers) == 1:
        numbers *= len(names)
    if numbers and len(numbers) != len(names):
        raise BadUrl(f"{len(names)} hosts and {len(numbers)} ports: one port, or one for each host")
    alone = {}
    for at, name in enumerate(names):
        written = name if found["hosts"] else _in_authority(name)
        host = f"{written}:{numbers[at]}" if numbers else written
        alone[host] = before + host + after
    return alone


def _in_authority(host: str) -> str:
    """A host that stood behind the question mark: a folder of sockets, or IPv6 without brackets."""
    if host.startswith("/"):
        return host.replace("/", "%2F")
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


def _seconds(text: str) -> float | None:
    """As libpq: whole seconds; 0 or less is no limit, here caisse's own."""
    try:
        seconds = int(text or "0")
    except ValueError:
        raise BadUrl("connect_timeout is a whole number of seconds") from None
    return float(seconds) if seconds > 0 else None


def _settings(options: str) -> dict[str, str] | None:
    """Setting -> value; None if there is anything else, which a server or a host's gateway may know."""
    settings: dict[str, str] = {}
    at = 0
    while options[at:].strip():
        found = _setting.match(options, at)
        if found is None:
            return None
        settings[found[1].replace("-", "_")] = re.sub(r"\\(.)", r"\1", found[2])
        at = found.end()
    return settings


def _certificates(given: dict[str, str]) -> ssl.SSLContext | None:
    """Instead of channel binding, which the driver cannot do, the certificate proves who the server is.

    Changes what is passed on. None: as `sslmode` says.
    """
    binding = given.get("channel_binding", "prefer")
    if binding not in ("disable", "prefer", "require"):
        raise BadUrl("channel_binding is one of disable, prefer, require")
    root = given.get("sslrootcert", "")
    if root != "system" and binding != "require":
        return None
    if root not in ("", "system"):
        given["sslmode"] = "verify-full"
        return None
    for name in ("sslmode", "sslrootcert"):
        given.pop(name, None)
    context = ssl.create_default_context()
    if certificate := given.pop("sslcert", ""):
        secret = given.pop("sslpassword", "")
        try:
            context.load_cert_chain(certificate, given.pop("sslkey", None), lambda: secret)
        except OSError as error:
            raise BadUrl(f"sslcert of the URL cannot be used: {error}") from error
    return context
