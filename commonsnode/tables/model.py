"""What the reading and writing of tables is about: rows, sheets, records, limits, and the one error."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.limits import FIELD_BYTES_MAX

FILE_BYTES_MAX = 256 * 1024 * 1024  # a file to import, as it lies on the disk
UNPACKED_BYTES_MAX = (
    512 * 1024 * 1024
)  # the parts of a workbook together, as their zip directory declares them
COLUMNS_MAX = 16_384  # what a spreadsheet can have
SHEET_ROWS_MAX = 1_048_576  # likewise
CELL_BYTES_MAX = 16 * 1024  # UTF-8 of one cell
ROW_BYTES_MAX = 60_000  # canonical MessagePack of the fields of one row: fits one changeset
KEY_BYTES_MAX = 4_096  # UTF-8 of what names a row


class TableError(Exception):
    """A file, or what was said about it, cannot be used at all; the text is one line for a person."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of a table.

    line: of the file (1-based; where the row begins), of the sheet, or the position of a GeoJSON feature.
    key: what names this row within its source, for the record id of imported records.
    record: the record id, where our own JSON Lines gave it; then `key` is its hex.
    """

    line: int
    key: str
    fields: dict[str, Value]
    record: bytes | None = None
    kind: str = "resource"
    lane: str = "public"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file: how its headings are mapped, and its rows.

    source: names the table for the ids of its records. name: of the sheet in a workbook.
    mapping: heading -> `title`, ..., `place`, `lat`, `lon`, `latlon`, `lonlat`, `geometry`, `tags`, `x:<heading>`, `-`
    or `key` (only the key); a column without a heading is named by its number.
    key: the heading of the column that the rows are named by; None: their title and place.
    rows: lazy, one pass. notices: what a person should know, a line each.
    also: fields that rows can set beside those of the mapping.
    """

    source: str
    name: str | None
    mapping: dict[str, str]
    key: str | None
    rows: Iterator[Row | Rejected]
    notices: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One record to be written out. id: 16 bytes."""

    id: bytes
    fields: dict[str, Value]
    kind: str = "resource"
    lane: str = "public"


@dataclass(frozen=True, slots=True)
class Feature:
    """What a GeoJSON feature has beside its properties. place: `lat`, `lon`, `geometry` as far as known."""

    id: str | None
    place: dict[str, Value]


Cells: TypeAlias = tuple[int, list[str], Feature | None]  # line, the text of each cell, what came beside


@dataclass(slots=True)
class Grid:
    """A table whose headings are known, and whose rows can be gone through again and again.

    headings: the text of each, "" for none. has_headings: False where the first row is data.
    ours: written by our own export, or read from a standard's form, so that the headings mean what they say.
    kind: of all rows, where a standard says it.
    """

    name: str | None
    headings: list[str]
    rows: Callable[[], Iterator[Cells | Row | Rejected]]
    has_headings: bool = True
    notices: list[str] = field(default_factory=list)
    separator: str = ""
    feature_ids: bool = False
    geometries: bool = False
    ours: bool = False
    kind: str | None = None

    @property
    def means_what_it_says(self) -> bool:
        """Whether the headings are names of our fields, so that nothing is to be guessed."""
        return self.ours or OUR_ID in self.headings


OURS = '{"type":"FeatureCollection","generator":"commonsnode",'
"""How the GeoJSON of our own export begins."""
OUR_ID = "record id"
"""The heading by which our own CSV and XLSX are known: its cells name the rows, and are nothing more."""


def cut(text: str, bytes_max: int) -> str:
    """The beginning of a text that has at most so many bytes of UTF-8, cut at a character."""
    raw = text.encode()
    return text if len(raw) <= bytes_max else raw[:bytes_max].decode(errors="ignore")


def distinct(name: str, taken: set[str], bytes_max: int = FIELD_BYTES_MAX) -> str:
    """The name, cut to its limit; where that is taken already, with ` (2)` and so on. Adds it to `taken`."""
    candidate, n = cut(name, bytes_max), 1
    while candidate in taken:
        n += 1
        suffix = f" ({n})"
        candidate = cut(name, bytes_max - len(suffix)) + suffix
    taken.add(candidate)
    return candidate


def shorten(text: str, length: int = 40) -> str:
    """A text of a cell as it is quoted in a reason."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
