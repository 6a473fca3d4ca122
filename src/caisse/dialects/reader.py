"""Reading request bodies: tolerant of how a name is spelled, strict in everything else.

A body is one JSON object in UTF-8. Names repeated at any depth, NaN, lone surrogates and deep nesting are
refused; a number keeps its own characters, so that no amount ever passes through a float. Nothing here
raises on any bytes, and the work is proportional to their number.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

MAX_DEPTH = 32
"""Levels of objects and arrays in a body, itself the first. Real bodies have three; recursion stays low."""

NO_SPELLINGS: Mapping[str, str] = {}

_decode = msgspec.json.Decoder(float_hook=msgspec.Raw).decode


def read(body: bytes) -> dict[str, Any] | None:
    """The object that a body spells; None if it spells none, or two names alike.

    Whole numbers come as int, all others as `msgspec.Raw` with their own characters (`-0` too).
    """
    try:
        fields = _decode(body)
    except (ValueError, RecursionError):  # msgspec's own errors and UnicodeDecodeError are ValueErrors
        return None
    if type(fields) is not dict:
        return None
    return fields if _is_plain(body, fields) else _read_exactly(body, fields)


def _is_plain(body: bytes, fields: dict[str, Any]) -> bool:
    """Whether nothing can be wrong with the body that the quick decoder does not see.

    Each name in the text brings a colon of its own, so as many colons as names kept means that no name was
    lost to a second one like it. Nesting then takes a bracket for each level but the last.
    """
    if body.count(b":") != len(fields) or body.count(b"[") > MAX_DEPTH - 2:
        return False
    return b"-0" not in body or 0 not in fields.values()


def _read_exactly(body: bytes, fields: dict[str, Any]) -> dict[str, Any] | None:
    """The same object, read by the slower decoder that shows every name and every number's characters."""
    if _is_deeper(fields, MAX_DEPTH):
        return None
    try:
        exact: dict[str, Any] = _exact_decode(body.decode())
    except ValueError:
        return None
    return exact


def _is_deeper(value: object, levels: int) -> bool:
    if type(value) is dict:
        return levels == 0 or any(_is_deeper(inner, levels - 1) for inner in value.values())
    if type(value) is list:
        return levels == 0 or any(_is_deeper(inner, levels - 1) for inner in value)
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name appears twice")
    return names


def _whole(number: str) -> int | msgspec.Raw:
    return msgspec.Raw(number) if number == "-0" else int(number)


_exact_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_float=msgspec.Raw, parse_int=_whole).decode


def spelled(
    fields: dict[str, Any],
    names: frozenset[str],
    spellings: Mapping[str, str],
    further: Mapping[str, str] = NO_SPELLINGS,
) -> dict[str, Any] | None:
    """The fields under their own names, unknown ones left out; None if one field is spelled twice.

    `spellings`: each of `names`, and its lower case, -> that name. `further`: a profile's further spellings
    -> the name they stand for. Letter case never matters, an exact match is the quick way.
    """
    if fields.keys() <= names:
        return fields
    others = {name.lower(): own.lower() for name, own in further.items()}
    found: dict[str, Any] = {}
    for key, value in fields.items():
        name = spellings.get(key) or _respelled(key, spellings, others)
        if name is None:
            continue
        if name in found:
            return None
        found[name] = value
    return found


def _respelled(key: str, spellings: Mapping[str, str], others: Mapping[str, str]) -> str | None:
    """The name meant by a key that is none exactly. Only ASCII folds: no foreign letter stands for one."""
    if not key.isascii():
        return None
    low = key.lower()
    return spellings.get(low) or spellings.get(others.get(low, ""))
