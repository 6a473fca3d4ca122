"""Amounts survive every spelling and every trip exactly; nothing but the contract's grammar is an amount."""

import re
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caisse.core.money import INTEGER_DIGITS, LIMIT, SCALE, UNIT, parse, read_stored, show

WIRE_GRAMMAR = r"(0|[1-9][0-9]{0,13})(\.[0-9]{1,18})?"

wire_texts = st.from_regex(re.compile(WIRE_GRAMMAR, re.ASCII), fullmatch=True)
wire_amounts = st.integers(0, LIMIT - 1)
any_amounts = st.one_of(
    st.integers(),
    st.integers(-(10**60), 10**60),
    st.builds(lambda mantissa, zeros: mantissa * 10**zeros, st.integers(-999, 999), st.integers(0, 60)),
)
near_misses = st.text(alphabet="0123456789.-+eE_ \n\u0663\uff11", max_size=36)


def test_the_constants_say_the_same_as_the_contract() -> None:
    assert (SCALE, INTEGER_DIGITS) == (18, 14)
    assert UNIT == 1_000_000_000_000_000_000
    assert LIMIT == 10**32


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("0.0", 0),
        ("0.000000000000000000", 0),
        ("0.000000000000000001", 1),
        ("0.05", 5 * 10**16),
        ("1", UNIT),
        ("1023.0", 1023 * UNIT),
        ("99899.99", 9_989_999 * 10**16),
        ("99999999999999", 99_999_999_999_999 * UNIT),
        ("99999999999999.999999999999999999", LIMIT - 1),
    ],
)
def test_a_spelled_amount_is_read_exactly(text: str, amount: int) -> None:
    assert parse(text) == amount
    assert read_stored(text) == amount


@pytest.mark.parametrize("text", ["200", "200.0", "200.00", "200.000000000000000000"])
def test_spellings_of_one_amount_are_equal(text: str) -> None:
    assert parse(text) == 200 * UNIT
    assert read_stored(text) == 200 * UNIT
    assert show(200 * UNIT) == "200.0"


MALFORMED = {
    "empty": "",
    "negative": "-1",
    "negative zero": "-0",
    "plus": "+1",
    "unicode minus": "\u22121",
    "exponent": "1e3",
    "capital exponent": "1E3",
    "decimals and exponent": "1.0e-2",
    "underscore": "1_000",
    "thousands comma": "1,000",
    "decimal comma": "1,5",
    "full-width digits": "\uff11\uff12",
    "arabic digits": "\u0661\u0662",
    "arabic decimals": "1.\u0665",
    "superscript": "1\u00b2",
    "leading zero": "01",
    "two zeros": "00",
    "leading zero before decimals": "00.5",
    "no integer part": ".5",
    "no decimals": "5.",
    "only a point": ".",
    "two points": "1.2.3",
    "space before": " 1",
    "space after": "1 ",
    "newline after": "1\n",
    "newline after decimals": "1.5\n",
    "carriage return": "1\r",
    "nul": "1\x00",
    "nan": "NaN",
    "infinity": "Infinity",
    "hex": "0x10",
    "word": "ten",
    "19 decimals": "1." + "0" * 19,
    "no-break space": "\u00a01",
    "byte order mark": "\ufeff1",
    "lone surrogate": "1\ud800",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_nothing_but_the_grammar_is_an_amount(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("text", ["1" + "0" * 14, "1" + "0" * 14 + ".5", "9" * 33, "9" * 34])
def test_more_than_fourteen_integer_digits_are_refused(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("text", ["9" * 10**6, "0." + "0" * 10**6, "1e" + "9" * 10**6, " " * 10**6])
def test_hostile_length_is_refused(text: str) -> None:
    assert parse(text) is None


@given(wire_texts)
def test_every_text_of_the_grammar_gives_exactly_its_value(text: str) -> None:
    amount = parse(text)
    assert amount == Fraction(text) * 10**18
    assert type(amount) is int
    assert 0 <= amount < LIMIT
    assert read_stored(text) == amount


@given(st.one_of(near_misses, st.text(max_size=40), wire_texts))
@example("1\n")
def test_parse_accepts_exactly_the_grammar(text: str) -> None:
    assert (parse(text) is not None) == (re.fullmatch(WIRE_GRAMMAR, text) is not None)


@given(wire_amounts)
@example(0)
@example(1)
@example(LIMIT - 1)
def test_an_amount_survives_the_wire(amount: int) -> None:
    assert parse(show(amount)) == amount


@given(any_amounts)
@example(LIMIT)
@example(-LIMIT)
@example(10**40 + 1)
@example(-1)
def test_an_amount_of_any_size_and_sign_survives_storage(amount: int) -> None:
    assert read_stored(show(amount)) == amount


@given(any_amounts)
def test_canonical_text_has_the_value_one_shape_and_no_spare_zeros(amount: int) -> None:
    text = show(amount)
    assert Fraction(text) * 10**18 == amount
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)\.([0-9]|[0-9]{1,17}[1-9])", text)
    assert text != "-0.0"


@given(st.tuples(any_amounts, any_amounts))
def test_two_amounts_share_a_text_only_if_equal(pair: tuple[int, int]) -> None:
    one, other = pair
    assert (show(one) == show(other)) == (one == other)


@given(wire_texts, st.integers(0, 18))
def test_zeros_after_the_last_decimal_change_nothing(text: str, zeros: int) -> None:
    whole, _, decimals = text.partition(".")
    padded = f"{whole}.{(decimals + '0' * zeros)[:18] or '0'}"
    assert parse(padded) == parse(text)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.0"),
        (1, "0.000000000000000001"),
        (-1, "-0.000000000000000001"),
        (5 * 10**16, "0.05"),
        (UNIT, "1.0"),
        (-200 * UNIT, "-200.0"),
        (100 * UNIT + 10**17, "100.1"),
        (LIMIT, "100000000000000.0"),
        (LIMIT + 1, "100000000000000.000000000000000001"),
        (10**60, "1" + "0" * 42 + ".0"),
    ],
)
def test_canonical_text(amount: int, text: str) -> None:
    assert show(amount) == text


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("200", 200 * UNIT),
        ("200.00", 200 * UNIT),
        ("-0.050", -5 * 10**16),
        ("-200", -200 * UNIT),
        ("0.000000000000000000", 0),
        ("1" + "0" * 40, 10**58),
        ("-" + "9" * 40 + ".000000000000000009", -((10**40 - 1) * UNIT + 9)),
    ],
)
def test_stored_text_is_read_at_any_width_and_sign(text: str, amount: int) -> None:
    assert read_stored(text) == amount


NOT_STORED = {name: text for name, text in MALFORMED.items() if not name.startswith("negative")} | {
    "negative infinity": "-Infinity",
    "exponent of a float": "1e+30",
    "two signs": "--1",
    "sign alone": "-",
    "negative without integer part": "-.5",
    "negative leading zero": "-01",
    "newline after a negative": "-1\n",
    "long": "x" * 10**6,
    "wider than Python converts": "9" * 10**5,
}


@pytest.mark.parametrize("text", NOT_STORED.values(), ids=NOT_STORED.keys())
def test_storage_that_holds_no_plain_number_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(not a stored amount|Exceeds the limit)") as error:
        read_stored(text)
    assert len(str(error.value)) < 400
