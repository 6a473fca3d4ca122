"""After a fault: every request gets its verdict, for a client that sends again what was told 503."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.support.crowd import sent
from tests.support.record import Intent, Storm, amount_of
from tests.support.rig import House
from tests.support.server import Answer, Call

TIMES = 100
PAUSE_SECONDS = 0.1
"""How often, and how soon, a client asks again."""


def heal(house: House, storm: Storm, first: int) -> None:
    """All of unknown fate again; new ones; and the verdicts since the first of a round once more."""
    insist(house, storm.record.unknown)
    insist(house, storm.new_ones())
    insist(house, storm.record.intents[first:])


def insist(house: House, intents: Sequence[Intent]) -> None:
    """Each gets a verdict."""
    for intent, answer in zip(intents, answers(house, [i.call for i in intents]), strict=True):
        intent.answers.append(answer)


def balances(house: House, storm: Storm) -> dict[str, int]:
    """What the books say of each player."""
    users = list(storm.record.players)
    told = answers(house, [house.partner.balance(user) for user in users])
    return {user: amount_of(str(answer.body["balance"])) for user, answer in zip(users, told, strict=True)}


def answers(house: House, calls: Sequence[Call]) -> list[Answer]:
    """Send, and send again what was told 503; the verdicts in order."""
    verdicts: dict[Call, Answer] = {}
    for _ in range(TIMES):
        left = [call for call in dict.fromkeys(calls) if call not in verdicts]
        for call, answer in zip(left, sent(house.server, left), strict=True):
            assert answer.status in (200, 503), answer
            if answer.status == 200:
                verdicts[call] = answer
        if len(verdicts) == len(set(calls)):
            return [verdicts[call] for call in calls]
        time.sleep(PAUSE_SECONDS)
    raise AssertionError(f"still no verdict for {len(left)} requests")
