"""The supply chain: locks, and what is installed, each tampered with in every way."""

from __future__ import annotations

import importlib.metadata
import random
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from supply import installed, locks
from supply.locks import FOLDER, RUN, BadLock
from tests.torture.toolbox import NEITHER, Harness, Run

DEV = "dev.lock"
TO_COPY = "mdurl"
"""A small package of pure Python that is always installed: one of its files is changed in a copy."""


class Chain(NamedTuple):
    """All of it, as plain data."""

    texts: Mapping[str, str]
    """The locks, as they are written."""
    versions: Mapping[str, str]
    """What is installed."""

    def faults(self) -> list[str]:
        """Nothing, if an installation gets what was tested."""
        try:
            read = {name: list(locks.pins(text)) for name, text in self.texts.items()}
        except BadLock as error:
            return [str(error)]
        found = locks.unhashed(read) + locks.disagreeing(read)
        found += installed.differing(read[DEV], self.versions)
        return found + installed.unlocked(importlib.metadata.requires("caisse") or (), read[RUN])


Tampering = Callable[[Chain, random.Random], Chain]


def attack(run: Run) -> None:
    """Nothing is wrong with it as it is; and each tampering is noticed."""
    for _ in run.rounds():
        real = genuine()
        chain = TAMPERINGS[run.plant](real, run.chance) if run.plant else real
        run.find(*chain.faults())
        for name, tamper in TAMPERINGS.items():
            if not tamper(real, run.chance).faults():
                run.find(f"nobody notices: {name}")
            run.fault(name)
        run.find(*changed_files(run))
        run.saw("locked versions", sum(text.count("==") for text in real.texts.values()))


def genuine() -> Chain:
    """As it stands in the repository and in this environment."""
    texts = {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.lock")}
    return Chain(texts, installed.versions())


def changed_files(run: Run) -> list[str]:
    """What is installed of the served packages is as their wheels had it; one changed byte is seen."""
    names = {pin.name for pin in locks.read()[RUN]} & installed.versions().keys()
    found = [
        line for name in sorted(names) for line in installed.altered(importlib.metadata.distribution(name))
    ]
    copy = copied(TO_COPY, run.new_folder())
    victim = run.chance.choice([f for f in copy.files or () if f.hash and f.size and f.suffix == ".py"])
    path = Path(str(victim.locate()))
    path.write_bytes(path.read_bytes() + b"#")
    run.fault("changes a file after it was installed")
    return found if list(installed.altered(copy)) else [*found, f"nobody notices a change of {victim}"]


def copied(name: str, folder: Path) -> importlib.metadata.Distribution:
    """A distribution's files at another place."""
    for file in importlib.metadata.distribution(name).files or ():
        target = folder / file
        if ".." not in file.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)
    return next(iter(importlib.metadata.distributions(path=[str(folder)])))


def drops_hashes(chain: Chain, chance: random.Random) -> Chain:
    lock = chance.choice(sorted(chain.texts))
    name = chance.choice([pin.name for pin in locks.pins(chain.texts[lock])])
    bare = re.sub(rf"(?m)^({name}==[^\\\n]*[^\\\s])( *\\\n +--hash=\S+)+", r"\1", chain.texts[lock])
    return chain._replace(texts={**chain.texts, lock: bare})


def loosens(chain: Chain, chance: random.Random) -> Chain:
    lock = chance.choice(sorted(chain.texts))
    name = chance.choice([pin.name for pin in locks.pins(chain.texts[lock])])
    loose = re.sub(rf"(?m)^{name}==", f"{name}>=", chain.texts[lock])
    return chain._replace(texts={**chain.texts, lock: loose})


def changes_a_version(chain: Chain, chance: random.Random) -> Chain:
    lock = chance.choice([RUN, DEV])
    name = chance.choice([pin.name for pin in locks.pins(chain.texts[RUN])])
    other = re.sub(rf"(?m)^{name}==[^ \\\n]+", f"{name}==0.0.1", chain.texts[lock])
    return chain._replace(texts={**chain.texts, lock: other})


def installs_another(chain: Chain, chance: random.Random) -> Chain:
    everywhere = {pin.name for pin in locks.pins(chain.texts[DEV]) if not pin.marker}
    name = chance.choice(sorted(everywhere))
    return chain._replace(versions={**chain.versions, name: "0.0.1"})


TAMPERINGS: Mapping[str, Tampering] = {
    "drops the hashes of a requirement": drops_hashes,
    "wants any newer version": loosens,
    "locks another version": changes_a_version,
    "installs another version": installs_another,
}

HARNESS = Harness(
    claim="what is installed is locked with hashes, and unchanged",
    attack=attack,
    engines=(NEITHER,),
    plants={name: name for name in TAMPERINGS},
    weight=0.1,
)
