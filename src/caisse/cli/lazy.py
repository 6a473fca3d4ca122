"""Commands that are imported when they are called, and the one place where failures become exit codes."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

AS_JSON: Final = "caisse.as_json"
"""Whether --json was given, in the context's `meta`."""


class LazyGroup(click.Group):
    """A group whose command `name` is the object `name` of the module `caisse.cli.commands.name`."""

    def __init__(self, *args: Any, commands_about: Mapping[str, str], **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self._about = commands_about

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of their table."""
        return list(self._about)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in self._about:
            return None
        command: click.Command = getattr(import_module(f"caisse.cli.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._about.items()))

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Remember whether JSON is asked for: a failure is then JSON too."""
        as_json = "--json" in args
        try:
            ctx = super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            _report(error, as_json=as_json)
            raise
        ctx.meta[AS_JSON] = as_json
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a user can mend is one line, a bug keeps its traceback."""
        from caisse.cli.failures import failure_of
        from caisse.cli.output import EMITTED

        try:
            _refuse_unknown_settings()
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            failure = error if isinstance(error, click.ClickException) else failure_of(error)
            if failure is None:
                raise
            _report(failure, as_json=ctx.meta[AS_JSON] and EMITTED not in ctx.meta)
            raise failure from (None if failure is error else error)


def _report(failure: click.ClickException, *, as_json: bool) -> None:
    """Make the message harmless for a terminal; with --json write it to standard output too."""
    from caisse.cli.output import emit_failure, visible

    vars(failure)["message"] = visible(failure.message)
    if as_json:
        emit_failure(failure)


def _refuse_unknown_settings() -> None:
    from caisse.settings import refuse_unknown

    refuse_unknown(os.environ)
