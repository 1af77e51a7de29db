"""GeoJSON geometries as values of a field: coordinates are integers in 1e-7 degrees, longitude first.  RFC 7946 section 3.1.

A third number (altitude) is dropped: no field holds it.
"""

import re
from typing import Any

from commonsnode_protocol.canonical import Value

E7 = 10_000_000
POSITION_DEPTH = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""Type -> how many arrays lie around its positions."""
LINE_POSITIONS_MIN = 2
RING_POSITIONS_MIN = 4
BEYOND_DEGREES = 1e11  # still an integer of 64 bits in 1e-7 degrees, and a readable reason

_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d*)?(?:[eE][-+]?\d{1,3})?")


class GeometryError(ValueError):
    """No valid geometry, or not on earth; the text says why."""


def place(geometry: Any) -> dict[str, Value]:
    """`lat` and `lon` of a parsed GeoJSON geometry, and `geometry` where it is more than a point.

    Both are those of the middle of its bounding box, where it is no point. Empty for null and for empty coordinates.
    Raises GeometryError.
    """
    if geometry is None:
        return {}
    if not isinstance(geometry, dict):
        raise GeometryError("the geometry is no object")
    positions: list[list[int]] = []
    converted = _convert(geometry, positions, within=False)
    if not positions:
        return {}
    if converted["type"] == "Point":
        return {"lat": positions[0][1], "lon": positions[0][0]}
    lat, lon = _middle(positions)
    return {"lat": lat, "lon": lon, "geometry": converted}


def to_geojson(geometry: Any) -> Any:
    """A geometry of ours, back in degrees; None if it is none."""
    if not isinstance(geometry, dict):
        return None
    if isinstance(geometry.get("geometries"), list):
        return {"type": geometry.get("type"), "geometries": [to_geojson(g) for g in geometry["geometries"]]}
    return {"type": geometry.get("type"), "coordinates": _degrees(geometry.get("coordinates"))}


def _degrees(value: Any) -> Any:
    return [_degrees(item) for item in value] if isinstance(value, list) else degrees(value)


def degrees(e7: Any) -> int | float:
    """1e-7 degrees as a JSON number of degrees (exactly, as shortest decimal)."""
    if not isinstance(e7, int):
        return 0
    return e7 // E7 if e7 % E7 == 0 else e7 / E7


def _convert(geometry: dict[str, Any], positions: list[list[int]], within: bool) -> dict[str, Value]:
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        members = geometry.get("geometries")
        if within or not isinstance(members, list) or not all(isinstance(m, dict) for m in members):
            raise GeometryError("invalid GeometryCollection")
        return {"type": kind, "geometries": [_convert(member, positions, within=True) for member in members]}
    if not isinstance(kind, str) or kind not in POSITION_DEPTH:
        raise GeometryError(f"unknown type of geometry: {kind}")
    coordinates = geometry.get("coordinates")
    if coordinates == []:
        return {"type": kind, "coordinates": []}
    return {"type": kind, "coordinates": _arrays(coordinates, POSITION_DEPTH[kind], kind, positions)}


def _arrays(value: Any, depth: int, kind: str, positions: list[list[int]]) -> Value:
    if not isinstance(value, list):
        raise GeometryError(f"invalid coordinates of a {kind}")
    if depth == 0:
        position = _position(value, kind)
        positions.append(position)
        return list[Value](position)
    converted = [_arrays(item, depth - 1, kind, positions) for item in value]
    if depth == 1 and kind.endswith("LineString") and len(converted) < LINE_POSITIONS_MIN:
        raise GeometryError(f"a line of {kind} has fewer than {LINE_POSITIONS_MIN} positions")
    if depth == 1 and kind.endswith("Polygon"):
        if len(converted) < RING_POSITIONS_MIN:
            raise GeometryError(f"a ring of {kind} has fewer than {RING_POSITIONS_MIN} positions")
        if converted[0] != converted[-1]:
            raise GeometryError(f"a ring of {kind} is not closed")
    return converted


def _position(value: list[Any], kind: str) -> list[int]:
    if len(value) < 2:
        raise GeometryError(f"invalid coordinates of a {kind}")
    lon, lat = _e7(value[0], kind), _e7(value[1], kind)
    if abs(lat) > 90 * E7:
        swapped = abs(lon) <= 90 * E7 and abs(lat) <= 180 * E7
        hint = "; latitude and longitude look swapped" if swapped else ""
        raise GeometryError(f"latitude {lat / E7:g} is out of range (-90 to 90){hint}")
    if abs(lon) > 180 * E7:
        raise GeometryError(f"longitude {lon / E7:g} is out of range (-180 to 180)")
    return [lon, lat]


def _e7(value: Any, kind: str) -> int:
    """A number, or one that stands between quotes by mistake, in 1e-7 degrees."""
    text = value.strip() if isinstance(value, str) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise GeometryError(f"invalid coordinates of a {kind}: {text[:20]!r} is no number")
    number = float(text)
    if not abs(number) < BEYOND_DEGREES:
        raise GeometryError(f"invalid coordinates of a {kind}: {text[:20]!r} is too large")
    return round(number * E7)


def _middle(positions: list[list[int]]) -> tuple[int, int]:
    """The middle of the bounding box, as (lat, lon); one that spans more than half the earth crosses the date line."""
    lats = [position[1] for position in positions]
    lons = [position[0] for position in positions]
    if max(lons) - min(lons) > 180 * E7:
        lons = [lon + 360 * E7 if lon < 0 else lon for lon in lons]
    lon = (min(lons) + max(lons)) // 2
    return (min(lats) + max(lats)) // 2, lon - 360 * E7 if lon > 180 * E7 else lon
