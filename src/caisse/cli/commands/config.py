"""`caisse config`: which settings are in force, and where each comes from."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from caisse.cli import options, output
from caisse.settings import VARIABLES

SECRETS = ("token", "key")


class Setting(NamedTuple):
    """One setting as it may be shown."""

    name: str
    value: str | int | None
    source: str


@click.group
def config() -> None:
    """The settings in force."""


@config.command
@options.serving
@options.as_json
@click.pass_context
def show(ctx: click.Context, /, as_json: bool, **given: Any) -> None:
    """Show the settings that `caisse serve` would use with the same options, and where each comes from.

    Secrets are masked.
    """
    settings = [*_flags(ctx, given), *_variables()]
    if as_json:
        output.emit({s.name: {"value": s.value, "from": s.source} for s in settings})
        return
    rows = [(s.name, "-" if s.value is None else str(s.value), s.source) for s in settings]
    output.table(("SETTING", "VALUE", "FROM"), rows)


def _flags(ctx: click.Context, given: dict[str, Any]) -> Iterator[Setting]:
    for parameter in ctx.command.params:
        if parameter.name in given:
            value = given[parameter.name]
            if parameter.name == "url":
                value = options.masked(value)
            elif isinstance(value, tuple):
                value = ",".join(value) or None
            elif isinstance(value, Path):
                value = str(value)
            yield Setting(parameter.opts[0].removeprefix("--"), value, _source(ctx, parameter))


def _source(ctx: click.Context, parameter: click.Parameter) -> str:
    match ctx.get_parameter_source(parameter.name or ""):
        case ParameterSource.COMMANDLINE:
            return parameter.opts[0]
        case ParameterSource.ENVIRONMENT:
            return str(parameter.envvar)
        case _:
            return "default"


def _variables() -> Iterator[Setting]:
    """What other commands take from the environment and must not be shown."""
    for variable in VARIABLES:
        name = variable.removeprefix("CAISSE_").lower()
        if name in SECRETS:
            given = bool(os.environ.get(variable))
            yield Setting(name, "***" if given else None, variable if given else "not set")
