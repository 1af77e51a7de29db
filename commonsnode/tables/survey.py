"""One pass over the rows of a table, before its headings are mapped: what stands in each column."""

import dataclasses
from dataclasses import dataclass

from commonsnode.tables import headings as words
from commonsnode.tables.model import Grid, Rejected, Row, distinct

SAMPLE_CELLS = 1_000  # of each column; enough to see what a column holds
WHOLE_TARGETS = frozenset(("key", "amount", "lat", "lon"))  # columns that are looked at to their end


@dataclass(slots=True)
class Column:
    """index: from 0. label: the heading, distinct, or the number of the column (from 1). field: where it is kept as it is.

    sample: the first cells that are not empty. filled: how many are not. cells: all, where the heading asks for it.
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
    """columns: of the headings, and of longer rows beyond them. lines: of the rows that have cells."""

    columns: list[Column]
    lines: list[int]


def survey(grid: Grid, whole: frozenset[str]) -> Survey:
    """Go through the table once. whole: labels of further columns that are needed to their end (`--key`)."""
    taken_labels: set[str] = set()
    taken_fields: set[str] = set()
    columns: list[Column] = []
    for index, heading in enumerate(grid.headings):
        columns.append(_column(index, heading if grid.has_headings else "", taken_labels, taken_fields))
    lines: list[int] = []
    kept: list[Column] = []
    for column in columns:
        if column.label in whole or not WHOLE_TARGETS.isdisjoint(column.meanings()):
            column.cells = []
            kept.append(column)
    for row in grid.rows():
        if isinstance(row, Row | Rejected):
            continue
        line, cells, feature = row
        any_cell = feature is not None
        for index, cell in enumerate(cells):
            if cell and (cell := cell.strip()):
                any_cell = True
                if index >= len(columns):
                    columns.extend(
                        _column(i, "", taken_labels, taken_fields) for i in range(len(columns), index + 1)
                    )
                column = columns[index]
                column.filled += 1
                if len(column.sample) < SAMPLE_CELLS:
                    column.sample.append(cell)
        if any_cell:
            lines.append(line)
            for column in kept:
                if column.cells is not None:
                    column.cells.append(cells[column.index].strip() if column.index < len(cells) else "")
    return Survey(columns, lines)


def _column(index: int, heading: str, taken_labels: set[str], taken_fields: set[str]) -> Column:
    heading = " ".join(heading.split())
    name = heading.removeprefix("x:").strip() or str(index + 1)
    label = distinct(heading or str(index + 1), taken_labels, bytes_max=1 << 16)
    return Column(index, heading, label, distinct(f"x:{name}", taken_fields))
