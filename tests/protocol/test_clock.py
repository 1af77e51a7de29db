"""Rule 3: a clock is believed as far as it is plausible, and infects nobody."""

from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.clock import plausible_now, writer_time
from commonsnode_protocol.limits import PLAUSIBLE_AHEAD_MS, TIME_MS_MAX

NOW = 1_764_000_000_000
RELEASED = 1_763_000_000_000
times = st.integers(0, TIME_MS_MAX)


def test_a_time_is_the_wall_clock_where_nothing_is_later() -> None:
    assert writer_time(NOW, []) == NOW
    assert writer_time(NOW, [NOW - 1, 0]) == NOW


def test_a_time_is_above_the_times_it_refers_to() -> None:
    assert writer_time(NOW, [NOW]) == NOW + 1
    assert writer_time(NOW, [NOW + 5, NOW + 3]) == NOW + 6


def test_a_time_up_to_24_hours_ahead_is_gone_along_with_and_a_later_one_is_not() -> None:
    assert writer_time(NOW, [NOW + PLAUSIBLE_AHEAD_MS]) == NOW + PLAUSIBLE_AHEAD_MS + 1
    assert writer_time(NOW, [NOW + PLAUSIBLE_AHEAD_MS + 1]) == NOW
    assert writer_time(NOW, [TIME_MS_MAX, NOW + 7]) == NOW + 8


def test_a_time_never_leaves_its_range() -> None:
    assert writer_time(TIME_MS_MAX, [TIME_MS_MAX]) == TIME_MS_MAX
    assert writer_time(2**60, []) == TIME_MS_MAX
    assert writer_time(-5, []) == 0


@given(st.integers(-(2**62), 2**62), st.lists(times, max_size=5))
def test_any_time_is_in_range_and_no_further_ahead_than_is_plausible(now: int, refs: list[int]) -> None:
    time = writer_time(now, refs)
    assert 0 <= time <= TIME_MS_MAX
    assert time >= min(max(now, 0), TIME_MS_MAX)
    assert time <= max(now, 0) + PLAUSIBLE_AHEAD_MS + 1


def test_a_wall_clock_after_the_release_is_believed() -> None:
    assert plausible_now(RELEASED, RELEASED, NOW) == RELEASED
    assert plausible_now(NOW, RELEASED, NOW + 1) == NOW


def test_a_wall_clock_before_the_release_gives_way_to_the_release_or_a_later_saved_time() -> None:
    assert plausible_now(0, RELEASED, 0) == RELEASED
    assert plausible_now(RELEASED - 1, RELEASED, RELEASED - 2) == RELEASED
    assert plausible_now(0, RELEASED, NOW) == NOW
