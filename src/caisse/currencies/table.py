"""The currencies that a wallet may be held in: a good default table, and how an operator changes it.

Nothing here rounds: `exponent` is for people who read amounts, only `max_decimals` refuses any. Where
overrides are written down is the caller's business. Pure: no I/O, clock, chance or logging.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Literal, cast

import msgspec

from caisse.core.money import SCALE

Kind = Literal["fiat", "crypto"]

_code = re.compile(r"[A-Za-z0-9]{3,4}", re.ASCII).fullmatch


class Currency(msgspec.Struct, frozen=True):
    """One currency. Decimals, here as everywhere, are digits after the point of one whole unit."""

    code: str
    """3 to 4 characters A-Z and 0-9, as it travels on the wire."""
    name: str
    exponent: int
    """Customary decimals: the minor unit of ISO 4217, or what a coin's own ledger counts in."""
    kind: Kind
    max_decimals: int | None = None
    """Amounts with more decimals are refused; None: amounts may use all SCALE of them."""


def normalise(text: str) -> str | None:
    """The code that `text` spells, lower case raised; None if it cannot be one. Looks it up in no table."""
    return text.upper() if _code(text) else None


def fits(currency: Currency, amount: int) -> bool:
    """Whether `amount` (in 10^-18 units, either sign) has no more decimals than the currency allows."""
    if currency.max_decimals is None:
        return True
    smallest: int = 10 ** (SCALE - currency.max_decimals)
    return amount % smallest == 0


def with_overrides(
    table: Mapping[str, Currency], overrides: Iterable[Mapping[str, object]]
) -> Mapping[str, Currency]:
    """A new table: `table` with each override, a mapping of plain values, applied to its `code`'s currency.

    Keys left out keep their value. A code that the table lacks needs `name` and `exponent` and is "crypto"
    unless it says otherwise (the fiat list is complete); `enabled` = false removes a currency. Raises
    ValueError, naming the code, the key and what is allowed, for whatever makes no sense.
    """
    changed = dict(table)
    seen: set[str] = set()
    for position, override in enumerate(overrides, 1):
        code = _override_code(override, position)
        if code in seen:
            raise ValueError(f"currency {code}: code is overridden twice; one override per code is allowed")
        seen.add(code)
        _check(code, override)
        currency = _overridden(table.get(code), code, override)
        if currency is None:
            del changed[code]
        else:
            changed[code] = currency
    return MappingProxyType(changed)


def _override_code(override: Mapping[str, object], position: int) -> str:
    code = override.get("code")
    normal = normalise(code) if isinstance(code, str) else None
    if normal is None:
        given = f"{code!r:.64}" if "code" in override else "missing"
        raise ValueError(f"currency override {position}: code is {given}; allowed: 3 to 4 of A-Z, a-z, 0-9")
    return normal


def _check(code: str, override: Mapping[str, object]) -> None:
    for key, value in override.items():
        if key not in _KEYS:
            raise ValueError(f"currency {code}: unknown key {key!r:.64}; allowed: {', '.join(_KEYS)}")
        allowed, valid = _KEYS[key]
        if not valid(value):
            raise ValueError(f"currency {code}: {key} is {value!r:.64}; allowed: {allowed}")


def _overridden(old: Currency | None, code: str, override: Mapping[str, object]) -> Currency | None:
    """The currency that a checked override leaves at `code`; None if it removes it."""
    if override.get("enabled", True) is False:
        if old is None:
            raise ValueError(f"currency {code}: enabled is False; allowed: only for a code of the table")
        return None
    for key in ("name", "exponent"):
        if old is None and key not in override:
            raise ValueError(f"currency {code}: {key} is missing; a code that is new to the table needs one")
    base = old or Currency(code, "", 0, "crypto")
    return Currency(
        code,
        cast(str, override.get("name", base.name)),
        cast(int, override.get("exponent", base.exponent)),
        cast(Kind, override.get("kind", base.kind)),
        cast("int | None", override.get("max_decimals", base.max_decimals)),
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 64 and value.isprintable() and value.strip() == value


def _is_decimals(value: object) -> bool:
    return type(value) is int and 0 <= value <= SCALE


_KEYS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "code": ("3 to 4 of A-Z, a-z, 0-9", lambda value: True),  # read and checked before the others
    "name": ("1 to 64 printable characters, no space at either end", _is_name),
    "exponent": (f"a whole number from 0 to {SCALE}", _is_decimals),
    "kind": ("'fiat' or 'crypto'", lambda value: value in ("fiat", "crypto")),
    "max_decimals": (f"a whole number from 0 to {SCALE}", lambda value: value is None or _is_decimals(value)),
    "enabled": ("true or false", lambda value: isinstance(value, bool)),
}


def _table(kind: Kind, rows: Iterable[tuple[str, int, str]]) -> Mapping[str, Currency]:
    return MappingProxyType({code: Currency(code, name, exponent, kind) for code, exponent, name in rows})


# List one as published on 2026-01-01: every code with a minor unit, fund codes included. So without metals,
# XDR, XTS, XXX, and without BGN, which the euro replaced on that day: who still holds it adds an override.
_ISO_4217 = (
    ("AED", 2, "UAE Dirham"),
    ("AFN", 2, "Afghani"),
    ("ALL", 2, "Lek"),
    ("AMD", 2, "Armenian Dram"),
    ("AOA", 2, "Kwanza"),
    ("ARS", 2, "Argentine Peso"),
    ("AUD", 2, "Australian Dollar"),
    ("AWG", 2, "Aruban Florin"),
    ("AZN", 2, "Azerbaijan Manat"),
    ("BAM", 2, "Convertible Mark"),
    ("BBD", 2, "Barbados Dollar"),
    ("BDT", 2, "Taka"),
    ("BHD", 3, "Bahraini Dinar"),
    ("BIF", 0, "Burundi Franc"),
    ("BMD", 2, "Bermudian Dollar"),
    ("BND", 2, "Brunei Dollar"),
    ("BOB", 2, "Boliviano"),
    ("BOV", 2, "Mvdol"),
    ("BRL", 2, "Brazilian Real"),
    ("BSD", 2, "Bahamian Dollar"),
    ("BTN", 2, "Ngultrum"),
    ("BWP", 2, "Pula"),
    ("BYN", 2, "Belarusian Ruble"),
    ("BZD", 2, "Belize Dollar"),
    ("CAD", 2, "Canadian Dollar"),
    ("CDF", 2, "Congolese Franc"),
    ("CHE", 2, "WIR Euro"),
    ("CHF", 2, "Swiss Franc"),
    ("CHW", 2, "WIR Franc"),
    ("CLF", 4, "Unidad de Fomento"),
    ("CLP", 0, "Chilean Peso"),
    ("CNY", 2, "Yuan Renminbi"),
    ("COP", 2, "Colombian Peso"),
    ("COU", 2, "Unidad de Valor Real"),
    ("CRC", 2, "Costa Rican Colon"),
    ("CUP", 2, "Cuban Peso"),
    ("CVE", 2, "Cabo Verde Escudo"),
    ("CZK", 2, "Czech Koruna"),
    ("DJF", 0, "Djibouti Franc"),
    ("DKK", 2, "Danish Krone"),
    ("DOP", 2, "Dominican Peso"),
    ("DZD", 2, "Algerian Dinar"),
    ("EGP", 2, "Egyptian Pound"),
    ("ERN", 2, "Nakfa"),
    ("ETB", 2, "Ethiopian Birr"),
    ("EUR", 2, "Euro"),
    ("FJD", 2, "Fiji Dollar"),
    ("FKP", 2, "Falkland Islands Pound"),
    ("GBP", 2, "Pound Sterling"),
    ("GEL", 2, "Lari"),
    ("GHS", 2, "Ghana Cedi"),
    ("GIP", 2, "Gibraltar Pound"),
    ("GMD", 2, "Dalasi"),
    ("GNF", 0, "Guinean Franc"),
    ("GTQ", 2, "Quetzal"),
    ("GYD", 2, "Guyana Dollar"),
    ("HKD", 2, "Hong Kong Dollar"),
    ("HNL", 2, "Lempira"),
    ("HTG", 2, "Gourde"),
    ("HUF", 2, "Forint"),
    ("IDR", 2, "Rupiah"),
    ("ILS", 2, "New Israeli Sheqel"),
    ("INR", 2, "Indian Rupee"),
    ("IQD", 3, "Iraqi Dinar"),
    ("IRR", 2, "Iranian Rial"),
    ("ISK", 0, "Iceland Krona"),
    ("JMD", 2, "Jamaican Dollar"),
    ("JOD", 3, "Jordanian Dinar"),
    ("JPY", 0, "Yen"),
    ("KES", 2, "Kenyan Shilling"),
    ("KGS", 2, "Som"),
    ("KHR", 2, "Riel"),
    ("KMF", 0, "Comorian Franc"),
    ("KPW", 2, "North Korean Won"),
    ("KRW", 0, "Won"),
    ("KWD", 3, "Kuwaiti Dinar"),
    ("KYD", 2, "Cayman Islands Dollar"),
    ("KZT", 2, "Tenge"),
    ("LAK", 2, "Lao Kip"),
    ("LBP", 2, "Lebanese Pound"),
    ("LKR", 2, "Sri Lanka Rupee"),
    ("LRD", 2, "Liberian Dollar"),
    ("LSL", 2, "Loti"),
    ("LYD", 3, "Libyan Dinar"),
    ("MAD", 2, "Moroccan Dirham"),
    ("MDL", 2, "Moldovan Leu"),
    ("MGA", 2, "Malagasy Ariary"),
    ("MKD", 2, "Denar"),
    ("MMK", 2, "Kyat"),
    ("MNT", 2, "Tugrik"),
    ("MOP", 2, "Pataca"),
    ("MRU", 2, "Ouguiya"),
    ("MUR", 2, "Mauritius Rupee"),
    ("MVR", 2, "Rufiyaa"),
    ("MWK", 2, "Malawi Kwacha"),
    ("MXN", 2, "Mexican Peso"),
    ("MXV", 2, "Mexican Unidad de Inversion (UDI)"),
    ("MYR", 2, "Malaysian Ringgit"),
    ("MZN", 2, "Mozambique Metical"),
    ("NAD", 2, "Namibia Dollar"),
    ("NGN", 2, "Naira"),
    ("NIO", 2, "Cordoba Oro"),
    ("NOK", 2, "Norwegian Krone"),
    ("NPR", 2, "Nepalese Rupee"),
    ("NZD", 2, "New Zealand Dollar"),
    ("OMR", 3, "Rial Omani"),
    ("PAB", 2, "Balboa"),
    ("PEN", 2, "Sol"),
    ("PGK", 2, "Kina"),
    ("PHP", 2, "Philippine Peso"),
    ("PKR", 2, "Pakistan Rupee"),
    ("PLN", 2, "Zloty"),
    ("PYG", 0, "Guarani"),
    ("QAR", 2, "Qatari Rial"),
    ("RON", 2, "Romanian Leu"),
    ("RSD", 2, "Serbian Dinar"),
    ("RUB", 2, "Russian Ruble"),
    ("RWF", 0, "Rwanda Franc"),
    ("SAR", 2, "Saudi Riyal"),
    ("SBD", 2, "Solomon Islands Dollar"),
    ("SCR", 2, "Seychelles Rupee"),
    ("SDG", 2, "Sudanese Pound"),
    ("SEK", 2, "Swedish Krona"),
    ("SGD", 2, "Singapore Dollar"),
    ("SHP", 2, "Saint Helena Pound"),
    ("SLE", 2, "Leone"),
    ("SOS", 2, "Somali Shilling"),
    ("SRD", 2, "Surinam Dollar"),
    ("SSP", 2, "South Sudanese Pound"),
    ("STN", 2, "Dobra"),
    ("SVC", 2, "El Salvador Colon"),
    ("SYP", 2, "Syrian Pound"),
    ("SZL", 2, "Lilangeni"),
    ("THB", 2, "Baht"),
    ("TJS", 2, "Somoni"),
    ("TMT", 2, "Turkmenistan New Manat"),
    ("TND", 3, "Tunisian Dinar"),
    ("TOP", 2, "Pa'anga"),
    ("TRY", 2, "Turkish Lira"),
    ("TTD", 2, "Trinidad and Tobago Dollar"),
    ("TWD", 2, "New Taiwan Dollar"),
    ("TZS", 2, "Tanzanian Shilling"),
    ("UAH", 2, "Hryvnia"),
    ("UGX", 0, "Uganda Shilling"),
    ("USD", 2, "US Dollar"),
    ("USN", 2, "US Dollar (Next day)"),
    ("UYI", 0, "Uruguay Peso en Unidades Indexadas (UI)"),
    ("UYU", 2, "Peso Uruguayo"),
    ("UYW", 4, "Unidad Previsional"),
    ("UZS", 2, "Uzbekistan Sum"),
    ("VED", 2, "Bolívar Soberano"),
    ("VES", 2, "Bolívar Soberano"),
    ("VND", 0, "Dong"),
    ("VUV", 0, "Vatu"),
    ("WST", 2, "Tala"),
    ("XAD", 2, "Arab Accounting Dinar"),
    ("XAF", 0, "CFA Franc BEAC"),
    ("XCD", 2, "East Caribbean Dollar"),
    ("XCG", 2, "Caribbean Guilder"),
    ("XOF", 0, "CFA Franc BCEAO"),
    ("XPF", 0, "CFP Franc"),
    ("YER", 2, "Yemeni Rial"),
    ("ZAR", 2, "Rand"),
    ("ZMW", 2, "Zambian Kwacha"),
    ("ZWG", 2, "Zimbabwe Gold"),
)

# Decimals of a coin's own ledger, of a token's best known contract; at most SCALE. Casino units follow their
# coin: MBTC is a thousandth of BTC, UBTC a millionth.
_CRYPTO = (
    ("AAVE", 18, "Aave"),
    ("ADA", 6, "Cardano"),
    ("ALGO", 6, "Algorand"),
    ("APE", 18, "ApeCoin"),
    ("APT", 8, "Aptos"),
    ("ARB", 18, "Arbitrum"),
    ("ATOM", 6, "Cosmos"),
    ("AVAX", 18, "Avalanche"),
    ("BAT", 18, "Basic Attention Token"),
    ("BCH", 8, "Bitcoin Cash"),
    ("BNB", 18, "BNB"),
    ("BSV", 8, "Bitcoin SV"),
    ("BTC", 8, "Bitcoin"),
    ("BTG", 8, "Bitcoin Gold"),
    ("BTT", 18, "BitTorrent"),
    ("BUSD", 18, "Binance USD"),
    ("CAKE", 18, "PancakeSwap"),
    ("CHZ", 18, "Chiliz"),
    ("COMP", 18, "Compound"),
    ("CRV", 18, "Curve"),
    ("DAI", 18, "Dai"),
    ("DASH", 8, "Dash"),
    ("DCR", 8, "Decred"),
    ("DGB", 8, "DigiByte"),
    ("DOGE", 8, "Dogecoin"),
    ("DOT", 10, "Polkadot"),
    ("EGLD", 18, "MultiversX"),
    ("ENJ", 18, "Enjin Coin"),
    ("EOS", 4, "EOS"),
    ("ETC", 18, "Ethereum Classic"),
    ("ETH", 18, "Ether"),
    ("EURC", 6, "Euro Coin"),
    ("FIL", 18, "Filecoin"),
    ("FTM", 18, "Fantom"),
    ("GRT", 18, "The Graph"),
    ("GUSD", 2, "Gemini Dollar"),
    ("HBAR", 8, "Hedera"),
    ("ICP", 8, "Internet Computer"),
    ("INJ", 18, "Injective"),
    ("KAS", 8, "Kaspa"),
    ("KSM", 12, "Kusama"),
    ("LINK", 18, "Chainlink"),
    ("LTC", 8, "Litecoin"),
    ("MANA", 18, "Decentraland"),
    ("MBCH", 5, "Milli-Bitcoin Cash"),
    ("MBTC", 5, "Millibitcoin"),
    ("METH", 15, "Milliether"),
    ("MKR", 18, "Maker"),
    ("MLTC", 5, "Millilitecoin"),
    ("PEPE", 18, "Pepe"),
    ("POL", 18, "Polygon"),
    ("QTUM", 8, "Qtum"),
    ("RUNE", 8, "THORChain"),
    ("RVN", 8, "Ravencoin"),
    ("SAND", 18, "The Sandbox"),
    ("SHIB", 18, "Shiba Inu"),
    ("SNX", 18, "Synthetix"),
    ("SOL", 9, "Solana"),
    ("STX", 6, "Stacks"),
    ("SUI", 9, "Sui"),
    ("TIA", 6, "Celestia"),
    ("TON", 9, "Toncoin"),
    ("TRX", 6, "TRON"),
    ("TUSD", 18, "TrueUSD"),
    ("UBTC", 2, "Microbitcoin"),
    ("UETH", 12, "Microether"),
    ("UNI", 18, "Uniswap"),
    ("USDC", 6, "USD Coin"),
    ("USDD", 18, "USDD"),
    ("USDE", 18, "Ethena USDe"),
    ("USDP", 18, "Pax Dollar"),
    ("USDT", 6, "Tether"),
    ("VET", 18, "VeChain"),
    ("WBTC", 8, "Wrapped Bitcoin"),
    ("WETH", 18, "Wrapped Ether"),
    ("XEM", 6, "NEM"),
    ("XLM", 7, "Stellar"),
    ("XMR", 12, "Monero"),
    ("XRP", 6, "XRP"),
    ("XTZ", 6, "Tezos"),
    ("YFI", 18, "yearn.finance"),
    ("ZEC", 8, "Zcash"),
    ("ZIL", 12, "Zilliqa"),
)

ISO_4217: Mapping[str, Currency] = _table("fiat", _ISO_4217)
"""Every active ISO 4217 code that has a minor unit."""

CRYPTO: Mapping[str, Currency] = _table("crypto", _CRYPTO)
"""Coins and tokens in common use whose code has 3 or 4 characters, and the units casinos split them into."""

DEFAULT: Mapping[str, Currency] = MappingProxyType({**ISO_4217, **CRYPTO})
"""The table of a service that overrides nothing."""
