"""The operator's changes to the currency table, from a TOML file with one `[[currency]]` table each."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from caisse.currencies import table as currencies
from caisse.currencies.table import Currency
from caisse.settings import BadSettings


def table(file: Path | None) -> Mapping[str, Currency]:
    """The default table, changed as the file says. BadSettings says what is wrong where."""
    if file is None:
        return currencies.DEFAULT
    try:
        data = tomllib.loads(file.read_text("utf-8"))
        unknown = sorted(data.keys() - {"currency"})
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}; known is [[currency]]")
        return currencies.with_overrides(currencies.DEFAULT, data.get("currency", []))
    except (OSError, ValueError) as error:
        raise BadSettings(f"{file}: {error}") from error
