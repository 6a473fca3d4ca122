"""Deciding what concerns a player but no money: creating, opening wallets, freezing, reading."""

from caisse.core.book import Book, Player
from caisse.core.entries import Decision, Kind, Seen
from caisse.core.policy import Policy
from caisse.core.requests import CreatePlayer, Look, LookTransfer, OpenWallet, SetFrozen
from caisse.core.rows import UNKNOWN_PLAYER, expired, replay, seen, unkept, write
from caisse.core.verdicts import Verdict


def create_player(r: CreatePlayer, book: Book, policy: Policy, now: int) -> Decision:
    """A new player, or `DUPLICATE_PLAYER`, kept under this uuid (R2)."""
    if earlier := seen(r, book):
        return earlier
    player = book.players.get((r.partner, r.user))
    verdict = Verdict.DUPLICATE_PLAYER if player else Verdict.OK
    return write(r, player, now, Kind.CREATE, verdict, "R3")


def open_wallet(r: OpenWallet, book: Book, policy: Policy, now: int) -> Decision:
    """A wallet with nothing in it, or `DUPLICATE_WALLET`."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    if earlier := seen(r, book):
        return earlier
    verdict = Verdict.DUPLICATE_WALLET if r.currency in player.wallets else Verdict.OK
    return write(r, player, now, Kind.OPEN_WALLET, verdict, "R3", currency=r.currency)


def set_frozen(r: SetFrozen, book: Book, policy: Policy, now: int) -> Decision:
    """Freeze or release (R15); a row even if nothing changes, since a person asked for it."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    kind = Kind.FREEZE if r.frozen else Kind.RELEASE
    return write(r, player, now, kind, Verdict.OK, "R15", name=r.by, details=r.reason)


def look(r: Look, book: Book, policy: Policy, now: int) -> Decision:
    """The player as the decisions before this one left it."""
    player = book.players.get((r.partner, r.user))
    if player is None:
        return UNKNOWN_PLAYER
    if r.session and expired(r, book):
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
