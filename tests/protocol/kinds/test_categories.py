"""The category tree: a category with all below it is one range; words in five languages find it."""

import pytest

from commonsnode_protocol.kinds import CATEGORIES, category_number, category_of, category_range


def test_the_numbers_below_a_category_are_its_range_and_no_others() -> None:
    for id_ in CATEGORIES:
        first, last = category_range(id_) or (0, 0)
        inside = {one.number for one in CATEGORIES.values() if one.id == id_ or one.id.startswith(id_ + ".")}
        assert inside == set(range(first, last + 1))


def test_every_category_above_another_is_in_the_tree_and_every_label_is_there() -> None:
    for category in CATEGORIES.values():
        above = category.id.rpartition(".")[0]
        assert not above or above in CATEGORIES
        assert all(category.labels[language] for language in ("en", "es", "pt", "fr"))


def test_a_finer_category_than_the_tree_has_counts_as_the_one_above() -> None:
    assert category_number("tools.garden.auger") == category_number("tools.garden")
    assert category_number("nonsense") is None
    assert category_range("nonsense") is None


@pytest.mark.parametrize(
    ("category", "title", "found"),
    [
        ("tools.wood", "Rake", "tools.wood"),
        ("Garden", "Something", "tools.garden"),
        ("Gartengeräte", None, "tools.garden"),
        ("Jardín", None, "tools.garden"),
        (None, "Post-hole auger", "tools.farm"),
        (None, "Garden table", "household.furniture"),
        (None, "Mesa de jardín", "household.furniture"),
        (None, "Betonmischer 120 l", "tools.building"),
        (None, "Taladro percutor", "tools.building"),
        ("Sonstiges", "Nähmaschine", "machines.sewing"),
        ("FDM (Fused Deposition Modeling)", "LeapFrog Creatr", "machines.3d-printer"),
        ("CO₂", "SP500 laser cutter", "machines.laser-cutter"),
        ("", "", None),
        (7, None, None),
        (None, "Thingamajig", None),
    ],
)
def test_words_find_the_category(category: str | None, title: str | None, found: str | None) -> None:
    assert category_of(category, title) == found
