"""Commands that are imported when they are called, and the one place where failures become exit codes."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose command `name` is the object `name` of the module `caisse.cli.name`."""

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
        command: click.Command = getattr(import_module(f"caisse.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._about.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a user can mend is told in one line, a bug keeps its traceback."""
        from caisse.cli.failures import failure_of

        try:
            _refuse_unknown_settings()
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            failure = failure_of(error)
            if failure is None:
                raise
            raise failure from error


def _refuse_unknown_settings() -> None:
    from caisse.settings import refuse_unknown

    refuse_unknown(os.environ)
