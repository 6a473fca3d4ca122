"""The tools of the supply chain: locks read strictly, a whole bill, an audit that says when it knows nothing.

That tampering is noticed, `tests/torture/supply_chain.py` tries.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from supply import locks, sbom, vulnerabilities
from supply.locks import BadLock, Pin
from supply.vulnerabilities import NoAnswer, known

HASH = "0" * 64
PIN = Pin("a-b", "1.0", "", (HASH,), ("caisse",))

BAD = [
    "a>=1",
    "a",
    "a==1.*",
    "-e .",
    "-r other.txt",
    "--index-url https://example.org/simple",
    "a @ https://example.org/a.whl",
    "git+https://example.org/a",
    f"a==1 --hash=md5:{HASH[:32]}",
    f"a==1 --hash=sha256:{HASH[:63]}",
    f"a==1 --hash=sha256:{HASH} --no-deps",
]


@pytest.mark.parametrize("line", BAD)
def test_a_lock_holds_exact_versions_and_nothing_else(line: str) -> None:
    with pytest.raises(BadLock):
        list(locks.pins(line + "\n"))


def test_a_requirement_is_read_with_all_that_stands_by_it() -> None:
    text = (
        "# made by somebody\n"
        f"A_b[x]==1.0 ; python_version < '3.12' \\\n    --hash=sha256:{HASH} \\\n    --hash=sha256:{HASH}\n"
        "    # via\n    #   -c requirements/run.lock\n    #   other\n    #   caisse (pyproject.toml:dev)\n"
        "c==2\n    # via a-b\n"
    )
    assert list(locks.pins(text)) == [
        Pin("a-b", "1.0", "python_version < '3.12'", (HASH, HASH), ("other", "caisse")),
        Pin("c", "2", "", (), ("a-b",)),
    ]
    assert locks.unhashed({"x.lock": locks.pins(text)}) == ["x.lock: c has no hash"]


def test_every_lock_is_read() -> None:
    assert {"run.lock", "dev.lock", "build.lock"} <= locks.read().keys()
    assert all(pins for pins in locks.read().values())


def test_the_bill_has_what_the_format_requires_and_is_the_same_each_time() -> None:
    pins = locks.read()[locks.RUN]
    made = sbom.bom(pins, "1.2.3")
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert made["serialNumber"].startswith("urn:uuid:")
    assert made["metadata"]["component"]["version"] == "1.2.3"
    assert sbom.faults(made, pins) == []
    assert sbom.bom(pins, "1.2.3") == made
    assert sbom.bom(pins, "1.2.4")["serialNumber"] != made["serialNumber"]


def test_the_bill_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbom, "ROOT", tmp_path)
    monkeypatch.setattr(sbom, "TARGET", tmp_path / "dist" / "sbom.json")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9"\n')
    assert sbom.main() == 0
    told = json.loads((tmp_path / "dist" / "sbom.json").read_text())
    assert len(told["components"]) == len(locks.read()[locks.RUN])


def test_what_is_known_is_told_by_name_and_version() -> None:
    answer = {"results": [{"vulns": [{"id": "X-1", "modified": "…"}, {"id": "X-2"}]}, {}]}
    assert known([PIN, PIN], answer) == ["a-b 1.0: X-1", "a-b 1.0: X-2"]


@pytest.mark.parametrize("answer", [{}, {"results": []}, {"results": [{}, {}]}, {"results": "none"}])
def test_an_answer_that_does_not_fit_is_none(answer: dict[str, Any]) -> None:
    with pytest.raises(NoAnswer):
        known([PIN], answer)


@contextmanager
def service(status: int, weak: str) -> Iterator[str]:
    """A stand-in for OSV on this machine, which knows something against one package."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
            told = [{"vulns": [{"id": "X-1"}]} if weak in q["package"]["purl"] else {} for q in asked]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps({"results": told}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "weak", "code"), [(200, "pkg:pypi/msgspec@", 1), (200, "nothing", 0), (500, "nothing", 2)]
)
def test_the_audit_ends_with_what_it_found(
    status: int, weak: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with service(status, weak) as url:
        assert vulnerabilities.main(["--service", url]) == code
    assert ("msgspec" in capsys.readouterr().out) is (code == 1)


def test_who_cannot_ask_knows_nothing() -> None:
    assert vulnerabilities.main(["--service", "http://127.0.0.1:1"]) == 2


CHOICES = [
    ({"python3": "200"}, "python3"),
    ({"python3": "200", "python3.13": "150"}, "python3.13"),
    ({"python3": "200", "python3.13": "190"}, "python3"),
    ({"python3": "200", "python3.14": "150", "python3.12": "100"}, "python3.12"),
    ({"python3": "", "python3.11": "200"}, "python3.11"),
]


@pytest.mark.parametrize(("paces", "chosen"), CHOICES)
def test_make_works_with_a_clearly_quicker_python(paces: dict[str, str], chosen: str, tmp_path: Path) -> None:
    """Programs under Python's names tell a pace, in hundredths of what any real one has; "": they fail."""
    for name, pace in paces.items():
        told = f"echo {int(pace) / 100}" if pace else "exit 1"
        (tmp_path / name).write_text(f"#!/bin/sh\n{told}\n")
        (tmp_path / name).chmod(0o755)
    script = Path(__file__).parents[2] / "supply" / "python.sh"
    found = subprocess.run(
        ["/bin/sh", script],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == chosen


def test_a_pace_is_nanoseconds() -> None:
    pace = Path(__file__).parents[2] / "supply" / "pace.py"
    told = subprocess.run([sys.executable, pace], capture_output=True, text=True, check=True).stdout
    assert 10 < int(told) < 100_000
