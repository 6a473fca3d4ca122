"""decide(): the rules of the money, one function for each kind of request.

Pure: the same request, book, policy and time give the same decision. It changes nothing, the book
included: the caller hands the decision to `Book.take`. Guards come first, in the order of `Verdict`;
after the last of them nothing can fail.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from caisse.core.book import Book
from caisse.core.entries import Decision
from caisse.core.policy import Policy
from caisse.core.requests import (
    Award,
    Bet,
    Charge,
    CreatePlayer,
    EndRound,
    ExpireSession,
    ForgetPlayer,
    Look,
    LookTransfer,
    OpenWallet,
    Request,
    Result,
    Rollback,
    RollbackRound,
    SetFrozen,
    Withdraw,
)
from caisse.core.rules import play, players, rollbacks, transfers

Decider = Callable[[Any, Book, Policy, int], Decision]

DECIDERS: Final[Mapping[type, Decider]] = {
    CreatePlayer: players.create_player,
    OpenWallet: players.open_wallet,
    SetFrozen: players.set_frozen,
    ForgetPlayer: players.forget_player,
    Look: players.look,
    LookTransfer: players.look_transfer,
    Charge: transfers.charge,
    Withdraw: transfers.withdraw,
    Bet: play.bet,
    Result: play.result,
    EndRound: play.end_round,
    Award: play.award,
    ExpireSession: play.expire_session,
    Rollback: rollbacks.rollback,
    RollbackRound: rollbacks.rollback_round,
}


def decide(request: Request, book: Book, policy: Policy, now: int) -> Decision:
    """What the rules make of a request, given the book so far. `now`: microseconds since 1970, UTC."""
    return DECIDERS[type(request)](request, book, policy, now)
