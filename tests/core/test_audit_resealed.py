"""What an audit can tell of a row that was sealed anew with all after it: as docs/journal.md has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from caisse.audit.audit import Totals
from caisse.core.entries import NO_HEAD, Entry, Kind, sealed
from caisse.core.money import UNIT
from caisse.core.verdicts import Verdict
from tests.support.ledger import POLICIES, Ledger, audited, fresh, traffic

JOURNAL_PAGE = Path(__file__).resolve().parents[2] / "docs" / "journal.md"
BY_THE_CHAIN = ("partner", "player", "seq", "part", "hash")
"""Whose row it is and where it stands: what the chain itself is made of."""


def resealed(rows: list[Entry], at_row: int, values: dict[str, Any]) -> list[Entry]:
    """The rows with one of them changed, and every hash from there on made anew."""
    done, head = rows[:at_row], rows[at_row - 1].hash if at_row else NO_HEAD
    for row in [msgspec.structs.replace(rows[at_row], **values), *rows[at_row + 1 :]]:
        done.append(sealed(head, msgspec.structs.replace(row)))
        head = done[-1].hash
    return done


def others(name: str, value: Any) -> Iterator[Any]:
    """Values of its column that a row does not have."""
    if name == "verdict":
        yield from set(Verdict) - {value}
    elif name == "kind":
        yield from set(Kind) - {value}
    elif name == "id":
        yield from (fresh(), "x")
    elif isinstance(value, bytes):
        yield bytes([value[0] ^ 1]) + value[1:]
    elif isinstance(value, int):
        yield value + UNIT
    else:
        yield value + "x"
        if value:
            yield ""


@cache
def passing() -> dict[str, set[str]]:
    """Column -> kinds of rows in which a change passes, tried on one row of every kind and verdict."""
    chance, ledger = Random(7), Ledger()
    for request in traffic(chance, 1_500):
        ledger.ask(request, chance.choice(POLICIES))
    rows, account = ledger.rows_of("ann"), ledger.account("ann")
    assert account.player is not None
    assert audited(rows, account, Totals()) == []
    tried: set[tuple[str, str, bool]] = set()
    found: dict[str, set[str]] = {}
    for at, row in enumerate(rows):
        what = (row.kind, row.verdict, bool(row.part))
        if what in tried:
            continue
        tried.add(what)
        for name in Entry.__struct_fields__:
            for value in others(name, getattr(row, name)) if name not in BY_THE_CHAIN else ():
                new = resealed(rows, at, {name: value})
                player = msgspec.structs.replace(account.player, head=new[-1].hash, seq=new[-1].seq)
                if not audited(new, msgspec.structs.replace(account, player=player), Totals()):
                    found.setdefault(name, set()).add(row.kind)
    assert {kind for kind, _, _ in tried} == set(Kind) - {Kind.FORGET}
    return found


def told() -> dict[str, set[str]]:
    """The same as the page tells it: `all` where no kind is named."""
    lines = JOURNAL_PAGE.read_text().split("| not provable |", 1)[1].splitlines()[2:]
    rows = (line.split("|")[1:3] for line in lines[: lines.index("")])
    return {
        name.strip("` "): set(re.findall(r"`(\w+)`", kinds.partition(":")[0])) or {"all"}
        for name, kinds in rows
    }


def test_the_page_names_every_column_that_passes_and_no_other() -> None:
    assert passing().keys() == told().keys()


def test_the_page_names_the_kinds_in_which_it_passes() -> None:
    for name, kinds in told().items():
        if kinds != {"all"}:
            assert passing()[name] == kinds, name


def test_no_money_passes() -> None:
    assert not {"amount", "balance", "key"} & passing().keys()
