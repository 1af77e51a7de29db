"""Read a file to its end as a table, for the tests of import."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from commonsnode.tables import Rejected, Row, Sheet, open_table

SAMPLES = Path(__file__).parent / "data" / "tables"


@dataclass(frozen=True, slots=True)
class Read:
    """A table, read to its end."""

    sheet: Sheet
    rows: list[Row]
    rejected: list[Rejected]

    @property
    def mapping(self) -> dict[str, str]:
        return self.sheet.mapping

    @property
    def fields(self) -> list[dict[str, object]]:
        return [dict(row.fields) for row in self.rows]


def read_sheet(sheet: Sheet) -> Read:
    entries = list(sheet.rows)
    rows = [entry for entry in entries if isinstance(entry, Row)]
    return Read(sheet, rows, [entry for entry in entries if isinstance(entry, Rejected)])


def read_file(path: Path, key: str | None = None, mapping: Mapping[str, str] | None = None) -> Read:
    (sheet,) = open_table(path, key=key, mapping=mapping)
    return read_sheet(sheet)
