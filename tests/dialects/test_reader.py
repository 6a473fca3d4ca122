"""The reader: any spelling of a name, one spelling of a value, and no surprise on any bytes (wire.md 0)."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisse.dialects.wire import reader
from caisse.dialects.wire.reader import MAX_DEPTH, Doubled, Odd, read, spelled
from caisse.dialects.wire.values import AMOUNT, ident

NAMES = frozenset({"userId", "roundId", "amount"})
SPELLINGS = {name.lower(): name for name in NAMES} | {name: name for name in NAMES}
NEEDED = {"userId": ident(64).read, "amount": AMOUNT.read}

REFUSED = {
    "empty": b"",
    "not JSON": b"hello",
    "an array": b"[]",
    "a string": b'"a"',
    "null": b"null",
    "cut short": b'{"a":1',
    "two objects": b"{}{}",
    "a NUL after it": b"{}\x00",
    "a trailing comma": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "a comment": b'{"a":1/**/}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":[Infinity]}',
    "-Infinity": b'{"a":-Infinity}',
    "a leading zero": b'{"a":01}',
    "a bare point": b'{"a":1.}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}',
    "Latin-1": b'{"a":"\xe9"}',
    "an overlong NUL": b'{"a":"\xc0\x80"}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "a raw control character": b'{"a":"\x01"}',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_unreadable_bodies_are_refused(body: bytes) -> None:
    assert read(body) is None


ACCEPTED: list[tuple[bytes, dict[str, Any]]] = [
    (b"{}", {}),
    (b' \r\n\t{ "a" : 1 } ', {"a": 1}),
    (b'{"a":"x:y","b":":"}', {"a": "x:y", "b": ":"}),
    (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    (b'{"a":{"b":1},"c":{"b":2}}', {"a": {"b": 1}, "c": {"b": 2}}),
    (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
    (b'{"a":[true,false,null]}', {"a": [True, False, None]}),
    (b'{"a":0,"b":"x-0"}', {"a": 0, "b": "x-0"}),
    (b'{"a":18446744073709551617}', {"a": 18446744073709551617}),
    (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    (b'{"a":"\\ud800","\\udc00":1}', {"a": "\ud800", "\udc00": 1}),
    (b'{"a":' + b"9" * 5000 + b"}", {"a": msgspec.Raw("9" * 5000)}),
    (b'{"a":' + b"9" * 128 + b"}", {"a": int("9" * 128)}),
    (b'{"a":1,"a":1}', {"a": [1, 1]}),
    (b'{"a":1,"\\u0061":2}', {"a": [1, 2]}),
    (b'{"a":1,"b":2,"a":"3:4"}', {"a": [1, "3:4"], "b": 2}),
    (b'{"a":{"b":1,"b":2}}', {"a": {"b": [1, 2]}}),
    (b'{"":1,"":2}', {"": [1, 2]}),
]


@pytest.mark.parametrize(("body", "fields"), ACCEPTED)
def test_readable_bodies_are_read(body: bytes, fields: dict[str, Any]) -> None:
    assert read(body) == fields


@pytest.mark.parametrize(
    "digits", ["1.50", "0.1000000000000000055511151231257827", "1e5", "1E-7", "-0", "-0.0", "-1.5", "1e400"]
)
@pytest.mark.parametrize("more", ["", ',"b":"1:2"', ',"b":{"c":1}'])
def test_a_number_keeps_its_own_characters(digits: str, more: str) -> None:
    fields = read(f'{{"a":{digits}{more}}}'.encode())
    assert fields is not None
    assert bytes(fields["a"]).decode() == digits


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"b":', "}]")])
def test_depth_is_bounded_and_never_an_exception(opening: str, closing: str) -> None:
    for levels in (1, 5, MAX_DEPTH // 2 - 1, MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, 200, 3000):
        body = f'{{"x":{opening * levels}1{closing * levels}}}'
        depth = 1 + levels * (opening.count("[") + opening.count("{"))
        assert (read(body.encode()) is not None) == (depth <= MAX_DEPTH), levels
        assert read(f'{{"x":{opening * levels}'.encode()) is None


def test_many_flat_arrays_are_not_deep() -> None:
    assert read(b'{"x":[' + b"[]," * 500 + b"[]]}") == {"x": [[]] * 501}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    fields = read(body)
    assert fields is None or type(fields) is dict


@settings(deadline=None)
@given(st.text(alphabet='{}[]":,\\u0d8-1.eE atrufnl\x00é', max_size=60))
def test_nothing_like_json_raises_and_what_is_read_python_reads_too(text: str) -> None:
    fields = read(text.encode())
    if fields is not None:
        assert set(json.loads(text)) == set(fields)


leaves = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=4), trees, max_size=5)


@settings(deadline=None)
@given(objects, st.booleans(), st.sampled_from([None, 2]))
def test_what_json_writes_is_read_back(fields: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(fields, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    assert read(body) == fields


@settings(deadline=None)
@given(objects)
def test_the_quick_way_and_the_exact_way_agree(fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    assert reader._read_exactly(body) == read(body) == fields


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=4), st.integers(0, 3), st.booleans())
def test_a_name_that_comes_twice_keeps_all_its_values(names: list[str], depth: int, in_array: bool) -> None:
    text = "{" + ",".join(f'"{name}":"x:{i}"' for i, name in enumerate(names)) + "}"
    for _ in range(depth):
        text = f'{{"k":[{text}]}}' if in_array else f'{{"k":{text}}}'
    found: Any = read(text.encode())
    for _ in range(depth):
        found = found["k"][0] if in_array else found["k"]
    for name in names:
        said = [f"x:{i}" for i, n in enumerate(names) if n == name]
        assert found[name] == (said if len(said) > 1 else said[0])
        assert (type(found[name]) is Doubled) == (len(said) > 1)


HOSTILE = [
    lambda n: b'{"a":"' + b'\\"' * n,
    lambda n: b'{"a":' * n,
    lambda n: b"[" * n,
    lambda n: b'{"a":' + b"[" * n + b"]" * n + b"}",
    lambda n: b'{"x":[' + b"{}," * n + b"{}]}",
    lambda n: b"{" + b",".join(b'"%d":{"a":0}' % i for i in range(n)) + b"}",
    lambda n: b"{" + b",".join(b'"ROUNDID%d":-0' % i for i in range(n)) + b"}",
]


def calls_made(body: bytes) -> int:
    made = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal made
        made += 1

    sys.setprofile(count)
    try:
        fields = read(body)
        if fields is not None:
            spelled(fields, NAMES, SPELLINGS, NEEDED)
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("make", HOSTILE)
def test_the_work_is_proportional_to_the_body(make: Any) -> None:
    """Counted, not timed: calls made for each byte, whatever the body."""
    for n in (100, 1000, 2000):
        body = make(n)
        assert calls_made(body) <= 50 + 6 * len(body)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"userId": 1, "roundId": 2}, {"userId": 1, "roundId": 2}),
        ({"userid": 1, "ROUNDID": 2}, {"userId": 1, "roundId": 2}),
        ({"UserId": 1, "other": 2, "OTHER": 3}, {"userId": 1}),
        ({"userId": 1, "userid": 2}, None),
        ({"UserID": 1, "userid": 2}, None),
        ({"user\u0130d": 1, "\u017ferId": 2}, {}),
        ({"player": 1, "Stake": 2}, {"userId": 1, "amount": 2}),
        ({"player": 1, "userId": 2}, None),
        ({"player": 1, "PLAYER": 2}, None),
        ({"nothing": 1}, {}),
        ({"userId": "1", "userid": 1}, {"userId": "1"}),
        ({"amount": 10, "AMOUNT": "10.00"}, {"amount": 10}),
        ({"amount": 10, "Amount": "10.01"}, None),
        ({"amount": "ten", "Amount": "ten"}, None),
        ({"amount": None, "Amount": 1}, {"amount": 1}),
        ({"roundId": "a", "roundid": "a"}, {"roundId": "a"}),
        ({"roundId": "a", "roundid": "b"}, {"roundId": ["a", "b"]}),
        (Odd({"amount": Doubled([1, 1])}), None),
        (Odd({"userId": "\ud800"}), None),
        (Odd({"roundId": "\ud800"}), {"roundId": "\ud800"}),
        (Odd({"roundId": Doubled([1, 2]), "amount": 1}), {"roundId": [1, 2], "amount": 1}),
    ],
)
def test_names_are_tolerant_but_one_field_has_one_spelling(
    fields: dict[str, Any], found: dict[str, Any] | None
) -> None:
    further = {"player": "userid", "stake": "Amount", "nothing": "absent"}
    assert spelled(fields, NAMES, SPELLINGS, NEEDED, further) == found


def test_no_foreign_letter_stands_for_a_latin_one() -> None:
    """The Kelvin sign is a k in lower case, but no k."""
    names = frozenset({"jackpotId"})
    spellings = {"jackpotId": "jackpotId", "jackpotid": "jackpotId"}
    assert spelled({"jac\u212apotId": 1}, names, spellings, {}) == {}
    assert spelled({"JACKPOTID": 1}, names, spellings, {}) == {"jackpotId": 1}


@settings(deadline=None)
@given(st.lists(st.sampled_from(sorted(NAMES)), unique=True), st.randoms(use_true_random=False))
def test_every_letter_case_spells_the_same(names: list[str], chance: Any) -> None:
    plain = {name: i for i, name in enumerate(names)}
    odd = {"".join(chance.choice([c.lower(), c.upper()]) for c in name): i for name, i in plain.items()}
    assert spelled(odd, NAMES, SPELLINGS, NEEDED) == spelled(plain, NAMES, SPELLINGS, NEEDED) == plain


def test_numbers_are_no_floats_at_any_depth() -> None:
    fields = read(b'{"a":1.5,"b":[2.5,{"c":3.5}]}')
    assert fields == {
        "a": msgspec.Raw("1.5"),
        "b": [msgspec.Raw("2.5"), {"c": msgspec.Raw("3.5")}],
    }
