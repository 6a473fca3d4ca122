"""Anchor files: written whole or not at all, and never over another file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from caisse.audit.history import Anchor
from caisse.cli import anchor
from caisse.cli.failures import Failed

ANN, BOB = (Anchor("demo", player, 3, bytes([n]) * 32) for n, player in enumerate(("ann", "bob")))


def test_two_audits_with_one_name_leave_one_whole_anchor_and_the_second_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "anchor"
    with anchor.Writing(path) as first, anchor.Writing(path) as second:
        first.stands(ANN)
        second.stands(ANN)
        second.stands(BOB)
        digest = first.keep()
        with pytest.raises(Failed, match="never overwritten"):
            second.keep()
    assert list(anchor.read(path)) == [ANN]
    assert digest in path.read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["anchor"]


def test_a_second_audit_that_gives_up_takes_nothing_from_the_first(tmp_path: Path) -> None:
    path = tmp_path / "anchor"
    with anchor.Writing(path) as first:
        first.stands(ANN)
        with anchor.Writing(path) as second:
            second.stands(BOB)
        first.stands(BOB)
        first.keep()
    assert list(anchor.read(path)) == [ANN, BOB]


@pytest.mark.parametrize("there", ["a file", "a link to nowhere", "a folder"])
def test_whatever_has_the_name_stays(tmp_path: Path, there: str) -> None:
    path = tmp_path / "anchor"
    with anchor.Writing(path) as writing:
        writing.stands(ANN)
        if there == "a file":
            path.write_text("precious")
        elif there == "a folder":
            path.mkdir()
        else:
            path.symlink_to(tmp_path / "nowhere")
        with pytest.raises(Failed, match="never overwritten"):
            writing.keep()
    assert (path.is_symlink(), path.is_dir()) == (there == "a link to nowhere", there == "a folder")
    assert not (tmp_path / "nowhere").exists()
    assert there != "a file" or path.read_text() == "precious"


def test_an_audit_that_was_killed_leaves_no_anchor_and_does_not_stop_the_next(tmp_path: Path) -> None:
    path = tmp_path / "anchor"
    script = (
        "import os, sys; from pathlib import Path; from caisse.cli import anchor\n"
        "from caisse.audit.history import Anchor\n"
        "with anchor.Writing(Path(sys.argv[1])) as writing:\n"
        "    writing.stands(Anchor('demo', 'ann', 3, bytes(32)))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, path], check=False).returncode == -9
    assert not path.exists()
    with anchor.Writing(path) as writing:
        writing.stands(ANN)
        writing.keep()
    assert list(anchor.read(path)) == [ANN]


def test_a_disk_that_is_full_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "anchor"
    with anchor.Writing(path) as writing:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, writing.fileno())
        os.close(full)
        writing.stands(ANN)
        with pytest.raises(Failed, match="cannot write the anchor"):
            writing.keep()
    assert list(tmp_path.iterdir()) == []
