"""Where several refusals apply the first in the order of `Verdict` is given: read from the functions.

A refusal that a decider gives and no case here brings about fails the first test; guards that stand in
another order than the enumeration fail the second; two that are true at once are played in the third.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from typing import Any, NamedTuple

import pytest

from caisse.core.requests import (
    Award,
    Bet,
    Charge,
    CreatePlayer,
    ForgetPlayer,
    OpenWallet,
    Request,
    Result,
    Rollback,
    RollbackRound,
    Withdraw,
)
from caisse.core.rules.decide import DECIDERS
from caisse.core.verdicts import UNKEPT, Verdict
from tests.support.ledger import (
    OTHER,
    again,
    award,
    bet,
    charge,
    create,
    end_round,
    expire_session,
    forget,
    freeze,
    funded,
    open_wallet,
    result,
    rollback,
    rollback_round,
    units,
    withdraw,
)

V = Verdict
ORDER = list(Verdict)


class Setup(NamedTuple):
    """How one refusal is brought about: what is asked before, and what the request says otherwise."""

    before: tuple[Any, ...] = ()
    changes: dict[str, Any] = {}  # noqa: RUF012 - never written to
    base: bool | None = None
    """Whether it needs what makes the plain request succeed; None: as it comes."""


class Kind(NamedTuple):
    request: Any
    base: tuple[Any, ...]
    """What makes the plain request succeed."""
    setups: dict[Verdict, Setup]
    """In the order in which they can be asked before one another."""


NOBODY = Setup(changes={"user": "nobody"})
FULL = tuple(bet("0", f"full-{number}") for number in range(1_000))
MONEY = {
    V.PLAYER_UNKNOWN: NOBODY,
    V.KEY_CONFLICT: Setup((charge("9.0", uuid="same"),)),
    V.CURRENCY_UNSUPPORTED: Setup(changes={"unsupported": "currency"}),
    V.TOO_MANY_DECIMALS: Setup(changes={"unsupported": "decimals"}),
    V.WALLET_UNKNOWN: Setup(changes={"currency": "GBP"}),
}
KINDS: dict[type, Kind] = {
    CreatePlayer: Kind(
        create(user="new", uuid="same"),
        (),
        {
            V.KEY_CONFLICT: Setup((charge("9.0", uuid="same"),)),
            V.DUPLICATE_PLAYER: Setup((create(user="new"),)),
        },
    ),
    OpenWallet: Kind(
        open_wallet("EUR", uuid="same"),
        (),
        {
            V.PLAYER_UNKNOWN: NOBODY,
            V.KEY_CONFLICT: Setup((charge("9.0", uuid="same"),)),
            V.DUPLICATE_WALLET: Setup((open_wallet("EUR"),)),
            V.CURRENCY_UNSUPPORTED: Setup(changes={"unsupported": "currency"}),
        },
    ),
    Charge: Kind(
        charge("1.0", uuid="same"),
        (),
        {**MONEY, V.BALANCE_LIMIT: Setup(changes={"amount": units("99999999999999.0")})},
    ),
    Withdraw: Kind(
        withdraw("1.0", uuid="same"),
        (),
        {
            **{name: MONEY[name] for name in (V.PLAYER_UNKNOWN, V.KEY_CONFLICT, V.WALLET_UNKNOWN)},
            V.PLAYER_FROZEN: Setup((freeze(),)),
            V.INSUFFICIENT: Setup(changes={"amount": units("900.0")}),
        },
    ),
    ForgetPlayer: Kind(
        forget(user="idle"),
        (create(user="idle"), open_wallet(user="idle")),
        {V.PLAYER_UNKNOWN: NOBODY, V.MONEY_STANDS: Setup((charge("1.0", user="idle"),), base=True)},
    ),
    Bet: Kind(
        bet("10.0", session="s1"),
        (),
        {
            V.PLAYER_UNKNOWN: NOBODY,
            V.KEY_CONFLICT: Setup((bet("9.0", round="r9"),)),
            V.ROUND_FULL: Setup(FULL),
            V.ROUND_CURRENCY: Setup((bet("0", "in USD"),), {"currency": "GBP"}),
            V.CURRENCY_UNSUPPORTED: Setup(changes={"unsupported": "currency"}),
            V.TOO_MANY_DECIMALS: Setup(changes={"unsupported": "decimals"}),
            V.ROUND_ENDED: Setup((end_round(),)),
            V.SESSION_EXPIRED: Setup((expire_session("s1"),)),
            V.LATE_BET: Setup((rollback_round(),)),
            V.WALLET_UNKNOWN: Setup(changes={"currency": "GBP"}),
            V.PLAYER_FROZEN: Setup((freeze(),)),
            V.GAME_DISABLED: Setup(changes={"game_enabled": False}),
            V.INSUFFICIENT: Setup(changes={"amount": units("900.0")}),
        },
    ),
    Result: Kind(
        result("25.0"),
        (bet("10.0"),),
        {
            V.PLAYER_UNKNOWN: NOBODY,
            V.KEY_CONFLICT: Setup((bet("1.0", "other", "r9"), result("1.0", round="r9"))),
            V.FIELD_UNREADABLE: Setup(changes={"unreadable": "currency"}),
            V.NO_STANDING_BET: Setup(base=False),
            V.WALLET_UNCLEAR: Setup(changes={"currency": "GBP"}),
        },
    ),
    Award: Kind(
        award("bonus"),
        (),
        {
            V.PLAYER_UNKNOWN: NOBODY,
            V.KEY_CONFLICT: Setup((award("bonus", "1.0"),)),
            V.FIELD_UNREADABLE: Setup(changes={"unreadable": "currency"}),
            V.WALLET_UNCLEAR: Setup(changes={"currency": "GBP"}),
        },
    ),
    Rollback: Kind(
        rollback(),
        (bet("10.0"),),
        {
            V.PLAYER_UNKNOWN: NOBODY,
            V.FOREIGN_BET: Setup((bet("10.0", user=OTHER),), base=False),
            V.KEY_CONFLICT: Setup((rollback(user=OTHER),), base=False),
            V.FIELD_UNREADABLE: Setup(changes={"unreadable": "amount"}),
            V.TOMBSTONE: Setup(base=False),
            V.REFUND_AMOUNT: Setup(changes={"amount": units("11.0")}, base=True),
            V.BET_SETTLED: Setup((result("0"),), base=True),
        },
    ),
    RollbackRound: Kind(
        rollback_round(),
        (bet("10.0"),),
        {
            V.PLAYER_UNKNOWN: NOBODY,
            V.TOMBSTONE: Setup(base=False),
            V.ROUND_WON: Setup((result("5.0"),), base=True),
            V.BET_SETTLED: Setup((result("0", "res-0"),), base=True),
        },
    ),
}
OF_A_PROFILE = {V.ABSORBED: V.LATE_BET, V.UNKNOWN_BET: V.TOMBSTONE}
"""What a profile calls another refusal: at its place."""
IMPOSSIBLE: dict[type, set[Verdict]] = {RollbackRound: {V.KEY_CONFLICT}}
"""What the shared look-up can say, and not here: the key of a round's refund holds all that is compared."""
NEVER_TOGETHER = [
    {V.FOREIGN_BET, V.KEY_CONFLICT},  # what stands under a bet's key is one thing
    {V.FOREIGN_BET, V.TOMBSTONE},
    {V.KEY_CONFLICT, V.TOMBSTONE},
    {V.ROUND_FULL, V.WALLET_UNKNOWN},  # a round that holds bets has a currency, of which there is a wallet
]


def given_in_order(decider: Any) -> list[list[Verdict]]:
    """The refusals of each `return` of a decider, from its source, in the order of its lines."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(decider)))
    names: dict[str, list[Verdict]] = {
        "UNKNOWN_PLAYER": [V.PLAYER_UNKNOWN],
        "earlier": [V.KEY_CONFLICT],
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names.setdefault(node.targets[0].id, verdicts_in(node.value, {}))
    returns = sorted((n for n in ast.walk(tree) if isinstance(n, ast.Return)), key=lambda n: n.lineno)
    return [found for node in returns if node.value and (found := verdicts_in(node.value, names))]


def verdicts_in(tree: ast.AST, names: dict[str, list[Verdict]]) -> list[Verdict]:
    found: list[Verdict] = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "Verdict"
        ):
            found.append(Verdict[node.attr])
        elif isinstance(node, ast.Name):
            found += names.get(node.id, [])
    return [verdict for verdict in found if verdict is not V.OK]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_refusal_that_a_decider_gives_is_brought_about_here(kind: Any) -> None:
    given = set(itertools.chain(*given_in_order(DECIDERS[kind])))
    assert given - OF_A_PROFILE.keys() - IMPOSSIBLE.get(kind, set()) == set(KINDS[kind].setups)


@pytest.mark.parametrize("kind", DECIDERS, ids=lambda kind: kind.__name__)
def test_guards_stand_in_the_order_of_the_verdicts(kind: type) -> None:
    given = [
        OF_A_PROFILE.get(verdict, verdict) for verdict in itertools.chain(*given_in_order(DECIDERS[kind]))
    ]
    assert given == sorted(given, key=ORDER.index)


def can_meet(known: Kind, one: Verdict, other: Verdict) -> bool:
    """Whether both can be true of one request."""
    a, b = known.setups[one], known.setups[other]
    another = any(a.changes[name] != b.changes[name] for name in a.changes.keys() & b.changes.keys())
    at_odds = {a.base, b.base} == {True, False}
    return not (another or at_odds or {one, other} in NEVER_TOGETHER)


PAIRS = [
    pytest.param(kind, one, other, id=f"{kind.__name__}: {one} and {other}")
    for kind, known in KINDS.items()
    for one, other in itertools.combinations_with_replacement(known.setups, 2)
    if can_meet(known, one, other)
]


@pytest.mark.parametrize(("kind", "one", "other"), PAIRS)
def test_where_two_apply_the_first_of_the_order_is_given(kind: type, one: Verdict, other: Verdict) -> None:
    known, ledger = KINDS[kind], funded()
    setups = [known.setups[one], known.setups[other]]
    story: list[Request] = [*known.base] if all(setup.base is not False for setup in setups) else []
    for setup in setups if one is not other else setups[:1]:
        story += setup.before
    for request in story:
        ledger.ask(again(request))
    books, rows = ledger.balances(), len(ledger.rows)
    changes = setups[0].changes | setups[1].changes
    decision = ledger.ask(again(known.request, **changes))
    first = min(one, other, key=ORDER.index)
    assert (decision.verdict, decision.replay) == (first, False)
    assert ledger.balances() == books, "a refusal moves nothing"
    assert len(ledger.rows) - rows == (0 if first in UNKEPT else 1)
    assert ledger.findings() == []
