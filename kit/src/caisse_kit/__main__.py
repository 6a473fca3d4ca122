"""`python -m caisse_kit`."""

from caisse_kit.cli.main import cli

cli(prog_name="caisse-kit")
