"""The life of some players, drawn from a seed: the same requests on any house, whose secrets differ."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.rig import House
from tests.support.server import Call

USERS = ("anna", "boris", "chen")
AGAIN = 0.3
"""Share of requests that were sent before."""


class Step(NamedTuple):
    """One request."""

    call: Call
    reads: bool = False
    """Its answer tells the state of the moment, so a repeat may be told something else."""


class Life:
    """Draws one step after another."""

    def __init__(self, house: House, seed: int) -> None:
        self._chance = random.Random(seed)
        self._partner = house.partner
        self._game = house.game()
        self._bets: list[tuple[str, str, str]] = []
        self._uuids: list[str] = []
        self._count = 0

    def steps(self, count: int) -> list[Step]:
        """The players' creation, then so many requests, some of them again and again."""
        lived = list(self._births())
        for _ in range(count):
            again = self._chance.random() < AGAIN
            lived.append(self._chance.choice(lived) if again else self._step())
        return lived

    def _births(self) -> Iterator[Step]:
        for user in USERS:
            yield Step(self._partner.create(user, uuid=self._uuid()))
            yield Step(self._partner.wallet(user, uuid=self._uuid()))
            yield Step(self._partner.charge(user, "100.0", self._uuid()))

    def _step(self) -> Step:
        draw = self._chance.choices(
            (self._transfer, self._bet, self._of_a_bet, self._award, self._session, self._look),
            (25, 25, 25, 5, 5, 15),
        )[0]
        return draw(self._chance.choice(USERS))

    def _transfer(self, user: str) -> Step:
        """Now and then under a uuid that is another's."""
        spell = self._chance.choice((self._partner.charge, self._partner.refund))
        uuid = self._chance.choice(self._uuids) if self._chance.random() < 0.1 else self._uuid()
        return Step(spell(user, self._amount(), uuid))

    def _bet(self, user: str) -> Step:
        """Now and then in an earlier round."""
        reference, round_ = self._name("b"), self._name("r")
        if self._bets and self._chance.random() < 0.2:
            user, _, round_ = self._chance.choice(self._bets)
        self._bets.append((user, reference, round_))
        session = f"s{self._count // 50}"
        call = self._game.bet(user, self._amount(), reference, round_, uuid=self._uuid(), sessionId=session)
        return Step(call)

    def _of_a_bet(self, user: str) -> Step:
        """A result, the round's end or a rollback; of a bet that comes later or never, too."""
        user, bet, round_ = self._chance.choice([*self._bets[-10:], (user, self._name("b"), self._name("r"))])
        draws = [
            self._game.result(user, self._amount(), self._name("w"), round_, uuid=self._uuid()),
            self._game.refund(user, bet, uuid=self._uuid()),
            self._game.cancel(user, bet, uuid=self._uuid()),
            self._game.play("EndRound", user, roundId=round_, uuid=self._uuid()),
        ]
        return Step(self._chance.choices(draws, (40, 25, 25, 10))[0])

    def _award(self, user: str) -> Step:
        method = self._chance.choice(("BonusWin", "JackPotWin", "PromoWin"))
        fields = {"amount": self._amount(), "reference": self._name("a"), "uuid": self._uuid()}
        return Step(self._game.play(method, user, **fields))

    def _session(self, user: str) -> Step:
        session = f"s{self._count // 50 + self._chance.randrange(-1, 2)}"
        return Step(self._game.play("SessionExpired", user, sessionId=session, uuid=self._uuid()))

    def _look(self, user: str) -> Step:
        looks = (
            self._partner.balance(user, uuid=self._uuid()),
            self._partner.info(user, uuid=self._uuid()),
            self._game.play("Check", user, sessionId=f"s{self._count // 50}", uuid=self._uuid()),
            self._partner.log({"start": 0, "limit": 1000, "uuid": self._uuid()}),
        )
        return Step(self._chance.choice(looks), reads=True)

    def _amount(self) -> str:
        return f"{self._chance.randrange(1, 4000) / 100:.2f}"

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"

    def _uuid(self) -> str:
        text = f"{self._chance.getrandbits(128):032x}"
        self._uuids.append(f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}")
        return self._uuids[-1]
