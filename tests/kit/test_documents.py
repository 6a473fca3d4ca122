"""The kit's documents are true: every check is listed, and the jobs for pipelines do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from caisse_kit.checks.all import CHECKS
from caisse_kit.cli.main import cli
from caisse_kit.wallets.door import Door
from caisse_kit.wallets.seamless import Wallet
from caisse_kit.wallets.server import served
from tests.docs.documents import blocks, text

JOBS = [block.text for block in blocks("kit/README.md", "yaml")]


def test_every_check_is_listed_as_it_is() -> None:
    listed = re.findall(r"^\| `[\w-]+\..+\|$", text("docs/kit/checks.md"), re.MULTILINE)
    assert listed == [
        f"| `{c.id}` | {c.severity} | {c.proves} | {c.money} | {c.rule} |" for c in CHECKS.values()
    ]


def test_every_command_is_listed() -> None:
    named = re.findall(r"^\| `caisse-kit ([\w-]+)", text("kit/README.md"), re.MULTILINE)
    assert sorted(named) == sorted(cli.commands)


@pytest.mark.parametrize("job", JOBS, ids=["github", "gitlab"])
def test_the_jobs_of_pipelines_run(job: str, tmp_path: Path) -> None:
    """Their command, on the same shell, against a right wallet; with fewer checks, and short waits."""
    (command,) = re.findall(r"- (?:run: )?(caisse-kit check .+)", job)
    with served(Door(Wallet())) as server:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-e", "-c", f"{command} --only betting"],
            cwd=tmp_path,
            env={"WALLET_URL": server.url, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"report.xml", "report.html", "report.json"}
    assert "a-test-key" not in done.stdout
