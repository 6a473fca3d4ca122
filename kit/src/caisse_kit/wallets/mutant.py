"""What a mutant is: a right wallet with one method changed, and the checks that must notice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from caisse_kit.wallets.door import Door
from caisse_kit.wallets.seamless import Wallet
from caisse_kit.wallets.server import Handles
from caisse_kit.wallets.transfer import Api

C = TypeVar("C", bound=type)


class Mutant(NamedTuple):
    """A wallet that is wrong in one way."""

    name: str
    wrong: str
    """What it does."""
    checks: tuple[str, ...]
    """The checks that are meant for it; others may notice, too."""
    make: Callable[[], Handles]
    profile: str
    """The policy that it is to be held against."""

    @property
    def dialect(self) -> str:
        return "transfer" if self.checks[0].startswith("transfer-") else "seamless-v4"


MUTANTS: dict[str, Mutant] = {}


def fails(*checks: str) -> Callable[[C], C]:
    """Register the class below: its name in small letters, its docstring, and how it is served."""

    def register(made: C) -> C:
        profile = getattr(made, "profile", "lucky-monaco-v4")
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", made.__name__).lower()
        MUTANTS[name] = Mutant(name, (made.__doc__ or "").strip(), checks, maker(made), profile)
        return made

    return register


def maker(made: type) -> Callable[[], Handles]:
    """How to make what serves the class: a wallet behind the right door, a wrong door, or a transfer API."""
    if issubclass(made, Wallet):
        return lambda: Door(made())
    if issubclass(made, Door):
        return lambda: made(Wallet())
    if issubclass(made, Api):
        return made
    raise TypeError(made)
