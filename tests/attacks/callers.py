"""Every way to call a door: what one shows, and where one comes from; and what must come of each.

Tables only. The addresses are this machine's own (127.0.x.y), or what a trusted proxy among them writes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tests.support.editions import Gambler
from tests.support.rig import House, new_id, secret
from tests.support.server import Call, Game, Partner

Fate = Literal["in", "elsewhere", "login", "unreadable", "nowhere", "no door"]
"""Let in; let in as somebody else, who has no such player; refused as everybody else is who may not call;
an unreadable body; no such path of the door; no path of any door."""

HOPS, INSIDE, OUTSIDE = "127.0.7.0/24", ("127.0.8.0/24", "203.0.113.0/24", "2001:db8::/32"), "127.0.9."

TOLD: dict[str, dict[Fate, tuple[int, str]]] = {
    "transfer V3": {"in": (200, "OK"), "elsewhere": (200, "4"), "login": (401, "8")},
    "transfer V4": {
        **{"in": (200, "0"), "elsewhere": (200, "17")},
        **{"login": (200, "4"), "unreadable": (200, "7")},
    },
    "seamless V4": {
        **{"in": (200, "0"), "elsewhere": (200, "100")},
        **{"login": (200, "4"), "nowhere": (404, "100"), "no door": (404, "not found")},
    },
    "seamless V3": {
        "in": (200, "OK"),
        "elsewhere": (200, "USER_NOT_FOUND"),
        "login": (401, "UNAUTHORIZED"),
    },
}
"""For each door the HTTP status and the code or word of each fate."""

MOVES = {"transfer V3": 1, "transfer V4": 1, "seamless V4": -1, "seamless V3": -1}
"""What a call that is let in does to the player's balance."""


class Keys(NamedTuple):
    """All credentials that there are, of whom and for what."""

    partner: Partner
    other: Partner
    revoked: str
    """A token of the partner that is no longer one."""
    key: str
    key_of_other: str
    key_of_rival: str
    """Of another provider of the same partner."""
    revoked_key: str


class Origin(NamedTuple):
    """Where a call comes from, and whether that is in the networks of the connections."""

    name: str
    source: str
    forwarded_for: Sequence[str] = ()
    inside: bool = False

    @property
    def headers(self) -> str:
        return "".join(f"X-Forwarded-For: {line}\r\n" for line in self.forwarded_for)


class Way(NamedTuple):
    """A call with some credential on some door."""

    endpoint: str
    state: str
    call: Call
    fate: Fate
    """From inside the networks."""
    fenced: bool = False
    """Whether networks matter; they do on the seamless door."""
    direct: bool = False
    """Whether it is taken only from this machine itself, through no proxy."""

    def fate_from(self, origin: Origin) -> Fate:
        if self.direct:
            return "login" if origin.forwarded_for else self.fate
        let_in = self.fate in ("in", "elsewhere")
        return "login" if self.fenced and let_in and not origin.inside else self.fate


def origins(chance: random.Random) -> list[Origin]:
    """Other addresses of the same kinds each time."""
    n = chance.randint(2, 250)
    hop, friend, foe, far = f"127.0.7.{n}", f"203.0.113.{n}", f"198.51.100.{n}", f"2001:db8::{n:x}"
    return [
        Origin("this machine", f"127.0.0.{n}"),
        Origin("an allowed network", f"127.0.8.{n}", (), True),
        Origin("another network", f"{OUTSIDE}{n}"),
        Origin("an allowed network, naming another", f"127.0.8.{n}", [foe], True),
        Origin("another network, naming an allowed one", f"{OUTSIDE}{n}", [friend]),
        Origin("another network, naming this machine", f"{OUTSIDE}{n}", ["127.0.0.1"]),
        Origin("a proxy itself", hop),
        Origin("a proxy, from an allowed network", hop, [friend], True),
        Origin("a proxy, from an allowed network, with a port", hop, [f"{friend}:{1000 + n}"], True),
        Origin("a proxy, from an allowed IPv6 network", hop, [f"[{far}]:443"], True),
        Origin("a proxy, from IPv4 as IPv6", hop, [f"::ffff:{friend}"], True),
        Origin("two proxies, from an allowed network", hop, [f"{friend}, 127.0.7.1"], True),
        Origin("two proxies, two lines", hop, [friend, "127.0.7.1"], True),
        Origin("a proxy, from another network", hop, [foe]),
        Origin("a proxy, from another network, forged", hop, [f"{friend}, {foe}"]),
        Origin("a proxy, forged in a line of its own", hop, [friend, foe]),
        Origin("a proxy, naming this machine", hop, ["127.0.0.1"]),
        Origin("a proxy, naming nothing", hop, [""]),
        Origin("a proxy, naming nonsense", hop, [f"{friend}, nonsense"]),
        Origin("a proxy, ending with a comma", hop, [f"{friend},"]),
    ]


def ways(house: House, keys: Keys, user: str) -> Iterator[Way]:
    """Each credential on each door, every call with keys of idempotency of its own."""
    for state, pairs, fate in _logins(keys):
        yield _transfer_v3(keys, user, state, pairs, fate)
        yield _transfer_v4(keys, user, state, pairs, fate)
    for state, shown, fate in _presented(keys):
        yield _seamless_v4(user, state, shown, fate)
        yield _seamless_v3(house, user, state, shown, fate)
    local = Game("", "local").bet(user, "1.0", new_id("b"), new_id("r"))
    yield Way("seamless V4", "keyless", local, "in", direct=True)
    bare = Game("").bet(user, "1.0", new_id("b"), new_id("r"))
    yield Way("seamless V4", "no key, another's provider", bare, "login")


def _logins(keys: Keys) -> list[tuple[str, list[tuple[str, str]], Fate]]:
    """(partner, token) as pairs in their order."""
    partner, token = keys.partner
    i, t = ("id", partner), ("token", token)
    return [
        ("right", [i, t], "in"),
        ("another partner's own", [("id", keys.other.id), ("token", keys.other.token)], "elsewhere"),
        *(
            (state, [i, ("token", text)], "login")
            for state, text in [*_near(token), ("revoked", keys.revoked), ("empty", "")]
        ),
        ("token of another partner", [i, ("token", keys.other.token)], "login"),
        ("a provider's key", [i, ("token", keys.key)], "login"),
        ("unknown partner", [("id", "nobody"), t], "login"),
        ("partner in another case", [("id", partner.upper()), t], "login"),
        ("no partner", [t], "login"),
        ("no token", [i], "login"),
        ("nothing", [], "login"),
        ("twice", [i, t, t], "unreadable"),
        ("twice, wrong and right", [i, ("token", "wrong"), t], "unreadable"),
    ]


def _presented(keys: Keys) -> list[tuple[str, list[str], Fate]]:
    """Keys in the URL: one, none or several."""
    return [
        ("right", [keys.key], "in"),
        ("another partner's own", [keys.key_of_other], "elsewhere"),
        *((state, [text], "login") for state, text in _near(keys.key)),
        ("revoked", [keys.revoked_key], "login"),
        ("of another provider", [keys.key_of_rival], "login"),
        ("a partner's token", [keys.partner.token], "login"),
        ("empty", [""], "nowhere"),
        ("twice", [keys.key, keys.key], "no door"),
    ]


def _near(right: str) -> list[tuple[str, str]]:
    """Wrong ones that a careless comparison takes for right."""
    return [
        ("wrong", secret("wrong")),
        ("all but the last character", right[:-1]),
        ("one character more", right + "x"),
        ("last character changed", right[:-1] + ("x" if right[-1] != "x" else "y")),
        ("in another case", right.swapcase()),
    ]


def _transfer_v3(keys: Keys, user: str, state: str, pairs: list[tuple[str, str]], fate: Fate) -> Way:
    names = {"id": "partner_id", "token": "token"}
    query = "&".join(f"{names[name]}={value}" for name, value in pairs)
    body = keys.partner.charge(user, "1.0").body
    fate = "login" if fate == "unreadable" else fate
    return Way("transfer V3", state, Call(f"/user/charge?{query}", body), fate)


def _transfer_v4(keys: Keys, user: str, state: str, pairs: list[tuple[str, str]], fate: Fate) -> Way:
    names = {"id": "secureLogin", "token": "token"}
    login = "".join(f'"{names[name]}":"{value}",' for name, value in pairs)
    rest = f'"uuid":"{new_id("u")}","userId":"{user}","currency":"USD","TransactionId":"{new_id("tx")}"'
    return Way("transfer V4", state, Call("/charge", f'{{{login}{rest},"amount":"1.0"}}'.encode()), fate)


def _seamless_v4(user: str, state: str, shown: list[str], fate: Fate) -> Way:
    game = Game("".join(f"/{key}" for key in shown))
    call = game.bet(user, "1.0", new_id("b"), new_id("r"))
    return Way("seamless V4", state, call, fate, fenced=True)


def _seamless_v3(house: House, user: str, state: str, shown: list[str], fate: Fate) -> Way:
    """It names no provider in its body: the key alone says whose bet it is."""
    query = "&".join(f"authToken={key}" for key in shown)
    body = Gambler(house, user, Game("/")).call("/seamless/v3/bet", id=new_id("b"), amount="1.0").body
    fate = "in" if state == "of another provider" else "login" if fate in ("nowhere", "no door") else fate
    return Way("seamless V3", state, Call(f"/seamless/v3/bet?{query}", body), fate, fenced=True)


def furnished_keys(house: House) -> Keys:
    """New ones, but for the partners that the house has."""
    return Keys(
        *(house.partner, house.secrets[1].partner, secret("token")),
        *(secret("key"), secret("key"), secret("key"), secret("key")),
    )
