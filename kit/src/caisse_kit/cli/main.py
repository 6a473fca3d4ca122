"""The command and its parts."""

from __future__ import annotations

import click

from caisse_kit.cli import check, compare, explain, mock_vendor, mutant, simulate

EPILOG = """
\b
Exit codes:
  0  every MUST holds (check), the books agree (simulate), nothing got worse (compare)
  1  a MUST failed, the books differ, or something got worse
  2  wrong usage, or nothing could be checked: no such player, no answer, not a test system
  130  interrupted
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="caisse-kit", prog_name="caisse-kit")
def cli() -> None:
    """Is a casino wallet right about the money? Checks, wrong wallets, a simulated provider."""


for _command in (
    *(check.check, explain.explain, compare.compare, mutant.mutant),
    *(simulate.simulate, mock_vendor.mock_vendor),
):
    cli.add_command(_command)
