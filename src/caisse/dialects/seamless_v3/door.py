"""The seamless door, edition 3: the vendor's older one, in which a transaction is a round with its one bet.

`POST /seamless/v3/<verb>?authToken=…`, the token being the connection's key. Answers say `status`: `OK`, or
a word of the table. This edition reads HTTP statuses, so what could not be heard keeps its own. A repeat is
always marked `"retransmission": true`, whatever the profile says.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from caisse.core.entries import Decision
from caisse.core.parties import Connection
from caisse.core.verdicts import ACCEPTED
from caisse.dialects.seamless_v3.table import BAD_REQUEST, ENDPOINTS, GROUP, OK, STATUSES, WORDS, WRONG
from caisse.dialects.wire.auth import parameters
from caisse.dialects.wire.door import (
    ALLOW,
    RETRY_AFTER,
    Answer,
    Call,
    Context,
    Question,
    Route,
    Unauthorized,
    Unread,
    is_json,
    unread,
)
from caisse.dialects.wire.reader import Doubled, Odd, read
from caisse.dialects.wire.table import AnswerSource, Echo, Endpoint, Fault, Terms, echo_of, encode, request_of
from caisse.dialects.wire.values import PRINTABLE, Wrong

TOKEN: Final = "authToken"  # noqa: S105 - its name

_ROUTES: Final = {endpoint.path: Route(endpoint) for endpoint in ENDPOINTS}


class SeamlessV3:
    """The door itself; holds no state."""

    def find(self, path: str) -> Route | None:
        """In any letter case."""
        return _ROUTES.get(path) or _ROUTES.get(path.lower())

    def owns(self, path: str) -> bool:
        """All under its base."""
        return path.lower().startswith("/seamless/v3/")

    def take(self, route: Route, call: Call, world: Context) -> Question | Unread | Answer:
        """Whose connection, is it readable, is it valid; then it is a question for the writer."""
        endpoint = route.endpoint
        if call.method != "POST":
            return Answer(405, self.reject(405), ALLOW)
        fields = flat(read(call.body)) if is_json(call.content_type) else None
        connection = _connection(call, world)
        if connection is None:
            return Unauthorized(*_unheard(401, endpoint.spelled(fields)))
        policy = world.policies.get(connection.profile)
        if policy is None:
            return _unheard(503, endpoint.spelled(fields))
        found = endpoint.spelled(fields, policy.spellings)
        if found is None:
            status, fault = (400, "body") if is_json(call.content_type) else (415, "content-type")
            answer = _unheard(status, None)
            return unread(answer, endpoint, None, fault, connection.partner, connection.provider)
        terms = Terms(connection.partner, policy, connection.provider, connection.disabled_games)
        request = request_of(endpoint, found, world.currencies, terms, world.new_id)
        if isinstance(request, Fault):
            refused = _refused(WRONG[request.wrong], found)
            return unread(refused, endpoint, found, request.field, connection.partner, connection.provider)
        return Question(request, policy, partial(render, endpoint, echo_of(request)))

    def reject(self, status: int, route: Route | None = None) -> bytes:
        """A failure found before any uuid could be read."""
        return _unheard(status, None).body

    def status(self, status: int) -> int:
        """Failures keep their HTTP status on this door."""
        return status


def _connection(call: Call, world: Context) -> Connection | None:
    found = parameters(call.query, (TOKEN,))
    return world.access.by_key(found[TOKEN], call.peer) if found and found[TOKEN] else None


def flat(fields: dict[str, Any] | None) -> dict[str, Any] | None:
    """The fields of `transaction` beside the others, as `transaction.id`; None if it is there twice."""
    if fields is None:
        return None
    group = [name for name in fields if name.lower() == GROUP]
    if len(group) > 1:
        return None
    found = {name: value for name, value in fields.items() if "." not in name}
    inner = found.pop(group[0]) if group else None
    if type(inner) is Doubled:
        return None
    if isinstance(inner, dict):
        found.update({f"{GROUP}.{name}": value for name, value in inner.items()})
    odd = type(fields) is Odd or any(type(value) is Doubled for value in found.values())
    return Odd(found) if odd else found


def render(endpoint: Endpoint, echo: Echo, decision: Decision | None) -> Answer:
    """From the decision; None: no verdict could be given."""
    if decision is None:
        return _unheard(503, {"uuid": echo.uuid})
    source = AnswerSource(echo, decision)
    body: dict[str, object]
    if decision.verdict not in ACCEPTED:
        body = {"status": WORDS[decision.verdict]}
    elif endpoint.shows_wallet and not source.wallet:
        body = {"status": WRONG[Wrong.PARAMETER]}
    else:
        shown = ((field.name, field.show(source)) for field in endpoint.success)
        body = {"status": OK, **{name: value for name, value in shown if value is not None}}
    body["uuid"] = echo.uuid
    if decision.replay:
        body["retransmission"] = True
    return Answer(200, encode(body))


def _refused(word: str, found: Mapping[str, Any]) -> Answer:
    """Refused before any rule was asked."""
    return Answer(200, encode({"status": word, "uuid": _uuid_sent(found)}))


def _unheard(status: int, found: Mapping[str, Any] | None) -> Answer:
    """No verdict was given, nothing is implied."""
    body = {"status": STATUSES.get(status, BAD_REQUEST), "uuid": _uuid_sent(found) if found else ""}
    return Answer(status, encode(body), RETRY_AFTER if status == 503 else ())


def _uuid_sent(found: Mapping[str, Any]) -> str:
    """The request's uuid as it was sent; empty if it is none."""
    return PRINTABLE.read(found.get("uuid")) or ""
