"""GeoJSON (RFC 7946) as a table: a row a feature, a column a property.

Features are parsed one at a time, so that a large file never lies in memory as objects.
"""

import re
from collections.abc import Iterator
from typing import Any

from commonsnode.tables import geometry, json_form
from commonsnode.tables.model import COLUMNS_MAX, OURS, Cells, Feature, Grid, Rejected, Row, TableError

TYPES = frozenset((*geometry.POSITION_DEPTH, "GeometryCollection", "Feature", "FeatureCollection"))
WGS84 = re.compile(r"CRS:?:?84|4326|4258|WGS ?84", re.IGNORECASE)

_BLANK = re.compile(r"[ \t\r\n]*")


class NoGeoJson(TableError):
    """JSON that is something else."""

    def __init__(self) -> None:
        super().__init__("is JSON, but no GeoJSON, and has no list of things with names")


def read_geojson(text: str) -> Grid:
    """The table of a GeoJSON text. Raises NoGeoJson, and TableError where it is no JSON at all."""
    text = text.removeprefix("\ufeff")
    names: dict[str, None] = {}
    geometries = False
    ids: set[str] = set()
    count = 0
    for _, feature in _features(text):
        count += 1
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if isinstance(properties, dict):
            names.update(dict.fromkeys(properties))
        if isinstance(feature, dict):
            geometries = geometries or feature.get("geometry") is not None
            if isinstance(feature.get("id"), str | int) and not isinstance(feature["id"], bool):
                ids.add(str(feature["id"]))
    if len(names) > COLUMNS_MAX:
        raise TableError(f"has more than {COLUMNS_MAX} different properties")
    headings = list(names)

    def rows() -> Iterator[Cells | Row | Rejected]:
        return (_row(position, feature, headings) for position, feature in _features(text))

    return Grid(
        None,
        headings,
        rows,
        feature_ids=0 < len(ids) == count,
        geometries=geometries,
        ours=text.startswith(OURS),
    )


def _row(position: int, feature: Any, headings: list[str]) -> Cells | Rejected:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return Rejected(position, "no GeoJSON feature")
    properties = feature.get("properties")
    if properties is None:
        properties = {}
    if not isinstance(properties, dict):
        return Rejected(position, "the properties of the feature are no object")
    try:
        place = geometry.place(feature.get("geometry"))
        json_form.check_text(properties)
    except ValueError as error:
        return Rejected(position, str(error))
    identity = feature.get("id")
    cells = [json_form.cell(properties.get(name)).strip() for name in headings]
    return position, cells, Feature(None if identity is None else str(identity), place)


def _features(text: str) -> Iterator[tuple[int, Any]]:
    """The features of a text, with their positions (1-based). Raises TableError."""
    try:
        first = _skip(text, 0)
        if text[first : first + 1] != "{":
            raise NoGeoJson
        yield from _members(text, first + 1)
    except json_form.JsonFormError as error:
        raise TableError(f"is not valid JSON: {error}") from None
    except RecursionError:
        raise TableError("is JSON that is nested too deeply") from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        raise TableError(f"is not valid JSON{where}: {getattr(error, 'msg', error)}") from None


def _members(text: str, at: int) -> Iterator[tuple[int, Any]]:
    """Go through the members of the outer object; features are yielded as they come."""
    members: dict[str, Any] = {}
    found = 0
    at = _skip(text, at)
    while text[at : at + 1] != "}":
        name, at = json_form.decoder.raw_decode(text, at)
        at = _skip(text, at)
        if not isinstance(name, str) or text[at : at + 1] != ":":
            raise json_form.JsonFormError("an object without a colon after its key")
        at = _skip(text, at + 1)
        if name in members:
            raise json_form.JsonFormError(f"the key {name!r} comes twice in one object")
        if name == "features" and text[at : at + 1] == "[":
            members[name] = True
            at = _skip(text, at + 1)
            while text[at : at + 1] != "]":
                feature, at = json_form.decoder.raw_decode(text, at)
                found += 1
                yield found, feature
                at = _next(text, at, "]")
            at += 1
        else:
            members[name], at = json_form.decoder.raw_decode(text, at)
        at = _next(text, at, "}")
    if _skip(text, at + 1) != len(text):
        raise json_form.JsonFormError("something follows the end of the object")
    yield from _whole(members, found)


def _whole(members: dict[str, Any], found: int) -> Iterator[tuple[int, Any]]:
    """What the outer object is, once it is read to its end."""
    kind = members.get("type")
    if (
        not isinstance(kind, str)
        or kind not in TYPES
        or (kind == "FeatureCollection") != ("features" in members)
    ):
        raise NoGeoJson
    crs = members.get("crs")
    if crs is not None and not WGS84.search(json_form.compact(crs)):
        raise TableError(
            f"has coordinates in another system ({json_form.compact(crs)[:80]}): save it in WGS 84 (EPSG:4326)"
        )
    if kind == "Feature":
        yield 1, members
    elif kind != "FeatureCollection":
        yield 1, {"type": "Feature", "properties": None, "geometry": members}


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _next(text: str, at: int, end: str) -> int:
    """Past a comma to the next member, or to the end mark."""
    at = _skip(text, at)
    mark = text[at : at + 1]
    if mark == end:
        return at
    if mark != ",":
        raise json_form.JsonFormError(f"expected a comma or {end} at character {at + 1}")
    at = _skip(text, at + 1)
    if text[at : at + 1] == end:
        raise json_form.JsonFormError(f"a comma before {end} at character {at + 1}")
    return at
