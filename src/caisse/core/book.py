"""Book: what a batch may see of the past, kept up to date with each decision of the batch.

The only thing in the core that changes. A store fills it (`Wants` says with what); `caisse.core.rules.decide`
reads it; `take` folds each decision in at once, so that the next request of the batch sees it. Balances
and rounds are folds over journal rows (R52), and the folds live here.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from caisse.core import keys, round_log
from caisse.core.entries import NO_HEAD, Decision, Entry, Kind
from caisse.core.requests import (
    Charge,
    ForgetPlayer,
    LookTransfer,
    Request,
    Rollback,
    RollbackRound,
    Withdraw,
)
from caisse.core.verdicts import Verdict

PlayerKey = tuple[str, str]
"""(partner, user)"""
EntryKey = tuple[str, str]
"""(partner, key or second key)"""
RoundKey = tuple[str, str, str, str]
"""(partner, provider, player, round): rounds are the player's own (R40)"""


MOST_BETS: Final = 1_000
"""Bets that a round may hold (R40): bounds what its refund reads and writes."""

TRANSFERS: Final = (Kind.CHARGE, Kind.WITHDRAW)


class Player(msgspec.Struct, kw_only=True, gc=False):
    """A player's head: what the newest journal row left behind."""

    partner: str
    id: str
    name: str
    name_key: bytes
    """What the name's hash in the journal is keyed with; empty once the player is forgotten (R59)."""
    created_at: int
    login_at: int
    session: str = ""
    frozen: bool = False
    seq: int = 0
    head: bytes = NO_HEAD
    wallets: dict[str, int]
    loaded_seq: int = 0
    """`seq` as the store had it; 0: the player is new. A write counts only if it still holds."""

    def settle(self) -> None:
        """All that was changed is stored now."""
        self.loaded_seq = self.seq


class Round(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A game round's head: a projection of its journal rows."""

    partner: str
    player: str
    provider: str
    id: str
    currency: str = ""
    """Empty until a bet or result told it."""
    game: str = ""
    state: Literal["open", "ended", "refunded"] = "open"
    standing: int = 0
    """Bets taken and not rolled back."""
    bets: int = 0
    """Bets taken, whatever became of them; at most `MOST_BETS` (R40)."""
    settled_seq: int = 0
    """The player's sequence number of the newest result or end; bets before it are settled (R26)."""
    opened_seq: int
    opened_at: int
    opened_id: str
    staked: int = 0
    won: int = 0
    jackpot: int = 0
    jackpot_id: str = ""
    logged: bool = False
    """Whether the slot log has a row of it."""
    logged_staked: int = 0
    """What the rows of the slot log, due ones too, add up to."""
    logged_won: int = 0
    logged_jackpot: int = 0

    def settled(self, bet: Entry) -> bool:
        """Whether a result or the round's end came after that bet (R26)."""
        return self.settled_seq > bet.seq


class Wants(msgspec.Struct, frozen=True):
    """What a batch needs loaded, each once, in the order in which it was named first."""

    players: list[PlayerKey]
    entries: list[EntryKey]
    rounds: list[RoundKey]
    rolled_back: list[EntryKey]
    """Bets whose round must be loaded too, found through the bet's own row."""
    whole_rounds: list[RoundKey]
    """Rounds of which every bet must be loaded (R32)."""
    newest_transfers: list[PlayerKey] = []
    """Players whose newest charge or withdrawal is asked for."""
    playing: list[PlayerKey] = []
    """Players of whom must be known whether they have an open bet (R59)."""
    rows: int = 4_000
    """Rows of whole rounds to load at most, but for the first: what is left out waits for the next batch."""

    def __bool__(self) -> bool:
        """Whether there is anything to load."""
        some = self.players or self.entries or self.rounds or self.whole_rounds
        return bool(some or self.newest_transfers or self.playing)


_KEYS_ONLY: Final = frozenset({Charge, Withdraw})
"""Kinds that look at nothing but their player and keys."""


def wants(requests: Iterable[Request]) -> Wants:
    """Collect what deciding these requests may look at."""
    players: dict[PlayerKey, None] = {}
    entries: dict[EntryKey, None] = {}
    rounds: dict[RoundKey, None] = {}
    rolled_back: dict[EntryKey, None] = {}
    whole: dict[RoundKey, None] = {}
    newest: dict[PlayerKey, None] = {}
    playing: dict[PlayerKey, None] = {}
    for request in requests:
        partner = request.partner
        players[partner, request.user] = None
        for key in request.lookups:
            entries[partner, key] = None
        if type(request) in _KEYS_ONLY:
            continue
        for provider, round_id in request.rounds:
            rounds[partner, provider, request.user, round_id] = None
        if type(request) is Rollback:
            rolled_back[partner, request.bet_key] = None
        elif type(request) is RollbackRound:
            whole[partner, request.provider, request.user, request.round] = None
        elif type(request) is LookTransfer and not request.transaction:
            newest[partner, request.user] = None
        elif type(request) is ForgetPlayer:
            playing[partner, request.user] = None
    return Wants(
        list(players),
        list(entries),
        list(rounds),
        list(rolled_back),
        list(whole),
        list(newest),
        list(playing),
    )


def rounds_to_load(wanted: Wants, book: "Book") -> list[RoundKey]:
    """The rounds named by requests, and those of the bets that rollbacks name, once these are loaded."""
    found = (book.entries.get(key) for key in wanted.rolled_back)
    return with_rounds_of((bet for bet in found if bet), wanted.rounds)


def with_rounds_of(bets: Iterable[Entry], rounds: list[RoundKey]) -> list[RoundKey]:
    """These rounds, and those that the bets were made in; each once."""
    of_bets = ((bet.partner, bet.provider, bet.player, bet.round) for bet in bets if bet.round)
    return list(dict.fromkeys([*rounds, *of_bets]))


def whole_rounds_to_load(wanted: Wants, book: "Book") -> list[RoundKey]:
    """The rounds whose bets must be loaded, once keys and heads are; one that is not known holds none.

    None whose refund has its verdict already: a repeat reads nothing of the round (R32). Together they have
    no more rows than `wanted.rows`, the first excepted.
    """
    found: list[RoundKey] = []
    room = wanted.rows
    for key in wanted.whole_rounds:
        if (key[0], unround_key(key)) in book.entries:
            continue
        round_ = book.rounds.get(key)
        room -= 2 * round_.bets if round_ else 0
        if found and room < 0:
            break
        found.append(key)
    return found


def unround_key(key: RoundKey) -> str:
    """The key of a round's refund."""
    _, provider, player, round_id = key
    return keys.of_player("unround", provider, player, round_id)


class Book:
    """Heads, earlier rows and rounds that a batch may see; and what the batch has added."""

    __slots__ = (
        *("appended", "due", "entries", "newest_transfers", "opened_rounds", "players", "playing"),
        *("round_rows", "rounds", "touched_rounds"),
    )

    def __init__(self) -> None:
        self.players: dict[PlayerKey, Player] = {}
        self.entries: dict[EntryKey, Entry] = {}
        self.rounds: dict[RoundKey, Round] = {}
        self.round_rows: dict[RoundKey, list[Entry]] = {}
        """Accepted bets and rollbacks of the rounds that were wanted whole, oldest first."""
        self.newest_transfers: dict[PlayerKey, Entry] = {}
        """Those that were wanted, and those of this batch."""
        self.playing: set[PlayerKey] = set()
        """Of those that were wanted the players with an open bet; and all that bet in this batch."""
        self.appended: list[Entry] = []
        self.due: list[round_log.Due] = []
        """Rows of the slot log that this batch made fall due."""
        self.touched_rounds: set[RoundKey] = set()
        self.opened_rounds: set[RoundKey] = set()
        """Of those the ones that were not there before: the write counts only if they still are not."""

    def player_of(self, request: Request) -> Player | None:
        """The player that a request is about, if there is one."""
        return self.players.get((request.partner, request.user))

    def is_torn(self, wanted: Wants) -> bool:
        """Whether a row is here whose player was looked for before there was one: both must be read again."""
        unknown = {key for key in wanted.players if key not in self.players}
        return bool(unknown) and any((row.partner, row.player) in unknown for row in self.entries.values())

    def know(self, entry: Entry) -> None:
        """Make an earlier row visible under its keys."""
        self.entries[entry.partner, entry.key] = entry
        if entry.second_key:
            self.entries[entry.partner, entry.second_key] = entry

    def add_round(self, found: Round) -> None:
        """Make a round visible."""
        self.rounds[found.partner, found.provider, found.player, found.id] = found

    def standing_bets(self, key: RoundKey) -> list[Entry]:
        """The accepted bets of a round that were not rolled back, oldest first."""
        rows = [row for row in self.round_rows.get(key, ()) if row.verdict is Verdict.OK]
        undone = {row.reference for row in rows if row.kind is Kind.ROLLBACK}
        return [row for row in rows if row.kind is Kind.BET and row.reference not in undone]

    def can_decide(self, request: Request) -> bool:
        """Whether all that the request looks at was loaded: not so if the rows of its round had no room."""
        if type(request) is not RollbackRound:
            return True
        key = (request.partner, request.provider, request.user, request.round)
        return key in self.round_rows or (request.partner, request.key) in self.entries

    def take(self, decision: Decision) -> None:
        """Fold a decision's rows in: what follows in the batch sees them."""
        for entry in decision.rows:
            self.appended.append(entry)
            self.know(entry)
            self._fold_player(entry)
            if entry.kind in TRANSFERS:
                self.newest_transfers[entry.partner, entry.player] = entry
            if entry.round:
                self._fold_round(entry)
        if decision.identity is not None and decision.row is not None:
            player = self.players[decision.row.partner, decision.row.player]
            player.name, player.name_key = decision.identity.name, decision.identity.key

    def _fold_player(self, entry: Entry) -> None:
        player = self.players.get((entry.partner, entry.player))
        if player is None:
            player = Player(
                partner=entry.partner,
                id=entry.player,
                name="",
                name_key=b"",
                created_at=entry.at,
                login_at=entry.at,
                wallets={},
            )
            self.players[entry.partner, entry.player] = player
        player.seq = entry.seq
        player.head = entry.hash
        if entry.amount or (entry.kind is Kind.OPEN_WALLET and entry.verdict is Verdict.OK):
            player.wallets[entry.currency] = entry.balance
        if entry.kind is Kind.BET and entry.verdict is Verdict.OK:
            self.playing.add((entry.partner, entry.player))
        fold_standing(player, entry)

    def _fold_round(self, entry: Entry) -> None:
        key = (entry.partner, entry.provider, entry.player, entry.round)
        if key in self.round_rows:
            self.round_rows[key].append(entry)
        before = self.rounds.get(key)
        after = fold_round(before, entry) if tells_of_round(entry) else before
        if after is not None and after is not before:
            self.rounds[key], due = round_log.fold(after, entry)
            self.due += [due] if due else []
            self.touched_rounds.add(key)
            if before is None:
                self.opened_rounds.add(key)


def tells_of_round(entry: Entry) -> bool:
    """Whether a row changes its round: accepted ones, and the round's rollback whatever its verdict (R32)."""
    return entry.kind is Kind.ROUND_ROLLBACK or entry.verdict is Verdict.OK


def fold_standing(player: Player, entry: Entry) -> None:
    """Apply what a row says of the player besides money: frozen or not, the newest session."""
    if entry.kind is Kind.FREEZE:
        player.frozen = True
    elif entry.kind is Kind.RELEASE:
        player.frozen = False
    elif _begins_session(player, entry):
        player.session = entry.session
        player.login_at = entry.at


def _begins_session(player: Player, entry: Entry) -> bool:
    taken = entry.kind is Kind.BET and entry.verdict is Verdict.OK
    return taken and entry.session not in ("", player.session)


def fold_round(before: Round | None, entry: Entry) -> Round | None:
    """The round after an accepted row; unchanged where the row's kind says nothing about rounds."""
    now = before or _opened(entry)
    match entry.kind:
        case Kind.BET:
            staked, bets = now.staked - entry.amount, now.bets + 1
            return _replace(now, entry, standing=now.standing + 1, bets=bets, staked=staked)
        case Kind.RESULT:
            return _replace(now, entry, settled_seq=entry.seq, won=now.won + entry.amount)
        case Kind.ROLLBACK:
            return _replace(now, entry, standing=now.standing - 1, staked=now.staked - entry.amount)
        case Kind.END_ROUND:
            state = "refunded" if now.state == "refunded" else "ended"
            return msgspec.structs.replace(now, settled_seq=entry.seq, state=state)
        case Kind.ROUND_ROLLBACK:
            return msgspec.structs.replace(now, state="refunded")
        case Kind.BONUS if before:
            return msgspec.structs.replace(now, won=now.won + entry.amount)
        case Kind.JACKPOT if before:
            return msgspec.structs.replace(now, jackpot=now.jackpot + entry.amount, jackpot_id=entry.name)
        case _:
            return before


def _opened(entry: Entry) -> Round:
    return Round(
        partner=entry.partner,
        player=entry.player,
        provider=entry.provider,
        id=entry.round,
        opened_seq=entry.seq,
        opened_at=entry.at,
        opened_id=entry.id,
    )


def _replace(now: Round, entry: Entry, **changes: int) -> Round:
    """A round counts as opened when a bet or result first tells its currency: slot logs begin there."""
    if not now.currency:
        now = msgspec.structs.replace(now, currency=entry.currency, opened_at=entry.at, opened_id=entry.id)
    return msgspec.structs.replace(now, game=now.game or entry.game, **changes)
