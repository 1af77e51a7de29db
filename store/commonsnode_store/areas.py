"""Areas on the earth, taken as a ball: circles and polygons, what is in them, and the boxes that hold them.

Distances are great circles on a ball of 6,371,008.8 m (the mean radius): at most 0.6 % from those on the ellipsoid.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import asin, cos, pi, radians, sin, sqrt, tan
from typing import TypeAlias

from commonsnode_store.cells import LAT_MAX, LON_MAX, Box

EARTH_M = 6_371_008.8
HALF_ROUND_M = int(EARTH_M * pi) + 1  # nothing is farther away
POINTS_MAX = 10_000  # of all rings of an area together
BANDS_MAX = 512  # of a ring
ENTRIES_PER_EDGE = 8  # in all bands together, for each edge
FLAT_M_MAX, FLAT_LAT_MAX = 100_000, radians(70)  # see `flat`
_UNIT = radians(1e-7)
_HALF_UNIT = _UNIT / 2
_EDGE = 1e-6  # of the square of a radius, in which the rounding of a distance decides
_SLACK = 2  # units of 1e-7 degrees that a box is wider, for what floats round away

Point: TypeAlias = tuple[int, int]  # lat, lon in 1e-7 degrees
Ring: TypeAlias = Sequence[Point]


class BadArea(ValueError):
    """An area that is none; the words say why."""


@dataclass(frozen=True, slots=True)
class Polygons:
    """One or more polygons: of each the outer ring, then its holes. A point on the edge is inside.

    Edges are straight on a map of degrees, as in GeoJSON; what crosses the date line comes cut in two, as there.
    """

    polygons: Sequence[Sequence[Ring]]
    _banded: Sequence[Sequence["_Banded"]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rings = [ring for polygon in self.polygons for ring in polygon]
        if not self.polygons or any(not polygon for polygon in self.polygons):
            raise BadArea("an area has a polygon, and a polygon has an outer ring")
        if sum(map(len, rings)) > POINTS_MAX:
            raise BadArea(f"an area has at most {POINTS_MAX} points")
        for ring in rings:
            if len(ring) < 4 or ring[0] != ring[-1]:
                raise BadArea("a ring has four points or more, and its last is its first")
            if any(abs(lat) > LAT_MAX or abs(lon) > LON_MAX for lat, lon in ring):
                raise BadArea("a latitude is from -90 to 90, a longitude from -180 to 180")
        banded = [[_Banded(ring) for ring in polygon] for polygon in self.polygons]
        object.__setattr__(self, "_banded", banded)

    def boxes(self) -> list[Box]:
        """What holds each of the polygons."""
        return [
            (
                min(lat for lat, _ in outer),
                min(lon for _, lon in outer),
                max(lat for lat, _ in outer),
                max(lon for _, lon in outer),
            )
            for outer, *_ in self.polygons
        ]

    def holds(self, lat: int, lon: int) -> bool:
        """Whether a point is in it, and in none of the holes."""
        return any(_within(polygon, lat, lon) for polygon in self._banded)

    def around(self, metres: int) -> "Polygons":
        """Boxes that hold all that is no farther from it than this."""
        wide = [box for of in self.boxes() for box in _wider(of, metres)]
        return Polygons([[[(s, w), (s, e), (n, e), (n, w), (s, w)]] for s, w, n, e in wide])


def distance_m(a: Point, b: Point) -> int:
    """Between two points, in whole metres."""
    return Distance(a)(*b)


class Distance:
    """How far points are from one, in whole metres."""

    def __init__(self, origin: Point) -> None:
        self._lat, self._lon = origin
        self._cos = cos(self._lat * _UNIT)

    def __call__(self, lat: int, lon: int) -> int:
        across, along = sin((lat - self._lat) * _HALF_UNIT), sin((lon - self._lon) * _HALF_UNIT)
        squared = across * across + self._cos * cos(lat * _UNIT) * along * along
        return round(2 * EARTH_M * asin(min(sqrt(squared), 1.0)))

    def within(self, radius_m: int) -> Callable[[int, int], bool]:
        """Whether points are no farther than this: told without their distance, but for those near the edge."""
        half_angle = (radius_m + 0.5) / (2 * EARTH_M)
        edge = sin(half_angle) ** 2 if half_angle < pi / 2 else 2.0
        inside, outside = edge * (1 - _EDGE), edge * (1 + _EDGE)
        lat_0, lon_0, cos_0 = self._lat, self._lon, self._cos

        def holds(lat: int, lon: int) -> bool:
            across, along = sin((lat - lat_0) * _HALF_UNIT), sin((lon - lon_0) * _HALF_UNIT)
            squared = across * across + cos_0 * cos(lat * _UNIT) * along * along
            if squared < inside:
                return True
            return squared <= outside and self(lat, lon) <= radius_m

        return holds


@dataclass(frozen=True, slots=True)
class Flat:
    """A small circle as on a flat map, so that SQL can tell of most points whether they are in it.

    The square of the distance there is dlat² + stretch · dlon², in 1e-7 degrees. Below `inside` a point is in the circle, above
    `outside` it is not, and between the two its distance must be measured.
    """

    stretch: float
    inside: float
    outside: float


def flat(origin: Point, radius_m: int) -> Flat | None:
    """None where the earth is too round for that: of a large circle, near a pole, or across the date line."""
    lat, lon = origin
    angle = (radius_m + 1) / EARTH_M
    farthest = abs(lat) * _UNIT + angle
    if radius_m > FLAT_M_MAX or farthest > FLAT_LAT_MAX:
        return None
    if abs(lon) * _UNIT + 2 * angle / cos(farthest) > pi:
        return None
    # Within the circle cos(lat) is another by this part at most; the rest is what a chord is shorter than its arc.
    error = 2 * (angle * tan(farthest) + angle * angle) + 1e-6
    square = ((radius_m + 0.5) / EARTH_M / _UNIT) ** 2
    return Flat(cos(lat * _UNIT) ** 2, square * (1 - error), square * (1 + error) + 1)


def circle_boxes(origin: Point, radius_m: int) -> list[Box]:
    """One or two boxes that hold all within a radius: two where it crosses the date line."""
    lat, lon = origin
    angle = (radius_m + 1) / EARTH_M
    reach = int(angle / _UNIT) + _SLACK
    south, north = lat - reach, lat + reach
    if south <= -LAT_MAX or north >= LAT_MAX:  # a pole is inside: every longitude
        return [(max(south, -LAT_MAX), -LON_MAX, min(north, LAT_MAX), LON_MAX)]
    ratio = sin(angle) / cos(lat * _UNIT)
    half = int(asin(min(ratio, 1.0)) / _UNIT) + _SLACK if ratio < 1 else LON_MAX
    west, east = lon - half, lon + half
    if half >= LON_MAX:
        return [(south, -LON_MAX, north, LON_MAX)]
    if west < -LON_MAX:
        return [(south, -LON_MAX, north, east), (south, west + 2 * LON_MAX, north, LON_MAX)]
    if east > LON_MAX:
        return [(south, west, north, LON_MAX), (south, -LON_MAX, north, east - 2 * LON_MAX)]
    # The date line has two names, and a thing on it may bear the other one.
    other = [(south, LON_MAX, north, LON_MAX)] if west == -LON_MAX else []
    return [
        (south, west, north, east),
        *other,
        *([(south, -LON_MAX, north, -LON_MAX)] if east == LON_MAX else []),
    ]


def _wider(box: Box, metres: int) -> Iterator[Box]:
    """One box, or several where it crosses the date line, which has two names."""
    south, west, north, east = box
    angle = (metres + 1) / EARTH_M
    reach = int(angle / _UNIT) + _SLACK
    south, north = south - reach, north + reach
    if south <= -LAT_MAX or north >= LAT_MAX:  # a pole is inside: every longitude
        yield max(south, -LAT_MAX), -LON_MAX, min(north, LAT_MAX), LON_MAX
        return
    ratio = sin(angle) / cos(max(abs(south), abs(north)) * _UNIT)
    along = int(asin(ratio) / _UNIT) + _SLACK if ratio < 1 else LON_MAX
    west, east = west - along, east + along
    yield south, max(west, -LON_MAX), north, min(east, LON_MAX)
    if west <= -LON_MAX:
        yield south, max(west + 2 * LON_MAX, -LON_MAX), north, LON_MAX
    if east >= LON_MAX:
        yield south, -LON_MAX, north, min(east - 2 * LON_MAX, LON_MAX)


class _Banded:
    """The edges of a ring by bands of latitude, so that a point is compared with those few that pass beside it."""

    def __init__(self, ring: Ring) -> None:
        self._south, self._north = min(lat for lat, _ in ring), max(lat for lat, _ in ring)
        edges = [(*a, *b) for a, b in pairwise(ring)]
        count = min(len(edges), BANDS_MAX)
        while True:
            self._height = (self._north - self._south) // count + 1
            spans = [self._bands_of(min(y0, y1), max(y0, y1)) for y0, _, y1, _ in edges]
            if count == 1 or sum(map(len, spans)) <= ENTRIES_PER_EDGE * len(edges):
                break
            count //= 2  # most edges go through many bands: narrow ones would only cost memory
        self._bands: list[list[tuple[int, int, int, int]]] = [[] for _ in range(count)]
        for edge, span in zip(edges, spans, strict=True):
            for band in span:
                self._bands[band].append(edge)

    def side(self, lat: int, lon: int) -> int:
        """1 inside, 0 on the edge, -1 outside. In whole numbers, so nothing is rounded."""
        if not self._south <= lat <= self._north:
            return -1
        inside = False
        for y0, x0, y1, x1 in self._bands[(lat - self._south) // self._height]:
            turn = (x1 - x0) * (lat - y0) - (y1 - y0) * (lon - x0)
            if turn == 0 and min(x0, x1) <= lon <= max(x0, x1) and min(y0, y1) <= lat <= max(y0, y1):
                return 0
            if (y0 > lat) != (y1 > lat) and (turn > 0) == (y1 > y0):
                inside = not inside
        return 1 if inside else -1

    def _bands_of(self, south: int, north: int) -> range:
        return range((south - self._south) // self._height, (north - self._south) // self._height + 1)


def _within(polygon: Sequence[_Banded], lat: int, lon: int) -> bool:
    outer, *holes = polygon
    if outer.side(lat, lon) < 0:
        return False
    return all(hole.side(lat, lon) <= 0 for hole in holes)
