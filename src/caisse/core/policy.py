"""Policy: what the provider's contract leaves open, as data. One value for each connection.

Holds no code that decides: `caisse.core.rules.rollbacks` and `caisse.core.rules.play` read the fields.
"""

from typing import Annotated, Literal

import msgspec

Code = Annotated[int, msgspec.Meta(ge=1, le=9999)]
"""A wire code of a refusal; never 0, which would tell the provider that all is well."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named profile. The defaults are those of `lucky-monaco-v4`."""

    name: str = "lucky-monaco-v4"
    unknown_bet: Literal["success"] | Code = "success"
    """R22: how a refund of an unknown bet is answered; a number is the wire code of the refusal."""
    late_bet: Literal["refuse", "absorb"] = "refuse"
    """R23: a bet that arrives after its refund: refused, or answered as success without taking money."""
    refund_amount: Literal["at_most", "exact"] = "at_most"
    """R25: whether a refund smaller than its bet gives back that much, or is refused."""
    settled_bet: Literal["refuse", "return_stake"] = "refuse"
    """R26: whether the stake of a settled bet can be given back."""
    refund_by_round: bool = False
    """R32: whether a Refund with a round and no amount undoes the open bets of the round."""
    retransmission: bool = False
    """Whether a replayed answer is marked `"retransmission": true`."""
    codes: dict[str, Code] = {}
    """Verdict text -> wire code, where the operator's differs from the contract's table."""
    renumber: dict[str, Code] = {}
    """Code of the contract's table, as text -> the code that the provider's edition has for it."""
    spellings: dict[str, str] = {}
    """Further spelling of a field -> the field's own name."""


DEFAULT_POLICY = Policy()


def in_words(policy: Policy) -> list[tuple[str, str, str]]:
    """(key, value, meaning) of every decision of a profile, for people."""
    return [
        ("unknown_bet", str(policy.unknown_bet), _unknown_bet(policy)),
        ("late_bet", policy.late_bet, _LATE_BET[policy.late_bet]),
        ("refund_amount", policy.refund_amount, _REFUND_AMOUNT[policy.refund_amount]),
        ("settled_bet", policy.settled_bet, _SETTLED_BET[policy.settled_bet]),
        ("refund_by_round", _bool(policy.refund_by_round), _BY_ROUND[policy.refund_by_round]),
        ("retransmission", _bool(policy.retransmission), _RETRANSMISSION[policy.retransmission]),
        ("codes", _pairs(policy.codes), "Verdicts answered with a code of the operator's own."),
        ("renumber", _pairs(policy.renumber), "Codes of the contract that have another number here."),
        ("spellings", _pairs(policy.spellings), "Further spellings of a field that are understood."),
    ]


def _unknown_bet(policy: Policy) -> str:
    answer = "success" if policy.unknown_bet == "success" else f"error {policy.unknown_bet}"
    return f"A refund of a bet that never came moves nothing and is answered with {answer} (R22)."


_LATE_BET = {
    "refuse": "A bet that comes after its refund is refused (R23).",
    "absorb": "A bet that comes after its refund is answered with success and takes no money (R23).",
}
_REFUND_AMOUNT = {
    "at_most": "A refund smaller than its bet gives back that much and closes the bet (R25).",
    "exact": "A refund must be of the whole bet; a smaller one is refused (R25).",
}
_SETTLED_BET = {
    "refuse": "A bet whose round was settled after it cannot be refunded (R26).",
    "return_stake": "A bet whose round was settled after it can still be refunded, its stake only (R26).",
}
_BY_ROUND = {
    False: "A Refund must name the reference of its bet (R32).",
    True: "A Refund with a round and no amount gives back every open bet of the round (R32).",
}
_RETRANSMISSION = {
    False: "A repeated request gets the first answer to the byte (R1).",
    True: 'A repeated request gets the first answer, marked "retransmission": true (R1).',
}


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _pairs(mapping: dict[str, int] | dict[str, str]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in mapping.items()) or "none"
