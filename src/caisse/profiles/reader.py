"""From TOML files to policies. Strict: a misspelt key or value is an error that names the file."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec

from caisse.core.policy import Policy
from caisse.settings import BadSettings


class Words(NamedTuple):
    """What a profile may speak of."""

    fields: Collection[str]
    """Every field that a further spelling may stand for."""
    refusals: Collection[str]
    """Every verdict that may have a code of the operator's own."""
    codes: Collection[str]
    """Every code of the contract that may have another number."""


def profiles(folder: Path | None = None, words: Words | None = None) -> dict[str, Policy]:
    """Our own profiles and those of the operator's folder, by name. BadSettings says what is wrong where."""
    found: dict[str, Policy] = {}
    for file, text in _texts(folder):
        policy = read(text, file)
        if words:
            _check_spellings(policy.spellings, words.fields, file)
            _check_codes(policy.codes, words.refusals, file)
            _check_renumber(policy.renumber, words.codes, file)
        if policy.name in found:
            raise BadSettings(f"{file}: there is a profile named {policy.name} already")
        found[policy.name] = policy
    return found


def _texts(folder: Path | None) -> Iterator[tuple[str, str]]:
    ours = resources.files("caisse.profiles").iterdir()
    for file in sorted((f for f in ours if f.name.endswith(".toml")), key=lambda f: f.name):
        yield file.name, file.read_text("utf-8")
    if folder is None:
        return
    if not folder.is_dir():
        raise BadSettings(f"the profiles folder {folder} does not exist")
    for path in sorted(folder.glob("*.toml")):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(f"{path}: {error}") from error
        yield str(path), text


def read(text: str, file: str) -> Policy:
    """One profile. A profile must say its name."""
    try:
        policy = msgspec.convert(_named(tomllib.loads(text)), Policy)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise BadSettings(f"{file}: {error}") from error
    return policy


def _named(data: dict[str, object]) -> dict[str, object]:
    if not data.get("name"):
        raise ValueError("a profile needs a name")
    unknown = sorted(data.keys() - set(Policy.__struct_fields__))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(Policy.__struct_fields__)}")
    return data


def _check_codes(codes: Mapping[str, int], refusals: Collection[str], file: str) -> None:
    for name in codes:
        if name not in refusals:
            known = ", ".join(sorted(refusals))
            raise BadSettings(f"{file}: codes: {name!r} is no refusal of this door; known are {known}")


def _check_renumber(renumber: Mapping[str, int], codes: Collection[str], file: str) -> None:
    for code in renumber:
        if code not in codes:
            raise BadSettings(
                f"{file}: renumber: {code!r} is no code of the contract; known are {', '.join(codes)}"
            )


def _check_spellings(spellings: Mapping[str, str], fields: Collection[str], file: str) -> None:
    known = {name.lower() for name in fields}
    seen: set[str] = set()
    for spelling, name in spellings.items():
        if name.lower() not in known:
            raise BadSettings(
                f"{file}: spellings: {spelling!r} stands for {name!r}, which is no field; known are"
                f" {', '.join(sorted(fields, key=str.lower))}"
            )
        if spelling.lower() in known:
            raise BadSettings(f"{file}: spellings: {spelling!r} is a field's own name")
        if not spelling.isascii() or spelling.lower() in seen:
            raise BadSettings(
                f"{file}: spellings: {spelling!r} is not ASCII, or there twice but for letter case"
            )
        seen.add(spelling.lower())
