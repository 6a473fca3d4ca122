"""A flood of connections leaves the rest of the process its files: money is moved and read beside it."""

from __future__ import annotations

import asyncio

from tests.support.crowd import Line, Lost
from tests.support.rig import House
from tests.torture.toolbox import START

FILES = 400
FEW_FILES = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
"""


def test_a_flood_of_connections_leaves_files_to_the_ledger(own_house: House) -> None:
    house = own_house
    house.server.program = ["-c", FEW_FILES + START]
    house.server.start()
    assert f"takes {FILES // 2} connections, not 20000" in house.server.log
    user = house.player("300.0")

    async def flood() -> None:
        honest = await Line.open(house.server.url)
        crowd, turned_away = [await Line.open(house.server.url) for _ in range(FILES + 50)], 0
        for line in crowd:
            try:
                turned_away += (await line.send(house.partner.info(user))).status == 503
            except Lost:
                turned_away += 1
        assert turned_away >= 50
        # The first page of rounds and the first refund of this server: each opens files of its own.
        assert (await honest.send(house.partner.refund(user, "100.0"))).status == 200
        assert (await honest.send(house.partner.log({"start": 0, "limit": 10}))).status == 200
        for line in crowd:
            line.close()

    asyncio.run(flood())
    assert "Traceback" not in house.server.log
    assert "Too many open files" not in house.server.log
    assert house.balance(user) == "200.0"
