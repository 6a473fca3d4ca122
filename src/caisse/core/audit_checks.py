"""The audit's invariants of single rows: numbers, chain, decisions, words, money, and what verdicts claim.

Each function looks at the next row and at the past before it, and says what is wrong. Only what holds under
every policy profile is asked for.
"""

from collections.abc import Callable
from typing import Final

from caisse.core.audit_past import Past
from caisse.core.audited import FORMS, Row, fingerprint, row_hash
from caisse.core.money import show

Say = Callable[[str], None]

BEYOND: Final = 10**32
"""The first balance that no charge may reach: 14 digits before the point, 18 after it (R13)."""

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
        say(f"row {row.seq} tells another time, door, sender or verdict than its decision's first part")


def _told(row: Row) -> tuple[object, ...]:
    return row.at, row.endpoint, row.uuid, row.provider, row.verdict


def words(row: Row, past: Past, say: Say) -> None:
    """R3, R4, R5."""
    form = FORMS.get(row.kind)
    if form is None:
        return
    if row.key != form.key(row):
        say(f"row {row.seq} stands under the key {row.key}, its words make {form.key(row)}")
    if row.second_key and not (row.second_key.startswith("x:") and row.kind in ("charge", "withdraw")):
        say(f"row {row.seq} has the second key {row.second_key}: a {row.kind} has none such")
    contents = form.contents(row)
    if contents and not any(fingerprint(content) == row.fingerprint for content in contents):
        say(f"row {row.seq} has a fingerprint that is not that of its words")


def moves(row: Row, past: Past, say: Say) -> None:
    """R50, R8."""
    form = FORMS.get(row.kind)
    if form is None:
        say(f"row {row.seq} is of the unknown kind {row.kind!r}")
        return
    if row.verdict not in form.verdicts:
        say(f"row {row.seq} keeps the verdict {row.verdict!r}, which no {row.kind} leaves behind")
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


def verdicts(row: Row, past: Past, say: Say) -> None:
    """R10-R15, R23, R40-R47."""
    if (past.seq == 0) != (row.kind == "create" and row.ok):
        say(f"row {row.seq}: a player begins with being created, once")
    claim = CLAIMS.get(row.verdict)
    wrong = claim(row, past) if claim else ""
    if wrong:
        say(f"row {row.seq} ({row.kind}) says {row.verdict}, but {wrong}")


def _accepted(row: Row, past: Past) -> str:
    accepted = ACCEPTED.get(row.kind)
    if row.kind in NEED_WALLET and row.currency not in past.opened:
        return f"there was no {row.currency or 'such'} wallet"
    return accepted(row, past) if accepted else ""


def _opened(row: Row, past: Past) -> str:
    return "the wallet was open already" if row.currency in past.opened else ""


def _charged(row: Row, past: Past) -> str:
    return "the balance passes 14 digits" if row.after >= BEYOND else ""


def _withdrawn(row: Row, past: Past) -> str:
    return "the player was frozen" if past.frozen else ""


def _bet_taken(row: Row, past: Past) -> str:
    found = past.round_of(row)
    if past.frozen:
        return "the player was frozen"
    if row.session and (row.provider, row.session) in past.over:
        return f"the session {row.session} was over"
    if found and found.state != "open":
        return f"the round was {found.state}"
    return _other_currency(row, past)


def _result_paid(row: Row, past: Past) -> str:
    """R41: a free round's result has its bonus code among its details."""
    found = past.round_of(row)
    if (found is None or found.standing <= 0) and '"bonus' not in row.details:
        return "no bet of its round stood"
    return _other_currency(row, past)


def _other_currency(row: Row, past: Past) -> str:
    found = past.round_of(row)
    strange = found and found.currency not in ("", row.currency)
    return f"its round is in {found.currency}" if found and strange else ""


def _no_wallet(row: Row, past: Past) -> str:
    return f"there was a {row.currency} wallet" if row.currency in past.opened else ""


def _too_little(row: Row, past: Past) -> str:
    held = past.sums[row.currency]
    return f"there were {show(held)}" if held >= row.wanted else ""


def _too_much(row: Row, past: Past) -> str:
    sum_ = past.sums[row.currency] + row.wanted
    return f"the balance would have been {show(sum_)}" if sum_ < BEYOND else ""


def _late(row: Row, past: Past) -> str:
    claim, found = past.claims.get(row.bet_key), past.round_of(row)
    if row.key.startswith("late:"):
        return "" if claim and claim.kind == "tombstone" else f"no tombstone of {row.reference} came before"
    return "" if found and found.state == "refunded" else "its round was not rolled back"


def _no_bet_stood(row: Row, past: Past) -> str:
    found = past.round_of(row)
    return "a bet of its round stood" if found and found.standing else ""


CLAIMS: Final[dict[str, Callable[[Row, Past], str]]] = {
    "ok": _accepted,
    "duplicate_wallet": lambda row, past: "" if row.currency in past.opened else "there was no such wallet",
    "wallet_unknown": _no_wallet,
    "balance_limit": _too_much,
    "insufficient": _too_little,
    "player_frozen": lambda row, past: "" if past.frozen else "the player was not frozen",
    "session_expired": lambda row, past: (
        "" if (row.provider, row.session) in past.over else f"the session {row.session} was not over"
    ),
    "round_foreign": lambda row, past: "the round is the player's own" if past.round_of(row) else "",
    "round_currency": lambda row, past: "" if _other_currency(row, past) else "its round is in that currency",
    "round_ended": lambda row, past: (
        "" if (found := past.round_of(row)) and found.state == "ended" else "the round was not ended"
    ),
    "late_bet": _late,
    "absorbed": _late,
    "no_standing_bet": _no_bet_stood,
}
"""Verdict -> what is wrong with it, given the past; empty if it is true. Game switches leave no rows."""

ACCEPTED: Final[dict[str, Callable[[Row, Past], str]]] = {
    "open_wallet": _opened,
    "charge": _charged,
    "withdraw": _withdrawn,
    "bet": _bet_taken,
    "result": _result_paid,
}
NEED_WALLET: Final = frozenset(
    {"charge", "withdraw", "bet", "result", "rollback", "bonus", "jackpot", "promo"}
)


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
    elif row.kind == "round_rollback":
        _round_rollback(row, past, say)


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


def _round_rollback(row: Row, past: Past, say: Say) -> None:
    known = past.round_of(row) is not None
    if known != (row.verdict in ("ok", "bet_settled")):
        say(f"row {row.seq} says {row.verdict} of a round that was {'known' if known else 'unknown'}")
