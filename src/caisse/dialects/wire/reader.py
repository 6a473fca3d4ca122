"""Reading request bodies: tolerant of names and of what no rule needs, strict in everything else.

A body is one JSON object in UTF-8. NaN and deep nesting are refused; a number keeps its own characters, so
that no amount ever passes through a float. Nothing here raises on any bytes, and the work is proportional to
their number.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec

MAX_DEPTH = 32
"""Levels of objects and arrays in a body, itself the first. Real bodies have three; recursion stays low."""

LONGEST_INT: Final = 1_000
"""Digits of a whole number that becomes an int. No field takes more; Python refuses numbers far longer."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

NO_SPELLINGS: Mapping[str, str] = {}

Readers = Mapping[str, Callable[[Any], Any]]
"""A field's own name -> the reader of its type."""

_surrogate = re.compile("[\ud800-\udfff]").search
_decode = msgspec.json.Decoder(float_hook=msgspec.Raw).decode


class Doubled(list[Any]):
    """The values of one field that was sent more than once. No type of field reads it."""


class Odd(dict[str, Any]):
    """An object that has a name twice (its value is a `Doubled`), or that the quick decoder cannot read."""


def read(body: bytes) -> dict[str, Any] | None:
    """The object that a body spells; None if it spells none.

    Whole numbers come as int, all others as `msgspec.Raw` with their own characters (`-0` too).
    """
    if body.startswith(BYTE_ORDER_MARK):
        body = body[len(BYTE_ORDER_MARK) :]
    try:
        fields = _decode(body)
    except (ValueError, RecursionError):  # msgspec's own errors and UnicodeDecodeError are ValueErrors
        exact = _read_exactly(body)
        return None if exact is None else Odd(exact)
    if type(fields) is not dict:
        return None
    return fields if _is_plain(body, fields) else _read_exactly(body)


def _is_plain(body: bytes, fields: dict[str, Any]) -> bool:
    """Whether nothing can be wrong with the body that the quick decoder does not see.

    Each name in the text brings a colon of its own, so as many colons as names kept means that no name was
    lost to a second one like it. Nesting then takes a bracket for each level but the last.
    """
    if body.count(b":") != len(fields) or body.count(b"[") > MAX_DEPTH - 2:
        return False
    return b"-0" not in body or 0 not in fields.values()


def _read_exactly(body: bytes) -> dict[str, Any] | None:
    """The same object, read by the slower decoder that shows every name and every number's characters.

    It also reads what the quick one cannot: a lone surrogate, a number of thousands of digits.
    """
    try:
        fields = _exact_decode(body.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or _is_deeper(fields, MAX_DEPTH):
        return None
    return fields


def _is_deeper(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_is_deeper(inner, levels - 1) for inner in value.values())
    if type(value) is Doubled:
        return any(_is_deeper(inner, levels) for inner in value)
    if type(value) is list:
        return levels == 0 or any(_is_deeper(inner, levels - 1) for inner in value)
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) == len(pairs):
        return names
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return Odd({name: values[0] if len(values) == 1 else Doubled(values) for name, values in found.items()})


def _whole(number: str) -> int | msgspec.Raw:
    return msgspec.Raw(number) if number == "-0" or len(number) > LONGEST_INT else int(number)


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_exact_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=msgspec.Raw, parse_int=_whole, parse_constant=_constant
).decode


def spelled(
    fields: dict[str, Any],
    names: frozenset[str],
    spellings: Mapping[str, str],
    needed: Readers,
    further: Mapping[str, str] = NO_SPELLINGS,
) -> dict[str, Any] | None:
    """The fields under their own names, unknown ones left out; None if a needed one has two values (R56).

    `spellings`: each of `names`, its lower case and its other spellings -> that name. `needed`: those that
    deciding needs. `further`: a profile's further spellings -> the name they stand for. Letter case never
    matters. An optional field with two values comes as `Doubled`. Names that are all known, and each sent
    once, are the quick way.
    """
    if type(fields) is dict:  # not `Odd`: no name twice, no half of a character
        if fields.keys() <= names:
            return fields
        named = {spellings.get(key): value for key, value in fields.items()}
        if None not in named and len(named) == len(fields):
            return cast(dict[str, Any], named)
    others = {name.lower(): own.lower() for name, own in further.items()}
    found: dict[str, Any] = {}
    for key, value in fields.items():
        name = spellings.get(key) or _respelled(key, spellings, others)
        if name is None or value is None:
            continue
        if name in needed and (type(value) is Doubled or _is_half(value)):
            return None
        if name not in found:
            found[name] = value
        elif name not in needed:
            found[name] = found[name] if found[name] == value else Doubled([found[name], value])
        elif not _is_same(needed[name], found[name], value):
            return None
    return found


def _is_half(value: object) -> bool:
    """Whether a text holds half of a character: a lone surrogate."""
    return type(value) is str and _surrogate(value) is not None


def _is_same(reader: Callable[[Any], Any], one: object, other: object) -> bool:
    """Whether two spellings of a field say the same, once read: `10` and `"10.0"`."""
    value = reader(one)
    return value is not None and value == reader(other)


def _respelled(key: str, spellings: Mapping[str, str], others: Mapping[str, str]) -> str | None:
    """The name meant by a key that is none exactly. Only ASCII folds: no foreign letter stands for one."""
    if not key.isascii():
        return None
    low = key.lower()
    return spellings.get(low) or spellings.get(others.get(low, ""))
