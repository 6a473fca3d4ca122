"""A model of the rules against both engines: every answer, balance and log row of random lives is foretold.

Hypothesis draws the commands, and makes a failing life as short as it can. What a round of this plays are
some lives, each with players, rounds and references of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given
from hypothesis.errors import Flaky

from tests.attacks import doors
from tests.attacks.doors import TIME, Body, Command
from tests.support.rig import House
from tests.support.server import Answer, Call, packed
from tests.torture.backstage import until_numbered
from tests.torture.lives import BIRTH, Step, lives, whole
from tests.torture.naive import Naive
from tests.torture.toolbox import NEITHER, Harness, Run

LIVES = 8
"""Of one round."""
LOG_PAGE = 1_000
_is_time = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").fullmatch

GIVES_BACK_SETTLED = """
from caisse.core.book import Round

Round.settled = lambda self, bet: False
"""
TAKES_LATE_BETS = """
from caisse.core.rules import decide, play
from caisse.core.entries import Kind
from caisse.core.requests import Bet
from caisse.core.rules.drafting import write
from caisse.core.verdicts import Verdict

def bet(r, book, policy, now):
    right = play.bet(r, book, policy, now)
    if right.rule != "R23" or not right.rows or right.row.balance < r.amount:
        return right
    fields = {"currency": r.currency, "asked": r.amount, "key": right.row.key}
    return write(r, book.player_of(r), now, Kind.BET, Verdict.OK, "R40", **fields)

decide.DECIDERS[Bet] = bet
"""
GIVES_BACK_ANYTHING = """
from caisse.core.rules import decide, rollbacks
from caisse.core.entries import Kind
from caisse.core.requests import Rollback
from caisse.core.rules.drafting import write
from caisse.core.verdicts import Verdict

def rollback(r, book, policy, now):
    right = rollbacks.rollback(r, book, policy, now)
    if right.verdict is not Verdict.REFUND_AMOUNT:
        return right
    bet = book.entries[r.partner, r.bet_key]
    fields = {"currency": bet.currency, "asked": r.amount, "round": bet.round, "game": bet.game}
    return write(r, book.player_of(r), now, Kind.ROLLBACK, Verdict.OK, "R20", **fields)

decide.DECIDERS[Rollback] = rollback
"""
PAYS_WITHOUT_BET = """
import msgspec
from caisse.core.rules import decide, play
from caisse.core.requests import Result

decide.DECIDERS[Result] = lambda r, *rest: play.result(msgspec.structs.replace(r, free_round=True), *rest)
"""
LOSES_DIGITS = """
import sys
from caisse.core import money

real = money.show
if any(text.startswith("postgres") for text in sys.argv):
    money.show = lambda amount: real(amount - amount % 10**3)
"""


class Foretold(AssertionError):
    """An answer that was not the one foretold; or two engines that disagree."""


class World:
    """The same house on both engines, and the model."""

    def __init__(self, run: Run) -> None:
        sqlite = run.house(db=f"sqlite:///{run.new_folder()}/caisse.db")
        self.houses = [sqlite, run.house(db=run.postgres.create_database())]
        for house in self.houses:
            run.infect(house)
            house.server.start()
        self.model = Naive()
        self.seen: Counter[str] = Counter()
        self._lives = 0
        self._ids: list[dict[object, int]] = []

    def live(self, steps: list[Step]) -> None:
        """One life, and at its end a look at everybody in it."""
        self._lives += 1
        self._ids = [{} for _ in range(3)]
        played = whole(steps, self._lives)
        for n, command in enumerate(played):
            if difference := self._differs(command):
                life = "\n    ".join(str(command) for command in played[len(BIRTH) : n + 1])
                raise Foretold(f"{difference}\n  after\n    {life}")

    def _differs(self, command: Command) -> str:
        """Ask both engines and the model."""
        if command.endpoint == "person":
            return self._freeze(command)
        said = doors.said(self.model, command)
        self.seen[said.word] += 1
        foretold = self._plain(doors.answer(self.model, command, said), 2)
        sqlite, postgres = (
            self._heard(house.send(doors.call(house, command)), n) for n, house in enumerate(self.houses)
        )
        if sqlite != postgres:
            return f"SQLite: {sqlite}\n  PostgreSQL: {postgres}"
        if "description" not in foretold:
            sqlite.pop("description", None)
        return "" if sqlite == foretold else f"answered: {sqlite}\n  foretold ({said.word}): {foretold}"

    def _freeze(self, command: Command) -> str:
        user = str(command.fields["user"])
        if user in self.model.players:
            doors.said(self.model, command)
            for house in self.houses:
                house.freeze(user, command.verb == "freeze")
        return ""

    def _heard(self, answer: Answer, engine: int) -> Body:
        if answer.status != 200:
            return {"status": answer.status, "body": answer.raw}
        return self._plain(answer.body, engine)

    def _plain(self, body: Body, who: int) -> Body:
        """Transaction ids become numbers, in the order in which they were first told; times are all alike."""
        ids = self._ids[who]
        plain = {name: TIME if isinstance(v, str) and _is_time(v) else v for name, v in body.items()}
        if "transactionId" in plain:
            plain["transactionId"] = ids.setdefault(plain["transactionId"], len(ids) + 1)
        return plain

    def log(self) -> Iterator[str]:
        """What was not foretold of the slot log of both engines, each player's and the partner's (R57).

        A player's rows come in the order of the money; between players no order is promised.
        """
        for house in self.houses:
            until_numbered(house.db)
            for user in ("", *dict.fromkeys(user for user, _ in self.model.log)):
                foretold = [row for owner, row in self.model.log if user in ("", owner)]
                yield from _log_differences(house, user, foretold)


def _log_differences(house: House, user: str, foretold: list[list[str]]) -> Iterator[str]:
    engine, log = house.db.partition(":")[0], _log(house, user)
    if [row[0] for row in log] != list(range(len(log))):
        yield f"slot log of {user or 'all'} on {engine}: its indexes are not 0, 1, 2 …"
    shown = [row[1:] for row in log]
    for was, row in zip_longest(*((shown, foretold) if user else (sorted(shown), sorted(foretold)))):
        if was != row:
            yield f"slot log of {user or 'all'} on {engine}: {was}, foretold: {row}"


def _log(house: House, user: str) -> list[Any]:
    """All rows of the partner's log by one edition, or of a player's by the other."""
    rows: list[Any] = []
    while True:
        page = {"start": len(rows), "limit": LOG_PAGE, "uuid": "00000000-0000-4000-8000-000000000000"}
        partner = house.partner
        own = {"secureLogin": partner.id, "token": partner.token, "userId": user, **page}
        answer = house.send(Call("/GetSlotLog", packed(own)) if user else partner.log(page))
        if not answer.body.get("logs"):
            return rows
        rows += answer.body["logs"]


def _hypothesis(run: Run, live: Callable[[list[Step]], None]) -> None:
    """Some lives. A planted bug need not be made small: it is known."""
    phases = (Phase.generate,) if run.plant else (Phase.generate, Phase.shrink)
    settings = hypothesis.settings(
        max_examples=LIVES,
        phases=phases,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    test = settings(given(lives)(live))
    hypothesis.seed(run.chance.getrandbits(64))(test)()


def attack(run: Run) -> None:
    """Live, compare, audit."""
    world = World(run)
    for _ in run.rounds():
        try:
            _hypothesis(run, world.live)
        except (Foretold, Flaky) as difference:
            run.find(str(difference) if isinstance(difference, Foretold) else repr(difference))
        else:
            run.find(*world.log())
    run.saw("commands", world.seen.total())
    run.saw("kinds of verdict", len(world.seen))
    for house in world.houses:
        house.server.stop()
        if not run.findings:
            run.audit(house.db)


HARNESS = Harness(
    claim="both engines answer every request, to the last field, as a naive model of the rules foretells",
    attack=attack,
    engines=(NEITHER,),
    rounds=1,
    plants={
        "gives back a settled bet": GIVES_BACK_SETTLED,
        "takes the money of a late bet": TAKES_LATE_BETS,
        "gives back as much as is asked for": GIVES_BACK_ANYTHING,
        "pays a result without a bet": PAYS_WITHOUT_BET,
        "loses the last digits, on PostgreSQL only": LOSES_DIGITS,
    },
    faultless=True,
)
