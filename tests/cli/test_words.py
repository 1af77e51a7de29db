"""What a person types as values."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonsnode_cli.failures import Refused, WrongUsage
from commonsnode_cli.wording import degrees, distance, moment, span_text, value_text
from commonsnode_cli.words import fields, moved, place


def test_a_field_is_text_up_to_its_first_equals_sign() -> None:
    assert fields(["note=a=b", "amount=2"]) == {"note": "a=b", "amount": "2"}


def test_a_field_without_a_value_is_cleared() -> None:
    assert fields(["keeper="]) == {"keeper": None}


def test_json_sets_a_value_of_another_type() -> None:
    assert fields(["count:=3", "lent:=false", "hours:=[1,2]", 'who:={"a":null}']) == {
        "count": 3,
        "lent": False,
        "hours": [1, 2],
        "who": {"a": None},
    }


def test_a_large_integer_goes_as_text_that_no_program_rounds() -> None:
    assert fields([f"n:={2**63 - 1}"]) == {"n": {"$int": "9223372036854775807"}}
    assert fields([f"n:={2**53}"]) == {"n": 2**53}


def test_a_tag_is_true_or_false_or_cleared() -> None:
    assert fields(["tag:garden=true", "tag:wood=false", "tag:x="]) == {
        "tag:garden": True,
        "tag:wood": False,
        "tag:x": None,
    }


def test_a_field_of_an_import_keeps_its_colon() -> None:
    assert fields(["x:Serial no=7"]) == {"x:Serial no": "7"}


@pytest.mark.parametrize(
    "word",
    [
        "",
        "colour",
        "=red",
        ":=1",
        "tag:garden=yes",
        "n:=1.5",
        "n:=1e3",
        "n:=NaN",
        "n:={",
        f"n:={2**63}",
        "n=\udc80",
    ],
)
def test_what_is_no_field_is_wrong_usage(word: str) -> None:
    with pytest.raises(WrongUsage):
        fields([word])


def test_a_field_given_twice_is_wrong_usage() -> None:
    with pytest.raises(WrongUsage, match="twice"):
        fields(["colour=red", "colour=blue"])


@given(st.integers(-900_000_000, 900_000_000), st.integers(-1_800_000_000, 1_800_000_000))
def test_a_place_is_exact_to_the_last_digit(latitude: int, longitude: int) -> None:
    assert place(f"{degrees(latitude)},{degrees(longitude)}") == {"lat": latitude, "lon": longitude}


def test_a_place_may_be_written_as_people_write_it() -> None:
    assert place("-0.35, -78.12") == {"lat": -3_500_000, "lon": -781_200_000}
    assert place("+90,180") == {"lat": 900_000_000, "lon": 1_800_000_000}
    assert place("0.123456789,0") == {"lat": 1_234_568, "lon": 0}


@pytest.mark.parametrize(
    "text", ["", "1", "1,2,3", "a,b", "1;2", "0,35,-78,12", "nan,1", "1e1,2", "٣,٤", "1.,2"]
)
def test_what_is_no_place_is_wrong_usage(text: str) -> None:
    with pytest.raises(WrongUsage, match="no place"):
        place(text)


def test_swapped_coordinates_are_told() -> None:
    with pytest.raises(Refused, match="swapped"):
        place("-178.12,-0.35")


@pytest.mark.parametrize("text", ["91,181", "-90.0000001,100", "1,180.5"])
def test_a_place_outside_the_earth_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="outside"):
        place(text)


def test_the_field_place_takes_coordinates_or_a_name() -> None:
    assert fields(["place=0.36,-78.13"]) == {"place": place("0.36,-78.13")}
    assert fields(["place=mill road, 7"]) == {"place": "mill road, 7"}


def test_a_moved_place_keeps_its_name() -> None:
    assert moved({"lat": 1, "lon": 2, "name": "mill"}, {"lat": 3, "lon": 4}) == {
        "lat": 3,
        "lon": 4,
        "name": "mill",
    }
    assert moved("by the mill", {"lat": 3, "lon": 4}) == {"lat": 3, "lon": 4}
    assert moved(None, {"lat": 3, "lon": 4}) == {"lat": 3, "lon": 4}


def test_values_read_as_a_person_would_say_them() -> None:
    assert (
        value_text("place", {"lat": -3_500_000, "lon": -781_200_000, "name": "mill"}) == "mill (-0.35,-78.12)"
    )
    assert value_text("tag:garden", True) == "yes"
    assert value_text("n", {"$int": "9223372036854775807"}) == "9223372036854775807"
    assert value_text("photo", {"$bytes": "AAAA"}) == "3 bytes"
    assert value_text("keeper", {"$bytes": "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="}) == "ab" * 32
    assert value_text("list", ["a", 1]) == '["a", 1]'


def test_a_time_that_is_none_is_shown_as_it_is() -> None:
    assert moment("soon") == "soon"


@pytest.mark.parametrize(
    ("metres", "text"),
    [(None, ""), (0, "0 m"), (999, "999 m"), (1_000, "1.0 km"), (9_949, "9.9 km"), (34_499, "34 km")],
)
def test_a_distance_has_as_many_digits_as_matter(metres: int | None, text: str) -> None:
    assert distance(metres) == text


@pytest.mark.parametrize(
    ("begin", "end", "text"),
    [
        ("2026-12-05T05:00Z", "2026-12-06T05:00Z", "Sat 2026-12-05"),
        ("2026-12-05T05:00Z", "2026-12-07T05:00Z", "Sat 2026-12-05 – Sun 2026-12-06"),
        ("2026-12-05T14:00Z", "2026-12-05T18:00Z", "Sat 2026-12-05 09:00–13:00"),
        ("2026-12-05T14:00Z", "2026-12-06T05:00Z", "Sat 2026-12-05 09:00–24:00"),
        ("2026-12-05T14:00Z", "2026-12-06T18:00Z", "Sat 2026-12-05 09:00 – Sun 2026-12-06 13:00"),
        ("2026-12-05T05:00Z", "2026-12-06T18:00Z", "Sat 2026-12-05 00:00 – Sun 2026-12-06 13:00"),
    ],
)
def test_a_span_is_told_by_the_clock_of_a_zone_and_whole_days_as_days(
    begin: str, end: str, text: str
) -> None:
    quito = ZoneInfo("America/Guayaquil")
    span = (datetime.fromisoformat(begin), datetime.fromisoformat(end))
    assert span_text(*span, quito) == text
    assert span_text(*span, quito, year=False) == text.replace("2026-", "")
