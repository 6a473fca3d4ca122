"""What can be asked of the ledger: one frozen struct for each kind of request. `Request` is their union.

A request is parsed once, at the edge, and used unchanged to the end. Amounts are integers of 10^-18. `id` is
the transaction id of a new row, drawn before the request is enqueued, so that deciding stays pure. A request
names the keys it claims (R3, R4) and the content that must not differ under one key (R5).
"""

from hashlib import blake2b
from typing import Literal

import msgspec

from caisse.core import keys
from caisse.core.money import show

_json = msgspec.json.Encoder()

Content = tuple[str, ...]
Unsupported = Literal["", "currency", "decimals"]
"""What the currency table says against a request: a code that it lacks, or more decimals than it allows."""


def fingerprint(content: Content) -> bytes:
    """BLAKE2b-128 of the content that R5 compares."""
    return blake2b(_json.encode(content), digest_size=16).digest()


def name_hash(name: str, key: bytes) -> str:
    """R59: what journal and fingerprints hold of a player's name: BLAKE2b-128 under the player's key."""
    return blake2b(name.encode(), digest_size=16, key=key).hexdigest()


class Base(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every request carries: who asks, for whom, and under which ids."""

    id: str
    """Transaction id (UUIDv7 text) of the row this request may write."""
    partner: str
    user: str
    """The player's id within the partner, exactly as sent."""
    uuid: str
    """The sender's id of this request; a key on the transfer door only."""
    endpoint: str
    """The endpoint it came through, for explaining: `/user/refund`."""

    @property
    def key(self) -> str:
        """The idempotency key this request claims; empty for a read."""
        return ""

    @property
    def second_key(self) -> str:
        """A second key (transfer V4's TransactionId); empty where there is none."""
        return ""

    @property
    def claims(self) -> tuple[str, ...]:
        """The keys under which a row of this request stands, if it leaves one; none for a read."""
        key = self.key
        return (key,) if key else ()

    @property
    def lookups(self) -> tuple[str, ...]:
        """The keys under which a batch must load earlier rows for this request."""
        return (self.key,)

    @property
    def rounds(self) -> tuple[tuple[str, str], ...]:
        """The (provider, round) pairs a batch must load for this request."""
        return ()

    @property
    def content(self) -> Content:
        """R5: what must be equal under one key."""
        return ()


class _Transfer(Base, frozen=True, kw_only=True, gc=False):
    @property
    def key(self) -> str:
        return keys.TRANSFER + self.uuid


class CreatePlayer(_Transfer, frozen=True, kw_only=True, gc=False):
    """Open a player's account with a partner."""

    name: str
    name_key: bytes
    """16 random bytes, drawn at the door: the key of the name's hash, if this creates the player (R59)."""

    @property
    def content(self) -> Content:
        return self.content_under(self.name_key)

    def content_under(self, key: bytes) -> Content:
        """R5, compared under the key of the player that there is."""
        return ("create", self.user, name_hash(self.name, key))


class OpenWallet(_Transfer, frozen=True, kw_only=True, gc=False):
    """Open a player's wallet in one currency."""

    currency: str
    unsupported: Unsupported = ""

    @property
    def content(self) -> Content:
        return ("open_wallet", self.user, self.currency)


class _MoneyTransfer(_Transfer, frozen=True, kw_only=True, gc=False):
    currency: str
    amount: int
    transaction: str = ""
    """The partner's TransactionId (transfer V4); empty on V3."""

    @property
    def second_key(self) -> str:
        return keys.second(self.transaction) if self.transaction else ""

    @property
    def claims(self) -> tuple[str, ...]:
        return self.lookups

    @property
    def lookups(self) -> tuple[str, ...]:
        key = keys.TRANSFER + self.uuid
        return (key, keys.second(self.transaction)) if self.transaction else (key,)


class Charge(_MoneyTransfer, frozen=True, kw_only=True, gc=False):
    """The partner puts money into a player's wallet."""

    unsupported: Unsupported = ""

    @property
    def content(self) -> Content:
        return ("charge", self.user, self.currency, show(self.amount))


class Withdraw(_MoneyTransfer, frozen=True, kw_only=True, gc=False):
    """The partner takes money out of a player's wallet: the transfer door's refund."""

    @property
    def content(self) -> Content:
        return ("withdraw", self.user, self.currency, show(self.amount))


class _ByHand(Base, frozen=True, kw_only=True, gc=False):
    """What a person decided, with a reason (R53)."""

    reason: str
    by: str


class SetFrozen(_ByHand, frozen=True, kw_only=True, gc=False):
    """Freeze or release a player (R15)."""

    frozen: bool

    @property
    def key(self) -> str:
        return keys.FREEZE + self.id


class ForgetPlayer(_ByHand, frozen=True, kw_only=True, gc=False):
    """Remove a player's name and its key for good (R59)."""

    @property
    def key(self) -> str:
        return keys.FORGET + self.id


class Look(Base, frozen=True, kw_only=True, gc=False):
    """Read a player: balances, name, times. Claims no key and writes nothing."""

    currency: str = ""
    """The wallet that must exist; empty to look at the player alone."""
    provider: str = ""
    session: str = ""
    """With a provider: a session that must not have expired."""

    @property
    def session_key(self) -> str:
        """Where an expired session would be recorded."""
        return keys.of_player("session", self.provider, self.user, self.session)

    @property
    def lookups(self) -> tuple[str, ...]:
        return (self.session_key,) if self.session else ()


class LookTransfer(Base, frozen=True, kw_only=True, gc=False):
    """Read one transfer: by the partner's TransactionId, or the player's newest."""

    transaction: str = ""
    """Empty: the newest, whether it was refused or not."""

    @property
    def lookups(self) -> tuple[str, ...]:
        return (keys.second(self.transaction),) if self.transaction else ()


class _Play(Base, frozen=True, kw_only=True, gc=False):
    provider: str
    round: str = ""
    game: str = ""
    session: str = ""
    details: str = ""
    """Whatever else the provider sent that is worth keeping, as JSON text; never read by a rule."""

    @property
    def rounds(self) -> tuple[tuple[str, str], ...]:
        return ((self.provider, self.round),) if self.round else ()

    @property
    def content(self) -> Content:
        return (self.user,)


class Bet(_Play, frozen=True, kw_only=True, gc=False):
    """Take a stake from the player's wallet, in a round."""

    reference: str
    currency: str
    amount: int
    game_enabled: bool = True
    unsupported: Unsupported = ""

    @property
    def key(self) -> str:
        return keys.of_reference("bet", self.provider, self.reference)

    @property
    def late_key(self) -> str:
        """The key of this bet if a tombstone already holds its own (R23)."""
        return keys.of_reference("late", self.provider, self.reference)

    @property
    def session_key(self) -> str:
        """Where an expired session would be recorded (R47)."""
        return keys.of_player("session", self.provider, self.user, self.session)

    @property
    def lookups(self) -> tuple[str, ...]:
        return (self.key, self.late_key, self.session_key)[: 3 if self.session else 2]

    @property
    def content(self) -> Content:
        return (self.user, self.currency, show(self.amount), self.round)


class Promo(msgspec.Struct, frozen=True):
    """A promotional win that rides in a Result (R48)."""

    reference: str
    amount: int


class Result(_Play, frozen=True, kw_only=True, gc=False):
    """Pay a round's win, which may be zero, and settle the bets so far."""

    reference: str
    amount: int
    currency: str = ""
    """Empty: the round's; of a free round without one the player's only wallet."""
    free_round: bool = False
    """R41: a result with a bonus code needs no bet."""
    promo: Promo | None = None
    promo_unreadable: bool = False
    """Whether a promotional win came that could not be read: the content cannot be compared (R5, R56)."""
    unreadable: str = ""
    """An optional field that steers money and could not be read (R56)."""
    closes: bool = False
    """Whether this result also ends the round (an older edition's `is_end_round`)."""

    @property
    def key(self) -> str:
        return keys.of_reference("result", self.provider, self.reference)

    @property
    def promo_key(self) -> str:
        """The key of the promotional win that rides along; empty where there is none."""
        return keys.of_reference("promo", self.provider, self.promo.reference) if self.promo else ""

    @property
    def end_key(self) -> str:
        """The key of the round's end, if this result brings it; else empty."""
        return keys.of_player("end", self.provider, self.user, self.round) if self.closes else ""

    @property
    def claims(self) -> tuple[str, ...]:
        return tuple(key for key in (self.key, self.promo_key, self.end_key) if key)

    lookups = claims

    @property
    def content(self) -> Content:
        own = self.content_without_promo
        return (*own, self.promo.reference, show(self.promo.amount)) if self.promo else own

    @property
    def content_without_promo(self) -> Content:
        """That of the same result without its promotional part."""
        return (self.user, show(self.amount), self.round)


class Rollback(_Play, frozen=True, kw_only=True, gc=False):
    """Undo a bet, named by `reference`: the seamless Refund and Cancel. `round` is read only by R32."""

    reference: str
    amount: int | None = None
    """What the provider wants given back; None: the stored bet's amount (R25)."""
    currency: str = ""
    """Whose balance a tombstone tells, for editions that answer with one; no rule reads it."""
    unreadable: str = ""
    """An optional field that steers money and could not be read (R56)."""

    @property
    def key(self) -> str:
        return keys.of_reference("rollback", self.provider, self.reference)

    @property
    def bet_key(self) -> str:
        """The key of the bet to undo; its tombstone stands under it (R22)."""
        return keys.of_reference("bet", self.provider, self.reference)

    @property
    def by_round_key(self) -> str:
        """Where this request's verdict stands if its profile made it a refund of the round then (R1)."""
        return keys.of_player("unround", self.provider, self.user, self.round) if self.round else ""

    @property
    def lookups(self) -> tuple[str, ...]:
        return (self.key, self.bet_key, self.by_round_key)[: 3 if self.round else 2]


class RollbackRound(_Play, frozen=True, kw_only=True, gc=False):
    """Undo every open bet of a round (R32)."""

    reference: str = ""
    """The request's own: recorded, claims nothing."""

    @property
    def key(self) -> str:
        return keys.of_player("unround", self.provider, self.user, self.round)

    @property
    def by_bet_keys(self) -> tuple[str, ...]:
        """Where this request's verdict stands if its profile made it a refund of one bet then (R1)."""
        own = self.provider, self.reference
        return (keys.of_reference("rollback", *own), keys.of_reference("bet", *own)) * bool(self.reference)

    @property
    def lookups(self) -> tuple[str, ...]:
        return (self.key, *self.by_bet_keys)


class EndRound(_Play, frozen=True, kw_only=True, gc=False):
    """Close a round (R43)."""

    @property
    def key(self) -> str:
        return keys.of_player("end", self.provider, self.user, self.round)


class Award(_Play, frozen=True, kw_only=True, gc=False):
    """Pay a bonus, a jackpot or a promotional win (R44)."""

    kind: Literal["bonus", "jackpot", "promo"]
    reference: str
    amount: int
    currency: str = ""
    """Empty: the round's currency, else that of the player's only wallet."""
    name: str = ""
    """Bonus code, jackpot id or campaign id."""
    unreadable: str = ""
    """An optional field that steers money and could not be read (R56)."""

    @property
    def key(self) -> str:
        return keys.of_reference(self.kind, self.provider, self.reference)

    @property
    def content(self) -> Content:
        own = (self.user, show(self.amount))
        return (*own, self.currency) if self.currency else own


class ExpireSession(_Play, frozen=True, kw_only=True, gc=False):
    """Record that a game session is over: bets in it are refused from now on (R47)."""

    @property
    def key(self) -> str:
        return keys.of_player("session", self.provider, self.user, self.session)


PlayRequest = Bet | Result | Rollback | RollbackRound | EndRound | Award | ExpireSession
PlayerRequest = CreatePlayer | OpenWallet | SetFrozen | ForgetPlayer | Look | LookTransfer
Request = PlayerRequest | Charge | Withdraw | PlayRequest
