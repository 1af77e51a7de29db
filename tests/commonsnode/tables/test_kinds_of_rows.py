"""What a person would call a tool, a machine, a place or an event ends as that kind."""

import json
from pathlib import Path

import pytest

from commonsnode.tables import Row, open_table


def kinds(tmp_path: Path, name: str, text: str) -> list[str]:
    path = tmp_path / name
    path.write_text(text)
    return [row.kind for sheet in open_table(path) for row in sheet.rows if isinstance(row, Row)]


def features(*pairs: tuple[dict[str, object], dict[str, object]]) -> str:
    made = [{"type": "Feature", "geometry": shape, "properties": said} for shape, said in pairs]
    return json.dumps({"type": "FeatureCollection", "features": made})


POINT: dict[str, object] = {"type": "Point", "coordinates": [8.2, 48.7]}
AREA: dict[str, object] = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Name,Qty,Location\nSaw,2,Barn\n", "resource"),
        ("Name,Latitude,Longitude\nSaw,48.71,8.21\n", "resource"),
        ("Item,Street,City\nCircular saw,High Street,Hull\nDrill,Low Street,Hull\n", "resource"),
        ("Asset Tag,Name,Category,Location,Model\nA1,Backhoe,Digging,Yard,B 2\n", "resource"),
        ("Name,Condition,Opening Hours,Latitude,Longitude\nKiln,good,Sa,48.71,8.21\n", "resource"),
        ("Model,Brand,Technology\nCreatr,LeapFrog,FDM\n", "specification"),
        ("Name,Category,Manufacturer,Model Number,Fieldset\nTest Model,Laptops,Acme,9351,Laptops\n", "specification"),
        ("name,address,city,state,zip\nPeace River,8 Court,Birendra,AB,T8S\n", "place"),
        ("nom,adresse,code_postal,commune,latitude,longitude,horaires\nHall,1 rue,38000,Grenoble,45.19,5.71,Mo\n", "place"),
        ("NOME_FEIRA,LAT,LONG,BAIRRO\nJARDIM ELBA,-23.56,-46.55,SAO MATEUS\n", "place"),
        ("Name,Category,Latitude,Longitude\nAtelier,Fab Lab,45.191,5.712\n", "place"),
        ("id,product_category,repair_status,event_date,problem\n1,Lamp,Fixed,2023-05-06,dark\n", "event"),
    ],
)  # fmt: skip
def test_headings_and_categories_tell_the_kind(tmp_path: Path, text: str, kind: str) -> None:
    assert set(kinds(tmp_path, "list.csv", text)) == {kind}


def test_an_area_is_a_place_and_a_point_without_further_sign_a_thing(tmp_path: Path) -> None:
    text = features((AREA, {"name": "Meadow"}), (POINT, {"name": "Auger"}))
    assert kinds(tmp_path, "things.geojson", text) == ["place", "resource"]


def test_the_name_of_the_file_tells_that_its_points_are_places(tmp_path: Path) -> None:
    text = features((POINT, {"name": "Karlsplatz"}))
    assert kinds(tmp_path, "markets.geojson", text) == ["place"]


def test_opening_hours_tell_that_points_are_places(tmp_path: Path) -> None:
    text = features((POINT, {"title": "Karlsplatz", "opening_hours": "Sa 07:00-13:00"}))
    assert kinds(tmp_path, "baden-baden.json", text) == ["place"]
