"""The shapes between an HTTP server and a dialect.

A door turns a call into a question for the writer, and the writer's decision into an answer; it knows neither
the server nor the store.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from caisse.core.entries import Decision
from caisse.core.policy import Policy
from caisse.core.requests import Request
from caisse.core.round_log import LogQuery, Numbered
from caisse.currencies.table import Currency
from caisse.dialects.wire.auth import Access
from caisse.dialects.wire.table import Endpoint

Headers = tuple[tuple[str, str], ...]

ALLOW: Final[Headers] = (("Allow", "POST"),)

RETRY_AFTER: Final[Headers] = (("Retry-After", "1"),)
"""Seconds. A queue that is full now drains in a fraction of one; a restart takes a few."""


NO_ANSWER: Final = frozenset({404, 405, 500, 503})
"""Statuses that the V4 and Kyren editions pass through; every other failure becomes 200."""


class Call(Protocol):
    """What the HTTP server hands over."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def authorization(self) -> str:
        """The Authorization header; empty without one."""

    @property
    def peer(self) -> str: ...
    @property
    def local(self) -> bool:
        """Whether a program on this machine asks, with no sign of a proxy or a browser."""

    @property
    def body(self) -> bytes: ...


class Answer(NamedTuple):
    """What the HTTP server sends back: always JSON."""

    status: int
    body: bytes
    headers: Headers = ()


class Unauthorized(Answer):
    """The refusal of a call that showed no right token or key, or not from a network that may call."""

    __slots__ = ()


class Unread(NamedTuple):
    """The answer to an authenticated request that could not be read, and what evidence of it may hold (R58).

    Never a body or a secret. An id that could not be read is empty.
    """

    answer: Answer
    partner: str
    provider: str
    endpoint: str
    player: str
    uuid: str
    reference: str
    """A transfer's TransactionId, too."""
    round: str
    fault: str
    """The field at fault; `body` or `content-type` where no field could be read."""


class Question(NamedTuple):
    """A question for the writer."""

    request: Request
    policy: Policy
    answer: Callable[[Decision | None], Answer]
    """From the decision; None: no verdict could be given, nothing is implied, ask again."""


class RoundsQuery(NamedTuple):
    """A page of a slot log is asked for, read from the store, not in the order of verdicts."""

    page: LogQuery
    answer: Callable[[list[Numbered] | None], Answer]
    """None: it could not be read just now."""


class Route(NamedTuple):
    """Where a path leads."""

    endpoint: Endpoint
    secret: str = ""
    """The key that the path carried, if it did. Not for logs: `endpoint.path` is."""

    def __repr__(self) -> str:
        return f"<Route {self.endpoint.path}>"


@dataclass(frozen=True, eq=False)
class Context:
    """What a door may look at. Replaced whole when something in it changes."""

    access: Access
    currencies: Mapping[str, Currency]
    policies: Mapping[str, Policy]
    """By the name of the profile."""
    new_id: Callable[[], str]
    loopback: bool
    """Whether the server is bound to loopback only."""


class Door(Protocol):
    """One dialect, as the HTTP server sees it."""

    def find(self, path: str) -> Route | None:
        """Where the path leads in this dialect."""

    def take(self, route: Route, call: Call, world: Context) -> Question | RoundsQuery | Unread | Answer:
        """The question that a call asks, or the answer that needs no question."""

    def owns(self, path: str) -> bool:
        """Whether a path that leads nowhere was meant for this door: its 404 then has the door's shape."""

    def reject(self, status: int, route: Route | None = None) -> bytes:
        """The body of a failure that the HTTP server found (404, 413, 503 …)."""

    def status(self, status: int) -> int:
        """The HTTP status to tell such a failure under: some vendors read nothing but 200."""


def unread(
    answer: Answer,
    endpoint: Endpoint,
    found: Mapping[str, Any] | None,
    fault: str,
    partner: str,
    provider: str = "",
) -> Unread | Answer:
    """The answer with what could be read of its request; a read leaves no trace: the answer alone."""
    if endpoint.reads:
        return answer
    ids = dict.fromkeys(("user", "uuid", "reference", "round", "transaction"), "")
    for field in endpoint.fields:
        if field.to in ids and found:
            ids[field.to] = field.type.read(found.get(field.name)) or ""
    reference = ids["reference"] or ids["transaction"]
    return Unread(
        answer, partner, provider, endpoint.path, ids["user"], ids["uuid"], reference, ids["round"], fault
    )


def is_json(content_type: str) -> bool:
    """Whether a body is announced as JSON; parameters such as charset are fine."""
    return (
        content_type == "application/json"
        or content_type.partition(";")[0].strip().lower() == "application/json"
    )
