"""What a request brought besides what deciding needs: kept as JSON text of bounded length (R56)."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

LIMIT: Final = 4_096
"""Bytes of the text kept of one request."""

_encode = msgspec.json.Encoder().encode
_lone_surrogates = re.compile("[\ud800-\udfff]")


def recorded(fields: Mapping[str, Any]) -> str:
    """The fields as sent, as JSON text of at most `LIMIT` bytes.

    Where they are longer, the short ones are kept whole, and of a long one the beginning of its JSON text,
    as text.
    """
    whole = _text(fields)
    if len(whole.encode()) <= LIMIT:
        return whole
    texts = {name: _text(value) for name, value in fields.items()}
    kept: dict[str, msgspec.Raw] = {}
    room = LIMIT - 2
    for name in sorted(texts, key=lambda name: len(texts[name].encode())):
        room -= len(name) + 4  # quotes, colon, comma
        value = _beginning(texts[name], room)
        room -= len(value)
        kept[name] = msgspec.Raw(value)
    return _encode({name: kept[name] for name in fields}).decode()


def _beginning(text: str, room: int) -> bytes:
    """A value's JSON text, or as much of it as fits, as JSON text that says so."""
    whole = text.encode()
    if len(whole) <= room:
        return whole
    cut = whole[: max(room - 2, 0) // 2].decode(errors="ignore")  # a quote in it takes two bytes
    return _encode(cut)


def _text(value: Any) -> str:
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:  # a lone surrogate, which no database stores
        shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_number)
        return _lone_surrogates.sub("\N{REPLACEMENT CHARACTER}", shown)


def _number(raw: object) -> str:
    return bytes(raw).decode() if isinstance(raw, msgspec.Raw) else str(raw)
