"""The audit's invariants of single rows: numbers, chain, decisions, words, money and rollbacks.

Each function looks at the next row and at the past before it, and says what is wrong. Only what holds under
every policy profile is asked for.
"""

from collections.abc import Callable, Iterator
from typing import Final

from caisse.audit.history import Past
from caisse.audit.stored import (
    FORMS,
    OPTIONAL,
    Row,
    Texts,
    fingerprint,
    is_transaction_id,
    result_content,
    row_hash,
)
from caisse.core.money import show

Say = Callable[[str], None]

NOTHING: Final = ("", "0.0")
"""What a column holds that its kind does not have."""

FOLLOWS: Final = frozenset(
    {
        *(("promo", "result"), ("result", "end_round")),
        *(("round_rollback", "rollback"), ("rollback", "rollback")),
    }
)
"""What may come after what in one decision (R32, R43, R48)."""


def sequence(row: Row, past: Past, say: Say) -> None:
    """R51."""
    if row.seq != past.seq + 1:
        say(f"row {row.seq} follows row {past.seq}")


def chain(row: Row, past: Past, say: Say) -> None:
    """R51."""
    if row_hash(past.head, row) != row.hash:
        say(f"row {row.seq} ({row.id}) does not match its hash: it, or the row before it, was changed")


def anchored(row: Row, past: Past, say: Say) -> None:
    """R51: whoever can rewrite every table cannot rewrite what is kept elsewhere."""
    if past.anchor and row.seq == past.anchor.seq and row.hash != past.anchor.hash:
        say(f"row {row.seq} ({row.id}) is not the one of the anchor: it, or a row before it, was rewritten")


def decisions(row: Row, past: Past, say: Say) -> None:
    """R51."""
    last = past.last
    if row.part == 0:
        if last and row.id == last.id:
            say(f"row {row.seq} begins a decision under the id of the row before it, {row.id}")
        return
    if last is None or (row.id, row.part) != (last.id, last.part + 1):
        say(f"row {row.seq} is part {row.part} of {row.id}, without the part before it")
    elif (last.kind, row.kind) not in FOLLOWS:
        say(f"row {row.seq}: a {row.kind} cannot follow a {last.kind} in one decision")
    elif _told(row) != _told(last):
        say(f"row {row.seq} has another time, endpoint, uuid, provider or verdict than the part before it")


def _told(row: Row) -> tuple[object, ...]:
    return row.at, row.endpoint, row.uuid, row.provider, row.verdict


def words(row: Row, past: Past, say: Say) -> None:
    """R3, R4, R5."""
    form = FORMS.get(row.kind)
    if form is None:
        return
    if row.key != form.key(row):
        say(f"row {row.seq} stands under the key {row.key}, its words make {form.key(row)}")
    if row.second_key and not row.second_key.startswith("x:"):
        say(f"row {row.seq} has the second key {row.second_key}, which is none")
    for name in OPTIONAL:
        if name not in form.columns and getattr(row, name) not in NOTHING:
            say(f"row {row.seq} has the {name} {getattr(row, name)}: a {row.kind} has none")
    if not is_transaction_id(row.id):
        say(f"row {row.seq} has the id {row.id}, which is no transaction's")
    contents = _result_contents(row, past) if row.kind == "result" else form.contents(row)
    if not any(fingerprint(content) == row.fingerprint for content in contents) and not _untold(row):
        say(f"row {row.seq} has a fingerprint that is not that of its words")


def _result_contents(row: Row, past: Past) -> Iterator[Texts]:
    """R5, R48: without a promotional win, with the one paid just before it, with one paid long before."""
    yield result_content(row)
    for (provider, reference), amount in reversed(past.promos.items()):
        if provider == row.provider:
            yield result_content(row, (reference, amount))


def _untold(row: Row) -> bool:
    """Whether a promotional win may have come along that no row tells of: that of a refused result."""
    return row.kind == "result" and not row.ok


def moves(row: Row, past: Past, say: Say) -> None:
    """R50, R8."""
    form = FORMS.get(row.kind)
    if form is None:
        say(f"row {row.seq} is of the unknown kind {row.kind!r}")
        return
    if row.verdict not in form.verdicts:
        say(f"row {row.seq} keeps the verdict {row.verdict!r}, which no {row.kind} leaves behind")
    elif row.rule not in form.verdicts[row.verdict]:
        say(f"row {row.seq} says that {row.rule} gave {row.verdict} to a {row.kind}, which it does not")
    if not row.ok and row.moved:
        say(f"row {row.seq} was refused ({row.verdict}) but moves {show(row.moved)}")
    if row.moved * form.sign < 0 or (row.moved and not form.sign):
        say(f"row {row.seq} moves {show(row.moved)}: not a legal move for {row.kind}")
    if form.sign and row.ok and abs(row.moved) != row.wanted:
        say(f"row {row.seq} moves {show(row.moved)} where {show(row.wanted)} was asked")
    if row.wanted < 0:
        say(f"row {row.seq} was asked for {show(row.wanted)}")


def balances(row: Row, past: Past, say: Say) -> None:
    """R10, R52."""
    balance = past.sums[row.currency] + row.moved
    if row.moved and row.currency not in past.opened:
        say(f"row {row.seq} moves {row.currency or 'no currency'}, of which no wallet was opened")
    if balance != row.after:
        say(f"row {row.seq} says {show(row.after)} {row.currency}, the rows add up to {show(balance)}")
    if balance < 0:
        say(f"row {row.seq} takes {row.currency} below zero, to {show(balance)}")


def rollbacks(row: Row, past: Past, say: Say) -> None:
    """R20-R27, R32."""
    if past.owed and row.part == 0:
        say(f"row {past.seq} ends a round's rollback that leaves out {_listed(past.owed)}")
        past.owed = set()
    if row.kind == "rollback":
        past.owed.discard(row.bet_key)
        for wrong in _rollback(row, past):
            say(f"row {row.seq} {wrong}")
    elif row.kind == "tombstone":
        _tombstone(row, past, say)


def unfinished(past: Past, say: Say) -> None:
    """R32: the last decision too."""
    if past.owed:
        say(f"row {past.seq} ends a round's rollback that leaves out {_listed(past.owed)}")


def _listed(keys: set[str]) -> str:
    return ", ".join(sorted(keys)[:3])


def _rollback(row: Row, past: Past) -> list[str]:
    bet = past.claims.get(row.bet_key)
    if bet is None or bet.kind != "ok":
        return [f"rolls back {row.reference}, which is no accepted bet before it"]
    wrong = []
    if bet.decided:
        wrong.append(f"rolls back {row.reference} a second time")
    if (row.currency, row.round, row.game) != (bet.currency, bet.round, bet.game):
        wrong.append(f"names another currency, round or game than the bet {row.reference}")
    found = past.round_of(row)
    if not row.ok and (found is None or found.settled_seq <= bet.seq):
        wrong.append(f"says that {row.reference} was settled, which it was not")
    if row.ok and not _amount_fits(row, bet.stake):
        wrong.append(f"gives back {show(row.moved)} of a stake of {show(bet.stake)}")
    return wrong


def _amount_fits(row: Row, stake: int) -> bool:
    """R25; of a round, every bet is given back whole."""
    return row.moved == stake or (0 < row.moved < stake and row.part == 0)


def _tombstone(row: Row, past: Past, say: Say) -> None:
    claim = past.claims.get(row.bet_key)
    if row.key == row.bet_key and claim is not None:
        say(f"row {row.seq} says that {row.reference} is unknown: row {claim.seq} knows it")
    elif row.key != row.bet_key and (claim is None or claim.kind != "refused"):
        say(f"row {row.seq} says that {row.reference} was refused, which it was not")
