"""The transfer door, edition 3: a partner's back end moves money into and out of its players' wallets.

`POST /user/<verb>?partner_id=…&token=…`. Refusals are `{"status": "Failed", "uuid", "code", "reason"}`; an
answer's uuid is the request's, in its own letter case.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_bytes
from typing import Any, Final, NamedTuple

from caisse.core.entries import Decision
from caisse.core.money import show
from caisse.core.policy import DEFAULT_POLICY
from caisse.core.requests import Charge, CreatePlayer, Look, OpenWallet, Request, Withdraw
from caisse.core.round_log import LogQuery, Numbered
from caisse.core.verdicts import ACCEPTED, Verdict
from caisse.dialects.wire import slot_log
from caisse.dialects.wire.door import (
    ALLOW,
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
    Field,
    Shown,
    Terms,
    as_is,
    echo_of,
    encode,
    read_fields,
    request_of,
)
from caisse.dialects.wire.values import AMOUNT_PATTERN, BALANCE_SCHEMA, CURRENCY, POSITIVE, UUID, ident, text


class Failure(NamedTuple):
    """What a `Failed` answer says."""

    code: int
    reason: str


INVALID: Final = Failure(1, "Invalid Parameter")
UNAUTHORIZED: Final = Failure(8, "Unauthorized")
FORBIDDEN: Final = Failure(9, "Forbidden")
UNAVAILABLE: Final = Failure(10, "Temporarily Unavailable")
BAD_REQUEST: Final = Failure(11, "Bad Request")
NO_RECORD: Final = Failure(3, "Have No Additional Record")
"""A log's page past the last round."""

FAILURES: Final[Mapping[Verdict, Failure]] = {
    Verdict.CURRENCY_UNSUPPORTED: INVALID,
    Verdict.TOO_MANY_DECIMALS: INVALID,
    Verdict.DUPLICATE_PLAYER: Failure(2, "Duplicate ID"),
    Verdict.DUPLICATE_WALLET: Failure(2, "Already Create"),
    Verdict.WALLET_UNKNOWN: Failure(2, "Have no Wallet"),
    Verdict.INSUFFICIENT: Failure(3, "Not Enough Balance"),
    Verdict.PLAYER_UNKNOWN: Failure(4, "User Not Found"),
    Verdict.KEY_CONFLICT: Failure(5, "UUID Already Used"),
    Verdict.PLAYER_FROZEN: Failure(6, "User Is Frozen"),
    Verdict.BALANCE_LIMIT: Failure(7, "Balance Limit Exceeded"),
}
"""Verdict -> what it is called on this wire, with HTTP 200: a verdict was given."""

STATUSES: Final[Mapping[int, Failure]] = {
    401: UNAUTHORIZED,
    403: FORBIDDEN,
    500: UNAVAILABLE,
    503: UNAVAILABLE,
}
"""HTTP status -> failure where no verdict was given; any other status is BAD_REQUEST."""

ID = Field("id", "user", ident(32), "The player's id, given by the partner.")
NAME = Field("name", "name", text(32), "The player's name.")
MONEY = Field("currency", "currency", CURRENCY, "Currency code of the wallet.")
AMOUNT_IN = Field("amount", "amount", POSITIVE, "Amount to add.")
AMOUNT_OUT = Field("amount", "amount", POSITIVE, "Amount to take.")
UNIQUE = Field("uuid", "uuid", UUID, "Unique id of this request; sent again, it gets the first answer.")
UNIQUE_READ = Field("uuid", "uuid", UUID, "Id of this request; the answer returns it.")

_AMOUNT: Final = {"type": "string", "pattern": AMOUNT_PATTERN}
_TIME: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"}


def _time(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


MOVED: Final = (
    Shown("currency", {"type": "string"}, "Currency code of the wallet.", lambda t: t.row.currency),
    Shown("amount", _AMOUNT, "The amount that was asked for.", lambda t: show(t.row.asked)),
    Shown("balance", BALANCE_SCHEMA, "The wallet's balance after it.", lambda t: show(t.row.balance)),
)
BALANCE: Final = (
    Shown("balance", BALANCE_SCHEMA, "The balance.", lambda t: show(t.seen.wallets[t.echo.currency])),
)
AT_CREATE = Shown("at_create", _TIME, "When the player was created, UTC.", lambda t: _time(t.seen.created_at))
AT_LOGIN = Shown(
    "at_login", _TIME, "When the newest game session began, UTC.", lambda t: _time(t.seen.login_at)
)
INFO: Final = (
    Shown("name", {"type": "string"}, "The player's name.", lambda t: t.seen.name),
    *(AT_CREATE, AT_LOGIN),
    Shown(
        "wallet",
        {"type": "object", "additionalProperties": BALANCE_SCHEMA},
        "Currency code -> balance.",
        lambda t: {code: show(balance) for code, balance in sorted(t.seen.wallets.items())},
    ),
)


def create_player(values: dict[str, Any], terms: Terms) -> Request:
    """R59: with a new key for the hash of the name; it counts only if this request creates the player."""
    return CreatePlayer(name_key=token_bytes(16), **values)


SLOT_LOG = Endpoint(
    path="/log/slot",
    summary="A page of the game rounds of the partner's players, oldest first.",
    fields=(slot_log.START, slot_log.LIMIT, UNIQUE_READ),
    make=slot_log.no_request,
    success=(slot_log.LOGS,),
    reads=True,
)
ENDPOINTS: Final = (
    Endpoint(
        path="/user/create",
        summary="Create a player.",
        fields=(ID, NAME, UNIQUE),
        make=create_player,
        refusals=(Verdict.KEY_CONFLICT, Verdict.DUPLICATE_PLAYER),
    ),
    Endpoint(
        path="/user/create_wallet",
        summary="Open a player's wallet in a currency.",
        fields=(ID, MONEY, UNIQUE),
        creates_obligation=True,
        make=as_is(OpenWallet),
        refusals=(
            *(Verdict.PLAYER_UNKNOWN, Verdict.KEY_CONFLICT, Verdict.DUPLICATE_WALLET),
            Verdict.CURRENCY_UNSUPPORTED,
        ),
    ),
    Endpoint(
        path="/user/info",
        summary="Show a player and all wallets.",
        fields=(ID, UNIQUE_READ),
        make=as_is(Look),
        success=INFO,
        refusals=(Verdict.PLAYER_UNKNOWN,),
        reads=True,
    ),
    Endpoint(
        path="/user/balance",
        summary="Show the balance of a player's wallet.",
        fields=(ID, MONEY, UNIQUE_READ),
        make=as_is(Look),
        success=BALANCE,
        refusals=(Verdict.PLAYER_UNKNOWN, Verdict.WALLET_UNKNOWN),
        reads=True,
    ),
    Endpoint(
        path="/user/charge",
        summary="Put money into a player's wallet.",
        fields=(ID, MONEY, AMOUNT_IN, UNIQUE),
        creates_obligation=True,
        make=as_is(Charge),
        success=MOVED,
        refusals=(
            Verdict.PLAYER_UNKNOWN,
            Verdict.KEY_CONFLICT,
            Verdict.CURRENCY_UNSUPPORTED,
            Verdict.TOO_MANY_DECIMALS,
            Verdict.WALLET_UNKNOWN,
            Verdict.BALANCE_LIMIT,
        ),
    ),
    Endpoint(
        path="/user/refund",
        summary="Refund (money out): take money out of a player's wallet (Refund Balance).",
        fields=(ID, MONEY, AMOUNT_OUT, UNIQUE),
        make=as_is(Withdraw),
        success=MOVED,
        refusals=(
            Verdict.PLAYER_UNKNOWN,
            Verdict.KEY_CONFLICT,
            Verdict.WALLET_UNKNOWN,
            Verdict.PLAYER_FROZEN,
            Verdict.INSUFFICIENT,
        ),
    ),
    SLOT_LOG,
)

_ROUTES: Final = {endpoint.path: Route(endpoint) for endpoint in ENDPOINTS}


class TransferV3:
    """The door itself; holds no state."""

    def find(self, path: str) -> Route | None:
        """Paths of this door are spelled exactly."""
        return _ROUTES.get(path)

    def owns(self, path: str) -> bool:
        """All that begins like one of its paths."""
        return path.startswith(("/user/", "/log/"))

    def take(self, route: Route, call: Call, world: Context) -> Question | RoundsQuery | Unread | Answer:
        """Who asks, is it readable, is it valid; then it is a question for the writer."""
        endpoint = route.endpoint
        if call.method != "POST":
            return Answer(405, self.reject(405), ALLOW)
        fields = read(call.body) if is_json(call.content_type) else None
        found = endpoint.spelled(fields)
        partner = world.access.partner(call.query, call.authorization)
        if partner is None:
            return Unauthorized(*_unheard(401, found))
        if found is None:
            status, fault = (400, "body") if is_json(call.content_type) else (415, "content-type")
            return unread(_unheard(status, None), endpoint, None, fault, partner)
        if endpoint is SLOT_LOG:
            return _list(found, partner, world)
        request = request_of(endpoint, found, world.currencies, Terms(partner), world.new_id)
        if isinstance(request, Fault):
            refused = Answer(200, _failed(_uuid_sent(found), INVALID))
            return unread(refused, endpoint, found, request.field, partner)
        return Question(request, DEFAULT_POLICY, partial(render, endpoint, echo_of(request, found["uuid"])))

    def reject(self, status: int, route: Route | None = None) -> bytes:
        """A failure found before any uuid could be read."""
        return _unheard(status, None).body

    def status(self, status: int) -> int:
        """Failures keep their HTTP status on this door."""
        return status


def render(endpoint: Endpoint, echo: Echo, decision: Decision | None) -> Answer:
    """From the decision; None: no verdict could be given. The echo's uuid is in the sender's letter case."""
    if decision is None:
        return Answer(503, _failed(echo.uuid, UNAVAILABLE), RETRY_AFTER)
    if decision.verdict not in ACCEPTED:
        return Answer(200, _failed(echo.uuid, FAILURES[decision.verdict]))
    source = AnswerSource(echo, decision)
    return Answer(200, _succeeded(echo.uuid, {f.name: f.show(source) for f in endpoint.success}))


def _list(found: Mapping[str, Any], partner: str, world: Context) -> RoundsQuery | Answer:
    values = read_fields(SLOT_LOG, found, world.currencies)
    if isinstance(values, Fault):
        return Answer(200, _failed(_uuid_sent(found), INVALID))
    page = LogQuery(partner, values["start"], values["limit"])
    return RoundsQuery(page, partial(_listed, found["uuid"]))


def _listed(uuid: str, rows: list[Numbered] | None) -> Answer:
    if rows is None:
        return Answer(503, _failed(uuid, UNAVAILABLE), RETRY_AFTER)
    if not rows:
        return Answer(200, _failed(uuid, NO_RECORD))
    return Answer(200, _succeeded(uuid, {slot_log.LOGS.name: slot_log.rows(rows)}))


def _unheard(status: int, found: Mapping[str, Any] | None) -> Answer:
    """No verdict was given, nothing is implied."""
    uuid = _uuid_sent(found) if found else ""
    return Answer(status, _failed(uuid, STATUSES.get(status, BAD_REQUEST)))


def _uuid_sent(found: Mapping[str, Any]) -> str:
    """The request's uuid as it was sent; empty if it is none."""
    sent = found.get("uuid")
    return sent if isinstance(sent, str) and UUID.read(sent) else ""


def _succeeded(uuid: str, shown: Mapping[str, object]) -> bytes:
    return encode({"status": "OK", "uuid": uuid, **shown})


def _failed(uuid: str, failure: Failure) -> bytes:
    return encode({"status": "Failed", "uuid": uuid, "code": failure.code, "reason": failure.reason})
