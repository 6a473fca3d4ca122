"""Lives for the model to foretell: random commands of few players, rounds and references, which so meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.attacks.doors import VERBS, Command
from tests.support.rig import BY_ROUND, CLOSED_GAME, DEFAULT, PROFILES, RIVAL

OFTEN = [
    *(("transfer3", verb) for verb in ("charge", "withdraw")),
    *(("transfer4", verb) for verb in ("charge", "withdraw", "status")),
    *(("seamless4", verb) for verb in ("bet", "bet", "bet", "bet", "result", "result", "refund", "refund")),
    *(("seamless4", verb) for verb in ("refund", "cancel", "end")),
    *(("seamless3", verb) for verb in ("bet", "bet", "result", "cancel")),
]
ONCE = [(door, verb) for door, verbs in VERBS.items() for verb in verbs]
"""Every verb of every door."""

AMOUNTS = (
    *(("5.0",) * 6 + ("5.000000000000000001",) * 2),
    *("1.0", "3.000000000000000001", "20", "0.0", "99999999999999.0", "1e3", "-1"),
)
POOLS: dict[str, tuple[str, ...]] = {
    "user": ("ann",) * 8 + ("bob", "bob", "Ann", "nobody"),
    "name": ("Name", "Other"),
    "uuid": ("a", "b", "c", "d", "e", "A"),
    "currency": ("USD",) * 9 + ("EUR", "usd", "XQX"),
    "amount": AMOUNTS,
    "transaction": ("t1", "t2", "T2"),
    "reference": ("x1", "x2", "x3", "X3"),
    "round": ("r1", "r1", "r1", "r2"),
    "game": ("g1",) * 9 + ("g2", CLOSED_GAME),
    "session": ("s1", "s2", "s2", "s2"),
    "bonus": ("bonus-1",),
    "closes": ("ok",),
    "promo_amount": ("2.0", "2.0", "2.0", "0.0"),
    "promo_reference": ("x1", "x2"),
}
"""Few of each, so that they meet."""
CANONICAL = ("a", "b", "A")
"""Uuids that are spelled canonically on every door; the others are free text where that is allowed."""
OWN = ("user", "transaction", "reference", "round", "session", "promo_reference")
"""Fields whose values are one life's own."""


def _field(name: str) -> st.SearchStrategy[Any]:
    some = st.sampled_from(POOLS[name.rstrip("?")])
    return st.none() | some if name.endswith("?") else some


def _command(door: str, verb: str) -> st.SearchStrategy[Command]:
    fields = VERBS[door][verb][1].split()
    profiles = (
        st.sampled_from((DEFAULT,) * 6 + (BY_ROUND, RIVAL, *PROFILES))
        if "seamless" in door
        else st.just(DEFAULT)
    )
    drawn = st.fixed_dictionaries({name.rstrip("?"): _field(name) for name in fields})
    return st.builds(Command, st.just(door), st.just(verb), profiles, drawn)


Step = Command | int | None
"""A command; or the one that was sent so many commands ago, once more; or, to make a life short, nothing."""


def _drawn(choice: Any) -> st.SearchStrategy[Step]:
    return _command(*choice) if choice else st.none()


new = st.sampled_from((None, *OFTEN, *OFTEN, *ONCE)).flatmap(_drawn)
lives = st.lists(st.one_of(new, new, new, new, st.integers(1, 6)), min_size=30, max_size=40)


def _begins(door: str, verb: str, user: str, **fields: str) -> Command:
    return Command(door, verb, DEFAULT, {"user": user, "uuid": f"{verb}-{user}{len(fields)}", **fields})


STAKE = {"currency": "USD", "amount": "5.0", "game": "g1", "session": "s1"}
BIRTH = [
    _begins("transfer4", "create", "ann", name="Ann"),
    _begins("transfer4", "create", "bob"),
    _begins("transfer4", "open", "ann", currency="USD"),
    _begins("transfer4", "open", "bob", currency="USD"),
    _begins("transfer4", "open", "bob", currency="EUR"),
    _begins("transfer4", "charge", "ann", currency="USD", amount="30.0", transaction="first"),
    _begins("transfer4", "charge", "bob", currency="EUR", amount="20.0", transaction="other"),
    _begins("seamless4", "bet", "ann", reference="x1", round="r1", **STAKE),
    _begins("seamless4", "bet", "ann", reference="x2", round="r1", **STAKE),
    _begins("seamless3", "bet", "ann", round="r2", **STAKE),
]
"""How every life begins: with bets that stand, since most of the rules are about what becomes of one."""
LOOKS = [Command("transfer3", "info", DEFAULT, {"user": user, "uuid": "e"}) for user in ("ann", "bob")]


def owned(command: Command, life: int) -> Command:
    """The command with ids that no other life has."""
    fields = dict(command.fields)
    for name in OWN:
        if fields.get(name) is not None:
            fields[name] = f"{life}-{fields[name]}"
    if uuid := fields.get("uuid"):
        fits = command.endpoint == "transfer3" or uuid in CANONICAL
        fields["uuid"] = f"{life:08}-0000-4000-8000-{uuid:0>12}" if fits else f"{life}-{uuid}"
    return command._replace(fields=fields)


def whole(steps: list[Step], life: int) -> list[Command]:
    """A life from its birth to a last look at everybody in it."""
    played = list(BIRTH)
    for step in steps:
        if isinstance(step, int):
            played.append(played[-step])
        elif step:
            played.append(step)
    return [owned(command, life) for command in (*played, *LOOKS)]
