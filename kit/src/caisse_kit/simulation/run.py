"""One simulation from its first bet to its reconciliation."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path

from caisse_client import AsyncClient, WalletError
from caisse_client.seamless import KYREN_V1, V4, KyrenV1, Seamless, SeamlessV4
from caisse_kit.policy import Policy
from caisse_kit.runner import EXACT
from caisse_kit.simulation.book import Book, Message
from caisse_kit.simulation.scenes import Scenes
from caisse_kit.simulation.sender import Crashed, Faults, Figures, Sender
from caisse_kit.target import Target


@dataclass(frozen=True)
class Difference:
    """A player whose balance is not what the provider's book says."""

    user: str
    due: Decimal
    held: Decimal


@dataclass(frozen=True)
class Outcome:
    """What a simulation found."""

    figures: Figures
    counts: dict[str, int]
    """`Bet done` and the like."""
    differences: list[Difference]
    owed: list[Message]
    """Wins and rollbacks that were refused for good."""
    open: list[Message]
    """Messages that never had a final answer."""
    seconds: float

    @property
    def agrees(self) -> bool:
        return not (self.differences or self.owed or self.open)


class CannotBegin(Exception):
    """The players' balances cannot be read."""


Watch = Callable[[Figures], None]


async def simulate(
    target: Target,
    users: Sequence[str],
    path: Path,
    *,
    seconds: float,
    sessions: int,
    faults: Faults,
    policy: Policy,
    seed: int,
    watch: Watch = lambda figures: None,
) -> Outcome:
    """Play for so long, deliver what is left, and compare. Raises CannotBegin."""
    begun = time.monotonic()
    kyren = target.dialect == "kyren-v1"
    door: Seamless = KyrenV1(target.provider) if kyren else SeamlessV4(target.provider)
    chance = random.Random(seed)  # noqa: S311 - it must be repeatable
    book = Book(path)
    base = (KYREN_V1 if kyren else V4).base
    with localcontext(EXACT):
        async with AsyncClient(target.url, target.timeout) as client:
            start = await balances(client, door, target, users)
            sender = Sender(client, base, target.url, book, faults, policy, chance)
            run = f"{time.time_ns():x}"
            lives = 0
            while True:
                scenes = Scenes(target, door, sender, f"{run}-{lives}")
                await recover(scenes, book, sender)
                if time.monotonic() >= begun + seconds:
                    break
                with suppress(Crashed):
                    await play(scenes, users, sessions, begun + seconds, watch)
                sender.book = book = reopened(book)
                lives += 1
            held = await balances(client, door, target, users)
            due = book.due()
    outcome = Outcome(
        figures=sender.figures,
        counts={f"{verb} {state}": count for (verb, state), count in sorted(book.counts().items())},
        differences=[
            Difference(user, start[user] + due[user], held[user])
            for user in users
            if start[user] + due[user] != held[user]
        ],
        owed=book.owed(),
        open=list(book.unfinished()),
        seconds=time.monotonic() - begun,
    )
    book.close()
    return outcome


async def balances(
    client: AsyncClient, door: Seamless, target: Target, users: Sequence[str]
) -> dict[str, Decimal]:
    """What the wallet says that each player has."""
    found = {}
    for user in users:
        try:
            told = await client.send(door.balance(user, target.currency, sessionId=target.session))
        except WalletError as error:
            raise CannotBegin(f"the balance of {user} cannot be read: {error}") from None
        found[user] = told.cash
    return found


async def play(scenes: Scenes, users: Sequence[str], sessions: int, until: float, watch: Watch) -> None:
    """Sessions at once, each with one player; a crash ends them all."""

    async def session(user: str) -> None:
        while time.monotonic() < until:
            await scenes.choose(user, users)
            watch(scenes.sender.figures)

    crashed = False
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(sessions):
                group.create_task(session(users[number % len(users)]))
    except* Crashed:  # what is raised in here would be wrapped
        crashed = True
    if crashed:
        raise Crashed


def reopened(book: Book) -> Book:
    """What a new process knows: the file."""
    book.close()
    return Book(book.path)


async def recover(scenes: Scenes, book: Book, sender: Sender) -> None:
    """Deliver what a crash left. This part itself does not crash."""
    faults, sender.faults = sender.faults, Faults(0, 0, 0, 0)
    for message in list(book.unfinished()):
        if message.state == "new":
            await scenes.resume(message)
    sender.faults = faults
