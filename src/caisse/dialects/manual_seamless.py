"""The manuals of the seamless door, editions 4 and 3, from the tables that serve them."""

import json
from collections.abc import Iterator
from typing import Final

from caisse.dialects import seamless_v3, seamless_v3_table, seamless_v4
from caisse.dialects.door import Route
from caisse.dialects.manual import Body, Manual, Mount, Parameter, Policies, faults, shown
from caisse.dialects.seamless_v3 import SeamlessV3
from caisse.dialects.seamless_v4 import SUCCESS, SeamlessV4
from caisse.dialects.seamless_v4_table import (
    CANCEL,
    END_ROUND,
    ENDPOINTS,
    LOGIN,
    NO_VERDICT,
    RESULT,
    ROUND_NOT_ENDED,
    UNREADABLE,
    WRONG,
    Refusal,
)
from caisse.dialects.table import Endpoint
from caisse.dialects.values import PRINTABLE, Wrong

_REFERENCE: Final = {
    "type": "string",
    "maxLength": 128,
    "description": "The request's; empty if none could be read.",
}
_REPEATED: Final = {"retransmission?": {"const": True, "description": "A repeat, told the first answer."}}

KEY: Final = Parameter(
    "key",
    "path",
    "The connection's secret key.",
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,128}$", "minLength": 8, "maxLength": 128},
    "a-secret-key-of-43-characters-or-thereabouts",
)


def _success_4(endpoint: Endpoint) -> Body:
    return seamless_v4.body_of(endpoint, SUCCESS, {**shown(endpoint.success)}) | _REPEATED


def _refusals_4(endpoint: Endpoint, policies: Policies) -> Iterator[Body]:
    for refusal in (LOGIN, UNREADABLE, *_wrong_4(endpoint)):
        yield _refused_4(endpoint, refusal)
    for policy in policies:
        for verdict in endpoint.refusals:
            yield {**_refused_4(endpoint, seamless_v4.refusal_of(endpoint, policy, verdict)), **_REPEATED}


def _wrong_4(endpoint: Endpoint) -> Iterator[Refusal]:
    """What can be wrong with the fields: each alone, and a promotional win without its amount."""
    for wrong, name in faults(endpoint):
        yield _naming(WRONG[wrong], name)
    if endpoint is RESULT:
        yield _naming(WRONG[Wrong.PARAMETER], "promoWinAmount")


def _naming(refusal: Refusal, field: str) -> Refusal:
    return refusal._replace(description=f"{refusal.description}: {field}")


def _refused_4(endpoint: Endpoint, refusal: Refusal) -> Body:
    return seamless_v4.body_of(endpoint, refusal, {"reference": _REFERENCE} if endpoint is CANCEL else {})


def _failure_4(endpoint: Endpoint, status: int) -> Body:
    if status != 503:
        return _rejected_4(endpoint, status)
    return _refused_4(endpoint, ROUND_NOT_ENDED if endpoint is END_ROUND else NO_VERDICT)


def _rejected_4(endpoint: Endpoint, status: int) -> Body:
    body: dict[str, object] = json.loads(SeamlessV4().reject(status, Route(endpoint)))
    if "reference" in body:
        body["reference"] = _REFERENCE
    return body


SEAMLESS_V4: Final = Manual(
    id="seamless-v4",
    title="Seamless wallet, edition 4",
    about=(
        "Games call out for each bet and result, and roll back what must not stand. The method's name matches"
        " in any letter case. A bet is keyed by its reference; its rollback moves money once, whatever the"
        " number of Refunds and Cancels. Any answer but HTTP 200 means that no verdict was given."
    ),
    door=SeamlessV4(),
    endpoints=ENDPOINTS,
    mounts=(
        Mount("keyed", "/{key}", "The API URL of one connection, as it is told to its provider.", (KEY,)),
        Mount("", "", "For a connection without a key, on a server bound to loopback only."),
    ),
    meanings={
        "error": "0 for success: a number, but text on Refund.",
        "description": "The same in words.",
    },
    reason="description",
    success=_success_4,
    refusals=_refusals_4,
    statuses=(405, 503),
    failure=_failure_4,
    rejected=_rejected_4,
)


_ECHO: Final = {**PRINTABLE.schema, "description": "The request's."}
_ECHO_IF_READ: Final = {
    "anyOf": [PRINTABLE.schema, {"const": ""}],
    "description": "The request's; empty if none could be read.",
}


def _success_3(endpoint: Endpoint) -> Body:
    fields = shown(endpoint.success)
    if endpoint is seamless_v3_table.CANCEL:
        fields = {f"{name}?": schema for name, schema in fields.items()}
    return {"status": seamless_v3_table.OK, **fields, "uuid": _ECHO, **_REPEATED}


def _refusals_3(endpoint: Endpoint, policies: Policies) -> Iterator[Body]:
    for wrong, _ in faults(endpoint):
        yield {"status": seamless_v3_table.WRONG[wrong], "uuid": _ECHO_IF_READ, **_REPEATED}
    for verdict in endpoint.refusals:
        yield {"status": seamless_v3_table.WORDS[verdict], "uuid": _ECHO_IF_READ, **_REPEATED}


def _rejected_3(status: int) -> Body:
    word = seamless_v3_table.STATUSES.get(status, seamless_v3_table.BAD_REQUEST)
    return {"status": word, "uuid": _ECHO_IF_READ}


SEAMLESS_V3: Final = Manual(
    id="seamless-v3",
    title="Seamless wallet, edition 3",
    about=(
        "The older edition: transaction.id names a round and its one bet; several wins may share it, told"
        " apart by their uuid. The token is the connection's key. Paths match in any letter case."
    ),
    door=SeamlessV3(),
    endpoints=seamless_v3_table.ENDPOINTS,
    mounts=(Mount("", "", ""),),
    meanings={"status": "`OK`, or a word for what was wrong."},
    reason="status",
    success=_success_3,
    refusals=_refusals_3,
    statuses=(400, 401, 405, 415, 503),
    failure=lambda endpoint, status: _rejected_3(status),
    rejected=lambda endpoint, status: _rejected_3(status),
    secret=seamless_v3.TOKEN,
)
