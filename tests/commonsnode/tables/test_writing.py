"""Export: what a table can hold comes back through our own import."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from commonsnode.tables import Format, Record, Value, write_table
from table_readings import Read, read_file

FORMATS: list[Format] = ["csv", "xlsx", "geojson"]

AREA: Value = {
    "type": "Polygon",
    "coordinates": [
        [[607387224, 560720028], [607388387, 560720031], [607388000, 560730000], [607387224, 560720028]]
    ],
}
FULL: dict[str, Value] = {
    "title": 'Saw, 5" blade',
    "description": "two\nlines",
    "category": "tools",
    "condition": "good",
    "amount": "2.5",
    "unit": "piece",
    "licence": "CC0-1.0",
    "place": {"name": "Barn, upper village", "lat": 394648183, "lon": -3739904},
    "tag:wood": True,
    "tag:sharp": True,
    "x:Notes": "by the door",
    "x:Amount": "many",
}


def exported(format: Format, records: Iterable[Record], folder: Path) -> Path:
    path = folder / f"export.{format}"
    with path.open("wb") as out:
        write_table(format, records, out)
    return path


def again(format: Format, fields: list[dict[str, Value]], folder: Path) -> Read:
    records = [Record(bytes([number]) * 16, each) for number, each in enumerate(fields)]
    path = exported(format, records, folder)
    return read_file(path)


@pytest.mark.parametrize("format", FORMATS)
def test_everything_that_a_table_can_set_comes_back(tmp_path: Path, format: Format) -> None:
    read = again(format, [FULL, {"title": "Axe"}, {"x:3": "no title"}], tmp_path)
    assert read.fields == [FULL, {"title": "Axe"}, {"x:3": "no title"}]
    assert [row.key for row in read.rows] == [(bytes([n]) * 16).hex() for n in range(3)]


@pytest.mark.parametrize("format", FORMATS)
def test_an_area_comes_back_to_the_last_digit(tmp_path: Path, format: Format) -> None:
    place: Value = {"name": "Field", "lat": 560725014, "lon": 607387805, "geometry": AREA}
    assert again(format, [{"title": "Field", "place": place}], tmp_path).fields[0]["place"] == place


@pytest.mark.parametrize("format", FORMATS)
def test_fields_that_a_table_cannot_set_come_back_as_text(tmp_path: Path, format: Format) -> None:
    fields: dict[str, Value] = {"title": "Saw", "keeper": b"\x01\x02", "deleted": True, "times": ["a", 2**60]}
    assert again(format, [fields], tmp_path).fields[0] == {
        "title": "Saw",
        "x:keeper": '{"$bytes":"AQI="}',
        "x:deleted": "true",
        "x:times": '["a",{"$int":"1152921504606846976"}]',
    }


cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=12)
table_fields = st.fixed_dictionaries(
    {"title": cells},
    optional={
        "description": cells,
        "category": cells.filter(lambda text: not text.isdigit()),
        "x:Colour": cells,
        "x:Lat": cells,
        "place": st.fixed_dictionaries(
            {"lat": st.integers(-900_000_000, 900_000_000), "lon": st.integers(-1_800_000_000, 1_800_000_000)}
        ),
    },
)


def _as_a_cell_holds_it(fields: dict[str, Value]) -> dict[str, Value]:
    """Without blanks around the texts; and an empty cell is no field."""
    stripped: dict[str, Value] = {"title": "Saw", "description": "old", "category": "tool"}
    for name, value in fields.items():
        kept = value.strip() if isinstance(value, str) else value
        if kept != "":
            stripped[name] = kept
    return stripped


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(fields=st.lists(table_fields, min_size=1, max_size=4), format=st.sampled_from(FORMATS))
def test_texts_and_coordinates_come_back_whatever_they_are(
    tmp_path: Path, fields: list[dict[str, Value]], format: Format
) -> None:
    fields = [_as_a_cell_holds_it(each) for each in fields]
    assert again(format, fields, tmp_path).fields == fields


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "=HYPERLINK(A1)"])
def test_no_cell_of_a_workbook_becomes_a_formula(tmp_path: Path, text: str) -> None:
    path = exported("xlsx", [Record(bytes(16), {"title": text})], tmp_path)
    cell = load_workbook(path).worksheets[0]["B2"]
    assert (cell.value, cell.data_type) == (text, "s")


def test_control_characters_and_long_texts_do_not_stop_a_workbook(tmp_path: Path) -> None:
    path = exported("xlsx", [Record(bytes(16), {"title": "a\x00\x0bb", "x:long": "y" * 40_000})], tmp_path)
    sheet = load_workbook(path).worksheets[0]
    assert sheet["B2"].value == "ab"
    assert len(sheet["C2"].value) == 32_767


def test_geojson_has_places_as_geometries_and_the_id_of_the_record() -> None:
    out = io.BytesIO()
    write_table("geojson", [Record(bytes(16), FULL), Record(bytes([1]) * 16, {"title": "Axe"})], out)
    document: dict[str, Any] = json.loads(out.getvalue())
    first, second = document["features"]
    assert first["id"] == bytes(16).hex()
    assert first["geometry"] == {"type": "Point", "coordinates": [-0.3739904, 39.4648183]}
    assert first["properties"]["place"] == "Barn, upper village"
    assert first["properties"]["tags"] == ["sharp", "wood"]
    assert second["geometry"] is None


@pytest.mark.parametrize(
    ("format", "head"), [("csv", b"record id\r\n"), ("jsonl", b""), ("geojson", b'{"type"')]
)
def test_nothing_to_write_is_an_empty_document(format: Format, head: bytes) -> None:
    out = io.BytesIO()
    write_table(format, [], out)
    assert out.getvalue().startswith(head)
    if format == "geojson":
        assert json.loads(out.getvalue())["features"] == []


def test_records_are_written_in_the_order_given_and_read_only_once() -> None:
    def records() -> Iterable[Record]:
        for number in (3, 1, 2):
            yield Record(bytes([number]) * 16, {"title": f"Thing {number}"})

    out = io.BytesIO()
    write_table("csv", iter(records()), out)
    assert out.getvalue().decode().splitlines()[1:] == [
        f"{bytes([n]).hex() * 16},Thing {n}" for n in (3, 1, 2)
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_headings_of_our_own_export_mean_what_they_say_whatever_the_cells_are(
    tmp_path: Path, format: Format
) -> None:
    fields: dict[str, Value] = {
        "title": "https://example.org",
        "category": "7",
        "x:Lat": "1.5",
        "x:Lon": "2.5",
    }
    assert again(format, [fields], tmp_path).fields == [fields]
