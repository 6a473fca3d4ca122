"""What the contract leaves open, and what a wallet decided there. None: not decided here, either way is
right.
"""

from __future__ import annotations

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One wallet's choices."""

    name: str = "auto"
    unknown_bet: str | None = None
    """How a refund of an unknown bet is answered: `success`, or an error code as text (R22)."""
    late_bet: str | None = None
    """A bet that comes after its refund: `refuse` or `absorb` (R23)."""
    settled_bet: str | None = None
    """A refund of a settled bet: `refuse` or `return_stake` (R26)."""
    refund_amount: str | None = None
    """A refund smaller than its bet: `at_most` or `exact` (R25)."""
    refund_by_round: bool = False
    """Whether a Refund names a round and undoes all its open bets (R32)."""
    insufficient: tuple[str, ...] = ("1", "15")
    """Codes of a bet that the balance does not cover (R46)."""
    final: tuple[str, ...] = ("0", "1", "15", "120", "999")
    """Codes after which the vendor does not send again."""


_V4 = Policy(
    name="lucky-monaco-v4",
    insufficient=("1",),
    final=("0", "1", "120"),
    unknown_bet="success",
    late_bet="refuse",
    settled_bet="refuse",
    refund_amount="at_most",
)
_replace = msgspec.structs.replace

PROFILES = {
    policy.name: policy
    for policy in (
        _V4,
        _replace(_V4, name="lucky-monaco-v4-by-round", refund_by_round=True),
        _replace(_V4, name="lucky-monaco-v4-2024-10", final=("0", "1", "999")),
        _replace(_V4, name="lucky-monaco-v4-2024-12", insufficient=("15",), final=("0", "15", "999")),
        _replace(_V4, name="kyren-v1", insufficient=("15",), final=("0", "15", "999"), refund_by_round=True),
    )
}
"""The editions of the contract that the kit knows by name."""

KYREN_AUTO = Policy(insufficient=("15",), final=("0", "15", "999"), refund_by_round=True)
