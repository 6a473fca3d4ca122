"""All harnesses by name: every module of these packages that has one."""

from __future__ import annotations

import importlib
import pkgutil

import tests.attacks
import tests.mutation
import tests.simulation
import tests.torture
from tests.torture.toolbox import Harness

WINGS = (tests.attacks, tests.mutation, tests.simulation, tests.torture)


def all_harnesses() -> dict[str, Harness]:
    """Name -> harness, in the order of their names."""
    found: dict[str, Harness] = {}
    for wing in WINGS:
        for name in [m.name for m in pkgutil.iter_modules(wing.__path__) if not m.name.startswith("__")]:
            module = importlib.import_module(f"{wing.__name__}.{name}")
            if hasattr(module, "HARNESS"):
                found[name] = module.HARNESS
    return dict(sorted(found.items()))
