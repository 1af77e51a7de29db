"""Headings follow from the table of kinds: what is declared there is exported in its order, and taken back as it is."""

import csv
from pathlib import Path

import pytest

from commonsnode.tables import Record, Row, open_table, write_table
from commonsnode.tables.columns import TARGETS
from commonsnode.tables.declared import ORDER, TEXTS
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds import KINDS


def test_the_order_names_every_declared_field_once() -> None:
    declared = {name for kind in KINDS.values() for name in kind.fields}
    assert set(ORDER) == declared
    assert len(ORDER) == len(declared)
    assert ORDER[: len(KINDS["resource"].fields)] == tuple(KINDS["resource"].fields)


def test_what_is_a_text_can_be_said_by_a_column() -> None:
    assert {"title", "description", "keeper_name", "licensor", "landuse", "tenure"} <= set(TEXTS)
    assert set(TEXTS) <= set(TARGETS)


def test_an_export_has_its_columns_as_declared_and_what_people_made_up_after_them(tmp_path: Path) -> None:
    fields: dict[str, Value] = {
        "x:shelf": "4",
        "website": "https://example.org",
        "unit": "piece",
        "place": {"lat": 3_500_000, "lon": -781_200_000, "name": "Yard"},
        "tag:garden": True,
        "a": "b",
        "description": "Red",
        "title": "Saw",
    }
    path = tmp_path / "out.csv"
    with path.open("wb") as out:
        write_table("csv", [Record(bytes(16), fields)], out)
    (headings, _) = csv.reader(path.read_text().splitlines())
    place = ["place", "lat", "lon"]
    assert headings == [
        "record id",
        "title",
        "description",
        *place,
        "unit",
        "website",
        "tags",
        "a",
        "x:shelf",
    ]


@pytest.mark.parametrize("kind", ["place", "design"])
def test_declared_texts_come_back_as_they_went(tmp_path: Path, kind: str) -> None:
    texts = {name: f"some {name}" for name in KINDS[kind].fields if name in TEXTS}
    path = tmp_path / "out.csv"
    with path.open("wb") as out:
        write_table("csv", [Record(bytes(16), dict(texts), kind)], out)
    (sheet,) = open_table(path)
    (row,) = sheet.rows
    assert isinstance(row, Row)
    assert row.fields == texts


def test_the_use_and_tenure_of_areas_become_their_fields(tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_text("name,lat,lon,landuse,Tenure\nCommon,0.35,-78.12,meadow,commonOwnership\n")
    (sheet,) = open_table(path)
    (row,) = sheet.rows
    assert isinstance(row, Row)
    assert (row.fields["landuse"], row.fields["tenure"], row.kind) == ("meadow", "commonOwnership", "place")
