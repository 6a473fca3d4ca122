"""One process of a Django peer: `set-up`, or a loop that takes jobs as lines of JSON and answers with lines.

`python -m bench.peers.django_worker PACKAGE URL PLAYERS [set-up FUNDS]`
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

from bench.load.spec import Spec, Step, steps
from bench.peers.django_app import OK, PEERS, REFUSED, REPEATED, start


def set_up(package: str, players: int, funds: str) -> None:
    """Tables and players."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    PEERS[package].fund(players, Decimal(funds))


def settings_in_force() -> str:
    """What this connection commits with."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select current_setting('fsync'), current_setting('synchronous_commit')")
        return "fsync={}, synchronous_commit={}".format(*cursor.fetchone())


def work(refund: Callable[[int, str, Decimal], str], job: dict[str, object]) -> dict[str, object]:
    """Book refunds one after another until the time is over; what is right depends on the workload."""
    kind, seconds = str(job["kind"]), float(str(job["seconds"]))
    order = "spread" if kind == "refusals" else kind
    made = Spec(kind=order, templates=[], expect=[], players=int(str(job["players"])), run=str(job["run"]))
    right = {REFUSED} if kind == "refusals" else {OK, REPEATED} if kind == "repeats" else {OK}
    amount, answers, wrong = Decimal(str(job["amount"])), 0, 0
    requests: Iterator[Step] = steps(made)
    began = now = time.perf_counter()
    while now - began < seconds:
        _, player, uuid, _ = next(requests)
        wrong += refund(player, uuid, amount) not in right
        answers += 1
        now = time.perf_counter()
    return {"answers": answers, "seconds": now - began, "wrong": wrong}


def main() -> None:
    """See the module's docstring."""
    package, url, players, *more = sys.argv[1:]
    start(url, PEERS[package].apps)
    if more:
        set_up(package, int(players), more[1])
        return
    refund = PEERS[package].refunds(int(players))
    print(settings_in_force(), flush=True)
    for line in sys.stdin:
        print(json.dumps(work(refund, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
