"""Records of Open Know-How (a design's manifest, TOML or YAML) and Open Know-Where (facilities, JSON) as tables.

Their keys have fixed meanings, so the headings of these tables are our own field names; what fits none is kept as `x:<key>`.
Sources: Open Know-How 1.0 and OKH-LOSH 1.0; Open Know-Where data of iop-alliance/okw_data_management, 2024.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from commonsnode.tables import geometry, json_form
from commonsnode.tables.geometry import GeometryError
from commonsnode.tables.items import one_line
from commonsnode.tables.model import CELL_BYTES_MAX, Cells, Feature, Grid, Rejected, Row, TableError

FACILITIES_BYTES_MAX = 64 * 1024 * 1024  # read as one document

_DESIGN = {
    "name": "title",
    "title": "title",
    "function": "description",
    "description": "description",
    "license": "licence",
    "licensor": "licensor",
    "version": "version",
    "repo": "repository",
    "documentation-home": "website",
    "project-link": "website",
    "documentation-language": "language",
    "documentationlanguage": "language",
    "manufacturing-process": "process",
}
"""Key of a manifest, in small letters → our field."""
_MANIFEST_KEYS = frozenset(("okhv", "license", "licensor", "repo", "documentation-home", "function"))
_MANIFEST_KEYS_MIN = 2
_FACILITY_HEADINGS = ["title", "description", "website", "place"]


def read_manifest(data: bytes) -> Grid:
    """The table, of one row, of an Open Know-How manifest. Raises TableError where it is none."""
    try:
        manifest = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise TableError("is TOML that is not in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TableError(f"is not valid TOML: {str(error)[:120]}") from None
    return manifest_grid(manifest, "TOML")


def manifest_grid(manifest: Mapping[str, Any], form: str) -> Grid:
    """The same of a manifest that was read already. form: in which language it was written."""
    known = {key.lower() for key in manifest} & _MANIFEST_KEYS
    if len(known) < _MANIFEST_KEYS_MIN or not any(one_line(manifest.get(name)) for name in ("name", "title")):
        raise TableError(
            f"is {form}, but no Open Know-How manifest, and other {form} cannot be imported: save it as CSV, XLSX,"
            " GeoJSON or JSON Lines"
        )
    headings: list[str] = []
    cells: list[str] = []
    notices: list[str] = []
    for key, value in manifest.items():
        text = one_line(value)
        if len(text.encode()) > CELL_BYTES_MAX:
            notices.append(f"left out, since it is longer than {CELL_BYTES_MAX} bytes: {key}")
            continue
        heading = _DESIGN.get(key.lower(), f"x:{key}")
        headings.append(f"x:{key}" if heading in headings else heading)
        cells.append(text)
    identity = (
        one_line(manifest.get("repo")) or one_line(manifest.get("name")) or one_line(manifest.get("title"))
    )

    def rows() -> Iterator[Cells | Row | Rejected]:
        yield 1, cells, Feature(identity, {})

    return Grid(None, headings, rows, notices=notices, feature_ids=True, ours=True, kind="design")


def read_facilities(text: str) -> Grid | None:
    """The table of Open Know-Where facilities, a row each; None where this JSON is something else. Raises TableError."""
    start = text.lstrip("\ufeff \t\r\n")
    if not start.startswith("[") or not _begins_as_facility(start[1:].lstrip()):
        return None
    if len(text) > FACILITIES_BYTES_MAX:
        raise TableError(f"is larger than {FACILITIES_BYTES_MAX} characters, which is too much for this form")
    try:
        facilities = json_form.parse(start)
    except json_form.JsonFormError as error:
        raise TableError(f"is not valid JSON: {error}") from None

    def rows() -> Iterator[Cells | Row | Rejected]:
        return (_facility(position, item) for position, item in enumerate(facilities, start=1))

    return Grid(None, _FACILITY_HEADINGS, rows, feature_ids=True, geometries=True, ours=True, kind="place")


def _begins_as_facility(text: str) -> bool:
    try:
        first, _ = json_form.decoder.raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and isinstance(first.get("facility"), dict)


def _facility(position: int, item: Any) -> Cells | Rejected:
    facility = item.get("facility") if isinstance(item, dict) else None
    if not isinstance(facility, dict) or not one_line(facility.get("facility_id")):
        return Rejected(position, "no facility with a facility_id")
    try:
        place = geometry.place(_point(_part(item, "geocoding")))
    except GeometryError as error:
        return Rejected(position, str(error))
    address, region = _part(item, "address"), _part(item, "region")
    town = " ".join(filter(None, (one_line(address.get("zip_code")), one_line(region.get("city_town")))))
    where = (
        one_line(address.get("extended")),
        town,
        *map(one_line, (region.get("state_region"), region.get("country"))),
    )
    name = ", ".join(dict.fromkeys(filter(None, where)))
    cells = [*(one_line(facility.get(key)) for key in ("name", "description", "url")), name]
    return position, cells, Feature(one_line(facility["facility_id"]), place)


def _part(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = item.get(name)
    return part if isinstance(part, dict) else {}


def _point(geocoding: Mapping[str, Any]) -> Any:
    lat, lon = geocoding.get("latitude"), geocoding.get("longitude")
    if lat is None or lon is None:
        return None
    return {"type": "Point", "coordinates": [lon, lat]}
