"""Bare PostgreSQL: pgbench, prepared, one statement a refund or play; no HTTP, no rules, no answer.

The game's mix is the work that no ledger can do without: the balance, a journal row under a unique uuid, and
the round, which a bet begins and its result or rollback ends.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench.contenders.contender import Contender, Running, Task
from bench.load.drive import LoadFailed
from bench.load.heads import NONE
from bench.load.spec import ROLLBACKS
from bench.meter import Meter
from bench.results import Sample
from bench.workloads import AMOUNT, FUNDS, WIN
from bench.world import NotReady, World, durability

TABLES: Final = """
create table wallet (player bigint primary key, balance numeric not null check (balance >= 0))
    with (fillfactor = 70);
create table journal (
    id bigint generated always as identity primary key, uuid uuid not null unique, player bigint not null,
    amount numeric not null, balance numeric not null, at timestamptz not null default now(), round bigint
);
create table round (
    round bigint primary key, player bigint not null, stake numeric not null, won numeric,
    undone boolean not null default false
) with (fillfactor = 70);
"""
REFUND: Final = """
with paid as (
    update wallet set balance = balance - {amount} where player = :player and balance >= {amount}
    returning player, balance
)
insert into journal (uuid, player, amount, balance)
select gen_random_uuid(), player, -{amount}, balance from paid;
"""
BET: Final = """
with paid as (
    update wallet set balance = balance - {amount} where player = :player and balance >= {amount}
    returning player, balance
), opened as (
    insert into round (round, player, stake) select cast(:round as bigint), player, {amount} from paid
)
insert into journal (uuid, player, round, amount, balance)
select gen_random_uuid(), player, cast(:round as bigint), -{amount}, balance from paid;
"""
ENDED: Final = """
with ended as (
    update round set {how} where round = :past and won is null and not undone returning player, stake
), paid as (
    update wallet set balance = balance + {back} from ended where wallet.player = ended.player
    returning wallet.player, wallet.balance, {back} as back
)
insert into journal (uuid, player, round, amount, balance)
select gen_random_uuid(), player, cast(:past as bigint), back, balance from paid;
"""
MIX: Final = f"""
\\set n :n + 1
\\set round :base + :client_id * 1000000000 + :n
\\set past :round - :lag
{{player}}
{BET}
\\if :n > :lag
    \\set chance random(1, 100)
    \\if :chance <= {ROLLBACKS}
{ENDED.format(how="undone = true", back="stake")}
    \\else
{ENDED.format(how="won = {win}", back="{win}")}
    \\endif
\\else
    \\set round :round + 500000000
    {{player}}
{BET}
\\endif
"""
"""Two transactions: a bet, and the end of the round that this client began `lag` rounds ago. As long as there
is none, a second bet, that nothing follows: the order of `spec.py`."""
UNDER_WAY: Final = 1_000
"""Rounds that have begun and not ended, over all clients."""
BOOKS: Final = """
with moved as (select player, sum(amount) as moved from journal group by player),
    ends as (select round, sum(amount) as amount, count(*) from journal group by round)
select (select count(*) from journal), (
    select count(*) from wallet left join moved using (player) where balance <> {funds} + coalesce(moved, 0)
), (
    select count(*) from round left join ends using (round)
    where ends.amount is distinct from (case when undone then 0 else coalesce(won, 0) - stake end)
        or count <> (case when undone or won is not null then 2 else 1 end)
)
"""
"""Rows; wallets, and rounds, that are not what their rows add up to."""
PLAYER: Final = {"hot": "\\set player 0", "spread": "\\set player random(0, {last})"}
_count = re.compile(r"number of transactions actually processed: (\d+)").search
_failures = re.compile(r"number of failed transactions: (\d+)").search


@dataclass
class Clients(Running):
    """pgbench with a number of clients."""

    world: World
    db: str
    clients: int
    answered: list[int]
    """Of all runs so far."""

    def measure(self, task: Task) -> Sample:
        """See `Running.measure`."""
        if task.warm:
            self._run(task.workload, task.warm)
        meter = Meter({"database": [self.world.database.pid]})
        before, syncs = os.times(), self.world.syncs()
        answers = self._run(task.workload, task.seconds)
        after = os.times()
        own = after.children_user + after.children_system - before.children_user - before.children_system
        return Sample(
            contender="pgbench",
            workload=task.workload,
            heads=NONE,
            round=task.round,
            answers=answers,
            seconds=task.seconds,
            cpu={**meter.used(), "generator": own},
            syncs=self.world.syncs() - syncs,
            setup=f"{self.clients} clients",
        )

    def _run(self, workload: str, seconds: float) -> int:
        player = PLAYER["hot" if workload == "hot" else "spread"].format(last=self.world.players - 1)
        script = self.world.folder / "pgbench.sql"
        form = MIX if workload == "mix" else "{player}" + REFUND
        script.write_text(form.format(player=player, amount=AMOUNT, win=WIN))
        known = {"n": 0, "base": secrets.randbelow(2**27) << 36, "lag": UNDER_WAY // self.clients}
        defined = [f"-D{name}={value}" for name, value in known.items()]
        options = ["-n", "-M", "prepared", "-j", "2", "-c", str(self.clients), "-T", f"{max(seconds, 1):.0f}"]
        options += defined
        done = subprocess.run(
            [self.world.database.bin("pgbench"), *options, "-f", script, self.db],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 60,
        )
        found, failed = _count(done.stdout), _failures(done.stdout)
        if done.returncode or found is None or failed is None or int(failed[1]):
            raise LoadFailed(f"pgbench failed: {done.stdout}{done.stderr}")
        self.answered.append(int(found[1]) * (2 if workload == "mix" else 1))
        return self.answered[-1]


class Pgbench(Contender):
    """The measure that the issue sets: what the database alone can do, one transaction a refund."""

    name = "pgbench"
    about = "bare PostgreSQL: pgbench, prepared, one statement a refund or play; no HTTP, no rules, no answer"
    workloads = ("spread", "hot", "mix")
    http = False
    forms = (8, 16, 32)
    form = 32
    """The best in earlier searches; the full benchmark searches again."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.db = ""
        self.answered: list[int] = []

    def prepare(self) -> str:
        """The fast form: a primary key, a unique uuid, no foreign key."""
        self.db = self.world.database.create_database()
        self.world.sql(self.db, TABLES)
        self.world.sql(
            self.db,
            f"insert into wallet select n, {FUNDS} from generate_series(0, {self.world.players - 1}) as n",
        )
        self.world.sql(self.db, "vacuum analyze")
        return durability(self.world, self.db)

    @contextmanager
    def running(self) -> Iterator[Clients]:
        """One turn."""
        yield Clients(self.world, self.db, self.form, self.answered)

    def books(self) -> str:
        """See `Contender.books`. Each answer has its row, too."""
        rows, wallets, rounds = map(int, self.world.sql(self.db, BOOKS.format(funds=FUNDS)).split("|"))
        if (rows, wallets, rounds) != (sum(self.answered), 0, 0):
            raise NotReady(
                f"{rows} rows for {sum(self.answered)} answers; {wallets} wallets and {rounds} rounds are not"
                " what their rows add up to"
            )
        return "each answer has its row; every wallet and every round is what its rows add up to."
