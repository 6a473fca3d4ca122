"""Odd request bodies: what is odd about each, and what it may move if it is still a proper request.

An oracle beside the doors: it shares no code with what reads requests. Amounts count 10^-18 of a unit.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tests.support.served import KEY, TOKEN

Pairs = list[tuple[str, str]]
"""Names and JSON values as they stand in the body, so that any spelling and any repeat can be written."""

JSON = "application/json"
PLAYER = "jos\u00e9 \u202e1"
"""Composed, with a space and a sign that turns the direction of writing: all three are kept as sent."""
UNIT = 10**18
LARGEST_BODY = 16 * 1024
DEEPEST = 32


class Odd(NamedTuple):
    """One body."""

    what: str
    body: bytes
    moves: int | None
    """What a success moves; None: it must be refused."""
    sure: bool = True
    """Whether it must succeed if it may."""
    again: bool = False
    """Whether it is a repeat, which gets the first answer and moves nothing more."""
    kind: str = JSON


class Way(NamedTuple):
    """One way to pay the player something: a door's endpoint."""

    path: str
    """As documented."""
    target: str
    pairs: Callable[[int, str], Pairs]
    """A proper request from a number that makes its keys, and the amount's token."""
    transfer: bool
    """A transfer must be of more than zero, and may not lift the balance past 14 digits; a win is paid."""


def uuid(number: int) -> str:
    return f"aaaaaaaa-bbbb-4ccc-8ddd-{number:012x}"


def _charge_3(n: int, amount: str) -> Pairs:
    return [("id", f'"{PLAYER}"'), ("currency", '"USD"'), ("amount", amount), ("uuid", f'"{uuid(n)}"')]


def _charge_4(n: int, amount: str) -> Pairs:
    return [
        *(("secureLogin", '"demo"'), ("token", f'"{TOKEN}"'), ("uuid", f'"{uuid(n)}"')),
        *(("userId", f'"{PLAYER}"'), ("currency", '"usd"'), ("TransactionId", f'"t-{n}"')),
        ("amount", amount),
    ]


def _win_4(n: int, amount: str) -> Pairs:
    """A free round's win: it needs no bet."""
    return [
        *(("userId", f'"{PLAYER}"'), ("providerId", '"luckymonaco"'), ("uuid", f'"u-{n}"')),
        *(("gameId", '"g1"'), ("gamename", '"\\u202e\\ud83c\\udfb0"'), ("roundId", f'"r-{n}"')),
        *(("reference", f'"w-{n}"'), ("currency", '"USD"'), ("timestamp", '"1"'), ("sessionId", '"s"')),
        *(("roundDetails", '["\\u0000",1e400,{"a":null}]'), ("bonusCode", '"b"'), ("amount", amount)),
    ]


def _win_3(n: int, amount: str) -> Pairs:
    return [
        *(("userid", f'"{PLAYER}"'), ("sid", '"s"'), ("currency", '"USD"'), ("gametype", '"slot"')),
        *(("gameid", '"g1"'), ("gamename", '"g"'), ("roundid", '"\\u0000"'), ("bonus", '"b"')),
        *(("transaction", f'{{"id":"t-{n}","amount":{amount}}}'), ("uuid", f'"u-{n}"')),
    ]


WAYS = (
    Way("/user/charge", f"/user/charge?partner_id=demo&token={TOKEN}", _charge_3, True),
    Way("/charge", "/charge", _charge_4, True),
    Way("/{key}/V4/Result", f"/{KEY}/V4/Result", _win_4, False),
    Way("/seamless/v3/win", f"/seamless/v3/win?authToken={KEY}", _win_3, False),
)


def written(pairs: Pairs) -> bytes:
    inner = ",".join(f'"{name}":{value}' for name, value in pairs)
    return f"{{{inner}}}".encode("utf-8", "surrogatepass")


# -- amounts --

NUMBERS = [
    *("1", "0.01", "1.50", "1e5", "1E5", "1e-5", "1.0e0", "0e0", "0", "0.0", "-0", "-0.0", "-1", "+1"),
    *("0.000000000000000001", "0.0000000000000000001", "1.000000000000000000", "1.0000000000000000000"),
    *("99999999999999.999999999999999999", "99999999999999", "100000000000000", "1" + "0" * 14 + ".0"),
    *("007", "00", "00.1", "1.", ".5", ".", "", "1..5", "1.5.5", "1,5", "1_000", "1_0.0", "1 000", "0x10"),
    *(" 1", "1 ", "\t1", "1\n", "1\x00", "1\u200b", "1\ufeff", "\u20071", "1\u0660", "--1", "1-", "1/2"),
    *("NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "true", "null", "[]", "[1]", "{}", "1e", "1e+"),
    *("\uff11\uff10", "1\uff10", "\u0661\u0660", "\u0967", "\u00b2", "\u2167", "1\u066b5", "\U0001d7d9"),
    *("9" * 400, "0." + "9" * 400, "9" * 5000, "1" * 14 + "." + "1" * 5000, "1e1000000", "1e-1000000"),
]


def amounts(way: Way, next_: Callable[[], int]) -> Iterator[Odd]:
    """Each number as a JSON number, and as text."""
    for text in NUMBERS:
        shown = f"{text[:40]!r} of {len(text)}"
        bare = moved(text.strip(" \t\r\n"), way)
        yield Odd(f"the number {shown}", written(way.pairs(next_(), text)), bare)
        quoted = json.dumps(text, ensure_ascii=len(text) % 2 == 0)
        yield Odd(f"the text {shown}", written(way.pairs(next_(), quoted)), moved(text, way))


def moved(text: str, way: Way) -> int | None:
    """What an amount of these characters moves; None if it is none."""
    whole, point, rest = text.partition(".")
    digits = set(whole + rest) <= set("0123456789")
    if not digits or not 1 <= len(whole) <= 14 or (len(whole) > 1 and whole[0] == "0"):
        return None
    if point and not 1 <= len(rest) <= 18:
        return None
    amount = int(whole + rest.ljust(18, "0"))
    return None if amount == 0 and way.transfer else amount


# -- everything else --


def _more(*more: tuple[str, str]) -> Callable[[Pairs], bytes]:
    return lambda pairs: written([*pairs, *more])


def _before_amount(more: str) -> Callable[[Pairs], bytes]:
    return lambda pairs: written(pairs).replace(b'"amount":', f'{more}"amount":'.encode(), 1)


def _padded(size: int) -> Callable[[Pairs], bytes]:
    def pad(pairs: Pairs) -> bytes:
        spare = size - len(_more(("x", '""'))(pairs))
        return _more(("x", f'"{"x" * spare}"'))(pairs)

    return pad


def _renamed(rename: Callable[[str], str]) -> Callable[[Pairs], bytes]:
    return lambda pairs: written([(rename(name), value) for name, value in pairs])


def _of(player: str) -> Callable[[Pairs], bytes]:
    """The same for another player, of whom nobody knows."""
    return lambda pairs: written([(n, player if v == f'"{PLAYER}"' else v) for n, v in pairs])


def _escaped(name: str) -> str:
    return f"\\u{ord(name[0]):04x}{name[1:]}"


PROPER: Mapping[str, Callable[[Pairs], bytes]] = {
    "as documented": written,
    "white space": lambda pairs: b" \r\n\t" + written(pairs).replace(b'":', b'"\n:\t') + b"\r\n",
    "unknown fields": _more(("x", "1e400"), ("", '{"z":[null,true,"\\u0000"]}')),
    "names in capitals": _renamed(str.upper),
    "names escaped": _renamed(_escaped),
    "as deep as may be": _more(("x", "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))),
    "as large as may be": _padded(LARGEST_BODY),
    "fields backwards": lambda pairs: written(pairs[::-1]),
    "the player escaped": _of(json.dumps(PLAYER)),
    "a field twice, once in capitals": lambda pairs: written([*pairs, (pairs[0][0].upper(), pairs[0][1])]),
    "an unknown name twice": _more(("x", "1"), ("x", "1")),
    "no name twice": _more(("", "1"), ("", "1")),
    "a name twice, within": _more(("x", '[{"y":1,"y":1}]')),
    "a byte order mark": lambda pairs: b"\xef\xbb\xbf" + written(pairs),
    "a lone high surrogate": _more(("x", '"\\ud800"')),
    "a lone low surrogate": _more(("x", '"\\udc00x"')),
    "surrogates the wrong way round": _more(("x", '"\\udc00\\ud800"')),
    "a surrogate in a name": _more(("\\ud800", "1")),
    "5000 digits": _more(("x", "9" * 5000)),
}

IMPROPER: Mapping[str, Callable[[Pairs], bytes]] = {
    "nothing": lambda pairs: b"",
    "an array": lambda pairs: b"[" + written(pairs) + b"]",
    "text": lambda pairs: json.dumps(written(pairs).decode()).encode(),
    "two objects": lambda pairs: written(pairs) * 2,
    "an object within": lambda pairs: b'{"a":' + written(pairs) + b"}",
    "a comma too many": lambda pairs: written(pairs)[:-1] + b",}",
    "a comma too few": lambda pairs: written(pairs).replace(b',"', b'"', 1),
    "single quotes": lambda pairs: written(pairs).replace(b'"', b"'"),
    "a comment": lambda pairs: written(pairs)[:-1] + b"/**/}",
    "a NUL behind it": lambda pairs: written(pairs) + b"\x00",
    "a NUL in a name": lambda pairs: written(pairs).replace(b'":', b'\\u0000":', 1),
    "a field twice": lambda pairs: written([pairs[-1], *pairs]),
    "a field twice, once with no value": lambda pairs: written([*pairs, (pairs[0][0], "null")]),
    "a field twice, once escaped": lambda pairs: written([*pairs, (_escaped(pairs[0][0]), pairs[0][1])]),
    "the amount twice": _before_amount('"amount":7,'),
    "the amount twice, once in capitals": _before_amount('"AMOUNT":7,'),
    "a level too deep": _more(("x", "[" * DEEPEST + "]" * DEEPEST)),
    "thousands of levels": _more(("x", "[" * 6000 + "]" * 6000)),
    "thousands of levels, left open": _more(("x", '{"a":' * 3000)),
    "a byte too large": _padded(LARGEST_BODY + 1),
    "UTF-16": lambda pairs: written(pairs).decode().encode("utf-16"),
    "UTF-32": lambda pairs: written(pairs).decode().encode("utf-32-le"),
    "Latin-1": lambda pairs: written(pairs).decode().replace("\u202e", "").encode("latin-1"),
    "an overlong slash": lambda pairs: written([*pairs, ("x", '"?"')]).replace(b"?", b"\xc0\xaf"),
    "a byte that is no UTF-8": lambda pairs: written([*pairs, ("x", '"?"')]).replace(b"?", b"\xff"),
    "a surrogate in UTF-8": _more(("x", '"\ud800"')),
    "a control character": _more(("x", '"\x01"')),
    "NaN": _more(("x", "NaN")),
    "a leading zero": _more(("x", "01")),
    "the player decomposed": _of(f'"{PLAYER.replace(chr(0xE9), "e" + chr(0x301))}"'),
    "the player without a direction": _of(f'"{PLAYER.replace(chr(0x202E), "")}"'),
    "the player with a wide digit": _of(f'"{PLAYER.replace("1", chr(0xFF11))}"'),
    "the player with a wide space": _of(f'"{PLAYER.replace(" ", chr(0xA0))}"'),
    "the player in capitals": _of(f'"{PLAYER.upper()}"'),
    "the player and a space": _of(f'"{PLAYER} "'),
    "the player and a NUL": _of(f'"{PLAYER}\\u0000"'),
    "the player as a number": _of("1"),
    "the player as an array": _of(f'["{PLAYER}"]'),
    "no player": _of("null"),
}

PROPER_KINDS = ("application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=utf-16;x")
IMPROPER_KINDS = (
    *("", "text/plain", "text/json", "application/jsonp", "application/json, text/plain", "json"),
    *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json\\"),
)


def shapes(way: Way, next_: Callable[[], int]) -> Iterator[Odd]:
    """Bodies that pay 1, however they are spelled, and bodies that must be refused."""
    for what, spell in PROPER.items():
        yield Odd(what, spell(way.pairs(next_(), "1")), UNIT)
    for what, spell in IMPROPER.items():
        yield Odd(what, spell(way.pairs(next_(), "1")), None)
    for kind in PROPER_KINDS:
        yield Odd(f"as {kind}", written(way.pairs(next_(), "1")), UNIT, kind=kind)
    for kind in IMPROPER_KINDS:
        yield Odd(f"as {kind}", written(way.pairs(next_(), "1")), None, kind=kind)


def one_uuid(way: Way, next_: Callable[[], int]) -> Iterator[Odd]:
    """Spellings of one uuid: in another letter case it is the same and pays once, otherwise it is none."""
    if way.pairs is not _charge_3:
        return
    number = next_()
    plain = uuid(number)
    for repeat, spelling in enumerate((plain, plain.upper(), plain.title(), plain)):
        yield Odd(f"the uuid {spelling}", _with_uuid(way, number, spelling), UNIT, again=repeat > 0)
    for spelling in _no_uuids(plain):
        yield Odd(f"the uuid {spelling!r}", _with_uuid(way, number, spelling), None)


def _no_uuids(plain: str) -> tuple[str, ...]:
    """What others take for this uuid, and what is nearly it."""
    odd = (f"{{{plain}}}", f"urn:uuid:{plain}", plain.replace("-", ""), plain.replace("-", "_"))
    more = (
        f" {plain}",
        f"{plain}\\n",
        f"{plain}\\u0000",
        plain[:-1],
        f"{plain}0",
        "",
        f"{plain[:9]}-{plain[9:]}",
    )
    foreign = (plain.replace("a", "\uff41", 1), plain.replace("-", "\u2010"), plain.replace("0", "\uff10", 1))
    return odd + more + foreign + (plain.replace("aaaaaaaa", "aaaa-aaa"),)


def _with_uuid(way: Way, number: int, spelling: str) -> bytes:
    return written([(n, f'"{spelling}"' if n == "uuid" else v) for n, v in way.pairs(number, "1")])


# -- by chance --


def cut(way: Way, next_: Callable[[], int], chance: random.Random, count: int) -> Iterator[Odd]:
    """Bodies that end too early."""
    for _ in range(count):
        whole = written(way.pairs(next_(), "1"))
        end = chance.randrange(len(whole))
        yield Odd(f"cut at {end}", whole[:end], None)


def spoilt(way: Way, chance: random.Random, count: int) -> Iterator[Odd]:
    """Bodies with a few bytes changed, which may leave a proper request, of another amount perhaps.

    Their keys are numbers far from those that are counted up: a digit changed makes none of these.
    """
    for _ in range(count):
        plain = way.pairs(chance.randrange(2**44, 2**46), chance.choice(("1", '"20.05"', "0.5")))
        body = scrambled(written(plain), chance)
        yield Odd("scrambled", body, plainly_asked(body, way), sure=False)


PIECES = (b"0", b"9", b".", b"-", b"e", b"E5", b"_", b'"', b"\\", b"{", b"}", b"[", b":", b",", b"\x00", b" ")
FOREIGN = (b"\xff", b"\xc3", "\uff11".encode(), "\u0660".encode(), b"\\u0031", b"\\ud800", b"null", b"true")


def scrambled(body: bytes, chance: random.Random) -> bytes:
    """Bytes replaced, inserted, taken out or said twice, at one to three places."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(body) + 1)
        end = min(len(body), at + chance.choice((0, 0, 1, 1, 5)))
        piece = chance.choice((*PIECES, *FOREIGN, b"", body[at : at + 12]))
        body = body[:at] + piece + body[end:]
    return body


def plainly_asked(body: bytes, way: Way) -> int | None:
    """What a body asks for as Python's own decoder sees it, which lets more through; None: nothing proper."""
    try:
        fields = json.loads(
            body.decode(),
            object_pairs_hook=Names,
            parse_float=str,
            parse_int=str,
            parse_constant=str,
        )
    except (ValueError, RecursionError):
        return None
    found = [value for name, value in _flat(fields) if name.lower() == "amount"]
    if len({str(value) for value in found}) != 1 or not isinstance(found[0], str):
        return None
    return moved(found[0], way)


class Names(list[tuple[str, Any]]):
    """An object with every name that it has, even twice."""


def _flat(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Names):
        for name, inner in value:
            yield name, inner
            yield from _flat(inner)
