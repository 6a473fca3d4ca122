"""The workloads: what is asked, and which answers are right."""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple

import msgspec

from bench.load.heads import PLAIN, heads
from bench.load.spec import LAG, Spec, http_post

PLAYERS: Final = 10_000
FUNDS: Final = "90000000000.0"
"""What each player is given: more than any run takes, less than the 14 integer digits of an amount."""
AMOUNT: Final = "1.0"
WIN: Final = "0.9"
"""What a bet of AMOUNT wins in the game's mix."""
TOO_MUCH: Final = "99000000000.0"
OK: Final = '"status":"OK"'
REFUSED: Final = '"code":3'

QUICK: Final = ("spread", "refusals", "hot", "repeats")
"""What every contender takes; what one is a ratio of, the others follow as closely as they can."""
KINDS: Final = {"refusals": "spread"}
"""Workload -> the order of its requests, where that has another name."""


class Doors(NamedTuple):
    """Where a wallet over HTTP is asked."""

    query: str
    """What stands behind the path: who asks."""
    seamless: str = ""
    """What stands before /V4."""


def spec(workload: str, doors: Doors, players: int, kind: str = PLAIN, connections: int = 1) -> Spec:
    """A workload's requests under one kind of heads, each run with uuids of its own."""
    if workload == "mix":
        mix = _spec("mix", list(_plays(doors)), ['"error":0', '"error":"0"'], players, kind)
        return msgspec.structs.replace(mix, lag=LAG * connections)
    refused = workload == "refusals"
    body = f'{{"id":"@P","currency":"USD","amount":"{TOO_MUCH if refused else AMOUNT}","uuid":"@U"}}'
    template = http_post(f"/user/refund{doors.query}", body)
    return _spec(KINDS.get(workload, workload), [template], [REFUSED if refused else OK], players, kind)


def funding(doors: Doors, players: int) -> list[Spec]:
    """What makes the players and gives them money, each step once for every player."""
    bodies = {
        "create": '{"id":"@P","name":"Player","uuid":"@U"}',
        "create_wallet": '{"id":"@P","currency":"USD","uuid":"@U"}',
        "charge": f'{{"id":"@P","currency":"USD","amount":"{FUNDS}","uuid":"@U"}}',
    }
    templates = [http_post(f"/user/{verb}{doors.query}", body) for verb, body in bodies.items()]
    return [_spec("each", [template], [OK], players, PLAIN) for template in templates]


def _spec(order: str, templates: list[str], expect: list[str], players: int, kind: str) -> Spec:
    run = secrets.token_hex(5)
    return Spec(
        kind=order, templates=templates, heads=heads(kind, run), expect=expect, players=players, run=run
    )


def _plays(doors: Doors) -> tuple[str, str, str]:
    """A bet, its result, its rollback."""
    who = '"providerId":"luckymonaco","userId":"@P","uuid":"@U","gameId":"g1","gamename":"Game"'
    game = f'{who},"roundId":"r@R","sessionId":"s-@P","currency":"USD","roundDetails":"spin"'
    bet = f'{{{game},"amount":{AMOUNT},"reference":"b@R","timeStamp":"1482429190374"}}'
    result = f'{{{game},"amount":{WIN},"reference":"w@R","timestamp":"1482429190374"}}'
    rollback = f'{{{who},"roundId":"r@R","reference":"b@R","roundDetails":"spin"}}'
    path = f"{doors.seamless}/V4"
    return (
        http_post(f"{path}/Bet", bet),
        http_post(f"{path}/Result", result),
        http_post(f"{path}/Refund", rollback),
    )
