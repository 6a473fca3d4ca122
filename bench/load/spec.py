"""Which requests a workload sends, as data both generators read, and their order, in Python.

A template is an HTTP request with places for the head (`@H`), the player (`@P`), the request's uuid (`@U`)
and a bet's reference (`@R`). The last three have a fixed width, so the length of a body is known beforehand.
Which of its heads a request has, and what is new in that head (`@N`), follows from its number alone.
`wrk.lua` has the same order in its own words.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from bench.load.heads import PLAIN_HEAD

REPEATS = 8
"""How often the storm of repeats sends each uuid."""
LAG = 2
"""Rounds for each connection between a bet and its result in the game's mix: so the bet is known by then."""
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
    heads: list[str] = msgspec.field(default_factory=lambda: [PLAIN_HEAD])
    expect: list[str]
    """Texts of which every right answer has one."""
    players: int
    lag: int = LAG
    """Mix: rounds between a bet and its result."""
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
    return f"{_scattered(n):08x}-{run[:4]}-4{run[4:7]}-8{run[7:10]}-{n:012x}"


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
        past = k - spec.lag
        if past < 0:
            yield _play(0, k + UNPAIRED, n + 1, spec)
        else:
            undone = _pick(past, 100) < ROLLBACKS
            yield _play(2 if undone else 1, past, n + 1, spec)
        n, k = n + 2, k + 1


def _each(spec: Spec) -> Iterator[Step]:
    for n in range(spec.players):
        yield Step(0, n, uuid_of(n, spec.run), "")


def _play(template: int, bet: int, n: int, spec: Spec) -> Step:
    return Step(template, _player(bet, spec), uuid_of(n, spec.run), f"{spec.run[:8]}{bet:012x}")


def _scattered(n: int) -> int:
    return n * SPREADER & 0xFFFFFFFF


def _pick(n: int, count: int) -> int:
    return (_scattered(n) >> 8) % count


def _player(n: int, spec: Spec) -> int:
    return _pick(n, spec.players)


_ORDERS: dict[str, Callable[[Spec], Iterator[Step]]] = {
    "spread": _spread,
    "hot": _hot,
    "repeats": _repeats,
    "mix": _mix,
    "each": _each,
}


PLACES: Final = ("@P", "@U", "@R", "@N")
"""In the order in which a Form takes what stands there."""
_place: Final = re.compile("|".join(PLACES))


class Form(NamedTuple):
    """A template under one head, prepared."""

    text: bytes
    take: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    """From what stands in PLACES to what the text has places for, in its order."""


def requests(spec: Spec) -> Iterator[bytes]:
    """The same, spelled."""
    forms = [[_form(text) for text in under_heads] for under_heads in texts(spec)]
    names = [b"p%06d" % n for n in range(spec.players)]
    count = len(spec.heads)
    for n, (template, player, uuid, reference) in enumerate(steps(spec)):
        scattered = _scattered(n)
        text, take = forms[template][(scattered >> 8) % count]
        yield text % take((names[player], uuid.encode(), reference.encode(), b"%08x" % scattered))


def texts(spec: Spec) -> list[list[str]]:
    """Each template under each head, with the places of PLACES left."""
    return [[_under(head, template) for head in spec.heads] for template in spec.templates]


def _under(head: str, template: str) -> str:
    body = template.partition("\r\n\r\n")[2]
    length = len(body.replace("@P", "p000000").replace("@U", "u" * 36).replace("@R", "r" * 20))
    return template.replace("@H", head.replace("@L", str(length)))


def _form(text: str) -> Form:
    found = [PLACES.index(place) for place in _place.findall(text)]
    return Form(_place.sub("%b", text.replace("%", "%%")).encode(), itemgetter(*found))


def http_post(path: str, body: str) -> str:
    """A template from a path and a body."""
    return f"POST {path} HTTP/1.1\r\n@H\r\n\r\n{body}"
