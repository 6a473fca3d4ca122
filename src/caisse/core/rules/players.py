"""Deciding what concerns a player but no money: creating, opening wallets, freezing, forgetting, reading."""

from functools import partial

from caisse.core.book import Book, Player
from caisse.core.entries import Decision, Identity, Kind, Seen
from caisse.core.policy import Policy
from caisse.core.requests import (
    CreatePlayer,
    ForgetPlayer,
    Look,
    LookTransfer,
    OpenWallet,
    SetFrozen,
    fingerprint,
    name_hash,
)
from caisse.core.rules.drafting import UNKNOWN_PLAYER, earlier_verdict, replay, row, unkept, write
from caisse.core.verdicts import Verdict


def create_player(r: CreatePlayer, book: Book, policy: Policy, now: int) -> Decision:
    """A new player, or `DUPLICATE_PLAYER`, kept under this uuid (R2).

    The name is compared by its hash under the player's key; of a forgotten player there is neither (R59).
    """
    player = book.player_of(r)
    key = player.name_key if player and player.name_key else r.name_key
    first = book.entries.get((r.partner, r.key))
    if first:
        forgotten = player is not None and not player.name_key
        same = forgotten or first.fingerprint == fingerprint(r.content_under(key))
        same = same and first.kind is Kind.CREATE and first.player == r.user
        return replay(first) if same else unkept(Verdict.KEY_CONFLICT, "R5")
    verdict = Verdict.DUPLICATE_PLAYER if player else Verdict.OK
    hashed, content = name_hash(r.name, key), r.content_under(key)
    entry = row(r, player, now, Kind.CREATE, verdict, "R3", name=hashed, content=content)
    identity = None if player else Identity(r.name, key)
    return Decision(verdict=verdict, rule="R3", row=entry, rows=(entry,), identity=identity)


def open_wallet(r: OpenWallet, book: Book, policy: Policy, now: int) -> Decision:
    """A wallet with nothing in it, or `DUPLICATE_WALLET`."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := earlier_verdict(r, book):
        return earlier
    say = partial(write, r, player, now, Kind.OPEN_WALLET, currency=r.currency)
    if r.currency in player.wallets:
        return say(Verdict.DUPLICATE_WALLET, "R3")
    if r.unsupported:
        return say(Verdict.CURRENCY_UNSUPPORTED, "R1")
    return say(Verdict.OK, "R3")


def set_frozen(r: SetFrozen, book: Book, policy: Policy, now: int) -> Decision:
    """Freeze or release (R15); a row even if nothing changes, since a person asked for it."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    kind = Kind.FREEZE if r.frozen else Kind.RELEASE
    return write(r, player, now, kind, Verdict.OK, "R15", name=r.by, details=r.reason)


def forget_player(r: ForgetPlayer, book: Book, policy: Policy, now: int) -> Decision:
    """Remove the name and its key (R59), unless money or an open bet stands; a row, as for freezing."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if any(player.wallets.values()) or (r.partner, r.user) in book.playing:
        return unkept(Verdict.MONEY_STANDS, "R59")
    entry = row(r, player, now, Kind.FORGET, Verdict.OK, "R59", name=r.by, details=r.reason)
    return Decision(verdict=Verdict.OK, rule="R59", row=entry, rows=(entry,), identity=Identity("", b""))


def look(r: Look, book: Book, policy: Policy, now: int) -> Decision:
    """The player as the decisions before this one left it."""
    player = book.player_of(r)
    if player is None:
        return UNKNOWN_PLAYER
    if r.session and (r.partner, r.session_key) in book.entries:
        return Decision(verdict=Verdict.SESSION_EXPIRED, rule="R47")
    if r.currency and r.currency not in player.wallets:
        return Decision(verdict=Verdict.WALLET_UNKNOWN, rule="R8")
    return Decision(verdict=Verdict.OK, rule="R9", seen=_as_seen(player))


def look_transfer(r: LookTransfer, book: Book, policy: Policy, now: int) -> Decision:
    """The transfer under a partner's TransactionId, if it is this player's; without one the newest."""
    player = (r.partner, r.user)
    if player not in book.players:
        return UNKNOWN_PLAYER
    row = book.entries.get((r.partner, r.lookups[0])) if r.lookups else book.newest_transfers.get(player)
    if row is None or row.player != r.user:
        return unkept(Verdict.TRANSFER_UNKNOWN, "R8")
    return replay(row)


def _as_seen(player: Player) -> Seen:
    return Seen(
        name=player.name,
        created_at=player.created_at,
        login_at=player.login_at,
        frozen=player.frozen,
        wallets=dict(player.wallets),
    )
