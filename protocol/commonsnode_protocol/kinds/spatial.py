"""Places and shapes as values of a field: whole 1e-7 degrees, longitude first within shapes, as in RFC 7946."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.values import LINE_CHARS_MAX, BadValue, Schema, Text
from commonsnode_protocol.limits import LATITUDE_MAX, LONGITUDE_MAX

E7 = 10_000_000
POSITIONS_MAX = 2_048  # of one shape; keeps the search for crossings below a second
NESTING = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""Type of shape → how many lists lie around its positions."""
RING_POSITIONS_MIN = 4
COLLECTION_MAX = 64

Position: TypeAlias = tuple[int, int]
_Edge: TypeAlias = tuple[Position, Position]


@dataclass(frozen=True, slots=True)
class Shape:
    """A GeoJSON geometry. Rings are closed and do not cross themselves or one another."""

    words: str = "a GeoJSON geometry, in whole 1e-7 degrees, longitude first"

    def check(self, value: Value) -> None:
        check_shape(value)

    def schema(self) -> Schema:
        return {"type": "object", "description": self.words}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: a point, a shape, a name, or several of these. A text alone is a name."""

    words: str = (
        "a map of `lat` and `lon` (whole 1e-7 degrees), `name`, `geometry` (GeoJSON); or a name alone"
    )

    def check(self, value: Value) -> None:
        if isinstance(value, str):
            Text(LINE_CHARS_MAX).check(value)
            return
        if not isinstance(value, dict):
            raise BadValue("must be a map of lat, lon, name and geometry; or a name")
        lat, lon = value.get("lat"), value.get("lon")
        for name, other in (("lat", lat), ("lon", lon)):
            if (lat is not None or lon is not None) and type(other) is not int:
                raise BadValue("must be a whole number of 1e-7 degrees; lat and lon go together", name)
        if isinstance(lat, int) and isinstance(lon, int):
            check_position(lat, lon)
        if value.get("name") is not None:
            try:
                Text(LINE_CHARS_MAX).check(value["name"])
            except BadValue as error:
                raise error.below("name") from None
        if value.get("geometry") is not None:
            try:
                check_shape(value["geometry"])
            except BadValue as error:
                raise error.below("geometry") from None

    def schema(self) -> Schema:
        return {"type": ["object", "string"], "description": self.words}


def check_position(lat: int, lon: int) -> None:
    """Raise BadValue unless this is on earth."""
    if abs(lat) > LATITUDE_MAX:
        swapped = abs(lon) <= LATITUDE_MAX and abs(lat) <= LONGITUDE_MAX
        hint = "; latitude and longitude look swapped" if swapped else ""
        raise BadValue(f"latitude {lat / E7:g} is out of range (-90 to 90){hint}", "lat")
    if abs(lon) > LONGITUDE_MAX:
        raise BadValue(f"longitude {lon / E7:g} is out of range (-180 to 180)", "lon")


def check_shape(value: Value) -> None:
    """Raise BadValue unless this is a geometry whose rings are closed and do not cross."""
    if not isinstance(value, dict):
        raise BadValue("must be a GeoJSON geometry")
    kind = value.get("type")
    if kind == "GeometryCollection":
        members = value.get("geometries")
        if not isinstance(members, list) or len(members) > COLLECTION_MAX:
            raise BadValue(f"must be a list of at most {COLLECTION_MAX} geometries", "geometries")
        for member in members:
            if isinstance(member, dict) and member.get("type") == "GeometryCollection":
                raise BadValue("a collection holds no collections", "geometries")
            check_shape(member)
        return
    if not isinstance(kind, str) or kind not in NESTING:
        raise BadValue(f"must be one of {', '.join(NESTING)}, GeometryCollection", "type")
    lines = list(_lines(value.get("coordinates"), NESTING[kind]))
    if sum(map(len, lines)) > POSITIONS_MAX:
        raise BadValue(f"has more than {POSITIONS_MAX} positions", "coordinates")
    if kind.endswith("LineString") and any(len(line) < 2 for line in lines):
        raise BadValue("a line has two positions at least", "coordinates")
    if kind.endswith("Polygon"):
        _check_rings(lines)


def _lines(value: Value, nesting: int) -> Iterator[list[Position]]:
    """The lists of positions of a geometry; a lone position is a list of one."""
    if not isinstance(value, list):
        raise BadValue("must be a list", "coordinates")
    if nesting == 0:
        yield [_position(value)]
    elif nesting == 1:
        yield [_position(item) for item in value]
    else:
        for item in value:
            yield from _lines(item, nesting - 1)


def _position(value: Value) -> Position:
    if not isinstance(value, list) or len(value) != 2:
        raise BadValue("a position is two whole numbers of 1e-7 degrees, longitude first", "coordinates")
    lon, lat = value
    if type(lon) is not int or type(lat) is not int:
        raise BadValue("a position is two whole numbers of 1e-7 degrees, longitude first", "coordinates")
    try:
        check_position(lat, lon)
    except BadValue as error:
        raise BadValue(error.problem, "coordinates") from None
    return lon, lat


def _check_rings(rings: Sequence[list[Position]]) -> None:
    edges: list[tuple[int, _Edge]] = []
    for number, ring in enumerate(rings):
        if len(ring) < RING_POSITIONS_MIN or ring[0] != ring[-1]:
            raise BadValue(
                f"a ring has {RING_POSITIONS_MIN} positions at least, the last the same as the first",
                "coordinates",
            )
        if not any(_turn(ring[0], a, b) for a, b in pairwise(ring)):
            raise BadValue("a ring encloses nothing: its positions lie on one line", "coordinates")
        edges += [(number, edge) for edge in pairwise(ring) if edge[0] != edge[1]]
    crossing = _crossing(edges)
    if crossing is not None:
        lon, lat = crossing
        raise BadValue(f"the outline crosses itself near {lat / E7:g},{lon / E7:g}", "coordinates")


def _crossing(edges: Sequence[tuple[int, _Edge]]) -> Position | None:
    """Where two edges cross, or None: a sweep from west to east, which looks only at edges side by side."""
    ordered = sorted(edges, key=lambda one: min(one[1][0][0], one[1][1][0]))
    open_: list[tuple[int, _Edge]] = []
    for number, edge in ordered:
        west = min(edge[0][0], edge[1][0])
        open_ = [other for other in open_ if max(other[1][0][0], other[1][1][0]) >= west]
        for _, other in open_:
            if _cross(edge, other):
                return edge[0]
        open_.append((number, edge))
    return None


def _cross(one: _Edge, other: _Edge) -> bool:
    """Whether two edges have more in common than an end. Rings may touch in a corner, as RFC 7946 lets them."""
    (a, b), (c, d) = one, other
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    abc, abd, cda, cdb = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if abc != abd and cda != cdb and 0 not in (abc, abd, cda, cdb):
        return True
    if abc == abd == 0:  # on one line: do they lie upon one another?
        low, high = sorted((a, b))
        low_other, high_other = sorted((c, d))
        return max(low, low_other) < min(high, high_other)
    return False


def _turn(a: Position, b: Position, c: Position) -> int:
    """1 where c lies left of the way from a to b, -1 right of it, 0 on it; exact."""
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (cross > 0) - (cross < 0)
