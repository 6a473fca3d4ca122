"""What can be asked of the ledger: one frozen struct for each kind of request. `Request` is their union.

A request is parsed once, at the edge, and used unchanged to the end. Amounts are integers of 10^-18
(`caisse.core.money`). `id` is the transaction id that a new row will carry; it is drawn before the
request is enqueued, so that deciding stays pure. Nothing here reads or decides anything.

A request names the keys it claims (R3, R4) and the content that must not differ under one key (R5).
"""

from hashlib import blake2b
from typing import Literal

import msgspec

from caisse.core.money import show

_json = msgspec.json.Encoder()

Content = tuple[str, ...]


def transfer_key(uuid: str) -> str:
    """R3: the key of a transfer-door request, within its partner."""
    return "t:" + uuid


def second_key_of(transaction: str) -> str:
    """R3: the second key of a V4 transfer, the partner's own TransactionId."""
    return "x:" + transaction


def play_key(kind: str, provider: str, reference: str) -> str:
    """R4: the key of a seamless-door request, within its partner. Provider ids hold no colon."""
    return f"{kind}:{provider}:{reference}"


def fingerprint(content: Content) -> bytes:
    """BLAKE2b-128 of the content that R5 compares."""
    return blake2b(_json.encode(content), digest_size=16).digest()


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
        return (self.key,)

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
        return transfer_key(self.uuid)


class CreatePlayer(_Transfer, frozen=True, kw_only=True, gc=False):
    """Open a player's account with a partner."""

    name: str

    @property
    def content(self) -> Content:
        return ("create", self.user, self.name)


class OpenWallet(_Transfer, frozen=True, kw_only=True, gc=False):
    """Open a player's wallet in one currency."""

    currency: str

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
        return second_key_of(self.transaction) if self.transaction else ""

    @property
    def claims(self) -> tuple[str, ...]:
        return self.lookups

    @property
    def lookups(self) -> tuple[str, ...]:
        key = "t:" + self.uuid
        return (key, "x:" + self.transaction) if self.transaction else (key,)


class Charge(_MoneyTransfer, frozen=True, kw_only=True, gc=False):
    """The partner puts money into a player's wallet."""

    @property
    def content(self) -> Content:
        return ("charge", self.user, self.currency, show(self.amount))


class Withdraw(_MoneyTransfer, frozen=True, kw_only=True, gc=False):
    """The partner takes money out of a player's wallet: the transfer door's refund."""

    @property
    def content(self) -> Content:
        return ("withdraw", self.user, self.currency, show(self.amount))


class SetFrozen(Base, frozen=True, kw_only=True, gc=False):
    """Freeze or release a player (R15), by a person, with a reason (R53)."""

    frozen: bool
    reason: str
    by: str

    @property
    def key(self) -> str:
        return "freeze:" + self.id


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
        return play_key("session", self.provider, self.session)

    @property
    def claims(self) -> tuple[str, ...]:
        return ()

    @property
    def lookups(self) -> tuple[str, ...]:
        return (self.session_key,) if self.session else ()


class LookTransfer(Base, frozen=True, kw_only=True, gc=False):
    """Read one transfer: by the partner's TransactionId, or the player's newest."""

    transaction: str = ""
    """Empty: the newest, whether it was refused or not."""

    @property
    def claims(self) -> tuple[str, ...]:
        return ()

    @property
    def lookups(self) -> tuple[str, ...]:
        return (second_key_of(self.transaction),) if self.transaction else ()


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


class Bet(_Play, frozen=True, kw_only=True, gc=False):
    """Take a stake from the player's wallet, in a round."""

    reference: str
    currency: str
    amount: int
    game_enabled: bool = True

    @property
    def key(self) -> str:
        return play_key("bet", self.provider, self.reference)

    @property
    def late_key(self) -> str:
        """The key of this bet if a tombstone already holds its own (R23)."""
        return play_key("late", self.provider, self.reference)

    @property
    def session_key(self) -> str:
        """Where an expired session would be recorded (R47)."""
        return play_key("session", self.provider, self.session)

    @property
    def lookups(self) -> tuple[str, ...]:
        keys = (self.key, self.late_key)
        return (*keys, self.session_key) if self.session else keys

    @property
    def content(self) -> Content:
        return (self.user, self.currency, show(self.amount), self.round, self.game)


class Promo(msgspec.Struct, frozen=True):
    """A promotional win that rides in a Result (R48)."""

    reference: str
    amount: int


class Result(_Play, frozen=True, kw_only=True, gc=False):
    """Pay a round's win, which may be zero, and settle the bets so far."""

    reference: str
    currency: str
    amount: int
    free_round: bool = False
    """R41: a result with a bonus code needs no bet."""
    promo: Promo | None = None
    closes: bool = False
    """Whether this result also ends the round (an older edition's `is_end_round`)."""

    @property
    def key(self) -> str:
        return play_key("result", self.provider, self.reference)

    @property
    def promo_key(self) -> str:
        """The key of the promotional win that rides along; empty where there is none."""
        return play_key("promo", self.provider, self.promo.reference) if self.promo else ""

    @property
    def promo_content(self) -> Content:
        """R5 for the promotional win: that of an `Award` of kind promo with the same reference."""
        return (self.user, self.currency, show(self.promo.amount if self.promo else 0), "", "")

    @property
    def end_key(self) -> str:
        """The key of the round's end, if this result brings it; else empty."""
        return play_key("end", self.provider, self.round) if self.closes else ""

    @property
    def end_content(self) -> Content:
        """R5 for the round's end: that of an `EndRound` of the same round and game."""
        return (self.user, "", "", self.round, self.game)

    @property
    def lookups(self) -> tuple[str, ...]:
        return tuple(key for key in (self.key, self.promo_key, self.end_key) if key)

    @property
    def content(self) -> Content:
        return (self.user, self.currency, show(self.amount), self.round, self.game)


class Rollback(_Play, frozen=True, kw_only=True, gc=False):
    """Undo a bet: the seamless Refund and Cancel. `reference` names the bet."""

    reference: str
    amount: int | None = None
    """What the provider wants given back; None: the stored bet's amount (R25)."""
    currency: str = ""
    """Whose balance a tombstone tells, for editions that answer with one; no rule reads it."""

    @property
    def key(self) -> str:
        return play_key("rollback", self.provider, self.reference)

    @property
    def bet_key(self) -> str:
        """The key of the bet to undo; its tombstone stands under it (R22)."""
        return play_key("bet", self.provider, self.reference)

    @property
    def lookups(self) -> tuple[str, ...]:
        return (self.key, self.bet_key)

    @property
    def rounds(self) -> tuple[tuple[str, str], ...]:
        return ()  # the round is that of the stored bet, never the request's word

    @property
    def content(self) -> Content:
        return (self.user,)


class RollbackRound(_Play, frozen=True, kw_only=True, gc=False):
    """Undo every open bet of a round (R32)."""

    @property
    def key(self) -> str:
        return play_key("unround", self.provider, self.round)

    @property
    def content(self) -> Content:
        return (self.user,)


class EndRound(_Play, frozen=True, kw_only=True, gc=False):
    """Close a round (R43)."""

    @property
    def key(self) -> str:
        return play_key("end", self.provider, self.round)

    @property
    def content(self) -> Content:
        return (self.user, "", "", self.round, self.game)


class Award(_Play, frozen=True, kw_only=True, gc=False):
    """Pay a bonus, a jackpot or a promotional win (R44)."""

    kind: Literal["bonus", "jackpot", "promo"]
    reference: str
    amount: int
    currency: str = ""
    """Empty: the round's currency, else that of the player's only wallet."""
    name: str = ""
    """Bonus code, jackpot id or campaign id."""

    @property
    def key(self) -> str:
        return play_key(self.kind, self.provider, self.reference)

    @property
    def content(self) -> Content:
        return (self.user, self.currency, show(self.amount), self.round, self.game)


class ExpireSession(_Play, frozen=True, kw_only=True, gc=False):
    """Record that a game session is over: bets in it are refused from now on (R47)."""

    @property
    def key(self) -> str:
        return play_key("session", self.provider, self.session)

    @property
    def content(self) -> Content:
        return (self.user,)


PlayRequest = Bet | Result | Rollback | RollbackRound | EndRound | Award | ExpireSession
Request = CreatePlayer | OpenWallet | Charge | Withdraw | SetFrozen | Look | LookTransfer | PlayRequest
