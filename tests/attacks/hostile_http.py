"""Hostile HTTP: slow, silent, endless, smuggling clients by the thousand, and honest ones among them.

While they are there (and they come back at once when they are sent away) honest clients go on and get their
verdicts. Then the hostile ones let go, and the server must be rid of every one of them, having told each what
it may be told, carried out nothing of what stood behind something broken, and kept its memory.
"""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil

from caisse.web.server.exchange import Limits
from caisse.web.server.sockets import SEND_BYTES
from tests.attacks.hostile_crowd import IDLE, KINDS, Crowd, Ending, Wanted, allow_connections
from tests.support.record import Storm
from tests.support.rig import House
from tests.support.server import Call, Server
from tests.torture.kernel import Kept, kept
from tests.torture.toolbox import START, Harness, Run

SHORT, LONG = 150, 10_000
"""Hostile connections at the same time."""
SHORT_VERDICTS, LONG_VERDICTS = 300, 15_000
SPARE_FILES = 1000
QUICK_SECONDS, REAL_SECONDS, IDLE_SECONDS = 2.0, 10.0, 75.0
"""For a whole request, in the short form and as it is; and for silence between two."""
GRACE_SECONDS = 30.0
"""How much later than its deadline a connection may end in the long form: two seconds of lingering, and what
a machine takes that sends away thousands, who come back at once, from itself."""
PATIENCE, BRIEF = 60.0, 4.0
"""For all to be gone: once a bug is planted there is no need to wait for long."""
BYTES_EACH = 32 * 1024
BYTES_MORE = 64 * 1024 * 1024
"""What the server may grow by: for each connection, and for the honest load."""
KERNEL_EACH = 3 * SEND_BYTES
"""What a kernel may keep of answers for one client: twice what it is asked for, and a segment more."""
KERNEL_MORE = 16 * 1024 * 1024
"""For the honest clients, and for what clients send."""
UNTAKEN = Limits().unsent_bytes
EVERY = 20
"""Of so many looks one is at the kernel's list of sockets, which is long."""
LATENCY_SECONDS = 30.0
"""The longest that an honest request may take in the long form, a new connection and all, on a machine that
also runs its attackers. How long it did take is told."""

QUICK = f"""
from caisse.web.server.exchange import Limits
from caisse.web.server.http import Server

Server.__init__.__defaults__ = (Limits(receive_seconds={QUICK_SECONDS}),)
"""
"""The short form's server: the same, with a shorter deadline for a request."""

KERNEL_TAKES_ALL = """
from caisse.web.server import http

http.bound_buffers = lambda listening: None
"""

ANSWERS_ON = """
from caisse.web.server import connection, http
from caisse.web.server.connection import Connection

real = Connection.connection_made

def made(self, transport):
    real(self, transport)
    transport.set_write_buffer_limits(high=10**9)

def plain_close(self, linger=False):
    self._phase = connection.CLOSING
    self._due_in(self._limits.receive_seconds)
    self._transport.close()

Connection.connection_made, Connection._close = made, plain_close
http.bound_buffers = lambda listening: None
"""
"""As it was: closed connections are the kernel's, and further answers are made before the last has left."""

WAITS_FOR_EVER = """
from caisse.web.server.connection import Connection

Connection.expire = lambda self: None
"""

TAKES_ALL = """
vast = {"body_bytes": 10**9, "head_bytes": 10**9, "header_count": 10**6}
Server.__init__.__defaults__ = (Limits(receive_seconds=2.0, **vast),)
"""

TAKES_BOTH_LENGTHS = """
from caisse.web.server import parser as incoming

def lenient(callbacks, real=incoming.HttpRequestParser):
    parser = real(callbacks)
    parser.set_dangerous_leniencies(lenient_chunked_length=True)
    return parser

incoming.HttpRequestParser = lenient
"""


def attack(run: Run) -> None:
    """A storm of honest clients in a crowd of hostile ones, then the end of the crowd."""
    house = run.house()
    server = house.server.start()
    storm = Storm(house, run.seed)
    victim = house.player("")
    server.stop()
    arm(run, house)
    server.start()
    for _ in run.rounds():
        evil = spelled(house.partner.charge(victim, "1000.0"))
        with Crowd(wanted(run, server, evil)) as crowd:
            run.fault("hostile connections at once", crowd.gathered())
            with watched(run, server, house.partner.balance(victim)):
                honest(run, storm)
            there, endings = crowd.let_go()
        run.saw("there when the honest had done", there)
        run.find(*wrong_endings(run, endings), *storm.record.findings(storm.balances()))
        if house.balance(victim) != "0.0":
            run.find("what stood behind a broken request was carried out")
    server.stop()
    run.audit(house.db)


def arm(run: Run, house: House) -> None:
    """From its next start on the server has the short deadline, and the planted bug if there is one."""
    if not run.is_long:
        house.server.program = ["-c", QUICK + run.plant + START]


def wanted(run: Run, server: Server, evil: str) -> Wanted:
    """How many, as far as this machine lets us; in the short form nobody waits for the long deadline."""
    count = min(LONG, max(SHORT, allow_connections() - SPARE_FILES)) if run.is_long else SHORT
    kinds = [kind.what for kind in KINDS if run.is_long or kind.ends != IDLE]
    patience = BRIEF if run.plant else PATIENCE + (IDLE_SECONDS if run.is_long else 0)
    return Wanted(server.url, count, evil, kinds, patience)


def spelled(call: Call) -> str:
    head = f"POST {call.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(call.body)}\r\n\r\n{call.body.decode()}"


def honest(run: Run, storm: Storm) -> None:
    """Each request gets its verdict; any whose connection was lost gets it when sent again."""
    first = len(storm.record.intents)
    verdicts = LONG_VERDICTS if run.is_long else SHORT_VERDICTS
    run.saw("honest requests sent again", storm.rage(lambda: None, verdicts, go_on=1))
    storm.heal()
    run.saw("honest verdicts", len(storm.record.intents) - first)


@contextmanager
def watched(run: Run, server: Server, call: Call) -> Iterator[None]:
    """Beside what goes on: how long one more honest request takes, and how large the server becomes."""
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    port = urlsplit(server.url).port or 0
    sizes, waits, kernel, done = [before], [0.0], [kept(port)], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            waits.append(waited(server, call))
            sizes.append(process.memory_info().rss)
            if len(sizes) % (EVERY if run.is_long else 2) == 0:
                kernel.append(kept(port))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()
        judge_cost(run, max(sizes) - before, waits)
        judge_kernel(run, kernel)


def waited(server: Server, call: Call) -> float:
    """Seconds for one request on a connection of its own."""
    target = urlsplit(server.url)
    begun = time.monotonic()
    line = http.client.HTTPConnection(target.hostname or "", target.port, timeout=PATIENCE)
    line.request("POST", call.path, call.body, {"Content-Type": "application/json"})
    assert line.getresponse().status == 200
    line.close()
    return time.monotonic() - begun


def judge_cost(run: Run, grown: int, waits: list[float]) -> None:
    """Memory is bounded in either form; time is measured, and bounded in the long form only."""
    most = run.faults["hostile connections at once"] * BYTES_EACH + BYTES_MORE
    if grown > most:
        run.find(f"the server grew by {grown >> 20} MiB, more than {most >> 20}")
    if run.is_long:
        for figure, value in (
            ("MiB more at most", grown / 2**20),
            ("ms for an honest request, median", 1000 * statistics.median(waits)),
            ("ms for an honest request at most", 1000 * max(waits)),
        ):
            run.figures[figure] = max(run.figures[figure], round(value))
        if max(waits) > LATENCY_SECONDS:
            run.find(f"an honest request took {max(waits):.1f} s")


def judge_kernel(run: Run, looks: list[Kept]) -> None:
    """What no process has: bounded for each connection, for all answers, and as memory."""
    grown = max(look.memory for look in looks) - looks[0].memory
    longest, untaken = max(look.longest for look in looks), max(look.untaken for look in looks)
    run.figures["KiB that the kernel kept of one client's answers"] = longest >> 10
    run.figures["MiB of answers that the kernel kept"] = untaken >> 20
    run.figures["MiB more of kernel memory at most"] = grown >> 20
    if longest > KERNEL_EACH:
        run.find(
            f"the kernel kept {longest >> 10} KiB of one client's answers, more than {KERNEL_EACH >> 10}"
        )
    if untaken > UNTAKEN:
        run.find(f"the kernel kept {untaken >> 20} MiB of answers, more than {UNTAKEN >> 20}")
    most = run.faults["hostile connections at once"] * KERNEL_EACH + KERNEL_MORE
    if grown > most:
        run.find(f"the kernel's memory grew by {grown >> 20} MiB, more than {most >> 20}")


def wrong_endings(run: Run, endings: dict[str, Ending]) -> Iterator[str]:
    """Connections that did not end, or not in time, or not as they may."""
    for kind in KINDS:
        ending = endings.get(kind.what)
        if ending is None:
            continue
        run.saw("hostile connections sent away", sum(ending.told.values()))
        if ending.open:
            yield f"{kind.what}: {ending.open} are still there"
        strange = {told: n for told, n in ending.told.items() if told not in kind.told and not kind.deaf}
        if strange:
            yield f"{kind.what}: was told {strange}, not {kind.told}"
        deadline = IDLE_SECONDS if kind.ends == IDLE else REAL_SECONDS
        if run.is_long and ending.longest > deadline + GRACE_SECONDS:
            yield f"{kind.what}: lasted {ending.longest:.1f} s"


HARNESS = Harness(
    claim="in a crowd of hostile clients the honest get their verdicts, and every hostile one is sent away",
    attack=attack,
    rounds=1,
    plants={
        "no deadlines": WAITS_FOR_EVER,
        "the kernel keeps what nobody takes": KERNEL_TAKES_ALL,
        "answers before the last has left, and closes at once": ANSWERS_ON,
        "no limits of size": TAKES_ALL,
        "a length beside chunks is overlooked": TAKES_BOTH_LENGTHS,
    },
)
