"""`python -m caisse`: the same as the `caisse` command."""

from caisse.cli.main import cli

if __name__ == "__main__":
    cli(prog_name="caisse")
