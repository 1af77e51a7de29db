"""GeoJSON: points become coordinates, other geometries are kept, properties are mapped as headings are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from commonsnode.tables import TableError, open_table
from table_readings import Read

Table: TypeAlias = Callable[..., Read]


def collection(*features: dict[str, Any], **members: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features, **members})


def feature(geometry: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"name": "Well"}, "geometry": geometry, **more}


def point(*coordinates: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(coordinates)}


def test_markets_in_a_json_file_with_other_members_beside_the_features(sample: Callable[[str], Read]) -> None:
    read = sample("bad-homburg.json")
    assert read.mapping == {"title": "title", "location": "place", "opening_hours": "x:opening_hours"}
    assert read.fields[0] == {
        "title": "Bad Homburger Wochenmarkt",
        "place": {
            "name": "Zwischen Markt- und Kurhausvorplatz, Bad Homburg",
            "lat": 502267000,
            "lon": 86169500,
        },
        "x:opening_hours": "Tu,Fr 07:30-14:00",
    }
    assert read.rows[1].key == '["Bad Homburger Blumenmarkt", "Waisenhausplatz, Bad Homburg", "1"]'


def test_coordinates_between_quotes_are_read_all_the_same(sample: Callable[[str], Read]) -> None:
    read = sample("bottrop.json")
    assert read.rejected == []
    assert read.fields[0]["place"] == {"name": "Fußgängerzone/Kirchplatz", "lat": 515206340, "lon": 69258340}


def test_the_place_of_openstreetmap_is_a_kind_of_settlement(sample: Callable[[str], Read]) -> None:
    read = sample("places.geojson")
    assert read.sheet.key == "id"
    assert read.rows[0].key == "635983297"
    assert read.fields[0] == {
        "title": "Воздвиженка",
        "category": "village",
        "place": {"lat": 561264207, "lon": 607762643},
        "x:id": "635983297",
        "x:population": "381",
    }


def test_areas_keep_their_shape_and_get_a_point(sample: Callable[[str], Read]) -> None:
    read = sample("parking.geojson")
    area, spot = read.fields[0]["place"], read.fields[-1]["place"]
    assert isinstance(area, dict)
    assert isinstance(spot, dict)
    assert (area["lat"], area["lon"]) == (560715054, 607382412)
    assert area["geometry"]["type"] == "Polygon"
    assert area["geometry"]["coordinates"][0][0] == [607387224, 560720028]
    assert "geometry" not in spot


def test_the_id_of_a_feature_goes_before_one_among_the_properties(table: Table) -> None:
    text = collection(
        feature(point(1.5, 2.5), id=7) | {"properties": {"id": "b"}},
        feature(point(1.5, 2.5), id="way/8") | {"properties": {"id": "a"}},
    )
    assert [row.key for row in table(text, "a.geojson").rows] == ["7", "way/8"]


def test_ids_that_repeat_name_nothing(table: Table) -> None:
    text = collection(feature(point(1, 2), id=7), feature(point(1, 2), id=7))
    assert [row.key for row in table(text, "a.geojson").rows] == [
        '["Well", "20000000,10000000", "1"]',
        '["Well", "20000000,10000000", "2"]',
    ]


def test_properties_are_texts_as_they_were_written(table: Table) -> None:
    properties = (
        '{"name":"Well","depth":12.50,"year":1912,"open":true,"closed":null,"hours":{"mo":[8, 1.0e1]}}'
    )
    text = f'{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{properties},"geometry":null}}]}}'
    assert table(text, "a.geojson").fields == [
        {
            "title": "Well",
            "x:depth": "12.50",
            "x:year": "1912",
            "x:open": "true",
            "x:hours": '{"mo":[8,1.0e1]}',
        }
    ]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(feature(point(-0.5, 39.5))),
        json.dumps(point(-0.5, 39.5, 120.25)),
        "\ufeff" + json.dumps(point(-0.5, 39.5)),
    ],
)
def test_a_feature_or_geometry_alone_is_one_row(table: Table, text: str) -> None:
    (fields,) = table(text, "a.geojson").fields
    assert fields["place"] == {"lat": 395000000, "lon": -5000000}


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (point(12, 95), "latitude 95 is out of range (-90 to 90); latitude and longitude look swapped"),
        (point(181, 10), "longitude 181 is out of range (-180 to 180)"),
        (point(1), "invalid coordinates of a Point"),
        (point("east", 1), "invalid coordinates of a Point: 'east' is no number"),
        (point(True, 1), "invalid coordinates of a Point: 'True' is no number"),
        (point(1e300, 1), "invalid coordinates of a Point"),
        ({"type": "Circle", "coordinates": [1, 2]}, "unknown type of geometry: Circle"),
        ({"type": "LineString", "coordinates": [[1, 2]]}, "a line of LineString has fewer than 2 positions"),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
            "a ring of Polygon is not closed",
        ),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},
            "a ring of Polygon has fewer than 4 positions",
        ),
        ({"type": "Polygon", "coordinates": [[0, 0], [1, 0]]}, "invalid coordinates of a Polygon"),
        ({"type": "GeometryCollection"}, "invalid GeometryCollection"),
        ("POINT (1 2)", "the geometry is no object"),
    ],
)
def test_a_wrong_geometry_rejects_its_feature_alone(table: Table, geometry: Any, reason: str) -> None:
    read = table(collection(feature(point(1, 2)), feature(geometry), feature(point(3, 4))), "a.geojson")
    assert [row.line for row in read.rows] == [1, 3]
    assert read.rejected[0].line == 2
    assert read.rejected[0].reason.startswith(reason)


def test_what_is_swapped_but_in_range_is_left_as_it_is(table: Table) -> None:
    assert table(collection(feature(point(56, 24))), "a.geojson").fields[0]["place"] == {
        "lat": 240000000,
        "lon": 560000000,
    }


def test_a_shape_across_the_date_line_has_its_middle_there(table: Table) -> None:
    line = {"type": "LineString", "coordinates": [[179, -17], [-179, -16]]}
    place = table(collection(feature(line)), "a.geojson").fields[0]["place"]
    assert isinstance(place, dict)
    assert (place["lat"], place["lon"]) == (-165000000, 1800000000)


def test_a_collection_of_geometries_is_kept_whole(table: Table) -> None:
    both = {
        "type": "GeometryCollection",
        "geometries": [point(0, 0), {"type": "LineString", "coordinates": [[0, 0], [2, 2]]}],
    }
    place = table(collection(feature(both)), "a.geojson").fields[0]["place"]
    assert place == {
        "lat": 10000000,
        "lon": 10000000,
        "geometry": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Point", "coordinates": [0, 0]},
                {"type": "LineString", "coordinates": [[0, 0], [20000000, 20000000]]},
            ],
        },
    }


def test_no_geometry_and_an_empty_one_are_no_place(table: Table) -> None:
    read = table(collection(feature(None), feature({"type": "Point", "coordinates": []})), "a.geojson")
    assert read.fields == [{"title": "Well"}, {"title": "Well"}]


def test_without_any_geometry_the_columns_may_be_coordinates(table: Table) -> None:
    text = collection(
        {"type": "Feature", "geometry": None, "properties": {"name": "Well", "lat": 39.5, "lon": -0.5}}
    )
    assert table(text, "a.geojson").fields[0]["place"] == {"lat": 395000000, "lon": -5000000}


def test_an_area_too_large_for_a_changeset_is_rejected_with_its_size(table: Table) -> None:
    ring = [[n / 1000, n / 1000] for n in range(9000)]
    read = table(collection(feature({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})), "a.geojson")
    assert "60000" in read.rejected[0].reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"type": "FeatureCollection", "features": [{}', "not valid JSON"),
        ('{"type": "FeatureCollection", "features": [],}', "not valid JSON"),
        ('{"type": "FeatureCollection", "features": []} {}', "not valid JSON"),
        ('{"type": "FeatureCollection", "type": 1}', "comes twice"),
        ('{"type": "FeatureCollection", "features": [{"id": 1, "id": 2}]}', "comes twice"),
        ('{"type": "FeatureCollection", "features": [NaN]}', "NaN"),
        ('{"type": "FeatureCollection"}', "no GeoJSON"),
        ('{"type": "Topology", "objects": {}}', "no GeoJSON"),
        ('{"name": "Saw"}', "no GeoJSON"),
        ("[1, 2]", "not of things"),
        ("[" * 100_000, "nested too deeply|no GeoJSON|not valid JSON"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_geojson_is_one_clear_error(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(TableError, match=reason):
        open_table(path)


def test_another_system_of_coordinates_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(
        collection(
            feature(point(1, 2)), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25830"}}
        )
    )
    with pytest.raises(TableError, match="25830"):
        open_table(path)


def test_half_a_surrogate_pair_rejects_its_feature(table: Table) -> None:
    text = '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":{"name":"\\ud800"}}]}'
    assert "surrogate" in table(text, "a.geojson").rejected[0].reason
