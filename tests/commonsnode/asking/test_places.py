"""Where a name or a pair of coordinates is: what people here call so comes first, then towns; and nothing is guessed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from commonsnode import communities, inventory
from commonsnode.asking.gazetteer import Gazetteer
from commonsnode.asking.places import Source, Spot, spot
from commonsnode.asking.scope import scope_of
from commonsnode.authoring import Author
from commonsnode.charters import settings_from
from commonsnode.errors import WrongField
from commonsnode_protocol.canonical import Value
from commonsnode_store.store import Store
from made_gazetteer import entry, gazetteer

VALLEY: dict[str, Value] = {"lat": 3_000_000, "lon": -782_600_000, "name": "Valle Alto"}


@pytest.fixture
def valley(author: Author) -> bytes:
    return communities.create(author, "Common valley", ("public",), settings_from({"place": VALLEY}))


def place(lat: int, lon: int, name: str | None = None) -> dict[str, Value]:
    """In thousandths of a degree."""
    at: dict[str, Value] = {"lat": lat * 10_000, "lon": lon * 10_000}
    return at if name is None else {**at, "name": name}


def add(author: Author, community: bytes, kind: str, title: str, where: Mapping[str, Value]) -> None:
    inventory.add(author, community, {"title": title, "place": dict(where)}, kind=kind, exact_place=True)


def where(store: Store, text: str, towns: Gazetteer | None = None) -> Spot:
    return spot(store, text, scope_of(store, ()), towns)


def refusal(store: Store, text: str, towns: Gazetteer | None = None) -> WrongField:
    with pytest.raises(WrongField) as caught:
        where(store, text, towns)
    assert caught.value.field == "near"
    return caught.value


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("0.35,-78.12", (3_500_000, -781_200_000)),
        ("0.35, -78.12", (3_500_000, -781_200_000)),
        ("-0.35 -78.12", (-3_500_000, -781_200_000)),
        ("39°28'12\"N 0°22'36\"W", (394_700_000, -3_766_667)),
        ("90,180", (900_000_000, 1_800_000_000)),
    ],
)
def test_coordinates_are_latitude_first(store: Store, text: str, point: tuple[int, int]) -> None:
    assert where(store, text) == Spot(point, "", Source.COORDINATES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-178.12,0.35", "latitude -178.12 is out of range (-90 to 90); latitude and longitude look swapped"),
        ("91,0", "latitude 91 is out of range"),
        ("0,181", "longitude 181 is out of range"),
        ("", "must be latitude,longitude or a name"),
        ("x" * 257, "must be latitude,longitude or a name"),
        ("?!", "neither latitude,longitude nor a name"),
    ],
)
def test_what_is_nowhere_on_earth_is_refused(store: Store, text: str, words: str) -> None:
    assert words in refusal(store, text).detail


def test_the_community_is_where_its_charter_says(store: Store, valley: bytes) -> None:
    assert valley
    for text in ("my community", "Here", "valle alto"):
        assert where(store, text) == Spot((3_000_000, -782_600_000), "Valle Alto", Source.COMMUNITY)


def test_where_no_community_is_followed_there_is_none_to_be_near_to(store: Store) -> None:
    found = refusal(store, "my community")
    assert "no community is followed" in found.detail
    assert "community follow LINK" in found.detail


def test_of_several_communities_one_must_be_named(author: Author, store: Store, valley: bytes) -> None:
    communities.create(author, "Other", ("public",), settings_from({"place": {**VALLEY, "name": "Lower"}}))
    found = refusal(store, "my community")
    assert "more than one community" in found.detail
    assert len(found.candidates) == 2


def test_a_record_of_kind_place_goes_before_places_of_things_and_towns(
    author: Author, store: Store, valley: bytes, tmp_path: Path
) -> None:
    towns = gazetteer(tmp_path, entry("Molino", "EC", 500), entry("Iluman", "EC", 900))
    add(author, valley, "place", "El Molíno", place(300, -78_300))
    add(author, valley, "resource", "drill", place(100, -78_100, "el molino"))
    add(author, valley, "resource", "saw", place(200, -78_200, "Ilumán"))
    assert where(store, "el molino", towns) == Spot((3_000_000, -783_000_000), "El Molíno", Source.PLACE)
    assert where(store, "iluman", towns).source is Source.THING
    assert where(store, "Molino", towns).source is Source.GAZETTEER
    assert where(store, "Molino").source is Source.PLACE
    assert where(store, "mol").name == "mol"


def test_a_place_with_many_things_is_the_middle_of_them(author: Author, store: Store, valley: bytes) -> None:
    for lat in (300, 310, 340):
        add(author, valley, "resource", f"thing {lat}", place(lat, -78_300, "Cotacachi"))
    assert where(store, "Cotacachi").point == (3_200_000, -783_000_000)


def test_a_name_that_is_in_two_places_is_no_place(author: Author, store: Store, valley: bytes) -> None:
    add(author, valley, "place", "San Juan", place(300, -78_300))
    add(author, valley, "place", "San Juan", place(2_300, -78_300))
    found = refusal(store, "San Juan")
    assert "more than one place" in found.detail
    assert found.candidates == ["San Juan (0.3000,-78.3000)", "San Juan (2.3000,-78.3000)"]


def test_one_that_was_typed_wrongly_far_away_does_not_count(
    author: Author, store: Store, valley: bytes
) -> None:
    for n in range(4):
        add(author, valley, "resource", f"thing {n}", place(300, -78_300, "Cotacachi"))
    add(author, valley, "resource", "swapped", place(-78_300, 300, "Cotacachi"))
    assert where(store, "Cotacachi").point == (3_000_000, -783_000_000)


def test_of_several_towns_the_one_near_the_community_is_meant(
    store: Store, valley: bytes, tmp_path: Path
) -> None:
    assert valley
    far: dict[str, Any] = {"latitude": 40.0, "longitude": -3.0}
    towns = gazetteer(tmp_path, entry("San Juan", "ES", 9_000_000, **far), entry("San Juan", "EC", 600))
    assert where(store, "San Juan", towns).name == "San Juan, EC"
    towns = gazetteer(tmp_path, entry("Leon", "ES", 900, **far), entry("Leon", "US", 600, **far))
    assert refusal(store, "Leon", towns).candidates[0] == "Leon, ES (40.0000,-3.0000; 900 people)"


def test_what_nobody_knows_is_said_with_what_to_do(
    author: Author, store: Store, valley: bytes, tmp_path: Path
) -> None:
    add(author, valley, "place", "Cotacachi", place(300, -78_300))
    assert "there is Cotacachi" in refusal(store, "Cotacahci").detail
    detail = refusal(store, "Atlantis").detail
    assert "no place called 'Atlantis' is known here: write latitude,longitude, or add it" in detail
    assert "pip install 'commonsnode[places]'" in detail
    assert (
        "pip install" not in refusal(store, "Atlantis", gazetteer(tmp_path, entry("Quito", "EC", 1))).detail
    )
