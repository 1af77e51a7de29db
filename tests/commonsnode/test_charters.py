"""The settings of a charter: what is asked is what the community has, or it is refused by name."""

from typing import Any

import pytest

from commonsnode import charters, communities
from commonsnode.authoring import Author
from commonsnode.errors import WrongField
from commonsnode_protocol.authority import Settings
from commonsnode_store.store import Store
from running_node import Api

ASKED: dict[str, Any] = {
    "languages": ["es", "qu-EC"],
    "place": {"lat": 3_500_000, "lon": -781_200_000, "name": "Cotacachi"},
    "reading": "members",
    "quorum": 2,
    "licence": "ODbL-1.0",
    "newcomers_read_past": False,
    "share": [1, 2],
    "grid": 250,
    "lending": {"days": 14},
    "zone": "America/Guayaquil",
}


def test_a_charter_has_what_was_asked(author: Author, store: Store) -> None:
    community = communities.create(author, "Valle", ("public",), charters.settings_from(ASKED))
    table = store.authority(community).table
    assert table is not None
    assert charters.document(table.settings) == ASKED


def test_what_is_not_asked_is_at_its_default_and_can_go_back_to_it() -> None:
    assert charters.settings_from({}) == Settings()
    settings = charters.settings_from(ASKED)
    assert charters.settings_from({"quorum": None}, settings).quorum is None
    assert charters.settings_from(dict.fromkeys(ASKED), settings) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("languages", ["x" * 36]),
        ("languages", [""]),
        ("place", {"lat": 900_000_001, "lon": 0}),
        ("reading", "nobody"),
        ("quorum", 0),
        ("quorum", True),
        ("licence", "x" * 257),
        ("share", [3, 2]),
        ("share", [1]),
        ("newcomers_read_past", 1),
        ("grid", -1),
        ("grid", 100_001),
        ("grid", True),
        ("lending", {str(n): 1 for n in range(33)}),
        ("lending", {"longest_minutes": "3 days"}),
        ("lending", {"shortest_minutes": 60, "longest_minutes": 30}),
        ("lending", {"a\nb": 1}),
        ("zone", "Valle/Alto"),
        ("zone", "../etc/passwd"),
        ("zone", "x" * 65),
    ],
)
def test_a_setting_that_no_charter_can_have_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(WrongField) as caught:
        charters.settings_from({name: value})
    assert caught.value.field == name


async def test_the_api_founds_with_settings_and_shows_them(api: Api) -> None:
    founded = await api("POST", "/communities", {"name": "Valle", **ASKED})
    assert founded.status == 201
    shown = await api("GET", f"/communities/{founded['id']}")
    assert shown["settings"] == ASKED
    assert shown["roles"] == {"steward": 1, "member": 0, "mirror": 0}
    assert [one["role"] for one in shown["people"]] == ["steward"]
    refused = await api("POST", "/communities", {"name": "Valle", "share": [3, 2]})
    assert (refused.status, refused["field"]) == (422, "share")
