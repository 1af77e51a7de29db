"""Write records out: JSON Lines without loss; CSV, XLSX and GeoJSON so that our own import maps them back.

What the other three lose: kind and lane; whether a value was a text, a number, bytes or a list; fields that a table cannot
set (`keeper`, `deleted`, ... come back as `x:keeper`); blanks around a text, and texts over the import's limit of a cell. A
spreadsheet cuts a cell at 32,767 characters and knows no control characters. CSV and XLSX give back the title, place
and so on under a new record id, since these belong to the file's source and the key (the column `record id`).
"""

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, BinaryIO, Literal

from commonsnode.tables import geometry, json_form, jsonl
from commonsnode.tables.declared import ORDER
from commonsnode.tables.model import OUR_ID, OURS, Record
from commonsnode_protocol.canonical import Value

Format = Literal["jsonl", "csv", "xlsx", "geojson"]

SHEET_CELL_CHARS_MAX = 32_767
SHEET_NAME = "inventory"

_PLACE = ("place", "lat", "lon", "geometry")  # the headings of the field `place`
_FORMULA = ("=", "+", "-", "@")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def write_table(format: Format, records: Iterable[Record], out: BinaryIO) -> None:
    """Write the records in their order. What each format loses is said at the top of this module."""
    match format:
        case "jsonl":
            out.writelines((jsonl.encode_line(record) + "\n").encode() for record in records)
        case "geojson":
            _write_geojson(records, out)
        case "csv":
            text = io.TextIOWrapper(out, encoding="utf-8", newline="")
            writer = csv.writer(text)
            for row in _table(records):
                writer.writerow(row)
            text.flush()
            text.detach()
        case "xlsx":
            _write_xlsx(_table(records), out)


# Tables: the columns are known only when all records have been seen, so they wait in a temporary file.


def _table(records: Iterable[Record]) -> Iterator[list[str]]:
    """The heading row, then a row a record."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as spool:
        names = _spool(records, spool)
        columns = [name for name in _headings() if name in names]
        columns += sorted(name for name in names if name not in columns)
        yield [OUR_ID, *columns]
        spool.seek(0)
        for line in spool:
            record = jsonl.decode_record(json_form.parse(line))
            cells = flat(record.fields)
            yield [record.id.hex(), *(cells.get(name, "") for name in columns)]


def _headings() -> Iterator[str]:
    """The declared ones in their order; the rest of a table is what people made up, by name."""
    for name in ORDER:
        yield from _PLACE if name == "place" else (name,)
    yield "tags"


def _spool(records: Iterable[Record], spool: IO[str]) -> set[str]:
    names: set[str] = set()
    for record in records:
        names |= flat(record.fields).keys()
        spool.write(jsonl.encode_line(record) + "\n")
    return names


def flat(fields: dict[str, Value]) -> dict[str, str]:
    """The fields of a record as cells by heading, as our import maps them back; empty ones are left out."""
    cells: dict[str, str] = {}
    tags: list[str] = []
    for name, value in fields.items():
        if name == "place" and isinstance(value, dict):
            cells.update(_place_cells(value))
        elif name.startswith("tag:"):
            if value is True:
                tags.append(name.removeprefix("tag:"))
        elif text := as_cell(value):
            cells[name] = text
    if tags:
        cells["tags"] = "; ".join(sorted(tags)) + (";" if len(tags) == 1 and "," in tags[0] else "")
    return cells


def _place_cells(place: dict[str, Value]) -> dict[str, str]:
    cells = {"place": as_cell(place.get("name"))}
    lat, lon = place.get("lat"), place.get("lon")
    if isinstance(lat, int) and isinstance(lon, int):
        cells["lat"], cells["lon"] = decimal_degrees(lat), decimal_degrees(lon)
    if "geometry" in place:
        cells["geometry"] = json.dumps(geometry.to_geojson(place["geometry"]), separators=(",", ":"))
    return {heading: text for heading, text in cells.items() if text}


def decimal_degrees(e7: int) -> str:
    """1e-7 degrees in degrees, all seven places."""
    whole, rest = divmod(abs(e7), geometry.E7)
    return f"{'-' if e7 < 0 else ''}{whole}.{rest:07}"


def as_cell(value: Value) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return json.dumps(json_form.encode_value(value), ensure_ascii=False, separators=(",", ":"))


def _write_xlsx(rows: Iterator[list[str]], out: BinaryIO) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET_NAME)

    def cell(text: str) -> Any:
        text = _NO_XML.sub("", text)[:SHEET_CELL_CHARS_MAX]
        if not text.startswith(_FORMULA):
            return text or None
        made = WriteOnlyCell(sheet, value=text)
        made.data_type = "s"  # a text, whatever it begins with
        made.quotePrefix = True
        return made

    for row in rows:
        sheet.append([cell(text) for text in row])
    book.save(out)


def _write_geojson(records: Iterable[Record], out: BinaryIO) -> None:
    out.write(OURS.encode() + b'"features":[')
    for number, record in enumerate(records):
        feature = json.dumps(_feature(record), ensure_ascii=False, separators=(",", ":"))
        out.write((",\n" if number else "\n").encode() + feature.encode())
    out.write(b"\n]}\n")


def _feature(record: Record) -> dict[str, Any]:
    """A record as a GeoJSON feature: the place is its geometry, the name of the place a property."""
    properties: dict[str, Any] = {}
    tags: list[str] = []
    for name, value in sorted(record.fields.items()):
        if name == "place" and isinstance(value, dict):
            if isinstance(value.get("name"), str):
                properties["place"] = value["name"]
        elif name.startswith("tag:"):
            if value is True:
                tags.append(name.removeprefix("tag:"))
        elif value is not None:
            properties[name] = json_form.encode_value(value)
    if tags:
        properties["tags"] = tags
    return {
        "type": "Feature",
        "id": record.id.hex(),
        "geometry": geometry_of(record.fields.get("place")),
        "properties": properties,
    }


def geometry_of(place: Value) -> Any:
    """The GeoJSON geometry of a field `place`; None where it has neither a shape nor a point."""
    if not isinstance(place, dict):
        return None
    if isinstance(place.get("geometry"), dict):
        return geometry.to_geojson(place["geometry"])
    lat, lon = place.get("lat"), place.get("lon")
    if isinstance(lat, int) and isinstance(lon, int):
        return {"type": "Point", "coordinates": [geometry.degrees(lon), geometry.degrees(lat)]}
    return None
