"""Answers of one step leave together in the next, whatever happens to a client in between."""

from __future__ import annotations

import asyncio

import pytest

from caisse.web.server.connection import Connection
from tests.support.wire import LOOPS, Client, Site, post, run_on, site

pytestmark = pytest.mark.parametrize("loop", LOOPS)


async def asked(there: Site, count: int) -> list[Client]:
    """So many clients, each with a request that waits for its answer."""
    clients = []
    for number in range(count):
        clients.append(await there.client())
        await clients[-1].send(post(f"/{number}"))
        await there.until_seen(number + 1)
    return clients


def tell_all(there: Site) -> None:
    for exchange in there.seen:
        there.echo(exchange)


def test_nothing_is_written_while_a_batch_is_told_and_all_of_it_in_the_next_step(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            clients = await asked(there, 3)
            tell_all(there)
            assert len(there.server.posted) == 3
            await asyncio.sleep(0)
            assert there.server.posted == []
            for number, client in enumerate(clients):
                assert (await client.answer()).body == b"POST /%d " % number

    run_on(loop, test())


def test_what_a_client_sends_before_its_answer_is_written_waits_for_it(loop):
    """Were the connection free already, the refusal of the garbage would overtake the answer."""

    async def test() -> None:
        async with site(hold=True) as there:
            (client,) = await asked(there, 1)
            (connection,) = there.server.open
            tell_all(there)
            connection.data_received(b"garbage\r\n\r\n")
            assert (await client.answer()).body == b"POST /0 "
            assert (await client.answer()).status == 400
            assert await client.gone()

    run_on(loop, test())


def test_a_client_that_is_gone_before_its_answer_is_written_keeps_nobody_from_theirs(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            _, other = await asked(there, 2)
            first = next(c for c in there.server.open if c is there.seen[0]._line)
            tell_all(there)
            first.abort()
            assert (await other.answer()).body == b"POST /1 "

    run_on(loop, test())


def test_an_answer_that_cannot_be_written_ends_its_connection_and_no_other(loop, monkeypatch, caplog):
    send = Connection.send

    def failing(connection: Connection, parts: tuple[bytes, ...], keep: bool) -> None:
        if b"POST /0 " in parts[0]:
            raise RuntimeError("the text of a failure may quote a secret")
        send(connection, parts, keep)

    async def test() -> None:
        async with site(hold=True) as there:
            first, other = await asked(there, 2)
            tell_all(there)
            assert (await other.answer()).body == b"POST /1 "
            assert await first.gone()

    monkeypatch.setattr(Connection, "send", failing)
    run_on(loop, test())
    assert "an answer could not be sent: RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_drain_that_begins_before_the_answer_is_written_ends_the_connection_behind_it(loop):
    async def test() -> None:
        async with site(hold=True) as there:
            (client,) = await asked(there, 1)
            drained = asyncio.ensure_future(
                there.server.drain(60, notice=0)
            )  # begins between telling and writing
            tell_all(there)
            assert (await client.answer()).body == b"POST /0 "
            assert await client.gone()
            await asyncio.wait_for(drained, 5)

    run_on(loop, test())
