"""The examples of the document, played in order on a fresh server, give the documented answers."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from caisse.cli.demo.play import is_as_documented, parse
from caisse.dialects.references import EXAMPLES, MANUALS
from tests.openapi.test_document import MADE
from tests.support import served
from tests.support.served import KEY, TOKEN, Document

DOC = Document(MADE)
PREFIXES = {e.path: m.mounts[0].prefix for m in MANUALS for e in m.endpoints}
LOGS, LOG_TRIES = {"/log/slot", "/GetSlotLog"}, 300
"""A row of a slot log may come some seconds after its money (R57)."""
TIME = re.compile(r'"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"')


@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without"])
def test_the_examples_are_true(db_url: str, tmp_path: Path, keyed: bool) -> None:
    open_texts: dict[str, str] = {}
    with served.server(db_url, tmp_path) as server:
        for example in EXAMPLES:
            path = PREFIXES[example.path] + example.path
            said = MADE["paths"][path]["post"]
            target = DOC.target(path, said)
            if not keyed:
                target = target.removeprefix(f"/{KEY}")
            body = example.body.replace("<TOKEN>", TOKEN).encode()
            tries = LOG_TRIES if example.path in LOGS else 1
            for _ in range(tries):
                reply = served.send(server.url, "POST", target, body, {"Content-Type": "application/json"})
                DOC.judge(said, reply)
                told = TIME.sub('"<time>"', reply.body.decode())
                right = is_as_documented(parse(example.answer), parse(told), open_texts)
                if right or tries == 1:
                    break
                time.sleep(0.1)
            assert right, told
    assert len(set(open_texts.values())) == len(open_texts)


SEEDS = {
    "/user/refund": (
        '{"id":"tester","currency":"USD","uuid":"ab64cee3-f73b-4631-9abf-b1a09c1f9c36","amount":"200.0"}',
        '{"status":"OK","uuid":"ab64cee3-f73b-4631-9abf-b1a09c1f9c36","currency":"USD","amount":"200.0",'
        '"balance":"100.0"}',
    ),
    "/V4/Refund": (
        '{"reference":"585c1306f89c56f5ecfc2f5d","gameId":"Im_60_tumblefortune","providerId":"luckymonaco",'
        '"userId":"421","roundid":"5103188801","roundDetails":"spin","amount":10.0,'
        '"timestamp":"1482429190374","uuid":"4a5d375ac1311b04fba2ea66d067b8e5"}',
        '{"transactionId":"<transactionId>","error":"0","description":"Success"}',
    ),
}


@pytest.mark.parametrize("path", SEEDS)
def test_the_contracts_own_examples_are_among_them(path: str) -> None:
    first = next(example for example in EXAMPLES if example.path == path)
    assert tuple(re.sub(r"\s", "", text) for text in (first.body, first.answer)) == SEEDS[path]
