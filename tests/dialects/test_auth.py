"""Who is calling: tokens, keys, networks, and the keyless way on loopback."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisse.core.parties import Parties, Partner, secret_hash
from caisse.dialects.wire import auth
from caisse.dialects.wire.auth import Access, credentials
from caisse.web.server.origin import is_loopback
from tests.support.harness import KEY, connection

PARTIES = Parties(
    (
        Partner("demo", (secret_hash("old"), secret_hash("new"))),
        Partner("a b&c=é", (secret_hash("x+y z%"),)),
        Partner("revoked", ()),
    ),
    (),
)
ACCESS = Access(PARTIES)

QUERIES = [
    ("partner_id=demo&token=old", "demo"),
    ("token=new&partner_id=demo", "demo"),
    ("&partner_id=demo&&token=new&", "demo"),
    ("partner_id=demo&token=new&other=1&other=2", "demo"),
    ("partner%5fid=demo&token=%6e%65w", "demo"),
    ("partner_id=a%20b%26c%3D%C3%A9&token=x+y%20z%25", "a b&c=é"),
    ("partner_id=a%20b%26c%3D%C3%A9&token=x%2By%20z%25", "a b&c=é"),
    ("", None),
    ("partner_id=demo", None),
    ("token=new", None),
    ("partner_id=demo&token=", None),
    ("partner_id=&token=new", None),
    ("partner_id=demo&token=wrong", None),
    ("partner_id=nobody&token=new", None),
    ("partner_id=revoked&token=new", None),
    ("partner_id=DEMO&token=new", None),
    ("PARTNER_ID=demo&token=new", None),
    ("partner_id=demo&token=new&token=new", None),
    ("partner_id=demo&partner_id=demo&token=new", None),
    ("partner_id=demo&token=new&%74oken=new", None),
    ("partner_id=demo&token=new%", None),
    ("partner_id=demo&token=new%zz", None),
    ("partner_id=demo&token=%ff", None),
    ("partner_id=demo&token=new;x=1", None),
    ("partner_id=demo&token=né", None),
    ("partner_id=demo&token=\udcff", None),
    ("partner_id=demo&token=" + "x" * (auth.MAX_SECRET + 1), None),
]


@pytest.mark.parametrize(("query", "partner"), QUERIES)
def test_a_query_names_a_partner_with_a_right_token_or_nobody(query: str, partner: str | None) -> None:
    assert ACCESS.partner(query) == partner


@settings(deadline=None)
@given(st.text(alphabet="partner_id=token&%+6e\udcffé", max_size=80) | st.text(max_size=40))
def test_no_query_raises(query: str) -> None:
    assert ACCESS.partner(query) is None or query
    credentials(query)


@given(
    st.lists(
        st.sampled_from(["partner_id=a", "token=b", "token=", "x", "partner_id=%61", "token=b=c", "é=1"])
    )
)
def test_the_quick_way_reads_what_the_thorough_one_does(parts: list[str]) -> None:
    query = "&".join(parts)
    thorough = auth.parameters(query, ("partner_id", "token"))
    assert credentials(query) == (thorough and (thorough["partner_id"], thorough["token"]))


def test_unknown_partners_are_compared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong token, revoked partner and unknown partner: one hash, one comparison for each active token."""
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    monkeypatch.setattr(auth, "compare_digest", compare)
    for partner, times in (("demo", 2), ("revoked", 1), ("nobody", 1)):
        compared.clear()
        assert not ACCESS.is_partner(partner, "wrong")
        assert compared == [secret_hash("wrong")] * times


LOCAL = connection(key_hash=b"", id="local")
NETWORKS = ("10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize(
    ("networks", "peer", "allowed"),
    [
        ((), "203.0.113.9", True),
        ((), "", True),
        (NETWORKS, "10.1.2.3", True),
        (NETWORKS, "::ffff:10.1.2.3", True),
        (NETWORKS, "2001:db8::1", True),
        (NETWORKS, "11.1.2.3", False),
        (NETWORKS, "::ffff:11.1.2.3", False),
        (NETWORKS, "2001:db9::1", False),
        (NETWORKS, "", False),
        (NETWORKS, "nonsense", False),
        (("10.0.0.1",), "10.0.0.1", True),
        (("10.0.0.7/8",), "10.9.9.9", True),
    ],
)
def test_a_key_opens_its_connection_to_its_networks(
    networks: tuple[str, ...], peer: str, allowed: bool
) -> None:
    one = connection(networks=networks)
    access = Access(Parties((), (one, LOCAL)))
    assert access.by_key(KEY, peer) == (one if allowed else None)


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "k", KEY.upper(), "\udcff", "é", "k" * 10_000])
def test_another_key_opens_nothing(key: str) -> None:
    assert Access(Parties((), (connection(), LOCAL))).by_key(key, "10.0.0.1") is None


def test_the_only_keyless_connection_needs_no_name_and_several_do() -> None:
    peer, second = "127.0.0.1", connection(key_hash=b"", id="second", provider="second")
    alone = Access(Parties((), (connection(), LOCAL)))
    assert alone.keyless(None, peer) == alone.keyless("anything", peer) == LOCAL
    several = Access(Parties((), (LOCAL, second)))
    assert several.keyless("LuckyMonaco", peer) == LOCAL
    assert several.keyless("second", peer) == second
    for named in (None, "", "third", 7, ["second"]):
        assert several.keyless(named, peer) is None
    twice = Access(Parties((), (LOCAL, connection(key_hash=b"", id="again", partner="other"))))
    assert twice.keyless("luckymonaco", peer) is None
    assert Access(Parties((), (connection(),))).keyless("luckymonaco", peer) is None
    fenced = Access(Parties((), (connection(key_hash=b"", networks=("127.0.0.2/32",)),)))
    assert fenced.keyless("luckymonaco", peer) is None


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_only(peer: str, local: bool) -> None:
    assert is_loopback(peer) == local
