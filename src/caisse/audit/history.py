"""Past: what a player's rows say so far, added up by the audit in its own way (R52).

Shares no code with `caisse.core.book`, which folds the same rows for the server. It keeps one small record
for each bet and each round of one player, and nothing of the players before.
"""

from collections import defaultdict

import msgspec

from caisse.audit.stored import NO_HASH, Played, Row


class Claim(msgspec.Struct, gc=False):
    """What stands under the key of a bet: the bet, or the tombstone that came before it."""

    seq: int
    kind: str
    """`ok`: an accepted bet, `refused`: a refused one, `tombstone`."""
    stake: int
    currency: str
    round: str
    game: str
    decided: bool = False
    """Whether a rollback of it was accepted or refused."""
    undone: bool = False
    """Whether it was given back."""


class Anchor(msgspec.Struct, frozen=True, gc=False):
    """Where a player's chain stood at an earlier audit."""

    partner: str
    player: str
    seq: int
    hash: bytes


class Past:
    """What the rows before the next one make of a player."""

    def __init__(self, anchor: Anchor | None = None) -> None:
        self.anchor = anchor
        self.last: Row | None = None
        self.seq = 0
        self.head = NO_HASH
        self.name = ""
        """The hash of the player's name, as the row has it that created him."""
        self.forgotten = False
        self.created_at = 0
        self.login_at = 0
        self.session = ""
        self.frozen = False
        self.sums: dict[str, int] = defaultdict(int)
        self.opened: set[str] = set()
        self.over: set[tuple[str, str]] = set()
        """Sessions that ended, with their providers."""
        self.claims: dict[str, Claim] = {}
        """By the bet's key."""
        self.rounds: dict[tuple[str, str], Played] = {}
        self.bets: dict[tuple[str, str], list[str]] = {}
        """Keys of each round's accepted bets."""
        self.promos: dict[tuple[str, str], str] = {}
        """Amounts of paid promotional wins, by provider and reference: a result may bring one again (R48)."""
        self.owed: set[str] = set()
        """Bets that the decision under way must give back: those of a round that is rolled back (R32)."""

    def take(self, row: Row) -> None:
        """Count the next row in."""
        if self.last is None:
            self.name, self.created_at, self.login_at = row.name, row.at, row.at
        self.last, self.seq, self.head = row, row.seq, row.hash
        self.sums[row.currency] += row.moved
        take = TAKES.get(row.kind)
        if take is not None:
            take(self, row)

    def round_of(self, row: Row) -> Played | None:
        """The round that a row names, if this player has it."""
        return self.rounds.get((row.provider, row.round)) if row.round else None

    def standing(self, row: Row) -> list[Claim]:
        """The accepted bets of a row's round that were not given back, oldest first."""
        claims = (self.claims[key] for key in self.bets.get((row.provider, row.round), ()))
        return [claim for claim in claims if not claim.undone]

    def open_bets(self, row: Row) -> set[str]:
        """Keys of those that no result or end of the round came after (R26)."""
        found = self.round_of(row)
        return self._open(found) if found else set()

    def _open(self, found: Played) -> set[str]:
        keys = self.bets.get((found.provider, found.id), ())
        return {
            key for key in keys if self.claims[key].seq > found.settled_seq and not self.claims[key].undone
        }

    def plays(self) -> bool:
        """Whether any bet is open."""
        return any(self._open(found) for found in self.rounds.values())

    def _open_wallet(self, row: Row) -> None:
        if row.ok:
            self.opened.add(row.currency)

    def _freeze(self, row: Row) -> None:
        self.frozen = True

    def _release(self, row: Row) -> None:
        self.frozen = False

    def _forget(self, row: Row) -> None:
        self.forgotten = True

    def _session(self, row: Row) -> None:
        self.over.add((row.provider, row.session))

    def _bet(self, row: Row) -> None:
        if row.key.startswith("late:"):
            return
        kind = "ok" if row.ok else "refused"
        self.claims[row.key] = Claim(row.seq, kind, -row.moved, row.currency, row.round, row.game)
        if not row.ok:
            return
        if row.session and row.session != self.session:
            self.session, self.login_at = row.session, row.at
        if row.round:
            found = self._played(row)
            found.standing += 1
            found.bets += 1
            found.staked -= row.moved
            self.bets.setdefault((row.provider, row.round), []).append(row.key)

    def _tombstone(self, row: Row) -> None:
        if row.key == row.bet_key:
            self.claims[row.key] = Claim(row.seq, "tombstone", 0, "", "", "")

    def _rollback(self, row: Row) -> None:
        bet = self.claims.get(row.bet_key)
        if bet is not None:
            bet.decided = True
            bet.undone = bet.undone or row.ok
        if row.ok and row.round:
            found = self._played(row)
            found.standing -= 1
            found.staked -= row.moved

    def _result(self, row: Row) -> None:
        if row.ok and row.round:
            found = self._played(row)
            found.settled_seq = row.seq
            found.won += row.moved

    def _end_round(self, row: Row) -> None:
        if row.ok and row.round:
            found = self._opened(row)
            found.settled_seq = row.seq
            if found.state == "open":
                found.state = "ended"

    def _round_rollback(self, row: Row) -> None:
        if not row.round:
            return
        found = self._opened(row)
        found.state = "refunded"
        if row.ok:
            self.owed = self._open(found)

    def _bonus(self, row: Row) -> None:
        if row.ok and (found := self.round_of(row)):
            found.won += row.moved

    def _promo(self, row: Row) -> None:
        if row.ok:
            self.promos[row.provider, row.reference] = row.asked

    def _jackpot(self, row: Row) -> None:
        if row.ok and (found := self.round_of(row)):
            found.jackpot += row.moved
            found.jackpot_id = row.name

    def _opened(self, row: Row) -> Played:
        key = (row.provider, row.round)
        found = self.rounds.get(key)
        if found is None:
            found = Played(row.partner, row.player, row.provider, row.round)
            found.opened_seq, found.opened_at, found.opened_id = row.seq, row.at, row.id
            self.rounds[key] = found
        return found

    def _played(self, row: Row) -> Played:
        """The round of a row that tells its currency and game; slot logs begin at the first of these."""
        found = self._opened(row)
        if not found.currency:
            found.currency, found.opened_at, found.opened_id = row.currency, row.at, row.id
        found.game = found.game or row.game
        return found


TAKES = {
    "open_wallet": Past._open_wallet,
    "freeze": Past._freeze,
    "release": Past._release,
    "forget": Past._forget,
    "session": Past._session,
    "bet": Past._bet,
    "tombstone": Past._tombstone,
    "rollback": Past._rollback,
    "result": Past._result,
    "end_round": Past._end_round,
    "round_rollback": Past._round_rollback,
    "bonus": Past._bonus,
    "jackpot": Past._jackpot,
    "promo": Past._promo,
}
"""Kind -> how it is counted; the others only move money, or nothing."""
