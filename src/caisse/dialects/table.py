"""What a dialect is made of: fields, endpoints, and the one way from a body's fields to a Request.

A dialect's table is plain data. Serving it (`take` of its door) and documenting it (OpenAPI) read the same
table, so neither can say what the other does not do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from caisse.core import currencies
from caisse.core.currencies import Currency
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.requests import Request, Unsupported
from caisse.core.verdicts import Verdict
from caisse.dialects.values import Type, Wrong

encode = msgspec.json.Encoder().encode


class Field(NamedTuple):
    """One field of a request's body."""

    name: str
    """As the contract spells it; any letter case is accepted."""
    to: str
    """The attribute of the Request that it becomes; empty: none."""
    type: Type
    about: str
    required: bool = True
    keep: bool = False
    """Whether it is recorded in the Request's `details`, as sent."""

    def optional(self, about: str = "") -> "Field":
        """The same field where it may be left out."""
        return self._replace(required=False, about=about or self.about)


class Told(NamedTuple):
    """What an answer is told from. Each kind of request has a row or a sight of the player, or neither."""

    request: Any
    row: Any
    """`Decision.row`: at a replay the first one (R1)."""
    seen: Any
    """`Decision.seen`."""


class Shown(NamedTuple):
    """One field of a success answer, in the order of the table."""

    name: str
    schema: Mapping[str, object]
    about: str
    show: Callable[[Told], object]


class Terms(NamedTuple):
    """What besides its body decides what a request becomes."""

    policy: Policy = DEFAULT_POLICY
    provider: str = ""
    disabled_games: frozenset[str] = frozenset()


PLAIN_TERMS: Final = Terms()
"""Those of a door that has no profiles."""


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
    summary: str
    fields: tuple[Field, ...]
    make: Make
    """From the fields' values, by attribute, to the Request."""
    success: tuple[Shown, ...] = ()
    """What a success shows besides what every answer of the dialect has."""
    refusals: tuple[Verdict, ...] = ()
    """Every refusal that the rules can give here."""
    takes_on: bool = False
    """Whether obligations begin here (a wallet, a charge, a bet): only here can the currency table refuse.

    What is owed already is paid in any currency that ever was one, to the last decimal (R13, R43).
    """
    names: frozenset[str] = field(init=False)
    spellings: Mapping[str, str] = field(init=False)
    amounts: tuple[tuple[str, str], ...] = field(init=False)
    """(attribute, name) of the fields whose decimals the currency limits."""

    def __post_init__(self) -> None:
        """Prepare what every request needs of the table."""
        names = [f.name for f in self.fields]
        spellings = {name.lower(): name for name in names} | {name: name for name in names}
        amounts = tuple((f.to, f.name) for f in self.fields if f.type.wrong is Wrong.AMOUNT)
        object.__setattr__(self, "names", frozenset(names))
        object.__setattr__(self, "spellings", spellings)
        object.__setattr__(self, "amounts", amounts)


def plain(kind: Callable[..., Request]) -> Make:
    """The values are the Request, one for one."""
    return lambda values, terms: kind(**values)


def gather(
    endpoint: Endpoint, found: Mapping[str, Any], table: Mapping[str, Currency]
) -> dict[str, Any] | Fault:
    """The values of a body's fields, by attribute, with `details`; or the first thing that is wrong.

    Null is as good as absent; so is empty text where the field is optional and no amount.
    """
    values: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for name, to, (read, _, wrong), _, required, keep in endpoint.fields:
        sent = found.get(name)
        if sent is None or (sent == "" and not required and wrong is not Wrong.AMOUNT):
            if required:
                return Fault(Wrong.PARAMETER, name)
            continue
        value = read(sent)
        if value is None:
            return Fault(wrong, name)
        if to:
            values[to] = value
        if keep:
            kept[name] = sent
    if kept:
        values["details"] = encode(kept).decode()
    if endpoint.takes_on:
        values["unsupported"] = _unsupported(endpoint, values, table)
    return values


def _unsupported(endpoint: Endpoint, values: dict[str, Any], table: Mapping[str, Currency]) -> Unsupported:
    """What the currency table says against an obligation that begins here; looked at by a guard (R1)."""
    currency = table.get(values["currency"])
    if currency is None:
        return "currency"
    amounts = [values[to] for to, _ in endpoint.amounts if to in values]
    return "" if all(currencies.fits(currency, amount) for amount in amounts) else "decimals"
