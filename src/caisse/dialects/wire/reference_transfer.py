"""The manuals of the transfer door, editions 3 and 4, from the tables that serve them."""

import json
from collections.abc import Iterator
from typing import Final

from caisse.core.verdicts import Verdict
from caisse.dialects.transfer_v3 import door as transfer_v3
from caisse.dialects.transfer_v3.door import (
    BAD_REQUEST,
    FAILURES,
    INVALID,
    NO_RECORD,
    SLOT_LOG,
    STATUSES,
    Failure,
    TransferV3,
)
from caisse.dialects.transfer_v4 import door as transfer_v4
from caisse.dialects.transfer_v4 import table as transfer_v4_table
from caisse.dialects.transfer_v4.door import BASE, TransferV4
from caisse.dialects.transfer_v4.table import (
    LOGIN,
    LOGIN_NAME,
    NO_VERDICT,
    REFUSALS,
    SUCCESS,
    TOKEN,
    UNREADABLE,
    WRONG,
    Refusal,
)
from caisse.dialects.wire.reference import Body, Manual, Mount, Parameter, Policies, faults, shown
from caisse.dialects.wire.table import Endpoint
from caisse.dialects.wire.values import UUID

_ECHO: Final = {**UUID.schema, "description": "The request's."}
_ECHO_IF_READ: Final = {
    "anyOf": [UUID.schema, {"const": ""}],
    "description": "The request's; empty if none could be read.",
}


def _success_3(endpoint: Endpoint) -> Body:
    return {"status": "OK", "uuid": _ECHO, **shown(endpoint.success)}


def _failed(failure: Failure) -> Body:
    return {"status": "Failed", "uuid": _ECHO_IF_READ, "code": failure.code, "reason": failure.reason}


def _refusals_3(endpoint: Endpoint, policies: Policies) -> Iterator[Body]:
    yield _failed(INVALID)
    if endpoint is SLOT_LOG:
        yield _failed(NO_RECORD)
    for verdict in endpoint.refusals:
        yield _failed(FAILURES[verdict])


def _rejected_3(status: int) -> Body:
    return _failed(STATUSES.get(status, BAD_REQUEST))


TRANSFER_V3: Final = Manual(
    id="transfer-v3",
    title="Transfer wallet, edition 3",
    about=(
        "A partner's back end moves money into and out of its players' wallets. The uuid of a request that"
        " changes something is its key: sent again, it gets the first answer, and money moves once."
    ),
    door=TransferV3(),
    endpoints=transfer_v3.ENDPOINTS,
    mounts=(Mount("", "", ""),),
    meanings={
        "status": "`OK` or `Failed`.",
        "code": "What was wrong, for programs. Only 10 says to send the same request again.",
        "reason": "What was wrong, in words.",
    },
    reason="reason",
    success=_success_3,
    refusals=_refusals_3,
    statuses=(400, 401, 405, 415, 503),
    failure=lambda endpoint, status: _rejected_3(status),
    rejected=lambda endpoint, status: _rejected_3(status),
    parameters=(
        Parameter("partner_id", "query", "The partner's id.", {"type": "string", "minLength": 1}, "demo"),
    ),
    render=lambda endpoint, policy, echo, decision: transfer_v3.render(endpoint, echo, decision),
    secret="token",  # noqa: S106 - the parameter's name
)


def _success_4(endpoint: Endpoint) -> Body:
    return {**shown(endpoint.success), **SUCCESS._asdict()}


def _refusals_4(endpoint: Endpoint, policies: Policies) -> Iterator[Body]:
    for refusal in (LOGIN, UNREADABLE, *_wrong_4(endpoint)):
        yield refusal._asdict()
    for verdict in endpoint.refusals:
        first = shown(endpoint.success) if verdict is Verdict.ALREADY_TRANSFERRED else {}
        yield {**first, **REFUSALS[verdict]._asdict()}


def _wrong_4(endpoint: Endpoint) -> Iterator[Refusal]:
    for wrong, name in faults(endpoint):
        if name not in (LOGIN_NAME.name, TOKEN.name):  # whatever is wrong with these, the login is
            yield WRONG[wrong]._replace(description=f"{WRONG[wrong].description}: {name}")


def _rejected_4(status: int) -> Body:
    body: Body = json.loads(TransferV4().reject(status))
    return body


TRANSFER_V4: Final = Manual(
    id="transfer-v4",
    title="Transfer wallet, edition 4",
    about=(
        "The same wallets as edition 3, with partner and token in the body. TransactionId is the partner's"
        " own key of a transfer: money moves once for each. Paths match in any letter case. A status other"
        " than 200 means that no verdict was given; so does `error` 4 under 200, or 7 for a body that could"
        " not be read."
    ),
    door=TransferV4(),
    endpoints=transfer_v4_table.ENDPOINTS,
    mounts=(
        Mount("", "", ""),
        Mount("base", BASE, "The same under the vendor's own base path."),
    ),
    meanings={
        "error": "`0` for success, as text. Only 1 says to send the same request again.",
        "description": "The same in words.",
    },
    reason="description",
    success=_success_4,
    refusals=_refusals_4,
    statuses=(405, 503),
    failure=lambda endpoint, status: NO_VERDICT._asdict() if status == 503 else _rejected_4(status),
    rejected=lambda endpoint, status: _rejected_4(status),
    render=lambda endpoint, policy, echo, decision: transfer_v4.render(endpoint, echo, decision),
)
