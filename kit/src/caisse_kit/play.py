"""The provider's side of a seamless wallet, as checks use it: bets, results, rollbacks, and what must come
of them.

The bodies are whole, with every field that the newest edition sends; a check may leave fields out with
`...`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from caisse_client import Client, KyrenV1, Request, SeamlessV4, new_uuid
from caisse_client.calls import number
from caisse_client.money import text_of
from caisse_kit.check import Failed, NotRun
from caisse_kit.policy import Policy
from caisse_kit.reply import Reply
from caisse_kit.stage import Stage, must_be_refused, must_succeed, plain
from caisse_kit.target import Target

AWARDS = ("BonusWin", "JackPotWin", "PromoWin")
LIMITED = ("50", "310", "60")
"""Codes of a wallet that limits bets."""


@dataclass(frozen=True)
class Sent:
    """A request of the provider, and the reply to it. `reply` is None if it was not sent."""

    verb: str
    fields: Mapping[str, Any]
    reply: Reply | None = None

    @property
    def reference(self) -> str:
        return self._text("reference")

    @property
    def round(self) -> str:
        return self._text("roundId")

    def _text(self, name: str) -> str:
        value = self.fields.get(name, "")
        return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)

    @property
    def ok(self) -> bool:
        return self.reply is not None and self.reply.ok

    @property
    def answer(self) -> Reply:
        """The reply of what was sent."""
        if self.reply is None:
            raise AssertionError("this was never sent")
        return self.reply

    @property
    def transaction(self) -> str:
        return self.answer.text("transactionId")

    def __str__(self) -> str:
        return f"{self.verb} {self.reference}".strip()


class Play(Stage):
    """One check's play with one player, and with a second where there is one."""

    def __init__(
        self, target: Target, client: Client, run: str, chance: random.Random, policy: Policy
    ) -> None:
        super().__init__(target, client, run, chance)
        self.door = (
            SeamlessV4(target.provider) if target.dialect == "seamless-v4" else KyrenV1(target.provider)
        )
        self.policy = policy
        self.user = target.user
        self.currency = target.currency
        self.stake = target.stake
        self.start: Decimal = self.balance()
        """What the player had when the check began."""

    # Sending

    def request(self, verb: str, fields: Mapping[str, Any]) -> Request:
        return self.door.request(verb, fields)

    def send(self, verb: str, fields: Mapping[str, Any], note: str = "") -> Sent:
        return Sent(verb, fields, self.exchange(self.request(verb, fields), note))

    def again(self, sent: Sent, **changed: Any) -> Sent:
        """The same request to the byte, or with some fields changed."""
        return self.send(sent.verb, {**sent.fields, **changed})

    def again_anew(self, sent: Sent) -> Sent:
        """The same request under another uuid."""
        return self.again(sent, uuid=new_uuid())

    def bet(self, amount: Decimal | None = None, **more: Any) -> Sent:
        return self.send("Bet", self.bet_fields(amount, **more))

    def odd_bet(self, **odd: Any) -> Sent:
        """A bet with some fields of any value at all."""
        return self.send("Bet", {**self.bet_fields(), **odd})

    def bet_fields(self, amount: Decimal | None = None, **more: Any) -> dict[str, Any]:
        """A whole Bet in a round of its own."""
        return self._fields(
            amount=self.door.amount(self.stake if amount is None else amount),
            reference=self.new("bet"),
            roundId=self.new("round"),
            gamename="Kit",
            timeStamp="1482429190374",
            roundDetails="spin",
            more=more,
        )

    def ghost(self, **more: Any) -> Sent:
        """A bet that is not sent: the wallet never hears of it, or only later."""
        return Sent("Bet", self.bet_fields(**more))

    def result(self, bet: Sent, amount: Decimal, **more: Any) -> Sent:
        """A win of the bet's round."""
        return self.send("Result", self.result_fields(bet, amount, **more))

    def result_fields(self, bet: Sent, amount: Decimal, **more: Any) -> dict[str, Any]:
        return self._fields(
            amount=self.door.amount(amount),
            reference=self.new("win"),
            roundId=bet.round,
            gamename="Kit",
            timestamp="1482429190374",
            roundDetails="spin",
            more={"userId": bet.fields["userId"], **more},
        )

    def refund(self, bet: Sent, **more: Any) -> Sent:
        """Give the bet back; where a Refund names the round, its whole round."""
        return self.send("Refund", self.refund_fields(bet, **more))

    def refund_fields(self, bet: Sent, **more: Any) -> dict[str, Any]:
        reference = self.new("refund") if self.policy.refund_by_round else bet.reference
        return self._fields(
            reference=reference,
            roundId=bet.round,
            timestamp="1482429190374",
            more={"userId": bet.fields["userId"], "sessionId": ..., "currency": ..., **more},
        )

    def cancel(self, bet: Sent, **more: Any) -> Sent:
        """Give the bet back, named by its reference."""
        return self.send("Cancel", self.cancel_fields(bet, **more))

    def cancel_fields(self, bet: Sent, **more: Any) -> dict[str, Any]:
        named = {"userId": bet.fields["userId"], **more}
        return self._fields(reference=bet.reference, gamename="Kit", more=named)

    def end(self, bet: Sent, **more: Any) -> Sent:
        more = {"userId": bet.fields["userId"], "currency": ..., **more}
        return self.send("EndRound", self._fields(roundId=bet.round, more=more))

    def award(self, verb: str, amount: Decimal, **more: Any) -> Sent:
        """A win that needs no bet. Raises NotRun if the wallet does not offer the method."""
        sent = self.send(verb, self.award_fields(verb, amount, **more))
        if sent.answer.status in (404, 405, 501):
            raise NotRun(f"the wallet does not offer {verb}")
        return sent

    def award_fields(self, verb: str, amount: Decimal, **more: Any) -> dict[str, Any]:
        own: dict[str, dict[str, Any]] = {
            "BonusWin": {"bonusCode": self.new("bonus"), "roundId": self.new("round")},
            "JackPotWin": {"jackpotId": self.new("jackpot"), "roundId": self.new("round")},
            "PromoWin": {"campaignId": self.new("campaign"), "campaignType": "T", "gameId": ...},
        }
        shared = {"amount": self.door.amount(amount), "reference": self.new("award"), "timestamp": "1"}
        return self._fields(**shared, **own[verb], more=more)

    def _fields(self, *, more: Mapping[str, Any], **named: Any) -> dict[str, Any]:
        shared = {
            "providerId": self.target.provider,
            "userId": self.user,
            "uuid": new_uuid(),
            "currency": self.currency,
            "gameId": self.target.game,
            "sessionId": self.target.session,
        }
        return {**shared, **named, **more}

    # Looking

    def read(self, user: str = "", **more: Any) -> Sent:
        return self.send("Balance", self._fields(more={"userId": user or self.user, "gameId": ..., **more}))

    def balance(self, user: str = "") -> Decimal:
        """What the wallet says a player has. A wallet that cannot say fails every check."""
        reply = self.read(user).answer
        cash = reply.amount("cash")
        if not reply.ok or cash is None:
            raise Failed(f"the balance cannot be read: {reply}")
        return cash

    @property
    def second(self) -> str:
        if not self.target.second_user:
            raise NotRun("needs --second-user")
        return self.target.second_user

    # Expecting

    def took(self, sent: Sent, why: str = "") -> Sent:
        """It must be a success."""
        must_succeed(sent, sent.ok, sent.answer, why)
        return sent

    def refused(self, sent: Sent, why: str = "") -> Sent:
        """It must be a refusal that the provider can read: neither a success nor the server's own failure."""
        must_be_refused(sent, sent.ok, sent.answer, why)
        return sent

    def moved(self, by: Decimal | int, why: str, user: str = "", start: Decimal | None = None) -> None:
        """The balance must have changed by exactly so much since the check began."""
        before = self.start if start is None else start
        now, due = self.balance(user), before + by
        if now != due:
            raise Failed(
                f"{why}: the balance must be {plain(due)}, and it is {plain(now)} "
                f"({plain(abs(now - due))} too {'much' if now > due else 'little'})"
            )

    def unmoved(self, why: str) -> None:
        self.moved(0, why)

    def same(self, first: Sent, later: Sent, why: str) -> None:
        """Two answers must be one verdict: both a success with one transaction id, or both one refusal."""
        a, b = first.answer, later.answer
        if (a.ok, a.code if not a.ok else first.transaction) != (
            b.ok,
            b.code if not b.ok else later.transaction,
        ):
            raise Failed(f"{why}: the first answer was {a}, the later one {b}")

    def restore(self) -> None:
        """Give the player back what he had, as far as the wallet allows; nothing is expected here."""
        left = self.balance() - self.start
        if left == 0:
            return
        bet = self.bet(left if left > 0 else self.stake)
        if left < 0:
            self.result(bet, self.stake - left)


def json_number(amount: Decimal) -> object:
    """An amount as a JSON number of its own characters."""
    return number(text_of(amount))
