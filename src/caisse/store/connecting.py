"""A connection to PostgreSQL: to the first of the URL's hosts that will do, each with its own time.

The driver tries several hosts too, but all within one time limit: a machine that is gone and answers nothing
would use it up, and the one that took over would never be asked.
"""

import asyncio
import re
from typing import Final

import asyncpg

from caisse.store.api import Unavailable

CONNECT_SECONDS: Final = 10.0
"""For the only host there is."""
HOST_SECONDS: Final = 3.0
"""For each of several, so that all are asked before callers lose patience."""

CANNOT: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a standby, where the one that writes is wanted
    OSError,
    ValueError,
    OverflowError,
)

_parts = re.compile(r"(?P<scheme>[a-z]+://)(?P<login>[^@/?#]*@)?(?P<hosts>[^/?#]*)(?P<rest>.*)", re.DOTALL)


def each_host(url: str) -> dict[str, str]:
    """Host -> the same URL with this host alone, in their order."""
    found = _parts.fullmatch(url)
    if found is None:
        return {"": url}
    before = found["scheme"] + (found["login"] or "")
    return {host: before + host + found["rest"] for host in found["hosts"].split(",")}


async def connect(url: str, settings: dict[str, str]) -> asyncpg.Connection:
    """A connection that commits durably, or Unavailable with what each host said."""
    hosts = each_host(url)
    seconds = CONNECT_SECONDS if len(hosts) == 1 else HOST_SECONDS
    failures = []
    for host, alone in hosts.items():
        try:
            async with asyncio.timeout(seconds):
                return await _durable(alone, settings)
        except CANNOT as error:
            said = str(error) or f"no answer within {seconds:.0f} seconds"
            failures.append(f"{host}: {said}" if len(hosts) > 1 else said)
    raise Unavailable(f"cannot connect to PostgreSQL: {'; '.join(failures)}")


async def _durable(url: str, settings: dict[str, str]) -> asyncpg.Connection:
    connection = await asyncpg.connect(url, server_settings=settings, max_cached_statement_lifetime=0)
    try:
        durable = await connection.fetchval("select current_setting('synchronous_commit')")
        if durable in ("off", "local"):
            await connection.execute("set synchronous_commit = on")
    except BaseException:
        connection.terminate()
        raise
    return connection
