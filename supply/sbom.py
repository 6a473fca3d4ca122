"""The bill of materials: CycloneDX 1.6 as JSON, made from the lock alone, and the same whenever it is made.

    python -m supply.sbom            into dist/sbom.json

It lists the Python packages that `pip` installs for caisse. What these bring inside their wheels (SQLite in
apsw, llhttp in httptools, libuv in uvloop) has no line of its own.
"""

from __future__ import annotations

import json
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from supply import locks
from supply.locks import Pin

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "dist" / "sbom.json"
OURSELVES: Final = "caisse"

Bom = dict[str, Any]


def bom(pins: Sequence[Pin], version: str) -> Bom:
    """Of caisse in this version, with these parts."""
    ours = {"type": "application", "bom-ref": OURSELVES, "name": OURSELVES, "version": version}
    ours["licenses"] = [{"license": {"id": "Apache-2.0"}}]  # type: ignore[assignment]
    parts = [_component(pin) for pin in pins]
    made: Bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": parts,
        "dependencies": list(_dependencies(pins)),
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(made, sort_keys=True))
    return {**made, "serialNumber": f"urn:uuid:{number}"}


def _component(pin: Pin) -> Bom:
    hashes = [{"alg": "SHA-256", "content": content} for content in pin.hashes]
    made = {"type": "library", "bom-ref": pin.purl, "name": pin.name, "version": pin.version}
    made |= {"purl": pin.purl, "scope": "optional" if pin.marker else "required"}
    files = {"type": "distribution", "url": pin.purl, "hashes": hashes}
    marker = [{"name": "python:marker", "value": pin.marker}] if pin.marker else []
    return {**made, "externalReferences": [files], **({"properties": marker} if marker else {})}


def _dependencies(pins: Sequence[Pin]) -> Iterator[Bom]:
    refs = {OURSELVES: OURSELVES, **{pin.name: pin.purl for pin in pins}}
    for name, ref in refs.items():
        yield {"ref": ref, "dependsOn": [pin.purl for pin in pins if name in pin.via]}


def faults(made: Bom, pins: Iterable[Pin]) -> list[str]:
    """What the format requires and is not there, and parts that are missing or made up."""
    wanted = {pin.purl for pin in pins}
    found = [f"no {key}" for key in ("bomFormat", "specVersion", "components") if key not in made]
    parts = made.get("components", [])
    found += [
        f"{c.get('purl')}: no {key}" for c in parts for key in ("type", "name", "version") if key not in c
    ]
    found += [f"{c.get('purl')}: no hash" for c in parts if not _hashes(c)]
    listed = [c.get("purl") for c in parts]
    found += [f"{purl} is missing" for purl in sorted(wanted - set(listed))]
    found += [f"{purl} is not locked" for purl in sorted(set(listed) - wanted, key=str)]
    refs = {OURSELVES, *(c.get("bom-ref") for c in parts)}
    edges = [ref for d in made.get("dependencies", []) for ref in (d["ref"], *d["dependsOn"])]
    found += [f"a dependency on {ref}, which is not listed" for ref in sorted(set(edges) - refs)]
    return found + _unreached(made)


def _hashes(component: Bom) -> list[object]:
    return [h for reference in component.get("externalReferences", []) for h in reference.get("hashes", [])]


def _unreached(made: Bom) -> list[str]:
    """Parts that nothing needs: then the graph of who needs whom was not read rightly."""
    needs = {d["ref"]: d["dependsOn"] for d in made.get("dependencies", [])}
    reached, todo = set[str](), [OURSELVES]
    while todo:
        ref = todo.pop()
        todo += [other for other in needs.get(ref, []) if other not in reached]
        reached.add(ref)
    return [f"nothing needs {ref}" for ref in sorted(set(needs) - reached)]


def version() -> str:
    """Ours."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def main() -> int:
    """Write it, if it is whole."""
    pins = locks.read()[locks.RUN]
    made = bom(pins, version())
    wrong = faults(made, pins)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(made, indent=2) + "\n", "utf-8")
    print(f"{len(pins)} components in {TARGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
