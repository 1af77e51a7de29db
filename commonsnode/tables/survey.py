"""One pass over the rows of a table, before its headings are mapped: what stands in each column."""

import dataclasses
from dataclasses import dataclass

from commonsnode.tables import headings as words
from commonsnode.tables.model import Grid, Rejected, Row, distinct

WHOLE_ROWS = 5_000  # the first rows, of which every cell is looked at
SAMPLED_EVERY = 10  # of the later rows
SAMPLE_CELLS = 1_000  # of each column; enough to see what a column holds
WHOLE_TARGETS = frozenset(("key", "amount", "lat", "lon"))  # columns that are looked at to their end


@dataclass(slots=True)
class Column:
    """index: from 0. label: the heading, distinct, or the number of the column (from 1). field: where it is kept as it is.

    sample: the first cells that are not empty. filled: in how many of the rows looked at it is not.
    cells: of all rows, where the heading asks for it.
    """

    index: int
    heading: str
    label: str
    field: str
    sample: list[str] = dataclasses.field(default_factory=list)
    filled: int = 0
    cells: list[str] | None = None

    def meanings(self) -> dict[str, int]:
        return words.meanings(self.heading) if self.heading else {}


@dataclass(slots=True)
class Survey:
    """columns: of the headings, and of longer rows beyond them. lines: of the rows that have cells.

    looked_at: the number of rows of which all cells were seen: what `filled` of a column is to be compared with.
    """

    columns: list[Column]
    lines: list[int]
    looked_at: int


def survey(grid: Grid, whole: frozenset[str]) -> Survey:
    """Go through the table once. whole: labels of further columns that are needed to their end (`--key`)."""
    taken_labels: set[str] = set()
    taken_fields: set[str] = set()
    columns: list[Column] = []
    for index, heading in enumerate(grid.headings):
        columns.append(_column(index, heading if grid.has_headings else "", taken_labels, taken_fields))
    kept: list[tuple[int, list[str]]] = []
    for column in columns:
        if column.label in whole or not WHOLE_TARGETS.isdisjoint(column.meanings()):
            column.cells = []
            kept.append((column.index, column.cells))
    found = Survey(columns, [], 0)
    for row in grid.rows():
        if isinstance(row, Row | Rejected):
            continue
        line, cells, feature = row
        if feature is None and not any(map(str.strip, cells)):
            continue
        number = len(found.lines)
        found.lines.append(line)
        for index in range(len(columns), len(cells)):
            columns.append(_column(index, "", taken_labels, taken_fields))
        for index, every in kept:
            every.append(cells[index].strip() if index < len(cells) else "")
        if number < WHOLE_ROWS or number % SAMPLED_EVERY == 0:
            found.looked_at += 1
            for column, cell in zip(columns, cells, strict=False):
                if cell and (cell := cell.strip()):
                    column.filled += 1
                    if len(column.sample) < SAMPLE_CELLS:
                        column.sample.append(cell)
    return found


def _column(index: int, heading: str, taken_labels: set[str], taken_fields: set[str]) -> Column:
    heading = " ".join(heading.split())
    name = heading.removeprefix("x:").strip() or str(index + 1)
    label = distinct(heading or str(index + 1), taken_labels, bytes_max=1 << 16)
    return Column(index, heading, label, distinct(f"x:{name}", taken_fields))
