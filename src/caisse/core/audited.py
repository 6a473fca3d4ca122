"""How the audit reads what is stored: rows, heads and rounds as the tables hold them, and what a row must be.

Written from docs/journal.md, not from the code that writes: amounts, hashes, keys and fingerprints are read
and computed here in their own way, from the standard library. Text that is no number is a ValueError.
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring as quoted
from typing import Any, Final, NamedTuple

import msgspec

NO_HASH: Final = bytes(32)
"""What a player's first row follows."""

AMOUNTS: Final = ("amount", "balance", "asked")


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row of the journal: its columns as stored, then its three amounts in units of 10^-18."""

    partner: str
    player: str
    seq: int
    id: str
    part: int
    kind: str
    verdict: str
    rule: str
    endpoint: str
    currency: str
    amount: str
    balance: str
    asked: str
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
    details: str
    at: int
    hash: bytes
    moved: int
    after: int
    wanted: int

    @property
    def ok(self) -> bool:
        """Whether it was accepted as asked."""
        return self.verdict == "ok"

    @property
    def bet_key(self) -> str:
        """The key of the bet that its reference names."""
        return f"bet:{self.provider}:{self.reference}"


JOURNAL: Final = Row.__struct_fields__[:26]
"""The table's columns in the order of docs/journal.md."""


class Head(msgspec.Struct, gc=False):
    """A player as stored."""

    partner: str
    id: str
    name: str
    created_at: int
    login_at: int
    session: str
    frozen: bool
    seq: int
    head: bytes
    balances: str
    wallets: dict[str, int] = {}
    """What `balances` says: currency to units of 10^-18."""


class Played(msgspec.Struct, gc=False):
    """A round as stored, its amounts in units of 10^-18; or as the rows make it."""

    partner: str
    provider: str
    id: str
    player: str
    currency: str = ""
    game: str = ""
    state: str = "open"
    standing: int = 0
    settled_seq: int = 0
    opened_seq: int = 0
    opened_at: int = 0
    opened_id: str = ""
    staked: int = 0
    won: int = 0
    jackpot: int = 0
    jackpot_id: str = ""


HEAD: Final = Head.__struct_fields__[:-1]
ROUND: Final = Played.__struct_fields__
_STAKED: Final = ROUND.index("staked")

_plain = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]{1,18})?", re.ASCII).fullmatch


@lru_cache(maxsize=100_000)
def units(text: str) -> int:
    """An amount's text as a whole number of 10^-18; ValueError unless it is a plain decimal number."""
    if not _plain(text):
        raise ValueError(f"{text!r:.64} is no amount")
    whole, _, decimals = text.partition(".")
    return int(whole + decimals.ljust(18, "0"))


def row_of(values: Sequence[Any]) -> Row:
    """A row as read in the order of `JOURNAL`."""
    moved, after, wanted = units(values[10]), units(values[11]), units(values[12])
    return Row(*values, moved, after, wanted)  # type: ignore[call-arg]  # a row of any table has any length


def head_of(values: Sequence[Any]) -> Head:
    """A player as read in the order of `HEAD`."""
    head = Head(*values)
    head.frozen = bool(head.frozen)
    head.wallets = _wallets(head.balances)
    return head


def _wallets(balances: str) -> dict[str, int]:
    """Each wallet's balance; ValueError unless it is a JSON object of amounts, each currency once."""
    pairs = json.loads(balances, object_pairs_hook=list)
    held = {currency: units(balance) for currency, balance in pairs}
    if len(held) != len(pairs):
        raise ValueError("two wallets in one currency")
    return held


def round_of(values: Sequence[Any]) -> Played:
    """A round as read in the order of `ROUND`."""
    at = _STAKED
    return Played(*values[:at], *map(units, values[at : at + 3]), *values[at + 3 :])


def row_hash(previous: bytes, r: Row) -> bytes:
    """BLAKE2b-256 over the previous hash and the row as compact JSON, amounts as they are stored."""
    text = (
        f"[{quoted(r.partner)},{quoted(r.player)},{r.seq},{quoted(r.id)},{r.part},{quoted(r.kind)},"
        f"{quoted(r.verdict)},{quoted(r.rule)},{quoted(r.endpoint)},{quoted(r.currency)},{quoted(r.amount)},"
        f"{quoted(r.balance)},{quoted(r.asked)},{quoted(r.key)},{quoted(r.second_key)},"
        f'"{r.fingerprint.hex()}",{quoted(r.uuid)},{quoted(r.provider)},{quoted(r.reference)},'
        f"{quoted(r.round)},{quoted(r.game)},{quoted(r.session)},{quoted(r.name)},{quoted(r.details)},{r.at}]"
    )
    return blake2b(previous + text.encode(), digest_size=32).digest()


Texts = tuple[str, ...]


def fingerprint(content: Texts) -> bytes:
    """BLAKE2b-128 over the content as a compact JSON array of texts."""
    return blake2b(f"[{','.join(map(quoted, content))}]".encode(), digest_size=16).digest()


class Form(NamedTuple):
    """What the rows of one kind are like."""

    sign: int
    """Of its movement on the player's account; 0 for a kind that moves nothing."""
    verdicts: frozenset[str]
    key: Callable[[Row], str]
    contents: Callable[[Row], Sequence[Texts]]
    """What its fingerprint may be of; nothing, if the row does not tell."""


def _verdicts(*names: str) -> frozenset[str]:
    return frozenset(names)


def _transfer_key(r: Row) -> str:
    return "t:" + r.uuid


def _bet_key(r: Row) -> str:
    return f"late:{r.provider}:{r.reference}" if r.key.startswith("late:") else r.bet_key


def _tombstone_key(r: Row) -> str:
    return f"rollback:{r.provider}:{r.reference}" if r.key.startswith("rollback:") else r.bet_key


def _own_key(r: Row) -> str:
    return f"{r.kind}:{r.provider}:{r.reference}"


def _money(r: Row) -> Sequence[Texts]:
    return ((r.kind, r.player, r.currency, r.asked),)


def _play(r: Row) -> Sequence[Texts]:
    return ((r.player, r.currency, r.asked, r.round, r.game),)


def _who(r: Row) -> Sequence[Texts]:
    return ((r.player,),)


def _award(r: Row) -> Sequence[Texts]:
    """One that named no currency, and one that rode in a result, whose round is none of its content (R48)."""
    if not r.ok:
        return ()
    own, unnamed = (r.currency, r.asked, r.round, r.game), ("", r.asked, r.round, r.game)
    return tuple((r.player, *rest) for rest in (own, unnamed, (r.currency, r.asked, "", "")))


_TRANSFER: Final = ("ok", "wallet_unknown")
_PLAY: Final = ("round_foreign", "round_currency", *_TRANSFER)
_AWARD: Final = Form(+1, _verdicts("ok", "round_foreign", "wallet_unknown"), _own_key, _award)
_FREEZE: Final = Form(0, _verdicts("ok"), lambda r: "freeze:" + r.id, lambda r: ((),))

FORMS: Final = {
    "create": Form(
        0, _verdicts("ok", "duplicate_player"), _transfer_key, lambda r: (("create", r.player, r.name),)
    ),
    "open_wallet": Form(
        0,
        _verdicts("ok", "duplicate_wallet"),
        _transfer_key,
        lambda r: (("open_wallet", r.player, r.currency),),
    ),
    "freeze": _FREEZE,
    "release": _FREEZE,
    "charge": Form(+1, _verdicts(*_TRANSFER, "balance_limit"), _transfer_key, _money),
    "withdraw": Form(-1, _verdicts(*_TRANSFER, "player_frozen", "insufficient"), _transfer_key, _money),
    "bet": Form(
        -1,
        _verdicts(
            *(*_PLAY, "absorbed", "late_bet", "round_ended", "session_expired"),
            *("player_frozen", "game_disabled", "insufficient"),
        ),
        _bet_key,
        _play,
    ),
    "result": Form(+1, _verdicts(*_PLAY, "no_standing_bet"), _own_key, _play),
    "rollback": Form(+1, _verdicts("ok", "bet_settled"), _own_key, _who),
    "tombstone": Form(0, _verdicts("tombstone", "unknown_bet"), _tombstone_key, _who),
    "round_rollback": Form(
        0,
        _verdicts("ok", "tombstone", "unknown_bet", "bet_settled"),
        lambda r: f"unround:{r.provider}:{r.round}",
        _who,
    ),
    "end_round": Form(
        0,
        _verdicts("ok"),
        lambda r: f"end:{r.provider}:{r.round}",
        lambda r: ((r.player, "", "", r.round, r.game),),
    ),
    "bonus": _AWARD,
    "jackpot": _AWARD,
    "promo": _AWARD,
    "session": Form(0, _verdicts("ok"), lambda r: f"session:{r.provider}:{r.session}", _who),
}
"""Kind -> what its rows are like. A kind that is not here does not exist."""
