"""All wrong wallets, and the table of what each breaks."""

from __future__ import annotations

from caisse_kit.wallets import (
    wrong_answers,
    wrong_form,
    wrong_keys,
    wrong_money,
    wrong_order,
    wrong_rollback,
    wrong_transfer,
)
from caisse_kit.wallets.mutant import MUTANTS

SOURCES = (wrong_money, wrong_rollback, wrong_order, wrong_keys, wrong_form, wrong_answers, wrong_transfer)
"""Importing them fills the table."""

__all__ = ["MUTANTS", "SOURCES"]
