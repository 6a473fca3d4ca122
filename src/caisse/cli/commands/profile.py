"""`caisse profile`: what a provider's contract leaves open, decision by decision, in words."""

from pathlib import Path

import click
import msgspec

from caisse.cli import options, output
from caisse.cli.failures import Failed
from caisse.core.policy import DEFAULT_POLICY, Policy, in_words
from caisse.dialects.policies import policies


@click.group
def profile() -> None:
    """Policy profiles: one for each connection; 'caisse connection add --profile NAME' chooses it.

    Profiles of your own are TOML files in a folder that --profiles names, here and for 'caisse serve'.
    """


@profile.command("list")
@options.profiles
@options.as_json
def list_(profiles: Path | None, as_json: bool) -> None:
    """List the profiles that a connection may have, with what differs from the default one."""
    found = policies(profiles)
    if as_json:
        output.emit([msgspec.to_builtins(found[name]) for name in sorted(found)])
        return
    output.table(("PROFILE", "DIFFERS IN"), [(name, _own(found[name])) for name in sorted(found)])


def _own(policy: Policy) -> str:
    """The decisions that are not the default profile's."""
    usual = {key: value for key, value, _ in in_words(DEFAULT_POLICY)}
    own = [f"{key} = {value}" for key, value, _ in in_words(policy) if value != usual[key]]
    return "; ".join(own) or "nothing: the defaults"


@profile.command
@click.argument("name")
@options.profiles
@options.as_json
def show(name: str, profiles: Path | None, as_json: bool) -> None:
    """Show each decision of the profile NAME in words, with its rule."""
    found = policies(profiles)
    if name not in found:
        raise Failed(
            f"there is no profile {name}; there are {', '.join(sorted(found))};"
            " --profiles names a folder with your own"
        )
    words = in_words(found[name])
    if as_json:
        decisions = [{"key": key, "value": value, "meaning": meaning} for key, value, meaning in words]
        output.emit({**msgspec.to_builtins(found[name]), "decisions": decisions})
        return
    output.say(f"profile {name}\n")
    output.table(("DECISION", "VALUE", "MEANING"), words)
