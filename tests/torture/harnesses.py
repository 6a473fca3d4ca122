"""All harnesses by name: every module of this package that has one."""

from __future__ import annotations

import importlib
import pkgutil

import tests.torture
from tests.torture.toolbox import Harness


def all_harnesses() -> dict[str, Harness]:
    """Name -> harness, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(tests.torture.__path__))
    modules = {n: importlib.import_module(f"tests.torture.{n}") for n in names if not n.startswith("__")}
    return {name: module.HARNESS for name, module in modules.items() if hasattr(module, "HARNESS")}
