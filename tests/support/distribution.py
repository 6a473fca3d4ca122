"""Programs that only a distribution has: found, installed where we are root, or named in one sentence."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
"""Debian's servers lie where only root looks."""
SECONDS = 300


class NotInstalled(Exception):
    """This machine lacks a package that the suite runs."""


def program(name: str) -> str:
    """The path of a program whose package has the same name. NotInstalled if it cannot be had."""
    found = shutil.which(name, path=PLACES) or _install(name)
    if found is None:
        raise NotInstalled(f"no {name} here: install the package {name}, the suite runs it")
    return found


def _install(name: str) -> str | None:
    apt = shutil.which("apt-get", path=PLACES)
    if apt is None or os.geteuid():
        return None
    with (Path(tempfile.gettempdir()) / "caisse-tests-install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if found := shutil.which(name, path=PLACES):
            return found
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", name]):
            subprocess.run(
                [apt, "--quiet", *words], env=env, check=False, capture_output=True, timeout=SECONDS
            )
    return shutil.which(name, path=PLACES)
