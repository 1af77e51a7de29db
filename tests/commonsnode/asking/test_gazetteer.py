"""Towns by name: looked for in the file as it lies there, whatever the case, the accents and the language."""

from pathlib import Path

import pytest

from commonsnode.asking.gazetteer import TOWNS_FILE, TOWNS_MAX, plainly_meant
from commonsnode.errors import Busy
from made_gazetteer import entry, gazetteer


@pytest.mark.parametrize("name", ["Cotacachi", "cotacachi", "  COTACACHI ", "Santa Ana de Cotacachi"])
def test_case_and_blanks_make_no_difference_and_other_names_count(tmp_path: Path, name: str) -> None:
    known = gazetteer(
        tmp_path,
        entry("Otavalo", "EC", 1),
        entry("Cotacachi", "EC", 8_238, alternatenames=["Santa Ana de Cotacachi"]),
    )
    (town,) = known.towns(name)
    assert (town.name, town.lat, town.lon, town.people) == ("Cotacachi", 2_994_700, -782_656_500, 8_238)


@pytest.mark.parametrize("name", ["München", "münchen", "Munich", "MÜNCHEN", "munchen", "ミュンヘン"])
def test_accents_and_other_scripts_are_found(tmp_path: Path, name: str) -> None:
    other = ["Munich", "Munchen", "ミュンヘン"]
    known = gazetteer(tmp_path, entry("München", "DE", 1_500_000, alternatenames=other))
    assert [town.name for town in known.towns(name)] == ["München"]


def test_a_part_of_a_name_is_another_name(tmp_path: Path) -> None:
    known = gazetteer(tmp_path, entry("Quito Sur", "EC", 5), entry("EC", "DE", 7, timezone="Quito"))
    assert known.towns("Quito") == ()
    assert known.towns("") == ()
    assert known.towns('"') == ()


def test_own_names_go_before_names_in_other_languages_and_the_largest_comes_first(tmp_path: Path) -> None:
    known = gazetteer(
        tmp_path,
        entry("Köln", "DE", 1_000_000, alternatenames=["Colonia"]),
        entry("Colonia", "US", 10),
        entry("Colonia", "ES", 20),
    )
    assert [town.country for town in known.towns("Colonia")] == ["ES", "US"]


def test_region_and_country_narrow_it_by_code_or_name(tmp_path: Path) -> None:
    known = gazetteer(
        tmp_path,
        entry("Springfield", "US", 170_000, "MO"),
        entry("Springfield", "US", 114_000, "IL"),
        entry("Springfield", "DE", 900),
    )
    assert len(known.towns("Springfield")) == 3
    assert [town.region for town in known.towns("Springfield, IL")] == ["IL"]
    assert [town.region for town in known.towns("springfield, il, us")] == ["IL"]
    assert len(known.towns("Springfield, united states")) == 2
    assert known.towns("Springfield, Ecuador") == ()


def test_one_town_is_plainly_meant_where_it_is_alone_or_far_larger(tmp_path: Path) -> None:
    known = gazetteer(
        tmp_path,
        entry("Paris", "DE", 2_000_000),
        entry("Paris", "US", 25_000),
        entry("Valencia", "ES", 800_000),
        entry("Valencia", "US", 700_000),
        entry("Quito", "EC", 3),
    )
    assert getattr(plainly_meant(known.towns("Paris")), "country", None) == "DE"
    assert getattr(plainly_meant(known.towns("Quito")), "country", None) == "EC"
    assert plainly_meant(known.towns("Valencia")) is None
    assert plainly_meant(()) is None


def test_names_on_the_seam_of_two_pieces_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = gazetteer(tmp_path, *(entry(f"Town {n}", "EC", n) for n in range(60)))
    monkeypatch.setattr("commonsnode.asking.gazetteer._PIECE_BYTES", 97)
    for n in range(60):
        assert [town.people for town in known.towns(f"town {n}")] == [n]


def test_a_name_that_very_many_bear_is_cut_off(tmp_path: Path) -> None:
    known = gazetteer(tmp_path, *(entry("San Juan", "ES", n) for n in range(TOWNS_MAX + 5)))
    assert len(known.towns("San Juan")) == TOWNS_MAX


def test_what_is_damaged_in_the_file_is_passed_over(tmp_path: Path) -> None:
    known = gazetteer(tmp_path, entry("Quito", "EC", 1))
    file = tmp_path / TOWNS_FILE
    file.write_text(
        '{"1": {"geonameid": 1, "name": "Ibarra", "alternatenames": [' + file.read_text() + '"Ibarra"'
    )
    assert known.towns("Ibarra") == ()
    assert len(known.towns("Quito")) == 1


def test_a_second_look_waits_for_the_first_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = gazetteer(tmp_path, entry("Quito", "EC", 1), entry("Ibarra", "EC", 1))
    monkeypatch.setattr("commonsnode.asking.gazetteer.TURN_S_MAX", 0.01)
    assert len(known.towns("Quito")) == 1
    with known._turn:
        assert len(known.towns("Quito")) == 1
        with pytest.raises(Busy):
            known.towns("Ibarra")
    assert len(known.towns("Ibarra")) == 1
