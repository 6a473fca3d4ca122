"""A durable queue for calls that must arrive: results, refunds, cancels, withdrawals.

A call is stored before it is first sent, and then sent, always the same and with the same key, until its
answer is final: a success or a refusal. The queue is one SQLite file, so it survives the process; a process
that died between sending and noting the answer sends the call again, which its key makes harmless. The file
holds no login: that comes from the `door` that the queue is opened with. Calls of one player are not kept
in order, because a wallet that keeps the contract does not need them to be.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from caisse_client.calls import Call, Door, packed
from caisse_client.clients import AsyncClient, Client
from caisse_client.errors import Refused, WalletError

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0
BATCH = 100
"""How many due calls one round of delivery takes at most."""

_SCHEMA = """
create table if not exists door (name text not null);
create table if not exists outbox (
    id integer primary key,
    verb text not null,
    body blob not null,
    state text not null default 'waiting',
    attempts integer not null default 0,
    due real not null,
    answer text not null default ''
);
create index if not exists outbox_due on outbox (due) where state = 'waiting';
"""


class Waiting(NamedTuple):
    """A call that is due, and under which number the queue knows it."""

    id: int
    attempts: int
    call: Call[Any]


class Settled(NamedTuple):
    """What became of a call: `done`, `refused` (final both), or still `waiting`."""

    id: int
    state: str
    answer: str
    """What was refused, or why it waits; never a secret."""


class Outbox:
    """One file, one door. One process at a time may deliver from it; others may put calls into it."""

    def __init__(
        self,
        path: Path | str,
        door: Door,
        *,
        clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
    ) -> None:
        """Open or create the file. Raises ValueError if it belongs to another door."""
        self._door = door
        self._clock = clock
        self._chance = chance or random.Random()  # noqa: S311 - it spreads retries
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._db.executescript("pragma journal_mode=wal; pragma synchronous=full;" + _SCHEMA)
        self._claim()

    def _claim(self) -> None:
        with closing(self._db.execute("select name from door")) as found:
            named = [name for (name,) in found]
        if not named:
            self._db.execute("insert into door values (?)", (self._door.name,))
        elif named != [self._door.name]:
            self._db.close()
            raise ValueError(f"this queue belongs to the door {named[0]}, not to {self._door.name}")

    def put(self, call: Call[Any]) -> int:
        """Store a call; it is durable when this returns. The number is for `look`."""
        if call.door != self._door.name:
            raise ValueError(f"a call of {call.door} does not fit a queue of {self._door.name}")
        row = (call.verb, packed(call.fields), self._clock())
        with closing(self._db.execute("insert into outbox (verb, body, due) values (?, ?, ?)", row)) as made:
            return made.lastrowid or 0

    def look(self, number: int) -> Settled:
        """What has become of a call. Raises KeyError for a number that was never given."""
        query = "select id, state, answer from outbox where id = ?"
        with closing(self._db.execute(query, (number,))) as found:
            for row in found:
                return Settled(*row)
        raise KeyError(number)

    def waiting(self) -> int:
        """How many calls have no final answer yet."""
        with closing(self._db.execute("select count(*) from outbox where state = 'waiting'")) as found:
            return int(next(found)[0])

    def due(self) -> list[Waiting]:
        """Calls whose time has come, longest waiting first."""
        query = (
            "select id, attempts, verb, body from outbox where state = 'waiting' and due <= ? "
            "order by due limit ?"
        )
        with closing(self._db.execute(query, (self._clock(), BATCH))) as found:
            return [Waiting(n, tries, self._call(verb, body)) for n, tries, verb, body in found]

    def _call(self, verb: str, body: bytes) -> Call[Any]:
        """The same bytes again: each value keeps its own characters."""
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        texts = {name: _text(value) for name, value in fields.items()}
        return self._door.call(verb, texts)

    def settle(self, item: Waiting, error: WalletError | None) -> Settled:
        """Note an attempt's outcome: no error is a success; a refusal is final; anything else is sent
        again.
        """
        state = "done" if error is None else "refused" if isinstance(error, Refused) else "waiting"
        answer = "" if error is None else str(error)
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(item.attempts, 20))
        due = self._clock() + wait * self._chance.uniform(0.5, 1.0)
        row = (state, item.attempts + 1, due, answer, item.id)
        self._db.execute("update outbox set state = ?, attempts = ?, due = ?, answer = ? where id = ?", row)
        return Settled(item.id, state, answer)

    def deliver(self, client: Client) -> list[Settled]:
        """Send what is due, each call once. Call it again and again, with a pause of your choice."""
        outcomes = []
        for item in self.due():
            outcome: WalletError | None = None
            try:
                client.send(item.call)
            except WalletError as error:
                outcome = error
            outcomes.append(self.settle(item, outcome))
        return outcomes

    async def deliver_async(self, client: AsyncClient) -> list[Settled]:
        """The same on an event loop."""
        outcomes = []
        for item in self.due():
            outcome: WalletError | None = None
            try:
                await client.send(item.call)
            except WalletError as error:
                outcome = error
            outcomes.append(self.settle(item, outcome))
        return outcomes

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _text(value: msgspec.Raw) -> object:
    """Text as text, since a door reads its own uuid back; anything else with its own characters."""
    found = bytes(value)
    return msgspec.json.decode(found, type=str) if found[:1] == b'"' else msgspec.Raw(found)
