"""The manuals of the seamless door, editions 4 and 3, from the tables that serve them."""

import json
from collections.abc import Iterator
from typing import Final

from caisse.core.entries import Decision
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.dialects.examples import Example
from caisse.dialects.seamless_v3 import door as seamless_v3
from caisse.dialects.seamless_v3 import table as seamless_v3_table
from caisse.dialects.seamless_v3.door import SeamlessV3
from caisse.dialects.seamless_v4.door import SeamlessV4
from caisse.dialects.wire.door import Answer, Route
from caisse.dialects.wire.reference import Body, Manual, Mount, Parameter, Policies, faults, shown
from caisse.dialects.wire.seamless import LOGIN, SUCCESS, UNREADABLE, WRONG, Method, Refusal
from caisse.dialects.wire.seamless_door import SeamlessDoor
from caisse.dialects.wire.table import Echo, Endpoint
from caisse.dialects.wire.values import PRINTABLE, Wrong

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


def _naming(refusal: Refusal, field: str) -> Refusal:
    return refusal._replace(description=f"{refusal.description}: {field}")


class _Answers:
    """What the methods of a newer seamless edition answer."""

    def __init__(self, door: SeamlessDoor) -> None:
        self._door = door

    def success(self, endpoint: Endpoint) -> Body:
        return {**self._door.body_of(_method(endpoint), SUCCESS, shown(endpoint.success)), **_REPEATED}

    def refusals(self, endpoint: Endpoint, policies: Policies) -> Iterator[Body]:
        method = _method(endpoint)
        for policy in policies:
            for refusal in (LOGIN, UNREADABLE, *self._wrong(method)):
                yield self._refused(method, self._door.renumbered(refusal, policy))
            for verdict in method.refusals:
                yield {**self._refused(method, self._door.refusal_of(method, policy, verdict)), **_REPEATED}

    def _wrong(self, method: Method) -> Iterator[Refusal]:
        for wrong, name in faults(method):
            yield _naming(WRONG[wrong], name)
        for field in method.fields:
            if (method.shows_wallet and field.name == "currency") or field.name == "reference":
                yield _naming(WRONG[Wrong.PARAMETER], field.name)

    def failure(self, endpoint: Endpoint, status: int) -> Body:
        method = _method(endpoint)
        if status != 503:
            return self.rejected(endpoint, status)
        return self._refused(method, self._door.renumbered(method.no_verdict, DEFAULT_POLICY))

    def rejected(self, endpoint: Endpoint, status: int) -> Body:
        body: dict[str, object] = json.loads(self._door.reject(status, Route(endpoint)))
        if "reference" in body:
            body["reference"] = _REFERENCE
        return body

    def render(self, endpoint: Endpoint, policy: Policy, echo: Echo, decision: Decision) -> Answer:
        return self._door.answer(_method(endpoint), policy, echo, decision)

    def _refused(self, method: Method, refusal: Refusal) -> Body:
        echoed = {"reference": _REFERENCE} if method.echoes_reference else {}
        return self._door.body_of(method, refusal, echoed)


def _method(endpoint: Endpoint) -> Method:
    if not isinstance(endpoint, Method):
        raise TypeError("no method of a newer seamless edition")
    return endpoint


def seamless_manual(
    door: SeamlessDoor, id_: str, title: str, about: str, examples: tuple[Example, ...] = ()
) -> Manual:
    """Of one of the newer seamless editions."""
    answers = _Answers(door)
    return Manual(
        id=id_,
        title=title,
        about=about,
        door=door,
        endpoints=door.edition.methods,
        mounts=(
            Mount("keyed", "/{key}", "The API URL of one connection, as it is told to its provider.", (KEY,)),
            Mount("", "", "For a connection without a key, on a server bound to loopback only."),
        ),
        meanings={
            "error": "0 for success: a number, but text on Refund.",
            "description": "The same in words.",
        },
        reason="description",
        success=answers.success,
        refusals=answers.refusals,
        statuses=(405, 503),
        failure=answers.failure,
        rejected=answers.rejected,
        render=answers.render,
        profiled=True,
        examples=examples,
    )


SEAMLESS_V4: Final = seamless_manual(
    SeamlessV4(),
    "seamless-v4",
    "Seamless wallet, edition 4",
    "Games call out for each bet and result, and give bets back that must not stand. The method's name"
    " matches in any letter case. A bet is keyed by its reference; its refund moves money once, whatever the"
    " number of Refunds and Cancels. A status other than 200 means that no verdict was given; so does `error`"
    " 4 under 200, or 7 for a body that could not be read.",
)


_ECHO: Final = {**PRINTABLE.schema, "description": "The request's."}
_ECHO_IF_READ: Final = {
    "anyOf": [PRINTABLE.schema, {"const": ""}],
    "description": "The request's; empty if none could be read.",
}


def _success_3(endpoint: Endpoint) -> Body:
    fields = shown(endpoint.success)
    return {"status": seamless_v3_table.OK, **fields, "uuid": _ECHO, **_REPEATED}


def _refusals_3(endpoint: Endpoint, policies: Policies) -> Iterator[Body]:
    if endpoint.shows_wallet:
        yield {"status": seamless_v3_table.WRONG[Wrong.PARAMETER], "uuid": _ECHO_IF_READ, **_REPEATED}
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
    render=lambda endpoint, policy, echo, decision: seamless_v3.render(endpoint, echo, decision),
    secret=seamless_v3.TOKEN,
    profiled=True,
)
