"""Entry, a row of the journal, and Decision, what deciding one request gives. MOVES: the legal movements.

A row *is* a double entry: one signed amount on the player's account, and the contra account that MOVES
fixes for its kind (R50). It proves itself: sequence number, balance after, and a hash over itself and
the player's row before it (R51). Rows are made here and nowhere else; nothing changes one afterwards.
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from caisse.core.money import show
from caisse.core.verdicts import FLAGGED, Verdict

NO_HEAD: Final = bytes(32)
"""What the first row of a player is chained to."""


class Kind(StrEnum):
    """What a row records. The text is what the journal stores; it never changes once released."""

    CREATE = "create"
    OPEN_WALLET = "open_wallet"
    FREEZE = "freeze"
    RELEASE = "release"
    FORGET = "forget"
    CHARGE = "charge"
    WITHDRAW = "withdraw"
    BET = "bet"
    RESULT = "result"
    ROLLBACK = "rollback"
    TOMBSTONE = "tombstone"
    ROUND_ROLLBACK = "round_rollback"
    END_ROUND = "end_round"
    BONUS = "bonus"
    JACKPOT = "jackpot"
    PROMO = "promo"
    SESSION = "session"


class Move(NamedTuple):
    """A legal movement: the sign it has on the player's account, and the account on the other side."""

    sign: int
    contra: str


MOVES: Final[Mapping[Kind, Move]] = {
    Kind.CHARGE: Move(+1, "partner:{partner}:funds"),
    Kind.WITHDRAW: Move(-1, "partner:{partner}:funds"),
    Kind.BET: Move(-1, "provider:{provider}:stakes"),
    Kind.ROLLBACK: Move(+1, "provider:{provider}:stakes"),
    Kind.RESULT: Move(+1, "provider:{provider}:wins"),
    Kind.BONUS: Move(+1, "provider:{provider}:awards"),
    Kind.JACKPOT: Move(+1, "provider:{provider}:awards"),
    Kind.PROMO: Move(+1, "provider:{provider}:awards"),
}
"""Kind -> its movement. A kind that is not here moves nothing. Accounts are within one partner."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of the journal. Empty text stands for what the kind does not have."""

    partner: str
    player: str
    seq: int
    """The player's row number, from 1, without gaps."""
    id: str
    """Transaction id: shared by the rows of one decision, told apart by `part`."""
    part: int
    kind: Kind
    verdict: Verdict
    rule: str
    """The rule that decided: `R10`."""
    endpoint: str
    currency: str
    amount: int
    """Signed movement on the player's wallet; 0 for a refusal."""
    balance: int
    """The wallet's balance after this row."""
    asked: int
    """The amount that was asked for, moved or not."""
    key: str
    second_key: str
    fingerprint: bytes
    uuid: str
    provider: str
    reference: str
    round: str
    game: str
    session: str
    name: str
    """A player's name as its hash (create), bonus code, jackpot or campaign (awards), who decided by hand."""
    details: str
    """What else came and is worth keeping, as JSON text, or the reason a person gave; no rule reads it."""
    at: int
    """Time of decision, microseconds since 1970 UTC; shown, never compared (R55)."""
    hash: bytes


_json = msgspec.json.Encoder()


def row_hash(previous: bytes, entry: Entry) -> bytes:
    """BLAKE2b-256 over the previous row's hash and this row as a compact JSON array.

    The array holds the fields in the order of `Entry`, all but the hash; amounts as canonical text, the
    fingerprint as hexadecimal: anyone can recompute it from an export, in any language.
    """
    e = entry
    # fmt: off
    fields = (
        e.partner, e.player, e.seq, e.id, e.part, e.kind, e.verdict, e.rule, e.endpoint, e.currency,
        show(e.amount), show(e.balance), show(e.asked), e.key, e.second_key, e.fingerprint.hex(), e.uuid,
        e.provider, e.reference, e.round, e.game, e.session, e.name, e.details, e.at,
    )
    # fmt: on
    return blake2b(previous + _json.encode(fields), digest_size=32).digest()


def sealed(previous: bytes, draft: Entry) -> Entry:
    """The draft, with its hash, chained to the player's previous row.

    Filled in where it is, the one time in a row's life: nobody else has seen the draft yet, and a copy would
    cost as much as the row.
    """
    msgspec.structs.force_setattr(draft, "hash", row_hash(previous, draft))
    return draft


def accounts(entry: Entry) -> tuple[str, str]:
    """The account that gives and the one that takes (R50). ValueError for a kind that moves nothing."""
    move = MOVES.get(entry.kind)
    if move is None:
        raise ValueError(f"a row of kind {entry.kind} moves nothing")
    contra = move.contra.format(partner=entry.partner, provider=entry.provider)
    player = f"player:{entry.player}:{entry.currency}"
    return (contra, player) if move.sign > 0 else (player, contra)


def flag_of(kind: Kind, verdict: Verdict, rule: str) -> str:
    """The rule for which a person should look at a row; empty for most.

    R32: the tombstone of a bet nobody knows, asked for in a round in which bets of that player stood.
    """
    by_round = kind is Kind.TOMBSTONE and rule == "R32"
    return rule if by_round or verdict in FLAGGED else ""


class Seen(msgspec.Struct, frozen=True):
    """A player as a read shows them, at its place in the order of decisions."""

    name: str
    created_at: int
    login_at: int
    frozen: bool
    wallets: dict[str, int]


class Identity(msgspec.Struct, frozen=True):
    """What is personal of a player (R59): stands beside the journal, never in it."""

    name: str
    key: bytes
    """What the name's hash is keyed with, 16 bytes; both are empty once the player is forgotten."""


class Decision(msgspec.Struct, frozen=True):
    """What one request comes to: its verdict, the row it is answered from, the rows to append."""

    verdict: Verdict
    rule: str
    row: Entry | None = None
    """The row that carries the answer: the new one, or at a replay the first one (R1)."""
    rows: tuple[Entry, ...] = ()
    """New rows, in order; empty for replays, reads and refusals that are not kept."""
    replay: bool = False
    seen: Seen | None = None
    identity: Identity | None = None
    """The player's name from now on, where the decision sets it: creating and forgetting."""
    flag: str = ""
    """The rule for which a person should look at this request; empty for most.

    Of a decision that wrote rows it is `flag_of` its row; of others only their attempt carries it.
    """
