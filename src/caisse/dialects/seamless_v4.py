"""The seamless door, edition 4: games bet, win and roll back on a balance that the operator holds.

`POST /<key>/V4/<Method>`, the key secret and one for each connection; without a key on loopback only. This
vendor reads nothing but HTTP 200, so unreadable bodies and refused logins are 200 with a code; another
status means that no verdict was given.
"""

from functools import partial
from typing import Any, Final

from caisse.core.entries import Decision
from caisse.core.parties import Connection
from caisse.core.policy import Policy
from caisse.core.verdicts import ACCEPTED, Verdict
from caisse.dialects.door import (
    ALLOW,
    NO_ANSWER,
    RETRY_AFTER,
    Answer,
    Ask,
    Call,
    Route,
    Stranger,
    World,
    is_json,
)
from caisse.dialects.reader import read, spelled
from caisse.dialects.seamless_v4_table import (
    BET,
    CANCEL,
    END_ROUND,
    ENDPOINTS,
    LOGIN,
    NO_SUCH_METHOD,
    NO_VERDICT,
    OF_BETS,
    POST_ONLY,
    REFUND,
    REFUSALS,
    ROUND_NOT_ENDED,
    UNREADABLE,
    WRONG,
    Refusal,
)
from caisse.dialects.table import Endpoint, Fault, Terms, Told, encode, gather

SUCCESS: Final = Refusal(0, "Success")

_METHODS: Final = {e.path.rpartition("/")[2].lower(): Route(e) for e in ENDPOINTS}
_BARE: Final = {e.path: Route(e) for e in ENDPOINTS}


class SeamlessV4:
    """The door itself; holds no state."""

    def find(self, path: str) -> Route | None:
        """`/<key>/V4/<Method>` or `/V4/<Method>`; letter case matters in the key only."""
        if route := _BARE.get(path):
            return route
        base, _, method = path.rpartition("/")
        start, _, edition = base.rpartition("/")
        route = _METHODS.get(method.lower())
        if route is None or edition.lower() != "v4":
            return None
        if not start:
            return route if base.startswith("/") else None
        key = start[1:]
        if not key or "/" in key or not start.startswith("/"):
            return None
        return Route(route.endpoint, key)

    def owns(self, path: str) -> bool:
        """All under `/V4/`, with a key before it or without; a deeper path is somebody else's."""
        parts = path.lower().split("/")
        return "v4" in parts[1:3] and len(parts) <= 5

    def take(self, route: Route, call: Call, world: World) -> Ask | Answer:
        """Whose connection, is it readable, is it valid; then it is a question for the writer."""
        endpoint = route.endpoint
        if call.method != "POST":
            return Answer(405, self.reject(405, route), ALLOW)
        fields = read(call.body) if is_json(call.content_type) else None
        connection = _connection(route, call, world, fields)
        if connection is None:
            return Stranger(*_refused(endpoint, LOGIN, fields))
        policy = world.policies.get(connection.profile)
        if policy is None:
            return _no_verdict(endpoint, fields)
        found = fields and spelled(fields, endpoint.names, endpoint.spellings, policy.spellings)
        if found is None:
            return _refused(endpoint, UNREADABLE, None)
        if not _is_own_provider(found.get("providerId"), connection):
            return _refused(endpoint, LOGIN, found)
        return _ask(endpoint, found, connection, policy, world)

    def reject(self, status: int, route: Route | None = None) -> bytes:
        """A failure found before the body was read, in the method's own form if the path named one."""
        endpoint = route.endpoint if route else None
        shown: dict[str, object] = {"reference": ""} if endpoint is CANCEL else {}
        return encode(body_of(endpoint, _of_status(status, endpoint), shown))

    def status(self, status: int) -> int:
        """What the vendor would not read as an answer is told under 200."""
        return status if status in NO_ANSWER else 200


def _of_status(status: int, endpoint: Endpoint | None) -> Refusal:
    if status in (404, 405):
        return NO_SUCH_METHOD if status == 404 else POST_ONLY
    if status in NO_ANSWER:
        return ROUND_NOT_ENDED if endpoint is END_ROUND else NO_VERDICT
    return LOGIN if status in (401, 403) else UNREADABLE


def _connection(route: Route, call: Call, world: World, fields: dict[str, Any] | None) -> Connection | None:
    """By the key in the path; without one only where a program on this machine asks, on its loopback."""
    if route.secret:
        return world.access.by_key(route.secret, call.peer)
    if not (call.local and world.loopback):
        return None
    return world.access.keyless(_field(route.endpoint, "providerId", fields), call.peer)


def _is_own_provider(named: object, connection: Connection) -> bool:
    """R33. What is no provider's name at all is a bad parameter, and left to whoever checks those."""
    return not named or not isinstance(named, str) or named.lower() == connection.provider


def _ask(
    endpoint: Endpoint, found: dict[str, Any], connection: Connection, policy: Policy, world: World
) -> Ask | Answer:
    values = gather(endpoint, found, world.currencies)
    if isinstance(values, Fault):
        return _refused(endpoint, WRONG[values.wrong], found, values.field)
    values.update(id=world.new_id(), partner=connection.partner, endpoint=endpoint.path)
    request = endpoint.make(values, Terms(policy, connection.provider, connection.disabled_games))
    if isinstance(request, Fault):
        return _refused(endpoint, WRONG[request.wrong], found, request.field)
    return Ask(request, policy, partial(answer, endpoint, policy, request))


def answer(endpoint: Endpoint, policy: Policy, request: Any, decision: Decision | None) -> Answer:
    """From the decision; None: no verdict could be given."""
    if decision is None:
        return _no_verdict(endpoint, {"reference": getattr(request, "reference", "")})
    shown: dict[str, object]
    if decision.verdict in ACCEPTED:
        told = Told(request, decision.row, decision.seen)
        shown = {field.name: field.show(told) for field in endpoint.success}
        body = body_of(endpoint, SUCCESS, shown)
    else:
        shown = {"reference": request.reference} if endpoint is CANCEL else {}
        body = body_of(endpoint, refusal_of(endpoint, policy, decision.verdict), shown)
    if decision.replay and policy.retransmission:
        body["retransmission"] = True
    return Answer(200, encode(body))


def refusal_of(endpoint: Endpoint, policy: Policy, verdict: Verdict) -> Refusal:
    """The table's code, unless the profile has its own."""
    refusal = OF_BETS.get(verdict) if endpoint is BET else None
    refusal = refusal or REFUSALS[verdict]
    error = policy.codes.get(verdict)
    if error is None and verdict is Verdict.UNKNOWN_BET and policy.unknown_bet != "success":
        error = policy.unknown_bet
    return refusal if error is None else refusal._replace(error=error)


def _refused(endpoint: Endpoint, refusal: Refusal, fields: dict[str, Any] | None, wrong: str = "") -> Answer:
    """Refused before any rule was asked; `wrong` is the name of a field, never its value."""
    if wrong:
        refusal = refusal._replace(description=f"{refusal.description}: {wrong}")
    return Answer(200, encode(body_of(endpoint, refusal, _echo(endpoint, fields))))


def _no_verdict(endpoint: Endpoint, fields: dict[str, Any] | None) -> Answer:
    refusal = ROUND_NOT_ENDED if endpoint is END_ROUND else NO_VERDICT
    return Answer(503, encode(body_of(endpoint, refusal, _echo(endpoint, fields))), RETRY_AFTER)


def _echo(endpoint: Endpoint, fields: dict[str, Any] | None) -> dict[str, object]:
    """Answers of Cancel carry the reference, refusals too; empty if none could be read."""
    if endpoint is not CANCEL:
        return {}
    reference = _field(endpoint, "reference", fields)
    return {"reference": reference if isinstance(reference, str) and len(reference) <= 128 else ""}


def _field(endpoint: Endpoint, name: str, fields: dict[str, Any] | None) -> object:
    """One field of a body that need not be valid otherwise."""
    found = spelled(fields, endpoint.names, endpoint.spellings) if fields else None
    return found.get(name) if found else None


def body_of(endpoint: Endpoint | None, refusal: Refusal, shown: dict[str, object]) -> dict[str, object]:
    """An answer. `error` is a number, but text on Refund, as the vendor's page shows it."""
    error = str(refusal.error) if endpoint is REFUND else refusal.error
    return {**shown, "error": error, "description": refusal.description}
