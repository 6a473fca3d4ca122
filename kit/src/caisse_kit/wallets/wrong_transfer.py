"""Transfer APIs that are wrong. Each changes one thing of the right one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import Any

from caisse_kit.wallets.door import Answer, Reading, Unreadable
from caisse_kit.wallets.gate import Gate
from caisse_kit.wallets.money import UNIT, units
from caisse_kit.wallets.mutant import fails
from caisse_kit.wallets.transfer import Api, Done, Order


@fails("transfer-money.charge", "transfer-money.refund", "transfer-input.number")
class TransferFees(Api):
    """Each transfer costs a cent."""

    def move(self, order: Order, by: int) -> Done:
        return super().move(order, by - UNIT // 100)


@fails("transfer-money.whole-balance")
class TransferKeepsTheLastCoin(Api):
    """A refund must be smaller than the balance."""

    def covers(self, order: Order) -> bool:
        return self.wallets[order.user, order.currency] > order.amount


@fails("transfer-money.insufficient", "transfer-keys.refusal")
class TransferOverdraws(Api):
    """Balances go below zero."""

    def covers(self, order: Order) -> bool:
        return True


@fails("transfer-money.precision", "transfer-money.eighteenth-decimal", "transfer-money.limit")
class TransferThroughAFloat(Api):
    """Balances are binary floats."""

    def move(self, order: Order, by: int) -> Done:
        purse = (order.user, order.currency)
        self.wallets[purse] = int((self.wallets[purse] / UNIT + by / UNIT) * UNIT)
        return self.say(order, "ok")


@fails("transfer-money.limit")
class TransferHasNoLimit(Api):
    """A balance may grow past what the contract can write."""

    def charge(self, order: Order) -> Done:
        return self.move(order, order.amount)


@fails("transfer-money.no-wallet")
class TransferOpensWallets(Api):
    """A charge in another currency goes into the wallet that there is."""

    def judge(self, order: Order) -> Done:
        if order.verb in ("charge", "refund") and (order.user, order.currency) not in self.wallets:
            order = order._replace(currency="USD")
        return super().judge(order)


@fails("transfer-money.unknown-player")
class TransferMakesPlayers(Api):
    """A player that it does not know is made on the spot."""

    def decide(self, order: Order) -> Done:
        if order.verb != "create" and order.user not in self.names:
            self.names[order.user] = order.user
            self.wallets[order.user, "USD"] = 0
        return super().decide(order)


@fails("transfer-money.info")
class TransferInfoRounds(Api):
    """Info shows whole units."""

    def told(self, edition: int, done: Done) -> dict[str, object]:
        told = super().told(edition, done)
        wallet = told.get("wallet")
        if isinstance(wallet, dict):
            told["wallet"] = {name: str(Decimal(held) // 1) for name, held in wallet.items()}
        return told


@fails("transfer-money.apart", "transfer-keys.changed-player")
class TransferOnePurse(Api):
    """A refund takes its amount from every player."""

    def refund(self, order: Order) -> Done:
        done = super().refund(order)
        for purse in self.wallets:
            if purse[0] != order.user and done.word == "ok":
                self.wallets[purse] -= order.amount
        return done


@fails("transfer-money.player-twice")
class TransferEmptiesWallets(Api):
    """A wallet that is created again begins with nothing."""

    def judge(self, order: Order) -> Done:
        if order.verb == "wallet":
            self.wallets.pop((order.user, order.currency), None)
        return super().judge(order)


@fails("transfer-money.status")
class TransferStatusWithoutSign(Api):
    """The status of a transfer has no sign."""

    def status(self, done: Done, balance: object) -> dict[str, object]:
        told = super().status(done, balance)
        return {**told, "amount": str(told["amount"]).lstrip("-")}


@fails(
    "transfer-keys.charge", "transfer-keys.refund", "transfer-races.same-refund", "transfer-races.same-charge"
)
class TransferTwice(Api):
    """Transfers have no key."""

    def earlier(self, order: Order) -> Done | None:
        return None if order.verb in ("charge", "refund") else super().earlier(order)


@fails("transfer-keys.uuid-case")
class TransferUuidsInOneCase(Api):
    """A uuid in capitals is another uuid."""

    def read(self, edition: int, verb: str, fields: Mapping[str, Any]) -> Order:
        return super().read(edition, verb, fields)._replace(uuid=str(fields["uuid"]))


@fails("transfer-keys.transaction")
class TransferByUuidAlone(Api):
    """The partner's TransactionId is no key."""

    def keys(self, order: Order) -> list[tuple[str, str]]:
        return [("uuid", order.uuid)]


@fails("transfer-keys.later")
class TransferTodaysBalance(Api):
    """A repeat is answered with the balance of today."""

    def repeat(self, order: Order, first: Done, key: tuple[str, str]) -> Done:
        done = super().repeat(order, first, key)
        return done._replace(balance=self.wallets.get((order.user, order.currency), 0))


@fails("transfer-keys.restart")
class TransferForgetsAtRestart(Api):
    """Keys are kept in memory only; balances are not."""

    def restart(self) -> None:
        """What a new process knows."""
        self.kept = {}


@fails("transfer-keys.refusal")
class TransferForgetsRefusals(Api):
    """Only successes are kept."""

    def keep(self, order: Order, done: Done) -> None:
        if done.word == "ok":
            super().keep(order, done)


@fails("transfer-keys.changed-amount", "transfer-keys.charge-against-refund", "transfer-keys.changed-player")
class TransferIgnoresContent(Api):
    """Whatever comes under a known key is taken for a repeat."""

    def earlier(self, order: Order) -> Done | None:
        for key in self.keys(order):
            if first := self.kept.get(key):
                return self.repeat(order, first, key)
        return None


@fails("transfer-keys.notation")
class TransferComparesText(Api):
    """Amounts are compared as they were written."""

    def read(self, edition: int, verb: str, fields: Mapping[str, Any]) -> Order:
        order = super().read(edition, verb, fields)
        return order._replace(name=str(fields.get("amount"))) if verb in ("charge", "refund") else order


class _Unlocked(Api):
    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    def lock(self, order: Order) -> AbstractContextManager[object]:
        return nullcontext()


@fails("transfer-races.same-refund", "transfer-races.same-charge")
class TransferRaces(_Unlocked):
    """The same transfer at once is done several times."""

    def earlier(self, order: Order) -> Done | None:
        found = super().earlier(order)
        if order.verb in ("charge", "refund"):
            self.gate.wait_for_the_next()
        return found


@fails("transfer-races.drain", "transfer-races.in-and-out")
class TransferNoLock(_Unlocked):
    """The balance is read, and written a moment later, without a lock."""

    def move(self, order: Order, by: int) -> Done:
        held = self.wallets[order.user, order.currency]
        self.gate.wait_for_the_next()
        self.wallets[order.user, order.currency] = held + by
        return self.say(order, "ok")


@fails("transfer-races.answer-lost")
class TransferForgetsWhoHangsUp(Api):
    """The key is noted after a pause in which the caller may hang up: what was sent again meanwhile is done
    again.
    """

    def keep(self, order: Order, done: Done) -> None:
        if order.verb == "charge" or self.__dict__.setdefault("refunds", 0) % 2:
            super().keep(order, done)
        self.__dict__["refunds"] = self.__dict__.get("refunds", 0) + (order.verb == "refund")


@fails("transfer-input.negative")
class TransferTakesSigns(Api):
    """A sign before an amount is obeyed."""

    def amount(self, value: object) -> int:
        text = str(value)
        found = units(text.lstrip("-"))
        if found is None or isinstance(value, bool):
            raise Unreadable("parameter")
        return -found if text.startswith("-") else found


@fails("transfer-input.no-amount", "transfer-input.missing")
class TransferNonsenseIsOne(Api):
    """What cannot be read as an amount is a default."""

    def amount(self, value: object) -> int:
        return units(value) or UNIT


@fails("transfer-input.wrong-token")
class TransferAnyToken(Api):
    """The token is not looked at."""

    def opens(self, partner: str, token: str) -> bool:
        return True


@fails("transfer-input.no-echo")
class TransferEchoes(Api):
    """Refusals repeat the whole request."""

    def handle(self, reading: Reading) -> Answer:
        answer = super().handle(reading)
        if b"Failed" in answer.body or b'"error": "0"' not in answer.body:
            asked = f'{{"request": "{reading.path}", '.encode()
            return answer._replace(body=asked + answer.body[1:])
        return answer


@fails("transfer-input.uuid-echo")
class TransferUuidOfItsOwn(Api):
    """Refusals have a uuid of their own."""

    def refusal(self, edition: int, word: str, uuid: str, status: int = 200) -> Answer:
        return super().refusal(edition, word, "00000000-0000-4000-8000-000000000000", status)


@fails("transfer-input.answer")
class TransferSaysOk(Api):
    """A transfer's answer tells no currency."""

    def told(self, edition: int, done: Done) -> dict[str, object]:
        return {name: value for name, value in super().told(edition, done).items() if name != "currency"}


@fails("transfer-input.malformed")
class TransferCrashes(Api):
    """A body that cannot be read is a server failure."""

    def handle(self, reading: Reading) -> Answer:
        try:
            self.fields(reading)
        except Unreadable:
            return Answer(500, b"{}")
        return super().handle(reading)


@fails("transfer-input.claims-no-key")
class TransferBrokenClaimsKeys(Api):
    """A request with a broken amount is remembered under its key."""

    def read(self, edition: int, verb: str, fields: Mapping[str, Any]) -> Order:
        try:
            return super().read(edition, verb, fields)
        except Unreadable:
            uuid = str(fields.get("uuid"))
            self.kept["uuid", uuid] = Done("parameter", Order("broken", "", uuid))
            raise


@fails("transfer-input.unknown-fields")
class TransferKnownFieldsOnly(Api):
    """A field that it does not know is refused."""

    def read(self, edition: int, verb: str, fields: Mapping[str, Any]) -> Order:
        if "note" in fields:
            raise Unreadable("parameter")
        return super().read(edition, verb, fields)
