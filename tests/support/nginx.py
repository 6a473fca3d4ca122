"""What every configuration of nginx has here: one process in the foreground, all its files in one folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def configuration(folder: Path, http: str, main: str = "", events: str = "") -> str:
    """What nginx reads: lines of its own for each of the three contexts."""
    user = "" if os.geteuid() else "user root;"  # else its workers could not enter the folder
    kinds = ("body", "proxy", "fastcgi", "uwsgi", "scgi")
    names = ("client_body", *kinds[1:])
    places = "\n".join(
        f"    {name}_temp_path {folder}/{kind};" for name, kind in zip(names, kinds, strict=True)
    )
    head = f"daemon off;\npid {folder}/nginx.pid;\nerror_log stderr warn;\n{user}\n{main}"
    return f"{head}\nevents {{ {events} }}\nhttp {{\n{places}\n{http}\n}}\n"


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
