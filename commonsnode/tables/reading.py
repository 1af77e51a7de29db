"""Open a file with a table: find out what it is, map its headings, and hand out its rows."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from commonsnode.tables import (
    columns,
    delimited,
    geojson,
    header,
    items,
    json_form,
    jsonl,
    open_know,
    workbook,
)
from commonsnode.tables.encoding import find_encoding
from commonsnode.tables.lending_columns import LendingColumns
from commonsnode.tables.model import FILE_BYTES_MAX, Cells, Grid, Rejected, Row, Sheet, TableError
from commonsnode.tables.rows import make_rows
from commonsnode.tables.survey import Survey, survey

YAML_SUFFIXES = (".yaml", ".yml")
LIST_BYTES_MAX = 64 * 1024 * 1024  # of JSON that is a list, which is read as one document


def open_table(
    path: Path, *, source: str | None = None, key: str | None = None, mapping: Mapping[str, str] | None = None
) -> list[Sheet]:
    """The tables of a file: one, or one for each visible sheet of a workbook that has rows.

    source: names the file for the ids of its records; by default its name without folder and extension. The sheets of a
    workbook are `<source>/<sheet>`. key: the heading of the column that names the rows. mapping: heading -> one of
    `columns.TARGETS`, as with `--map`; a column without a heading is meant by its number.
    Raises TableError where the file, the key or the mapping cannot be used; the text is one line for a person.
    """
    said = dict(mapping or {})
    columns.check_targets(said)
    data = _read(path)
    name = path.stem if source is None else source
    try:
        grids, notices, is_workbook = _grids(data, path.suffix.lower())
        surveys = [survey(grid, frozenset(() if key is None else (key,))) for grid in grids]
    except TableError as error:
        raise TableError(f"{path.name} {error}") from None
    if not grids:
        raise TableError(f"{path.name} has no rows to import")
    _check_headings(surveys, said, key)
    sheets = []
    for grid, found in zip(grids, surveys, strict=True):
        choice = columns.choose(grid, found, said, key)
        sheets.append(
            Sheet(
                source=f"{name}/{grid.name}" if is_workbook else name,
                name=grid.name,
                mapping=columns.explain(choice, found),
                key=None if choice.key is None else choice.key.label,
                rows=make_rows(grid, found, choice, path.stem),
                notices=(*notices, *grid.notices, *choice.notices),
                also=LendingColumns(grid, found, choice).fields,
            )
        )
        notices = []
    return sheets


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > FILE_BYTES_MAX:
                raise TableError(f"{path.name} is larger than {FILE_BYTES_MAX} bytes")
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise TableError(f"{path.name} cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(data) > FILE_BYTES_MAX:
        raise TableError(f"{path.name} is larger than {FILE_BYTES_MAX} bytes")
    if not data.strip():
        raise TableError(f"{path.name} is empty")
    return data


def _grids(data: bytes, suffix: str) -> tuple[list[Grid], list[str], bool]:
    """The tables, notices about the file, and whether it is a workbook."""
    if workbook.is_old_office(data):
        workbook.check_old_office(data)
    if data.startswith(b"PK\x03\x04"):
        grids, notices = workbook.read_workbook(data)
        return grids, notices, True
    if suffix in YAML_SUFFIXES:
        from commonsnode.tables.yaml_form import read_yaml  # its library is for these files alone

        return [read_yaml(data)], [], False
    if suffix == ".toml":
        return [open_know.read_manifest(data)], [], False
    if suffix in (".jsonl", ".ndjson") or jsonl.is_jsonl(data):
        return [jsonl.read_jsonl(data)], [], False
    if suffix in (".json", ".geojson") or data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        encoding = find_encoding(data)
        text = data.decode(encoding.codec, errors="replace")
        facilities = open_know.read_facilities(text)
        if facilities is not None:
            return [facilities], [], False
        if suffix != ".geojson" and text.lstrip("\ufeff \t\r\n").startswith("["):
            return [items.grid_of(list(enumerate(_whole_json(text), start=1)))], [], False
        try:
            return [geojson.read_geojson(text)], [], False
        except geojson.NoGeoJson:
            grids = items.grids_of(_whole_json(text))
            if not grids:
                raise
            return grids, [], True
    if suffix in (".xlsx", ".xlsm"):
        raise TableError("is no Excel workbook, or a damaged one")
    return [_delimited(data, suffix)], [], False


def _whole_json(text: str) -> Any:
    if len(text) > LIST_BYTES_MAX:
        raise TableError(f"is larger than {LIST_BYTES_MAX} characters, which is too much for this form")
    try:
        return json_form.parse(text.lstrip("\ufeff"))
    except json_form.JsonFormError as error:
        raise TableError(f"is not valid JSON: {error}") from None


def _delimited(data: bytes, suffix: str) -> Grid:
    encoding = find_encoding(data)
    sample = delimited.sample_text(data, encoding)
    form = delimited.find_form(sample, suffix)
    first: list[header.Numbered] = []
    for record in delimited.read_records(data, encoding, form):
        if isinstance(record, Rejected):
            continue
        cells = [cell.strip() for cell in record[1]]
        if any(cells):
            first.append((record[0], cells))
        if len(first) >= header.ROWS_MAX:
            break
    if not first:
        raise TableError("has no rows")
    found = header.find_header(first)
    last_skipped = max((line for line, _ in first[: found.start]), default=0)

    def rows() -> Iterator[Cells | Row | Rejected]:
        for record in delimited.read_records(data, encoding, form):
            if isinstance(record, Rejected):
                yield record
            elif record[0] > last_skipped:
                yield record[0], record[1], None

    width = max(len(cells) for _, cells in first)
    headings = found.headings if found.headings is not None else [""] * width
    grid = Grid(None, headings, rows, found.headings is not None, separator=form.separator)
    if encoding.name != "UTF-8":
        grid.notices.append(f"read as {encoding.name}")
    if found.skipped:
        grid.notices.append(f"lines above the headings left out: {', '.join(map(str, found.skipped))}")
    return grid


def _check_headings(surveys: list[Survey], said: Mapping[str, str], key: str | None) -> None:
    """Raise TableError for a heading of `--map` or `--key` that no table of the file has."""
    names = [("--map", name) for name in said] + ([] if key is None else [("--key", key)])
    for option, name in names:
        if not any(columns.find_label(found.columns, name) for found in surveys):
            known = dict.fromkeys(column.label for found in surveys for column in found.columns)
            raise TableError(f"{option}: no heading {name!r}; there are {', '.join(map(repr, known))}")
