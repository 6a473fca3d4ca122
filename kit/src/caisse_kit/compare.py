"""Two runs side by side: what got better, what got worse."""

from __future__ import annotations

from typing import NamedTuple

from caisse_kit.runner import Result, Run

NEVER = "unknown"


class Change(NamedTuple):
    """A check whose outcome is another one."""

    id: str
    before: str
    after: str
    severity: str
    message: str

    @property
    def worse(self) -> bool:
        """A failure that was none, or a check that passed and is not run any more."""
        return self.after == "failed" or self.before == "passed"


def changes(old: Run, new: Run) -> list[Change]:
    """In the order of the new run; checks that it no longer has come last."""
    before = {result.id: result for result in old.results}
    after = {result.id: result for result in new.results}
    names = [*after, *(name for name in before if name not in after)]
    found = (_change(name, before.get(name), after.get(name)) for name in names)
    return [change for change in found if change.before != change.after]


def _change(name: str, old: Result | None, new: Result | None) -> Change:
    shown = new or old
    return Change(
        name,
        old.outcome if old else NEVER,
        new.outcome if new else NEVER,
        shown.severity if shown else "",
        new.message if new else "",
    )
