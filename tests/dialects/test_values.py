"""The types of values: what each lets through and what not (wire.md 0, R12)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisse.core.money import LIMIT, UNIT, show
from caisse.dialects.wire.values import AMOUNT, CURRENCY, POSITIVE, PRINTABLE, UUID, text

NO_TEXT: list[Any] = [1, 1.5, True, False, [], {}, ["a"], msgspec.Raw("1.5")]

CASES: list[tuple[Any, Any, Any]] = [
    (text(32), "tester", "tester"),
    (text(32), " a b ", " a b "),
    (text(32), "é" * 32, "é" * 32),
    (text(32), "a\u3000b", "a\u3000b"),
    (text(32), "x" * 33, None),
    (text(32), "", None),
    (text(32), "a\x00", None),
    (text(32), "a\nb", None),
    (text(32), "a\x7f", None),
    (text(32), "a\x85", None),
    *((text(32), value, None) for value in NO_TEXT),
    (UUID, "ab64cee3-f73b-4631-9abf-b1a09c1f9c36", "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"),
    (UUID, "AB64CEE3-F73B-4631-9ABF-B1A09C1F9C36", "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"),
    (UUID, "ab64cee3f73b46319abfb1a09c1f9c36", None),
    (UUID, "{b64cee3-f73b-4631-9abf-b1a09c1f9c3}", None),
    (UUID, "ab64cee3-f73b-4631-9abf-b1a09c1f9c3g", None),
    (UUID, "ab64cee3-f73b-4631-9abf-b1a09c1f9c36\n", None),
    (UUID, "ab64cee3-f73b-4631-9abf-b1a09c1f9c3\uff16", None),
    (UUID, "ab64cee3-f73b-4631-9abfb1a09c1f-9c36", None),
    *((UUID, value, None) for value in NO_TEXT),
    (PRINTABLE, "4a5d375ac1311b04fba2ea66d067b8e5", "4a5d375ac1311b04fba2ea66d067b8e5"),
    (PRINTABLE, "~ free text !", "~ free text !"),
    (PRINTABLE, "x" * 64, "x" * 64),
    (PRINTABLE, "x" * 65, None),
    (PRINTABLE, "", None),
    (PRINTABLE, "é", None),
    (PRINTABLE, "a\n", None),
    *((PRINTABLE, value, None) for value in NO_TEXT),
    (CURRENCY, "USD", "USD"),
    (CURRENCY, "usdt", "USDT"),
    (CURRENCY, "US", None),
    (CURRENCY, "USDTT", None),
    (CURRENCY, "US$", None),
    (CURRENCY, "U\u017fD", None),
    *((CURRENCY, value, None) for value in NO_TEXT),
    (AMOUNT, "200.0", 200 * UNIT),
    (AMOUNT, "0", 0),
    (AMOUNT, 0, 0),
    (AMOUNT, 200, 200 * UNIT),
    (AMOUNT, 10**14 - 1, (10**14 - 1) * UNIT),
    (AMOUNT, 10**14, None),
    (AMOUNT, 10**4000, None),
    (AMOUNT, -1, None),
    (AMOUNT, True, None),
    (AMOUNT, False, None),
    (AMOUNT, msgspec.Raw("0.10"), UNIT // 10),
    (AMOUNT, msgspec.Raw("99999999999999.999999999999999999"), LIMIT - 1),
    (AMOUNT, msgspec.Raw("0.0000000000000000001"), None),
    (AMOUNT, msgspec.Raw("1e2"), None),
    (AMOUNT, msgspec.Raw("-0"), None),
    (AMOUNT, msgspec.Raw("-0.0"), None),
    (AMOUNT, "+1", None),
    (AMOUNT, " 1", None),
    (AMOUNT, "1_0", None),
    (AMOUNT, "\uff11", None),
    (AMOUNT, "", None),
    (AMOUNT, [], None),
    (AMOUNT, {}, None),
    (POSITIVE, "0.000000000000000001", 1),
    (POSITIVE, "0", None),
    (POSITIVE, "0.000", None),
    (POSITIVE, 0, None),
    (POSITIVE, msgspec.Raw("0.0"), None),
]


@pytest.mark.parametrize(("kind", "sent", "value"), CASES)
def test_each_type_reads_its_own_values_and_no_other(kind: Any, sent: Any, value: Any) -> None:
    assert kind.read(sent) == value


@settings(deadline=None)
@given(st.integers(1, LIMIT - 1))
def test_every_amount_is_read_exactly_from_text_and_from_number(amount: int) -> None:
    written = show(amount)
    assert AMOUNT.read(written) == AMOUNT.read(msgspec.Raw(written)) == POSITIVE.read(written) == amount


anything: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just([])
)


@settings(deadline=None)
@given(anything)
def test_no_value_raises(sent: object) -> None:
    for kind in (text(32), UUID, PRINTABLE, CURRENCY, AMOUNT, POSITIVE):
        kind.read(sent)
