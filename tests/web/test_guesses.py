"""Wrong tokens and keys are counted by address; beyond a number, their refusals are held back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from caisse.web.throttle import ADDRESSES, FREE, HANG_UP, HELD, HOLD_SECONDS, WINDOW_SECONDS, LoginThrottle


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def holds(guesses: LoginThrottle, peers: Sequence[str]) -> list[float]:
    return [guesses.hold(peer) for peer in peers]


def test_the_first_of_an_address_are_refused_at_once_and_the_others_slowly() -> None:
    guesses = LoginThrottle(Clock())
    assert holds(guesses, ["192.0.2.1"] * (FREE + 2)) == [0.0] * FREE + [HOLD_SECONDS] * 2
    assert guesses.hold("192.0.2.2") == 0.0
    assert (guesses.wrong, guesses.held) == (FREE + 3, 2)


def test_the_count_begins_anew_after_the_window() -> None:
    clock = Clock()
    guesses = LoginThrottle(clock)
    holds(guesses, ["192.0.2.1"] * FREE)
    clock.now = WINDOW_SECONDS - 0.1
    assert guesses.hold("192.0.2.1") == HOLD_SECONDS
    clock.now = WINDOW_SECONDS
    assert guesses.hold("192.0.2.1") == 0.0


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8:0:0:ffff::9", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("", "nonsense", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_who_can_have_both_addresses_is_counted_once(one: str, other: str, together: bool) -> None:
    guesses = LoginThrottle(Clock())
    holds(guesses, [one] * FREE)
    assert (guesses.hold(other) > 0) is together


def test_the_table_of_addresses_is_bounded() -> None:
    guesses = LoginThrottle(Clock())
    holds(guesses, [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(ADDRESSES + 1000)])
    assert len(guesses) == ADDRESSES


def test_the_address_is_logged_once_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    holds(LoginThrottle(Clock()), ["192.0.2.1"] * (FREE + 50))
    assert [r.args for r in caplog.records] == [("192.0.2.1", FREE)]


def test_a_count_begun_anew_is_the_youngest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever fills the table with addresses would have his own count forgotten first, or never."""
    monkeypatch.setattr("caisse.web.throttle.ADDRESSES", 2)
    clock = Clock()
    guesses = LoginThrottle(clock)
    holds(guesses, ["10.0.0.1", "10.0.0.2"])
    clock.now = WINDOW_SECONDS
    holds(guesses, ["10.0.0.1"] * FREE)
    holds(guesses, ["10.0.0.3"])
    assert guesses.hold("10.0.0.1") == HOLD_SECONDS


def test_so_many_refusals_of_an_address_are_held_back_at_once_and_no_more() -> None:
    guesses = LoginThrottle(Clock())
    holds(guesses, ["192.0.2.1"] * FREE)
    assert holds(guesses, ["192.0.2.1"] * (HELD + 2)) == [HOLD_SECONDS] * HELD + [HANG_UP] * 2
    holds(guesses, ["192.0.2.2"] * FREE)
    assert guesses.hold("192.0.2.2") == HOLD_SECONDS
    guesses.release("192.0.2.1")
    assert holds(guesses, ["192.0.2.1"] * 2) == [HOLD_SECONDS, HANG_UP]
    for peer in ("192.0.2.1",) * HELD + ("192.0.2.2",):
        guesses.release(peer)
    assert guesses._now_held == {}
