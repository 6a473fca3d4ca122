"""All checks there are, by dialect, in the order in which they are run."""

from __future__ import annotations

from caisse_kit.check import AnyCheck
from caisse_kit.checks import (
    amounts,
    betting,
    concurrency,
    content,
    fields,
    malformed,
    order,
    players,
    policies,
    protocol,
    reading,
    repetition,
    results,
    rollback,
    security,
    timing,
    transfer,
    transfer_input,
)
from caisse_kit.target import SEAMLESS_DIALECTS

SEAMLESS_GROUPS = (
    *(reading, betting, results, rollback, order, repetition, concurrency, content),
    *(players, fields, amounts, malformed, protocol, timing, security, policies),
)
SEAMLESS: tuple[AnyCheck, ...] = tuple(check for group in SEAMLESS_GROUPS for check in group.group.checks)
TRANSFER_GROUPS = (transfer.money, transfer.keys, transfer.races, transfer_input.group)
TRANSFER: tuple[AnyCheck, ...] = tuple(check for group in TRANSFER_GROUPS for check in group.checks)
CHECKS = {check.id: check for check in (*SEAMLESS, *TRANSFER)}


def checks_for(dialect: str) -> tuple[AnyCheck, ...]:
    """Those of a dialect."""
    return SEAMLESS if dialect in SEAMLESS_DIALECTS else TRANSFER
