"""The ceiling: caisse's own HTTP server answering the same bytes, with no ledger behind it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import uvloop

from bench.contenders.contender import DOORS, Contender, OverHttp, Server
from bench.world import World, process, until
from caisse.web.server.exchange import Exchange
from caisse.web.server.http import Server as HttpServer

ANSWER: Final = (
    b'{"status":"OK","uuid":"00000000-0000-4000-8000-000000000000","currency":"USD","amount":"1.0",'
    b'"balance":"89999999999.0"}'
)


class Ceiling(Contender):
    """Shows what HTTP alone costs, and that the generator can offer more than any ledger takes."""

    name = "ceiling"
    about = "caisse's HTTP server answering the same bytes, no ledger: not a wallet, a limit"
    workloads = ("spread",)

    def __init__(self, world: World) -> None:
        super().__init__(replace(world, postgres=None))

    def prepare(self) -> str:
        """Nothing is kept."""
        return "keeps nothing"

    @contextmanager
    def running(self) -> Iterator[OverHttp]:
        """One turn."""
        log = self.world.folder / "ceiling.log"
        with process([sys.executable, "-m", "bench.contenders.ceiling"], log) as child:
            until(lambda: log.read_text().rpartition("\n")[0].split("\n")[-1].isdigit(), child, log)
            server = Server(int(log.read_text().split()[-1]), child.pid)
            yield OverHttp(self.name, self.world, server, DOORS, self.world.connections, self.world.players)


def _answer(exchange: Exchange) -> None:
    exchange.respond(200, ANSWER)


def _reject(status: int, path: str) -> tuple[int, bytes]:
    return status, b"{}"


async def main() -> None:
    """Serve until ended; the port goes to standard output."""
    server = HttpServer(_answer, _reject)
    await server.start("127.0.0.1", 0)
    print(server.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
