"""Keys: under which text a request claims its verdict, within one partner (R3, R4). One table for everybody.

A provider's id holds no colon, so what follows it is unambiguous whatever it holds. Where a player and a
second id are joined, the player's length in characters comes first: no two pairs make one key.
"""

from typing import Final, Literal, NamedTuple

OfReference = Literal["bet", "late", "rollback", "result", "bonus", "jackpot", "promo"]
"""Spaces in which a provider's reference stands; a rollback and a late bet under that of their bet."""
OfPlayer = Literal["end", "unround", "session"]
"""Spaces in which a player's round or session stands: another player's claims nothing of his."""

REFERENCES: Final[tuple[OfReference, ...]] = (
    "bet", "late", "rollback", "result", "bonus", "jackpot", "promo",
)  # fmt: skip
ROUNDS: Final[tuple[OfPlayer, ...]] = ("end", "unround")
SESSION: Final[OfPlayer] = "session"

TRANSFER: Final = "t:"
"""Then the uuid of a request of the transfer door (R3)."""
SECOND: Final = "x:"
"""Then the partner's own TransactionId: the second key of a V4 transfer (R3)."""
FREEZE: Final = "freeze:"
"""Then the transaction id: a person's decision is never a repeat. `forget:` likewise."""
FORGET: Final = "forget:"


def transfer(uuid: str) -> str:
    """The key of a request of the transfer door."""
    return TRANSFER + uuid


def second(transaction: str) -> str:
    """The second key of a V4 transfer."""
    return SECOND + transaction


def of_reference(space: OfReference, provider: str, reference: str) -> str:
    """`bet:lucky:b-1`."""
    return f"{space}:{provider}:{reference}"


def of_player(space: OfPlayer, provider: str, player: str, named: str) -> str:
    """`end:lucky:3:ann:r-1`; `named` is the round or session."""
    return f"{space}:{provider}:{len(player)}:{player}:{named}"


class Named(NamedTuple):
    """What a key of the seamless door names."""

    space: str
    provider: str
    player: str
    """Empty where the key names none."""
    named: str
    """The reference, round or session."""


def parsed(key: str) -> Named | None:
    """The parts of a key of the seamless door; None for any other text."""
    space, _, rest = key.partition(":")
    provider, _, named = rest.partition(":")
    if space in REFERENCES:
        return Named(space, provider, "", named)
    if space not in ROUNDS and space != SESSION:
        return None
    length, _, pair = named.partition(":")
    if not (length.isascii() and length.isdigit()):
        return None
    player, colon, named = pair[: int(length)], pair[int(length) :][:1], pair[int(length) + 1 :]
    return Named(space, provider, player, named) if colon == ":" else None
