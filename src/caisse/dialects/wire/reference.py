"""What documents need to know about a door besides its table of endpoints: where it hangs, what it answers.

Data for whoever writes documents; no request passes through here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from caisse.core.entries import Decision
from caisse.core.policy import Policy
from caisse.dialects.examples import Example
from caisse.dialects.wire.door import Answer, Door
from caisse.dialects.wire.table import Echo, Endpoint, Need, Shown
from caisse.dialects.wire.values import Wrong

Schema = Mapping[str, object]

Body = Mapping[str, object]
"""One kind of answer, in the order in which it is sent: name -> what is always said, or the schema of what
varies. A name that ends in `?` may be absent."""

Policies = Iterable[Policy]


class Parameter(NamedTuple):
    """Something that a URL carries."""

    name: str
    place: Literal["path", "query"]
    about: str
    schema: Schema
    example: str


class Mount(NamedTuple):
    """One way to reach every endpoint of a door."""

    id: str
    prefix: str
    """What stands before an endpoint's path; parameters in braces."""
    about: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manual:
    """One door's."""

    id: str
    title: str
    about: str
    door: Door
    endpoints: tuple[Endpoint, ...]
    mounts: tuple[Mount, ...]
    meanings: Mapping[str, str]
    """What those fields of an answer mean that always say the same, or one of a few things."""
    reason: str
    """The one of them that tells a refusal in words."""
    success: Callable[[Endpoint], Body]
    refusals: Callable[[Endpoint, Policies], Iterable[Body]]
    """Every other answer with HTTP 200."""
    statuses: tuple[int, ...]
    """Other HTTP statuses that the door itself tells failures under."""
    failure: Callable[[Endpoint, int], Body]
    """What it tells under one of them."""
    rejected: Callable[[Endpoint, int], Body]
    """What it tells where the HTTP server found that failure."""
    render: Callable[[Endpoint, Policy, Echo, Decision], Answer]
    """The answer to a request that was decided, made again for explaining."""
    parameters: tuple[Parameter, ...] = ()
    secret: str = ""
    """The query parameter that proves who calls; empty: none does."""
    profiled: bool = False
    """Whether the connection's profile has a say."""
    examples: tuple[Example, ...] = ()
    """Played after all others, in this order, on the player and the connection that they use."""


def shown(fields: tuple[Shown, ...]) -> Body:
    """A success answer's own fields."""
    return {
        field.name if field.always else f"{field.name}?": {**field.schema, "description": field.about}
        for field in fields
    }


def faults(endpoint: Endpoint) -> Iterator[tuple[Wrong, str]]:
    """What can be wrong with which field, before any rule is asked."""
    for field in endpoint.fields:
        if field.required:
            yield Wrong.PARAMETER, field.name
        if field.type.schema and field.need in (Need.REQUIRED, Need.CHECKED):
            yield field.type.wrong, field.name
        if field.to == "currency":
            yield Wrong.CURRENCY, field.name
