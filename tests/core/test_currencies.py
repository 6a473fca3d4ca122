"""The default table is complete and sane; overrides change what they say or are refused by name."""

import re
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisse.core.money import LIMIT, SCALE, UNIT
from caisse.currencies.table import CRYPTO, DEFAULT, ISO_4217, Currency, fits, normalise, with_overrides

NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
FOUR_DECIMALS = "CLF UYW"
RECENT_OR_RARE = "SLE VED VES ZWG XCG STN MRU BYN XAD CHE COU"
GONE_OR_NO_MONEY = "XXX XTS XAU XAG XDR XUA BGN HRK ANG CUC SLL ZWL VEF MRO BYR"

EUR = Currency("EUR", "Euro", 2, "fiat")
BTC = Currency("BTC", "Bitcoin", 8, "crypto")
TABLE = {"EUR": EUR, "BTC": BTC}


def test_the_table_holds_both_lists_and_no_code_twice() -> None:
    assert (len(ISO_4217), len(CRYPTO)) == (165, 83)
    assert len(DEFAULT) == len(ISO_4217) + len(CRYPTO)
    assert dict(DEFAULT) == {**ISO_4217, **CRYPTO}


@pytest.mark.parametrize("currency", DEFAULT.values(), ids=DEFAULT.keys())
def test_every_row_is_sane(currency: Currency) -> None:
    assert re.fullmatch(r"[A-Z0-9]{3,4}", currency.code)
    assert DEFAULT[currency.code] is currency
    assert normalise(currency.code.lower()) == currency.code
    assert currency.name.strip() == currency.name != ""
    assert 0 <= currency.exponent <= SCALE
    assert currency.kind == ("fiat" if currency.code in ISO_4217 else "crypto")
    assert currency.max_decimals is None


@pytest.mark.parametrize("table", [ISO_4217, CRYPTO], ids=["iso", "crypto"])
def test_the_lists_are_kept_in_order(table: Mapping[str, Currency]) -> None:
    assert list(table) == sorted(table)


def test_every_minor_unit_of_iso_4217() -> None:
    unusual = {code: currency.exponent for code, currency in ISO_4217.items() if currency.exponent != 2}
    assert unusual == {
        **dict.fromkeys(NO_DECIMALS.split(), 0),
        **dict.fromkeys(THREE_DECIMALS.split(), 3),
        **dict.fromkeys(FOUR_DECIMALS.split(), 4),
    }


def test_the_list_is_the_current_one() -> None:
    assert set(RECENT_OR_RARE.split()) <= ISO_4217.keys()
    assert not set(GONE_OR_NO_MONEY.split()) & DEFAULT.keys()


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("BTC", 8),
        ("ETH", 18),
        ("USDT", 6),
        ("USDC", 6),
        ("LTC", 8),
        ("DOGE", 8),
        ("XRP", 6),
        ("TRX", 6),
        ("BNB", 18),
        ("SOL", 9),
        ("DOT", 10),
        ("TON", 9),
        ("XLM", 7),
        ("XMR", 12),
    ],
)
def test_customary_decimals_of_coins(code: str, exponent: int) -> None:
    assert CRYPTO[code].exponent == exponent


@pytest.mark.parametrize(
    ("unit", "coin", "places"),
    [
        ("MBTC", "BTC", 3),
        ("UBTC", "BTC", 6),
        ("METH", "ETH", 3),
        ("UETH", "ETH", 6),
        ("MLTC", "LTC", 3),
        ("MBCH", "BCH", 3),
    ],
)
def test_a_casino_unit_counts_the_same_smallest_part_as_its_coin(unit: str, coin: str, places: int) -> None:
    assert CRYPTO[unit].exponent + places == CRYPTO[coin].exponent


def test_the_table_cannot_be_changed_in_place() -> None:
    with pytest.raises(TypeError):
        DEFAULT["EUR"] = EUR  # type: ignore[index]
    with pytest.raises(AttributeError):
        DEFAULT["EUR"].exponent = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "code"), [("EUR", "EUR"), ("eur", "EUR"), ("eUr", "EUR"), ("mBTC", "MBTC"), ("1a2", "1A2")]
)
def test_lower_case_is_raised(text: str, code: str) -> None:
    assert normalise(text) == code


NO_CODES = ["", "EU", "EUROS", "EUR ", " EUR", "EUR\n", "E-R", "E_R", "E.R", "\x00\x00\x00", "A" * 10**6]
FOREIGN = [
    "\u00b5BTC",
    "\uff25\uff35\uff32",
    "\u0665\u0665\u0665",
    "\u00dfab",
    "\ufb01b",
    "\u0131nr",
    "\u212aRW",
]


@pytest.mark.parametrize("text", NO_CODES + FOREIGN)
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    assert normalise(text) is None


@given(st.text(max_size=5))
def test_a_normal_code_is_always_of_the_wire_grammar(text: str) -> None:
    code = normalise(text)
    assert code is None or (re.fullmatch(r"[A-Z0-9]{3,4}", code) and normalise(code) == code)


@given(st.integers(-LIMIT, LIMIT))
def test_without_a_limit_every_amount_fits(amount: int) -> None:
    assert fits(EUR, amount)


@given(st.integers(0, SCALE), st.integers(-(10**14), 10**14))
def test_the_decimals_allowed_fit_and_one_more_does_not(decimals: int, count: int) -> None:
    currency = msgspec.structs.replace(EUR, max_decimals=decimals)
    step = 10 ** (SCALE - decimals)
    assert fits(currency, count * step)
    if decimals < SCALE:
        assert not fits(currency, count * step + step // 10)


def test_no_decimals_means_whole_units() -> None:
    whole = msgspec.structs.replace(EUR, max_decimals=0)
    assert all(fits(whole, amount) for amount in (0, 7 * UNIT, -7 * UNIT))
    assert not any(fits(whole, amount) for amount in (1, UNIT // 2, -1))


def test_no_overrides_change_nothing() -> None:
    assert with_overrides(TABLE, []) == TABLE


def test_an_override_changes_what_it_names_and_keeps_the_rest() -> None:
    overrides = [{"code": "eur", "max_decimals": 2}, {"code": "BTC", "name": "Coin", "exponent": 6}]
    changed = with_overrides(TABLE, overrides)
    assert changed["EUR"] == Currency("EUR", "Euro", 2, "fiat", 2)
    assert changed["BTC"] == Currency("BTC", "Coin", 6, "crypto")


def test_an_override_may_lift_a_limit() -> None:
    limited = with_overrides(TABLE, [{"code": "EUR", "max_decimals": 2}])
    assert with_overrides(limited, [{"code": "EUR", "max_decimals": None}])["EUR"] == EUR
    assert with_overrides(limited, [{"code": "EUR", "name": "Euros"}])["EUR"].max_decimals == 2


def test_a_new_code_is_added_as_said() -> None:
    changed = with_overrides(
        TABLE,
        [
            {"code": "BGN", "name": "Bulgarian Lev", "exponent": 2, "kind": "fiat"},
            {"code": "GEMS", "name": "Gems", "exponent": 0, "max_decimals": 0, "enabled": True},
        ],
    )
    assert changed["BGN"] == Currency("BGN", "Bulgarian Lev", 2, "fiat")
    assert changed["GEMS"] == Currency("GEMS", "Gems", 0, "crypto", 0)
    assert set(changed) == {"EUR", "BTC", "BGN", "GEMS"}


def test_a_disabled_currency_is_gone() -> None:
    assert with_overrides(TABLE, [{"code": "BTC", "enabled": False}]) == {"EUR": EUR}


def test_the_given_table_is_left_alone() -> None:
    table = dict(TABLE)
    with_overrides(table, [{"code": "EUR", "enabled": False}, {"code": "BTC", "exponent": 3}])
    assert table == TABLE


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ({}, "currency override 2: code is missing; allowed: 3 to 4 of A-Z, a-z, 0-9"),
        ({"code": 978}, "currency override 2: code is 978; allowed: 3 to 4"),
        ({"code": "EURO5"}, "currency override 2: code is 'EURO5'; allowed: 3 to 4"),
        ({"code": "BTC"}, "currency BTC: code is overridden twice"),
        ({"code": "btc"}, "currency BTC: code is overridden twice"),
        ({"code": "EUR", "decimals": 2}, "currency EUR: unknown key 'decimals'; allowed: code, name,"),
        ({"code": "EUR", "name": ""}, "currency EUR: name is ''; allowed: 1 to 64"),
        ({"code": "EUR", "name": " Euro"}, "currency EUR: name is ' Euro'; allowed: 1 to 64"),
        ({"code": "EUR", "name": "Eu\nro"}, "currency EUR: name is 'Eu\\nro'; allowed: 1 to 64 printable"),
        ({"code": "EUR", "name": "x" * 65}, "currency EUR: name is 'xxx"),
        ({"code": "EUR", "name": None}, "currency EUR: name is None; allowed: 1 to 64"),
        ({"code": "EUR", "exponent": -1}, "currency EUR: exponent is -1; allowed: a whole number from 0"),
        ({"code": "EUR", "exponent": 19}, "currency EUR: exponent is 19; allowed: a whole number"),
        ({"code": "EUR", "exponent": True}, "currency EUR: exponent is True; allowed: a whole number"),
        ({"code": "EUR", "exponent": 2.0}, "currency EUR: exponent is 2.0; allowed: a whole number"),
        ({"code": "EUR", "exponent": None}, "currency EUR: exponent is None; allowed: a whole number"),
        ({"code": "EUR", "kind": "token"}, "currency EUR: kind is 'token'; allowed: 'fiat' or 'crypto'"),
        ({"code": "EUR", "kind": ["fiat"]}, "currency EUR: kind is ['fiat']; allowed: 'fiat' or 'crypto'"),
        ({"code": "EUR", "max_decimals": 19}, "currency EUR: max_decimals is 19; allowed: a whole number"),
        ({"code": "EUR", "max_decimals": "2"}, "currency EUR: max_decimals is '2'; allowed: a whole number"),
        ({"code": "EUR", "enabled": 0}, "currency EUR: enabled is 0; allowed: true or false"),
        ({"code": "EUR", "enabled": "no"}, "currency EUR: enabled is 'no'; allowed: true or false"),
        ({"code": "EUR", "enabled": False, "exponent": 99}, "currency EUR: exponent is 99"),
        ({"code": "GEM", "enabled": False}, "currency GEM: enabled is False; allowed: only for a code of"),
        ({"code": "GEM", "exponent": 0}, "currency GEM: name is missing; a code that is new"),
        ({"code": "GEM", "name": "Gems"}, "currency GEM: exponent is missing; a code that is new"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused_by_name(override: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(says)) as error:
        with_overrides(TABLE, [{"code": "BTC", "exponent": 8}, override])
    assert len(str(error.value)) < 200
