"""The rules and the verdicts in words, for people who ask why an answer was what it was."""

from collections.abc import Mapping
from typing import Final

from caisse.core.entries import Entry, Kind
from caisse.core.money import show
from caisse.core.verdicts import Verdict
from caisse.story.events import Event

RULES: Final[Mapping[str, str]] = {
    "R1": "The first verdict under a key is final, whatever was configured since: a repeat gets it again.",
    "R3": "The key is the partner's uuid (and, on V4, its TransactionId).",
    "R5": "The key was used for a request with other content: nothing moves, the first verdict stands.",
    "R7": "The request could not be read: no verdict was given, nothing moved.",
    "R8": "There is no such player, wallet or transfer.",
    "R9": "A read sees every decision that was answered before it.",
    "R10": "A refund (money out) takes the amount if the balance covers it, else it changes nothing.",
    "R13": "A charge is refused if the balance would have more than 14 digits before the point.",
    "R14": "A charge adds its amount; all traffic on one wallet is decided one after another.",
    "R15": "A frozen player can be charged and paid; bets and refunds (money out) are refused.",
    "R20": "The bet stood and was open: its stake was given back, once.",
    "R21": "A bet is given back once: its refund again, under any uuid, gets the first answer.",
    "R22": "No such bet is known: nothing moved, and a tombstone keeps the bet from being taken later.",
    "R23": "The bet came after the refund of it or of its round: its money was not taken.",
    "R24": "There is one tombstone: a refund of an unknown bet again gets the first answer.",
    "R25": "The amount to give back does not fit the stored bet.",
    "R26": "The bet was settled by a result or by its round's end.",
    "R27": "The bet had been refused: there was nothing to give back.",
    "R28": "The reference names another player's bet.",
    "R30": "The game is disabled.",
    "R32": "Every open bet of the round is given back, and the round is closed; not if a win of it was paid.",
    "R40": "A bet opens its round or joins it: one player's, in one currency, of 1,000 bets at most.",
    "R41": "A result needs a standing bet in its round, unless it carries a bonus code.",
    "R43": "The round's end closes it.",
    "R44": "An award is paid once for each reference and needs no bet.",
    "R45": "A stake of zero moves nothing. Its refund moves nothing either.",
    "R46": "A bet is refused if the balance does not cover it.",
    "R47": "A new bet needs a round that was not ended and a session that has not expired.",
    "R48": "A promotional win that came with a result is paid once for each of its references.",
    "R56": "An optional field that steers money could not be read: nothing moves, no key is claimed.",
    "R59": "A player's name is removed, unless a wallet holds money or a bet is open.",
    "R58": "Too many requests came in a minute to store each: they are only counted.",
}
"""Every rule that a decision can cite, and those by which a repeat is answered."""

KINDS: Final[Mapping[Kind, str]] = {
    Kind.CREATE: "create the player",
    Kind.OPEN_WALLET: "open a wallet",
    Kind.FREEZE: "freeze the player",
    Kind.RELEASE: "release the player",
    Kind.FORGET: "forget the player's name",
    Kind.CHARGE: "charge (money in)",
    Kind.WITHDRAW: "refund (money out)",
    Kind.BET: "bet",
    Kind.RESULT: "result (win)",
    Kind.ROLLBACK: "refund of a bet",
    Kind.TOMBSTONE: "refund of an unknown bet",
    Kind.ROUND_ROLLBACK: "refund of a round",
    Kind.END_ROUND: "end of a round",
    Kind.BONUS: "bonus win",
    Kind.JACKPOT: "jackpot win",
    Kind.PROMO: "promotional win",
    Kind.SESSION: "end of a session",
}

VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.OK: "done",
    Verdict.PLAYER_UNKNOWN: "refused: no such player",
    Verdict.FOREIGN_BET: "refused: another player's bet",
    Verdict.KEY_CONFLICT: "refused: key used with other content",
    Verdict.ALREADY_TRANSFERRED: "already transferred, no action required",
    Verdict.FIELD_UNREADABLE: "refused: a field that steers money could not be read",
    Verdict.DUPLICATE_PLAYER: "refused: the player exists",
    Verdict.DUPLICATE_WALLET: "refused: the wallet exists",
    Verdict.MONEY_STANDS: "refused: a wallet holds money, or a bet is open",
    Verdict.TOMBSTONE: "nothing to give back, answered as success",
    Verdict.UNKNOWN_BET: "nothing to give back, answered as error",
    Verdict.ABSORBED: "late bet, answered as success, nothing taken",
    Verdict.LATE_BET: "refused: the bet was refunded before it came",
    Verdict.REFUND_AMOUNT: "refused: the amount does not fit the bet",
    Verdict.ROUND_WON: "refused: a win of the round was paid",
    Verdict.BET_SETTLED: "refused: the bet is settled",
    Verdict.CURRENCY_UNSUPPORTED: "refused: the currency is not supported",
    Verdict.TOO_MANY_DECIMALS: "refused: more decimals than the currency allows",
    Verdict.ROUND_CURRENCY: "refused: the round is in another currency",
    Verdict.NO_STANDING_BET: "refused: no standing bet in the round",
    Verdict.ROUND_ENDED: "refused: the round has ended",
    Verdict.SESSION_EXPIRED: "refused: the session has expired",
    Verdict.WALLET_UNKNOWN: "refused: no wallet in that currency",
    Verdict.WALLET_UNCLEAR: "refused: it is not clear which wallet gets the money",
    Verdict.PLAYER_FROZEN: "refused: the player is frozen",
    Verdict.GAME_DISABLED: "refused: the game is disabled",
    Verdict.BALANCE_LIMIT: "refused: the balance would be too large",
    Verdict.ROUND_FULL: "refused: the round has 1,000 bets, as many as it may",
    Verdict.INSUFFICIENT: "refused: not enough balance",
    Verdict.TRANSFER_UNKNOWN: "no such transfer",
}


def rule_in_words(rule: str) -> str:
    """What a rule says; a damaged row may cite one that there is not."""
    return RULES.get(rule, "No such rule gives verdicts: the row was damaged.")


def asked_in_words(event: Event) -> str:
    """What was asked for: `bet of 10.0 USD; reference b-1; round r-1`."""
    asked = dict(event.asked)
    amount, currency = asked.pop("amount", ""), asked.pop("currency", "")
    money = f" of {amount} {currency}".rstrip() if amount else f" in {currency}" if currency else ""
    return "; ".join((f"{KINDS[event.kind]}{money}", *(f"{name} {value}" for name, value in asked.items())))


def verdict_in_words(event: Event) -> str:
    """What became of it, and whether it was decided then or before."""
    words = VERDICTS[event.verdict]
    return f"the first answer again ({words})" if event.first_rule != event.rule else words


def row_in_words(row: Entry) -> str:
    """Where a row stands, and what it did: `row 4 of 421, transaction …: bet, -10.0, balance 9.0 USD`."""
    moved = f"{'+' if row.amount > 0 else ''}{show(row.amount)}" if row.amount else "nothing moved"
    balance = f", balance {show(row.balance)} {row.currency}" if row.currency else ""
    return f"row {row.seq} of {row.player}, transaction {row.id}: {KINDS[row.kind]}, {moved}{balance}"
