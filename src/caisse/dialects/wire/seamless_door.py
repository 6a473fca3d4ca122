"""The door that the newer seamless editions share: games bet, win and roll back on the operator's balance.

`POST /<key>/<edition>/<Method>`, the key secret and one for each connection; without a key on loopback only.
These vendors read nothing but HTTP 200, so unreadable bodies and refused logins are 200 with a code; another
status means that no verdict was given. An edition is data (`caisse.dialects.wire.seamless.Edition`).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final

from caisse.core.entries import Decision
from caisse.core.parties import Connection
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.verdicts import ACCEPTED, Verdict
from caisse.dialects.wire.door import (
    ALLOW,
    NO_ANSWER,
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
from caisse.dialects.wire.reader import read
from caisse.dialects.wire.seamless import (
    LOGIN,
    NO_SUCH_METHOD,
    NO_VERDICT,
    POST_ONLY,
    REFUSALS,
    SUCCESS,
    UNREADABLE,
    WRONG,
    Edition,
    Method,
    Refusal,
)
from caisse.dialects.wire.table import AnswerSource, Echo, Fault, Terms, echo_of, encode, request_of
from caisse.dialects.wire.values import Wrong

SHORTEST_KEY: Final = 8
"""Characters. Below that, a path of two parts is another door's."""

Fields = Mapping[str, Any]


class SeamlessDoor:
    """One edition's door; holds no state."""

    edition: ClassVar[Edition]

    def __init__(self) -> None:
        paths = {path: Route(m) for m in self.edition.methods for path in (m.path, *m.also)}
        self._routes = paths | {path.lower(): route for path, route in paths.items()}
        self._segment = self.edition.segment.lower()

    def find(self, path: str) -> Route | None:
        """`/<key>/V4/<Method>` or `/V4/<Method>`; letter case matters in the key only."""
        if route := self._routes.get(path) or self._routes.get(path.lower()):
            return route
        key, slash, rest = path[1:].partition("/")
        route = self._routes.get(slash + rest.lower())
        if route is None or not key or not path.startswith("/"):
            return None
        if "/" not in rest and len(key) < SHORTEST_KEY:
            return None
        return Route(route.endpoint, key)

    def owns(self, path: str) -> bool:
        """All under the edition, with a key before it or without; a deeper path is somebody else's."""
        parts = path.lower().split("/")
        return self._segment in parts[1:3] and len(parts) <= 5

    def take(self, route: Route, call: Call, world: Context) -> Question | Unread | Answer:
        """Whose connection, is it readable, is it valid; then it is a question for the writer."""
        method = _method(route)
        if call.method != "POST":
            return Answer(405, self.reject(405, route), ALLOW)
        fields = read(call.body) if is_json(call.content_type) else None
        connection = _connection(route, call, world, fields)
        if connection is None:
            return Unauthorized(*self._refused(method, LOGIN, DEFAULT_POLICY, method.spelled(fields)))
        policy = world.policies.get(connection.profile)
        if policy is None:
            return self._no_verdict(method, DEFAULT_POLICY, method.spelled(fields))
        found = method.spelled(fields, policy.spellings)
        if found is None:
            answer = self._refused(method, UNREADABLE, policy, None)
            fault = "body" if is_json(call.content_type) else "content-type"
            return unread(answer, method, None, fault, connection.partner, connection.provider)
        if not _is_own_provider(found.get("providerId"), connection):
            answer = self._refused(method, LOGIN, policy, found)
            return unread(answer, method, found, "providerId", connection.partner, connection.provider)
        terms = Terms(connection.partner, policy, connection.provider, connection.disabled_games)
        request = request_of(method, found, world.currencies, terms, world.new_id)
        if isinstance(request, Fault):
            answer = self._refused(method, WRONG[request.wrong], policy, found, request.field)
            return unread(answer, method, found, request.field, connection.partner, connection.provider)
        return Question(request, policy, partial(self.answer, method, policy, echo_of(request)))

    def reject(self, status: int, route: Route | None = None) -> bytes:
        """A failure found before the body was read, in the method's own form if the path named one."""
        method = _method(route) if route else None
        return self._body(method, _of_status(status, method), DEFAULT_POLICY, _echoed(method, None))

    def status(self, status: int) -> int:
        """What the vendor would not read as an answer is told under 200."""
        return status if status in NO_ANSWER else 200

    def answer(self, method: Method, policy: Policy, echo: Echo, decision: Decision | None) -> Answer:
        """From the decision; None: no verdict could be given."""
        echoed = {"reference": echo.reference} if method.echoes_reference else {}
        if decision is None:
            return self._no_verdict(method, policy, echoed)
        source = AnswerSource(echo, decision)
        if decision.verdict not in ACCEPTED:
            refusal = self.refusal_of(method, policy, decision.verdict)
            body = self.body_of(method, refusal, echoed)
        elif method.shows_wallet and not source.wallet:
            return self._refused(method, WRONG[Wrong.PARAMETER], policy, echoed, "currency")
        else:
            shown = ((field.name, field.show(source)) for field in method.success)
            body = self.body_of(method, SUCCESS, {name: value for name, value in shown if value is not None})
        if decision.replay and policy.retransmission:
            body["retransmission"] = True
        return Answer(200, encode(body))

    def refusal_of(self, method: Method, policy: Policy, verdict: Verdict) -> Refusal:
        """The profile's code for a verdict, else the edition's."""
        refusal = method.own_refusals.get(verdict) or REFUSALS[verdict]
        error = policy.codes.get(verdict)
        if error is None and verdict is Verdict.UNKNOWN_BET and policy.unknown_bet != "success":
            error = policy.unknown_bet
        return self.renumbered(refusal, policy) if error is None else refusal._replace(error=error)

    def renumbered(self, refusal: Refusal, policy: Policy) -> Refusal:
        """With this edition's code, or that of the profile."""
        own = self.edition.codes.get(refusal.error) or policy.renumber.get(str(refusal.error))
        return refusal._replace(error=own) if own else refusal

    def body_of(
        self, method: Method | None, refusal: Refusal, shown: Mapping[str, object]
    ) -> dict[str, object]:
        """An answer. `error` is a number, but text on Refund, as the vendor's page shows it."""
        error = str(refusal.error) if method and method.error_is_text else refusal.error
        return {**shown, "error": error, "description": refusal.description}

    def _body(
        self, method: Method | None, refusal: Refusal, policy: Policy, shown: Mapping[str, object]
    ) -> bytes:
        return encode(self.body_of(method, self.renumbered(refusal, policy), shown))

    def _refused(
        self, method: Method, refusal: Refusal, policy: Policy, fields: Fields | None, wrong: str = ""
    ) -> Answer:
        """Refused before any rule was asked; `wrong` is the name of a field, never its value."""
        if wrong:
            refusal = refusal._replace(description=f"{refusal.description}: {wrong}")
        return Answer(200, self._body(method, refusal, policy, _echoed(method, fields)))

    def _no_verdict(self, method: Method, policy: Policy, fields: Fields | None) -> Answer:
        body = self._body(method, method.no_verdict, policy, _echoed(method, fields))
        return Answer(503, body, RETRY_AFTER)


def _method(route: Route) -> Method:
    if not isinstance(route.endpoint, Method):
        raise TypeError("another door's route")
    return route.endpoint


def _of_status(status: int, method: Method | None) -> Refusal:
    if status in (404, 405):
        return NO_SUCH_METHOD if status == 404 else POST_ONLY
    if status in NO_ANSWER:
        return method.no_verdict if method else NO_VERDICT
    return LOGIN if status in (401, 403) else UNREADABLE


def _connection(route: Route, call: Call, world: Context, fields: dict[str, Any] | None) -> Connection | None:
    """By the key in the path; without one only where a program on this machine asks, on its loopback."""
    if route.secret:
        return world.access.by_key(route.secret, call.peer)
    if not (call.local and world.loopback):
        return None
    found = route.endpoint.spelled(fields) or {}
    return world.access.keyless(found.get("providerId"), call.peer)


def _is_own_provider(named: object, connection: Connection) -> bool:
    """R33. What is no provider's name at all is a bad parameter, which is found later."""
    if not named or not isinstance(named, str):
        return True
    return named.lower() == connection.provider or named.lower() in connection.also


def _echoed(method: Method | None, fields: Fields | None) -> dict[str, object]:
    """What a refusal repeats of its request, for a method that does; empty if it could not be read."""
    if method is None or not method.echoes_reference:
        return {}
    reference = next(f for f in method.fields if f.name == "reference").type.read(
        fields.get("reference") if fields else None
    )
    return {"reference": reference or ""}
