"""The transfer door: money into a player's wallet and out again, once for each key."""

from __future__ import annotations

import time
from decimal import Decimal
from functools import partial
from typing import Any

from caisse_client import new_uuid
from caisse_client.calls import number
from caisse_kit.bank import Bank, Order
from caisse_kit.check import TRANSFER, Failed, Group

money: Group[Bank] = Group("transfer-money", TRANSFER)
keys: Group[Bank] = Group("transfer-keys", TRANSFER)
races: Group[Bank] = Group("transfer-races", TRANSFER)

TWICE = "Each answer that the network loses moves the money a second time."


@money.check(
    "charge",
    "A charge adds exactly its amount and tells the balance.",
    "Deposits are lost or doubled.",
    "R14",
)
def charge(b: Bank) -> None:
    user = b.player()
    _tells(b, b.took(b.charge(user, Decimal("12.34"))), Decimal("12.34"))
    b.holds(user, Decimal("12.34"), "after a charge")


@money.check(
    "refund",
    "A refund (money out) takes exactly its amount and tells the balance.",
    "Payouts differ from the books.",
    "R10",
)
def refund(b: Bank) -> None:
    user = b.player(300)
    _tells(b, b.took(b.refund(user, 200)), Decimal(100))
    b.holds(user, 100, "after a refund")


def _tells(b: Bank, order: Order, due: Decimal) -> None:
    if order.balance != due:
        raise Failed(f"the answer to {order.verb} must tell the balance {due}, and it tells {order.balance}")


@money.check(
    "whole-balance", "A refund of the whole balance works and leaves zero.", "Players cannot cash out.", "R11"
)
def whole_balance(b: Bank) -> None:
    user = b.player(Decimal("7.77"))
    b.took(b.refund(user, Decimal("7.77")), "exactly what is there")
    b.holds(user, 0, "after a refund of everything")


@money.check(
    "insufficient",
    "A refund beyond the balance is refused and takes nothing.",
    "Money is paid out that the player does not have.",
    "R10",
)
def insufficient(b: Bank) -> None:
    user = b.player(10)
    order = b.refused(b.refund(user, Decimal("10.01")), "more than is there")
    b.holds(user, 10, "after a refund that was refused")
    if b.edition == 3 and order.reply.code != "3":
        raise Failed(f"the code must be 3, and it is {order.reply.code}")


@money.check(
    "precision",
    "Amounts are exact: ten charges of 0.1 and three of 0.07 make 1.21.",
    "Each movement loses a fraction.",
)
def precision(b: Bank) -> None:
    user = b.player()
    for amount in (*["0.1"] * 10, *["0.07"] * 3):
        b.took(b.charge(user, Decimal(amount)))
    b.holds(user, Decimal("1.21"), "after charges of 0.1 and 0.07")


@money.check(
    "eighteenth-decimal",
    "The contract's smallest amount is booked exactly or refused, never rounded.",
    "Each movement loses a fraction.",
    "R13",
)
def eighteenth_decimal(b: Bank) -> None:
    user, amount = b.player(), Decimal("1.000000000000000001")
    order = b.charge(user, amount)
    b.holds(user, amount if order.ok else 0, f"after a charge of {amount}, answered {order.reply}")


@money.check(
    "limit",
    "A charge that would lift the balance past 14 digits is refused, and nothing wraps.",
    "A balance wraps around or loses its cents.",
    "R13",
)
def limit(b: Bank) -> None:
    user, most = b.player(), Decimal("99999999999999.0")
    order = b.charge(user, most)
    held = most if order.ok else Decimal(0)
    b.holds(user, held, f"after a charge of {most}")
    more = b.charge(user, 1)
    b.holds(user, held + (1 if more.ok else 0), f"after one more, answered {more.reply}")
    if order.ok and more.ok:
        raise Failed("a balance of 15 digits was accepted, which the contract cannot write")


@money.check(
    "no-wallet", "A charge without a wallet in that currency is refused.", "Money is booked nowhere.", "R8"
)
def no_wallet(b: Bank) -> None:
    user = b.player(10)
    b.refused(
        b.charge(user, 5, currency="EUR" if b.currency != "EUR" else "USD"), "no wallet in that currency"
    )
    b.holds(user, 10, "after a charge in another currency")


@money.check(
    "unknown-player",
    "Charge, refund and balance of an unknown player are refused.",
    "Money is booked nowhere.",
    "R8",
)
def unknown_player(b: Bank) -> None:
    nobody = b.new("nobody")[-30:]
    for order in (b.charge(nobody, 1), b.refund(nobody, 1), b.read(nobody)):
        b.refused(order, "no such player")


@money.check(
    "info",
    "The player's info lists the wallet with its exact balance.",
    "The back office shows other figures than the books.",
)
def info(b: Bank) -> None:
    user = b.player(Decimal("12.5"))
    order = b.took(b.send("info", b.fields(user)), "the player exists")
    wallet = (order.reply.fields or {}).get("wallet")
    held = wallet.get(b.currency) if isinstance(wallet, dict) else None
    if held is None or Decimal(str(held)) != Decimal("12.5"):
        raise Failed(f"wallet.{b.currency} must be 12.5, and it is {held!r}")


@money.check("apart", "What one player does changes nothing of another's balance.", "Players share a purse.")
def apart(b: Bank) -> None:
    one, two = b.player(10), b.player(20)
    b.took(b.refund(one, 10))
    b.holds(two, 20, "the other player")


@money.check(
    "player-twice",
    "A player, or a wallet, that exists is not made again, and keeps its money.",
    "A repeated creation empties a wallet.",
    "R8",
)
def player_twice(b: Bank) -> None:
    user = b.player(10)
    b.refused(b.send("create", b.fields(user, name="Kit")), "the player exists")
    b.refused(b.send("wallet", b.fields(user, currency=b.currency)), "the wallet exists")
    b.holds(user, 10, "after creating player and wallet once more")


@money.check(
    "status",
    "The status of a transfer is told with its sign and the balance after it.",
    "After a time-out the partner cannot find out what happened.",
    needs="transfer-v4",
)
def status(b: Bank) -> None:
    user = b.player(100)
    out = b.took(b.refund(user, 30))
    b.took(b.charge(user, 5))
    order = b.took(
        b.send("status", b.fields(user, TransactionId=out.fields["TransactionId"])), "a known transfer"
    )
    told = (order.reply.amount("amount"), order.balance)
    if told != (Decimal(-30), Decimal(70)):
        raise Failed(f"amount and balance must be -30 and 70, and they are {told[0]} and {told[1]}")
    b.refused(b.send("status", b.fields(user, TransactionId=b.new("none"))), "no such transfer")


def _repeated(b: Bank, order: Order, due: Decimal | int, user: str, **changed: Any) -> None:
    b.took(order)
    for _ in range(2):
        later = b.took(b.again(order, **changed), "a repeat")
        if later.balance != order.balance:
            raise Failed(f"first the balance was {order.balance}, in the repeat it is {later.balance}")
    b.holds(user, due, f"after a {order.verb} and two repeats")


@keys.check("charge", "The same charge sent again adds nothing and gets the first answer.", TWICE, "R1, R3")
def repeated_charge(b: Bank) -> None:
    user = b.player()
    _repeated(b, b.charge(user, 10), 10, user)


@keys.check("refund", "The same refund sent again takes nothing and gets the first answer.", TWICE, "R1, R3")
def repeated_refund(b: Bank) -> None:
    user = b.player(100)
    _repeated(b, b.refund(user, 30), 70, user)


@keys.check("uuid-case", "A uuid in capitals is the same uuid.", TWICE, "R3", needs="transfer-v3")
def uuid_case(b: Bank) -> None:
    user = b.player(100)
    order = b.took(b.refund(user, 30, uuid=new_uuid()))
    b.took(b.again(order, uuid=order.fields["uuid"].upper()), "a repeat in capitals")
    b.holds(user, 70, "after a refund and its repeat with the uuid in capitals")


@keys.check(
    "transaction",
    "The same TransactionId under another uuid moves nothing more, and tells the first balance.",
    TWICE,
    "R3",
    needs="transfer-v4",
)
def transaction(b: Bank) -> None:
    user = b.player(100)
    _repeated(b, b.refund(user, 30), 70, user, uuid=new_uuid())


@keys.check(
    "later", "After other transfers, and some seconds, a repeat still tells the first balance.", TWICE, "R1"
)
def later(b: Bank) -> None:
    user = b.player(100)
    order = b.took(b.refund(user, 30))
    for _ in range(40):
        b.took(b.charge(user, 1))
    time.sleep(b.target.later)
    again = b.took(b.again(order), "a repeat")
    b.holds(user, 110, "after other transfers and a repeat")
    if again.balance != 70:
        raise Failed(f"the repeat must tell the balance 70, and it tells {again.balance}")


@keys.check("restart", "After a restart a repeat is still known.", TWICE, "R1", needs="restart")
def restart(b: Bank) -> None:
    user = b.player(100)
    order = b.took(b.refund(user, 30))
    b.restart()
    b.took(b.again(order), "a repeat")
    b.holds(user, 70, "after a refund, a restart, and the refund again")


@keys.check(
    "refusal",
    "A refund that was refused stays refused under its key, although there is enough money later.",
    "The partner has told the player no, and a late repeat takes the money.",
    "R2",
)
def refusal(b: Bank) -> None:
    user = b.player(10)
    order = b.refused(b.refund(user, 50), "more than is there")
    b.took(b.charge(user, 100))
    b.refused(b.again(order), "it was refused before")
    b.holds(user, 110, "after the refused refund again")


@keys.check(
    "changed-amount",
    "Another amount under one key is refused, and the first verdict stands.",
    "The partner believes that the changed amount was moved.",
    "R5",
)
def changed_amount(b: Bank) -> None:
    user = b.player(100)
    order = b.took(b.refund(user, 30))
    b.refused(b.again(order, amount="31.0"), "the amount changed under one key")
    b.took(b.again(order), "the unchanged repeat")
    b.holds(user, 70, "after a changed repeat")


@keys.check(
    "charge-against-refund",
    "A charge under the key of a refund is refused, and the other way round.",
    "Money goes in where it was to go out.",
    "R5",
)
def charge_against_refund(b: Bank) -> None:
    user = b.player(100)
    out = b.took(b.refund(user, 30))
    b.refused(b.send("charge", out.fields), "the key is a refund's")
    b.holds(user, 70, "after a charge under a refund's key")


@keys.check(
    "changed-player",
    "Another player under one key is refused, and that player's money stays.",
    "One player's payout is taken from another.",
    "R5",
)
def changed_player(b: Bank) -> None:
    one, two = b.player(100), b.player(100)
    order = b.took(b.refund(one, 30))
    name = "id" if b.edition == 3 else "userId"
    b.refused(b.again(order, **{name: two}), "another player under one key")
    b.holds(two, 100, "the other player")


@keys.check(
    "notation",
    "The same amount in another notation is the same request.",
    "A repeat is refused, and the partner pays twice.",
    "R5",
)
def notation(b: Bank) -> None:
    user = b.player(100)
    order = b.took(b.refund(user, 30))
    for amount in ("30", "30.00", number("30.0")):
        b.took(b.again(order, amount=amount), f"a repeat with the amount {amount!r}")
    b.holds(user, 70, "after a refund in several notations")


@races.check("same-refund", "The same refund several times at once takes its amount once.", TWICE, "R6")
def same_refund(b: Bank) -> None:
    for _ in range(3):
        user = b.player(100)
        fields = b.money_fields(user, 30)
        orders = b.at_once([partial(b.send, "refund", fields)] * b.target.callers)
        b.holds(user, 70, "after one refund several times at once")
        if not any(order.ok for order in orders):
            raise Failed(f"it was never accepted: {orders[0].reply}")


@races.check("same-charge", "The same charge several times at once adds its amount once.", TWICE, "R6")
def same_charge(b: Bank) -> None:
    for _ in range(3):
        user = b.player()
        b.at_once([partial(b.send, "charge", b.money_fields(user, 30))] * b.target.callers)
        b.holds(user, 30, "after one charge several times at once")


@races.check(
    "drain",
    "Of several refunds at once that the balance covers one of, one is done.",
    "The same money is paid out twice.",
    "R14",
)
def drain(b: Bank) -> None:
    for _ in range(3):
        user = b.player(100)
        sends = [partial(b.send, "refund", b.money_fields(user, 70)) for _ in range(b.target.callers)]
        done = sum(order.ok for order in b.at_once(sends))
        b.holds(user, 30, f"after {done} of {len(sends)} refunds of 70 at once")
        if done != 1:
            raise Failed(f"{done} of {len(sends)} refunds of 70 at once were accepted, and 100 was there")


@races.check(
    "in-and-out", "Charges and refunds at once add up.", "Of two movements at once one is lost.", "R14"
)
def in_and_out(b: Bank) -> None:
    user = b.player(1000)
    sends = [
        partial(b.send, verb, b.money_fields(user, 7)) for verb in ("charge", "refund") * b.target.callers
    ]
    done = b.at_once(sends)
    by = sum(7 if order.verb == "charge" else -7 for order in done if order.ok)
    b.holds(user, 1000 + by, "after charges and refunds at once")


@races.check(
    "answer-lost", "A refund whose answer was lost is done once, and its repeat gets a success.", TWICE, "R1"
)
def answer_lost(b: Bank) -> None:
    user = b.player(100)
    fields = b.money_fields(user, 30)
    b.drop(b.request("refund", fields))
    time.sleep(0.3)
    b.took(b.send("refund", fields), "a repeat after a lost answer")
    b.holds(user, 70, "after a refund whose answer was lost, and its repeat")
