"""Coordinates as people write them in tables, and where they lie.  Ours are integers in 1e-7 degrees (WGS 84)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from commonsnode.tables import geometry, json_form
from commonsnode_protocol.canonical import Value

E7 = 10_000_000
SCALES = (1, 1_000_000, E7)  # degrees; millionths and ten-millionths of a degree as whole numbers
SCALE_CELLS = 5_000  # of a column, evenly over its length, to find the scale
SHARE_MIN = 0.8  # of the cells of a column that must be coordinates for it to be one of coordinates
PLAUSIBLE_SHARE_MIN = 0.5  # and in range

Order = Literal["latlon", "lonlat"]

_DECIMAL = re.compile(r"[-+]?[0-9]{1,3}\.[0-9]+")
_PLAIN = re.compile(r"[-+−]?\d{1,3}(?:[.,]\d*)?°?")
_WHOLE = re.compile(r"[-+−]?\d{4,10}(?:\.0+)?")
_DMS = re.compile(
    r"""(?P<before>[NSEWO])?\s*(?P<sign>[-+−])?(?P<d>\d{1,3}(?:[.,]\d+)?)\s*[°º]?\s*
    (?:(?P<m>\d{1,2}(?:[.,]\d+)?)\s*['’′]\s*)?(?:(?P<s>\d{1,2}(?:[.,]\d+)?)\s*(?:["”″]|''|’’|′′)\s*)?(?P<after>[NSEWO])?""",
    re.VERBOSE | re.IGNORECASE,
)
_WKT_POINT = re.compile(
    r"(?:SRID=\d+;)?\s*POINT\s*Z?\s*\(\s*([-+\d.eE]+)\s+([-+\d.eE]+)(?:\s+[-+\d.eE]+)?\s*\)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Degrees:
    """A coordinate. axis: `lat` or `lon` where a letter (N, S, E, W) says so."""

    value: float
    axis: str | None = None


def plain_degrees(text: str) -> float | None:
    """A coordinate as a plain number with a point, the usual case; None for any other."""
    return float(text) if _DECIMAL.fullmatch(text) else None


def parse_degrees(text: str) -> Degrees | None:
    """`39.4648`, `39,4648`, `39°27'53"N`, `N 39.4648`, or a whole number of millionths; None if it is no coordinate."""
    if _PLAIN.fullmatch(text):
        return Degrees(float(text.rstrip("°").replace(",", ".").replace("−", "-")))
    if _WHOLE.fullmatch(text):
        return Degrees(float(text.replace("−", "-")))
    match = _DMS.fullmatch(text.strip())
    if match is None or not re.search(r"[°º'’′NSEWO]", text, re.IGNORECASE):
        return None
    letter = (match["before"] or match["after"] or "").upper()
    if letter == "O" or (match["before"] and match["after"]):
        return None  # East in German, West in Spanish, Portuguese and French
    value = sum(
        float((match[part] or "0").replace(",", ".")) / by for part, by in (("d", 1), ("m", 60), ("s", 3600))
    )
    if match["sign"] in ("-", "−") or letter in ("S", "W"):
        value = -value
    return Degrees(value, {"N": "lat", "S": "lat", "E": "lon", "W": "lon"}.get(letter))


def to_e7(degrees: float, scale: int = 1) -> int:
    return round(degrees * (E7 // scale))


def out_of_range(lat: int, lon: int) -> str | None:
    """Why this is no place on earth, or None. lat, lon: 1e-7 degrees."""
    if abs(lat) <= 90 * E7 and abs(lon) <= 180 * E7:
        return None
    swapped = abs(lat) > 90 * E7 and abs(lon) <= 90 * E7 and abs(lat) <= 180 * E7
    hint = "; latitude and longitude look swapped" if swapped else ""
    if abs(lat) > 90 * E7:
        return f"latitude {lat / E7:g} is out of range (-90 to 90){hint}"
    return f"longitude {lon / E7:g} is out of range (-180 to 180)"


def find_scale(lats: Sequence[str], lons: Sequence[str], strict: bool) -> int | None:
    """By what the numbers of two columns must be divided to be degrees, or None where they are no coordinates.

    Whole numbers of millionths (or ten-millionths) of a degree are taken for such only if all numbers are whole and
    nearly all too large for degrees. strict: the headings may mean something else, so most cells must be in range.
    """
    step = 1 + len(lats) // SCALE_CELLS
    both = zip(lats[::step], lons[::step], strict=True)
    pairs = [(parse_degrees(a), parse_degrees(b)) for a, b in both if a and b]
    known = [(a.value, b.value) for a, b in pairs if a and b]
    if not pairs:
        return 1
    if len(known) < (SHARE_MIN if strict else PLAUSIBLE_SHARE_MIN) * len(pairs):
        return None
    for scale in SCALES:
        if scale > 1 and any(a != int(a) or b != int(b) for a, b in known):
            return None
        fits = sum(abs(a) <= 90 * scale and abs(b) <= 180 * scale for a, b in known)
        swapped = sum(abs(b) <= 90 * scale and abs(a) <= 180 * scale for a, b in known)
        if max(fits, swapped) >= PLAUSIBLE_SHARE_MIN * len(known):
            return scale
        if scale == 1 and not strict and all(abs(a) < 1000 and abs(b) < 1000 for a, b in known):
            return scale
    return None


def parse_pair(text: str, order: Order) -> dict[str, Value] | None:
    """A place (`lat` and `lon`, perhaps `geometry`) from both coordinates in one cell; None if it is no such thing.

    order: of the two where they do not show it themselves: GeoJSON and WKT are always longitude first, a letter tells.
    Coordinates out of range are returned as they are. Raises geometry.GeometryError for GeoJSON that is invalid.
    """
    if text.startswith("{"):
        try:
            value = json_form.parse(text)
        except json_form.JsonFormError:
            return None
        return geometry.place(value) if isinstance(value, dict) and "type" in value else None
    wkt = _WKT_POINT.fullmatch(text)
    if wkt:
        parts, order = [wkt[1], wkt[2]], "lonlat"
    else:
        parts = split_pair(text)
    if len(parts) != 2:
        return None
    first, second = parse_degrees(parts[0]), parse_degrees(parts[1])
    if first is None or second is None or max(abs(first.value), abs(second.value)) > 999:
        return None
    if first.axis or second.axis:
        if first.axis == second.axis:
            return None
        order = "lonlat" if first.axis == "lon" or second.axis == "lat" else "latlon"
    lat, lon = (second, first) if order == "lonlat" else (first, second)
    return {"lat": to_e7(lat.value), "lon": to_e7(lon.value)}


def split_pair(text: str) -> list[str]:
    """The two halves of a cell with two coordinates; fewer or more parts where it is none."""
    text = text.strip()
    if text[:4].lower() == "geo:":
        text = text[4:].split(";")[0].split("?")[0]
    if text[:1] in "([" and text[-1:] in ")]":
        text = text[1:-1]
    for mark in (";", "|", "/", "\n"):
        if mark in text:
            return [part.strip() for part in text.split(mark) if part.strip()]
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 4 and all(part.lstrip("-+").isdigit() for part in parts):
        return [f"{parts[0]}.{parts[1]}", f"{parts[2]}.{parts[3]}"]  # decimal commas: 39,46, -0,37
    if len(parts) == 3 and " " in text:
        return text.split()
    if (
        len(parts) == 2
        and "." not in text
        and len(text.split()) == 1
        and len(parts[1]) > 3
        and parts[1].isdigit()
    ):
        return [text]  # one number with a decimal comma
    return parts if len(parts) == 2 else text.split()


def find_order(values: Sequence[str]) -> Order:
    """In which order a column of pairs has them, when its heading does not say.

    What is beyond 90 must be a longitude. Nothing beyond: a bracketed array is in the order of GeoJSON, anything else in
    that of everyday use, latitude first.
    """
    first_beyond = second_beyond = brackets = 0
    for value in values:
        parts = split_pair(value)
        if len(parts) == 2:
            first, second = parse_degrees(parts[0]), parse_degrees(parts[1])
            if first and second:
                first_beyond += abs(first.value) > 90
                second_beyond += abs(second.value) > 90
                brackets += value.startswith("[")
    if first_beyond != second_beyond:
        return "lonlat" if first_beyond > second_beyond else "latlon"
    return "lonlat" if brackets * 2 > len(values) else "latlon"
