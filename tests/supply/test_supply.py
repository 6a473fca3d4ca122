"""The supply chain: locks are read strictly.

That tampering is noticed, `tests/torture/supply_chain.py` tries.
"""

from __future__ import annotations

import pytest

from supply import locks
from supply.locks import BadLock, Pin

HASH = "0" * 64

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
