"""The machine and the versions, as the report prints them; and how long its disk takes to be sure."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import psutil

PACKAGES = (
    *("caisse", "asyncpg", "apsw", "msgspec", "uvloop", "httptools"),
    *("fastapi", "sqlalchemy", "uvicorn", "django", "django-hordak", "django-paystack-wallet", "psycopg"),
)
VOLATILE = {"tmpfs", "ramfs"}
SYNCS = 200


class NotADisk(Exception):
    """The folder for databases would not survive a power cut."""


def machine(folder: Path) -> dict[str, str]:
    """What it is."""
    cores = os.cpu_count() or 0
    return {
        "processor": f"{_processor()}, {cores} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "disk": f"{filesystem(folder)} for all databases",
        "load before": f"{os.getloadavg()[0]:.2f} processes ran in the last minute",
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Python's, and every contender's that is installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def filesystem(folder: Path) -> str:
    """The type of the file system a folder lies on. NotADisk if it lives in memory."""
    mounts = [m for m in psutil.disk_partitions(all=True) if folder.is_relative_to(m.mountpoint)]
    kind = max(mounts, key=lambda m: len(m.mountpoint)).fstype if mounts else "unknown"
    if kind in VOLATILE:
        raise NotADisk(f"{folder} is in memory ({kind}): set TMPDIR to a folder on a disk")
    return kind


def sync_seconds(folder: Path) -> float:
    """The median time of writing 8 KiB and making it durable, which every commit needs at least once."""
    path = folder / "sync"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    page, times = os.urandom(8192), []
    os.posix_fallocate(handle, 0, SYNCS * len(page))
    os.fsync(handle)
    for n in range(SYNCS):
        began = time.perf_counter()
        os.pwrite(handle, page, n * len(page))
        os.fdatasync(handle)
        times.append(time.perf_counter() - began)
    os.close(handle)
    path.unlink()
    return median(times)
