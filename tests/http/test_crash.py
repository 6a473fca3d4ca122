"""kill -9 under load: no acknowledged verdict is lost or changed, and nothing takes effect twice.

CAISSE_CRASH_CYCLES makes it longer; CAISSE_CRASH_SEED plays one run again, as far as a race can be.
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from caisse.core.money import UNIT
from tests.support.postgres import Borrowed, Postgres
from tests.support.record import Intent, Kind, Record, Storm
from tests.support.rig import House
from tests.support.server import Answer, Call
from tests.torture.kill_server import TELLS_EARLY, VERDICTS
from tests.torture.toolbox import START

CYCLES = int(os.environ.get("CAISSE_CRASH_CYCLES", "3"))


def new_seed() -> int:
    return int(os.environ.get("CAISSE_CRASH_SEED", secrets.randbits(32)))


def test_kill_9_under_load_loses_and_doubles_nothing(own_house: House) -> None:
    seed = new_seed()
    server, chance = own_house.server.start(), random.Random(seed)
    storm = Storm(own_house, seed)
    unanswered: list[int] = []
    for _ in range(CYCLES):
        first = len(storm.record.intents)
        unanswered.append(storm.rage(server.kill, chance.randint(*VERDICTS)))
        server.start()
        storm.heal()
        storm.repeat(storm.record.intents[first:])
        assert storm.record.findings(storm.balances()) == []
    storm.repeat(storm.record.intents)
    balances = storm.balances()
    print(
        f"seed {seed}: {CYCLES} kills, {len(storm.record.intents)} requests, {storm.record.verdicts} verdicts"
        f"; unanswered at each kill: {unanswered}"
    )
    assert storm.record.findings(balances) == []
    assert any(unanswered), "no kill found a request under way"
    own_house.audit()
    server.kill()
    own_house.audit()


def test_when_one_of_two_servers_is_killed_the_other_gives_its_verdicts(
    postgres: Postgres | Borrowed, tmp_path: Path
) -> None:
    """R1 and R6 over a failover: what the dead one left unanswered is asked of the living one."""
    house = House(postgres.create_database(), tmp_path, count=2)
    with house.servers[0], house.servers[1] as other:
        storm = Storm(house, new_seed())
        assert storm.rage(other.kill, 400, go_on=400)
        house.servers.remove(other)
        storm.heal()
        storm.repeat(storm.record.intents)
        assert storm.record.findings(storm.balances()) == []
    house.audit()


def test_the_record_finds_a_server_that_tells_before_it_is_durable(own_house: House) -> None:
    """The planted bug: with it, the same test must fail."""
    server = own_house.server
    server.start()
    storm = Storm(own_house, new_seed())
    server.kill()
    server.program = ["-c", TELLS_EARLY + START]
    server.start()
    storm.rage(server.kill, 1200)
    server.program = None
    server.start()
    storm.heal()
    storm.repeat(storm.record.intents)
    assert storm.record.findings(storm.balances())


# -- the oracle itself --


def ok(number: int, **more: object) -> Answer:
    text = ",".join(f'"{name}":"{value}"' for name, value in more.items())
    return Answer(200, f'{{"transactionId":"t{number}","error":0{"," if text else ""}{text}}}'.encode())


NO = Answer(200, b'{"error":120}')


def intent(kind: Kind, amount: int, key: str, *answers: Answer, bet: Intent | None = None) -> Intent:
    return Intent(kind, "p", amount * UNIT, Call("/", key.encode()), key, bet, list(answers))


def true_record() -> Record:
    record = Record({"p": 100 * UNIT})
    kept, undone = intent("bet", 10, "kept", ok(1)), intent("bet", 5, "undone", ok(2))
    never = intent("bet", 50, "never", NO, NO)
    for made in (
        *[kept, undone, never, intent("charge", 7, "c", ok(3), ok(3)), intent("withdraw", 3, "w", ok(4))],
        *[intent("withdraw", 500, "poor", NO), intent("result", 20, "win", ok(5), bet=kept)],
        *[
            intent("rollback", 0, "r1", ok(6), ok(6), bet=undone),
            intent("rollback", 0, "r2", ok(7), bet=never),
        ],
        *[intent("rollback", 0, "r1", ok(6), bet=undone), intent("rollback", 0, "r3", NO, bet=kept)],
    ):
        record.write(made)
    return record


TRUE_BALANCE = (100 - 10 + 7 - 3 + 20) * UNIT


def test_a_true_record_has_no_findings() -> None:
    assert true_record().findings({"p": TRUE_BALANCE}) == []


FALSE: dict[str, tuple[Callable[[Record], object], int]] = {
    "the balance is an atom too high": (lambda r: None, 1),
    "the balance is an atom too low": (lambda r: None, -1),
    "a refund was taken twice": (lambda r: None, -3 * UNIT),
    "a charge was lost": (lambda r: None, -7 * UNIT),
    "a rollback was given twice": (lambda r: None, 5 * UNIT),
    "a stake was taken and told as refused": (lambda r: None, -50 * UNIT),
    "an answer changed": (lambda r: r.intents[3].answers.append(ok(3, balance="1.0")), 0),
    "a refusal became a success": (lambda r: r.intents[5].answers.append(ok(8)), 0),
    "a request has no verdict": (lambda r: r.intents[5].answers.clear(), 0),
    "two requests are one transaction": (lambda r: r.intents[5].answers.__setitem__(0, ok(4)), -500 * UNIT),
    "a bet was won and rolled back": (lambda r: r.intents[-1].answers.__setitem__(0, ok(9)), 10 * UNIT),
    "a bet was won and never taken": (
        lambda r: r.write(intent("result", 1, "x", ok(10), bet=r.intents[2])),
        UNIT,
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_falsified_record_is_found_out(name: str) -> None:
    falsify, more = FALSE[name]
    record = true_record()
    falsify(record)
    assert len(record.findings({"p": TRUE_BALANCE + more})) == 1
