"""How the audit reads what is stored: rows, heads and rounds as the tables hold them, and what a row must be.

Written from docs/journal.md, not from the code that writes: amounts, hashes, keys and fingerprints are read
and computed here in their own way, from the standard library. Text that is no number is a ValueError.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring as quoted
from typing import Any, Final, NamedTuple

import msgspec

NO_HASH: Final = bytes(32)
"""What a player's first row follows."""

AMOUNTS: Final = ("amount", "balance", "asked")
ROUND_AMOUNTS: Final = ("staked", "won", "jackpot")


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
    name_key: bytes
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
    """A round as stored, its amounts in units of 10^-18; or as the rows make it.

    What the slot log has of it is checked with the log (`round_log_audit`).
    """

    partner: str
    player: str
    provider: str
    id: str
    currency: str = ""
    game: str = ""
    state: str = "open"
    standing: int = 0
    bets: int = 0
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
_AMOUNTS_AT: Final = tuple(map(ROUND.index, ROUND_AMOUNTS))

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
    """Each wallet's balance. ValueError unless the text is a JSON object of texts as it is written.

    No spaces, no escapes, no currency twice: what passes here the server can read too, and in one way only.
    """
    pairs = json.loads(balances, object_pairs_hook=_Pairs)
    if not isinstance(pairs, _Pairs) or not all(isinstance(held, str) for _, held in pairs):
        raise ValueError("the balances are no JSON object of currencies and amounts")
    held = {currency: units(balance) for currency, balance in pairs}
    if len(held) != len(pairs):
        raise ValueError("two wallets in one currency")
    written = ",".join(f'"{currency}":"{balance}"' for currency, balance in pairs)
    if balances != f"{{{written}}}":
        raise ValueError("the balances are not spelled as they are written")
    return held


class _Pairs(list[tuple[str, Any]]):
    """A JSON object, in its order, with what stands in it twice."""


def round_of(values: Sequence[Any]) -> Played:
    """A round as read in the order of `ROUND`."""
    cells = [*values]
    for at in _AMOUNTS_AT:
        cells[at] = units(cells[at])
    return Played(*cells)


def name_hash(name: str, key: bytes) -> str:
    """BLAKE2b-128 of a player's name under the key that stands beside it."""
    return blake2b(name.encode(), digest_size=16, key=key).hexdigest()


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
    verdicts: Mapping[str, frozenset[str]]
    """What it may keep, each with the rules that give it."""
    key: Callable[[Row], str]
    contents: Callable[[Row], Sequence[Texts]]
    """What its fingerprint may be of; nothing, if the row alone does not tell (a result's)."""
    columns: frozenset[str]
    """Those of `OPTIONAL` that it may fill."""


OPTIONAL: Final = (
    *("currency", "asked", "second_key", "provider", "reference", "round", "game", "session", "name"),
    "details",
)
"""Columns that stay empty (an amount 0.0) in kinds that have nothing to put there."""


def _verdicts(**rules: str) -> dict[str, frozenset[str]]:
    return {verdict: frozenset(names.split()) for verdict, names in rules.items()}


def _columns(*names: str) -> frozenset[str]:
    return frozenset(names)


def _transfer_key(r: Row) -> str:
    return "t:" + r.uuid


def _bet_key(r: Row) -> str:
    return f"late:{r.provider}:{r.reference}" if r.key.startswith("late:") else r.bet_key


def _tombstone_key(r: Row) -> str:
    return f"rollback:{r.provider}:{r.reference}" if r.key.startswith("rollback:") else r.bet_key


def _own_key(r: Row) -> str:
    return f"{r.kind}:{r.provider}:{r.reference}"


def _of_player(space: str, r: Row, named: str) -> str:
    """The length tells where the player's id ends, whatever it holds."""
    return f"{space}:{r.provider}:{len(r.player)}:{r.player}:{named}"


def _money(r: Row) -> Sequence[Texts]:
    return ((r.kind, r.player, r.currency, r.asked),)


def _bet(r: Row) -> Sequence[Texts]:
    return ((r.player, r.currency, r.asked, r.round),)


def _who(r: Row) -> Sequence[Texts]:
    return ((r.player,),)


def _award(r: Row) -> Sequence[Texts]:
    """One that named its currency, and one that did not."""
    return (r.player, r.asked, r.currency), (r.player, r.asked)


def result_content(r: Row, promo: Texts = ()) -> Texts:
    """Of a result, with the reference and amount of the promotional win that it brought, if any."""
    return (r.player, r.asked, r.round, *promo)


_MONEY: Final = _columns("currency", "asked", "second_key")
_PLAYED: Final = _columns("currency", "provider", "reference", "round", "game", "session", "details")
_HAND: Final = _columns("name", "details")
_UNSUPPORTED: Final = _verdicts(currency_unsupported="R1", too_many_decimals="R1")
_AWARD: Final = Form(+1, _verdicts(ok="R44"), _own_key, _award, _PLAYED | {"asked", "name"})
_BY_HAND: Final = Form(0, _verdicts(ok="R15"), lambda r: "freeze:" + r.id, lambda r: ((),), _HAND)

FORMS: Final = {
    "create": Form(
        0,
        _verdicts(ok="R3", duplicate_player="R3"),
        _transfer_key,
        lambda r: (("create", r.player, r.name),),
        _columns("name"),
    ),
    "open_wallet": Form(
        0,
        _verdicts(ok="R3", duplicate_wallet="R3", currency_unsupported="R1"),
        _transfer_key,
        lambda r: (("open_wallet", r.player, r.currency),),
        _columns("currency"),
    ),
    "freeze": _BY_HAND,
    "release": _BY_HAND,
    "forget": Form(0, _verdicts(ok="R59"), lambda r: "forget:" + r.id, lambda r: ((),), _HAND),
    "charge": Form(
        +1,
        _UNSUPPORTED | _verdicts(ok="R14", wallet_unknown="R8", balance_limit="R13"),
        _transfer_key,
        _money,
        _MONEY,
    ),
    "withdraw": Form(
        -1,
        _verdicts(ok="R10", wallet_unknown="R8", player_frozen="R15", insufficient="R10"),
        _transfer_key,
        _money,
        _MONEY,
    ),
    "bet": Form(
        -1,
        {
            **_UNSUPPORTED,
            **_verdicts(ok="R40 R45", absorbed="R23", late_bet="R23", round_currency="R40"),
            **_verdicts(round_ended="R47", session_expired="R47", wallet_unknown="R40"),
            **_verdicts(player_frozen="R15", game_disabled="R30", round_full="R40", insufficient="R46"),
        },
        _bet_key,
        _bet,
        _PLAYED | {"asked"},
    ),
    "result": Form(
        +1, _verdicts(ok="R41", no_standing_bet="R41"), _own_key, lambda r: (), _PLAYED | {"asked"}
    ),
    "rollback": Form(+1, _verdicts(ok="R20 R32 R45", bet_settled="R26"), _own_key, _who, _PLAYED | {"asked"}),
    "tombstone": Form(
        0,
        _verdicts(tombstone="R22 R27 R32", unknown_bet="R22 R27 R32"),
        _tombstone_key,
        _who,
        _PLAYED | {"asked"},
    ),
    "round_rollback": Form(
        0,
        _verdicts(ok="R32", tombstone="R32", unknown_bet="R32", round_won="R32", bet_settled="R26"),
        lambda r: _of_player("unround", r, r.round),
        _who,
        _PLAYED,
    ),
    "end_round": Form(
        0, _verdicts(ok="R43"), lambda r: _of_player("end", r, r.round), _who, _PLAYED - {"reference"}
    ),
    "bonus": _AWARD,
    "jackpot": _AWARD,
    "promo": _AWARD._replace(verdicts=_verdicts(ok="R44 R48")),
    "session": Form(
        0,
        _verdicts(ok="R47"),
        lambda r: _of_player("session", r, r.session),
        _who,
        _PLAYED - {"currency", "reference"},
    ),
}
"""Kind -> what its rows are like. A kind that is not here does not exist."""

is_transaction_id: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII
).fullmatch
"""Whether a text is a UUIDv7 as it is written."""
