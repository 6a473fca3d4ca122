"""What each error of PostgreSQL proves about a batch, code by code."""

from __future__ import annotations

import asyncpg
import pytest

from caisse.store.api import BadData, Conflict, FateUnknown, Unavailable
from caisse.store.postgres.failures import commit_failed, reading_failed, uncommitted

LOST_RACES = {"40001": "serialization failure", "40P01": "deadlock", "23505": "unique violation"}
NOT_WRITTEN = {
    "0A000": "feature not supported",
    "25006": "read only, or a standby",
    "25P02": "in failed transaction",
    "26000": "no such prepared statement",
    "42501": "no right",
    "42P01": "no such table",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "54000": "program limit",
    "55P03": "lock not available",
    "P0001": "raised by a trigger",
}
UNKNOWN = {
    "57014": "query cancelled",
    "57P01": "ended by an administrator",
    "57P02": "crash of another session",
    "57P03": "cannot connect now",
    "08000": "connection exception",
    "08003": "connection does not exist",
    "08006": "connection failure",
    "40003": "completion unknown",
    "58000": "system error",
    "58030": "input/output error",
    "XX000": "internal error",
    "XX001": "data corrupted",
    "99999": "not known",
}


def error(code: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": code, "S": "ERROR", "M": f"error {code}"})


@pytest.mark.parametrize("code", UNKNOWN)
def test_in_a_commit_it_proves_nothing(code: str) -> None:
    assert type(commit_failed(error(code))) is FateUnknown


@pytest.mark.parametrize("cut", [ConnectionResetError("cut"), asyncpg.InterfaceError("cut"), TimeoutError()])
def test_a_lost_connection_in_a_commit_proves_nothing(cut: Exception) -> None:
    assert type(commit_failed(cut)) is FateUnknown
    assert type(uncommitted(cut)) is type(reading_failed(cut)) is Unavailable


@pytest.mark.parametrize("code", NOT_WRITTEN)
def test_a_statement_that_failed_as_a_whole_wrote_nothing(code: str) -> None:
    assert type(commit_failed(error(code))) is Unavailable


@pytest.mark.parametrize("code", [*UNKNOWN, *NOT_WRITTEN])
def test_before_a_commit_was_sent_nothing_is_written_whatever_happened(code: str) -> None:
    assert type(uncommitted(error(code))) is type(reading_failed(error(code))) is Unavailable


@pytest.mark.parametrize("code", LOST_RACES)
def test_a_lost_race_is_one_wherever_it_is_lost(code: str) -> None:
    for known in (reading_failed, uncommitted, commit_failed):
        assert type(known(error(code))) is Conflict


@pytest.mark.parametrize("code", ["22003", "22021", "22P02", "23502", "23514"])
def test_a_value_that_is_refused_is_bad_data(code: str) -> None:
    for known in (reading_failed, uncommitted, commit_failed):
        assert type(known(error(code))) is BadData
