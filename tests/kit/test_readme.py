"""The kit's README lists the commands that there are."""

from __future__ import annotations

import re
from pathlib import Path

from caisse_kit.cli.main import cli

README = Path(__file__).resolve().parents[2] / "kit" / "README.md"


def test_every_command_is_listed() -> None:
    named = re.findall(r"^\| `caisse-kit ([\w-]+)", README.read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(cli.commands)
