"""The policy profiles that connections may have, checked against the tables that serve them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from caisse.core.policy import Policy
from caisse.core.verdicts import Verdict
from caisse.dialects.references import MANUALS
from caisse.dialects.wire.seamless import CODES
from caisse.dialects.wire.table import Endpoint
from caisse.profiles.reader import Words, profiles


def policies(folder: Path | None = None) -> Mapping[str, Policy]:
    """Our own and those of the operator's folder, by name. BadSettings names the file and key at fault."""
    return profiles(folder, Words(field_names(), refusals(), [str(code) for code in CODES]))


def _endpoints() -> Iterator[Endpoint]:
    """Those that a connection's profile has a say in."""
    return (endpoint for manual in MANUALS if manual.profiled for endpoint in manual.endpoints)


def field_names() -> frozenset[str]:
    """Every field that a further spelling may stand for."""
    return frozenset(name for endpoint in _endpoints() for name in endpoint.names)


def refusals() -> frozenset[str]:
    """Every verdict that may have a code of the operator's own; `unknown_bet` has a key of its own."""
    verdicts = {verdict for endpoint in _endpoints() for verdict in endpoint.refusals}
    return frozenset(verdict.value for verdict in verdicts - {Verdict.UNKNOWN_BET})
