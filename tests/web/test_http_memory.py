"""What clients who take and send without measure cost in memory, on the loop that servers run on."""

from __future__ import annotations

import asyncio
import tracemalloc

from caisse.web.server.sockets import RECEIVE_BYTES
from tests.support.wire import post, run_on, site, until

DEAF = 40
LARGE = b"x" * 8_000_000
"""More than the kernel takes of an answer that nobody reads."""


def test_a_large_answer_that_nobody_takes_is_not_copied_for_each_client():
    async def test() -> None:
        async with site(lambda exchange: exchange.respond(200, LARGE)) as there:
            crowd = [await there.client() for _ in range(DEAF)]
            tracemalloc.start()
            for client in crowd:
                client.writer.write(post("/a"))
            await there.until_seen(DEAF)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert most < 2 * len(LARGE)
            for client in crowd:
                client.writer.transport.abort()

    run_on("uvloop", test())


def test_most_of_what_is_sent_on_and_on_stays_in_the_clients_own_memory():
    async def test() -> None:
        async with site(hold=True) as there:
            client = await there.client()
            client.writer.write(post("/a", b"x" * 10_000) * 2000)
            await there.until_seen(1)
            await until(lambda: any(connection._rest for connection in there.server.open))
            await asyncio.sleep(0.2)
            [connection] = there.server.open
            assert len(connection._rest) <= 2 * RECEIVE_BYTES
            client.writer.transport.abort()

    run_on("uvloop", test())
