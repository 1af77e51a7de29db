"""Blurred places: what everybody may know of a place, at every latitude and on both sides of the date line."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commonsnode_protocol.authority.settings import GRID_M_MAX, settings_of
from commonsnode_protocol.blurring import blurred, blurred_place, is_blurred, position_of, shown_distance_m
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.limits import LATITUDE_MAX, LONGITUDE_MAX

EARTH_M = 6_371_008.8
CELL_RADIUS = 0.9  # grid lengths: no position is farther from the middle of its cell; at a pole cells are three-cornered

Position = tuple[int, int]
positions = st.tuples(st.integers(-LATITUDE_MAX, LATITUDE_MAX), st.integers(-LONGITUDE_MAX, LONGITUDE_MAX))
grids = st.integers(1, GRID_M_MAX)


def distance_m(a: Position, b: Position) -> float:
    (lat, lon), (lat_b, lon_b) = ([math.radians(x / 1e7) for x in at] for at in (a, b))
    h = math.sin((lat - lat_b) / 2) ** 2
    h += math.cos(lat) * math.cos(lat_b) * math.sin((lon - lon_b) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(h)))


@given(positions, grids)
@example((LATITUDE_MAX, 7), 1_000)
@example((-LATITUDE_MAX, LONGITUDE_MAX), GRID_M_MAX)
def test_a_place_is_shown_on_earth_and_no_farther_than_its_cell(at: Position, grid: int) -> None:
    lat, lon = blurred(*at, grid)
    assert abs(lat) <= LATITUDE_MAX
    assert abs(lon) <= LONGITUDE_MAX
    # Half a metre more, since coordinates are whole 1e-7 degrees.
    assert distance_m(at, (lat, lon)) <= CELL_RADIUS * grid + 0.5


@given(positions, grids)
def test_to_blur_again_changes_nothing(at: Position, grid: int) -> None:
    once = blurred(*at, grid)
    assert blurred(*once, grid) == once


@given(st.integers(-LATITUDE_MAX, LATITUDE_MAX), grids)
def test_east_and_west_of_the_date_line_are_one_meridian(lat: int, grid: int) -> None:
    assert blurred(lat, LONGITUDE_MAX, grid) == blurred(lat, -LONGITUDE_MAX, grid)


@given(st.sampled_from((LATITUDE_MAX, -LATITUDE_MAX)), positions, grids)
def test_a_pole_is_one_place_whatever_its_longitude(pole: int, at: Position, grid: int) -> None:
    assert blurred(pole, at[1], grid) == blurred(pole, 0, grid)


@given(positions)
def test_a_grid_of_0_leaves_all_exact(at: Position) -> None:
    assert blurred(*at, 0) == at
    place: dict[str, object] = {"lat": at[0], "lon": at[1], "name": "mill"}
    assert blurred_place(place, 0) is place  # type: ignore[arg-type]


@given(st.integers(0, 25_000_000), grids)
def test_a_distance_is_shown_as_a_whole_number_of_grid_lengths_next_to_it(distance: int, grid: int) -> None:
    shown = shown_distance_m(distance, grid)
    assert shown % grid == 0
    assert abs(shown - distance) * 2 <= grid


@pytest.mark.parametrize(
    ("at", "grid"),
    [((LATITUDE_MAX + 1, 0), 1), ((0, -LONGITUDE_MAX - 1), 1), ((0, 0), -1), ((0, 0), GRID_M_MAX + 1)],
)
def test_what_is_not_on_earth_and_no_grid_is_refused(at: Position, grid: int) -> None:
    with pytest.raises(ValueError, match=r"no position|a grid is"):
        blurred(*at, grid)


def test_a_blurred_place_says_of_itself_that_it_is_and_how_much() -> None:
    place = blurred_place({"lat": 3_012_345, "lon": -782_654_321, "name": "Calle Bolívar 12"}, 1_000)
    assert is_blurred(place)
    assert place == {"lat": blurred(3_012_345, -782_654_321, 1_000)[0], "lon": place["lon"], "grid": 1_000}  # type: ignore[index, call-overload]
    assert not is_blurred({"lat": 1, "lon": 2})
    assert not is_blurred({"grid": 1_000})


def test_an_area_is_where_the_middle_of_its_extent_is() -> None:
    ring: list[Value] = [[10, 20], [30, 20], [30, 80], [10, 80], [10, 20]]
    assert position_of({"geometry": {"type": "Polygon", "coordinates": [ring]}}) == (50, 20)
    collected: Value = {
        "type": "GeometryCollection",
        "geometries": [{"type": "Point", "coordinates": [4, 6]}],
    }
    assert position_of({"geometry": collected}) == (6, 4)
    assert position_of({"geometry": {"type": "Polygon", "coordinates": "x"}}) is None


@pytest.mark.parametrize(
    ("said", "has"), [(250, 250), (0, 0), (GRID_M_MAX + 1, 1_000), (True, 1_000), ("1", 1_000)]
)
def test_a_charter_sets_the_grid_and_one_of_no_such_form_has_the_default(said: object, has: int) -> None:
    assert settings_of({"grid": said}).grid_m == has  # type: ignore[dict-item]
