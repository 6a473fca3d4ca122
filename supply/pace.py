"""How quick this Python is: nanoseconds for a step of work like ours.

Builds of one version differ by a quarter: a distribution's is compiled with profiles of real programs, one
made on the spot often is not. Run by `python.sh` with each Python that it finds; needs nothing but itself.
"""

import time

STEPS = 20_000
LOOKS = 7


class Wallet:
    """Something with attributes and a method."""

    __slots__ = ("balance", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.balance = 0

    def take(self, amount: int) -> int:
        """Change and tell."""
        self.balance += amount
        return self.balance


def work() -> None:
    """Text, keys, calls: what a request is made of."""
    wallets: dict[str, Wallet] = {}
    for step in range(STEPS):
        key = f"{step & 1023}:player"
        wallet = wallets.get(key)
        if wallet is None:
            wallets[key] = wallet = Wallet(key)
        balance = wallet.take(step)
        said = f'"{balance}","{wallet.name}"'.encode().split(b",")
        if len(said) != 2:
            raise AssertionError(said)


def look() -> float:
    """Seconds for all steps."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


print(round(min(look() for _ in range(LOOKS)) / STEPS * 1e9))
