"""Distances and areas as people give them: `15km`, and polygons in GeoJSON (RFC 7946)."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from commonsnode.errors import WrongField
from commonsnode.tables import geometry, json_form
from commonsnode.tables.geojson import WGS84
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds.spatial import check_shape
from commonsnode_protocol.kinds.values import BadValue
from commonsnode_store.areas import HALF_ROUND_M, BadArea, Polygons, Ring

SHAPES_MAX = 64  # of one area
DISTANCE_CHARS_MAX = 16
METRES: Mapping[str, Decimal] = {"m": Decimal(1), "km": Decimal(1_000), "mi": Decimal("1609.344")}

_DISTANCE = re.compile(r"([0-9]+(?:[.,][0-9]+)?) ?(km|mi|m)")


def metres(text: str, field: str = "within") -> int:
    """`15km`, `500 m`, `2 mi` in whole metres; nothing on earth is farther than half around it. Raises WrongField."""
    match = _DISTANCE.fullmatch(" ".join(text.split()).lower()) if len(text) <= DISTANCE_CHARS_MAX else None
    if match is None:
        raise WrongField(
            field, f"must be a number and m, km or mi, as in 15km, not {text[:DISTANCE_CHARS_MAX]!r}"
        )
    return min(round(Decimal(match[1].replace(",", ".")) * METRES[match[2]]), HALF_ROUND_M)


def area(said: Any, field: str = "area") -> Polygons:
    """All polygons of a geometry, a feature or a collection of features, in parsed JSON. Raises WrongField."""
    if not isinstance(said, dict):
        raise WrongField(field, "must be GeoJSON: a Polygon, a MultiPolygon, or features with such")
    crs = said.get("crs")
    if crs is not None and not WGS84.search(json_form.compact(crs)):
        raise WrongField(field, "has coordinates in another system: save it in WGS 84 (EPSG:4326)")
    polygons: list[list[Ring]] = []
    for number, shape in enumerate(_shapes(said, field)):
        if number == SHAPES_MAX:
            raise WrongField(field, f"has more than {SHAPES_MAX} shapes")
        polygons += _polygons(shape, field)
    if not polygons:
        raise WrongField(field, "has no polygon")
    try:
        return Polygons(polygons)
    except BadArea as error:
        raise WrongField(field, str(error)) from None


def _shapes(said: Mapping[str, Any], field: str) -> Iterator[Any]:
    match said.get("type"):
        case "FeatureCollection":
            features = said.get("features")
            if not isinstance(features, list):
                raise WrongField(field, "its features are no list")
            for feature in features:
                if not isinstance(feature, dict):
                    raise WrongField(field, "a feature is no object")
                yield feature.get("geometry")
        case "Feature":
            yield said.get("geometry")
        case _:
            yield said


def _polygons(shape: Any, field: str) -> Iterator[list[Ring]]:
    kind = shape.get("type") if isinstance(shape, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise WrongField(field, f"must be of polygons, not {str(kind)[:40]}")
    try:
        whole = geometry.place(shape).get("geometry")
        if whole is None:
            return
        check_shape(whole)
    except (geometry.GeometryError, BadValue) as error:
        raise WrongField(field, getattr(error, "problem", str(error))) from None
    coordinates = whole.get("coordinates") if isinstance(whole, dict) else None
    if isinstance(coordinates, list):
        yield from (_rings(one) for one in ([coordinates] if kind == "Polygon" else coordinates))


def _rings(polygon: Value) -> list[Ring]:
    """From longitude first to latitude first."""
    found: list[Ring] = []
    for ring in polygon if isinstance(polygon, list) else []:
        points: list[tuple[int, int]] = []
        for position in ring if isinstance(ring, list) else []:
            if isinstance(position, list) and isinstance(position[0], int) and isinstance(position[1], int):
                points.append((position[1], position[0]))
        found.append(points)
    return found
