"""What a check is, and how one ends. Groups collect checks; nothing here sends anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

P = TypeVar("P")

SEAMLESS = "the provider's seamless pages and its senders' habits"
TRANSFER = "the provider's transfer pages"
HTTP = "RFC 9110 and RFC 8259"
PRACTICE = "faults that were seen in real wallets"


class Severity(StrEnum):
    """How much a failure weighs."""

    MUST = "MUST"
    """Money can be wrong, or the provider cannot work with the answer."""
    SHOULD = "SHOULD"
    """It costs retries, disputes or people's time."""
    INFO = "INFO"
    """Good to know."""


MUST, SHOULD, INFO = Severity


class Failed(Exception):
    """The wallet did not do what the check asks; the message says what was expected and what was seen."""


class NotRun(Exception):
    """The check does not apply to this wallet, or something that it needs was not given."""


@dataclass(frozen=True)
class Check(Generic[P]):
    """One claim about a wallet, and the play that proves or refutes it."""

    id: str
    proves: str
    """One sentence: what holds if it passes."""
    money: str
    """One sentence: what a failure means for the money."""
    rule: str
    """The rule of docs/rules.md that it tests, or a dash."""
    source: str
    severity: Severity
    needs: tuple[str, ...]
    """Options or methods without which it is not run."""
    play: Callable[[P], None]

    @property
    def group(self) -> str:
        return self.id.partition(".")[0]


class Group(Generic[P]):
    """Checks whose ids begin with one name."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.checks: list[Check[P]] = []

    def check(
        self,
        name: str,
        proves: str,
        money: str,
        rule: str = "-",
        *,
        severity: Severity = MUST,
        needs: str = "",
        source: str = "",
    ) -> Callable[[Callable[[P], None]], Callable[[P], None]]:
        """Register the function below as a check of this group."""

        def register(play: Callable[[P], None]) -> Callable[[P], None]:
            made = Check(
                id=f"{self.name}.{name}",
                proves=proves,
                money=money,
                rule=rule,
                source=source or self.source,
                severity=severity,
                needs=tuple(needs.split()),
                play=play,
            )
            self.checks.append(made)
            return play

        return register


AnyCheck = Check[Any]
