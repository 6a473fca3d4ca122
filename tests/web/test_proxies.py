"""Addresses out of X-Forwarded-For: what trusted hops wrote counts, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisse.web.proxies import MAX_HOPS, UNKNOWN, Proxies

PROXIES = Proxies(["10.0.0.0/8", "2001:db8:1::/48"])
HOP, STRANGER, CLIENT = "10.0.0.1", "198.51.100.7", "203.0.113.7"

CASES = [
    (HOP, CLIENT, CLIENT),
    (HOP, f"{CLIENT}, 10.9.9.9", CLIENT),
    (HOP, f"{CLIENT},10.9.9.9,\t10.8.8.8 ", CLIENT),
    (HOP, f"{CLIENT}, {STRANGER}", STRANGER),
    (HOP, f"{CLIENT}, {STRANGER}, 10.9.9.9", STRANGER),
    (HOP, f"nonsense, {CLIENT}", CLIENT),
    (HOP, f"{CLIENT}:4711", CLIENT),
    (HOP, f"::ffff:{CLIENT}", CLIENT),
    (HOP, f"[::ffff:{CLIENT}]:4711", CLIENT),
    (HOP, "2001:DB8::1", "2001:db8::1"),
    (HOP, "[2001:db8::1]", "2001:db8::1"),
    (HOP, "[2001:db8::1]:443, [2001:db8:1::5]:443", "2001:db8::1"),
    ("2001:db8:1::9", CLIENT, CLIENT),
    (f"::ffff:{HOP}", CLIENT, CLIENT),
    (HOP, "127.0.0.1", "127.0.0.1"),
    (HOP, "10.9.9.9", "10.9.9.9"),
    (STRANGER, CLIENT, STRANGER),
    ("127.0.0.1", CLIENT, "127.0.0.1"),
    (HOP, "", UNKNOWN),
    (HOP, ",", UNKNOWN),
    (HOP, f"{CLIENT},", UNKNOWN),
    (HOP, f"{CLIENT}, nonsense", UNKNOWN),
    (HOP, f"{CLIENT}, unknown, 10.9.9.9", UNKNOWN),
    (HOP, f"{CLIENT}:", UNKNOWN),
    (HOP, f"{CLIENT}:x", UNKNOWN),
    (HOP, f"[{CLIENT}", UNKNOWN),
    (HOP, f'"{CLIENT}"', UNKNOWN),
    (HOP, f"for={CLIENT}", UNKNOWN),
    (HOP, "203.0.113.07", UNKNOWN),
    (HOP, "203.0.113", UNKNOWN),
    (HOP, "3405803783", UNKNOWN),
    (HOP, "fe80::1%eth0", UNKNOWN),
    (HOP, f"{CLIENT}%1", UNKNOWN),
    (HOP, "٢٠٣.0.113.7", UNKNOWN),
    (HOP, "1" * 10_000, UNKNOWN),
    (HOP, ",".join(["10.9.9.9"] * (MAX_HOPS - 1)), "10.9.9.9"),
    (HOP, ",".join([CLIENT] + ["10.9.9.9"] * MAX_HOPS), UNKNOWN),
]


@pytest.mark.parametrize(("peer", "header", "client"), CASES)
def test_the_nearest_address_that_is_no_trusted_hop_is_the_client(
    peer: str, header: str, client: str
) -> None:
    assert PROXIES.client(peer, header) == client


@pytest.mark.parametrize("header", ["", CLIENT, "127.0.0.1", "nonsense"])
def test_without_trusted_proxies_nobody_is_believed(header: str) -> None:
    assert Proxies().client(HOP, header) == HOP


@given(st.text(max_size=60), st.lists(st.ip_addresses().map(str)))
def test_what_stands_left_of_an_untrusted_hop_changes_nothing(forged: str, more: list[str]) -> None:
    header = ",".join([forged.replace(",", ""), *more, STRANGER])
    assert PROXIES.client(HOP, header) == STRANGER


@given(st.text(max_size=60), st.text(alphabet="0123456789.:[]abf, \t%", max_size=60))
def test_no_header_raises(peer: str, header: str) -> None:
    PROXIES.client(peer, header)
    PROXIES.client(HOP, header)
