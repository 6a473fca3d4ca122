"""Schemathesis over the API's own document: no answer but those it promises, no money that no row explains.

Requests are made from the document that the server itself serves, half of them as it asks for and half that
break it, and each answer is judged by schemathesis alone: none of our own code says what is documented.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as promised

from tests.openapi.test_truth import KNOWN
from tests.support import served
from tests.support.server import Partner, Server
from tests.torture.toolbox import START, Harness, Run

EXAMPLES = 2
"""Requests of each operation and each mode in one round."""
FUNDS = "500000.0"
CREDENTIALS = {"partner_id": "demo", "token": served.TOKEN, "authToken": served.KEY}
SUCCESS = re.compile(rb'"status": ?"OK"|"error": ?"?0[",]')
CHECKS = [
    checks.not_a_server_error,
    promised.status_code_conformance,
    promised.content_type_conformance,
    promised.response_headers_conformance,
    promised.response_schema_conformance,
]
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)

TELLS_MORE = """
from caisse.dialects.transfer_v3 import door as transfer_v3

def plant(real):
    return lambda uuid, failure: real(uuid, failure)[:-1] + b',"at":"somewhere"}'

transfer_v3._failed = plant(transfer_v3._failed)
"""
"""A refusal with a field that no document has."""

STUMBLES = """
from caisse.currencies import table as currencies

currencies.normalise = lambda text: currencies.DEFAULT[text.upper()].code
"""
"""Takes it for granted that a currency is one, and so raises where it is none."""

STORES_MORE = """
import msgspec
from caisse.store import columns

real = columns.balances_of

def richer(player):
    return real(msgspec.structs.replace(player, wallets={c: n + 1 for c, n in player.wallets.items()}))

columns.balances_of = richer
"""
"""Writes each wallet a grain richer than its rows."""


def attack(run: Run) -> None:
    """Ask for everything, well and badly, in the short form for half of it; then the books are audited."""
    db = run.database()
    server = served.server(db, run.new_folder())
    if run.plant:
        server.program = ["-c", run.plant + START]
    run.keep(server)
    furnish(server)
    api = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    for _ in run.rounds():
        asked = list(operations(run, api, server.url))
        for ask in asked if run.is_long else run.chance.sample(asked, len(asked) // 2):
            if not run.findings:
                ask()
        run.audit(db)


def furnish(server: Server) -> None:
    """Players who have money, so that generated calls get past the first guards."""
    partner = Partner("demo", served.TOKEN)
    for user in ("421", "tester"):
        for call in (partner.create(user), partner.wallet(user), partner.charge(user, FUNDS)):
            server.send(call)


def operations(run: Run, api: Any, url: str) -> Iterator[Callable[[], None]]:
    """For each operation and mode what asks and judges; a page takes nothing that could be wrong."""
    for found in api.get_all_operations():
        operation = found.ok()
        for mode in MODES if operation.body else MODES[:1]:
            yield asking(run, operation.as_strategy(generation_mode=mode), url)


def asking(run: Run, cases: Any, url: str) -> Callable[[], None]:
    """Nothing is raised out of it, so hypothesis has nothing to shrink or to play again."""

    @hypothesis.seed(run.chance.getrandbits(32))
    @hypothesis.settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(cases)
    def ask(case: Any) -> None:
        let_in(case, run.chance)
        run.find(*judged(run, case, url))

    return ask


def judged(run: Run, case: Any, url: str) -> list[str]:
    """What is not as documented in the answer to one request."""
    answer = case.call(base_url=url)
    run.saw(f"answers {answer.status_code}")
    run.saw("successes among them", SUCCESS.search(answer.content) is not None)
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as failures:
        shown = f"{case.method} {case.operation.path} {answer.status_code} {answer.content[:200]!r}"
        return [f"{shown}: {' '.join(str(failure).split())[:300]}" for failure in failures.exceptions]
    return []


def let_in(case: Any, chance: random.Random) -> None:
    """Make most requests ones of a partner that exists, about players that have money."""
    if chance.random() < 0.1:
        return
    if "key" in (case.path_parameters or {}):
        case.path_parameters["key"] = served.KEY
    case.query = {**(case.query or {}), **CREDENTIALS}
    if isinstance(case.body, dict):
        case.body = acquainted(case.body, chance)


def acquainted(fields: dict[str, Any], chance: random.Random, within: str = "") -> dict[str, Any]:
    """The fields, most of those that name something naming what is there; one that is no text is left so."""

    def value(name: str, sent: Any) -> Any:
        if isinstance(sent, dict):
            return acquainted(sent, chance, f"{name}.")
        known = KNOWN.get(within + name)
        secret = name in ("secureLogin", "token")
        return chance.choice(known) if known and (secret or chance.random() < 0.8) else sent

    return {name: value(name, sent) for name, sent in fields.items()}


HARNESS = Harness(
    claim="whatever is made from the API's document, well or badly, gets a documented answer and never a 5xx",
    attack=attack,
    rounds=1,
    plants={
        "a refusal has a field more than documented": TELLS_MORE,
        "a currency that is none is not expected": STUMBLES,
        "wallets are stored a grain richer than their rows": STORES_MORE,
    },
    faultless=True,
)
