"""Django for the two peers: settings in one place, one database, no web.

Each peer keeps its money its own way; what an application must add (players, the lock, the balance check, the
lookup of a repeated uuid) is added here as their documentation suggests.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol
from urllib.parse import urlsplit

import django
from django.conf import settings

OK, REFUSED, REPEATED = "ok", "refused", "repeated"


class Peer(Protocol):
    """One package."""

    apps: tuple[str, ...]

    def fund(self, players: int, amount: Decimal) -> None:
        """Make the players, with money."""

    def refunds(self, players: int) -> Callable[[int, str, Decimal], str]:
        """A function that books one refund in one transaction: player, uuid, amount -> what came of it."""


def start(url: str, apps: tuple[str, ...]) -> None:
    """Configure Django once for this process."""
    parts = urlsplit(url)
    settings.configure(
        SECRET_KEY=os.urandom(16).hex(),
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *apps],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path.lstrip("/"),
                "USER": parts.username,
                "HOST": parts.hostname,
                "PORT": parts.port,
                "CONN_MAX_AGE": None,
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        DEFAULT_CURRENCY="USD",
        HORDAK_INTERNAL_CURRENCY="USD",
        CURRENCIES=("USD",),
        HORDAK_MAX_DIGITS=32,
        WALLET_CURRENCY="USD",
    )
    django.setup()


class Hordak:
    """django-hordak: accounts and legs; a balance is the sum of an account's legs.

    Added: the lock on the player's account, the balance check under it, an index that makes uuids unique.
    """

    apps = ("mptt", "hordak")

    def fund(self, players: int, amount: Decimal) -> None:
        """One account for each player, and one of the house."""
        from django.db import connection
        from hordak.models import Account, AccountType, Leg, Transaction
        from moneyed import Money

        with connection.cursor() as cursor:
            cursor.execute("create unique index on hordak_transaction (uuid)")
        house = Account.objects.create(name="house", code="0", type=AccountType.asset, currencies=["USD"])
        accounts = [
            Account(
                name=f"p{n:06d}",
                type=AccountType.liability,
                currencies=["USD"],
                lft=1,
                rght=2,
                level=0,
                tree_id=n + 10,
            )
            for n in range(players)
        ]
        Account.objects.bulk_create(accounts, batch_size=2_000)
        money = Money(amount, "USD")
        for at in range(0, players, 2_000):
            some = accounts[at : at + 2_000]
            booked = Transaction.objects.bulk_create([Transaction() for _ in some])
            legs = [Leg(transaction=t, account=a, credit=money) for t, a in zip(booked, some, strict=True)]
            legs += [Leg(transaction=t, account=house, debit=money) for t in booked]
            with _atomic():
                Leg.objects.bulk_create(legs)

    def refunds(self, players: int) -> Callable[[int, str, Decimal], str]:
        """`house.transfer_to(player)` lowers both: what the house holds, and what it owes the player."""
        from hordak.models import Account, Transaction
        from moneyed import Money

        house = Account.objects.get(name="house")
        ids = dict(Account.objects.filter(name__startswith="p").values_list("name", "id"))
        keys = [ids[f"p{n:06d}"] for n in range(players)]

        def refund(player: int, uuid: str, amount: Decimal) -> str:
            with _atomic():
                account = Account.objects.select_for_update().get(pk=keys[player])
                if Transaction.objects.filter(uuid=uuid).exists():
                    return REPEATED
                money = Money(amount, "USD")
                if account.get_simple_balance()["USD"] < money:
                    return REFUSED
                house.transfer_to(account, money, uuid=uuid, description="refund")
                return OK

        return refund


class Paystack:
    """django-paystack-wallet: a wallet with a balance and a row for each transaction, locked by the package.

    Added: nothing but the lookup of the first answer when a uuid comes again.
    """

    apps = ("wallet",)

    def fund(self, players: int, amount: Decimal) -> None:
        """A user and a wallet for each player."""
        from django.contrib.auth.models import User
        from moneyed import Money
        from wallet.models import Wallet

        users = User.objects.bulk_create([User(username=f"p{n:06d}") for n in range(players)], 2_000)
        Wallet.objects.bulk_create([Wallet(user=u, balance=Money(amount, "USD")) for u in users], 2_000)

    def refunds(self, players: int) -> Callable[[int, str, Decimal], str]:
        """The package's own way to debit a wallet without calling the payment provider."""
        from django.db import IntegrityError
        from wallet.exceptions import DuplicateReference, InsufficientFunds
        from wallet.models import Transaction, Wallet
        from wallet.services import WalletService

        service = WalletService()
        ids = dict(Wallet.objects.values_list("user__username", "pk"))
        keys = [ids[f"p{n:06d}"] for n in range(players)]

        def refund(player: int, uuid: str, amount: Decimal) -> str:
            wallet = Wallet.objects.get(pk=keys[player])
            try:
                service.withdraw(wallet, amount, transaction_reference=uuid)
            except (DuplicateReference, IntegrityError):
                Transaction.objects.get(reference=uuid)
                return REPEATED
            except InsufficientFunds:
                return REFUSED
            return OK

        return refund


def _atomic():  # type: ignore[no-untyped-def]
    from django.db import transaction

    return transaction.atomic()


PEERS: dict[str, Peer] = {"django-hordak": Hordak(), "django-paystack-wallet": Paystack()}
