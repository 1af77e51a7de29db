"""Open Know-How manifests become designs, Open Know-Where facilities places."""

import json
from pathlib import Path
from typing import Any

import pytest

from commonsnode.tables import Rejected, Row, TableError, open_table

MANIFEST = """
okhv = "OKH-LOSHv1.0"
name = "Hand pump\\n"
repo = "https://example.org/pump"
license = "CERN-OHL-S-2.0"
licensor = [{name = "Ana", email = "-"}, "The Workshop"]
version = "1.2"
function = "Lifts water"
documentation-language = "en"
tsdc = ["MEC", "WEL"]
"""


def facility(identity: str, **parts: Any) -> dict[str, Any]:
    said = {"name": "FabLab Valley", "url": "https://example.org", "description": "fablab"}
    return {"facility": {**said, "facility_id": identity}, "address": None, "geocoding": None, **parts}


def test_a_manifest_is_one_design(tmp_path: Path) -> None:
    path = tmp_path / "okh-pump.toml"
    path.write_text(MANIFEST)
    (sheet,) = open_table(path)
    (row,) = sheet.rows
    assert row == Row(
        1,
        "https://example.org/pump",
        {
            "title": "Hand pump",
            "repository": "https://example.org/pump",
            "licence": "CERN-OHL-S-2.0",
            "licensor": "Ana, The Workshop",
            "version": "1.2",
            "description": "Lifts water",
            "language": "en",
            "x:okhv": "OKH-LOSHv1.0",
            "x:tsdc": "MEC, WEL",
        },
        kind="design",
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("name = 'Saw'\n", "no Open Know-How manifest"),
        ("name = \n", "not valid TOML"),
    ],
)
def test_other_toml_is_one_clear_error(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(content)
    with pytest.raises(TableError, match=reason):
        open_table(path)


def test_facilities_are_places_with_their_coordinates_and_address(tmp_path: Path) -> None:
    region = {"country": "FR", "state_region": "Loire", "city_town": "Nantes"}
    path = tmp_path / "facilities.json"
    geocoding = {"latitude": 47.218371, "longitude": -1.55362100000002}
    beyond = {"latitude": 147.2, "longitude": 200}
    path.write_text(
        json.dumps(
            [
                facility("a", geocoding=geocoding, region=region),
                facility("b", address={"zip_code": "05738", "extended": "40, Dongnam"}, region=region),
                facility("c", geocoding=beyond),
                facility("a"),
                {"facility": {}},
            ]
        )
    )
    (sheet,) = open_table(path)
    first, second, *rejected = sheet.rows
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.kind, first.key, first.fields["title"]) == ("place", "a", "FabLab Valley")
    assert first.fields["place"] == {"name": "Nantes, Loire, FR", "lat": 472183710, "lon": -15536210}
    assert second.fields["place"] == {"name": "40, Dongnam, 05738 Nantes, Loire, FR"}
    assert [bad.line for bad in rejected if isinstance(bad, Rejected)] == [3, 4, 5]
