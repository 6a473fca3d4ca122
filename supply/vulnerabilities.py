"""What is publicly known against the locked versions: asked of OSV in one request.

    python -m supply.vulnerabilities

Needs the network, so it is no part of the suite. It tells OSV the names and versions of the locks, which are
public. Exit code 1: something is known; 2: OSV could not be asked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx2

from supply import locks
from supply.locks import Pin

OSV: Final = "https://api.osv.dev/v1/querybatch"
SECONDS: Final = 60.0
"""To wait for the answer; it takes a second or two."""


class NoAnswer(Exception):
    """Nothing is known, neither good nor bad."""


def question(pins: Sequence[Pin]) -> dict[str, Any]:
    """In OSV's form."""
    return {"queries": [{"package": {"purl": pin.purl}} for pin in pins]}


def known(pins: Sequence[Pin], answer: Mapping[str, Any]) -> list[str]:
    """A line for each weakness; NoAnswer if the answer does not fit the question."""
    results = answer.get("results")
    if not isinstance(results, list) or len(results) != len(pins):
        raise NoAnswer("the answer does not fit the question")
    return [
        f"{pin.name} {pin.version}: {weakness['id']}"
        for pin, result in zip(pins, results, strict=True)
        for weakness in (result or {}).get("vulns", [])
    ]


def ask(service: str, pins: Sequence[Pin]) -> list[str]:
    """All that is known against them; NoAnswer if the service does not say."""
    try:
        reply = httpx2.post(service, json=question(pins), timeout=SECONDS)
        reply.raise_for_status()
        return known(pins, reply.json())
    except (httpx2.HTTPError, ValueError) as error:
        raise NoAnswer(f"{service} gives no answer: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask for every lock's requirements at once."""
    parser = argparse.ArgumentParser(prog="make audit-deps", description=__doc__)
    parser.add_argument("--service", default=OSV, help="another address that speaks OSV's protocol")
    options = parser.parse_args(arguments)
    pins = sorted({pin.purl: pin for all_ in locks.read().values() for pin in all_}.values())
    try:
        found = ask(options.service, pins)
    except NoAnswer as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join([*found, f"{len(pins)} locked versions, {len(found)} known weaknesses"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
