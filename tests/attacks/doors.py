"""How each door spells a command, and what it must answer: docs/http-api.md and docs/rules.md as tables.

A `Command` is one request in words that all four doors share. Nothing of caisse's own tables is used.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.support.rig import BY_ROUND, CLOSED_GAME, DEFAULT, PROFILES, PROVIDER, RIVAL, House
from tests.support.server import Call, packed
from tests.torture.naive import DEFAULTS, Asked, Naive, Said, amount_of, same_uuid, told

TERMS: Mapping[str, Mapping[str, Any]] = {
    name: {**DEFAULTS, **tomllib.loads(text)}
    for name, text in {**PROFILES, DEFAULT: "", RIVAL: "", BY_ROUND: "refund_by_round = true"}.items()
}
"""Profile -> what it says."""

Fields = Mapping[str, str | None]


class Command(NamedTuple):
    """One request. A field that is None is left out."""

    endpoint: str
    verb: str
    profile: str
    fields: Fields

    def __str__(self) -> str:
        given = " ".join(f"{name}={value}" for name, value in self.fields.items() if value is not None)
        return f"{self.endpoint} {self.verb} [{self.profile}] {given}"


MONEY = "user uuid currency amount"
PLAYED = "user uuid game round amount reference session currency"

VERBS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "transfer3": {
        "create": ("/user/create", "user name uuid"),
        "open": ("/user/create_wallet", "user currency uuid"),
        "charge": ("/user/charge", MONEY),
        "withdraw": ("/user/refund", MONEY),
        "info": ("/user/info", "user uuid"),
        "balance": ("/user/balance", "user currency uuid"),
    },
    "transfer4": {
        "create": ("/createuser", "user name? uuid"),
        "open": ("/createwallet", "user currency uuid"),
        "charge": ("/charge", f"{MONEY} transaction"),
        "withdraw": ("/refund", f"{MONEY} transaction"),
        "info": ("/userInfo", "user uuid"),
        "balance": ("/getBalance", "user currency uuid"),
        "status": ("/getTransferStatus", "user uuid transaction?"),
    },
    "seamless4": {
        "check": ("Check", "user uuid currency session"),
        "balance": ("Balance", "user uuid currency session"),
        "bet": ("Bet", PLAYED),
        "result": ("Result", f"{PLAYED} bonus? promo_amount? promo_reference?"),
        "refund": ("Refund", "user uuid reference? round? amount?"),
        "cancel": ("Cancel", "user uuid game currency reference session"),
        "end": ("EndRound", "user uuid game round session"),
        "bonus": ("BonusWin", "user uuid game round amount reference session bonus"),
        "jackpot": ("JackPotWin", "user uuid game round amount reference"),
        "promo": ("PromoWin", "user uuid amount reference currency"),
        "expire": ("SessionExpired", "user uuid session"),
    },
    "seamless3": {
        "check": ("check", "user uuid currency session"),
        "balance": ("balance", "user uuid currency session"),
        "bet": ("bet", "user uuid currency session game round amount"),
        "result": ("win", "user uuid currency session game round amount bonus? closes?"),
        "cancel": ("cancel", "user uuid currency round amount?"),
    },
    "person": {"freeze": ("", "user"), "release": ("", "user")},
}
"""Door -> verb -> its path, and the fields it has; a question mark: not always."""

SPELLED: Mapping[str, Mapping[str, str]] = {
    "transfer3": {"user": "id"},
    "transfer4": {"user": "userId", "name": "userNickname", "transaction": "TransactionId"},
    "seamless4": {
        **{"user": "userId", "round": "roundId", "game": "gameId", "session": "sessionId"},
        **{"bonus": "bonusCode", "promo_amount": "promoWinAmount", "promo_reference": "promoWinReference"},
    },
    "seamless3": {"user": "userid", "session": "sid", "game": "gameid"},
}
INNER = {"round": "id", "amount": "amount", "closes": "is_end_round"}
"""Seamless 3: what stands in the object `transaction`."""
JACKPOT = "jackpot-1"
BESIDES: Mapping[str, Mapping[str, Any]] = {
    "transfer3": {},
    "transfer4": {},
    "seamless4": {
        **{"gamename": "Game", "timestamp": "1482429190374", "roundDetails": "spin", "jackpotId": JACKPOT},
        **{"campaignId": "camp", "campaignType": "T"},
    },
    "seamless3": {"gametype": "slot", "gamename": "Game"},
}
"""What must be there, and no rule reads."""


def call(house: House, command: Command) -> Call:
    """The command as this house's partner or game sends it."""
    door = command.endpoint
    names, path = SPELLED[door], VERBS[door][command.verb][0]
    given = {name: value for name, value in command.fields.items() if value is not None}
    inner = {INNER[name]: given.pop(name) for name in INNER if name in given and door == "seamless3"}
    body = {**BESIDES[door], **{names.get(name, name): value for name, value in given.items()}}
    partner, game = house.partner, house.game(command.profile)
    if door == "transfer3":
        return Call(f"{path}?partner_id={partner.id}&token={partner.token}", packed(body))
    if door == "transfer4":
        return Call(path, packed({"secureLogin": partner.id, "token": partner.token, **body}))
    if door == "seamless4":
        return Call(f"{game.path}/V4/{path}", packed({"providerId": game.provider, **body}))
    body = {**body, "transaction": inner} if inner else body
    return Call(f"/seamless/v3/{path}?authToken={game.path[1:]}", packed(body))


def said(model: Naive, command: Command) -> Said:
    """What the rules say to a command; a field that is wrong is refused before any rule (R12)."""
    asked = _asked(command)
    return Said(asked) if isinstance(asked, str) else model.ask(asked)


def _asked(c: Command) -> Asked | str:
    fields = dict(c.fields)
    if wrong := _wrong(c, fields):
        return wrong
    reference, ride = fields.get("promo_reference"), amount_of(fields.get("promo_amount") or "")
    half = bool((ride and not reference) or (reference and ride is None))  # R48: a ride of nothing is none
    amount = fields.get("amount")
    unread = half or (amount is not None and amount_of(amount) is None)
    asked = Asked(
        verb=c.verb,
        profile=TERMS[c.profile],
        provider=RIVAL if c.profile == RIVAL else PROVIDER,
        user=str(fields["user"]),
        uuid=fields.get("uuid") or "",
        name=JACKPOT if c.verb == "jackpot" else fields.get("name") or str(fields["user"]),
        currency=currency.upper() if (currency := fields.get("currency")) else None,
        amount=None if amount is None else amount_of(amount),
        transaction=fields.get("transaction"),
        reference=fields.get("reference"),
        round=fields.get("round"),
        game=fields.get("game"),
        game_closed=fields.get("game") == CLOSED_GAME and c.profile != RIVAL,
        session=fields.get("session"),
        free=fields.get("bonus") is not None,
        closes=fields.get("closes") is not None,
        promo=(reference, ride) if reference and ride else None,
        unread=unread,
    )
    return _of_edition(c, asked)


def _wrong(c: Command, fields: Fields) -> str:
    """What is wrong with a field that deciding needs (R1, R12); a rollback needs no amount (R56)."""
    if fields.get("amount") is None or c.verb in ("refund", "cancel"):
        return ""
    amount = amount_of(str(fields["amount"]))
    return "amount" if amount is None or (c.endpoint.startswith("transfer") and amount == 0) else ""


def _of_edition(c: Command, asked: Asked) -> Asked | str:
    """What the editions say differently."""
    if c.endpoint == "seamless3" and c.verb == "result":  # R4: a win is keyed by its uuid, whatever its round
        return asked._replace(reference=same_uuid(asked.uuid))
    if c.endpoint == "seamless3":  # the round's one bet has its name
        return asked._replace(reference=asked.round)
    if c.verb == "refund" and asked.reference is None:
        by_round = asked.profile["refund_by_round"] and asked.round is not None
        return asked if by_round else "parameter"
    return asked


REASONS: Mapping[str, tuple[int, str]] = {
    **dict.fromkeys(("amount", "currency_unsupported", "parameter"), (1, "Invalid Parameter")),
    "duplicate_player": (2, "Duplicate ID"),
    "duplicate_wallet": (2, "Already Create"),
    "wallet_unknown": (2, "Have no Wallet"),
    "insufficient": (3, "Not Enough Balance"),
    "player_unknown": (4, "User Not Found"),
    "key_conflict": (5, "UUID Already Used"),
    "player_frozen": (6, "User Is Frozen"),
    "balance_limit": (7, "Balance Limit Exceeded"),
}
TRANSFER4: Mapping[str, str] = {
    **{
        "amount": "7",
        "parameter": "7",
        "balance_limit": "7",
        "transfer_unknown": "7",
        "currency_unsupported": "21",
    },
    **{"already_transferred": "8", "player_unknown": "17", "insufficient": "22", "player_frozen": "23"},
    **{"wallet_unknown": "24", "key_conflict": "25", "duplicate_player": "26", "duplicate_wallet": "26"},
}
SEAMLESS4: Mapping[str, int] = {
    **{
        "insufficient": 1,
        "round_currency": 2,
        "wallet_unknown": 2,
        "wallet_unclear": 2,
        "session_expired": 5,
    },
    **{"currency_unsupported": 2, "round_full": 3, "round_won": 120},
    **{"player_frozen": 6, "foreign_bet": 7, "parameter": 7, "field_unreadable": 7, "game_disabled": 8},
    **{"refund_amount": 10, "amount": 10, "player_unknown": 100, "key_conflict": 120, "unknown_bet": 120},
    **{"late_bet": 120, "bet_settled": 120, "no_standing_bet": 120, "round_ended": 120},
}
SEAMLESS3: Mapping[str, str] = {
    "player_unknown": "USER_NOT_FOUND",
    "player_frozen": "USER_FROZEN",
    "wallet_unknown": "WALLET_NOT_FOUND",
    "insufficient": "INSUFFICIENT_FUNDS",
    "session_expired": "SESSION_EXPIRED",
    "game_disabled": "GAME_DISABLED",
    "field_unreadable": "INVALID_PARAMETER",
    "refund_amount": "INVALID_AMOUNT",
    "amount": "INVALID_AMOUNT",
    "round_currency": "INVALID_CURRENCY",
    "currency_unsupported": "INVALID_CURRENCY",
    "wallet_unclear": "WALLET_NOT_FOUND",
    "round_full": "BET_NOT_ALLOWED",
    "foreign_bet": "INVALID_TRANSACTION",
    "key_conflict": "TRANSACTION_CONFLICT",
    "unknown_bet": "BET_NOT_FOUND",
    "no_standing_bet": "BET_NOT_FOUND",
    "late_bet": "BET_CANCELLED",
    "bet_settled": "BET_SETTLED",
    "round_ended": "ROUND_ENDED",
}
SUCCESSES = ("ok", "tombstone", "absorbed")
TIME = "yyyy-MM-dd HH:mm:ss"
"""Stands for every time: the model has no clock."""

Body = dict[str, Any]


def answer(model: Naive, c: Command, it: Said) -> Body:
    """The whole body, ids being the model's; the V4 doors' words of a refusal are free, and left out."""
    told_by = {"transfer3": _transfer3, "transfer4": _transfer4, "seamless4": _seamless4}
    return told_by.get(c.endpoint, _seamless3)(model, c, it)


def _transfer3(model: Naive, c: Command, it: Said) -> Body:
    uuid = c.fields["uuid"]
    if it.word != "ok":
        code, reason = REASONS[it.word]
        return {"status": "Failed", "uuid": uuid, "code": code, "reason": reason}
    return {"status": "OK", "uuid": uuid, **_shown3(model, c, it)}


def _shown3(model: Naive, c: Command, it: Said) -> Body:
    if c.verb == "info":
        player = model.players[str(c.fields["user"])]
        return {"name": player.name, "at_create": TIME, "at_login": TIME, "wallet": _wallets(model, c)}
    if c.verb == "balance":
        return {"balance": told(it.balance)}
    if c.verb in ("charge", "withdraw"):
        return {"currency": it.currency, "amount": told(abs(it.moved)), "balance": told(it.balance)}
    return {}


def _wallets(model: Naive, c: Command) -> Body:
    wallets = model.players[str(c.fields["user"])].wallets
    return {currency: told(held) for currency, held in sorted(wallets.items())}


def _transfer4(model: Naive, c: Command, it: Said) -> Body:
    if it.word == "ok":
        return {**_shown4(model, c, it), "error": "0", "description": "success"}
    shown = _shown4(model, c, it) if it.word == "already_transferred" else {}
    return {**shown, "error": TRANSFER4[it.word]}


def _shown4(model: Naive, c: Command, it: Said) -> Body:
    moved = {"transactionId": it.id, "currency": it.currency, "balance": told(it.balance)}
    shown: Mapping[str, Body] = {
        "balance": {"balance": told(it.balance)},
        "charge": moved,
        "withdraw": moved,
        "status": {**moved, "amount": told(it.moved)},
    }
    if c.verb == "info":
        times = {"at_create": TIME, "at_login": TIME}
        return {"userId": c.fields["user"], **times, "wallet": _wallets(model, c)}
    return shown.get(c.verb, {"userId": c.fields["user"]})


def _seamless4(model: Naive, c: Command, it: Said) -> Body:
    body: Body = {"reference": c.fields["reference"]} if c.verb == "cancel" else {}
    error = _error4(c, it.word)
    if error == 0:
        shown = {name: value for name, value in _all4(it).items() if name in SHOWN4[c.verb].split()}
        body |= {**shown, "description": "Success"}
    body["error"] = str(error) if c.verb == "refund" else error
    if it.again and TERMS[c.profile]["retransmission"]:
        body["retransmission"] = True
    return body


SHOWN4 = {
    **{
        "check": "",
        "expire": "",
        "cancel": "transactionId currency cash",
        "refund": "transactionId",
        "balance": "currency cash",
    },
    **{"bet": "transactionId currency cash", "result": "transactionId currency cash"},
    **dict.fromkeys(("end", "bonus", "jackpot", "promo"), "transactionId currency cash bonus"),
}


def _all4(it: Said) -> Body:
    return {"transactionId": it.id, "currency": it.currency, "cash": told(it.balance), "bonus": "0.0"}


def _error4(c: Command, word: str) -> int:
    """A profile's own code comes before the table's."""
    terms = TERMS[c.profile]
    if word in SUCCESSES:
        return 0
    if word in terms["codes"]:
        return int(terms["codes"][word])
    if word == "unknown_bet" and terms["unknown_bet"] != "success":
        return int(terms["unknown_bet"])
    return 7 if (c.verb, word) == ("bet", "key_conflict") else SEAMLESS4[word]


def _seamless3(model: Naive, c: Command, it: Said) -> Body:
    body: Body = {"status": "OK" if it.word in SUCCESSES else SEAMLESS3[it.word], "uuid": c.fields["uuid"]}
    if it.word in SUCCESSES and it.currency:
        body["balance"] = told(it.balance)
    if it.again:
        body["retransmission"] = True
    return body
