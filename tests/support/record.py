"""The client's own record, and the load that writes it: the oracle of the crash and shutdown tests.

An intent is written down before it is sent; its answers are added as they come. Afterwards the record alone
says what every balance must be. It knows nothing of the server but the protocol.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from caisse.core.money import parse, show
from tests.support.crowd import CLIENTS, Line, Lost, sent
from tests.support.rig import House, new_id
from tests.support.server import Answer, Call, Server

Kind = Literal["charge", "withdraw", "bet", "result", "rollback"]

FUNDS: Final = "50.0"
REPEATS: Final = 0.1
"""Share of requests that were sent before, by another client: it did not wait for the answer."""


def amount_of(text: str) -> int:
    parsed = parse(text)
    assert parsed is not None, text
    return parsed


@dataclass(eq=False)
class Intent:
    """One request: written down before it is sent the first time."""

    kind: Kind
    user: str
    amount: int
    call: Call
    key: str
    """What it is one of: a uuid, or a kind and a reference."""
    bet: Intent | None = None
    """The bet that a result or rollback is about."""
    answers: list[Answer] = field(default_factory=list)
    """Every verdict it got; empty: its fate is unknown."""

    @property
    def took(self) -> bool:
        return bool(self.answers) and self.answers[0].code == 0


class Record:
    """Intents and answers of some players' whole life since they were funded."""

    def __init__(self, players: Mapping[str, int]) -> None:
        self.players = dict(players)
        self.intents: list[Intent] = []
        self.bets: list[Intent] = []
        self.told_to_retry = 0

    def write(self, intent: Intent) -> Intent:
        self.intents.append(intent)
        if intent.kind == "bet":
            self.bets.append(intent)
        return intent

    @property
    def unknown(self) -> list[Intent]:
        return [intent for intent in self.intents if not intent.answers]

    @property
    def verdicts(self) -> int:
        return sum(len(intent.answers) for intent in self.intents)

    def expected(self) -> dict[str, int]:
        """Each player's balance, from the answers alone."""
        balances = dict(self.players)
        given_back: set[Intent] = set()
        for intent in filter(lambda i: i.took, self.intents):
            if intent.kind in ("charge", "result"):
                balances[intent.user] += intent.amount
            elif intent.kind in ("withdraw", "bet"):
                balances[intent.user] -= intent.amount
            elif intent.bet is not None and intent.bet.took and intent.bet not in given_back:
                given_back.add(intent.bet)
                balances[intent.user] += intent.bet.amount
        return balances

    def findings(self, balances: Mapping[str, int]) -> list[str]:
        """All that does not fit together; nothing, if no verdict was lost, changed or applied twice."""
        return [*self._answers(), *self._outcomes(), *self._transactions(), *self._money(balances)]

    def _answers(self) -> Iterator[str]:
        for intent in self.intents:
            if not intent.answers:
                yield f"{intent.key}: no verdict"
            elif len({answer.raw for answer in intent.answers}) > 1:
                yield f"{intent.key}: answered in two ways: {intent.answers}"

    def _outcomes(self) -> Iterator[str]:
        """R20 and R41: a bet is rolled back or won."""
        won = {i.bet for i in self.intents if i.kind == "result" and i.took}
        undone = {i.bet for i in self.intents if i.kind == "rollback" and i.took and i.bet and i.bet.took}
        for bet in won & undone:
            yield f"{bet.key if bet else ''}: won and rolled back"
        for bet in won:
            if bet is not None and not bet.took:
                yield f"{bet.key}: won and never taken"

    def _transactions(self) -> Iterator[str]:
        keys: dict[str, set[str]] = {}
        for intent in self.intents:
            for answer in intent.answers:
                transaction = answer.body.get("transactionId")
                if transaction:
                    keys.setdefault(transaction, set()).add(intent.key)
        for transaction, owners in keys.items():
            if len(owners) > 1:
                yield f"transaction {transaction} of {sorted(owners)}"

    def _money(self, balances: Mapping[str, int]) -> Iterator[str]:
        for user, expected in self.expected().items():
            if balances[user] != expected:
                yield f"{user}: {show(balances[user])} in the books, {show(expected)} by the answers"


class Storm:
    """64 clients that charge, refund, bet, win and roll back for some players, until a server is gone."""

    def __init__(self, house: House, seed: int, players: int = 8) -> None:
        self._house = house
        self._random = random.Random(seed)
        self.record = Record({house.player(FUNDS): amount_of(FUNDS) for _ in range(players)})
        self._enough = False

    def rage(self, end: Callable[[], object], verdicts: int, go_on: int = 0) -> int:
        """Until so many verdicts came; then `end` ends a server, in the midst of it.

        `go_on`: how many more verdicts the other server gives; 0 if there is none. The number of requests
        that were left without an answer.
        """
        return asyncio.run(self._rage(end, verdicts, go_on))

    def beside(self, conduct: Callable[[], object]) -> int:
        """As long as `conduct` runs, on a thread of its own; it may end the server. Unanswered, as above."""
        return asyncio.run(self._beside(conduct))

    async def _beside(self, conduct: Callable[[], object]) -> int:
        self._enough = False
        clients = [asyncio.create_task(self._client(self._house.server.url)) for _ in range(CLIENTS)]
        try:
            await asyncio.to_thread(conduct)
        finally:
            self._enough = True
            await asyncio.gather(*clients)
        return len(self.record.unknown)

    async def _rage(self, end: Callable[[], object], verdicts: int, go_on: int) -> int:
        self._enough = False
        urls = itertools.cycle(server.url for server in self._house.servers)
        clients = [asyncio.create_task(self._client(next(urls))) for _ in range(CLIENTS)]
        await self._more(verdicts, clients)
        end()
        if go_on:
            await self._more(go_on, clients)
            self._enough = True
        await asyncio.gather(*clients)
        return len(self.record.unknown)

    async def _more(self, verdicts: int, clients: Sequence[asyncio.Task[None]]) -> None:
        wanted = self.record.verdicts + verdicts
        while self.record.verdicts < wanted:
            assert not all(client.done() for client in clients), "the server is gone before its time"
            await asyncio.sleep(0.005)

    async def _client(self, url: str) -> None:
        try:
            line = await Line.open(url)
            while not self._enough:
                intent = self._next()
                answer = await line.send(intent.call)
                if answer.status == 200:
                    intent.answers.append(answer)
                else:
                    assert answer.status == 503, answer
                    assert answer.headers["retry-after"], answer
                    self.record.told_to_retry += 1
                if answer.headers.get("connection") == "close":
                    line.close()
                    line = await Line.open(url)
            line.close()
        except Lost:
            return

    def _next(self) -> Intent:
        chance, record = self._random, self.record
        if record.intents and chance.random() < REPEATS:
            return chance.choice(record.intents[-CLIENTS:])
        return record.write(self._new(chance.choices(KINDS, WEIGHTS)[0]))

    def _new(self, kind: Kind) -> Intent:
        chance = self._random
        if kind in ("result", "rollback"):
            if not self.record.bets:
                kind = "bet"
            else:
                bet = chance.choice(self.record.bets[-2 * CLIENTS :])
                return self._result(bet) if kind == "result" else self._rollback(bet)
        user = chance.choice(list(self.record.players))
        amount = chance.randrange(1, 20 * 10**18)
        if kind == "bet":
            reference = new_id("b")
            call = self._house.game().bet(user, show(amount), reference, f"r-{reference}")
            return Intent(kind, user, amount, call, reference)
        uuid = f"{chance.randrange(16**8):08x}-0000-4000-8000-{len(self.record.intents):012x}"
        spell = self._house.partner.charge if kind == "charge" else self._house.partner.refund
        return Intent(kind, user, amount, spell(user, show(amount), uuid), uuid)

    def _result(self, bet: Intent) -> Intent:
        reference, amount = new_id("w"), self._random.randrange(3) * 10**18
        call = self._house.game().result(bet.user, show(amount), reference, f"r-{bet.key}")
        return Intent("result", bet.user, amount, call, reference, bet)

    def _rollback(self, bet: Intent) -> Intent:
        spell = self._random.choice((self._house.game().refund, self._house.game().cancel))
        return Intent("rollback", bet.user, 0, spell(bet.user, bet.key), f"rollback of {bet.key}", bet)

    def heal(self) -> None:
        """All of unknown fate again, until each has its verdict; then that many new ones, which must work."""
        answered(self._house.server, self.record.unknown)
        self.repeat(self.new_ones())

    def new_ones(self) -> list[Intent]:
        """Written down, for somebody to send."""
        return [self.record.write(self._new("charge")) for _ in range(CLIENTS)]

    def repeat(self, intents: Sequence[Intent]) -> None:
        """Ask again for verdicts that were told; `findings` compares."""
        answered(self._house.server, intents)

    def balances(self) -> dict[str, int]:
        return {user: amount_of(self._house.balance(user)) for user in self.record.players}


KINDS: Final[tuple[Kind, ...]] = ("charge", "withdraw", "bet", "result", "rollback")
WEIGHTS: Final = (25, 25, 25, 10, 15)


def answered(server: Server, intents: Sequence[Intent]) -> None:
    for intent, answer in zip(intents, sent(server, [i.call for i in intents]), strict=True):
        assert answer.status == 200, answer
        intent.answers.append(answer)
