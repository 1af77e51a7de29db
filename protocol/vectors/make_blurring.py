"""Write blurring.json, the vectors of SPEC.md, "Blurred places":  python protocol/vectors/make_blurring.py"""

from commonsnode_protocol.authority.settings import GRID_M, GRID_M_MAX
from commonsnode_protocol.blurring import blurred, blurred_place, shown_distance_m
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.limits import LATITUDE_MAX, LONGITUDE_MAX
from vectors.shown import Json, show_value, text_of, write

ABOUT = """\
Vectors of SPEC.md, "Blurred places". Positions are in 1e-7 degrees, grids and distances in metres.

positions: with the grid `grid` the position `lat`, `lon` is shown as `middle`.
places: with the grid `grid` the value `place` of a field is written to lane public as `public`.
distances: with the grid `grid` a distance of `distance` is shown as `shown`.
"""

SQUARE: Value = {
    "type": "Polygon",
    "coordinates": [[[10, 20], [30, 20], [30, 80], [10, 80], [10, 20]]],
}


def text() -> str:
    """The content of blurring.json."""
    positions: list[Json] = []
    places: list[Json] = []
    distances: list[Json] = []

    def case(name: str, lat: int, lon: int, grid: int = GRID_M) -> None:
        shown = {"name": name, "lat": lat, "lon": lon, "grid": grid, "expect": "middle"}
        positions.append(shown | {"middle": [*blurred(lat, lon, grid)]})

    def case_place(name: str, place: Value, grid: int = GRID_M) -> None:
        shown = {"name": name, "place": show_value(place), "grid": grid, "expect": "public"}
        places.append(shown | {"public": show_value(blurred_place(place, grid))})

    def case_distance(name: str, distance: int, grid: int = GRID_M) -> None:
        shown = {"name": name, "distance": distance, "grid": grid, "expect": "shown"}
        distances.append(shown | {"shown": shown_distance_m(distance, grid)})

    case("cotacachi", 3_012_345, -782_654_321)
    case("its_neighbour_in_the_same_cell", 3_009_999, -782_650_001)
    case("a_middle_is_its_own", *blurred(3_012_345, -782_654_321, GRID_M))
    case("grid_0_is_exact", 3_012_345, -782_654_321, 0)
    case("grid_1", 3_012_345, -782_654_321, 1)
    case("widest_grid", 3_012_345, -782_654_321, GRID_M_MAX)
    case("no_latitude_no_longitude", 0, 0)
    case("just_south_west_of_it", -1, -1)
    case("far_north", 782_200_000, 156_500_000)
    case("far_south", -778_500_000, 1_666_800_000)
    case("north_pole", LATITUDE_MAX, 0)
    case("north_pole_at_another_longitude", LATITUDE_MAX, 1_234_567_890)
    case("south_pole", -LATITUDE_MAX, -5)
    case("date_line_east", -165_000_000, LONGITUDE_MAX)
    case("date_line_west", -165_000_000, -LONGITUDE_MAX)
    case("just_west_of_the_date_line", -165_000_000, LONGITUDE_MAX - 1)

    case_place("point", {"lat": 3_012_345, "lon": -782_654_321})
    case_place(
        "point_with_a_name", {"lat": 3_012_345, "lon": -782_654_321, "name": "Calle Bolívar 12", "floor": 2}
    )
    case_place("area", {"geometry": SQUARE})
    case_place("point_and_area", {"lat": 3_012_345, "lon": -782_654_321, "geometry": SQUARE})
    case_place("name_in_a_map", {"name": "by the mill"})
    case_place("name", "by the mill")
    case_place("not_on_earth", {"lat": LATITUDE_MAX + 1, "lon": 0})
    case_place("grid_0_is_exact_with_its_name", {"lat": 1, "lon": 2, "name": "mill"}, 0)
    case_place("anything_else", [1, 2])

    case_distance("none", 0)
    case_distance("less_than_half", 499)
    case_distance("half", 500)
    case_distance("more", 1_499)
    case_distance("grid_0_is_exact", 1_499, 0)
    case_distance("widest_grid", 149_999, GRID_M_MAX)
    return text_of(ABOUT, {"positions": positions, "places": places, "distances": distances})


if __name__ == "__main__":
    write(__file__, text())
