"""Keys and words of the search index: every place of a box lies in the ranges that cover it, and has one of its words."""

from hypothesis import example, given
from hypothesis import strategies as st

from commonsnode_store.areas import HALF_ROUND_M, Distance, Polygons, circle_boxes
from commonsnode_store.cells import (
    LAT_MAX,
    LON_MAX,
    NO_MAX,
    NOWHERE,
    cover,
    key_of,
    no_of,
    words_for,
    words_of,
)

lats = st.integers(-LAT_MAX, LAT_MAX) | st.sampled_from((-LAT_MAX, 0, LAT_MAX))
lons = st.integers(-LON_MAX, LON_MAX) | st.sampled_from((-LON_MAX, 0, LON_MAX))
points = st.tuples(lats, lons)
radii = st.integers(0, 2 * HALF_ROUND_M) | st.integers(0, 50_000)


def covered(key: int, ranges: list[tuple[int, int]]) -> bool:
    return any(low <= key <= high for low, high in ranges)


@given(points, st.integers(0, NO_MAX))
def test_a_key_says_which_record_it_is_of(point: tuple[int, int], no: int) -> None:
    assert no_of(key_of(*point, no)) == no
    assert key_of(*point, no) < NOWHERE <= key_of(None, None, no) < 2**63


def test_what_is_off_the_earth_has_no_place() -> None:
    assert key_of(LAT_MAX + 1, 0, 5) == NOWHERE | 5
    assert key_of(0, -LON_MAX - 1, 5) == NOWHERE | 5


@given(points, radii, points, st.tuples(st.integers(-200_000, 200_000), st.integers(-200_000, 200_000)))
@example((0, LON_MAX), 0, (0, -LON_MAX), (0, 0))
@example((LAT_MAX, 0), 10, (LAT_MAX, LON_MAX), (0, 0))
@example((0, 0), 2 * HALF_ROUND_M, (0, LON_MAX), (0, 0))
def test_what_is_within_a_radius_is_in_the_ranges_that_cover_it(
    origin: tuple[int, int], radius: int, far: tuple[int, int], step: tuple[int, int]
) -> None:
    distance = Distance(origin)
    near = (
        min(max(origin[0] + step[0], -LAT_MAX), LAT_MAX),
        (origin[1] + step[1] + LON_MAX) % (2 * LON_MAX) - LON_MAX,
    )
    boxes = circle_boxes(origin, radius)
    for few in (2, 16):
        ranges = cover(boxes, few)
        assert len(ranges) <= few
        assert ranges == sorted(ranges)
        for point in (far, near, origin):
            if distance(*point) <= radius:
                assert covered(key_of(*point, 1), ranges)
    words = words_for(boxes)
    for point in (far, near, origin):
        if words is not None and distance(*point) <= radius:
            assert set(words) & set(words_of(key_of(*point, 1)).split())


def square(half: int, lat: int = 0, lon: int = 0) -> list[tuple[int, int]]:
    return [(lat + a * half, lon + b * half) for a, b in ((-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1))]


@given(st.integers(-30, 30), st.integers(-30, 30))
def test_a_hole_is_not_in_a_polygon_and_its_edge_is(lat: int, lon: int) -> None:
    ring = Polygons([[square(20), square(10)]])
    farthest = max(abs(lat), abs(lon))
    assert ring.holds(lat, lon) == (10 <= farthest <= 20)
    assert Polygons([[square(5)], [square(5, 20, 20)]]).holds(lat, lon) == (
        farthest <= 5 or max(abs(lat - 20), abs(lon - 20)) <= 5
    )
