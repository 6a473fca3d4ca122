"""The policy profiles that connections may have, checked against the tables that serve them."""

from collections.abc import Mapping
from pathlib import Path

from caisse.core.policy import Policy
from caisse.core.verdicts import Verdict
from caisse.dialects import seamless_v3_table, seamless_v4_table
from caisse.profiles.loading import Words, profiles


def policies(folder: Path | None = None) -> Mapping[str, Policy]:
    """Our own and those of the operator's folder, by name. BadSettings names the file and key at fault."""
    return profiles(folder, Words(field_names(), refusals()))


def field_names() -> frozenset[str]:
    """Every field that a further spelling may stand for."""
    endpoints = (*seamless_v4_table.ENDPOINTS, *seamless_v3_table.ENDPOINTS)
    return frozenset(name for endpoint in endpoints for name in endpoint.names)


def refusals() -> frozenset[str]:
    """Every verdict that has a code on edition 4; `unknown_bet` has a key of its own."""
    verdicts = {verdict for endpoint in seamless_v4_table.ENDPOINTS for verdict in endpoint.refusals}
    return frozenset(verdict.value for verdict in verdicts - {Verdict.UNKNOWN_BET})
