"""Fields: editions of the provider add, drop and respell them. What decides the money is always enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from caisse_client.calls import number
from caisse_kit.check import PRACTICE, SEAMLESS, SHOULD, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("fields", SEAMLESS)

EDITIONS = "the vendor's editions from July 2024 to December 2025"
LOST = "After the next edition of the provider's pages this message is refused, and its money never moves."

MINIMAL = {
    "Bet": ("gameId", "roundId", "amount", "reference", "currency"),
    "Result": ("roundId", "amount", "reference"),
    "Refund": ("reference", "roundId"),
    "Cancel": ("reference",),
    "EndRound": ("roundId",),
    "BonusWin": ("amount", "reference"),
    "JackPotWin": ("amount", "reference"),
    "PromoWin": ("amount", "reference", "currency"),
}
"""What each method needs beside providerId, userId and uuid."""


def _minimal(p: Play, sent: Sent) -> Sent:
    """The same message with nothing but what decides the money."""
    names = ("providerId", "userId", "uuid", *MINIMAL[sent.verb])
    return p.send(sent.verb, {name: sent.fields[name] for name in names if name in sent.fields})


@group.check("minimal-bet", "A Bet with its required fields alone is taken.", LOST, "R56", source=EDITIONS)
def minimal_bet(p: Play) -> None:
    p.took(_minimal(p, p.ghost()), "nothing that decides the money is missing")
    p.moved(-p.stake, "after a bet with few fields")


@group.check(
    "minimal-result", "A Result with its required fields alone is paid.", LOST, "R56", source=EDITIONS
)
def minimal_result(p: Play) -> None:
    fields = p.result_fields(p.took(p.bet()), p.stake * 2)
    p.took(_minimal(p, Sent("Result", fields)), "nothing that decides the money is missing")
    p.moved(p.stake, "after a result with few fields")


@group.check(
    "minimal-refund",
    "A Refund with its required fields alone gives the bet back.",
    LOST,
    "R56",
    source=EDITIONS,
)
def minimal_refund(p: Play) -> None:
    fields = p.refund_fields(p.took(p.bet()))
    fields = fields if p.policy.refund_by_round else {k: v for k, v in fields.items() if k != "roundId"}
    p.took(_minimal(p, Sent("Refund", fields)), "nothing that decides the money is missing")
    p.unmoved("after a refund with few fields")


@group.check(
    "minimal-cancel",
    "A Cancel with its required fields alone gives the bet back.",
    LOST,
    "R56",
    source=EDITIONS,
)
def minimal_cancel(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(_minimal(p, Sent("Cancel", bet.fields)), "nothing that decides the money is missing")
    p.unmoved("after a cancel with few fields")


@group.check(
    "minimal-end", "An EndRound with its required fields alone is accepted.", LOST, "R56", source=EDITIONS
)
def minimal_end(p: Play) -> None:
    bet = p.took(p.bet())
    p.took(_minimal(p, Sent("EndRound", bet.fields)), "nothing that decides the money is missing")


@group.check(
    "minimal-awards",
    "Awards with their required fields alone are paid.",
    LOST,
    "R56",
    source=EDITIONS,
    needs="seamless-v4",
)
def minimal_awards(p: Play) -> None:
    paid = 0
    for verb in ("BonusWin", "JackPotWin", "PromoWin"):
        fields = p.award_fields(verb, p.stake)
        sent = _minimal(p, Sent(verb, fields))
        if sent.answer.status not in (404, 405, 501):
            p.took(sent, "nothing that decides the money is missing")
            paid += 1
    p.moved(p.stake * paid, "after awards with few fields")


@group.check(
    "spellings",
    "Field names count in any letter case: the vendor's own pages write them in several.",
    LOST,
    "R56",
    source=EDITIONS,
)
def spellings(p: Play) -> None:
    names = {"roundId": "roundid", "userId": "userid", "providerId": "providerid", "timeStamp": "timestamp"}
    names |= {"gamename": "gameName", "sessionId": "sessionid"}
    bet = p.ghost()
    p.took(
        p.send("Bet", {names.get(name, name): value for name, value in bet.fields.items()}), "other spellings"
    )
    win = p.result_fields(bet, p.stake * 2)
    p.took(p.send("Result", {names.get(name, name): value for name, value in win.items()}), "other spellings")
    p.moved(p.stake, "after a bet and a win in other spellings")


def _still_taken(p: Play, what: str, **more: Any) -> None:
    p.took(p.bet(**more), what)
    p.moved(-p.stake, f"after a bet with {what}")


@group.check("unknown", "Fields that nobody knows are ignored.", LOST, "R56", source=EDITIONS)
def unknown(p: Play) -> None:
    _still_taken(
        p, "fields of a later edition", jackpotContribution="0.01", newField={"deep": [1, 2]}, flag=True
    )


@group.check("null", "An optional field that is null counts as absent.", LOST, "R56", source=EDITIONS)
def null(p: Play) -> None:
    _still_taken(p, "null in optional fields", sessionId=None, roundDetails=None, bonusCode=None)


@group.check(
    "details-of-any-type",
    "The round's details may be text, a list or an object.",
    LOST,
    "R56",
    source=EDITIONS,
)
def details_of_any_type(p: Play) -> None:
    details = ["spin", {"reels": [[1, 2, 3]], "lines": 20}]
    _still_taken(p, "roundDetails that is a list", roundDetails=details)


@group.check(
    "long-details",
    "Round details of 4,000 characters do not stand in the way of the money.",
    LOST,
    "R56",
    source=PRACTICE,
)
def long_details(p: Play) -> None:
    _still_taken(p, "long roundDetails", roundDetails="x" * 4000)


@group.check(
    "other-scripts",
    "Names in other scripts do not stand in the way of the money.",
    LOST,
    "R56",
    source=PRACTICE,
)
def other_scripts(p: Play) -> None:
    _still_taken(p, "a name in other scripts", gamename="金の龍 – Été 🎰", roundDetails="Ω")


@group.check(
    "integer-ids",
    "Ids may be JSON integers: their digits are the id.",
    "A bet that came with a number is not found by its refund with text, and its stake is lost.",
    "R56",
    source=EDITIONS,
)
def integer_ids(p: Play) -> None:
    digits = str(p.chance.randrange(10**11, 10**12)) + str(abs(hash(p.new("n"))) % 10**6)
    bet = p.took(p.bet(reference=number(digits), roundId=number("1" + digits)), "ids that are integers")
    named = Sent("Bet", {**bet.fields, "reference": digits, "roundId": "1" + digits})
    p.took(p.cancel(named))
    p.unmoved("after a bet with a number as its reference and a cancel with the same digits as text")


@group.check(
    "provider-case",
    "The provider's name counts in any letter case.",
    LOST,
    "R33",
    source=EDITIONS,
)
def provider_case(p: Play) -> None:
    _still_taken(p, "its provider's name in capitals", providerId=p.target.provider.upper())


@group.check(
    "cancel-path",
    "Cancel is also served without the edition in its path, as some editions send it.",
    "Bets that failed are never given back.",
    severity=SHOULD,
    source=EDITIONS,
    needs="seamless-v4",
)
def cancel_path(p: Play) -> None:
    bet = p.took(p.bet())
    request = replace(p.request("Cancel", p.cancel_fields(bet)), path="/Cancel")
    p.took(Sent("Cancel", bet.fields, p.exchange(request)), "the path /Cancel")
    p.unmoved("after a cancel at /Cancel")
