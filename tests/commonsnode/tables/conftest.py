"""Fixtures of the tests of tables: the samples, and files made on the spot."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from commonsnode.tables import open_table
from table_readings import SAMPLES, Read, read_file, read_sheet


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
