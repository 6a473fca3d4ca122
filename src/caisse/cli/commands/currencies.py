"""`caisse currencies`: the currencies that wallets may be held in."""

from collections.abc import Mapping
from pathlib import Path

import click

from caisse.cli import options, output
from caisse.cli.failures import Failed
from caisse.currencies.reader import table
from caisse.currencies.table import Currency, normalise

KEYS = ("code", "name", "exponent", "kind", "max_decimals")


@click.command
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@options.currencies
@options.as_json
def currencies(codes: tuple[str, ...], currencies: Path | None, as_json: bool) -> None:
    """List the currencies that wallets may be held in: all, or those of the given codes.

    The exponent is the customary number of decimals, for people. Only max_decimals limits the decimals of
    charges and bets. Exit code 1 if a code is unknown.
    """
    known = table(currencies)
    wanted, unknown = _chosen(codes, known) if codes else (list(known.values()), [])
    if as_json:
        output.emit([output.pick(currency, KEYS) for currency in wanted])
    elif wanted:
        output.table(tuple(key.upper().replace("_", " ") for key in KEYS), [_row(c) for c in wanted])
    if unknown:
        raise Failed(f"unknown: {', '.join(unknown)}; --currencies names a file with currencies of your own")


def _chosen(codes: tuple[str, ...], known: Mapping[str, Currency]) -> tuple[list[Currency], list[str]]:
    found = {code: known.get(normalise(code) or "") for code in codes}
    return [c for c in found.values() if c], [code for code, c in found.items() if not c]


def _row(c: Currency) -> tuple[str, ...]:
    return c.code, c.name, str(c.exponent), c.kind, "-" if c.max_decimals is None else str(c.max_decimals)
