"""Wallets that are wrong about reading: names, amounts, bodies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from caisse_kit.wallets.crashing import Crash, Crashing
from caisse_kit.wallets.door import Door, Exact, Reading, Unreadable
from caisse_kit.wallets.money import UNIT, units
from caisse_kit.wallets.mutant import fails
from caisse_kit.wallets.seamless import Asked, Verdict


@fails("reading.balance", "betting.answer", "rollback.unknown-answer", "results.award-answer")
class TellsNothing(Door):
    """Answers hold error and cash, and nothing else."""

    def told(self, method: str, verdict: Verdict) -> dict[str, object]:
        return {name: value for name, value in super().told(method, verdict).items() if name == "cash"}


@fails("reading.check-known")
class KnownSessionsOnly(Door):
    """Check refuses sessions that it did not make."""

    def read(self, method: str, reading: Reading) -> Asked:
        asked = super().read(method, reading)
        if method == "Check":
            raise Unreadable("session")
        return asked


@fails("reading.without-currency")
class CurrencyOrCrash(Crashing):
    """Balance without a currency is a server failure."""

    def read(self, method: str, reading: Reading) -> Asked:
        asked = super().read(method, reading)
        if method == "Balance" and not asked.currency:
            raise Crash
        return asked


@fails("reading.plain-cash")
class FloatCash(Door):
    """Cash is written from a binary float, with all that it has."""

    def cash(self, amount: int) -> object:
        return Exact(f"{amount / UNIT:.17f}")


@fails("reading.plain-cash")
class ExponentCash(Door):
    """Cash is written with an exponent."""

    def cash(self, amount: int) -> object:
        return Exact(f"{Decimal(amount) / UNIT:E}")


@fails("betting.foreign-provider")
class AnyProvider(Door):
    """The provider's name is not looked at."""

    def is_provider(self, name: str) -> bool:
        return True


@fails("fields.provider-case")
class OneSpellingOfTheProvider(Door):
    """The provider's name must be spelled as configured."""

    def is_provider(self, name: str) -> bool:
        return name == self.provider


@fails("rollback.unknown-answer", "rollback.unknown-cancel")
class UnknownBetIsACrash(Crashing):
    """A rollback of an unknown bet is a server failure."""

    def read(self, method: str, reading: Reading) -> Asked:
        asked = super().read(method, reading)
        if method in ("Refund", "Cancel") and asked.reference not in self.wallet.bets:
            raise Crash
        return asked


ALL_FIELDS = {
    "Bet": ("sessionId", "gamename", "timeStamp", "roundDetails"),
    "Result": ("sessionId", "currency", "gameId", "gamename", "timestamp"),
    "Refund": ("gameId", "roundId", "timestamp"),
    "Cancel": ("sessionId", "gameId", "gamename", "currency"),
    "EndRound": ("sessionId", "gameId"),
    "BonusWin": ("sessionId", "gameId", "roundId", "timestamp"),
}


@fails(
    *("fields.minimal-bet", "fields.minimal-result", "fields.minimal-refund", "fields.minimal-cancel"),
    *("fields.minimal-end", "fields.minimal-awards", "results.without-session", "results.without-currency"),
    "fields.null",
)
class NeedsAllFields(Door):
    """Every field of one edition's example is required."""

    def required(self, method: str) -> tuple[str, ...]:
        return (*super().required(method), *ALL_FIELDS.get(method, ()))


@fails("fields.spellings")
class NamesInOneCase(Door):
    """Field names must be spelled as on one page."""

    def fields(self, found: Mapping[str, Any]) -> dict[str, Any]:
        return dict(found)


KNOWN = re.compile(
    r"providerId|userId|uuid|currency|gameId|sessionId|amount|reference|roundId|game[nN]ame|time[sS]tamp"
    r"|roundDetails|bonusCode|jackpotId|campaign\w+|promo\w+|win|platform",
    re.IGNORECASE,
)


@fails("fields.unknown")
class CrashesOnUnknownFields(Crashing):
    """A field that it does not know is a server failure."""

    def fields(self, found: Mapping[str, Any]) -> dict[str, Any]:
        if not all(KNOWN.fullmatch(name) for name in found):
            raise Crash
        return super().fields(found)


@fails("fields.null")
class NullIsWrong(Door):
    """null in an optional field is a bad parameter."""

    def fields(self, found: Mapping[str, Any]) -> dict[str, Any]:
        if None in found.values():
            raise Unreadable("parameter")
        return super().fields(found)


@fails("fields.details-of-any-type", "fields.long-details", "fields.other-scripts")
class StrictDetails(Door):
    """Details and names must be short text in ASCII."""

    def fields(self, found: Mapping[str, Any]) -> dict[str, Any]:
        for name in ("roundDetails", "gamename"):
            value = found.get(name) or ""
            if not isinstance(value, str) or len(value) > 255 or not value.isascii():
                raise Unreadable("parameter")
        return super().fields(found)


@fails("fields.integer-ids")
class TextIdsOnly(Door):
    """An id that is a JSON integer is a bad parameter."""

    def identifier(self, value: object) -> str:
        if not isinstance(value, str):
            raise Unreadable("parameter")
        return super().identifier(value)


@fails("fields.cancel-path")
class CancelUnderItsEdition(Door):
    """Cancel is served under /V4 alone."""

    def method_of(self, parts: list[str]) -> str | None:
        return super().method_of(parts) if len(parts) == 3 else None


@fails("protocol.path-case")
class PathsInOneCase(Door):
    """Paths must be spelled as on one page."""

    def method_of(self, parts: list[str]) -> str | None:
        found = super().method_of(parts)
        return found if found in (parts[-1], "Cancel") else None


@fails("amounts.text")
class NumbersOnly(Door):
    """An amount must be a JSON number."""

    def amount(self, value: object) -> int:
        if isinstance(value, str):
            raise Unreadable("amount")
        return super().amount(value)


@fails("amounts.number", "fields.minimal-bet")
class TextOnly(Door):
    """An amount must be JSON text."""

    def amount(self, value: object) -> int:
        if not isinstance(value, str):
            raise Unreadable("amount")
        return super().amount(value)


@fails("amounts.cents", "amounts.eighteenth-decimal", "amounts.large-win")
class ThroughAFloat(Door):
    """Amounts go through a binary float."""

    def amount(self, value: object) -> int:
        super().amount(value)
        return int(float(str(value)) * UNIT)


@fails("amounts.third-decimal", "amounts.eighteenth-decimal")
class RoundsToCents(Door):
    """Amounts are rounded to cents without a word."""

    def amount(self, value: object) -> int:
        return round(super().amount(value) / (UNIT // 100)) * (UNIT // 100)


@fails("amounts.large-win")
class WrapsAround(Door):
    """Amounts are kept in 32 bits of cents."""

    def amount(self, value: object) -> int:
        return super().amount(value) % (2**31 * UNIT // 100)


@fails("amounts.zeros")
class TwoDecimalsOrNone(Door):
    """An amount has no decimals, or exactly two."""

    def amount(self, value: object) -> int:
        if len(str(value).partition(".")[2]) not in (0, 1, 2):
            raise Unreadable("amount")
        return super().amount(value)


@fails("amounts.negative-bet", "amounts.negative-result", "amounts.negative-refund")
class TakesSigns(Door):
    """A sign before an amount is obeyed."""

    def amount(self, value: object) -> int:
        text = str(value)
        return -super().amount(text[1:]) if text.startswith("-") else super().amount(value)


@fails("amounts.exponent", "amounts.sloppy")
class ReadsDigitsOnly(Door):
    """What follows the digits of an amount is not looked at."""

    def amount(self, value: object) -> int:
        found = re.search(r"[0-9]+(\.[0-9]+)?", str(value))
        if isinstance(value, bool) or not found:
            raise Unreadable("amount")
        return super().amount(found[0])


@fails("amounts.no-amount", "malformed.missing-required", "malformed.claims-no-key", "security.no-traces")
class NonsenseIsZero(Door):
    """What cannot be read as an amount is 0."""

    def amount(self, value: object) -> int:
        return units(value) or 0

    def required(self, method: str) -> tuple[str, ...]:
        return tuple(name for name in super().required(method) if name != "amount")

    def answer(self, method: str, verdict: Verdict, asked: Asked | None) -> dict[str, object]:
        body = super().answer(method, verdict, asked)
        return body if asked else {**body, "trace": "Traceback (most recent call last)"}


@fails("amounts.overlong", "malformed.long-id")
class CrashesOnLength(Crashing):
    """What does not fit its column is a server failure."""

    def parsed(self, body: bytes) -> dict[str, Any]:
        found = super().parsed(body)
        if (
            any(len(str(found.get(name, ""))) > 36 for name in ("amount",))
            or len(str(found.get("reference"))) > 255
        ):
            raise Crash
        return found


@fails("malformed.not-json", "malformed.cut-off", "malformed.no-object", "security.deep-json")
class MalformedIsACrash(Crashing):
    """A body that cannot be read is a server failure."""

    def parsed(self, body: bytes) -> dict[str, Any]:
        try:
            return super().parsed(body)
        except Unreadable:
            raise Crash from None


@fails("malformed.name-twice")
class LastNameWins(Door):
    """Of a name that stands twice the last is taken."""

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(pairs)
