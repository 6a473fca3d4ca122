"""How a decision is put together: replays, refusals, and the one place where a journal row is made.

Used by the decide functions only. Everything here is pure.
"""

from collections.abc import Mapping
from typing import Any, Final, get_args

from caisse.core.book import Book, Player
from caisse.core.entries import MOVES, NO_HEAD, Decision, Entry, Kind, flag_of, sealed
from caisse.core.requests import Content, Request, fingerprint
from caisse.core.verdicts import FLAGGED, UNKEPT, Verdict

_NOTHING_SAID: Final[Mapping[str, str]] = dict.fromkeys(
    ("provider", "reference", "round", "game", "session", "name", "details"), ""
)
"""Fields of a row that are the request's own words, where it has them."""

_WORDS: Final = {
    kind: tuple(name for name in _NOTHING_SAID if name in kind.__struct_fields__)
    for kind in get_args(Request)
}
"""Which of them each kind of request has."""

UNKNOWN_PLAYER: Final = Decision(verdict=Verdict.PLAYER_UNKNOWN, rule="R8")


def unkept(verdict: Verdict, rule: str, *, flag: str = "") -> Decision:
    """A refusal that leaves nothing behind (R8), but for its attempt; `flag` as in `Decision`."""
    if verdict not in UNKEPT:
        raise ValueError(f"{verdict} must be kept")
    return Decision(verdict=verdict, rule=rule, flag=rule if verdict in FLAGGED else flag)


def replay(first: Entry, *, flag: str = "") -> Decision:
    """R1: the verdict that stands, with its own row."""
    return Decision(verdict=first.verdict, rule=first.rule, row=first, replay=True, flag=flag)


def earlier_verdict(request: Request, book: Book) -> Decision | None:
    """Have I seen this key? Then the first verdict (R1), or a refusal if the content differs (R5)."""
    first = book.entries.get((request.partner, request.key))
    if first is None:
        return _under_second_key(request, book) if request.second_key else None
    if first.fingerprint != fingerprint(request.content) or first.second_key != request.second_key:
        return unkept(Verdict.KEY_CONFLICT, "R5")
    return replay(first)


def _under_second_key(request: Request, book: Book) -> Decision | None:
    """R3, transfer V4: a known TransactionId under a new uuid."""
    first = book.entries.get((request.partner, request.second_key))
    if first is None:
        return None
    if first.fingerprint != fingerprint(request.content):
        return unkept(Verdict.KEY_CONFLICT, "R5")
    if first.verdict is not Verdict.OK:
        return replay(first)
    return Decision(verdict=Verdict.ALREADY_TRANSFERRED, rule="R3", row=first, replay=True)


def write(
    request: Request,
    player: Player | None,
    now: int,
    kind: Kind,
    verdict: Verdict,
    rule: str,
    **fields: Any,
) -> Decision:
    """A decision that appends one row; `fields` as in `row`."""
    return decided(row(request, player, now, kind, verdict, rule, **fields))


def decided(first: Entry, *others: Entry, answer: Entry | None = None) -> Decision:
    """A decision that appends these rows and is answered from one of them, the first if not said."""
    told = first if answer is None else answer
    flag = flag_of(told.kind, told.verdict, told.rule)
    return Decision(verdict=told.verdict, rule=told.rule, row=told, rows=(first, *others), flag=flag)


def row(
    request: Request,
    player: Player | None,
    now: int,
    kind: Kind,
    verdict: Verdict,
    rule: str,
    *,
    currency: str = "",
    asked: int = 0,
    key: str | None = None,
    content: Content | None = None,
    after: Entry | None = None,
    **own: str,
) -> Entry:
    """The player's next journal row. What is not given is taken from the request.

    What it moves is not the caller's to say: the amount that was asked for, in the direction that MOVES has
    for the kind, if it was accepted. `player` is None for the row that creates the player; `after` is the row
    of the same decision that this one follows.
    """
    move = MOVES.get(kind)
    amount = move.sign * asked if move and verdict is Verdict.OK else 0
    balance = player.wallets.get(currency, 0) if player else 0
    seq, head, part = (player.seq, player.head, 0) if player else (0, NO_HEAD, 0)
    if after is not None:
        seq, head, part = after.seq, after.hash, after.part + 1
        balance = after.balance if after.currency == currency else balance
    said = _said(request, own)
    draft = Entry(
        partner=request.partner,
        player=request.user,
        seq=seq + 1,
        id=request.id,
        part=part,
        kind=kind,
        verdict=verdict,
        rule=rule,
        endpoint=request.endpoint,
        currency=currency,
        amount=amount,
        balance=balance + amount,
        asked=asked,
        key=request.key if key is None else key,
        second_key=request.second_key if key is None else "",
        fingerprint=fingerprint(request.content if content is None else content),
        uuid=request.uuid,
        provider=said["provider"],
        reference=said["reference"],
        round=said["round"],
        game=said["game"],
        session=said["session"],
        name=said["name"],
        details=said["details"],
        at=now,
        hash=b"",
    )
    return sealed(head, draft)


def _said(request: Request, own: Mapping[str, str]) -> Mapping[str, str]:
    words = _WORDS[type(request)]
    if not words and not own:
        return _NOTHING_SAID
    return {**_NOTHING_SAID, **{name: getattr(request, name) for name in words}, **own}
