"""What clients cost who do not take their answers: the kernel keeps those, and no figure of ours shows it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import termios
from collections.abc import Callable
from fcntl import ioctl
from typing import Any, cast

import pytest

from caisse.web.server.exchange import Exchange
from caisse.web.server.sockets import SEND_BYTES, untaken
from caisse.web.server.unsent import Unsent
from tests.support.wire import LOOPS, Site, post, run_on, site, until

KERNEL_BYTES = 3 * SEND_BYTES
"""A kernel doubles what it is asked for, and may go past it by a segment."""
LARGE = b"x" * 1_000_000
QUICK: dict[str, Any] = {"receive_seconds": 0.3}


def answering(body: bytes) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.respond(200, body)


def deaf(there: Site, says: bytes) -> socket.socket:
    """A client that sends and takes nothing, with as little room for answers as a kernel lets it have."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    line.connect(("127.0.0.1", there.server.port))
    line.sendall(says)
    return line


def pages() -> int:
    """Bytes that TCP holds for all sockets of this network, ours and the clients'."""
    with open("/proc/net/sockstat") as file:
        line = next(line for line in file if line.startswith("TCP:")).split()
    return int(line[line.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")


def untaken_of(there: Site) -> list[int]:
    return [untaken(connection._socket) for connection in there.server.open]


@pytest.mark.parametrize("loop", LOOPS)
def test_no_second_answer_is_made_while_the_first_has_not_left(loop: str) -> None:
    async def test() -> None:
        async with site(answering(LARGE)) as there:
            crowd = [deaf(there, post("/a") * 10) for _ in range(30)]
            await there.until_seen(30)
            await asyncio.sleep(0.2)
            assert len(there.seen) == 30
            assert max(untaken_of(there)) <= KERNEL_BYTES
            for line in crowd:
                line.close()

    run_on(loop, test())


@pytest.mark.parametrize("loop", LOOPS)
def test_small_answers_that_nobody_takes_stop_where_the_kernel_has_its_fill(loop: str) -> None:
    async def test() -> None:
        async with site(answering(b"x" * 2_000)) as there:
            line = deaf(there, post("/a") * 400)
            await until(lambda: any(connection._blocked for connection in there.server.open))
            await asyncio.sleep(0.1)
            assert len(there.seen) * 2_000 <= KERNEL_BYTES + 10_000
            line.close()

    run_on(loop, test())


def test_the_kernels_memory_is_bounded_for_each_client() -> None:
    async def test() -> None:
        async with site(answering(LARGE)) as there:
            before = pages()
            crowd = [deaf(there, post("/a") * 10) for _ in range(100)]
            await there.until_seen(100)
            await asyncio.sleep(0.2)
            assert pages() - before < 100 * 2 * KERNEL_BYTES
            for line in crowd:
                line.close()

    run_on("uvloop", test())


@pytest.mark.parametrize("loop", LOOPS)
def test_in_all_only_so_much_is_untaken_and_some_are_cut_off(loop: str, caplog: Any) -> None:
    """Small answers, all of them in the kernel: no transport has a byte of them."""

    async def test() -> None:
        async with site(answering(b"x" * 20_000), unsent_bytes=1_000_000) as there:
            honest = await there.client()
            crowd = [deaf(there, post("/deaf") * 3) for _ in range(50)]
            for _ in range(100):
                await honest.send(post("/honest"))
                assert (await honest.answer()).status == 200
            await until(lambda: there.server.unsent.cut > 0)
            assert sum(untaken_of(there)) <= 1_000_000
            assert there.server.unsent.total <= 1_000_000
            assert there.server.connections < 51
            await honest.send(post("/honest"))
            assert (await honest.answer()).status == 200
            for line in crowd:
                line.close()

    run_on(loop, test())
    assert "clients take no answers" in caplog.text


class One:
    """A connection that took nothing yet."""

    def __init__(self, account: Unsent) -> None:
        self.account, self.left, self.ended = account, 0, False

    def write(self, size: int) -> None:
        self.left += size
        self.account.add(self, size)

    def queued(self) -> int:
        return self.left

    def abort(self) -> None:
        self.ended, self.left = True, 0
        self.account.forget(self)


def test_who_owes_most_is_cut_off_and_who_took_all_never() -> None:
    account = Unsent(100)
    taker, much, little = One(account), One(account), One(account)
    taker.write(60)
    taker.left = 0
    much.write(39)
    little.write(2)  # 101 were written, 41 are left
    assert (account.total, account.cut, len(account)) == (41, 0, 2)
    much.write(60)  # 101 are left
    assert [one.ended for one in (taker, much, little)] == [False, True, False]
    assert (account.total, account.cut, len(account)) == (2, 1, 1)


def test_one_with_less_than_its_share_is_never_cut_off() -> None:
    account = Unsent(100_000)
    honest = [One(account) for _ in range(50)]
    for one in honest:
        one.write(700)
    crowd = [One(account) for _ in range(50)]
    for size in (500, 1_000, 2_000, 4_000):
        for one in crowd:
            one.write(size)
    assert account.cut > 0
    assert not any(one.ended for one in honest)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_closed_connection_counts_until_its_last_answer_was_taken_or_is_thrown_away(loop: str) -> None:
    """A plain close would leave the answer to the kernel, which offers it for minutes, uncounted."""

    async def test() -> None:
        async with site(answering(b"x" * 50_000), **QUICK) as there:
            line = deaf(there, post("/a", b"", "Connection: close"))
            half = deaf(there, post("/b"))
            half.shutdown(socket.SHUT_WR)
            await there.until_seen(2)
            await asyncio.sleep(0.1)
            assert there.server.connections == 2
            await there.until_empty()
            for client in (line, half):
                client.settimeout(5)
                with pytest.raises(ConnectionResetError):
                    list(iter(lambda: client.recv(65536), b""))  # noqa: B023 - used up within the turn
                client.close()

    run_on(loop, test())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("shut", [True, False])
def test_a_last_answer_that_is_taken_late_is_whole(loop: str, shut: bool) -> None:
    async def test() -> None:
        async with site(answering(LARGE)) as there:
            line = deaf(there, post("/a", b"", "Connection: close"))
            if shut:
                line.shutdown(socket.SHUT_WR)
            await there.until_seen(1)
            await asyncio.sleep(0.2)
            line.setblocking(False)
            got = 0
            while part := await asyncio.get_running_loop().sock_recv(line, 1 << 20):
                got += len(part)
            assert got > len(LARGE)
            line.close()
            await there.until_empty()

    run_on(loop, test())


@pytest.mark.parametrize("loop", LOOPS)
def test_the_last_answer_survives_a_close_with_bytes_behind_its_request(loop: str) -> None:
    """Were our socket closed with those bytes unread, our kernel would reset, and theirs drop the answer."""

    async def test() -> None:
        async with site(answering(b"x" * 200_000)) as there:
            client = await there.client()
            transport = cast(asyncio.Transport, client.writer.transport)
            transport.pause_reading()
            await client.send(post("/a", b"", "Connection: close") + b"0123456789")
            await there.until_seen(1)
            await asyncio.sleep(0.2)
            await client.send(b"0123456789")
            transport.resume_reading()
            assert len((await client.answer()).body) == 200_000
            assert await client.rest() == b""

    run_on(loop, test())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_head_without_its_body_is_acknowledged_at_once(loop: str) -> None:
    """After some requests the kernel waits 40 ms for an answer to put the acknowledgement on; a client that
    holds the body back until then (Nagle) waits with it.
    """

    async def test() -> None:
        async with site() as there:
            client = await there.client()
            for _ in range(20):
                await client.send(post("/a", b"body"))
                await client.answer()
            [connection] = there.server.open
            quick = lambda: connection._transport.get_extra_info("socket").getsockopt(  # noqa: E731
                socket.IPPROTO_TCP, socket.TCP_QUICKACK
            )
            assert quick() == 0
            request = post("/a", b"body")
            await client.send(request[:-4])
            await until(lambda: connection._receiving)
            assert quick() == 1  # and not only after those 40 ms
            await client.send(request[-4:])
            assert (await client.answer()).body == b"POST /a body"

    run_on(loop, test())


def test_the_question_of_what_is_untaken_counts_what_the_other_side_has_no_room_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        receiver, _ = listener.accept()
        sender.setblocking(False)
        sent = 0
        try:
            while True:
                sent += sender.send(b"x" * 65536)
        except BlockingIOError:
            pass
        held = struct.unpack("i", ioctl(receiver.fileno(), termios.FIONREAD, bytes(4)))[0]
        assert 0 < untaken(sender) <= sent
        assert untaken(sender) >= sent - held - 4_000_000
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        receiver.close()
        assert untaken(sender) == 0
        sender.close()
