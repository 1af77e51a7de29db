"""Points in polygons: the edges that pass beside a point decide as all edges together do."""

from collections.abc import Sequence
from itertools import pairwise
from math import cos, radians, sin

from hypothesis import assume, example, given
from hypothesis import strategies as st

from commonsnode_store.areas import HALF_ROUND_M, Distance, Point, Polygons, distance_m, flat
from commonsnode_store.cells import LAT_MAX, LON_MAX

_COORDINATES = st.integers(-12, 12) | st.integers(-900_000_000, 900_000_000)
_POINTS = st.tuples(_COORDINATES, _COORDINATES)
_RINGS = st.lists(_POINTS, min_size=3, max_size=40).map(lambda points: [*points, points[0]])


def by_all_edges(ring: Sequence[Point], lat: int, lon: int) -> int:
    """1 inside, 0 on an edge, -1 outside, by how often a way to the east crosses the ring."""
    inside = False
    for (y0, x0), (y1, x1) in pairwise(ring):
        turn = (x1 - x0) * (lat - y0) - (y1 - y0) * (lon - x0)
        if turn == 0 and min(x0, x1) <= lon <= max(x0, x1) and min(y0, y1) <= lat <= max(y0, y1):
            return 0
        if (y0 > lat) != (y1 > lat) and (turn > 0) == (y1 > y0):
            inside = not inside
    return 1 if inside else -1


@given(_RINGS, st.lists(_POINTS, max_size=20))
def test_a_point_is_in_a_ring_as_all_its_edges_say(ring: list[Point], points: list[Point]) -> None:
    area = Polygons([[ring]])
    for lat, lon in [*points, *ring]:
        assert area.holds(lat, lon) == (by_all_edges(ring, lat, lon) >= 0)


@given(_RINGS, _RINGS, _POINTS)
def test_holes_are_taken_out_but_for_their_edges(outer: list[Point], hole: list[Point], point: Point) -> None:
    expected = by_all_edges(outer, *point) >= 0 and by_all_edges(hole, *point) <= 0
    assert Polygons([[outer, hole]]).holds(*point) == expected


def test_a_comb_whose_every_edge_goes_from_south_to_north_is_one_too() -> None:
    teeth = [(lat, lon) for lon in range(0, 4_000, 2) for lat in ((0, 1_000) if lon % 4 == 0 else (1_000, 0))]
    ring = [*teeth, (-1, 4_000), (-1, 0), teeth[0]]
    area = Polygons([[ring]])
    for lon in range(-1, 50):
        assert area.holds(500, lon) == (by_all_edges(ring, 500, lon) >= 0)


@given(
    _POINTS, _POINTS, st.integers(0, 50_000), st.integers(-450_000, 450_000), st.integers(-450_000, 450_000)
)
def test_what_is_around_an_area_is_in_the_boxes_around_it(
    one: Point, other: Point, metres: int, north: int, east: int
) -> None:
    ring = [one, (one[0], other[1]), other, one]
    around = Polygons([[ring]]).around(metres)
    for lat, lon in ring:
        beside = max(-900_000_000, min(900_000_000, lat + north)), lon + east
        beside = beside[0], (beside[1] + 1_800_000_000) % 3_600_000_000 - 1_800_000_000
        if distance_m((lat, lon), beside) <= metres:
            assert around.holds(*beside)


@given(_POINTS, _POINTS, st.integers(0, 2 * HALF_ROUND_M) | st.integers(0, 5))
def test_what_is_within_a_radius_is_no_farther(origin: Point, point: Point, radius: int) -> None:
    distance = Distance(origin)
    for each in (radius, distance(*point), max(distance(*point) - 1, 0)):
        assert distance.within(each)(*point) == (distance(*point) <= each)


@given(
    st.tuples(st.integers(-LAT_MAX, LAT_MAX), st.integers(-LON_MAX, LON_MAX)),
    st.integers(0, 100_000),
    st.floats(0, 6.3),
    st.floats(0.9, 1.1) | st.floats(0, 3),
)
@example((620_000_000, 0), 100_000, 0.0, 1.0)
def test_on_a_flat_map_what_is_surely_inside_is_and_what_is_surely_outside_is_not(
    origin: Point, radius: int, direction: float, part: float
) -> None:
    circle = flat(origin, radius)
    assume(circle is not None)
    assert circle is not None
    degrees = radius * part / 111_195 * 1e7
    dlat = round(degrees * sin(direction))
    dlon = round(degrees * cos(direction) / cos(radians(origin[0] / 1e7)))
    point = (origin[0] + dlat, (origin[1] + dlon + LON_MAX) % (2 * LON_MAX) - LON_MAX)
    square = (point[0] - origin[0]) ** 2 + (point[1] - origin[1]) ** 2 * circle.stretch
    away = Distance(origin)(*point)
    assert away <= radius or square >= circle.inside
    assert away > radius or square <= circle.outside
