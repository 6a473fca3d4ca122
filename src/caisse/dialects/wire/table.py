"""What a dialect is made of: fields, endpoints, and the one way from a body's fields to a Request.

A dialect's table is plain data. Serving it (`take` of its door) and documenting it (OpenAPI) read the same
table, so neither can say what the other does not do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from caisse.core.entries import Decision, Entry, Seen
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.requests import Request, Unsupported
from caisse.core.verdicts import Verdict
from caisse.currencies import table as currencies
from caisse.currencies.table import Currency
from caisse.dialects.recording import recorded
from caisse.dialects.wire.reader import NO_SPELLINGS, Readers, spelled
from caisse.dialects.wire.values import Type, Wrong

encode = msgspec.json.Encoder().encode


class Need(StrEnum):
    """What becomes of a request whose field is absent or cannot be read (R56)."""

    REQUIRED = "required"
    """Deciding needs it: absent or unreadable, the request cannot be read (R7)."""
    CHECKED = "checked"
    """May be absent; unreadable, the request cannot be read. Of reads, and of the transfer door."""
    STEERS = "steers"
    """May be absent, but steers money: unreadable, the request is decided, and refused (R8)."""
    RECORDED = "recorded"
    """May be absent; whatever it is, it is recorded, and the request decided without it."""


class Field(NamedTuple):
    """One field of a request's body."""

    name: str
    """As the contract spells it; any letter case is accepted."""
    to: str
    """The attribute of the Request that it becomes; empty: none."""
    type: Type
    about: str
    need: Need = Need.REQUIRED
    keep: bool = False
    """Whether it is recorded in the Request's `details`, as sent."""
    spellings: tuple[str, ...] = ()
    """What other editions call it."""

    @property
    def required(self) -> bool:
        """Whether it may not be left out."""
        return self.need is Need.REQUIRED

    def optional(self, need: Need = Need.RECORDED, about: str = "") -> "Field":
        """The same field where it may be left out."""
        return self._replace(need=need, about=about or self.about)


class Echo(NamedTuple):
    """What an answer repeats of its request."""

    user: str
    uuid: str
    currency: str = ""
    reference: str = ""


def echo_of(request: Request, uuid: str = "") -> Echo:
    """Of any kind of request; its uuid may have been sent in another letter case."""
    currency, reference = getattr(request, "currency", ""), getattr(request, "reference", "")
    return Echo(request.user, uuid or request.uuid, currency, reference)


class AnswerSource(NamedTuple):
    """What a success answer is made from."""

    echo: Echo
    decision: Decision

    @property
    def row(self) -> Entry:
        """The decision's row; at a replay the first one (R1). TypeError for a read of the player."""
        if self.decision.row is None:
            raise TypeError("this decision has no row")
        return self.decision.row

    @property
    def seen(self) -> Seen:
        """The player as a read shows them. TypeError for anything else."""
        if self.decision.seen is None:
            raise TypeError("this decision shows no player")
        return self.decision.seen

    @property
    def wallet(self) -> str:
        """The wallet that a read shows: the one asked for, else the only one; empty: none is clear."""
        wallets = self.seen.wallets
        return self.echo.currency or (next(iter(wallets)) if len(wallets) == 1 else "")


class Shown(NamedTuple):
    """One field of a success answer, in the order of the table."""

    name: str
    schema: Mapping[str, object]
    about: str
    show: Callable[[AnswerSource], object]
    """None: the field is left out this time."""
    always: bool = True
    """Whether every success has it."""


class Terms(NamedTuple):
    """What besides its body decides what a request becomes."""

    partner: str
    policy: Policy = DEFAULT_POLICY
    provider: str = ""
    disabled_games: frozenset[str] = frozenset()


class Fault(NamedTuple):
    """Why a body's fields make no Request."""

    wrong: Wrong
    field: str


Make = Callable[[dict[str, Any], Terms], Request | Fault]


@dataclass(frozen=True, eq=False, repr=False)
class Endpoint:
    """One row of a dialect's table."""

    path: str
    """As documented, and as recorded in the journal; holds no secret."""
    also: tuple[str, ...] = field(default=(), kw_only=True)
    """Paths under which other editions know it."""
    summary: str
    fields: tuple[Field, ...]
    make: Make
    """From the fields' values, by attribute, to the Request."""
    success: tuple[Shown, ...] = ()
    """What a success shows besides what every answer of the dialect has."""
    refusals: tuple[Verdict, ...] = ()
    """Every refusal that the rules can give here."""
    creates_obligation: bool = False
    """Whether obligations begin here (a wallet, a charge, a bet): only here can the currency table refuse.

    What is owed already is paid in any currency that ever was one, to the last decimal (R13, R43).
    """
    reads: bool = False
    """Whether it only reads: it claims no key and leaves no trace."""
    shows_wallet: bool = False
    """Whether a success needs a clear wallet: without one a parameter is missing."""
    names: frozenset[str] = field(init=False)
    spellings: Mapping[str, str] = field(init=False)
    needed: Readers = field(init=False)
    """Fields that must not have two values."""
    amounts: tuple[tuple[str, str], ...] = field(init=False)
    """(attribute, name) of the fields whose decimals the currency limits."""

    def __post_init__(self) -> None:
        """Prepare what every request needs of the table."""
        names = [f.name for f in self.fields]
        spellings = {name.lower(): name for name in names} | {name: name for name in names}
        spellings |= {other.lower(): f.name for f in self.fields for other in f.spellings}
        needed = {f.name: f.type.read for f in self.fields if f.need in (Need.REQUIRED, Need.CHECKED)}
        amounts = tuple((f.to, f.name) for f in self.fields if f.type.wrong is Wrong.AMOUNT)
        object.__setattr__(self, "names", frozenset(names))
        object.__setattr__(self, "spellings", spellings)
        object.__setattr__(self, "needed", needed)
        object.__setattr__(self, "amounts", amounts)

    def spelled(
        self, fields: dict[str, Any] | None, further: Mapping[str, str] = NO_SPELLINGS
    ) -> dict[str, Any] | None:
        """A body's fields under the table's names; None if there are none, or a needed one has two values."""
        return fields and spelled(fields, self.names, self.spellings, self.needed, further)


def as_is(kind: Callable[..., Request]) -> Make:
    """The values are the Request, one for one."""
    return lambda values, terms: kind(**values)


def request_of(
    endpoint: Endpoint,
    found: Mapping[str, Any],
    table: Mapping[str, Currency],
    terms: Terms,
    new_id: Callable[[], str],
) -> Request | Fault:
    """What a body's fields ask for, on every door."""
    values = read_fields(endpoint, found, table)
    if isinstance(values, Fault):
        return values
    values.setdefault("uuid", "")
    values["id"], values["partner"], values["endpoint"] = new_id(), terms.partner, endpoint.path
    return endpoint.make(values, terms)


def read_fields(
    endpoint: Endpoint, found: Mapping[str, Any], table: Mapping[str, Currency]
) -> dict[str, Any] | Fault:
    """The values of a body's fields, by attribute, with `details` and `unreadable`; or what is wrong.

    Null is as good as absent; so is empty text where the field is optional and no amount. What no rule needs
    is recorded where it is no value of its type. A read records nothing.
    """
    values: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for name, to, (read, _, wrong), _, need, keep, _ in endpoint.fields:
        sent = found.get(name)
        if sent is None or (sent == "" and need is not Need.REQUIRED and wrong is not Wrong.AMOUNT):
            if need is Need.REQUIRED:
                return Fault(Wrong.PARAMETER, name)
            continue
        value = read(sent)
        if value is None:
            if need is Need.REQUIRED or need is Need.CHECKED:
                return Fault(wrong, name)
            if need is Need.STEERS:
                values.setdefault("unreadable", name)
            kept[name] = sent
            continue
        if to:
            values[to] = value
        if keep:
            kept[name] = sent
    if kept and not endpoint.reads:
        values["details"] = recorded(kept)
    if endpoint.creates_obligation:
        values["unsupported"] = _unsupported(endpoint, values, table)
    return values


def _unsupported(endpoint: Endpoint, values: dict[str, Any], table: Mapping[str, Currency]) -> Unsupported:
    """What the currency table says against an obligation that begins here; looked at by a guard (R1)."""
    currency = table.get(values["currency"])
    if currency is None:
        return "currency"
    amounts = [values[to] for to, _ in endpoint.amounts if to in values]
    return "" if all(currencies.fits(currency, amount) for amount in amounts) else "decimals"
