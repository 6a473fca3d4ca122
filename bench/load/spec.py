"""Which requests a workload sends, as data both generators read, and their order, in Python.

A template is a whole HTTP request with places for the player (`@P`), the request's uuid (`@U`) and a bet's
reference (`@R`). All three have a fixed width, so the length of a body is known beforehand. `wrk.lua` has the
same order in its own words.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

REPEATS = 8
"""How often the storm of repeats sends each uuid."""
LAG = 1_000
"""Rounds between a bet and its result in the game's mix: more than can be under way, so the bet is known."""
ROLLBACKS = 3
"""Rounds in a hundred whose bet is rolled back instead of paid."""
UNPAIRED = 16**11
"""Added to the references of bets that nothing follows, while the first results have no bet yet."""
SPREADER = 0x9E3779B1
"""Odd, so that multiplying by it modulo 2^32 maps counters one to one onto spread-out numbers."""


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """One run's requests."""

    kind: str
    """spread, hot, repeats, mix, or each (every player once)."""
    templates: list[str]
    expect: list[str]
    """Texts of which every right answer has one."""
    players: int
    run: str
    """Ten hexadecimal digits in every uuid: no two runs share one."""


class Step(NamedTuple):
    """One request, not yet spelled."""

    template: int
    player: int
    uuid: str
    reference: str


def uuid_of(n: int, run: str) -> str:
    """The n-th uuid of a run: unique, and as scattered over an index as random ones."""
    scattered = n * SPREADER & 0xFFFFFFFF
    return f"{scattered:08x}-{run[:4]}-4{run[4:7]}-8{run[7:10]}-{n:012x}"


def steps(spec: Spec) -> Iterator[Step]:
    """The requests of a run, in the order in which they are sent."""
    return _ORDERS[spec.kind](spec)


def _spread(spec: Spec) -> Iterator[Step]:
    chance = random.Random(spec.run)  # noqa: S311 - a load, not a secret
    picks = [chance.randrange(spec.players) for _ in range(65_536)]
    n = 0
    while True:
        yield Step(0, picks[n & 65_535], uuid_of(n, spec.run), "")
        n += 1


def _hot(spec: Spec) -> Iterator[Step]:
    n = 0
    while True:
        yield Step(0, 0, uuid_of(n, spec.run), "")
        n += 1


def _repeats(spec: Spec) -> Iterator[Step]:
    n = 0
    while True:
        step = Step(0, _player(n, spec), uuid_of(n, spec.run), "")
        for _ in range(REPEATS):
            yield step
        n += 1


def _mix(spec: Spec) -> Iterator[Step]:
    n = k = 0
    while True:
        yield _play(0, k, n, spec)
        past = k - LAG
        if past < 0:
            yield _play(0, k + UNPAIRED, n + 1, spec)
        else:
            undone = _scatter(past) % 100 < ROLLBACKS
            yield _play(2 if undone else 1, past, n + 1, spec)
        n, k = n + 2, k + 1


def _each(spec: Spec) -> Iterator[Step]:
    for n in range(spec.players):
        yield Step(0, n, uuid_of(n, spec.run), "")


def _play(template: int, bet: int, n: int, spec: Spec) -> Step:
    return Step(template, _player(bet, spec), uuid_of(n, spec.run), f"{spec.run[:8]}{bet:012x}")


def _scatter(n: int) -> int:
    return (n * SPREADER & 0xFFFFFFFF) >> 8


def _player(n: int, spec: Spec) -> int:
    return _scatter(n) % spec.players


_ORDERS: dict[str, Callable[[Spec], Iterator[Step]]] = {
    "spread": _spread,
    "hot": _hot,
    "repeats": _repeats,
    "mix": _mix,
    "each": _each,
}


def requests(spec: Spec) -> Iterator[bytes]:
    """The same, spelled."""
    forms = [t.replace("%", "%%").encode() for t in spec.templates]
    if all("@R" not in t for t in spec.templates) and len(forms) == 1:
        return _plain(forms[0], spec)
    return _full(spec)


def _plain(form: bytes, spec: Spec) -> Iterator[bytes]:
    """One template without references: the quick way."""
    player_first = form.index(b"@P") < form.index(b"@U")
    form = form.replace(b"@P", b"%b").replace(b"@U", b"%b")
    names = [b"p%06d" % n for n in range(spec.players)]
    for _, player, uuid, _ in steps(spec):
        text = uuid.encode()
        yield form % ((names[player], text) if player_first else (text, names[player]))


def _full(spec: Spec) -> Iterator[bytes]:
    for template, player, uuid, reference in steps(spec):
        text = spec.templates[template].replace("@P", f"p{player:06d}").replace("@U", uuid)
        yield text.replace("@R", reference).encode()


def http_post(path: str, body: str) -> str:
    """A template from a path and a body."""
    length = len(body.replace("@P", "p000000").replace("@U", "u" * 36).replace("@R", "r" * 20))
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n{body}"
