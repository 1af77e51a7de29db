"""JSON Lines: our own lossless form, a record a line, and tables with an object a line.

A line that has `fields` is a record as `write_table` writes it:
    {"fields":{...},"id":"<hex of 16 bytes>","kind":"resource","lane":"public"}
with values as in `json_form`. Any other object is the row of a table, its keys the headings.
"""

import json
from collections.abc import Iterator
from typing import Any

from commonsnode.tables import json_form
from commonsnode.tables.json_form import JsonFormError
from commonsnode.tables.model import (
    COLUMNS_MAX,
    Cells,
    Grid,
    Record,
    Rejected,
    Row,
    TableError,
)
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.limits import FIELD_BYTES_MAX, KIND_BYTES_MAX

ID_BYTES = 16
LINE_BYTES_MAX = 1 << 20  # of one record; its fields fit 60,000 bytes of MessagePack

_FIRST_KEY = b'{"fields":'  # how our own lines begin


def encode_line(record: Record) -> str:
    """A record as one line, without the line end: keys sorted, compact, not escaped beyond what JSON demands."""
    line = {
        "fields": {name: json_form.encode_value(value) for name, value in record.fields.items()},
        "id": record.id.hex(),
        "kind": record.kind,
        "lane": record.lane,
    }
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def decode_record(value: dict[str, Any]) -> Record:
    """A record from a parsed line. Raises JsonFormError."""
    unknown = value.keys() - {"fields", "id", "kind", "lane"}
    if unknown:
        raise JsonFormError(f"unknown key {min(unknown)!r} beside fields")
    identity, fields = value.get("id"), value.get("fields")
    kind, lane = value.get("kind", "resource"), value.get("lane", "public")
    if not isinstance(identity, str) or len(identity) != 2 * ID_BYTES:
        raise JsonFormError(f"id must be {2 * ID_BYTES} hexadecimal digits")
    try:
        raw = bytes.fromhex(identity)
    except ValueError:
        raise JsonFormError(f"id must be {2 * ID_BYTES} hexadecimal digits") from None
    if not isinstance(fields, dict):
        raise JsonFormError("fields must be an object")
    for what, name in (("kind", kind), ("lane", lane)):
        if not isinstance(name, str) or not 0 < len(name.encode()) <= KIND_BYTES_MAX:
            raise JsonFormError(f"{what} must be a text of 1 to {KIND_BYTES_MAX} bytes")
    decoded: dict[str, Value] = {}
    for name, inner in fields.items():
        if not 0 < len(name.encode()) <= FIELD_BYTES_MAX:
            raise JsonFormError(f"the name of a field must have 1 to {FIELD_BYTES_MAX} bytes")
        decoded[name] = json_form.decode_value(inner)
    return Record(raw, decoded, str(kind), str(lane))


def read_jsonl(data: bytes) -> Grid:
    """The table of a file with one JSON object a line, UTF-8. Raises TableError for too many columns."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    names: dict[str, None] = {}
    for _, raw in _lines(data):
        if not raw.startswith(_FIRST_KEY):
            try:
                value = _parse(raw)
            except JsonFormError:
                continue  # reported when the rows are read
            if isinstance(value, dict) and "fields" not in value:
                names.update(dict.fromkeys(value))
    if len(names) > COLUMNS_MAX:
        raise TableError(f"has more than {COLUMNS_MAX} different keys")
    headings = list(names)

    def rows() -> Iterator[Cells | Row | Rejected]:
        return (_row(line, raw, headings) for line, raw in _lines(data))

    return Grid(None, headings, rows)


def is_jsonl(data: bytes) -> bool:
    """Whether the first line is a whole JSON object, and another line follows or it is one of our own."""
    first, _, rest = data.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    if not first.lstrip().startswith(b"{") or len(first) > LINE_BYTES_MAX:
        return False
    try:
        value = _parse(first)
    except JsonFormError:
        return False
    return isinstance(value, dict) and (rest.lstrip().startswith(b"{") or "fields" in value)


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = number = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        number += 1
        raw = data[start:end].strip()
        if raw:
            yield number, raw
        start = end + 1


def _parse(raw: bytes) -> Any:
    if len(raw) > LINE_BYTES_MAX:
        raise JsonFormError(f"the line is longer than {LINE_BYTES_MAX} bytes")
    try:
        return json_form.parse(raw.decode())
    except UnicodeDecodeError:
        raise JsonFormError("the line is not UTF-8") from None


def _row(line: int, raw: bytes, headings: list[str]) -> Cells | Row | Rejected:
    try:
        value = _parse(raw)
        if not isinstance(value, dict):
            return Rejected(line, "the line is no JSON object")
        if "fields" not in value:
            return line, [json_form.cell(value.get(name)).strip() for name in headings], None
        record = decode_record(value)
    except JsonFormError as error:
        return Rejected(line, str(error))
    return Row(line, record.id.hex(), record.fields, record.id, record.kind, record.lane)
