"""Policy: what the provider's contract leaves open, as data. One value for each connection.

Holds no code that decides: `caisse.core.rollbacks` and `caisse.core.play` read the fields.
"""

from typing import Literal

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A named profile. The defaults are those of `lucky-monaco-v4`."""

    name: str = "lucky-monaco-v4"
    unknown_bet: Literal["success"] | int = "success"
    """R22: how a refund of an unknown bet is answered; a number is the wire code of the refusal."""
    late_bet: Literal["refuse", "absorb"] = "refuse"
    """R23: a bet that arrives after its refund: refused, or answered as success without taking money."""
    refund_amount: Literal["at_most", "exact"] = "at_most"
    """R25: whether a refund smaller than its bet gives back that much, or is refused."""
    settled_bet: Literal["refuse", "return_stake"] = "refuse"
    """R26: whether the stake of a settled bet can be given back."""
    refund_by_round: bool = False
    """R32: whether a Refund without reference undoes the open bets of its round."""
    retransmission: bool = False
    """Whether a replayed answer is marked `"retransmission": true`."""
    codes: dict[str, int] = {}
    """Verdict text -> wire code, where the operator's differs from the contract's table."""
    aliases: dict[str, str] = {}
    """Further spellings of a field -> the field's own name."""


DEFAULT_POLICY = Policy()
