"""The simulated store: a server with transactions, locks and a standby, and the ledgers that talk to it.

A ledger sees only what a connection to PostgreSQL would show it. What it asked for goes on at the server
whatever becomes of the connection: a write may land after its ledger has given it up, or after the process
that sent it is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from caisse.core.attempts import Attempt
from caisse.core.book import Book, Wants
from caisse.core.entries import Entry
from caisse.store.api import BadData, Conflict, FateUnknown, Unavailable, WrongGuess
from tests.simulation.loop import VirtualLoop
from tests.simulation.tables import Cell, Tables, Undo, Write
from tests.simulation.weather import Weather

Work = Coroutine[Any, Any, Any]
Note = Callable[[str], None]


class Cut(Exception):
    """The connection ended before the answer."""


class Session:
    """One connection, as the server sees it."""

    def __init__(self, life: int) -> None:
        self.life = life
        self.open = True
        self.working = False
        self.answer: asyncio.Future[Any] | None = None
        """What its ledger waits for."""

    def cut(self) -> None:
        """The ledger's end of it is gone."""
        self.open = False
        if self.answer and not self.answer.done():
            self.answer.set_exception(Cut())


class Commit:
    """One write on its way; what became of it is known here alone."""

    def __init__(self, write: Write | None) -> None:
        self.write = write
        self.given_up = False
        """Whether its ledger knows no end of it: the answer was lost, or the ledger's process."""
        self.landed = ""
        """`in time`, or `late`: after it was given up."""


class Server:
    """The database: what is stored, who holds what, and what is durable."""

    def __init__(self, loop: VirtualLoop, weather: Weather, note: Note) -> None:
        self.loop = loop
        self.weather = weather
        self.note = note
        self.tables = Tables()
        self.commits: list[Commit] = []
        self.undone = 0
        self.life = 0
        self._down_until = 0.0
        self._unsynced: list[tuple[Write, Undo]] = []
        """What is visible and would not survive a failover, oldest first."""
        self._holders: dict[Cell, Session] = {}
        self._freed: asyncio.Future[None] = loop.create_future()
        self._sessions: list[Session] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether something is still under way, or nobody listens yet."""
        return bool(self._tasks) or self.loop.time() < self._down_until

    def may_lose(self, row: Entry) -> bool:
        """Whether a row is visible and not durable."""
        return any(row in write.rows for write, _ in self._unsynced)

    def connect(self) -> Session:
        """Unavailable while the database is down."""
        if self.loop.time() < self._down_until:
            raise Unavailable("nobody listens")
        session = Session(self.life)
        self._sessions.append(session)
        return session

    def restart(self) -> None:
        """Crash, and come back without what was not durable; nobody hears anything."""
        self.note(f"the database crashes; {len(self._unsynced)} writes are undone")
        self.life += 1
        self._down_until = self.loop.time() + self.weather.while_()
        self.undone += len(self._unsynced)
        while self._unsynced:
            self.tables.undo(self._unsynced.pop()[1])
        self._holders.clear()
        self._wake()
        for session in self._sessions:
            session.cut()
        self._sessions.clear()

    def ask(self, session: Session, work: Work) -> asyncio.Future[Any]:
        """Let the server work; its answer, if it ever comes."""
        session.answer = self.loop.create_future()
        task = self.loop.create_task(self._work(session, work, session.answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return session.answer

    async def _work(self, session: Session, work: Work, answer: asyncio.Future[Any]) -> None:
        await asyncio.sleep(self._travel())
        if self.weather.strikes("lost"):
            work.close()
            return
        silent = self.weather.strikes("silent")
        outcome = await self._outcome(session, work)
        await asyncio.sleep(self.weather.moment())
        if answer.done() or silent:
            return
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    async def _outcome(self, session: Session, work: Work) -> Any:
        session.working = True
        try:
            return await work
        except (Conflict, Cut) as error:
            return error
        finally:
            session.working = False
            if not session.open:
                self._end(session)

    def lose(self, session: Session) -> None:
        """Notice, sooner or later, that nobody is at the other end; a write that has begun is ended."""
        later = self.weather.while_() if self.weather.strikes("slow") else 0.0
        self.loop.call_later(later, self._end, session)

    def _end(self, session: Session) -> None:
        if not session.working:
            self.release(session)

    def _travel(self) -> float:
        return self.weather.while_() if self.weather.strikes("late") else self.weather.moment()

    async def read(self, session: Session, wanted: Wants, *, lock: bool) -> Book:
        """Several statements: each sees what was committed before it."""
        if lock:
            await self._hold(session, [("player", *key) for key in wanted.players])
        self._alive(session)
        book = Book()
        self.tables.read_players(wanted, book)
        await asyncio.sleep(self.weather.moment())
        self._alive(session)
        self.tables.read_rest(wanted, book)
        return book

    async def write(self, session: Session, commit: Commit) -> bool:
        """One transaction, or the end of one; whether it is durable, as the server says."""
        try:
            if commit.write is not None:
                await self._hold(session, commit.write.cells())
                await self._execute(session, commit, commit.write)
        finally:
            self.release(session)
        await asyncio.sleep(self.weather.moment())
        self._alive(session)
        if self.weather.strikes("unsynced"):
            if self.weather.even():
                self.weather.later(self.weather.shortly(), self.restart)
            return False
        self._unsynced.clear()
        return True

    async def _execute(self, session: Session, commit: Commit, write: Write) -> None:
        if self.tables.has_opened(write):
            raise WrongGuess("a round is there already")
        if not self.tables.accepts(write):
            raise Conflict("somebody was faster")
        await asyncio.sleep(self.weather.while_() if self.weather.strikes("slow") else self.weather.moment())
        self._alive(session)
        self._unsynced.append((write, self.tables.apply(write)))
        commit.landed = "late" if commit.given_up else "in time"
        self.note(f"{commit.landed}: {[(row.player, row.seq, row.key) for row in write.rows]}")

    def _alive(self, session: Session) -> None:
        """A transaction does not outlive the server."""
        if session.life != self.life:
            raise Cut

    async def _hold(self, session: Session, cells: Sequence[Cell]) -> None:
        """All at once, so that nobody waits crosswise; deadlocks are drawn."""
        while any(self._holders.get(cell, session) is not session for cell in cells):
            await asyncio.shield(self._freed)
        self._alive(session)
        self._holders.update(dict.fromkeys(cells, session))

    def release(self, session: Session) -> None:
        """Its transaction has ended."""
        mine = [cell for cell, holder in self._holders.items() if holder is session]
        for cell in mine:
            del self._holders[cell]
        if mine:
            self._wake()

    def _wake(self) -> None:
        freed, self._freed = self._freed, self.loop.create_future()
        freed.set_result(None)


class SimLedger:
    """A `Ledger`: one connection of one lane, made again when it is gone."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._weather = server.weather
        self._session: Session | None = None
        self._loaded = False
        self._locked = False
        self.dead = False
        """Its process is gone: nothing more leaves it."""
        self.drops = 0

    @property
    def waits(self) -> bool:
        """Whether the server owes it an answer."""
        answer = self._session.answer if self._session else None
        return answer is not None and not answer.done()

    async def open(self) -> None:
        """See `Ledger.open`."""

    async def load(self, wanted: Wants, *, lock: bool) -> Book:
        """See `Ledger.load`."""
        if any("\0" in key for _, key in wanted.entries):
            raise BadData("a key holds a nul")
        session = self._ready()
        self._locked = lock
        try:
            book: Book = await self._asked(session, self._server.read(session, wanted, lock=lock))
        except Cut as error:
            self._give_up()
            raise Unavailable("the connection was lost while reading") from error
        except Conflict:
            self._give_up()
            raise
        self._loaded = True
        return book

    async def commit(self, book: Book) -> None:
        """See `Ledger.commit`."""
        session = self._to_write_on()
        commit = Commit(self._readable(book) if book.appended else None)
        self._server.commits.append(commit)
        if self._weather.strikes("refused"):
            self._give_up()
            raise Unavailable("no space left on device")
        try:
            durable = await self._asked(session, self._server.write(session, commit))
        except Conflict:
            if self._locked:
                self._give_up()
            raise
        except Cut as error:
            commit.given_up = True
            self._give_up()
            raise FateUnknown("the answer was lost", fatal=self._weather.strikes("fatal")) from error
        except asyncio.CancelledError:
            commit.given_up = True
            raise
        self._locked = False
        if not durable:
            self._give_up()
            raise FateUnknown("the database warned during the commit")

    def _readable(self, book: Book) -> Write:
        try:
            return Write.of(book)
        except BadData:
            if self._locked:
                self._give_up()
            raise

    async def record(self, attempts: Sequence[Attempt]) -> None:
        """See `Ledger.record`; they are not kept, since nothing depends on them."""
        session = self._ready()
        try:
            await self._asked(session, asyncio.sleep(self._weather.moment()))
        except Cut as error:
            self._give_up()
            raise Unavailable("the connection was lost while recording") from error

    async def _asked(self, session: Session, work: Work) -> Any:
        if self.dead:
            work.close()
            await asyncio.get_running_loop().create_future()
        if self._weather.strikes("deadlock"):
            work.close()
            raise Conflict("deadlock detected")
        answer = self._server.ask(session, work)
        if self._weather.strikes("cut"):
            self._weather.later(self._weather.soon(), self._cut, session)
        return await answer

    def _cut(self, session: Session) -> None:
        session.cut()
        self._server.lose(session)

    def _ready(self) -> Session:
        if self._locked:
            self._give_up()
        if self._session is None or not self._session.open:
            self._session = self._server.connect()
        return self._session

    def _to_write_on(self) -> Session:
        """The connection that loaded, if anything was."""
        loaded, self._loaded = self._loaded, False
        if self._session is not None and self._session.open:
            return self._session
        if loaded:
            raise Unavailable("the connection was dropped before the write")
        return self._ready()

    def drop(self) -> None:
        """See `Ledger.drop`."""
        self.drops += self._session is not None
        self._give_up()

    def die(self) -> None:
        """Its process is killed."""
        self.dead = True
        self._give_up()

    def _give_up(self) -> None:
        session, self._session, self._locked = self._session, None, False
        if session is not None:
            self._cut(session)

    async def close(self) -> None:
        """See `Ledger.close`."""
        self._give_up()
