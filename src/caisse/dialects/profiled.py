"""The policy profiles that connections may have, their aliases held against the tables that serve them."""

from collections.abc import Mapping
from pathlib import Path

from caisse.core.policy import Policy
from caisse.dialects import seamless_v3_table, seamless_v4_table
from caisse.profiles.loading import profiles


def policies(folder: Path | None = None) -> Mapping[str, Policy]:
    """Our own and those of the operator's folder, by name. BadSettings names the file and key at fault."""
    return profiles(folder, field_names())


def field_names() -> frozenset[str]:
    """Every field that an alias may stand for."""
    endpoints = (*seamless_v4_table.ENDPOINTS, *seamless_v3_table.ENDPOINTS)
    return frozenset(name for endpoint in endpoints for name in endpoint.names)
