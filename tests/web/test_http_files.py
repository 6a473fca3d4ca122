"""Connections are files: a server takes no more of them than leave some for the rest of the process."""

from __future__ import annotations

import resource

import pytest

from caisse.web.server.exchange import Limits
from caisse.web.server.http import SPARE_FILES, affordable


@pytest.mark.parametrize(
    ("files", "asked", "taken"),
    [
        (4096, 100, 100),
        (4096, 4096 - SPARE_FILES, 4096 - SPARE_FILES),
        (4096, 20_000, 4096 - SPARE_FILES),
        (600, 20_000, 300),
        (resource.RLIM_INFINITY, 20_000, 20_000),
    ],
)
def test_connections_are_capped_at_the_files_less_a_spare(
    caplog: pytest.LogCaptureFixture, files: int, asked: int, taken: int
) -> None:
    assert affordable(Limits(connections=asked), files) == Limits(connections=taken)
    assert bool(caplog.records) == (taken < asked)
    if caplog.records:
        assert f"takes {taken} connections, not {asked}" in caplog.text
