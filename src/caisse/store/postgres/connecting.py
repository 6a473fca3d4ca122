"""Connections to PostgreSQL: to the right one of the URL's hosts, with every setting that safety rests on.

Settings are made after connecting, by one statement: a pooler refuses most of them as startup parameters.
They are the session's, as prepared statements are, so a pooler that does not keep sessions is refused.

Of several hosts that take writes, the one with the highest timeline is the primary: each promotion of a
standby begins a new timeline. One that was the primary before may still take writes, if nobody stopped it.
"""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import asyncpg
import msgspec
from asyncpg.connect_utils import SessionAttribute

from caisse.store.api import Unavailable, Unsuitable
from caisse.store.postgres import conninfo
from caisse.store.postgres.conninfo import Conninfo
from caisse.store.postgres.failures import NOT_KEPT, said

CONNECT_SECONDS: Final = 10.0
"""For the only host there is."""
HOST_SECONDS: Final = 3.0
"""For each of several, so that all are asked before callers lose patience."""
CLOSE_SECONDS: Final = 1.0
"""For a polite end of a connection that is not wanted."""

PROBE_SECONDS: Final = 1.0
"""For a pooler to give us, or not, a second server session."""
PROBES: Final = 3
"""Each may miss while others use the same pool."""

CANNOT: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    ValueError,
    OverflowError,
)

RAISED: Final = (
    "case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end"
)
"""`synchronous_commit` as durable as caisse's promise needs it, never less than it is."""


def durable(*, local: bool) -> str:
    """Two cells of a select list: a commit waits for the disk and the standby, and a warning reaches us.

    `local`: for the transaction only, whichever session a pooler runs it in. They must stand in the
    outermost select list: where nobody needs their rows they are not executed, and a function's own setting
    ends with the function.
    """
    scope = str(local).lower()
    return (
        f"set_config('synchronous_commit', {RAISED}, {scope}),"
        f" set_config('client_min_messages', 'notice', {scope})"
    )


ASK: Final = f"""
select
    (select count(set_config(name, value, false)) from unnest($1::text[], $2::text[]) as given (name, value)),
    {durable(local=False)}, set_config('client_encoding', 'UTF8', false),
    current_setting('server_encoding') as encoding,
    current_setting('fsync') || current_setting('full_page_writes') = 'onon' as synced,
    current_setting('session_replication_role') as role,
    current_setting('default_transaction_read_only') = 'on' as read_only,
    pg_is_in_recovery() as standby,
    pg_backend_pid() as pid"""
"""Sets the session's settings, those of the URL first, and asks for what cannot be set."""

TIMELINE: Final = """
select system_identifier::text as cluster,
    case when pg_is_in_recovery() then '0' else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end
    as timeline
from pg_control_system()"""
"""Some hosted servers refuse it: then nothing is known of timelines, and the URL's order counts."""

committed_on: Final[dict[str, int]] = {}
"""Cluster -> the highest timeline that this process, by any connection, has sent a commit to."""
hanging: Final[set[str]] = set()
"""Hosts whose last commit gave no answer: others that are as good go first."""
keeping: Final[set[str]] = set()
"""URLs of single hosts behind a pooler that was seen to keep sessions."""


class Connection(asyncpg.Connection):
    """asyncpg counts its prepared statements from 1 in each process, and another process's may live on.

    A pooler that does not clear its server sessions, or changes them, would lead to a statement of theirs.
    """

    def _get_unique_id(self, prefix: str) -> str:
        return f"caisse_{prefix}_{secrets.token_hex(8)}"


class Session(msgspec.Struct):
    """A connection, and what it leads to."""

    connection: asyncpg.Connection
    host: str
    cluster: str = ""
    timeline: int = 0
    """0: not known, or a standby."""
    standby: bool = False
    read_only: bool = False
    synced: bool = True
    replica_role: bool = False
    encoding: str = "UTF8"
    kept: bool = True
    """False: a pooler gives each transaction another session."""

    @property
    def superseded(self) -> bool:
        """Whether this process has committed on a later timeline: what is read here may be out of date."""
        return 0 < self.timeline < committed_on.get(self.cluster, 0)

    def committing(self) -> None:
        """Note that a commit goes there."""
        if self.timeline > committed_on.get(self.cluster, 0):
            committed_on[self.cluster] = self.timeline

    def unfit(self, *, writes: bool) -> str:
        """Why it must not be used; empty if it may."""
        if not self.kept:
            return NOT_KEPT
        if self.encoding != "UTF8":
            return (
                f"the database's encoding is {self.encoding}, caisse needs UTF8: make it with"
                " 'createdb --encoding=UTF8 --template=template0'"
            )
        if not writes:
            return ""
        if self.standby:
            return "a standby, which takes no writes: give the primary's host, or all hosts"
        if self.read_only:
            return (
                "transactions are read only there: default_transaction_read_only is on for this server,"
                " database or role"
            )
        if self.replica_role:
            return "session_replication_role is 'replica' there, so the journal's triggers would not run"
        return ""


async def connect(url: str, settings: Mapping[str, str], *, writes: bool = True) -> Session:
    """A session on the primary, or, without `writes`, on the first host that `target_session_attrs` allows.

    Unsuitable if what answers must not be used, Unavailable if nothing does; both with what each host said.
    """
    info = conninfo.parse(url)
    if writes and info.attributes in ("read-only", "standby"):
        raise Unsuitable(f"target_session_attrs={info.attributes} asks for a server that takes no writes")
    if writes or info.attributes in ("read-write", "primary"):
        return await _primary(info, settings)
    return await _first(info, settings)


async def _primary(info: Conninfo, settings: Mapping[str, str]) -> Session:
    """All hosts are asked at once. The one with the highest timeline is taken, the others are let go."""
    asked = [asyncio.create_task(_session(info, host, settings)) for host in info.hosts]
    try:
        answers = await asyncio.gather(*asked)
    except BaseException:
        for task in asked:
            task.add_done_callback(_let_go)
            task.cancel()
        raise
    sessions = [answer for answer in answers if isinstance(answer, Session)]
    refusals = {s.host: s.unfit(writes=True) for s in sessions}
    fit = [s for s in sessions if not refusals[s.host]]
    taken = max((s for s in fit if not s.superseded), key=_standing, default=None)
    mixed = {s.cluster for s in fit if s.cluster}
    if len(mixed) > 1:
        taken = None
    await asyncio.gather(*(_close(s.connection) for s in sessions if s is not taken))
    if len(mixed) > 1:
        hosts = ", ".join(s.host for s in fit)
        raise Unsuitable(
            f"{hosts} take writes, and are no copies of one another: name the hosts of one cluster"
        )
    if taken is not None:
        return taken
    for s in fit:
        refusals[s.host] = (
            f"it is on timeline {s.timeline}, and this process has committed on {committed_on[s.cluster]}:"
            " it was the primary before"
        )
    failures = {a[0]: a[1] for a in answers if not isinstance(a, Session)}
    raise _nobody({host: failures.get(host) or refusals[host] for host in info.hosts}, unfit=not failures)


def _standing(session: Session) -> tuple[int, bool]:
    """The higher the better; equal ones in the URL's order."""
    return session.timeline, session.host not in hanging


async def _first(info: Conninfo, settings: Mapping[str, str]) -> Session:
    """In the URL's order. `prefer-standby` takes a primary only if there is no standby."""
    failures: dict[str, str] = {}
    unfit = True
    for wanted in (True, False) if info.attributes == "prefer-standby" else (info.attributes != "any",):
        for host in info.hosts:
            session = await _session(info, host, settings)
            if not isinstance(session, Session):
                failures[host], unfit = session[1], False
                continue
            if why := session.unfit(writes=False):
                failures[host] = why
            elif wanted and not (session.standby or (info.attributes == "read-only" and session.read_only)):
                failures[host] = f"not what target_session_attrs={info.attributes} asks for"
            else:
                return session
            await _close(session.connection)
    raise _nobody(failures, unfit=unfit)


def _nobody(said: Mapping[str, str], *, unfit: bool) -> Unavailable:
    alone = len(said) == 1
    text = "; ".join(why if alone else f"{host}: {why}" for host, why in said.items())
    if unfit:
        return Unsuitable(f"cannot use this PostgreSQL: {text}")
    return Unavailable(f"cannot connect to PostgreSQL: {text}")


async def _session(info: Conninfo, host: str, settings: Mapping[str, str]) -> Session | tuple[str, str]:
    """A session that has its settings; or the host, and what went wrong."""
    seconds = info.seconds or (CONNECT_SECONDS if len(info.hosts) == 1 else HOST_SECONDS)
    try:
        async with asyncio.timeout(seconds):
            return await _opened(info, host, settings)
    except CANNOT as error:
        return host, said(error) or f"no answer within {seconds:.0f} seconds"


async def _opened(info: Conninfo, host: str, settings: Mapping[str, str]) -> Session:
    connection = await _dialled(info, host)
    try:
        application = {"application_name": info.application} if info.application else {}
        named = {**info.settings, **settings, **application}
        (answer,) = await connection.fetch(ASK, list(named), list(named.values()))
        session = Session(
            connection,
            host,
            standby=answer["standby"],
            read_only=answer["read_only"],
            synced=answer["synced"],
            replica_role=answer["role"] == "replica",
            encoding=answer["encoding"],
            kept=await _is_kept(info, host, connection, answer["pid"]),
        )
        with suppress(asyncpg.PostgresError):
            (found,) = await connection.fetch(TIMELINE)
            session.cluster, session.timeline = found["cluster"], int(found["timeline"], 16)
    except BaseException:
        connection.terminate()
        raise
    return session


async def _dialled(info: Conninfo, host: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        info.hosts[host],
        connection_class=Connection,
        target_session_attrs=SessionAttribute.any,
        max_cached_statement_lifetime=0,
        server_settings=info.startup or None,
        ssl=info.tls,
    )


async def _is_kept(info: Conninfo, host: str, connection: asyncpg.Connection, pid: int) -> bool:
    """Whether statements stay in the session that they were in before, of this process id.

    A pooler shows by giving a process id of its own. It may lead back to the same session for as long as
    nobody else wants one, so another connection takes one first, and keeps it by a transaction.
    """
    if connection.get_server_pid() == pid or info.hosts[host] in keeping:
        return True
    for _ in range(PROBES):
        other = await _dialled(info, host)
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await other.execute("begin")
        except (*CANNOT, TimeoutError):  # a pool that has no session left for another proves nothing
            other.terminate()
            return True
        # Without a session for both, ours waits. One whose transaction is cut is given up, not given to us.
        cut = asyncio.get_running_loop().call_later(PROBE_SECONDS, other.terminate)
        try:
            found = await _pid(connection)
        finally:
            cut.cancel()
            other.terminate()
        if found != pid:
            return False
    keeping.add(info.hosts[host])
    return True


async def _pid(connection: asyncpg.Connection) -> int:
    """In a transaction, which a pooler that keeps not even those refuses in its own words."""
    async with connection.transaction():
        pid: int = await connection.fetchval("select pg_backend_pid()")
    return pid


def _let_go(task: asyncio.Task[Session | tuple[str, str]]) -> None:
    """Of somebody who stopped waiting: a connection that came all the same."""
    if not task.cancelled() and task.exception() is None:
        answer = task.result()
        if isinstance(answer, Session):
            answer.connection.terminate()


async def _close(connection: asyncpg.Connection) -> None:
    with suppress(*CANNOT):
        await connection.close(timeout=CLOSE_SECONDS)
