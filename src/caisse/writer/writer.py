"""The writer: group commit. The only path to the ledger's tables, for one request as for a thousand.

A lane is one task on one connection. It takes what waits (never waiting for more), loads a book, decides
the requests one after another, commits, and only then tells the callers (R9). While it commits, the next
batch gathers. Players are spread over the lanes by a hash, so one player's requests meet in one batch.

What goes wrong, and what is told then: a lost race is decided again; a request that is poisonous, or loses
every race, is told alone that no verdict was given, its neighbours get theirs; a lost database or an unknown
fate means "send the same request again" for the whole batch; a dead lane ends the process. Nothing cancels a
commit: a caller who waits too long is told to send again while it goes on.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from caisse.core.book import Book
from caisse.core.entries import Decision
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.rules.decide import decide
from caisse.store.api import BadData, Conflict, FateUnknown, Ledger, Unavailable, WrongGuess
from caisse.writer.cache import Cache, Lookup, nothing_known
from caisse.writer.limits import Limits as Limits
from caisse.writer.recorder import Recorder

log = logging.getLogger("caisse.writer")

Tell = Callable[[Decision | None], None]
"""How a caller is told; None: no verdict was given, nothing is implied, send the same request again."""


class Pending:
    """A request that waits for its verdict."""

    __slots__ = ("policy", "request", "since", "tell", "told")

    def __init__(self, request: Request, policy: Policy, tell: Tell) -> None:
        self.request = request
        self.policy = policy
        self.tell = tell
        self.told = False
        self.since = 0.0

    def answer(self, decision: Decision | None) -> None:
        """Tell the caller, once; a caller's own failure is none of the writer's business."""
        if self.told:
            return
        self.told = True
        try:
            self.tell(decision)
        except Exception:
            log.exception("answering a %s failed", type(self.request).__name__)


class Counters(msgspec.Struct):
    """What a lane has done so far, for metrics."""

    requests: int = 0
    batches: int = 0
    conflicts: int = 0
    poisoned: int = 0
    unknown: int = 0
    given_up: int = 0
    largest_batch: int = 0
    failing: bool = False  # the last batch got no verdict because of the database


YIELDS_BEFORE_BATCH: Final = 1
"""Looks at the sockets before a batch is taken: what has arrived already belongs to it."""
YIELDS_ALONE: Final = 3
"""The same of a lane without others: nothing commits meanwhile, so it lets its answers bring new requests."""
HALVE_ABOVE: Final = 32
"""Requests that are one batch even while no other lane has work; of more such a lane takes half."""


def clock() -> int:
    """Microseconds since 1970, UTC: the time that is shown (R55)."""
    return time.time_ns() // 1_000


class Lane:
    """One connection and its queue."""

    def __init__(
        self, ledger: Ledger, limits: Limits, recorder: Recorder, now: Callable[[], int] = clock
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._recorder = recorder
        self._now = now
        self.queue: deque[Pending] = deque()
        """What waits; filled by `put`, looked at by anybody."""
        self.others: Sequence[Lane] = ()
        """The process's other lanes; set by the writer."""
        self._batch: Sequence[Pending] = ()
        self._work = asyncio.Event()
        self._closing = False
        self._deadline: float | None = None
        self._cache = Cache(limits.players, limits.entries)
        self._doubt_until = 0.0
        self.counters = Counters()

    def put(self, pending: Pending) -> None:
        """Enqueue. From here on a verdict is made, whether or not its caller still waits."""
        pending.since = time.monotonic()
        self.queue.append(pending)
        self._work.set()

    def close(self) -> None:
        """Let `run` return once everything that waits is decided."""
        self._closing = True
        self._work.set()

    async def run(self) -> None:
        """Serve until closed and drained."""
        while True:
            await self._work.wait()
            self._work.clear()
            if self.queue:
                await self._take_batch()
            if self.queue:
                self._work.set()
            elif self._closing:
                break
            if self._recorder.due(time.monotonic()):
                await self._record()
        await self._record()
        await self._ledger.close()

    async def _take_batch(self) -> None:
        for _ in range(YIELDS_BEFORE_BATCH if self.others else YIELDS_ALONE):
            await asyncio.sleep(0)
        self._batch = batch = [self.queue.popleft() for _ in range(min(self._share(), self._limits.batch))]
        await self._settle(batch)
        self._batch = ()
        self._count(batch)

    def _share(self) -> int:
        """How many are the next batch: all that wait, or, if no other lane has work, half of a long queue.

        Alone, a lane and its database would take turns; so the other half comes and goes during a commit.
        """
        waiting = len(self.queue)
        if self.others and not any(lane.queue or lane._batch for lane in self.others):
            return min(waiting, max(HALVE_ABOVE, waiting // 2))
        return waiting

    async def _record(self) -> None:
        """Write down what left no row (R58)."""
        self._deadline = time.monotonic() + self._limits.patience_seconds
        try:
            await self._recorder.write(self._ledger)
        finally:
            self._deadline = None

    def _count(self, batch: Sequence[Pending]) -> None:
        self.counters.batches += 1
        self.counters.requests += len(batch)
        self.counters.largest_batch = max(self.counters.largest_batch, len(batch))

    async def _settle(self, batch: Sequence[Pending]) -> None:
        """Decide a batch in as many parts as its rows need, and tell its callers."""
        while batch:
            batch = batch[await self._settle_first(batch) :]

    async def _settle_first(self, batch: Sequence[Pending]) -> int:
        """Decide the first requests of a batch, durably, mostly all; how many.

        Their callers are told their verdict, or that none was given.
        """
        try:
            decisions = await self._decided(batch)
            batch = batch[: len(decisions)]
            self._note(batch, decisions)
            if self.counters.failing:
                self.counters.failing = False
                log.info("the database is back: verdicts are given again")
        except (BadData, Conflict) as error:
            await self._isolate(batch, error)
            return len(batch)
        except Unavailable as error:
            log.warning("requests without a verdict: %d, since %s", len(batch), error)
            decisions, self.counters.failing = [None] * len(batch), True
            self._cache.forget()
            await self._pause()
        except FateUnknown as error:
            self.counters.unknown += len(batch)
            log.critical("requests of unknown fate: %d, since %s", len(batch), error)
            decisions, self.counters.failing = [None] * len(batch), True
            self._cache.forget()
            if error.fatal:
                tell_all(batch, decisions)
                raise
        tell_all(batch, decisions)
        return len(batch)

    def _note(self, batch: Sequence[Pending], decisions: Sequence[Decision | None]) -> None:
        now = self._now()
        for pending, decision in zip(batch, decisions, strict=True):
            if decision is not None:
                self._recorder.attempts.note(pending.request, decision, now)

    async def _pause(self) -> None:
        if not self._closing:
            await asyncio.sleep(self._limits.reconnect_seconds)

    async def _decided(self, batch: Sequence[Pending]) -> list[Decision | None]:
        """The decisions of the batch's first requests, mostly of all, durable.

        Conflict if races were lost too often.
        """
        requests = [pending.request for pending in batch]
        lookup = self._lookup(requests)
        lost = 0
        while lost < self._limits.tries:
            try:
                book = await self._book(lookup, lock=lost > 0)
                decisions = self._decide(batch, book)
                undecided = {n for n in range(len(batch)) if n >= len(decisions) or decisions[n] is None}
                if lookup.holds(book, requests, undecided):
                    await self._commit(lookup, book)
                    self._cache.keep(book, lookup, requests)
                    return decisions
            except Conflict as error:
                lost += 1
                if not (isinstance(error, WrongGuess) and lookup.guessed):  # else nobody else wrote
                    self.counters.conflicts += 1
                    self._doubt()
            finally:
                self._deadline = None
            lookup = _looked_up(nothing_known, requests)
        raise Conflict("other writers were faster every time")

    def _lookup(self, requests: Sequence[Request]) -> Lookup:
        """What is remembered; for some time after a lost race nothing is: somebody else writes, too."""
        if time.monotonic() < self._doubt_until:
            return _looked_up(nothing_known, requests)
        return _looked_up(self._cache.look_up, requests)

    def _doubt(self) -> None:
        self._cache.forget()
        self._doubt_until = time.monotonic() + self._limits.doubt_seconds

    async def _book(self, lookup: Lookup, *, lock: bool) -> Book:
        if not lookup.missing and not lock:
            return lookup.complete(Book())
        self._deadline = time.monotonic() + self._limits.patience_seconds
        missing = lookup.missing
        if missing.whole_rounds:
            missing = msgspec.structs.replace(missing, rows=self._limits.rows)
        loaded = await self._ledger.load(missing, lock=lock)
        if loaded.is_torn(missing):
            raise Conflict("a player was created while the batch was read")
        return lookup.complete(loaded)

    async def _commit(self, lookup: Lookup, book: Book) -> None:
        """Nothing to do for a batch that wrote nothing and read only what is known to be durable."""
        if book.appended or lookup.missing:
            self._deadline = time.monotonic() + self._limits.commit_seconds
            await self._ledger.commit(book)

    def _decide(self, batch: Sequence[Pending], book: Book) -> list[Decision | None]:
        """Each request sees the effect of those before it. One that cannot be decided is left out, alone.

        Ends before the first whose round had no room in this batch.
        """
        now = self._now()
        decisions: list[Decision | None] = []
        for pending in batch:
            if not book.can_decide(pending.request):
                break
            try:
                decision = decide(pending.request, book, pending.policy, now)
            except Exception:
                self.counters.poisoned += 1
                log.exception("a %s cannot be decided", type(pending.request).__name__)
                decisions.append(None)
            else:
                book.take(decision)
                decisions.append(decision)
        return decisions

    async def _isolate(self, batch: Sequence[Pending], error: BadData | Conflict) -> None:
        """Find by halving the request that fails a batch, poisonous or never fast enough; apply the rest."""
        if len(batch) == 1:
            self._leave_out(batch[0], error)
            return
        middle = len(batch) // 2
        await self._settle(batch[:middle])
        await self._settle(batch[middle:])

    def _leave_out(self, pending: Pending, error: BadData | Conflict) -> None:
        kind = type(pending.request).__name__
        if isinstance(error, BadData):
            self.counters.poisoned += 1
            log.error("a %s cannot be stored: %s", kind, type(error.__cause__).__name__)
        else:
            log.warning("no verdict for a %s: %s", kind, error)
        pending.answer(None)

    def watch(self, now: float) -> None:
        """Tell callers past patience to send again; drop a connection on which reading or a commit hangs."""
        limit = now - self._limits.patience_seconds
        for group in (self._batch, self.queue):
            for pending in group:
                if pending.since > limit:
                    break
                if not pending.told:
                    self.counters.given_up += 1
                    pending.answer(None)
        if self._deadline is not None and now > self._deadline:
            self._ledger.drop()
        if self._recorder.due(now):
            self._work.set()


def _looked_up(how: Callable[[Sequence[Request]], Lookup], requests: Sequence[Request]) -> Lookup:
    """BadData if a request cannot even be looked up."""
    try:
        return how(requests)
    except Exception as error:
        raise BadData("a request names what cannot be looked up") from error


def tell_all(batch: Sequence[Pending], decisions: Sequence[Decision | None]) -> None:
    """Wake the callers."""
    for pending, decision in zip(batch, decisions, strict=True):
        pending.answer(decision)


WATCH_SECONDS: Final = 0.25
"""How often patience is looked at: a small part of it."""


class Writer:
    """All lanes of a process."""

    def __init__(self, ledgers: Sequence[Ledger], limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.recorder = Recorder(self.limits.attempts, self.limits.record_seconds)
        self.lanes = [Lane(ledger, self.limits, self.recorder) for ledger in ledgers]
        for lane in self.lanes:
            lane.others = [other for other in self.lanes if other is not lane]
        self._queues = [lane.queue for lane in self.lanes]
        self._closing = False

    def submit(self, request: Request, policy: Policy, tell: Tell) -> bool:
        """Enqueue a request; False, and nothing happens, if the queue is full or closed."""
        if self._closing or self.waiting >= self.limits.queue:
            return False
        lane = self.lanes[hash((request.partner, request.user)) % len(self.lanes)]
        lane.put(Pending(request, policy, tell))
        return True

    def note_unread(self, partner: str, provider: str, endpoint: str, **ids: str) -> None:
        """Leave a trace of a request that could not be read; `ids` as in `Attempts.unread` (R58)."""
        self.recorder.attempts.unread(partner, provider, endpoint, **ids, now=clock())

    @property
    def waiting(self) -> int:
        """Requests in all queues."""
        return sum(map(len, self._queues))

    async def run(self) -> None:
        """Serve until closed. Raises if a lane dies: the process must then end, nothing may queue for it."""
        watch = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as lanes:
                for lane in self.lanes:
                    lanes.create_task(lane.run())
        finally:
            watch.cancel()

    def close(self) -> None:
        """Accept nothing more; `run` returns when all that waits is decided."""
        self._closing = True
        for lane in self.lanes:
            lane.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = time.monotonic()
            for lane in self.lanes:
                lane.watch(now)
