"""What the tests of tables share: the samples, and reading a file to its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from commonsnode.tables import Rejected, Row, Sheet, open_table

SAMPLES = Path(__file__).parents[2] / "data" / "tables"


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


@pytest.fixture
def sample() -> Callable[[str], Read]:
    """Read one of the real files."""
    return lambda name: read_file(SAMPLES / name)


@pytest.fixture
def samples() -> Path:
    return SAMPLES


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Read]:
    """Write bytes or text into a file and read it as a table."""

    def read(
        content: str | bytes,
        name: str = "things.csv",
        key: str | None = None,
        mapping: Mapping[str, str] | None = None,
    ) -> Read:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_file(path, key, mapping)

    return read


@pytest.fixture
def sheets(tmp_path: Path) -> Callable[..., list[Read]]:
    """Write a workbook's bytes into a file and read all of its sheets."""

    def read(content: bytes, name: str = "things.xlsx", source: str | None = None) -> list[Read]:
        path = tmp_path / name
        path.write_bytes(content)
        return [read_sheet(sheet) for sheet in open_table(path, source=source)]

    return read
