"""Each peer at its best: its forms are tried before the rounds, and the fastest is taken."""

from __future__ import annotations

from typing import Any

from bench.contenders.contender import Contender, Task
from bench.contenders.inprocess import DjangoPeer
from bench.contenders.pgbench import Pgbench
from bench.contenders.textbook import Textbook
from bench.plan import Plan
from bench.results import Run


def search(contender: Contender, plan: Plan, run: Run) -> None:
    """Try all forms of a peer on refunds spread over players; caisse has one form, its defaults."""
    if not isinstance(contender, Textbook | DjangoPeer | Pgbench):
        return
    tried: list[tuple[float, Any]] = []
    for form in contender.forms:
        contender.form = form
        with contender.running() as running:
            rate = running.measure(Task("spread", 0, plan.warm, plan.search_seconds, plan.heads[0])).rate
        tried.append((rate, form))
    contender.form = max(tried)[1]
    told = "; ".join(f"{form}: {rate:,.0f} /s" for rate, form in tried)
    run.searches.append(f"{contender.name} ({told}); taken: {contender.form}")
