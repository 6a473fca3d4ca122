"""No verdict without a code, no field without a word: the tables against the rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisse.core.policy import Policy
from caisse.core.verdicts import ACCEPTED, Verdict
from caisse.dialects.kyren_v1 import door as kyren_v1
from caisse.dialects.seamless_v4 import table as seamless_v4_table
from caisse.dialects.transfer_v3 import door as transfer_v3
from caisse.dialects.transfer_v3.door import FAILURES
from caisse.dialects.wire.seamless import OF_BETS, REFUSALS, WRONG
from caisse.dialects.wire.table import Endpoint
from caisse.dialects.wire.values import Wrong
from tests.support.harness import KEY, SEAMLESS, TOKEN_QUERY, TRANSFER, Said, funded, packed, play_body, uuid

TABLES = {"transfer V3": transfer_v3.ENDPOINTS, "seamless V4": seamless_v4_table.ENDPOINTS}
CODES = {"transfer V3": FAILURES, "seamless V4": REFUSALS}
ENDPOINTS: list[Endpoint] = [e for table in (*TABLES.values(), kyren_v1.ENDPOINTS) for e in table]
NOT_ON_THESE_DOORS = {
    *(Verdict.ALREADY_TRANSFERRED, Verdict.TRANSFER_UNKNOWN),  # transfer V4
    Verdict.MONEY_STANDS,  # `caisse player forget`
}


@pytest.mark.parametrize("dialect", TABLES)
def test_every_refusal_that_can_occur_has_a_code_and_every_code_can_occur(dialect: str) -> None:
    named = {verdict for endpoint in TABLES[dialect] for verdict in endpoint.refusals}
    assert named == set(CODES[dialect])


def test_every_verdict_is_told_by_some_dialect() -> None:
    told = {verdict for codes in CODES.values() for verdict in codes}
    assert told | ACCEPTED | NOT_ON_THESE_DOORS == set(Verdict)
    assert not told & (ACCEPTED | NOT_ON_THESE_DOORS)


def test_every_wrong_field_has_a_code_and_bets_own_codes_are_of_bets() -> None:
    assert set(WRONG) == set(Wrong)
    assert set(OF_BETS) <= set(seamless_v4_table.BET.refusals)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
def test_every_endpoint_can_be_documented(endpoint: Endpoint) -> None:
    assert endpoint.summary.endswith((".", "?"))
    assert len(set(endpoint.refusals)) == len(endpoint.refusals)
    assert len(endpoint.names) == len({name.lower() for name in endpoint.names}) == len(endpoint.fields)
    abouts = [field.about for field in endpoint.fields] + [shown.about for shown in endpoint.success]
    assert all(about.endswith(".") and "\n" not in about for about in abouts)
    json.dumps([field.type.schema for field in endpoint.fields] + [s.schema for s in endpoint.success])


few = st.sampled_from
plays = st.fixed_dictionaries(
    {},
    optional={
        "userId": few(["421", "7", "poor", "nobody"]),
        "reference": few(["x", "y", "z"]),
        "roundId": few(["r1", "r2"]),
        "amount": few(["0", "10.0", 10, "60"]),
        "gameId": few(["g1", "g2"]),
        "sessionId": few(["s1", "s2"]),
        "currency": few(["USD", "EUR"]),
        "promoWinAmount": few([1, 2]),
        "promoWinReference": few(["x", "y"]),
        "bonusCode": few(["b"]),
    },
)
seamless_calls = st.builds(
    lambda endpoint, changes: (
        SEAMLESS,
        Said(f"/{KEY}{endpoint.path}", packed(play_body(endpoint.path.rpartition("/")[2], **changes))),
    ),
    few(seamless_v4_table.ENDPOINTS),
    plays,
)
transfer_calls = st.builds(
    lambda endpoint, user, currency, amount, n: (
        TRANSFER,
        Said(
            endpoint.path,
            packed({"id": user, "name": user, "currency": currency, "amount": amount, "uuid": uuid(n)}),
            TOKEN_QUERY,
        ),
    ),
    few(transfer_v3.ENDPOINTS),
    few(["421", "7", "new", "nobody"]),
    few(["USD", "EUR"]),
    few(["1", "250.5", "99999999999999"]),
    st.integers(1, 6),
)
policies = st.builds(
    Policy,
    unknown_bet=few(["success", 17]),
    late_bet=few(["refuse", "absorb"]),
    refund_amount=few(["at_most", "exact"]),
    settled_bet=few(["refuse", "return_stake"]),
    refund_by_round=st.booleans(),
    retransmission=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(policies, st.lists(seamless_calls | transfer_calls, max_size=25))
def test_whatever_is_decided_can_be_told(policy: Policy, calls: list[Any]) -> None:
    """Any order of calls on both doors: each refusal is one that its endpoint lists; R1: a repeat gets the
    same answer at once, but for the mark of a retransmission."""
    desk = funded("421", "7", amount="100.0").under(policy)
    desk.freeze("7")
    for door, sent in calls:
        first = desk.send(door, sent)
        assert first.status == 200
        again = json.loads(desk.send(door, sent).body)
        again.pop("retransmission", None)
        said = json.loads(first.body)
        said.pop("retransmission", None)
        assert again == said
