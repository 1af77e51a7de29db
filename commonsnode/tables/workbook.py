"""Sheets of an Excel workbook (.xlsx) as tables of text: values as a person reads them, merged cells, headings over several rows.

openpyxl in its read-only mode, which streams; merged cells it does not tell, so they are read from the sheet's XML.
"""

import io
import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from commonsnode.tables import header
from commonsnode.tables.model import (
    COLUMNS_MAX,
    SHEET_ROWS_MAX,
    UNPACKED_BYTES_MAX,
    Cells,
    Grid,
    Rejected,
    Row,
    TableError,
)

CHUNK_BYTES = 1 << 16
HEADING_ROWS_MAX = 10
TAIL_BYTES = 256  # of a chunk, looked at again with the next one

_DAMAGE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    OSError,
    EOFError,
    SyntaxError,  # of XML
    zipfile.BadZipFile,
    zlib.error,
)
"""What openpyxl lets out when a file is damaged."""

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range: rows and columns, 1-based, both ends within."""

    top: int
    left: int
    bottom: int
    right: int


def is_old_office(data: bytes) -> bool:
    return data.startswith(_OLE2)


def check_old_office(data: bytes) -> None:
    """Raise TableError that says what an OLE2 file is: an old workbook, or one with a password."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise TableError("is protected by a password: save it without one")
    if "WordDocument".encode("utf-16-le") in data:
        raise TableError("is a Word document, not a table")
    raise TableError("is an old Excel workbook (.xls): save it as .xlsx or CSV")


def check_zip(data: bytes) -> None:
    """Raise TableError where a zip archive is no workbook, is damaged, or would unpack to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > UNPACKED_BYTES_MAX:
                raise TableError(f"unpacks to {unpacked} bytes; at most {UNPACKED_BYTES_MAX} are taken")
            mimetype = archive.read("mimetype")[:100] if "mimetype" in archive.namelist() else b""
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, RuntimeError):
        raise TableError("is a damaged workbook or zip archive: it cannot be opened") from None
    names = {entry.filename for entry in entries}
    if b"opendocument" in mimetype:
        raise TableError("is an OpenDocument file (.ods): save it as .xlsx or CSV")
    if "xl/workbook.bin" in names:
        raise TableError("is a binary Excel workbook (.xlsb): save it as .xlsx or CSV")
    if not any(name.lower().endswith("workbook.xml") for name in names):
        raise TableError("is a zip archive without a workbook in it")
    if any(entry.flag_bits & 1 for entry in entries):
        raise TableError("is protected by a password: save it without one")


def read_workbook(data: bytes) -> tuple[list[Grid], list[str]]:
    """The visible sheets that have rows, and notices about the others. Raises TableError."""
    check_zip(data)
    grids: list[Grid] = []
    notices: list[str] = []
    try:
        with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(data)) as archive:
            warnings.simplefilter("ignore")  # about styles and extensions that do not concern values
            for sheet in _open(data):
                if sheet.sheet_state != "visible":
                    notices.append(f"sheet {sheet.title!r} is hidden: left out")
                    continue
                grid = _grid(sheet, _merges(archive, sheet))
                if grid is None:
                    notices.append(f"sheet {sheet.title!r} is empty: left out")
                else:
                    grids.append(grid)
    except _DAMAGE as error:
        raise TableError(f"is a damaged workbook: it cannot be read ({type(error).__name__})") from None
    return grids, notices


def _open(data: bytes) -> list[Any]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    return [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")]


def _merges(archive: zipfile.ZipFile, sheet: Any) -> list[Merge]:
    found: list[Merge] = []
    with archive.open(sheet._worksheet_path.lstrip("/")) as xml:
        tail = b""
        while chunk := xml.read(CHUNK_BYTES):
            text = tail + chunk
            last = 0
            for match in _MERGE.finditer(text):
                found.append(Merge(int(match[2]), _column(match[1]), int(match[4]), _column(match[3])))
                last = match.end()
            tail = text[max(last, len(text) - TAIL_BYTES) :]
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _grid(sheet: Any, merges: list[Merge]) -> Grid | None:
    rows = list(_rows(sheet))
    if not rows:
        return None
    found = _stacked_header(rows, merges) or header.find_header(rows)
    data = rows[found.start :]
    _fill_down(data, merges)
    width = max(len(cells) for _, cells in rows)
    headings = found.headings if found.headings is not None else [""] * width
    grid = Grid(sheet.title, headings, _repeatable(data), found.headings is not None)
    if found.skipped:
        grid.notices.append(f"rows above the headings left out: {', '.join(map(str, found.skipped))}")
    return grid


def _repeatable(rows: list[header.Numbered]) -> Any:
    def read() -> Iterator[Cells | Row | Rejected]:
        return ((line, cells, None) for line, cells in rows)

    return read


def _rows(sheet: Any) -> Iterator[header.Numbered]:
    """The rows that are not empty, with their numbers."""
    sheet.reset_dimensions()  # what the file says of its size may be wrong, and would cut rows off
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > SHEET_ROWS_MAX:
            raise TableError(f"sheet {sheet.title!r} has more than {SHEET_ROWS_MAX} rows")
        cells = [as_text(cell.value).strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > COLUMNS_MAX:
            raise TableError(f"row {number} of sheet {sheet.title!r} has more than {COLUMNS_MAX} columns")
        if cells:
            yield number, cells


def as_text(value: Any) -> str:
    """The value of a cell as a person reads it: no `.0`, no exponent, dates as ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value) if "_x" in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        moment = (value + timedelta(milliseconds=500)).replace(microsecond=0)
        return moment.date().isoformat() if moment.time() == time() else moment.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.replace(microsecond=0).isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    return str(value)


def _number(value: float) -> str:
    """15 digits, as Excel computes and shows them, without an exponent."""
    if not math.isfinite(value):
        return ""
    plain = format(Decimal(format(value, ".15g")), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _stacked_header(rows: Sequence[header.Numbered], merges: list[Merge]) -> header.Header | None:
    """Headings over several rows, as merged cells show them; None where there are no such.

    The block goes down as far as a merged range that begins in it, and one row more where a range spans columns: those
    have headings of their own below. The texts above a column are joined.
    """
    by_row = dict(rows[: header.ROWS_MAX])
    covered = [(line, _covered(line, cells, merges)) for line, cells in rows[: header.ROWS_MAX]]
    start = header.preamble([(line, ["x"] * count) for line, count in covered])
    top = bottom = rows[start][0]
    while True:
        within = [m for m in merges if top <= m.top <= bottom]
        reach = max([m.bottom for m in within], default=bottom)
        if any(m.bottom == reach and m.right > m.left and _text(by_row, m.top, m.left) for m in within):
            reach += 1
        if reach <= bottom:
            break
        bottom = reach
        if bottom - top >= HEADING_ROWS_MAX:
            return None
    stacked = [(line, cells) for line, cells in rows if top <= line <= bottom]
    below = [cells for line, cells in rows if line > bottom]
    if (
        bottom == top
        or not below
        or not any(m.right > m.left or len(stacked) > 1 for m in merges if m.top >= top)
    ):
        return None
    headings = _joined(stacked, [m for m in merges if top <= m.top <= bottom], top, bottom)
    if not header.looks_like_headings(headings, below[: header.ROWS_MAX]):
        return None
    return header.Header(start + len(stacked), headings, tuple(line for line, _ in rows[:start]))


def _text(by_row: dict[int, list[str]], row: int, column: int) -> str:
    cells = by_row.get(row, [])
    return cells[column - 1] if column <= len(cells) else ""


def _covered(line: int, cells: list[str], merges: list[Merge]) -> int:
    """How many columns the filled cells of a row cover; a single text over all of them is a title, and counts once."""
    count = header.filled(cells)
    if count <= 1:
        return count
    spans = sum(
        m.right - m.left for m in merges if m.top == line and m.left <= len(cells) and cells[m.left - 1]
    )
    return count + spans


def _joined(stacked: Sequence[header.Numbered], merges: list[Merge], top: int, bottom: int) -> list[str]:
    width = max([len(cells) for _, cells in stacked] + [m.right for m in merges])
    table = {line: cells + [""] * (width - len(cells)) for line, cells in stacked}
    for merge in merges:
        value = table.get(merge.top, [""] * width)[merge.left - 1]
        for row in range(merge.top, min(merge.bottom, bottom) + 1):
            if row in table:
                table[row][merge.left - 1 : merge.right] = [value] * (merge.right - merge.left + 1)
    headings = []
    for column in range(width):
        parts: list[str] = []
        for row in sorted(table):
            text = table[row][column]
            if text and (not parts or parts[-1] != text):
                parts.append(text)
        headings.append(" ".join(parts))
    while headings and not headings[-1]:
        headings.pop()
    return headings


def _fill_down(rows: Sequence[header.Numbered], merges: list[Merge]) -> None:
    """A cell merged over several rows of data holds for each of them that has anything else."""
    by_row = dict(rows)
    for merge in merges:
        value = _text(by_row, merge.top, merge.left)
        if not value or merge.bottom == merge.top:
            continue
        for number in range(merge.top + 1, min(merge.bottom, merge.top + SHEET_ROWS_MAX) + 1):
            cells = by_row.get(number)
            if cells is not None:
                cells.extend([""] * (merge.left - len(cells)))
                cells[merge.left - 1] = value
