"""Transaction ids: valid UUIDv7, each greater than the one before, whatever the clock does."""

from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest

from caisse.ids import id_source

MILLISECOND = 1_000_000


def test_an_id_is_a_uuid_of_version_7_that_tells_its_time() -> None:
    new_id = id_source(lambda: 0x0123_4567_89AB * MILLISECOND + 999_999)
    for _ in range(1_000):
        text = new_id()
        parsed = UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 7, RFC_4122)
        assert parsed.int >> 80 == 0x0123_4567_89AB


@pytest.mark.parametrize(
    "steps",
    [[0] * 5_000, [MILLISECOND] * 500, [MILLISECOND // 3] * 1_000, [-MILLISECOND] * 500, [7, -5] * 500],
    ids=["stands", "milliseconds", "thirds", "back", "to and fro"],
)
def test_ids_rise_whatever_the_clock_does(steps: list[int]) -> None:
    now = 1_700_000_000_000 * MILLISECOND

    def clock() -> int:
        nonlocal now
        now += next(moves)
        return now

    moves = iter(steps)
    new_id = id_source(clock)
    ids = [new_id() for _ in steps]
    assert all(a < b for a, b in pairwise(ids))


def test_two_sources_at_one_moment_give_different_ids() -> None:
    sources = [id_source(lambda: 1_700_000_000_000 * MILLISECOND) for _ in range(500)]
    ids = {new_id() for new_id in sources for _ in range(20)}
    assert len(ids) == 10_000
    assert len({UUID(text).int >> 62 & 0xFFF for text in ids}) > 300  # 12 random bits behind the version
    assert len({UUID(text).int >> 48 & 0x3FFF for text in ids}) > 450  # 14 behind the variant
