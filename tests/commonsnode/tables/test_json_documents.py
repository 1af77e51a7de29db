"""JSON that is no GeoJSON: a list of things is a table, a document with several lists one for each of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from commonsnode.tables import Rejected, Row, Sheet, TableError, open_table

LIBRARIES = {
    "network": {"name": "Two towns"},
    "libraries": [
        {"name": "East Library", "location": "East", "website": "https://east.example", "phone": "1"}
    ],
    "items": [
        {"library": "East Library", "name": "Karaoke machine", "description": "With two microphones"},
        {
            "library": "East Library",
            "name": "Tent",
            "sizes": ["4", "6"],
            "extra": {"name": "Pegs", "count": 12},
        },
        "a stray text",
    ],
    "numbers": [1, 2],
}


def opened(folder: Path, document: Any, name: str = "towns.json") -> list[Sheet]:
    path = folder / name
    path.write_text(json.dumps(document, indent=1))
    return open_table(path)


def test_each_list_of_things_is_a_source_of_its_own(tmp_path: Path) -> None:
    libraries, items = opened(tmp_path, LIBRARIES)
    assert (libraries.source, items.source) == ("towns/libraries", "towns/items")
    (library,) = libraries.rows
    assert isinstance(library, Row)
    assert (library.kind, library.fields["website"]) == ("place", "https://east.example")
    karaoke, tent, stray = items.rows
    assert isinstance(karaoke, Row)
    assert isinstance(tent, Row)
    assert (karaoke.kind, karaoke.fields["place"]) == ("resource", {"name": "East Library"})
    assert (tent.fields["x:sizes"], tent.fields["x:extra"]) == ("4, 6", "Pegs")
    assert isinstance(stray, Rejected)


def test_a_list_alone_is_one_table(tmp_path: Path) -> None:
    (sheet,) = opened(tmp_path, LIBRARIES["items"])
    assert (sheet.source, len(list(sheet.rows))) == ("towns", 3)


@pytest.mark.parametrize(
    "document",
    [
        {"$schema": "http://json-schema.org/draft-07/schema#", "fields": [{"name": "id"}, {"name": "title"}]},
        {"profile": "tabular-data-package", "resources": [{"name": "repairs"}]},
        {"points": [{"x": 1, "y": 2}]},
        {"name": "Saw"},
    ],
)
def test_what_describes_data_or_has_no_names_is_no_table(tmp_path: Path, document: Any) -> None:
    with pytest.raises(TableError, match="no list of things with names"):
        opened(tmp_path, document)
