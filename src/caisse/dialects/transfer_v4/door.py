"""The transfer door, edition 4: the same wallets as edition 3, with partner and token in the body.

`POST /<verb>`, also under the vendor's own base path; letter case never matters. `error` is text; an answer
has the endpoint's fields first, then `error` and `description`. This vendor reads nothing but HTTP 200, so
unreadable bodies and wrong logins are 200 with a code; another status means that no verdict was given.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from caisse.core.entries import Decision
from caisse.core.policy import DEFAULT_POLICY
from caisse.core.round_log import LogQuery, Numbered
from caisse.core.verdicts import ACCEPTED, Verdict
from caisse.dialects.transfer_v4.table import (
    ENDPOINTS,
    LOGIN,
    NO_SUCH_METHOD,
    NO_VERDICT,
    POST_ONLY,
    REFUSALS,
    SLOT_LOG,
    SUCCESS,
    UNREADABLE,
    WRONG,
    Refusal,
)
from caisse.dialects.wire import slot_log
from caisse.dialects.wire.auth import Access
from caisse.dialects.wire.door import (
    ALLOW,
    NO_ANSWER,
    RETRY_AFTER,
    Answer,
    Call,
    Context,
    Question,
    RoundsQuery,
    Route,
    Unauthorized,
    Unread,
    is_json,
    unread,
)
from caisse.dialects.wire.reader import read
from caisse.dialects.wire.table import (
    AnswerSource,
    Echo,
    Endpoint,
    Fault,
    Terms,
    echo_of,
    encode,
    read_fields,
    request_of,
)

NOTHING: Final[Mapping[str, object]] = {}

BASE: Final = "/IntegrationService/v4/http/CasinoGameAPI"

_ROUTES: Final = {
    base + path: Route(e) for e in ENDPOINTS for path in (e.path, *e.also) for base in ("", BASE)
}
_FOLDED: Final = {path.lower(): route for path, route in _ROUTES.items()}


class TransferV4:
    """The door itself; holds no state."""

    def find(self, path: str) -> Route | None:
        """At the root or under the vendor's base, in any letter case."""
        return _ROUTES.get(path) or _FOLDED.get(path.lower())

    def owns(self, path: str) -> bool:
        """All under the vendor's base and the later editions'; the root's other paths are nobody's."""
        return path.lower().startswith((f"{BASE.lower()}/", "/transfer/", "/tranfer/"))

    def take(self, route: Route, call: Call, world: Context) -> Question | RoundsQuery | Unread | Answer:
        """Is it readable, who asks, is it valid; then it is a question for the writer."""
        endpoint = route.endpoint
        if call.method != "POST":
            return Answer(405, self.reject(405), ALLOW)
        fields = read(call.body) if is_json(call.content_type) else None
        found = endpoint.spelled(fields)
        if found is None:  # nor is it known who asked
            return _refused(UNREADABLE)
        partner = _partner(found, world.access)
        if partner is None:
            return Unauthorized(*_refused(LOGIN))
        if endpoint is SLOT_LOG:
            return _list(found, partner, world)
        request = request_of(endpoint, found, world.currencies, Terms(partner), world.new_id)
        if isinstance(request, Fault):
            refused = _refused(WRONG[request.wrong], request.field)
            return unread(refused, endpoint, found, request.field, partner)
        return Question(request, DEFAULT_POLICY, partial(render, endpoint, echo_of(request)))

    def reject(self, status: int, route: Route | None = None) -> bytes:
        """A failure found before the body was read."""
        if status in (404, 405):
            return _body(NO_SUCH_METHOD if status == 404 else POST_ONLY)
        if status in NO_ANSWER:
            return _body(NO_VERDICT)
        return _body(LOGIN if status in (401, 403) else UNREADABLE)

    def status(self, status: int) -> int:
        """What the vendor would not read as an answer is told under 200."""
        return status if status in NO_ANSWER else 200


def _partner(found: Mapping[str, Any], access: Access) -> str | None:
    """The partner that a body names, with its right token."""
    login, token = found.get("secureLogin"), found.get("token")
    if not isinstance(login, str) or not isinstance(token, str):
        return None
    return login if access.is_partner(login, token) else None


def render(endpoint: Endpoint, echo: Echo, decision: Decision | None) -> Answer:
    """From the decision; None: no verdict could be given."""
    if decision is None:
        return _no_verdict()
    refusal = SUCCESS if decision.verdict in ACCEPTED else REFUSALS[decision.verdict]
    if refusal is not SUCCESS and decision.verdict is not Verdict.ALREADY_TRANSFERRED:
        return _refused(refusal)
    source = AnswerSource(echo, decision)  # a transfer that exists: with its id, currency and balance
    return Answer(200, _body(refusal, {field.name: field.show(source) for field in endpoint.success}))


def _list(found: Mapping[str, Any], partner: str, world: Context) -> RoundsQuery | Answer:
    values = read_fields(SLOT_LOG, found, world.currencies)
    if isinstance(values, Fault):
        return _refused(WRONG[values.wrong], values.field)
    return RoundsQuery(LogQuery(partner, values["start"], values["limit"], values.get("user", "")), _listed)


def _listed(rows: list[Numbered] | None) -> Answer:
    """Past the last row the page is empty, which is no failure in this edition."""
    if rows is None:
        return _no_verdict()
    return Answer(200, _body(SUCCESS, {slot_log.LOGS.name: slot_log.rows(rows)}))


def _refused(refusal: Refusal, wrong: str = "") -> Answer:
    """`wrong` is the name of a field, never its value."""
    if wrong:
        refusal = refusal._replace(description=f"{refusal.description}: {wrong}")
    return Answer(200, _body(refusal))


def _no_verdict() -> Answer:
    return Answer(503, _body(NO_VERDICT), RETRY_AFTER)


def _body(refusal: Refusal, shown: Mapping[str, object] = NOTHING) -> bytes:
    """The fields that the endpoint shows, then what became of the request."""
    return encode({**shown, "error": refusal.error, "description": refusal.description})
