"""What players do: spins, free rounds, live tables, awards. Each scene sends its messages through one
sender.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

from caisse_client.calls import Call
from caisse_client.seamless import Seamless, SeamlessV4
from caisse_kit.simulation.book import Message
from caisse_kit.simulation.sender import Sender
from caisse_kit.target import Target

MULTIPLES = (0, 0, 0, 0, 1, 1, 2, 5)
"""What a round pays, in stakes: a little less than it takes."""


class Scenes:
    """Everything one simulated provider plays."""

    def __init__(self, target: Target, door: Seamless, sender: Sender, run: str) -> None:
        self.target = target
        self.door = door
        self.sender = sender
        self._run = run
        self._ids = 0

    def new(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}-{self._run}-{self._ids}"

    async def spin(self, user: str) -> None:
        """A bet, and its result or its cancel."""
        bet = await self.bet(user, self.new("round"))
        if bet.state == "done":
            await self.finish(bet)

    async def free_spin(self, user: str) -> None:
        """A bet of 0 and its win."""
        bet = await self.bet(user, self.new("round"), Decimal(0))
        if bet.state == "done":
            await self.win(bet, self.target.stake)

    async def double(self, user: str) -> None:
        """Two bets of one round, one of them taken back."""
        first = await self.bet(user, self.new("round"))
        second = await self.bet(user, first.round)
        if second.state == "done":
            await self.undo(second)
        if first.state == "done":
            await self.finish(first)

    async def award(self, user: str) -> None:
        """A bonus, jackpot or promotional win."""
        door, reference, round_ = self.door, self.new("award"), self.new("round")
        if not isinstance(door, SeamlessV4):
            await self.spin(user)
            return
        make = door.bonus_win if self.sender.chance.random() < 0.5 else door.jackpot_win
        more = {**self._more("timestamp"), "jackpotId": "kit", "bonusCode": "kit"}
        call = make(user, self.target.stake, reference, round_, self.target.game, **more)
        await self._deliver(call, user, reference, round_, self.target.stake)

    async def table(self, users: Sequence[str]) -> None:
        """One live round of several players."""
        round_ = self.new("table")
        bets = await asyncio.gather(*(self.bet(user, round_) for user in users))
        await asyncio.gather(*(self.finish(bet) for bet in bets if bet.state == "done"))

    async def bet(self, user: str, round: str, amount: Decimal | None = None) -> Message:
        """Take a stake. A bet without a final answer, or one that its own cancel overtakes, is undone."""
        stake, reference = self.target.stake if amount is None else amount, self.new("bet")
        more = self._more("timeStamp")
        call = self.door.bet(user, self.target.currency, stake, reference, round, self.target.game, **more)
        message = self._message(call, user, reference, round, stake)
        if self.sender.chance.random() < self.sender.faults.reorder:
            self.sender.figures.faults["reorder"] += 1
            await self.undo(message)
            await self.sender.deliver(message)
            self.sender.book.settle(message, "undone", "overtaken")
            return message
        await self.sender.deliver(message)
        if message.state == "new":
            await self.undo(message)
        return message

    async def undo(self, bet: Message) -> None:
        """Cancel a bet until that is answered."""
        more = {**self._more("timestamp"), "currency": self.target.currency, "gameId": self.target.game}
        call = self.door.cancel(bet.user, bet.reference, **more)
        await self._deliver(call, bet.user, bet.reference, bet.round, bet.amount)
        self.sender.book.settle(bet, "undone")

    async def finish(self, bet: Message) -> None:
        """The result of a round, and sometimes its end."""
        await self.win(bet, bet.amount * self.sender.chance.choice(MULTIPLES))
        if self.sender.chance.random() < 0.3:
            more = {"gameId": self.target.game, "sessionId": self.target.session}
            call = self.door.end_round(bet.user, bet.round, **more)
            await self._deliver(call, bet.user, "", bet.round, Decimal(0))

    async def win(self, bet: Message, amount: Decimal) -> None:
        reference = self.new("win")
        more = self._more("timestamp")
        where = (reference, bet.round, self.target.game)
        call = self.door.result(bet.user, self.target.currency, amount, *where, **more)
        await self._deliver(call, bet.user, reference, bet.round, amount)

    async def resume(self, message: Message) -> None:
        """After a crash: a bet whose fate is unknown is cancelled, everything else is sent again."""
        if message.verb == "Bet":
            await self.undo(message)
        else:
            await self.sender.deliver(message)
            if message.verb == "Cancel" and message.state == "done":
                self._undone(message)

    def _undone(self, cancel: Message) -> None:
        """The bet that a cancel of before the crash has undone."""
        for message in list(self.sender.book.messages.values()):
            if (message.verb, message.user, message.reference) == ("Bet", cancel.user, cancel.reference):
                self.sender.book.settle(message, "undone")

    async def _deliver(self, call: Call[Any], user: str, reference: str, round: str, amount: Decimal) -> None:
        await self.sender.deliver(self._message(call, user, reference, round, amount))

    def _message(self, call: Call[Any], user: str, reference: str, round: str, amount: Decimal) -> Message:
        return self.sender.book.new(call.verb, user, reference, round, amount, call.request.body)

    def _more(self, time_name: str) -> dict[str, Any]:
        """What editions of the provider send besides."""
        shared = {"sessionId": self.target.session, "gamename": "Kit", "roundDetails": "spin"}
        return {**shared, time_name: "1482429190374"}

    def choose(self, user: str, users: Sequence[str]) -> Awaitable[None]:
        """The next scene of a player."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            *[lambda: self.spin(user)] * 6,
            lambda: self.free_spin(user),
            lambda: self.double(user),
            lambda: self.award(user),
            lambda: self.table(users),
        ]
        return self.sender.chance.choice(kinds)()
