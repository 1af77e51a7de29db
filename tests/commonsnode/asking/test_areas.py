"""Distances in metres, and areas of GeoJSON, holes and all; what is none is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode.asking.areas import SHAPES_MAX, area, metres
from commonsnode.errors import WrongField
from commonsnode.tables import json_form
from commonsnode_store.areas import HALF_ROUND_M

OUTER = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [4, 6], [6, 6], [6, 4], [4, 4]]
SQUARE = {"type": "Polygon", "coordinates": [OUTER, HOLE]}
FAR = {"type": "Polygon", "coordinates": [[[20, 0], [21, 0], [21, 1], [20, 0]]]}
E7 = 10_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15km", 15_000),
        ("15 km", 15_000),
        ("500m", 500),
        ("2 mi", 3_219),
        ("0.5KM", 500),
        ("1,5 km", 1_500),
        ("0m", 0),
        ("999999999km", HALF_ROUND_M),
    ],
)
def test_a_distance_is_a_number_with_its_unit(text: str, expected: int) -> None:
    assert metres(text) == expected


@pytest.mark.parametrize("text", ["", "15", "km", "-1km", "1e3m", "15 feet", "1.km", "١٥km", "9" * 30 + "m"])
def test_another_text_is_no_distance(text: str) -> None:
    with pytest.raises(WrongField, match="a number and m, km or mi"):
        metres(text)


def test_a_polygon_holds_what_is_in_it_and_not_in_its_holes() -> None:
    found = area(SQUARE)
    assert found.holds(2 * E7, 1 * E7)
    assert not found.holds(5 * E7, 5 * E7)
    assert not found.holds(1 * E7, 20 * E7)


@pytest.mark.parametrize(
    "said",
    [
        {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], FAR["coordinates"]]},
        {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "geometry": each, "properties": {}} for each in (SQUARE, FAR)],
        },
    ],
)
def test_several_polygons_are_one_area(said: dict[str, Any]) -> None:
    found = area(said)
    assert found.holds(1 * E7, 1 * E7)
    assert found.holds(E7 // 2, 208 * E7 // 10)
    assert not found.holds(5 * E7, 15 * E7)


def test_numbers_are_read_as_they_were_written() -> None:
    found = area(
        json_form.parse('{"type":"Polygon","coordinates":[[[0.1,0.1],[0.3,0.1],[0.3,3e-1],[0.1,0.1]]]}')
    )
    assert found.holds(1_500_000, 2_000_000)


def bowtie() -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "must be GeoJSON"),
        ([], "must be GeoJSON"),
        ({}, "must be of polygons, not None"),
        ({"type": "Point", "coordinates": [0, 0]}, "not Point"),
        ({"type": "Feature", "geometry": None}, "must be of polygons"),
        ({"type": "FeatureCollection"}, "no list"),
        ({"type": "FeatureCollection", "features": [1]}, "no object"),
        ({"type": "FeatureCollection", "features": []}, "has no polygon"),
        ({"type": "Polygon", "coordinates": []}, "has no polygon"),
        ({"type": "Polygon", "coordinates": [[]]}, "fewer than 4"),
        ({"type": "Polygon", "coordinates": "x"}, "invalid coordinates"),
        ({"type": "Polygon", "coordinates": [OUTER[:-1]]}, "not closed"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}, "encloses nothing"),
        ({"type": "Polygon", "coordinates": [[[0, 91], [1, 91], [1, 92], [0, 91]]]}, "out of range"),
        (bowtie(), "the outline crosses itself near"),
        (
            {"type": "Polygon", "coordinates": [[[x / 100, 0] for x in range(2_100)] + [[0, 1], [0, 0]]]},
            "positions",
        ),
        ({**SQUARE, "crs": {"type": "name", "properties": {"name": "EPSG:25830"}}}, "in another system"),
        (
            {
                "type": "FeatureCollection",
                "features": [{"type": "Feature", "geometry": FAR}] * (SHAPES_MAX + 1),
            },
            f"more than {SHAPES_MAX}",
        ),
    ],
)
def test_what_is_no_area_is_refused_by_its_name(said: Any, words: str) -> None:
    with pytest.raises(WrongField, match=r"^area: ") as caught:
        area(said)
    assert words in caught.value.detail


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "coordinates", "features", "geometry", "crs"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_no_json_is_more_than_an_area_or_a_refusal(said: Any) -> None:
    json.dumps(said)
    try:
        area(said)
    except WrongField as error:
        refused = error.field
    else:
        refused = "area"
    assert refused == "area"
